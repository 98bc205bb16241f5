//! How long the store keeps what it holds: `retain`.

use std::time::Duration;

use super::Retain;
use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

const DAY: Duration = Duration::from_hours(24);

/// The time for which edits of a story are matched, so its alerts must be kept.
const LEAST: Duration = DAY.saturating_mul(7);

const DEFAULT: Retain = Retain { stories: Some(DAY.saturating_mul(90)), alerts: None };

/// `{stories: 90d, alerts: forever}`, which are the defaults, too.
pub(super) fn retain(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<Retain> {
    let Some(node) = node else { return Some(DEFAULT) };
    let mut entries = reader.entries(node)?;
    let stories = entries.get("stories").map_or(Some(DEFAULT.stories), |node| age(node, reader));
    let alerts = entries.get("alerts").map_or(Some(DEFAULT.alerts), |node| age(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    Some(Retain { stories: stories?, alerts: alerts? })
}

/// A time, or `forever`.
#[expect(clippy::option_option, reason = "none is `forever`; and no age at all is a fault")]
fn age(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Option<Duration>> {
    if reader.string(node)? == "forever" {
        return Some(None);
    }
    let age = reader.duration(node)?;
    if age < LEAST {
        let help = "write at least 7d, or `forever`: for so long edits of a story are matched";
        reader.error(node, "this is too short a time to keep things", help);
        return None;
    }
    Some(Some(age))
}
