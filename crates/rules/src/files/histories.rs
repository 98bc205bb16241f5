//! Reads a rule's timed examples: histories at which its condition must be met, or must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::entry::NamedRule;
use crate::Carrier;
use crate::condition::Publishers;
use crate::fault::Fault;
use crate::story::{FeedName, Story};
use crate::yaml::{Entries, Node};

mod check;

/// The longest history.
const LONGEST: Duration = Duration::from_hours(24 * 3660);

/// The timed examples of a rule.
pub(super) struct TimedExamples<'d> {
    fires: Vec<History<'d>>,
    holds: Vec<History<'d>>,
}

/// Items with ascending times, at least one.
struct History<'d> {
    node: Node<'d>,
    items: Vec<HistoryItem<'d>>,
}

/// An item of a history.
struct HistoryItem<'d> {
    node: Node<'d>,
    /// The time since the start of the history.
    at: Duration,
    /// `None`: nothing came until then.
    story: Option<Story>,
    /// The publisher that it names, as the feed that carried it.
    carriers: Vec<Carrier>,
}

/// Reads `fires` and `holds`.
pub(super) fn read_timed_examples<'d>(
    entries: &mut Entries<'d>,
    faults: &mut Vec<Fault>,
) -> TimedExamples<'d> {
    let [fires, holds] = ["fires", "holds"]
        .map(|key| entries.get(key).map_or_else(Vec::new, |node| histories(&node, faults)));
    TimedExamples { fires, holds }
}

/// Checks the timed examples of every rule, by its name. `publishers` have these names.
pub(super) fn check_timed_examples(
    examples: &[(String, TimedExamples<'_>)],
    rules: &BTreeMap<String, NamedRule>,
    publishers: &Publishers,
    faults: &mut Vec<Fault>,
) {
    for (name, examples) in examples {
        if let Some(named) = rules.get(name) {
            check::check(examples, named, rules, publishers, faults);
        }
    }
}

/// One history, or a list of histories.
fn histories<'d>(node: &Node<'d>, faults: &mut Vec<Fault>) -> Vec<History<'d>> {
    let items = node.items(faults);
    let nodes = if items.first().is_some_and(Node::is_list) { items } else { vec![*node] };
    if !node.is_list() {
        return Vec::new();
    }
    nodes.iter().filter_map(|node| history(node, faults)).collect()
}

fn history<'d>(node: &Node<'d>, faults: &mut Vec<Fault>) -> Option<History<'d>> {
    let nodes = node.items(faults);
    if nodes.is_empty() && node.is_list() {
        let fault = node.fault("this history has no item");
        faults.push(fault.help("write one like {at: 1h30m, site: afp.com, title: …}"));
    }
    let before = faults.len();
    let items: Vec<HistoryItem<'d>> =
        nodes.into_iter().filter_map(|node| item(node, faults)).collect();
    for pair in items.windows(2) {
        if pair[1].at < pair[0].at {
            let fault = pair[1].node.fault("this item is earlier than the one before it");
            faults.push(fault.help("`at` is the time since the start of the history"));
        }
    }
    (faults.len() == before && !items.is_empty()).then_some(History { node: *node, items })
}

fn item<'d>(node: Node<'d>, faults: &mut Vec<Fault>) -> Option<HistoryItem<'d>> {
    let mut entries = node.entries(faults)?;
    let before = faults.len();
    let mut found = Vec::new();
    let at = entries
        .require("at", &mut found)
        .and_then(|node| node.duration(&mut found).zip(Some(node)));
    faults.extend(found.into_iter().map(|fault| {
        fault.help("write the time since the start of the history, such as 0, 15m or 1h 30m")
    }));
    let at = at.map(|(at, node)| {
        if at > LONGEST {
            let fault = node.fault("a history lasts ten years at most");
            faults.push(fault.help("write a shorter time since its start"));
        }
        at
    });
    let has_story = node.pairs(&mut Vec::new()).len() > 1;
    let mut texts = |key| -> Vec<String> {
        let nodes = entries.get(key).map_or(Vec::new(), |node| node.one_or_many());
        nodes.iter().filter_map(|node| Some(node.text(faults)?.value)).collect()
    };
    let mut story = Story::from_words(texts("title").join(" "), texts("body").join("\n\n"));
    story.url = texts("url").pop();
    story.lang = texts("lang").pop();
    story.authors = texts("author");
    story.tags = texts("tag");
    story.source = texts("source").pop();
    let site = site(&mut entries, faults);
    if site.is_some() && story.url.is_some() {
        let fault = node.fault("this item has both `site` and `url`");
        faults.push(fault.help("`site: afp.com` is short for `url: https://afp.com/`"));
    }
    story.url = story.url.or(site);
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    let name = story.source.clone().map(FeedName);
    let carriers = name.map(|name| Carrier { name, tags: BTreeSet::new() }).into_iter().collect();
    let story = has_story.then_some(story);
    (faults.len() == before).then_some(HistoryItem { node, at: at?, story, carriers })
}

/// The address that `site: afp.com` stands for.
fn site(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<String> {
    let text = entries.get("site")?.text(faults)?;
    let host = text.value.trim();
    if is_host(host) {
        return Some(format!("https://{host}/"));
    }
    let fault = text.fault(0..text.value.len(), format!("`{host}` is not the name of a host"));
    faults.push(fault.help("write it as in afp.com; a whole address stands under `url`"));
    None
}

/// Whether `host` is the address of a host, or a name that has a domain.
fn is_host(host: &str) -> bool {
    match url::Host::parse(host) {
        Ok(url::Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            let is_label = |label: &str| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            name.contains('.') && name.split('.').all(is_label)
        }
        Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
