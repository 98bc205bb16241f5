//! Errors for unknown names: the nearest known name, or a list of the known ones.

use std::collections::BTreeSet;

use crate::cli::exit::Exit;
use crate::cli::output::{fail, fail_with_help};
use crate::config::Config;
use crate::queries::names::{any_names, suggest_names};
use crate::rule_files;
use tidings_rules::text::visible_line;
use tidings_rules::{Rule, Rules};

/// The names of the rules of `config`. `None` if the rules do not load, because a broken file must
/// not stop the command.
pub(super) fn rule_names(config: &Config) -> Option<BTreeSet<String>> {
    Some(load_rules(config)?.iter().map(|rule| rule.name().to_owned()).collect())
}

/// The tags of the rules; `None` as for [`rule_names`].
pub(super) fn rule_tags(config: &Config) -> Option<BTreeSet<String>> {
    Some(load_rules(config)?.iter().flat_map(|rule| rule.settings.tags.clone()).collect())
}

/// The ids of the rows of watchlists; `None` as for [`rule_names`].
pub(super) fn row_ids(config: &Config) -> Option<BTreeSet<String>> {
    Some(
        load_rules(config)?
            .watchlists()
            .flat_map(|(_, rows)| rows.map(|row| row.id.clone()))
            .collect(),
    )
}

fn load_rules(config: &Config) -> Option<Rules> {
    let files = rule_files::read_rule_files(&config.rules).ok()?;
    Rules::load(&rule_files::rule_texts(&files), Some(&any_names(config)), &mut Vec::new())
}

/// The rules with these names, each once; without names, all. A rule with `each` is the one of its
/// first row.
pub(super) fn named_rules<'r>(all: &'r Rules, names: &[String]) -> Result<Vec<&'r Rule>, Exit> {
    let known = || all.iter().map(|rule| rule.name());
    if let Some(name) = names.iter().find(|name| known().all(|known| known != name.as_str())) {
        return Err(unknown_name("enabled rule", name, known()));
    }
    let is_wanted = |rule: &&Rule| names.is_empty() || names.iter().any(|name| name == rule.name());
    let mut found: Vec<&Rule> = all.iter().map(AsRef::as_ref).filter(is_wanted).collect();
    found.dedup_by_key(|rule| rule.name());
    Ok(found)
}

/// Prints that there is no `kind` with this name, with the nearest name or a list of all.
pub(super) fn unknown_name<'n>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Exit {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let why = format!("there is no {kind} `{}`", visible_line(name));
    match suggest_names(name, &known) {
        Some(help) => fail_with_help(why, help, Exit::Data),
        None => fail(why, Exit::Data),
    }
}
