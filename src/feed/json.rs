//! Reads JSON Feed (jsonfeed.org, versions 1 and 1.1). An item that breaks the format is left out,
//! and the others are read.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::feed::document::{Document, DocumentEnd, Item, MOST_ITEMS, NoFeed};
use crate::feed::hints::PollHints;
use crate::markup::date::parse_date;
use crate::markup::link::resolve;
use crate::markup::plain;
use tidings_rules::text::one_line;

#[derive(Deserialize)]
struct JsonFeed {
    version: String,
    title: Option<String>,
    language: Option<String>,
    #[serde(default)]
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct JsonItem {
    #[serde(default)]
    id: Value,
    url: Option<String>,
    external_url: Option<String>,
    title: Option<String>,
    content_html: Option<String>,
    content_text: Option<String>,
    summary: Option<String>,
    date_published: Option<String>,
    date_modified: Option<String>,
    language: Option<String>,
    author: Option<JsonAuthor>,
    authors: Option<Vec<JsonAuthor>>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct JsonAuthor {
    name: Option<String>,
}

/// Reads a JSON Feed.
pub(super) fn parse(text: &str, base: &Url) -> Result<Document, NoFeed> {
    let (feed, end) = read_json(text)
        .map_err(|error| NoFeed(format!("this is JSON, but not a readable feed: {error}")))?;
    if !feed.version.contains("jsonfeed.org/version/") {
        return Err(NoFeed("this is JSON, but not a JSON Feed".to_owned()));
    }
    let (all, lang) = (feed.items.len(), feed.language.as_deref());
    let entries = feed
        .items
        .into_iter()
        .take(MOST_ITEMS)
        .filter_map(|entry| JsonItem::deserialize(entry).ok());
    let items: Vec<Item> = entries.map(|entry| item(entry, base, lang)).collect();
    if items.is_empty() && all > 0 {
        return Err(NoFeed(format!(
            "the JSON Feed is damaged: none of its {all} items can be read"
        )));
    }
    Ok(Document {
        title: feed.title.map(|title| one_line(&title)).filter(|title| !title.is_empty()),
        hints: PollHints::default(),
        items,
        end,
    })
}

/// Reads a feed. A truncated feed is read up to its last whole item.
fn read_json(text: &str) -> Result<(JsonFeed, DocumentEnd), serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(feed) => Ok((feed, DocumentEnd::Whole)),
        Err(why) if why.is_eof() => {
            let cut = text[..last_whole_item(text)].to_owned() + "]}";
            serde_json::from_str(&cut)
                .map(|feed| (feed, DocumentEnd::BetweenItems))
                .map_err(|_| why)
        }
        Err(why) => Err(why),
    }
}

/// The end of the last complete object in an array of the outermost object; 0 if there is none.
fn last_whole_item(text: &str) -> usize {
    let (mut depth, mut end) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if byte == b'}' && depth == 2 {
                    end = at + 1;
                }
            }
            _ => {}
        }
    }
    end
}

fn item(entry: JsonItem, base: &Url, lang: Option<&str>) -> Item {
    let content = entry
        .content_html
        .map(|html| plain::from_markup(&html))
        .or_else(|| entry.content_text.map(|text| plain::from_text(&text)))
        .filter(|text| !text.is_empty());
    let authors = entry.authors.unwrap_or_default().into_iter().chain(entry.author);
    Item {
        guid: id(entry.id),
        link: entry.url.or(entry.external_url).and_then(|link| resolve(&link, base)),
        title: one_line(&entry.title.unwrap_or_default()),
        is_content: content.is_some(),
        text: content.unwrap_or_else(|| plain::from_text(&entry.summary.unwrap_or_default())),
        published: entry.date_published.or(entry.date_modified).and_then(|date| parse_date(&date)),
        lang: entry.language.or_else(|| lang.map(ToOwned::to_owned)),
        authors: authors.filter_map(|author| author.name).collect(),
        tags: entry.tags.unwrap_or_default(),
        source: None,
    }
}

/// An id as text. The format asks readers to accept numbers as ids.
fn id(id: Value) -> Option<String> {
    match id {
        Value::String(id) => Some(id.trim().to_owned()).filter(|id| !id.is_empty()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Document, NoFeed> {
        parse(text, &"https://example.org/feed.json".parse().unwrap())
    }

    #[test]
    fn a_json_feed_is_read() {
        let document = read(
            r#"{"version": "https://jsonfeed.org/version/1.1", "title": "Wire", "language": "en", "items": [
                {"id": 7, "url": "/a", "title": "A < B", "content_html": "<p>x</p><p>y</p>", "date_published": "2024-05-01T12:00:00+02:00",
                 "authors": [{"name": "Ana"}, {"url": "x"}], "tags": ["korea"]},
                {"id": " ", "external_url": "https://other.example/b", "summary": "Short.", "author": {"name": "Bo"}}]}"#,
        )
        .unwrap();
        assert_eq!(document.title.as_deref(), Some("Wire"));
        let [a, b] = &document.items[..] else { panic!("two items") };
        assert_eq!(
            (a.guid.as_deref(), a.title.as_str(), a.text.as_str()),
            (Some("7"), "A < B", "x\n\ny")
        );
        assert_eq!(a.link.as_ref().map(Url::as_str), Some("https://example.org/a"));
        assert_eq!(a.published, Some("2024-05-01T10:00:00Z".parse().unwrap()));
        assert_eq!(
            (&a.authors[..], &a.tags[..]),
            (&["Ana".to_owned()][..], &["korea".to_owned()][..])
        );
        assert_eq!((b.guid.as_deref(), b.text.as_str(), b.is_content), (None, "Short.", false));
        assert_eq!((b.lang.as_deref(), &b.authors[..]), (Some("en"), &["Bo".to_owned()][..]));
    }

    #[test]
    fn an_item_that_breaks_the_format_costs_no_other() {
        let feed = |items: &str| {
            read(&format!(r#"{{"version": "https://jsonfeed.org/version/1", "items": [{items}]}}"#))
        };
        assert_eq!(feed(r#"{"id": "a", "title": 7}, {"id": "b"}, null"#).unwrap().items.len(), 1);
        assert_eq!(
            feed(r#"{"title": 7}, 1"#).unwrap_err().to_string(),
            "the JSON Feed is damaged: none of its 2 items can be read"
        );
        assert_eq!(feed("").unwrap().items.len(), 0);
    }

    #[test]
    fn a_feed_that_breaks_off_is_read_up_to_its_last_whole_item() {
        let whole = r#"{"version": "https://jsonfeed.org/version/1", "title": "[{\"", "items": [
            {"id": "a", "title": "A } ]", "tags": ["x"], "author": {"name": "Ana"}}, {"id": "b", "title": "B \\"}]}"#;
        assert_eq!(read(whole).unwrap().end, DocumentEnd::Whole);
        let items = |cut: usize| {
            read(&whole[..cut]).map(|document| (document.items.len(), document.end)).ok()
        };
        let ends: Vec<usize> = whole.match_indices('}').map(|(at, _)| at + 1).collect();
        let [_, _, a, b, _] = ends[..] else { panic!("{ends:?}") };
        for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            let expected =
                (cut >= a).then_some((1 + usize::from(cut >= b), DocumentEnd::BetweenItems));
            assert_eq!(items(cut), expected, "{}", &whole[..cut]);
        }
    }

    #[test]
    fn other_json_is_no_feed() {
        for text in ["{}", "{\"version\": \"1\"}", "{\"version\": ", &"[".repeat(100_000)] {
            assert!(read(text).is_err());
        }
    }
}
