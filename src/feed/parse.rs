//! Reads the bytes of any feed format: decodes them, detects the format, and returns items with
//! plain texts.

use std::borrow::Cow;

use url::Url;

use crate::feed::bounded::usable_guid;
use crate::feed::document::{Document, Item, NoFeed};
use crate::feed::{choice, discover, json, publisher, sniff};
use crate::markup::decode::decode;
use tidings_rules::text::visible;

/// Reads `bytes`, which came from `base` with that `Content-Type`. Never panics. Time and stack are
/// bounded for any bytes.
///
/// # Errors
/// If the bytes contain no feed: they are HTML or other JSON, or are damaged without a readable
/// item. An empty feed is not an error.
pub fn parse(bytes: &[u8], content_type: Option<&str>, base: &Url) -> Result<Document, NoFeed> {
    let text = decode(bytes, content_type);
    let document = match sniff::kind(&text) {
        sniff::DocumentKind::Empty => Err(NoFeed("the answer is empty".to_owned())),
        sniff::DocumentKind::Json => json::parse(&text, base),
        sniff::DocumentKind::Html => Err(web_page(&text, base)),
        sniff::DocumentKind::Other => {
            Err(NoFeed("this is not a feed, and neither XML nor JSON".to_owned()))
        }
        sniff::DocumentKind::Xml => choice::read_xml_feed(&text, base),
    };
    document.map(|mut document| {
        publisher::cut_names(&mut document);
        visible_document(document)
    })
}

/// Removes control characters from all texts.
fn visible_document(mut document: Document) -> Document {
    document.title.iter_mut().for_each(make_visible);
    for item in &mut document.items {
        let Item { guid, title, text, authors, tags, source, .. } = item;
        *guid = guid.take().and_then(|guid| usable_guid(&guid));
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
