//! One entry of `rules`.

use std::sync::Arc;

use super::lists::Wordings;
use super::settings::{self, Settings};
use super::{examples, record, refuse_later};
use crate::fault::{Fault, Source};
use crate::rule::term::Forms;
use crate::rule::when::{self, When};
use crate::rule::{Known, Query, Rule};
use crate::yaml::{Node, Text};

/// Keys of rules that are not available yet.
const LATER: [&str; 5] = ["each", "backfill", "defaults", "quiet", "limit"];

/// What rules may refer to.
pub(super) struct Context<'c> {
    pub(super) wordings: Wordings,
    pub(super) known: Option<&'c Known>,
    /// Whether examples say anything: with a broken list they would fail for that alone.
    pub(super) lists_are_sound: bool,
}

/// A rule and its name's place.
pub(super) struct Named {
    pub(super) name: Text,
    pub(super) rule: Rule,
    /// How its query was written.
    pub(super) when: When,
    pub(super) query: Query,
    /// The forms in which its words are found.
    pub(super) forms: Forms,
    /// `enabled: false` keeps a rule from matching anything; it is checked all the same.
    pub(super) enabled: bool,
}

/// Reads one rule, what it leaves out taken from `defaults`; `None` if it has no name or no sound `when`. Other faults are told, too.
pub(super) fn read(
    source: &Arc<Source>,
    node: &Node<'_>,
    defaults: &Settings,
    context: &Context<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Named> {
    let mut entries = node.entries(faults)?;
    let name = entries.require("name", faults).and_then(|name| name_of(&name, faults));
    let when = entries.require("when", faults);
    let settings = settings::read(&mut entries, context.known, faults).or(defaults);
    let forms = settings.forms.unwrap_or_default();
    let read = when.and_then(|node| when::read(source, &node, &context.wordings.of(forms), faults));
    let enabled = entries.get("enabled").and_then(|node| node.bool(faults)).unwrap_or(true);
    let mut rule = Rule {
        name: name.as_ref().map_or_else(String::new, |name| name.value.trim().to_owned()),
        version: String::new(),
        text: String::new(),
        severity: settings.severity.unwrap_or_default(),
        why: settings.why,
        owner: settings.owner,
        tags: settings.tags.unwrap_or_default(),
        notify: settings.notify.unwrap_or_default(),
        feeds: settings.feeds.unwrap_or_default(),
        langs: settings.langs.unwrap_or_default(),
        expires: settings.expires,
        burst: settings.burst,
        digest: settings.digest,
    };
    if let Some(name) = &name {
        check_heard(name, &rule, context.known, faults);
    }
    let examples = ["matches", "ignores"].map(|key| examples::read(entries.get(key), faults));
    refuse_later(source, &mut entries, &LATER, faults);
    entries.finish(faults);
    let (when, tree) = read?;
    let query = Query { tree };
    if context.lists_are_sound {
        examples::hold(&query, &examples, faults);
    }
    rule.text = record::text(&rule, forms, &query.tree);
    rule.version = record::hash(&rule.text);
    Some(Named { name: name?, rule, when, query, forms, enabled })
}

fn name_of(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Text> {
    let name = node.text(faults)?;
    if name.value.trim().is_empty() {
        faults.push(node.fault("a rule needs a name").help("alerts, logs and silences call it by its name"));
        return None;
    }
    Some(name)
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
