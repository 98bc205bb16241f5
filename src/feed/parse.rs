//! Bytes to items: any feed format, decoded, told by its first signs and read, with plain texts.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use crate::feed::hints::PollHints;
use crate::feed::{choice, discover, json, sniff};
use crate::markup::decode::decode;
use tidings_rules::text::visible;

/// The most items that are taken from one document.
pub const MOST_ITEMS: usize = 10_000;

/// A feed as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The feed's own title.
    pub title: Option<String>,
    /// What it asks of those who poll it.
    pub hints: PollHints,
    /// Its items, in document order; at most [`MOST_ITEMS`].
    pub items: Vec<Item>,
    /// Where it ends.
    pub end: DocumentEnd,
}

/// Where a document ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentEnd {
    /// Where its publisher ended it.
    #[default]
    Whole,
    /// It breaks off after its last item, or within an item of which nothing could be read.
    BetweenItems,
    /// It breaks off within its last item.
    WithinItem,
}

/// One item. Texts are plain: markup removed, entities resolved, paragraphs parted by a blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The publisher's identifier, where it gave one. Never empty.
    pub guid: Option<String>,
    /// The absolute link, where it gave one: `http`, `https`, or `file` in a feed that is a file
    /// itself.
    pub link: Option<Url>,
    /// The headline in one line; may be empty.
    pub title: String,
    /// The text: the content element, else the summary; may be empty.
    pub text: String,
    /// Whether `text` came from a content element, rather than a summary.
    pub is_content: bool,
    /// When it says it was published, else updated.
    pub published: Option<Timestamp>,
    /// Its language, else the feed's.
    pub lang: Option<String>,
    /// Its authors.
    pub authors: Vec<String>,
    /// Its categories.
    pub tags: Vec<String>,
    /// Who it was taken from, where a feed of many sources says so (`source` in RSS), in one line.
    pub source: Option<String>,
}

/// Why bytes are no feed, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoFeed(pub String);

/// Reads `bytes`, which came from `base` with that `Content-Type`. Never panics, and takes bounded
/// time and stack whatever the bytes.
///
/// # Errors Where no feed can be found in the bytes: HTML, JSON that is no feed, damage with no
/// entry left. An empty but sound feed is no error.
pub fn parse(bytes: &[u8], content_type: Option<&str>, base: &Url) -> Result<Document, NoFeed> {
    let text = decode(bytes, content_type);
    let document = match sniff::kind(&text) {
        sniff::DocumentKind::Empty => Err(NoFeed("the answer is empty".to_owned())),
        sniff::DocumentKind::Json => json::parse(&text, base),
        sniff::DocumentKind::Html => Err(web_page(&text, base)),
        sniff::DocumentKind::Other => {
            Err(NoFeed("this is not a feed, nor any XML or JSON".to_owned()))
        }
        sniff::DocumentKind::Xml => choice::read(&text, base),
    };
    document.map(visible_document)
}

/// The same without what steers those who show it.
fn visible_document(mut document: Document) -> Document {
    document.title.iter_mut().for_each(make_visible);
    for item in &mut document.items {
        let Item { title, text, authors, tags, source, .. } = item;
        [title, text].into_iter().chain(authors).chain(tags).chain(source).for_each(make_visible);
    }
    document
}

fn make_visible(text: &mut String) {
    if let Cow::Owned(shown) = visible(text) {
        *text = shown;
    }
}

fn web_page(html: &str, base: &Url) -> NoFeed {
    NoFeed(match discover::named(html, base).first() {
        Some(feed) => {
            format!("this is a web page, not a feed; the page names {} as its feed", feed.url)
        }
        None => "this is a web page, not a feed".to_owned(),
    })
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;
