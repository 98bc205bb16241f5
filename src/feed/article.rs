//! An article page to its text, and whether a feed's text is only a teaser. Pure; heavy enough to run off the async threads.

use url::Url;

use crate::feed::parse::Item;

/// Why no article text could be read, in words that follow "teaser only: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoArticle(pub String);

/// Whether an item's text is only a teaser: no content element, under 150 words, or ending in an ellipsis.
#[must_use]
pub fn is_teaser(item: &Item) -> bool {
    let _ = item;
    todo!()
}

/// The article's text, paragraphs parted by a blank line.
///
/// # Errors
/// Where the page is no HTML, is nested too deep, or holds no article (consent, paywall, error page).
pub fn extract(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<String, NoArticle> {
    let _ = (bytes, content_type, url);
    todo!()
}

/// The text that rules see once a page was read: the page's, with the teaser before it unless the page already says all of it.
#[must_use]
pub fn with_teaser(teaser: &str, page: &str) -> String {
    let _ = (teaser, page);
    todo!()
}
