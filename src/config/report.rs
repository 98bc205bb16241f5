//! Reads when a report of the service is sent, and to whom: `report`.

use std::collections::BTreeSet;

use jiff::civil::Time;

use super::reader::{ConfigReader, all};
use super::routing;
use tidings_rules::story::NotifierName;
use tidings_rules::story::delivery::Day;
use tidings_rules::yaml::Node;

/// When a report of the service is sent, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTimes {
    /// The time of day, in the zone of the configuration.
    pub at: Time,
    /// The days of the week.
    pub days: BTreeSet<Day>,
    /// The notifiers, each of them a key of `Config::notifiers`. `None`: those of notices.
    pub to: Option<BTreeSet<NotifierName>>,
}

/// `{at: "08:00", days: mon-fri, to: [desk]}`. `known` are the names of the notifiers.
pub(super) fn report(
    node: Node<'_>,
    known: &BTreeSet<String>,
    reader: &mut ConfigReader<'_>,
) -> Option<ReportTimes> {
    let mut entries = reader.entries(node)?;
    let at = entries.require("at", reader.faults).and_then(|node| reader.time_of_day(node));
    let days = entries.get("days").map_or_else(|| Day::span("mon-sun"), |node| days(node, reader));
    let to = entries.get("to").map_or(Some(None), |node| receivers(node, known, reader).map(Some));
    entries.refuse_unknown_keys(reader.faults);
    Some(ReportTimes { at: at?, days: days?, to: to? })
}

fn days(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<BTreeSet<Day>> {
    let spans: Vec<BTreeSet<Day>> = all(node.one_or_many().into_iter().map(|node| {
        let days = Day::span(&reader.string(node)?);
        if days.is_none() {
            reader.error(node, "these are not days", "write mon-fri, or [mon, wed, fri]");
        }
        days
    }))?;
    let days: BTreeSet<Day> = spans.into_iter().flatten().collect();
    if days.is_empty() {
        reader.error(node, "there is no day here", "write mon-fri, or [mon, wed, fri]");
        return None;
    }
    Some(days)
}

fn receivers(
    node: Node<'_>,
    known: &BTreeSet<String>,
    reader: &mut ConfigReader<'_>,
) -> Option<BTreeSet<NotifierName>> {
    let names = routing::names(node, known, reader)?;
    if names.is_empty() {
        let help = "name a notifier, or leave `to` out: then all of `notify` get it";
        reader.error(node, "the report is for nobody", help);
        return None;
    }
    Some(names)
}
