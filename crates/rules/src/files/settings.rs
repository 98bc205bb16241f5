//! Reads a rule's settings: for alerts, feeds and forms, with those of its file's `defaults`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;

use super::{delivery_policy, forms};
use crate::condition::Condition;
use crate::fault::{Fault, Level, nearest};
use crate::language::term::Forms;
use crate::lint;
use crate::story::delivery::{Burst, Cadence};
use crate::story::{FeedName, LanguageTag, NotifierName, Severity};
use crate::yaml::{Entries, Node, Text};
use crate::{FeedFilter, KnownNames, Settings};

/// The settings as written; `None` for those that are not written.
#[derive(Clone, Debug, Default)]
pub(super) struct WrittenSettings {
    pub(super) severity: Option<Severity>,
    pub(super) why: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) notify: Option<BTreeSet<NotifierName>>,
    pub(super) feeds: Option<Vec<FeedFilter>>,
    pub(super) langs: Option<Vec<String>>,
    pub(super) expires: Option<Date>,
    pub(super) forms: Option<Forms>,
    pub(super) burst: Option<Burst>,
    pub(super) digest: Option<Cadence>,
    pub(super) backfill: Option<Duration>,
}

/// Reads the settings among `entries`, of a rule or of `defaults`.
pub(super) fn read_settings(
    entries: &mut Entries<'_>,
    known: Option<&KnownNames>,
    faults: &mut Vec<Fault>,
) -> WrittenSettings {
    WrittenSettings {
        severity: severity(entries, faults),
        why: text(entries, "why", faults),
        owner: text(entries, "owner", faults),
        tags: tags(entries, faults),
        notify: notify(entries, known, faults),
        feeds: feeds(entries, known, faults),
        langs: langs(entries, faults),
        expires: expires(entries, faults),
        forms: forms::read_forms(entries, faults),
        burst: delivery_policy::burst(entries, faults),
        digest: delivery_policy::digest(entries, faults),
        backfill: entries.get("backfill").and_then(|node| node.duration(faults)),
    }
}

/// Reads a file's `defaults`, which has only settings.
pub(super) fn defaults(
    node: &Node<'_>,
    known: Option<&KnownNames>,
    faults: &mut Vec<Fault>,
) -> WrittenSettings {
    let Some(mut entries) = node.entries(faults) else { return WrittenSettings::default() };
    let settings = read_settings(&mut entries, known, faults);
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    settings
}

impl WrittenSettings {
    /// These settings; those that are not written come from `defaults`. A written list replaces the
    /// default list.
    pub(super) fn or(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        Self {
            severity: self.severity.or(defaults.severity),
            why: self.why.or(defaults.why),
            owner: self.owner.or(defaults.owner),
            tags: self.tags.or(defaults.tags),
            notify: self.notify.or(defaults.notify),
            feeds: self.feeds.or(defaults.feeds),
            langs: self.langs.or(defaults.langs),
            expires: self.expires.or(defaults.expires),
            forms: self.forms.or(defaults.forms),
            burst: self.burst.or(defaults.burst),
            digest: self.digest.or(defaults.digest),
            backfill: self.backfill.or(defaults.backfill),
        }
    }

    /// The settings with `condition`, and with standard values for those that are not written.
    pub(super) fn finished(self, condition: Option<Condition>) -> Settings {
        Settings {
            severity: self.severity.unwrap_or_default(),
            why: self.why,
            owner: self.owner,
            tags: self.tags.unwrap_or_default(),
            notify: self.notify.unwrap_or_default(),
            feeds: self.feeds.unwrap_or_default(),
            langs: self.langs.unwrap_or_default(),
            expires: self.expires,
            burst: self.burst,
            digest: self.digest,
            backfill: self.backfill,
            condition,
        }
    }
}

fn text(entries: &mut Entries<'_>, key: &'static str, faults: &mut Vec<Fault>) -> Option<String> {
    entries.get(key)?.text(faults).map(|text| text.value)
}

fn texts(node: &Node<'_>, faults: &mut Vec<Fault>) -> Vec<Text> {
    node.one_or_many().iter().filter_map(|node| node.text(faults)).collect()
}

fn tags(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
    let tags = texts(&entries.get("tags")?, faults);
    Some(tags.into_iter().map(|tag| tag.value).collect())
}

fn severity(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Severity> {
    let text = entries.get("severity")?.text(faults)?;
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text.value);
    if found.is_none() {
        let words = Severity::ALL.map(Severity::as_str);
        let help = nearest(&text.value, words)
            .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let fault = text.fault(0..text.value.len(), format!("`{}` is not a severity", text.value));
        faults.push(fault.help(format!("{help}it is one of {}", words.join(", "))));
    }
    found
}

fn notify(
    entries: &mut Entries<'_>,
    known: Option<&KnownNames>,
    faults: &mut Vec<Fault>,
) -> Option<BTreeSet<NotifierName>> {
    let node = entries.get("notify")?;
    if node.one_or_many().is_empty() {
        faults.push(
            node.fault("this names no notifier")
                .help("leave `notify` out for the notifiers that the configuration names"),
        );
    }
    let names = texts(&node, faults);
    for name in &names {
        let is_known =
            |known: &KnownNames| known.notifiers.contains(&NotifierName(name.value.clone()));
        if let Some(known) = known.filter(|known| !is_known(known)) {
            let candidates = known.notifiers.iter().map(|name| name.0.as_str());
            faults.push(unknown(name, &name.value, "notifier", candidates));
        }
    }
    Some(names.into_iter().map(|name| NotifierName(name.value)).collect())
}

fn feeds(
    entries: &mut Entries<'_>,
    known: Option<&KnownNames>,
    faults: &mut Vec<Fault>,
) -> Option<Vec<FeedFilter>> {
    let node = entries.get("feeds")?;
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
    Some(names.into_iter().map(filter).collect())
}

fn langs(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
    let texts = texts(&entries.get("lang")?, faults);
    let lang = |text: Text| {
        let tag = LanguageTag::parse(&text.value)?;
        let primary = tag.primary().to_ascii_lowercase();
        let is_code =
            matches!(primary.len(), 2 | 3) && primary.bytes().all(|b| b.is_ascii_lowercase());
        if !is_code || tag.to_string() != primary {
            let fault =
                text.fault(0..text.value.len(), format!("`{}` is not a language", text.value));
            faults.push(fault.help("write two or three letters: en, ru, ko"));
            return None;
        }
        if let Some((why, help)) = lint::unknown_language(&text.value) {
            let message = format!("no story has this language: {why}");
            let fault = text.fault(0..text.value.len(), message);
            faults.push(Fault { level: Level::Warning, ..fault }.help(help));
        }
        Some(primary)
    };
    Some(texts.into_iter().filter_map(lang).collect())
}

fn expires(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Date> {
    let text = entries.get("expires")?.text(faults)?;
    let day = text.value.parse().ok().filter(|_| text.value.len() == "2026-12-31".len());
    if day.is_none() {
        let fault = text.fault(0..text.value.len(), format!("`{}` is not a day", text.value));
        faults
            .push(fault.help("write the last day on which the rule is to match, as in 2026-12-31"));
    }
    day
}

/// The fault of a filter that accepts no feed.
fn unknown_feed(text: &Text, filter: &FeedFilter, known: &KnownNames) -> Option<Fault> {
    if known.feeds.iter().any(|feed| feed.passes(filter)) {
        return None;
    }
    Some(match filter {
        FeedFilter::Named(name) => {
            unknown(text, &name.0, "feed", known.feeds.iter().map(|feed| feed.name.0.as_str()))
        }
        FeedFilter::Tagged(tag) => {
            let tags: BTreeSet<&str> =
                known.feeds.iter().flat_map(|feed| &feed.tags).map(String::as_str).collect();
            unknown(text, tag, "feed with the tag", tags)
        }
    })
}

fn unknown<'c>(
    text: &Text,
    name: &str,
    kind: &str,
    candidates: impl IntoIterator<Item = &'c str> + Clone,
) -> Fault {
    let fault =
        text.fault(0..text.value.len(), format!("the configuration has no {kind} `{name}`"));
    let mut all: Vec<&str> = candidates.clone().into_iter().take(10).collect();
    all.dedup();
    match nearest(name, candidates) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => fault,
        None => fault.help(format!("it has: {}", all.join(", "))),
    }
}
