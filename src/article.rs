//! Extracts the text of an article page, and detects teasers. Pure, but slow: run it off the async
//! threads.

mod refusal;
pub mod robots;
mod simplify;
mod versions;

use dom_smoothie::{Config, Readability, TextMode};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::article::simplify::simplify;
use crate::feed::document::Item;
use crate::markup::decode::decode;
use crate::markup::plain;
use crate::markup::shield::catch_panic;
use refusal::redirected_elsewhere;
use tidings_rules::text::{visible, visible_line};
use versions::versions;

/// Under this many words a text is taken for a teaser.
const SHORT: usize = 150;

/// Under this many words a page is taken to hold no article.
const TOO_LITTLE: usize = 30;

/// The most markup a page may have once simplified, in bytes: some thousand times an article.
const MOST_MARKUP: usize = 4 << 20;

/// The most elements of it.
const MOST_ELEMENTS: usize = 50_000;

/// Why no article text could be read, in words that follow "teaser only: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoArticle {
    /// The page is empty, or nearly so: another version of it may hold more.
    #[error("{0}")]
    Stub(String),
    /// It is another kind of page, or it refuses to be read.
    #[error("{0}")]
    Refused(String),
}

impl NoArticle {
    fn because(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

/// What a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageContent {
    /// The headline of the page; may be empty.
    pub title: String,
    /// The article's text, paragraphs parted by a blank line.
    pub text: Result<String, NoArticle>,
    /// Another version of the page, to be read in its place: of an AMP page the page itself, of an
    /// empty page its AMP page.
    pub instead: Option<Url>,
}

/// Whether an item's text is only a teaser: no content element, under 150 words (Unicode annex 29),
/// or ending in an ellipsis or an invitation to read on.
#[must_use]
pub fn is_teaser(item: &Item) -> bool {
    !item.is_content || has_few_words(&item.text, SHORT) || trails_off(&item.text)
}

/// Whether `text` has fewer words than `most`. Counting the pieces between white space that have a
/// letter or digit decides it for most articles.
fn has_few_words(text: &str, most: usize) -> bool {
    let pieces = text
        .split_ascii_whitespace()
        .filter(|piece| piece.bytes().any(|byte| byte.is_ascii_alphanumeric()));
    pieces.take(most).count() < most && text.unicode_words().take(most).count() < most
}

/// The number of words of `text`, counted up to the largest limit in use.
fn count_words(text: &str) -> usize {
    text.unicode_words().take(refusal::LONG).count()
}

fn trails_off(text: &str) -> bool {
    const INVITATIONS: [&str; 8] = [
        "read more",
        "continue reading",
        "read the full story",
        "read the full article",
        "read the rest",
        "weiterlesen",
        "lire la suite",
        "leer más",
    ];
    let end = without_wordpress_footer(text)
        .trim_end_matches(|c: char| c.is_whitespace() || "])}>»›→.:".contains(c) && c != '.');
    let last = end.rsplit('\n').next().unwrap_or_default().to_lowercase();
    end.ends_with('…')
        || end.ends_with("...")
        || INVITATIONS.iter().any(|words| last.ends_with(words))
}

/// `text` without the paragraph that `WordPress` puts below every excerpt.
fn without_wordpress_footer(text: &str) -> &str {
    match text.rsplit_once("\n\n") {
        Some((before, last))
            if last.starts_with("The post ") && last.contains("appeared first on") =>
        {
            before
        }
        _ => text,
    }
}

/// What the page at `url` is. Takes bounded time and stack whatever the bytes.
#[must_use]
pub fn read_page(bytes: &[u8], content_type: Option<&str>, url: &Url) -> PageContent {
    if let Some(kind) = other_kind(bytes, content_type) {
        return PageContent::nothing(NoArticle::because(format!(
            "the link leads to no web page, but to {kind}"
        )));
    }
    let html = decode(bytes, content_type);
    let (title, text) = match text_of(&html, url) {
        Ok((title, text)) => (title, Ok(text)),
        Err(why) => (String::new(), Err(why)),
    };
    let versions = versions(&html, url);
    let instead = match &text {
        _ if versions.is_amp => versions.canonical,
        Err(NoArticle::Stub(_)) => versions.amp,
        _ => None,
    };
    PageContent { title, text, instead }
}

/// Reads the page that came from `url` when `asked` was requested.
#[must_use]
pub fn read_answer(
    asked: &Url,
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
) -> PageContent {
    match redirected_elsewhere(asked, url) {
        Some(why) => PageContent::nothing(why),
        None => read_page(bytes, content_type, url),
    }
}

impl PageContent {
    /// A page that holds no article, and has no other version that may.
    #[must_use]
    pub fn nothing(why: NoArticle) -> Self {
        Self { title: String::new(), text: Err(why), instead: None }
    }
}

fn text_of(html: &str, url: &Url) -> Result<(String, String), NoArticle> {
    let simple = simplify(html).map_err(|why| NoArticle::because(why.to_string()))?;
    if simple.len() > MOST_MARKUP {
        return Err(NoArticle::because("the page is too large"));
    }
    let (title, text) = extract(&simple, url)?;
    refusal::check(&title, &text, html)?;
    match count_words(&text) {
        count if count < TOO_LITTLE => {
            Err(NoArticle::Stub(format!("the page holds too little text (words: {count})")))
        }
        _ => Ok((title, text)),
    }
}

/// The kind of a document that is no web page.
fn other_kind(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    let kind = content_type
        .unwrap_or("text/html")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if bytes.starts_with(b"%PDF") {
        return Some("a PDF".to_owned());
    }
    let is_page = matches!(
        kind.as_str(),
        "text/html" | "application/xhtml+xml" | "application/xml" | "text/xml" | ""
    );
    (!is_page).then(|| format!("a document of type {kind}"))
}

fn extract(html: &str, url: &Url) -> Result<(String, String), NoArticle> {
    let config = Config {
        text_mode: TextMode::Formatted,
        max_elements_to_parse: MOST_ELEMENTS,
        disable_json_ld: true,
        ..Config::default()
    };
    let article = catch_panic(|| Readability::new(html, Some(url.as_str()), Some(config))?.parse());
    match article {
        Some(Ok(article)) => {
            let title = visible_line(&article.title).trim().to_owned();
            Ok((title, plain::from_text(&visible(&article.text_content))))
        }
        Some(Err(_)) => Err(NoArticle::Stub(
            "the page holds no article that can be distinguished from the rest of it".to_owned(),
        )),
        None => Err(NoArticle::because("the page is too damaged to be read")),
    }
}

/// The text that rules see once a page was read: the page's, with the teaser as a paragraph before
/// it unless the page already says all of it.
#[must_use]
pub fn with_teaser(teaser: &str, page: &str) -> String {
    let said = bare_words(without_cut_word(without_wordpress_footer(teaser)));
    // Spaces around, so that only whole words are found.
    if bare_words(page).contains(&said) || said.trim().is_empty() {
        page.to_owned()
    } else {
        format!("{}\n\n{}", teaser.trim(), page.trim())
    }
}

/// `text` without the piece of a word at which many a feed cuts its teasers.
fn without_cut_word(text: &str) -> &str {
    let end = text.trim_end_matches(|c: char| c.is_whitespace() || "])".contains(c));
    let Some(cut) = end.strip_suffix('…').or_else(|| end.strip_suffix("...")) else {
        return text;
    };
    let cut = cut.trim_end_matches(['[', '(']);
    cut.rfind(char::is_whitespace).map_or("", |at| &cut[..at])
}

/// The words alone, in lower case, each with a space on either side.
fn bare_words(text: &str) -> String {
    text.unicode_words().fold(" ".to_owned(), |words, word| words + &word.to_lowercase() + " ")
}

#[cfg(test)]
mod tests;
