//! Reads the notifiers of rules without `notify`: the key `notify` of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::DefaultNotifiers;
use super::reader::{ConfigReader, all};
use tidings_rules::fault::nearest;
use tidings_rules::story::{NotifierName, Severity};
use tidings_rules::yaml::{Entries, Node};

/// Reads `[desk]`, or notifiers by severity: `{critical: [phone], default: [desk]}`.
pub(super) fn routing(
    config: &mut Entries<'_>,
    known: &BTreeSet<String>,
    reader: &mut ConfigReader<'_>,
) -> Option<DefaultNotifiers> {
    let Some(node) = config.get("notify") else {
        let warning = config
            .node()
            .warning("`notify` is missing: alerts of a rule without `notify` are sent to nobody");
        reader.faults.push(
            warning.help(
                "write `notify: [NAME]`; or `notify: []`, if every rule has its own `notify`",
            ),
        );
        return Some(DefaultNotifiers { default: BTreeSet::new(), by_severity: BTreeMap::new() });
    };
    if !node.is_mapping() {
        return Some(DefaultNotifiers {
            default: names(node, known, reader)?,
            by_severity: BTreeMap::new(),
        });
    }
    let mut entries = reader.entries(node)?;
    let given = Severity::ALL.map(|severity| entries.get(severity.as_str()).zip(Some(severity)));
    let by_severity = all(given
        .into_iter()
        .flatten()
        .map(|(node, severity)| names(node, known, reader).map(|names| (severity, names))));
    let default = if let Some(node) = entries.get("default") {
        names(node, known, reader)
    } else {
        let warning = node.warning(
            "`default` is missing: alerts of severities that are not listed here are sent to nobody",
        );
        reader
            .faults
            .push(warning.help("write `default: [NAME]`; or `default: []` to send them to nobody"));
        Some(BTreeSet::new())
    };
    entries.refuse_unknown_keys(reader.faults);
    Some(DefaultNotifiers { default: default?, by_severity: by_severity? })
}

/// Names of notifiers.
pub(super) fn names(
    node: Node<'_>,
    known: &BTreeSet<String>,
    reader: &mut ConfigReader<'_>,
) -> Option<BTreeSet<NotifierName>> {
    all(node.one_or_many().into_iter().map(|node| name(node, known, reader)))
}

fn name(
    node: Node<'_>,
    known: &BTreeSet<String>,
    reader: &mut ConfigReader<'_>,
) -> Option<NotifierName> {
    let name = reader.name(node)?;
    if known.contains(&name) {
        return Some(NotifierName(name));
    }
    let all = known.iter().map(String::as_str);
    let help = match nearest(&name, all.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => {
            "describe it under `notifiers`, for example `console: {type: console}`".to_owned()
        }
        None => format!("`notifiers` has: {}", all.collect::<Vec<_>>().join(", ")),
    };
    reader.error(node, format!("there is no notifier `{name}`"), help);
    None
}
