//! Makes a story of what a line gives, as of a feed's item.

use jiff::Timestamp;
use url::Url;

use super::line::StoryLine;
use super::receivers::ReceivingFeeds;
use crate::article;
use crate::feed::bounded::usable_guid;
use crate::feed::document::Item;
use crate::feed::identity::ArrivedItem;
use crate::markup::plain;
use crate::store::ReceivedStory;
use tidings_rules::story::Story;
use tidings_rules::text::{one_line, visible};

/// The story of a line that was read at `now`. Its texts may be markup, as those of feeds.
///
/// # Errors
/// Why it is not received, in words.
pub(super) fn received_story(
    given: &StoryLine,
    feeds: &ReceivingFeeds,
    now: Timestamp,
) -> Result<ReceivedStory, String> {
    let feed = feeds.find(given.feed.as_deref()).map_err(|why| why.0)?;
    let link = given.url.as_deref().and_then(not_blank).map(web_address).transpose()?;
    let title = clean_line(&plain::from_either(&given.title));
    let text = visible(&plain::from_either(&given.body)).into_owned();
    if title.is_empty() && text.is_empty() {
        return Err("this story has neither a headline nor a text".to_owned());
    }
    let lang = article::stated_language(given.lang.as_deref(), &title, &text);
    let item = Item {
        guid: given.id.as_deref().and_then(not_blank).and_then(usable_guid),
        link,
        title,
        text,
        is_content: true,
        published: given.published,
        lang,
        authors: names(&given.authors),
        tags: names(&given.tags),
        source: given.source.as_deref().map(clean_line).filter(|source| !source.is_empty()),
    };
    let identity = ArrivedItem::new(&item);
    let story = Story {
        title: item.title,
        body: item.text,
        url: item.link.map(String::from),
        published: item.published,
        first_seen: now,
        lang: item.lang,
        authors: item.authors,
        tags: item.tags,
        source: item.source,
    };
    Ok(ReceivedStory { feed, identity, id: item.guid, story })
}

fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "`url` is not a web address".to_owned())
}

fn not_blank(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn names(names: &[String]) -> Vec<String> {
    names.iter().map(|name| clean_line(name)).filter(|name| !name.is_empty()).collect()
}

/// One line without control characters.
fn clean_line(text: &str) -> String {
    one_line(&visible(text))
}

#[cfg(test)]
mod tests {
    use super::super::receivers::tests::feeds;
    use super::*;

    fn received(keys: &str) -> Result<ReceivedStory, String> {
        let line = format!(r#"{{"feed": "telegram", "title": "", "body": "", {keys}}}"#);
        let line = line.replacen(r#""title": "", "#, "", usize::from(keys.contains("\"title\"")));
        let line = line.replacen(r#""body": "", "#, "", usize::from(keys.contains("\"body\"")));
        let line = StoryLine::parse(line.as_bytes()).unwrap();
        received_story(&line, &feeds(None), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn texts_are_read_as_those_of_feeds() {
        let found = received(
            r#""title": "A\u202e <b>bold</b>\n headline", "body": "<p>One &amp; two.</p><p>Three.</p>",
               "id": " 7 ", "url": " https://t.example/7?utm_source=x ", "authors": "Ana", "tags": ["ports", " "],
               "lang": "de", "source": "", "published": "2026-11-24T10:30:00Z""#,
        )
        .unwrap();
        let story = &found.story;
        assert_eq!(
            (story.title.as_str(), story.body.as_str()),
            ("A bold headline", "One & two.\n\nThree.")
        );
        assert_eq!((found.id.as_deref(), found.identity.key.0.as_str()), (Some("7"), "guid 7"));
        assert_eq!(story.url.as_deref(), Some("https://t.example/7?utm_source=x"));
        assert_eq!(found.identity.link.as_deref(), Some("https://t.example/7"));
        assert_eq!(
            (&story.authors[..], &story.tags[..]),
            (&["Ana".to_owned()][..], &["ports".to_owned()][..])
        );
        assert_eq!((story.lang.as_deref(), &story.source), (Some("de"), &None));
        assert_eq!(story.first_seen, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_story_of_words_alone_is_received_and_one_without_words_is_not() {
        let found = received(r#""body": "Freight doubles.", "url": "", "id": null"#).unwrap();
        assert!(found.identity.key.0.starts_with("text "));
        assert_eq!(
            received(r#""title": "Freight doubles""#).unwrap().story.title,
            "Freight doubles"
        );
        let why = received(r#""title": " ", "body": "<p></p>""#).unwrap_err();
        assert!(why.contains("neither a headline nor a text"), "{why}");
    }

    #[test]
    fn what_is_no_address_of_a_page_is_refused() {
        for url in ["t.example/7", "file:///etc/passwd", "javascript:alert(1)"] {
            let why = received(&format!(r#""title": "a", "url": "{url}""#)).unwrap_err();
            assert_eq!(why, "`url` is not a web address");
        }
    }
}
