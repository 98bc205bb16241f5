//! Matches to alerts: what each says of its rule, and who is to hear of it. Pure.

use std::collections::BTreeMap;

use crate::alert::{Draft, Receiver, Told};
use crate::config::{Notifier, Routing};
use crate::rule::Match;
use crate::story::NotifierName;

/// One draft for every match, in the same order.
#[must_use]
pub fn drafts(matches: Vec<Match>, routing: &Routing, notifiers: &BTreeMap<NotifierName, Notifier>) -> Vec<Draft> {
    matches.into_iter().map(|found| draft(found, routing, notifiers)).collect()
}

fn draft(found: Match, routing: &Routing, notifiers: &BTreeMap<NotifierName, Notifier>) -> Draft {
    let rule = found.rule;
    let settings = &rule.settings;
    let names = if settings.notify.is_empty() { routing.of(settings.severity) } else { &settings.notify };
    let receivers = names
        .iter()
        .filter_map(|name| notifiers.get(name).map(|notifier| receivers(name, notifier)))
        .flatten()
        .collect();
    let told = Told {
        rule: rule.name().to_owned(),
        version: rule.version(),
        severity: settings.severity,
        why: settings.why.clone(),
        owner: settings.owner.clone(),
        tags: settings.tags.clone(),
        evidence: found.evidence,
    };
    Draft { told, occasion: String::new(), receivers }
}

/// Everybody whom a notifier reaches.
#[must_use]
pub fn receivers(name: &NotifierName, notifier: &Notifier) -> Vec<Receiver> {
    let to = |recipient: String| Receiver { notifier: name.clone(), recipient };
    match notifier {
        Notifier::Console(_) | Notifier::Webhook(_) => vec![to(String::new())],
        Notifier::Email(email) => email.to.iter().map(|mailbox| to(mailbox.email.to_string())).collect(),
    }
}
