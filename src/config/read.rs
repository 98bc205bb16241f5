//! The configuration's top level: each part to its reader, and what holds between parts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::variables::{Context, string};
use super::{Config, FirstPoll, Network, Notifier, Poll, Routing, feeds, later, mask, notifiers};
use crate::fault::{Fault, Level, Source, nearest};
use crate::story::{NotifierName, Severity};
use crate::yaml::{self, Entries, Node};

/// Reads the configuration in `source`; relative paths in it are relative to `base`, and `env` looks up environment variables.
///
/// Every fault goes into `faults`, warnings too; none shows a secret. `None` if any is an error.
#[must_use]
pub fn load(
    source: &Arc<Source>,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<Config> {
    let mut found = Vec::new();
    let document = yaml::parse(source, &mut found);
    let context = Context { base, env };
    let config = document.as_ref().and_then(|document| top(document.root(), &context, &mut found));
    mask::hide_secrets(source, document.as_ref(), &mut found);
    let sound = found.iter().all(|fault| fault.level == Level::Warning);
    faults.extend(found);
    config.filter(|_| sound)
}

fn top(root: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Config> {
    let mut entries = root.entries(faults)?;
    let store = store(&mut entries, context, faults);
    let rules = entries.get("rules").and_then(|node| string(node, context, faults));
    let zone = zone(&mut entries, context, faults);
    let network = entries.get("network").map_or_else(Network::default, |node| network(node, context, faults));
    let poll = poll(entries.get("poll"), faults);
    let feeds = entries.get("feeds").map_or_else(Vec::new, |node| feeds::read(node, context, &network, faults));
    let notifiers = match entries.get("notifiers") {
        Some(node) => notifiers::read(node, context, faults),
        None => BTreeMap::new(),
    };
    let notify = routing(entries.get("notify"), &notifiers, faults);
    later::warn(&mut entries, &["web", "retain"], faults);
    later::refuse(&mut entries, &["burst", "digest", "quiet", "limit", "silences"], faults);
    entries.finish(faults);
    let rules = context.base.join(rules.unwrap_or_else(|| "rules".to_owned()));
    Some(Config { store, rules, zone, notify, feeds, notifiers, poll, network })
}

fn store(entries: &mut Entries<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> PathBuf {
    let default = context.base.join("tidings.db");
    let Some(node) = entries.get("store") else { return default };
    let Some(address) = string(node, context, faults) else { return default };
    match address.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => context.base.join(path.trim_start_matches("//")),
        _ => {
            let fault = node.fault("the store's address is not understood");
            faults.push(fault.help("write sqlite: and a path, such as sqlite:tidings.db"));
            default
        }
    }
}

fn zone(entries: &mut Entries<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> TimeZone {
    let Some(node) = entries.get("zone") else { return TimeZone::system() };
    let Some(name) = string(node, context, faults) else { return TimeZone::UTC };
    TimeZone::get(&name).unwrap_or_else(|_| {
        let fault = node.fault(format!("no time zone is called `{name}`"));
        faults.push(fault.help("write a name of the IANA database, such as Europe/Berlin or UTC"));
        TimeZone::UTC
    })
}

fn network(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Network {
    let Some(mut entries) = node.entries(faults) else { return Network::default() };
    let ranges = entries.get("allow").map_or_else(Vec::new, |node| node.items(faults));
    let allow = ranges.into_iter().filter_map(|node| range(node, context, faults)).collect();
    let contact = entries.get("contact").and_then(|node| string(node, context, faults));
    later::refuse(&mut entries, &["proxy", "hosts"], faults);
    entries.finish(faults);
    Network { allow, contact }
}

fn range(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<IpNet> {
    let text = string(node, context, faults)?;
    let parsed = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    if parsed.is_none() {
        let fault = node.fault(format!("`{text}` is not a range of addresses"));
        faults.push(fault.help("write an address or a range: 192.168.7.5, 10.0.0.0/8, fd00::/8"));
    }
    parsed
}

fn poll(node: Option<Node<'_>>, faults: &mut Vec<Fault>) -> Poll {
    let mut poll = Poll {
        min: Duration::from_mins(15),
        max: Duration::from_hours(6),
        first_poll: FirstPoll::Within(Duration::from_hours(24)),
        connections: 256,
        per_host: 1,
        gap: Duration::from_secs(1),
    };
    let Some(node) = node else { return poll };
    let Some(mut entries) = node.entries(faults) else { return poll };
    let mut duration = |key, default, faults: &mut Vec<Fault>| {
        entries.get(key).and_then(|node| node.duration(faults)).unwrap_or(default)
    };
    poll.min = duration("min", poll.min, faults);
    poll.max = duration("max", poll.max, faults);
    poll.gap = duration("gap", poll.gap, faults);
    poll.first_poll = entries.get("first_poll").map_or(poll.first_poll, |node| first_poll(node, faults));
    poll.connections = entries.get("connections").map_or(poll.connections, |node| at_least_one(node, faults));
    poll.per_host = entries.get("per_host").map_or(poll.per_host, |node| at_least_one(node, faults));
    if poll.min > poll.max {
        let fault = node.fault("`min` is longer than `max`");
        faults.push(fault.help("`min` is the shortest time between two polls of a feed, `max` the longest"));
    }
    entries.finish(faults);
    poll
}

fn first_poll(node: Node<'_>, faults: &mut Vec<Fault>) -> FirstPoll {
    let mut ignored = Vec::new();
    match node.text(&mut ignored).map(|text| text.value).as_deref() {
        Some("all") => FirstPoll::All,
        Some("none") => FirstPoll::None,
        _ => {
            if let Some(reach) = node.duration(&mut ignored) {
                FirstPoll::Within(reach)
            } else {
                let fault = node.fault("it is not clear which items may alert at a feed's first poll");
                faults.push(fault.help("write `all`, `none`, or how old they may be: 24h"));
                FirstPoll::None
            }
        }
    }
}

fn at_least_one(node: Node<'_>, faults: &mut Vec<Fault>) -> usize {
    let count = node.count(faults).unwrap_or(1);
    if count == 0 {
        faults.push(node.fault("this must be at least 1, or nothing is ever polled"));
    }
    count.max(1)
}

/// `notify`: a list of notifiers, or one for each severity with a `default`.
fn routing(node: Option<Node<'_>>, notifiers: &BTreeMap<NotifierName, Notifier>, faults: &mut Vec<Fault>) -> Routing {
    let mut routing = Routing { default: BTreeSet::new(), by_severity: BTreeMap::new() };
    let Some(node) = node else { return routing };
    if !node.is_mapping() {
        routing.default = names(node, notifiers, faults);
        return routing;
    }
    for (key, value) in node.pairs(faults) {
        let names = names(value, notifiers, faults);
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == key.value);
        match severity {
            Some(severity) => {
                routing.by_severity.insert(severity, names);
            }
            None if key.value == "default" => routing.default = names,
            None => {
                let fault = key.fault(0..key.value.len(), format!("`{}` is no severity", key.value));
                faults.push(fault.help("write info, low, medium, high, critical, or default for all others"));
            }
        }
    }
    routing
}

fn names(
    node: Node<'_>,
    notifiers: &BTreeMap<NotifierName, Notifier>,
    faults: &mut Vec<Fault>,
) -> BTreeSet<NotifierName> {
    let mut names = BTreeSet::new();
    for node in node.one_or_many() {
        let Some(name) = node.text(faults).map(|text| NotifierName(text.value)) else { continue };
        if !notifiers.contains_key(&name) {
            let known = || notifiers.keys().map(|name| name.0.as_str());
            let advice = match nearest(&name.0, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if notifiers.is_empty() => "define it under `notifiers:`".to_owned(),
                None => format!("`notifiers:` has: {}", known().collect::<Vec<_>>().join(", ")),
            };
            faults.push(node.fault(format!("no notifier is called `{name}`")).help(advice));
        }
        names.insert(name);
    }
    names
}

#[cfg(test)]
mod tests;
