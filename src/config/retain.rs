//! Reads how long the store keeps data: `retain`.

use std::time::Duration;

use super::Retain;
use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

const DAY: Duration = Duration::from_hours(24);

/// The time for which edits of a story are matched. Its alerts must be kept for as long.
const LEAST: Duration = DAY.saturating_mul(7);

const DEFAULT: Retain = Retain { stories: Some(DAY.saturating_mul(90)), alerts: None };

/// Reads `{stories: 90d, alerts: forever}`. These values are the defaults.
pub(super) fn retain(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<Retain> {
    let Some(node) = node else { return Some(DEFAULT) };
    let mut entries = reader.entries(node)?;
    let stories = entries.get("stories").map_or(Some(DEFAULT.stories), |node| age(node, reader));
    let alerts = entries.get("alerts").map_or(Some(DEFAULT.alerts), |node| age(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    Some(Retain { stories: stories?, alerts: alerts? })
}

/// A time, or `forever`.
#[expect(clippy::option_option, reason = "the inner `None` is `forever`, the outer a fault")]
fn age(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Option<Duration>> {
    if reader.string(node)? == "forever" {
        return Some(None);
    }
    let age = reader.duration(node)?;
    if age < LEAST {
        let help = "write at least 7d, or `forever`: edits of a story are matched for 7d";
        reader.error(node, "this time to keep things is too short", help);
        return None;
    }
    Some(Some(age))
}
