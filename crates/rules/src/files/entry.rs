//! Reads one entry of `rules`.

use std::sync::Arc;

use super::faults::refuse_later;
use super::histories::{self, TimedExamples};
use super::lists::Wordings;
use super::settings::{self, WrittenSettings};
use super::{condition, each, examples};
use crate::fault::{Fault, Source};
use crate::files::when;
use crate::files::when::When;
use crate::language::term::Forms;
use crate::language::term_list::TermList;
use crate::language::tree::Tree;
use crate::yaml::{Node, Text};
use crate::{KnownNames, Rule, Settings};

/// Keys of rules that are not available yet.
const LATER: [&str; 3] = ["defaults", "quiet", "limit"];

/// The things that rules may refer to.
pub(super) struct RuleContext<'c> {
    pub(super) wordings: Wordings,
    pub(super) known: Option<&'c KnownNames>,
    /// Whether examples are checked. With a broken list, they could fail only because of the list.
    pub(super) lists_are_sound: bool,
}

/// A rule and the place of its name.
pub(super) struct NamedRule {
    pub(super) name: Text,
    pub(super) rule: Rule,
    /// How its expression was written.
    pub(super) when: When,
    pub(super) tree: Arc<Tree>,
    /// The list of its `each`. The rule exists for every row.
    pub(super) each: Option<Arc<TermList>>,
    /// The forms in which its words are found.
    pub(super) forms: Forms,
    /// The name of the rule in its `after`.
    pub(super) after: Option<Text>,
    /// Whether it is enabled. A disabled rule is checked, too.
    pub(super) enabled: bool,
}

/// Reads one rule. `defaults` has the settings that it does not write. `None` if it has no name or
/// no valid `when`. All faults are reported. Its timed examples are checked later, because they may
/// need other rules.
pub(super) fn read_rule<'d>(
    source: &Arc<Source>,
    node: &Node<'d>,
    defaults: &WrittenSettings,
    context: &RuleContext<'_>,
    faults: &mut Vec<Fault>,
) -> Option<(NamedRule, TimedExamples<'d>)> {
    let mut entries = node.entries(faults)?;
    let name = entries.require("name", faults).and_then(|name| name_of(&name, faults));
    let when = entries.require("when", faults);
    let written = settings::read_settings(&mut entries, context.known, faults).or(defaults);
    let forms = written.forms.unwrap_or_default();
    let lists = context.wordings.with_forms(forms);
    let read = when.and_then(|node| when::read_when(source, &node, &lists, faults));
    let each = entries.get("each").and_then(|node| node.text(faults));
    let each = each.and_then(|name| {
        Some((each::find_list(&name, &lists, context.lists_are_sound, faults)?, name))
    });
    let enabled = entries.get("enabled").and_then(|node| node.bool(faults)).unwrap_or(true);
    let told = condition::read_condition(&mut entries, faults);
    let (told, after) = told.map_or((None, None), |told| (Some(told.condition), told.after));
    let timed = histories::read_timed_examples(&mut entries, faults);
    let settings = written.finished(told);
    if let Some(name) = &name {
        check_heard(name, &settings, context.known, faults);
    }
    let examples =
        ["matches", "ignores"].map(|key| examples::read_examples(entries.get(key), faults));
    refuse_later(source, &mut entries, &LATER, faults);
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    let (when, tree) = read?;
    if let Some((list, name)) = &each {
        each::check_each(name, &tree, list, faults);
    }
    let each = each.map(|(list, _)| list);
    condition::check_first(node, settings.condition.as_ref(), &tree, each.is_some(), faults);
    if context.lists_are_sound {
        examples::check_examples(&tree, each.as_deref(), &settings, &examples, faults);
    }
    let name = name?;
    let tree = Arc::new(tree);
    let row = each.as_ref().and_then(|list| list.rows.first()).cloned();
    let rule = Rule::new(name.value.trim(), Arc::clone(&tree), lists, Arc::new(settings), row);
    Some((NamedRule { name, rule, when, tree, each, forms, after, enabled }, timed))
}

fn name_of(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Text> {
    let name = node.text(faults)?;
    if name.value.trim().is_empty() {
        faults.push(
            node.fault("a rule needs a name").help("alerts, logs and silences call it by its name"),
        );
        return None;
    }
    Some(name)
}

/// Refuses a rule whose alerts would go to no notifier.
fn check_heard(
    name: &Text,
    settings: &Settings,
    known: Option<&KnownNames>,
    faults: &mut Vec<Fault>,
) {
    if settings.notify.is_empty()
        && known.is_some_and(|known| known.unrouted.contains(&settings.severity))
    {
        let fault = name.fault(
            0..name.value.len(),
            format!("no notifier would get the alerts of `{}`", name.value.trim()),
        );
        faults.push(
            fault.help(
                "name a notifier in the rule's `notify`, or in the configuration's for every rule that names none",
            ),
        );
    }
}
