//! Tests of feeds that receive stories.

use super::*;

#[test]
fn a_feed_with_from_is_not_polled_and_rules_may_name_it() {
    let config = sound(&with(
        "feeds: [https://example.org/feed, {name: telegram, from: ingest, tags: [social, b]}]",
    ));
    assert_eq!(config.feeds.len(), 1);
    let named: Vec<&str> = config.feed_names().map(|name| name.0.as_str()).collect();
    assert_eq!(named, ["https://example.org/feed", "telegram"]);
    let tags: Vec<usize> = config.feed_tags().map(|(_, tags)| tags.len()).collect();
    assert_eq!(tags, [0, 2]);
    let alone = sound(&with("feeds: [{name: telegram, from: ingest}]"));
    assert_eq!((alone.feeds.len(), alone.receiving.len()), (0, 1));
}

#[test]
fn a_feed_with_from_has_a_name_of_its_own_and_no_settings_of_polls() {
    for (feeds, said) in [
        ("{from: ingst, name: a}", "did you mean `ingest`?"),
        ("{from: ingest}", "`name`"),
        ("{from: ingest, name: tag:d}", "cannot begin with `tag:`"),
        ("{from: ingest, name: a, every: 1h}", "`every` is a setting of a polled feed"),
        ("{from: ingest, name: a, url: https://example.org/a}", "`url` is a setting of a polled"),
        ("{from: ingest, name: a, colour: red}", "colour"),
        ("{from: ingest, name: a}, {from: ingest, name: a}", "has the name `a`, too"),
        ("{from: ingest, name: a}, {url: https://example.org/a, name: a}", "the name `a`, too"),
    ] {
        let (config, faults) = read(&with(&format!("feeds: [{feeds}]")));
        assert!(config.is_none() && faults.contains(said), "{feeds}: {faults}");
        assert_eq!(faults.matches("error:").count(), 1, "{feeds}: {faults}");
    }
}
