//! Reads `notifiers`.

mod ca;
mod delivery_policy;
mod email;
mod helo;
mod smtp;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};

use super::reader::ConfigReader;
use super::{ConsoleFormat, Notifier};
use tidings_rules::story::NotifierName;
use tidings_rules::story::delivery::DeliveryPolicy;
use tidings_rules::yaml::{Entries, Node};

/// Notifiers by name.
#[derive(Default)]
pub(super) struct Notifiers {
    /// The notifiers without a fault.
    pub(super) sound: BTreeMap<NotifierName, Notifier>,
    /// The delivery policies of the notifiers without a fault.
    pub(super) delivery_policies: BTreeMap<NotifierName, DeliveryPolicy>,
    /// All names. A faulty notifier does not cause a second fault where it is named.
    pub(super) names: BTreeSet<String>,
}

#[derive(Clone, Copy)]
enum NotifierKind {
    Console,
    Email,
    Webhook,
}

/// Reads names with `{type: console}`, `{type: email, …}` or `{type: webhook, …}`.
pub(super) fn notifiers(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Notifiers {
    let mut notifiers = Notifiers::default();
    for (name, node) in node.map_or_else(Vec::new, |node| node.pairs(reader.faults)) {
        notifiers.names.insert(name.value.clone());
        let name = reader.check_name(&name);
        let notifier = notifier(node, reader);
        if let Some((name, (notifier, policy))) = name.map(NotifierName).zip(notifier) {
            notifiers.delivery_policies.insert(name.clone(), policy);
            notifiers.sound.insert(name, notifier);
        }
    }
    notifiers
}

fn notifier(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<(Notifier, DeliveryPolicy)> {
    let mut entries = reader.entries(node)?;
    let kinds = [
        ("console", NotifierKind::Console),
        ("email", NotifierKind::Email),
        ("webhook", NotifierKind::Webhook),
    ];
    let kind =
        entries.require("type", reader.faults).and_then(|node| reader.choice(node, &kinds))?;
    let notifier = match kind {
        NotifierKind::Console => console(&mut entries, reader).map(Notifier::Console),
        NotifierKind::Email => email::email(&mut entries, reader).map(Notifier::Email),
        NotifierKind::Webhook => webhook::webhook(&mut entries, reader).map(Notifier::Webhook),
    };
    let policy = delivery_policy::delivery_policy(&mut entries, reader);
    entries.refuse_unknown_keys(reader.faults);
    notifier.zip(policy)
}

fn console(entries: &mut Entries<'_>, reader: &mut ConfigReader<'_>) -> Option<ConsoleFormat> {
    let formats = [("text", ConsoleFormat::Text), ("json", ConsoleFormat::Json)];
    entries
        .get("format")
        .map_or_else(|| Some(ConsoleFormat::default()), |node| reader.choice(node, &formats))
}
