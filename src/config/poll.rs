//! Reads when feeds are polled, and with how many requests: `poll`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reader::ConfigReader;
use super::{FirstPoll, Poll};
use tidings_rules::yaml::Node;

/// The bounds of the requests at once.
const CONNECTIONS: RangeInclusive<usize> = 1..=10_000;

const LONGEST_GAP: Duration = Duration::from_hours(1);

const DEFAULT: Poll = Poll {
    min: Duration::from_mins(15),
    max: Duration::from_hours(6),
    first_poll: FirstPoll::Within(Duration::from_hours(24)),
    connections: 256,
    per_host: 1,
    gap: Duration::from_secs(1),
};

impl Default for Poll {
    fn default() -> Self {
        DEFAULT
    }
}

/// Reads `{min: 15m, max: 6h, first_poll: 24h, connections: 256, per_host: 1, gap: 1s}`. These
/// values are the defaults.
pub(super) fn poll(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<Poll> {
    let Some(node) = node else { return Some(DEFAULT) };
    let mut entries = reader.entries(node)?;
    let (min_node, max_node) = (entries.get("min"), entries.get("max"));
    let min = min_node.map_or(Some(DEFAULT.min), |node| interval(node, reader));
    let max = max_node.map_or(Some(DEFAULT.max), |node| interval(node, reader));
    let first_poll =
        entries.get("first_poll").map_or(Some(DEFAULT.first_poll), |node| first_poll(node, reader));
    let connections = entries
        .get("connections")
        .map_or(Some(DEFAULT.connections), |node| reader.count(node, &CONNECTIONS));
    let per_host = entries
        .get("per_host")
        .map_or(Some(DEFAULT.per_host), |node| reader.count(node, &CONNECTIONS));
    let gap = entries.get("gap").map_or(Some(DEFAULT.gap), |node| gap(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    if let (Some(least), Some(most)) = (min, max)
        && least > most
    {
        let help = format!(
            "now min is {} and max is {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        );
        reader.error(
            min_node.or(max_node).unwrap_or(node),
            "`min` must not be longer than `max`",
            help,
        );
    }
    Some(Poll {
        min: min?,
        max: max?,
        first_poll: first_poll?,
        connections: connections?,
        per_host: per_host?,
        gap: gap?,
    })
}

fn interval(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Duration> {
    let interval = reader.duration(node)?;
    if interval < Poll::floor(true) {
        reader.error(
            node,
            "this time between polls is too short",
            "write at least 1s; hosts that are not your own are polled at most every 5m",
        );
        return None;
    }
    Some(interval)
}

fn first_poll(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<FirstPoll> {
    match reader.string(node)?.as_str() {
        "all" => Some(FirstPoll::All),
        "none" => Some(FirstPoll::None),
        _ => reader.duration(node).map(FirstPoll::Within),
    }
}

fn gap(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Duration> {
    let gap = reader.duration(node)?;
    if gap > LONGEST_GAP {
        reader.error(
            node,
            "this pause between two requests to one host is too long",
            "write at most 1h; 1s is usual",
        );
        return None;
    }
    Some(gap)
}
