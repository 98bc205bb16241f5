//! Tests of reading whole documents.

use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::feed::document::MOST_ITEMS;

fn read(text: &str) -> Result<Document, NoFeed> {
    parse(text.as_bytes(), None, &"https://example.org/news/feed.xml".parse().unwrap())
}

fn rss(items: &str) -> String {
    format!(
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:media='http://search.yahoo.com/mrss/'><channel><title>Wire</title>{items}</channel></rss>"
    )
}

fn only(text: &str) -> Item {
    let mut items = read(text).unwrap().items;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

#[test]
fn an_rss_item_is_read_whole() {
    let item = only(&rss(
        "<language>en-GB</language><ttl>60</ttl><item><guid isPermaLink='false'> g1 </guid><link>/a?x=1&amp;y=2</link>
        <title>R&amp;amp;D &lt;b&gt;bold&lt;/b&gt;\nnews</title><description>short</description>
        <content:encoded><![CDATA[<p>One.</p><p>Two.</p>]]></content:encoded>
        <author>ana@example.org (Ana)</author><category>korea</category><category>korea</category>
        <source url='https://gazette.example/'>The &amp;
 Gazette</source>
        <pubDate>Wed, 01 May 2024 12:00:00 +0200</pubDate></item>",
    ));
    let expected = Item {
        guid: Some("g1".to_owned()),
        link: Some("https://example.org/a?x=1&y=2".parse().unwrap()),
        title: "R&D bold news".to_owned(),
        text: "One.\n\nTwo.".to_owned(),
        is_content: true,
        published: Some("2024-05-01T10:00:00Z".parse().unwrap()),
        lang: Some("en-gb".to_owned()),
        authors: vec!["Ana".to_owned()],
        tags: vec!["korea".to_owned()],
        source: Some("The & Gazette".to_owned()),
    };
    assert_eq!(item, expected);
}

#[test]
fn an_atom_entry_is_read_whole() {
    let item = only(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de' xml:base='https://other.example/x/'><entry>
        <id>urn:1</id><link rel='self' href='s'/><link href='a'/><title>A &lt; B</title>
        <summary type='html'>&lt;p&gt;Sum &amp;amp; more.&lt;/p&gt;</summary>
        <source><id>urn:2</id><title>Planet</title></source><author><name>Bo</name></author><category term='k' label='Korea'/><updated>2024-05-01T12:00:00Z</updated></entry></feed>",
    );
    assert_eq!(item.link.unwrap().as_str(), "https://other.example/x/a");
    assert_eq!(
        (item.guid.as_deref(), item.title.as_str(), item.text.as_str()),
        (Some("urn:1"), "A < B", "Sum & more.")
    );
    assert_eq!((item.is_content, item.lang.as_deref()), (false, Some("de")));
    assert_eq!((item.authors, item.tags), (vec!["Bo".to_owned()], vec!["Korea".to_owned()]));
    assert_eq!(item.published, Some("2024-05-01T12:00:00Z".parse().unwrap()));
}

#[test]
fn an_item_without_guid_gets_none() {
    let bare = rss("<item><title>x</title></item>");
    assert_eq!(only(&bare).guid, None);
    assert_eq!(read(&bare), read(&bare));
    assert_eq!(
        only(&rss("<item><title>x</title><link>http://a.example/</link></item>")).guid,
        None
    );
    assert_eq!(only(&rss("<item><title>x</title><guid> </guid></item>")).guid, None);
}

#[test]
fn a_guid_that_is_an_address_stands_in_for_a_link() {
    let item = only(&rss("<item><guid>https://a.example/1</guid></item>"));
    assert_eq!(item.link.unwrap().as_str(), "https://a.example/1");
}

#[rstest]
#[case("javascript:alert(1)")]
#[case("file:///etc/passwd")]
#[case("mailto:a@example.org")]
#[case("http://")]
fn links_that_are_no_pages_are_dropped(#[case] link: &str) {
    assert_eq!(only(&rss(&format!("<item><link>{link}</link></item>"))).link, None);
}

#[test]
fn what_a_feed_asks_of_its_readers_is_read_whichever_reader_is_believed() {
    let asks = "<ttl>60</ttl><skipDays><day>Sunday</day></skipDays>";
    for text in [rss(asks), rss(&format!("{asks}<item><title>never closed"))] {
        let hints = read(&text).unwrap().hints;
        assert_eq!(hints.interval, Some(Duration::from_hours(1)), "{text}");
        assert!(hints.pauses.end("2024-05-05T12:00:00Z".parse().unwrap()).is_some(), "{text}");
    }
}

#[test]
fn an_empty_feed_is_sound() {
    let document = read(&rss("")).unwrap();
    assert_eq!((document.title.as_deref(), document.items.len()), (Some("Wire"), 0));
}

#[rstest]
#[case("\n \u{feff}<?xml version='1.0' encoding='utf-16'?>\n{}")]
#[case("PHP warning: 1 < 2\n{}")]
#[case("<?xml version='1.0' encoding='no-such'?>{}")]
fn damage_before_the_root_is_forgiven(#[case] frame: &str) {
    let whole = frame.replace("{}", &rss("<item><title>a\u{8}b & c &nbsp;d</title></item>"));
    assert_eq!(only(&whole).title, "ab & c d");
}

#[rstest]
#[case("0.93")]
#[case("2.0.1")]
#[case("0.91")]
fn every_version_of_rss_is_read(#[case] version: &str) {
    let whole = rss("<item><guid>g</guid></item>").replace("'2.0'", &format!("'{version}'"));
    assert_eq!(only(&whole).guid.as_deref(), Some("g"));
}

#[rstest]
#[case("", "the answer is empty")]
#[case("Not found", "this is not a feed, and neither XML nor JSON")]
#[case("<!doctype html><title>x</title>", "this is a web page, not a feed")]
#[case(
    "<html><link rel=alternate type=application/rss+xml href=/rss>",
    "this is a web page, not a feed; the page names https://example.org/rss as its feed"
)]
#[case("<opml/>", "this XML is not a feed: its first element is <opml>")]
fn what_is_no_feed_says_so(#[case] text: &str, #[case] message: &str) {
    assert_eq!(read(text).unwrap_err().to_string(), message);
}

#[test]
fn damage_with_no_entry_is_an_error() {
    assert!(read("<rss version='2.0'><channel><title>x</title>").is_err());
    assert!(read("<rss version='2.0'><channel><title>x</chan").is_err());
}

#[test]
fn depth_does_no_harm() {
    for element in ["media:group", "media:content", "b", "description", "source", "author", "item"]
    {
        let deep =
            format!("<item><title>t</title>{}</item>", format!("<{element}>").repeat(20_000));
        assert_eq!(read(&rss(&deep)).unwrap().items[0].title, "t", "{element}");
    }
    let hidden = rss(&format!("<item><title><![CDATA[{}x]]></title></item>", "<b>".repeat(20_000)));
    assert_eq!(only(&hidden).title, "x");
}

#[test]
fn depth_in_json_does_no_harm() {
    let base = "https://example.org/feed.json".parse().unwrap();
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let deep = |times: usize| open.repeat(times) + "1" + &close.repeat(times);
        for times in [10, 10_000, 200_000] {
            for shape in [
                "\"items\": [{\"id\": 1, \"x\": DEEP}]",
                "\"x\": DEEP, \"items\": []",
                "\"items\": DEEP",
            ] {
                let feed = format!(
                    "{{\"version\": \"https://jsonfeed.org/version/1\", {}}}",
                    shape.replace("DEEP", &deep(times))
                );
                let _ = parse(feed.as_bytes(), None, &base);
                let _ = parse(&feed.as_bytes()[..feed.len() / 2], None, &base);
            }
        }
    }
}

/// `PostgreSQL` stores no U+0000.
#[test]
fn a_guid_has_no_nul() {
    let guids = |id: &str| {
        let feed = format!(
            r#"{{"version": "https://jsonfeed.org/version/1", "items": [{{"id": "{id}", "title": "x"}}]}}"#
        );
        only(&feed).guid
    };
    assert_eq!(guids(r"a\u0000b"), Some("ab".to_owned()));
    assert_eq!(guids(r"\u0000"), None);
}

#[test]
fn no_more_than_ten_thousand_items_are_taken() {
    let many = rss(&"<item><title>x</title></item>".repeat(MOST_ITEMS + 1));
    assert_eq!(read(&many).unwrap().items.len(), MOST_ITEMS);
}

#[test]
fn what_never_ends_is_read_to_the_end() {
    // Repeated so often that quadratic work would take minutes.
    let endlessly = |text: &str| text.repeat((1 << 16) / text.len());
    for endless in [
        endlessly("a"),
        endlessly("<"),
        endlessly("&"),
        endlessly("&a"),
        endlessly("<!--"),
        endlessly("<![CDATA["),
        endlessly("<!DOCTYPE ["),
        endlessly("<item "),
        endlessly("<a b='"),
        endlessly("<category>"),
        endlessly("<x xmlns:y='http://purl.org/dc/'>"),
        endlessly("<channel xml:base='aaaa/'>"),
        endlessly("<link xml:base='a/' href='b'/>"),
    ] {
        let whole = rss(&format!("<item><title>t</title></item><item><description>{endless}"));
        let first = read(&whole).unwrap().items.remove(0);
        assert_eq!(first.title, "t", "{}", &endless[..8]);
    }
}
