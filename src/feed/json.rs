//! Reads JSON Feed (jsonfeed.org, versions 1 and 1.1). A part of an item that breaks the format is
//! left out, and the others are read.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::feed::document::{Document, DocumentEnd, Item, MOST_ITEMS, NoFeed};
use crate::feed::hints::PollHints;
use crate::feed::publisher::own_text;
use crate::markup::date::parse_date;
use crate::markup::link::resolve;
use crate::markup::plain;
use tidings_rules::text::one_line;

#[derive(Deserialize)]
struct JsonFeed {
    version: String,
    #[serde(default)]
    title: Value,
    #[serde(default)]
    language: Value,
    #[serde(default)]
    items: Vec<Value>,
}

/// Reads a JSON Feed.
pub(super) fn parse(text: &str, base: &Url) -> Result<Document, NoFeed> {
    let (feed, end) = read_json(text)
        .map_err(|error| NoFeed(format!("this is JSON, but not a readable feed: {error}")))?;
    if !feed.version.contains("jsonfeed.org/version/") {
        return Err(NoFeed("this is JSON, but not a JSON Feed".to_owned()));
    }
    let (all, lang) = (feed.items.len(), text_of(&feed.language));
    let entries = feed.items.iter().take(MOST_ITEMS).filter_map(Value::as_object);
    let items: Vec<Item> = entries.filter_map(|entry| item(entry, base, lang.as_deref())).collect();
    if items.is_empty() && all > 0 {
        return Err(NoFeed(format!(
            "the JSON Feed is damaged: none of its {all} items can be read"
        )));
    }
    Ok(Document {
        title: text_of(&feed.title).map(|title| one_line(&title)).filter(|title| !title.is_empty()),
        hints: PollHints::default(),
        items,
        end,
    })
}

/// Reads a feed. A truncated feed is read up to its last whole item.
fn read_json(text: &str) -> Result<(JsonFeed, DocumentEnd), serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(feed) => Ok((feed, DocumentEnd::Whole)),
        // Line breaks in strings: the format forbids them, and publishers write them.
        Err(why) if why.is_syntax() && text.contains(is_bare_control) => {
            read_json(&text.replace(is_bare_control, " ")).map_err(|_| why)
        }
        Err(why) if why.is_eof() => {
            let cut = text[..last_whole_item(text)].to_owned() + "]}";
            serde_json::from_str(&cut)
                .map(|feed| (feed, DocumentEnd::BetweenItems))
                .map_err(|_| why)
        }
        Err(why) => Err(why),
    }
}

fn is_bare_control(c: char) -> bool {
    c < ' '
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

/// The item that an entry has. A part that breaks the format is left out. `None` if no part is
/// left.
fn item(entry: &Map<String, Value>, base: &Url, lang: Option<&str>) -> Option<Item> {
    let part = |name: &str| entry.get(name).and_then(text_of);
    let title = one_line(&plain::from_either(&part("title").unwrap_or_default()));
    let content = part("content_html")
        .map(|html| own_text(&html, &title))
        .or_else(|| part("content_text").map(|text| plain::from_text(&text)))
        .filter(|text| !text.is_empty());
    let date = |name: &str| part(name).and_then(|date| parse_date(&date));
    let authors = ["authors", "author"].into_iter().filter_map(|name| entry.get(name));
    let mut links = ["url", "external_url"].into_iter().filter_map(part);
    let item = Item {
        guid: part("id").map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
        link: links.find_map(|link| resolve(&link, base)).or_else(|| recording(entry, base)),
        is_content: content.is_some(),
        text: content.unwrap_or_else(|| plain::from_either(&part("summary").unwrap_or_default())),
        title,
        published: date("date_published").or_else(|| date("date_modified")),
        lang: part("language").or_else(|| lang.map(ToOwned::to_owned)),
        authors: authors.flat_map(each).filter_map(author).collect(),
        tags: entry.get("tags").map(tags).unwrap_or_default(),
        source: None,
    };
    let is_something = item.guid.is_some() || item.link.is_some();
    (is_something || !item.title.is_empty() || !item.text.is_empty()).then_some(item)
}

/// A text, or a number or a list's first text in its place.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => list.first().filter(|first| !first.is_array()).and_then(text_of),
        _ => None,
    }
}

/// The elements of a list, or the one value that stands in its place.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        one => std::slice::from_ref(one),
    }
}

/// The name of an author, who should be an object and may be a text.
fn author(value: &Value) -> Option<String> {
    let name = value.get("name").unwrap_or(value);
    text_of(name).map(|name| one_line(&name)).filter(|name| !name.is_empty())
}

/// The tags, which should be a list and may be one text.
fn tags(value: &Value) -> Vec<String> {
    let tags = match value {
        Value::String(all) => all.split(',').map(ToOwned::to_owned).collect(),
        value => each(value).iter().filter_map(text_of).collect::<Vec<_>>(),
    };
    tags.iter().map(|tag| one_line(tag)).filter(|tag| !tag.is_empty()).collect()
}

/// The address of the first attachment.
fn recording(entry: &Map<String, Value>, base: &Url) -> Option<Url> {
    let first = entry.get("attachments").map(each)?.first()?;
    first.get("url").and_then(text_of).and_then(|url| resolve(&url, base))
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
        assert_eq!(feed(r#"{"id": "a", "title": 7}, {"id": "b"}, null"#).unwrap().items.len(), 2);
        assert_eq!(
            feed(r#"{"title": {}}, 1"#).unwrap_err().to_string(),
            "the JSON Feed is damaged: none of its 2 items can be read"
        );
        assert_eq!(feed("").unwrap().items.len(), 0);
    }

    #[test]
    fn a_part_that_breaks_the_format_costs_no_other_part() {
        let feed = "{\"version\": \"https://jsonfeed.org/version/1\", \"title\": 2026, \"language\": [\"en\"], \"items\": [
            {\"id\": 1, \"title\": 2026, \"authors\": {\"name\": \"Ana\"}, \"author\": \"Bo\", \"tags\": \"a, b\", \"date_published\": 1714564800},
            {\"url\": {}, \"attachments\": [{\"url\": \"/1.mp3\"}], \"authors\": [\"Ana\", {}], \"tags\": [1, {}], \"summary\": [\"one\ntwo\"]}]}";
        let document = read(feed).unwrap();
        assert_eq!(document.title.as_deref(), Some("2026"));
        let [a, b] = &document.items[..] else { panic!("two items") };
        assert_eq!(
            (a.title.as_str(), &a.authors[..]),
            ("2026", &["Ana".to_owned(), "Bo".to_owned()][..])
        );
        assert_eq!(
            (&a.tags[..], a.lang.as_deref()),
            (&["a".to_owned(), "b".to_owned()][..], Some("en"))
        );
        assert_eq!(a.published, Some("2024-05-01T12:00:00Z".parse().unwrap()));
        assert_eq!((b.text.as_str(), &b.tags[..]), ("one two", &["1".to_owned()][..]));
        assert_eq!(b.link.as_ref().map(Url::as_str), Some("https://example.org/1.mp3"));
        assert_eq!(b.authors, ["Ana"]);
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
