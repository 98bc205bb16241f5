//! A story whose text is settled, against the rules in force.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerts::{copies, draft};
use crate::daemon::world::World;
use crate::store::MatchResult;
use tidings_rules::story::{FeedName, Read, Story};
use tidings_rules::{Carrier, Match};

/// Matches `story`, carried by `feeds`; its messages may leave at `due`.
pub(crate) fn verdict<'f>(
    world: &World,
    story: &Story,
    read: Read,
    feeds: impl IntoIterator<Item = &'f FeedName>,
    due: Timestamp,
) -> MatchResult {
    let carriers = carriers(world, feeds);
    let matches = world.rules.load().matches(story, &carriers);
    alerts_of_story(world, story, read, carriers, matches, due)
}

/// The verdict that these matches of `story` make.
pub(crate) fn alerts_of_story(
    world: &World,
    story: &Story,
    read: Read,
    carriers: Vec<Carrier>,
    matches: Vec<Match>,
    due: Timestamp,
) -> MatchResult {
    let alerts = draft::new_alerts(matches, story, &world.config.notify, &world.config.notifiers);
    let feeds = carriers.into_iter().map(|carrier| carrier.name).collect();
    // Copies matter only for alerts: a story without a matching rule has none.
    let print = || copies::print(&story.title, &story.body, read == Read::Full).map(Box::new);
    let print = if alerts.is_empty() { None } else { print() };
    MatchResult { read, fingerprint: print, alerts, feeds, due, policy: Arc::clone(&world.policy) }
}

/// The feeds of those names as rules see them; one that left the configuration has no tags.
pub(crate) fn carriers<'f>(
    world: &World,
    feeds: impl IntoIterator<Item = &'f FeedName>,
) -> Vec<Carrier> {
    let tags = |name| world.tags.get(name).cloned().unwrap_or_default();
    feeds.into_iter().map(|name| Carrier { name: name.clone(), tags: tags(name) }).collect()
}
