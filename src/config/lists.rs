//! Reads feeds from a list of another feed reader: `opml` in `feeds`.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use super::feed_keys::{every, full_text, tags};
use super::reader::ConfigReader;
use super::{FeedConfig, FullText, ReceivingFeed};
use crate::config::listed::Listed;
use crate::files;
use tidings_rules::story::FeedName;
use tidings_rules::yaml::Entries;

/// A list that an entry of `feeds` names, and the entry's settings for all its feeds.
pub(super) struct FeedList {
    listed: Vec<Listed>,
    tags: BTreeSet<String>,
    every: Option<Duration>,
    full_text: FullText,
}

/// Reads an entry with `opml`, and the list that it names.
pub(super) fn read_list(
    mut entries: Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<FeedList> {
    let listed = entries.require("opml", reader.faults).and_then(|node| {
        let path = reader.string(node)?;
        let bytes = reader
            .read_file(&path, files::FEED_LIST)
            .map_err(|why| format!("this list cannot be read: {why}"));
        let listed = bytes.and_then(|bytes| (reader.list)(&bytes));
        let help = "write the path of an OPML file, relative to this configuration";
        listed.map_err(|why| reader.error(node, why, help)).ok()
    });
    let tags = entries.get("tags").map_or_else(|| Some(BTreeSet::new()), |node| tags(node, reader));
    // A list holds feeds of many hosts, so none counts as the user's own.
    let every =
        entries.get("every").map_or(Some(None), |node| every(node, Some(false), reader).map(Some));
    let full_text = entries
        .get("full_text")
        .map_or_else(|| Some(FullText::default()), |node| full_text(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    Some(FeedList { listed: listed?, tags: tags?, every: every?, full_text: full_text? })
}

/// Adds the feeds of `list` that `feeds` lacks, under names that no other feed has.
pub(super) fn add_unlisted(
    feeds: &mut Vec<FeedConfig>,
    receiving: &[ReceivingFeed],
    list: FeedList,
) {
    let mut more = named(list.listed, feeds, receiving);
    for feed in &mut more {
        feed.tags.extend(list.tags.iter().cloned());
        feed.every = list.every;
        feed.full_text = list.full_text;
    }
    feeds.extend(more);
}

/// The listed feeds whose address `known` lacks. Each has a unique name: its title, or its address
/// if the title is taken.
#[must_use]
pub fn named(
    listed: Vec<Listed>,
    known: &[FeedConfig],
    receiving: &[ReceivingFeed],
) -> Vec<FeedConfig> {
    let mut urls: BTreeSet<Url> = known.iter().map(|feed| feed.url.clone()).collect();
    let taken = known.iter().map(|feed| &feed.name);
    let taken = taken.chain(receiving.iter().map(|feed| &feed.name));
    let mut names: BTreeSet<FeedName> = taken.cloned().collect();
    let mut feeds = Vec::new();
    for Listed { url, title, tags } in listed {
        if !urls.insert(url.clone()) {
            continue;
        }
        let title = title.filter(|title| {
            !title.starts_with("tag:") && !names.contains(&FeedName(title.clone()))
        });
        let name = FeedName(title.unwrap_or_else(|| without_password(&url)));
        if names.insert(name.clone()) {
            let tags = tags.into_iter().collect();
            feeds.push(FeedConfig {
                name,
                is_secret: url.password().is_some(),
                url,
                tags,
                every: None,
                full_text: FullText::default(),
                recheck: Vec::new(),
            });
        }
    }
    feeds
}

/// The address without user and password.
fn without_password(url: &Url) -> String {
    let mut url = url.clone();
    url.set_username("").and_then(|()| url.set_password(None)).ok();
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(url: &str, title: &str) -> Listed {
        let title = Some(title.to_owned()).filter(|title| !title.is_empty());
        Listed { url: url.parse().unwrap(), title, tags: vec!["ports".to_owned()] }
    }

    fn names(feeds: &[FeedConfig]) -> Vec<&str> {
        feeds.iter().map(|feed| feed.name.0.as_str()).collect()
    }

    #[test]
    fn every_feed_of_a_list_has_a_name_of_its_own_that_holds_no_password() {
        let list = vec![
            listed("https://a.example/rss", "News"),
            listed("https://b.example/rss", "News"),
            listed("https://ana:word@c.example/rss", ""),
            listed("https://d.example/rss", "tag:wire"),
        ];
        let expected =
            ["News", "https://b.example/rss", "https://c.example/rss", "https://d.example/rss"];
        assert_eq!(names(&named(list, &[], &[])), expected);
    }

    #[test]
    fn what_is_known_by_its_address_is_not_added() {
        let known = named(vec![listed("https://a.example/rss", "News")], &[], &[]);
        let list =
            vec![listed("https://a.example/rss", "Other"), listed("https://b.example/rss", "News")];
        assert_eq!(names(&named(list, &known, &[])), ["https://b.example/rss"]);
    }

    #[test]
    fn a_name_that_a_receiving_feed_has_is_taken() {
        let receiving = [ReceivingFeed { name: FeedName("News".to_owned()), tags: [].into() }];
        let list = vec![listed("https://a.example/rss", "News")];
        assert_eq!(names(&named(list, &[], &receiving)), ["https://a.example/rss"]);
    }
}
