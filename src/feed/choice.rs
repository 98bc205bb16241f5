//! Chooses between two readers of XML feeds: feed-rs, and the forgiving reader of this room, which
//! reads what feed-rs refuses or leaves out.

use url::Url;

use crate::feed::document::{Document, DocumentEnd, Item, MOST_ITEMS, NoFeed};
use crate::feed::tag::{is_item, local, name};
use crate::feed::{hints, standard, xml};

/// Reads an XML feed that came from `base`. The second reader runs only if the first may have
/// missed something.
pub(super) fn read_xml_feed(text: &str, base: &Url) -> Result<Document, NoFeed> {
    let document = match standard::read_with_feed_rs(text, base) {
        Some(first) if is_closed(text) && is_whole(&first, &find_signs(text)) => Ok(first),
        first => choose(first, xml::read_tokens(text, base)),
    };
    document.map(|document| Document { hints: hints::read_hints(text), ..document })
}

/// Whether the first element of `text` is closed after its last item. This is a sign and no proof,
/// because the tag may stand in a comment.
fn is_closed(text: &str) -> bool {
    let opens = |tag: &&str| tag.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let Some(root) = text.split('<').skip(1).find(opens).map(name) else { return false };
    let is_end =
        |name: &str| name.strip_prefix('/').is_some_and(|name| name.eq_ignore_ascii_case(root));
    let is_start = |name: &str| !name.starts_with('/') && is_item(name);
    text.rsplit('<').map(name).find(|name| is_start(name) || is_end(name)).is_some_and(is_end)
}

/// Whether a document has an item for each item tag in its text, and every part of them in which
/// the readers can differ. feed-rs does not read the sources of RSS.
fn is_whole(document: &Document, signs: &Signs) -> bool {
    let is_full = |item: &Item| {
        let is_complete =
            !item.title.is_empty() && !item.text.is_empty() && item.published.is_some();
        let is_addressed = item.guid.is_some() && item.link.is_some();
        let is_credited = !signs.authors || !item.authors.is_empty();
        let is_sorted =
            (!signs.tags || !item.tags.is_empty()) && (signs.languages == 0 || item.lang.is_some());
        is_complete && is_addressed && is_credited && is_sorted
    };
    let has_all = !document.items.is_empty() && document.items.len() >= signs.items;
    // feed-rs does not read the language of every item.
    let is_of_one_language = signs.languages < 2;
    has_all && is_of_one_language && !signs.sources && document.items.iter().all(is_full)
}

/// The first result with its gaps filled, if it has as many items as the second; else the second.
fn choose(first: Option<Document>, second: Result<Document, NoFeed>) -> Result<Document, NoFeed> {
    match (first, second) {
        (Some(first), Ok(second)) if first.items.len() == second.items.len() => {
            Ok(fill_gaps(first, second))
        }
        (Some(first), Ok(second)) if first.items.len() > second.items.len() => {
            Ok(Document { end: second.end, ..first })
        }
        (Some(first), Err(_)) if !first.items.is_empty() => {
            Ok(Document { end: DocumentEnd::BetweenItems, ..first })
        }
        (_, second) => second,
    }
}

/// `first`, with the values that only `second` has for the same items.
fn fill_gaps(mut first: Document, second: Document) -> Document {
    first.title = first.title.or(second.title);
    first.end = second.end;
    for (item, other) in first.items.iter_mut().zip(second.items) {
        if item.guid.is_none() || item.guid == other.guid {
            fill(item, other);
        }
    }
    first
}

fn fill(item: &mut Item, other: Item) {
    item.guid = item.guid.take().or(other.guid);
    item.link = item.link.take().or(other.link);
    item.published = item.published.or(other.published);
    item.lang = other.lang.or(item.lang.take());
    item.source = item.source.take().or(other.source);
    if item.title.is_empty() {
        item.title = other.title;
    }
    if item.text.is_empty() {
        (item.text, item.is_content) = (other.text, other.is_content);
    }
    if item.authors.is_empty() {
        item.authors = other.authors;
    }
    if item.tags.is_empty() {
        item.tags = other.tags;
    }
}

/// Counts and flags of the tags that a text opens.
#[derive(Debug, Default, PartialEq, Eq)]
struct Signs {
    /// The number of items; at most [`MOST_ITEMS`].
    items: usize,
    /// Whether there is a tag that may name an author.
    authors: bool,
    /// Whether there is a tag that may be a category.
    tags: bool,
    /// The number of tags and attributes that may be a language.
    languages: usize,
    /// Whether there is a tag that may be an item's source.
    sources: bool,
}

/// Counts the tags of `text`, in any prefix and case. Tags in comments count too, which only makes
/// the second reader run.
fn find_signs(text: &str) -> Signs {
    let mut signs = Signs::default();
    for tag in text.split('<').skip(1).filter(|tag| !tag.starts_with('/')) {
        let name = local(name(tag));
        let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_item(name) {
            signs.items = MOST_ITEMS.min(signs.items + 1);
        }
        signs.authors |= is(&["author", "creator"]);
        signs.tags |= is(&["category", "subject"]);
        signs.languages += usize::from(is(&["language"]));
        signs.sources |= is(&["source", "publisher", "credit", "publicationname"]);
    }
    signs.languages += text.matches("xml:lang").take(2).count();
    signs
}

#[cfg(test)]
mod tests;
