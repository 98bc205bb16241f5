//! One entry of `rules`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{examples, record, refuse_later};
use crate::fault::{Fault, Source, nearest};
use crate::rule::syntax::Lists;
use crate::rule::{FeedFilter, Known, Query, Rule, when};
use crate::story::{FeedName, NotifierName, Severity};
use crate::yaml::{Entries, Node, Text};

/// Keys of rules that are not available yet.
const LATER: [&str; 12] = [
    "each", "backfill", "forms", "stem", "lang", "enabled", "expires", "defaults", "burst", "digest", "quiet", "limit",
];

/// What rules may refer to.
pub(super) struct Context<'c> {
    pub(super) lists: &'c Lists,
    pub(super) known: Option<&'c Known>,
    /// Whether examples say anything: with a broken list they would fail for that alone.
    pub(super) lists_are_sound: bool,
}

/// A rule and its name's place.
pub(super) struct Named {
    pub(super) name: Text,
    pub(super) rule: Rule,
    pub(super) query: Query,
}

/// Reads one rule; `None` if it has no name or no sound `when`. Other faults are told, too.
pub(super) fn read(
    source: &Arc<Source>,
    node: &Node<'_>,
    context: &Context<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Named> {
    let mut entries = node.entries(faults)?;
    let name = entries.require("name", faults).and_then(|name| name_of(&name, faults));
    let tree = entries.require("when", faults).and_then(|node| when::read(&node, context.lists, faults));
    let mut rule = Rule {
        name: name.as_ref().map_or_else(String::new, |name| name.value.trim().to_owned()),
        version: String::new(),
        text: String::new(),
        severity: severity(&mut entries, faults),
        why: text(&mut entries, "why", faults),
        owner: text(&mut entries, "owner", faults),
        tags: tags(&mut entries, faults),
        notify: notify(&mut entries, context.known, faults),
        feeds: feeds(&mut entries, context.known, faults),
    };
    if let Some(name) = &name {
        check_heard(name, &rule, context.known, faults);
    }
    let examples = ["matches", "ignores"].map(|key| examples::read(entries.get(key), faults));
    refuse_later(source, &mut entries, &LATER, faults);
    entries.finish(faults);
    let query = Query { tree: tree? };
    if context.lists_are_sound {
        examples::hold(&query, &examples, faults);
    }
    rule.text = record::text(&rule, &query.tree);
    rule.version = record::hash(&rule.text);
    Some(Named { name: name?, rule, query })
}

fn name_of(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Text> {
    let name = node.text(faults)?;
    if name.value.trim().is_empty() {
        faults.push(node.fault("a rule needs a name").help("alerts, logs and silences call it by its name"));
        return None;
    }
    Some(name)
}

fn text(entries: &mut Entries<'_>, key: &'static str, faults: &mut Vec<Fault>) -> Option<String> {
    entries.get(key)?.text(faults).map(|text| text.value)
}

fn texts(node: &Node<'_>, faults: &mut Vec<Fault>) -> Vec<Text> {
    node.one_or_many().iter().filter_map(|node| node.text(faults)).collect()
}

fn tags(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Vec<String> {
    let tags = entries.get("tags").map_or(Vec::new(), |node| texts(&node, faults));
    tags.into_iter().map(|tag| tag.value).collect()
}

fn severity(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Severity {
    let Some(text) = entries.get("severity").and_then(|node| node.text(faults)) else { return Severity::default() };
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text.value);
    found.unwrap_or_else(|| {
        let words = Severity::ALL.map(Severity::as_str);
        let help = nearest(&text.value, words).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let fault = text.fault(0..text.value.len(), format!("`{}` is no severity", text.value));
        faults.push(fault.help(format!("{help}it is one of {}", words.join(", "))));
        Severity::default()
    })
}

fn notify(entries: &mut Entries<'_>, known: Option<&Known>, faults: &mut Vec<Fault>) -> BTreeSet<NotifierName> {
    let Some(node) = entries.get("notify") else { return BTreeSet::new() };
    if node.one_or_many().is_empty() {
        faults.push(node.fault("this names nobody").help("leave `notify` out for those whom the configuration names"));
    }
    let names = texts(&node, faults);
    for name in &names {
        let is_known = |known: &Known| known.notifiers.contains(&NotifierName(name.value.clone()));
        if let Some(known) = known.filter(|known| !is_known(known)) {
            let candidates = known.notifiers.iter().map(|name| name.0.as_str());
            faults.push(unknown(name, &name.value, "notifier", candidates));
        }
    }
    names.into_iter().map(|name| NotifierName(name.value)).collect()
}

/// A rule that alerts nobody is a story missed.
fn check_heard(name: &Text, rule: &Rule, known: Option<&Known>, faults: &mut Vec<Fault>) {
    if rule.notify.is_empty() && known.is_some_and(|known| known.unheard.contains(&rule.severity)) {
        let fault = name.fault(0..name.value.len(), format!("nobody would hear of `{}`", rule.name));
        faults.push(
            fault.help(
                "name a notifier in the rule's `notify`, or in the configuration's for every rule that names none",
            ),
        );
    }
}

fn feeds(entries: &mut Entries<'_>, known: Option<&Known>, faults: &mut Vec<Fault>) -> Vec<FeedFilter> {
    let Some(node) = entries.get("feeds") else { return Vec::new() };
    if node.one_or_many().is_empty() {
        faults.push(node.fault("this names no feed").help("leave `feeds` out for all feeds"));
    }
    let names = texts(&node, faults);
    let filter = |text: Text| {
        let filter = match text.value.strip_prefix("tag:") {
            Some(tag) => FeedFilter::Tagged(tag.trim().to_owned()),
            None => FeedFilter::Named(FeedName(text.value.clone())),
        };
        if let Some(known) = known {
            faults.extend(unknown_feed(&text, &filter, known));
        }
        filter
    };
    names.into_iter().map(filter).collect()
}

/// The fault of a filter that no feed passes.
fn unknown_feed(text: &Text, filter: &FeedFilter, known: &Known) -> Option<Fault> {
    if known.feeds.iter().any(|feed| feed.passes(filter)) {
        return None;
    }
    Some(match filter {
        FeedFilter::Named(name) => unknown(text, &name.0, "feed", known.feeds.iter().map(|feed| feed.name.0.as_str())),
        FeedFilter::Tagged(tag) => {
            let tags: BTreeSet<&str> = known.feeds.iter().flat_map(|feed| &feed.tags).map(String::as_str).collect();
            unknown(text, tag, "feed with the tag", tags)
        }
    })
}

fn unknown<'c>(text: &Text, name: &str, kind: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> Fault {
    let fault = text.fault(0..text.value.len(), format!("the configuration has no {kind} `{name}`"));
    let mut all: Vec<&str> = candidates.clone().into_iter().take(10).collect();
    all.dedup();
    match nearest(name, candidates) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => fault,
        None => fault.help(format!("it has: {}", all.join(", "))),
    }
}
