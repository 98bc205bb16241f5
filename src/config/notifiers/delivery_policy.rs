//! Reads the delivery policy of a notifier of any type: `quiet` and `limit`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::reader::{ConfigReader, all};
use tidings_rules::story::Severity;
use tidings_rules::story::delivery::{DeliveryPolicy, QuietHours, RateLimit};
use tidings_rules::yaml::{Entries, Node};

/// The largest number of messages in a limit.
const MOST: u32 = 100_000;

pub(super) fn delivery_policy(
    entries: &mut Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<DeliveryPolicy> {
    let quiet = entries.get("quiet").map(|node| quiet(node, reader));
    let limit = entries.get("limit").map(|node| limit(node, reader));
    let missing = matches!(quiet, Some(None)) || matches!(limit, Some(None));
    (!missing).then(|| DeliveryPolicy { quiet: quiet.flatten(), limit: limit.flatten() })
}

/// `{from: "22:00", to: "07:00", except: [critical]}`.
fn quiet(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<QuietHours> {
    let mut entries = reader.entries(node)?;
    let from = entries.require("from", reader.faults).and_then(|node| reader.time_of_day(node));
    let to_node = entries.require("to", reader.faults);
    let to = to_node.and_then(|node| reader.time_of_day(node));
    let except = entries
        .get("except")
        .map_or_else(|| Some(BTreeSet::new()), |node| severities(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    if let (Some(at), true) = (to_node, from.is_some() && from == to) {
        reader.error(
            at,
            "quiet hours cannot end when they begin",
            "write another time, or remove `quiet`",
        );
        return None;
    }
    Some(QuietHours { from: from?, to: to?, except: except? })
}

fn severities(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<BTreeSet<Severity>> {
    let words = Severity::ALL.map(|severity| (severity.as_str(), severity));
    all(node.one_or_many().into_iter().map(|node| reader.choice(node, &words)))
}

/// `30/h`: a number of messages for each minute, hour or day.
fn limit(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<RateLimit> {
    let text = reader.string(node)?;
    let limit = text.split_once('/').and_then(|(most, per)| {
        let most = most.trim().parse().ok().filter(|most| (1..=MOST).contains(most))?;
        let per = match per.trim() {
            "m" | "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return None,
        };
        Some(RateLimit { most, per })
    });
    if limit.is_none() {
        reader.error(
            node,
            "this is not a limit",
            "write a number of messages and a minute, hour or day: 5/m, 30/h, 200/d",
        );
    }
    limit
}
