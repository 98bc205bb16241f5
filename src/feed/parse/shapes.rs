//! Tests with feeds in the shape of well-known publishers. Their content is invented.

use std::fmt::Write;

use super::parse;
use crate::feed::document::{Document, Item};

const FEEDS: [(&str, &[u8]); 12] = [
    ("google_news", include_bytes!("tests/google_news.xml")),
    ("google_alerts", include_bytes!("tests/google_alerts.xml")),
    ("podcast", include_bytes!("tests/podcast.xml")),
    ("youtube", include_bytes!("tests/youtube.xml")),
    ("reddit", include_bytes!("tests/reddit.xml")),
    ("arxiv", include_bytes!("tests/arxiv.xml")),
    ("government", include_bytes!("tests/government.xml")),
    ("mastodon", include_bytes!("tests/mastodon.xml")),
    ("rss11", include_bytes!("tests/rss11.xml")),
    ("cdf", include_bytes!("tests/cdf.xml")),
    ("atom03", include_bytes!("tests/atom03.xml")),
    ("damaged", include_bytes!("tests/damaged.xml")),
];

/// Writes one fact on each line, so that each change is visible.
fn describe(document: &Document) -> String {
    let Document { title, hints, items, end: _ } = document;
    items
        .iter()
        .fold(format!("{title:?} {:?}\n", hints.interval), |all, item| all + &describe_item(item))
}

fn describe_item(item: &Item) -> String {
    let Item { guid, link, title, text, is_content, published, lang, authors, tags, source } = item;
    let mut lines = format!("\n{title}\n");
    let link = link.as_ref().map(url::Url::as_str);
    let published = published.map(|time| time.to_string());
    let _ = writeln!(lines, "  guid {guid:?}\n  link {link:?}\n  published {published:?}");
    let _ = writeln!(
        lines,
        "  lang {lang:?} authors {authors:?} tags {tags:?} source {source:?}\n  content {is_content} {text:?}"
    );
    lines
}

#[test]
fn feeds_of_many_shapes_are_read() {
    let base = "https://ports.example/news/feed.xml".parse().expect("an address");
    for (name, bytes) in FEEDS {
        let document = parse(bytes, None, &base).expect("a feed");
        insta::assert_snapshot!(name, describe(&document));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..Default::default() })]

    #[test]
    fn damage_costs_no_more_than_what_it_hits(
        which in 0..FEEDS.len(),
        cut in 0..4000_usize,
        changes in proptest::collection::vec((0..4000_usize, proptest::sample::select(b"<>&;'\"/![]-x \xff\0".as_slice())), 0..6),
    ) {
        let base = "https://ports.example/news/feed.xml".parse().expect("an address");
        let whole = FEEDS[which].1;
        let shortened = &whole[..whole.len() - cut % whole.len()];
        if let Ok(document) = parse(shortened, None, &base) {
            let items = parse(whole, None, &base).expect("a feed").items;
            let (last, before) = document.items.split_last().map_or((None, &[][..]), |(last, before)| (Some(last), before));
            proptest::prop_assert!(last.is_none() || document.items.len() <= items.len());
            proptest::prop_assert!(before.iter().zip(&items).all(|(found, item)| found.guid == item.guid && found.link == item.link));
        }
        let mut changed = shortened.to_vec();
        for (at, byte) in changes {
            let at = at % changed.len();
            changed[at] = byte;
        }
        if let Err(why) = parse(&changed, None, &base) {
            proptest::prop_assert!(!why.to_string().is_empty());
        }
    }
}
