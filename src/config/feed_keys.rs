//! Reads the keys that several kinds of feeds have.

use std::collections::BTreeSet;
use std::time::Duration;

use super::reader::{ConfigReader, all};
use super::{FullText, Poll};
use tidings_rules::yaml::Node;

/// The name of a feed.
pub(super) fn name(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<String> {
    let name = reader.name(node)?;
    if name.starts_with("tag:") {
        reader.error(
            node,
            "a feed's name cannot begin with `tag:`",
            "rules write tag:NAME for all feeds of a tag",
        );
        return None;
    }
    Some(name)
}

/// The tags of a feed.
pub(super) fn tags(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<BTreeSet<String>> {
    all(node.one_or_many().into_iter().map(|node| reader.name(node)))
}

/// The interval of a feed. `own` is whether its host is the user's own, if that is known.
pub(super) fn every(
    node: Node<'_>,
    own: Option<bool>,
    reader: &mut ConfigReader<'_>,
) -> Option<Duration> {
    let every = reader.duration(node)?;
    let least = Poll::floor(own.unwrap_or(true));
    if every < least {
        let help = if own == Some(false) {
            "publishers block clients that poll more often; a host of your own can be polled every second: list its address in `network: {allow: […]}`"
        } else {
            "no feed is polled more often than once a second"
        };
        reader.error(
            node,
            format!("`every` must be at least {} here", humantime::format_duration(least)),
            help,
        );
        return None;
    }
    Some(every)
}

/// Whether the pages of a feed are fetched.
pub(super) fn full_text(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<FullText> {
    reader.choice(
        node,
        &[("always", FullText::Always), ("hinted", FullText::Hinted), ("never", FullText::Never)],
    )
}
