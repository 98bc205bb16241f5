//! The feeds of a configuration.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::variables::{Context, expand, string};
use super::{Feed, FullText, Network, later};
use crate::fault::Fault;
use crate::story::FeedName;
use crate::yaml::{Node, Text};

/// The shortest time between two polls of somebody else's feed.
const FLOOR: Duration = Duration::from_mins(5);

/// The shortest time between two polls of one's own feed.
const OWN_FLOOR: Duration = Duration::from_secs(1);

/// Reads the list of feeds; `network` tells one's own hosts.
pub(super) fn read(node: Node<'_>, context: &Context<'_>, network: &Network, faults: &mut Vec<Fault>) -> Vec<Feed> {
    let mut names = HashSet::new();
    let mut feeds = Vec::new();
    for node in node.items(faults) {
        let Some(feed) = feed(node, context, network, faults) else { continue };
        if names.insert(feed.name.clone()) {
            feeds.push(feed);
        } else {
            let fault = node.fault(format!("two feeds are called `{}`", feed.name));
            faults.push(fault.help("give one of them another `name`, or remove it"));
        }
    }
    feeds
}

fn feed(node: Node<'_>, context: &Context<'_>, network: &Network, faults: &mut Vec<Fault>) -> Option<Feed> {
    if !node.is_mapping() {
        let written = node.text(faults)?;
        let url = address(&written, context, faults)?;
        let name = FeedName(written.value.clone());
        return Some(Feed {
            name,
            address: written.value,
            url,
            tags: [].into(),
            every: None,
            full_text: FullText::Always,
        });
    }
    let mut entries = node.entries(faults)?;
    let url = if let Some(place) = entries.place_of("opml") {
        let fault = node.fault("`opml` is not available yet in this version");
        faults.push(Fault { span: place, ..fault }.help("list the feeds of the file one by one"));
        None
    } else {
        entries.require("url", faults)
    };
    let written = url.and_then(|node| node.text(faults));
    let url = written.as_ref().and_then(|written| address(written, context, faults));
    let name = entries.get("name").and_then(|node| string(node, context, faults));
    let tags = entries.get("tags").map_or_else(Vec::new, |node| node.one_or_many());
    let tags = tags.into_iter().filter_map(|node| string(node, context, faults)).collect();
    let every = entries.get("every").and_then(|node| every(node, url.as_ref(), network, faults));
    let full_text = entries.get("full_text").map_or(FullText::Always, |node| full_text(node, faults));
    later::refuse(&mut entries, &["recheck", "backfill", "headers", "cookies", "proxy", "user_agent", "lang"], faults);
    entries.finish(faults);
    let (url, address) = (url?, written?.value);
    Some(Feed { name: FeedName(name.unwrap_or_else(|| address.clone())), address, url, tags, every, full_text })
}

/// The address of a feed, `file:` made absolute.
fn address(written: &Text, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Url> {
    let text = expand(written, context, faults)?;
    let url = match text.strip_prefix("file:") {
        Some(path) => file_url(context.base, path),
        None => Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()),
    };
    if url.is_none() {
        let fault = written.fault(0..written.value.len(), "this is not the address of a feed");
        faults.push(fault.help("write an address that begins with https://, http:// or file:"));
    }
    url
}

fn file_url(base: &Path, path: &str) -> Option<Url> {
    let path = base.join(path.strip_prefix("//").unwrap_or(path));
    Url::from_file_path(std::path::absolute(path).ok()?).ok()
}

fn every(node: Node<'_>, url: Option<&Url>, network: &Network, faults: &mut Vec<Fault>) -> Option<Duration> {
    let every = node.duration(faults)?;
    let floor = if url.is_none_or(|url| network.is_own(url)) { OWN_FLOOR } else { FLOOR };
    if every < floor {
        let fault = node.fault("this is more often than a publisher should be asked");
        let advice =
            "write at least 5m; feeds on hosts that `network.allow` lists, and files, may be polled each second";
        faults.push(fault.help(advice));
    }
    Some(every.max(floor))
}

fn full_text(node: Node<'_>, faults: &mut Vec<Fault>) -> FullText {
    match node.text(faults).map(|text| text.value).as_deref() {
        Some("always") | None => FullText::Always,
        Some("never") => FullText::Never,
        Some(other) => {
            let message = match other {
                "hinted" => "`full_text: hinted` is not available yet in this version".to_owned(),
                _ => format!("`{other}` is not a way of reading articles"),
            };
            faults.push(node.fault(message).help("write `always` or `never`"));
            FullText::Always
        }
    }
}
