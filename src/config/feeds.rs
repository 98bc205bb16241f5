//! Reads the feeds: `feeds`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::feed_keys::{every, full_text, name, tags};
use super::lists::FeedList;
use super::reader::{ConfigReader, Expanded, all};
use super::{FeedConfig, FullText, Network, ReceivingFeed, lists, receiving};
use tidings_rules::fault::Fault;
use tidings_rules::story::FeedName;
use tidings_rules::yaml::{Entries, Node};

/// Keys that belong to a host, for all its feeds and pages.
const OF_HOSTS: [&str; 5] = ["headers", "cookies", "proxy", "user_agent", "http1"];

/// The ages at which a page can be rechecked. Edits of stories are matched for less than a week.
const RECHECK: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(6 * 24);

const MOST_RECHECKS: usize = 2;

const SCHEMES: &str = "an address begins with https://, http:// or file:";

/// Reads `feeds`, a list of addresses and mappings: the feeds that are polled, and those that
/// receive stories. The feeds of OPML lists are last, without those that have an entry of their
/// own. `network` decides which hosts are the user's own. Without it,
/// every host counts as the user's own.
pub(super) fn feeds(
    config: &mut Entries<'_>,
    network: Option<&Network>,
    reader: &mut ConfigReader<'_>,
) -> Option<(Vec<FeedConfig>, Vec<ReceivingFeed>)> {
    let nodes = config.get("feeds").map_or_else(Vec::new, |node| node.items(reader.faults));
    if nodes.is_empty() && config.get("feeds").is_none_or(|node| node.is_list()) {
        let warning = config.node().warning("there are no feeds, so nothing is polled");
        reader.faults.push(warning.help("write `feeds: [https://example.org/feed.xml]`"));
    }
    let mut known = BTreeMap::new();
    let entries: Vec<_> = all(nodes.into_iter().map(|node| {
        if let Some(entries) = entries_with("opml", node, reader) {
            return lists::read_list(entries, reader).map(FeedsEntry::List);
        }
        if let Some(entries) = entries_with("from", node, reader) {
            let (feed, place) = receiving::receiving_feed(entries, reader)?;
            check_unique(&feed.name, place, &mut known, reader);
            return Some(FeedsEntry::Receiving(feed));
        }
        let (feed, place) = feed(node, network, reader)?;
        check_unique(&feed.name, place, &mut known, reader);
        Some(FeedsEntry::Feed(feed))
    }))?;
    let (mut feeds, mut receiving, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            FeedsEntry::Feed(feed) => feeds.push(feed),
            FeedsEntry::Receiving(feed) => receiving.push(feed),
            FeedsEntry::List(list) => lists.push(list),
        }
    }
    for list in lists {
        lists::add_unlisted(&mut feeds, &receiving, list);
    }
    Some((feeds, receiving))
}

/// An entry of `feeds`.
enum FeedsEntry {
    Feed(FeedConfig),
    Receiving(ReceivingFeed),
    List(FeedList),
}

/// The entries of `node`, if it is a mapping with `key`.
fn entries_with<'d>(
    key: &'static str,
    node: Node<'d>,
    reader: &mut ConfigReader<'_>,
) -> Option<Entries<'d>> {
    let mut entries = node.is_mapping().then(|| reader.entries(node)).flatten()?;
    entries.key_span(key).is_some().then_some(entries)
}

fn check_unique<'d>(
    name: &FeedName,
    node: Node<'d>,
    known: &mut BTreeMap<FeedName, Node<'d>>,
    reader: &mut ConfigReader<'_>,
) {
    match known.get(name) {
        None => drop(known.insert(name.clone(), node)),
        Some(first) => {
            let line = first.line();
            let help = "the store identifies a feed by its name: give one of the two another `name`, or remove it";
            reader.error(node, format!("the feed in line {line} has the name `{name}`, too"), help);
        }
    }
}

/// A feed, and the place of its name.
fn feed<'d>(
    node: Node<'d>,
    network: Option<&Network>,
    reader: &mut ConfigReader<'_>,
) -> Option<(FeedConfig, Node<'d>)> {
    if !node.is_mapping() {
        let (url, address) = address(node, reader)?;
        let name = FeedName(default_name(node, &address, reader)?);
        let is_secret = is_secret(&url, &address);
        let (tags, full_text) = (BTreeSet::new(), FullText::default());
        return Some((
            FeedConfig { name, url, is_secret, tags, every: None, full_text, recheck: Vec::new() },
            node,
        ));
    }
    let mut entries = reader.entries(node)?;
    let url_node = entries.require("url", reader.faults);
    let found = url_node.and_then(|node| address(node, reader));
    let name_node = entries.get("name");
    let name = match (name_node, url_node, &found) {
        (Some(node), ..) => name(node, reader),
        (None, Some(node), Some((_, address))) => default_name(node, address, reader),
        _ => None,
    };
    let tags = entries.get("tags").map_or_else(|| Some(BTreeSet::new()), |node| tags(node, reader));
    let own = found.as_ref().zip(network).map(|((url, _), network)| network.owns(url));
    let every = entries.get("every").map_or(Some(None), |node| every(node, own, reader).map(Some));
    let full_text = entries
        .get("full_text")
        .map_or_else(|| Some(FullText::default()), |node| full_text(node, reader));
    let recheck = entries
        .get("recheck")
        .map_or_else(|| Some(Vec::new()), |node| recheck(node, full_text, reader));
    refuse_of_hosts(&mut entries, reader);
    entries.refuse_unknown_keys(reader.faults);
    let (url, address) = found?;
    let is_secret = is_secret(&url, &address);
    let feed = FeedConfig {
        name: FeedName(name?),
        url,
        is_secret,
        tags: tags?,
        every: every?,
        full_text: full_text?,
        recheck: recheck?,
    };
    Some((feed, name_node.or(url_node)?))
}

/// An address (WHATWG URL) that can be polled, and its text. A `file:` address is relative to the
/// configuration's folder.
fn address(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<(Url, Expanded)> {
    let address = reader.expanded(node)?;
    let value = address.value.trim();
    let url = if value.starts_with("file:") { file(value, reader) } else { Url::parse(value) };
    match url {
        Ok(url) if matches!(url.scheme(), "http" | "https") => return Some((url, address)),
        Ok(url) if url.scheme() == "file" && url.to_file_path().is_ok() => {
            return Some((url, address));
        }
        Ok(url) if url.scheme() == "file" => {
            reader.error(node, "this is not a file on this machine", "write file:PATH");
        }
        Ok(_) => reader.error(node, "feeds of this kind cannot be polled", SCHEMES),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            reader.error(node, "this is not an address", SCHEMES);
        }
        Err(why) => reader.error(node, format!("this is not an address: {why}"), SCHEMES),
    }
    None
}

fn file(address: &str, reader: &ConfigReader<'_>) -> Result<Url, url::ParseError> {
    let folder = std::path::absolute(reader.base.join("."))
        .ok()
        .and_then(|base| Url::from_directory_path(base).ok());
    folder.map_or_else(|| Url::parse(address), |folder| folder.join(address))
}

fn is_secret(url: &Url, address: &Expanded) -> bool {
    address.value != address.written.value || url.password().is_some()
}

/// The name of a feed without `name`: its address, with variables not replaced.
fn default_name(
    node: Node<'_>,
    address: &Expanded,
    reader: &mut ConfigReader<'_>,
) -> Option<String> {
    let written = address.written.value.trim();
    if Url::parse(written)
        .is_ok_and(|url| url.password().is_some_and(|password| !password.contains("$%7B")))
    {
        let help = "give the feed a `name`, or write the password as ${NAME} and set that in the environment";
        reader.error(
            node,
            "this address holds a password, and the feed's name would show it",
            help,
        );
        return None;
    }
    Some(written.to_owned())
}

/// The one or two ages at which a page is rechecked. With the first fetch, a page is requested at
/// most three times.
fn recheck(
    node: Node<'_>,
    full_text: Option<FullText>,
    reader: &mut ConfigReader<'_>,
) -> Option<Vec<Duration>> {
    if full_text == Some(FullText::Never) {
        reader.error(
            node,
            "with `full_text: never`, there are no pages to recheck",
            "keep one of the two",
        );
        return None;
    }
    let times = node.one_or_many().into_iter().map(|node| reader.duration(node));
    let times: BTreeSet<Duration> = all(times)?;
    let in_bounds = times.iter().all(|time| RECHECK.contains(time));
    if times.is_empty() || times.len() > MOST_RECHECKS || !in_bounds {
        let help = "write one or two times from 5m to 6d after a story was first seen: [1h, 24h]";
        reader.error(node, "these times cannot be used for `recheck`", help);
        return None;
    }
    Some(times.into_iter().collect())
}

fn refuse_of_hosts(entries: &mut Entries<'_>, reader: &mut ConfigReader<'_>) {
    for key in OF_HOSTS {
        if let Some(span) = entries.key_span(key) {
            let fault = entries
                .node()
                .fault(format!("`{key}` is a setting of a host, for all its feeds and pages"));
            let help = format!(
                "write `hosts: {{example.org: {{{key}: …}}}}` at the top of the configuration"
            );
            reader.faults.push(Fault { span, ..fault }.help(help));
        }
    }
}
