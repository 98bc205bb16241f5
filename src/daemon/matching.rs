//! A story whose text is settled, against the rules in force.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerts::{copies, draft};
use crate::daemon::context::RunContext;
use crate::store::MatchResult;
use tidings_rules::story::{FeedName, Read, Story};
use tidings_rules::{Carrier, Match};

/// Matches `story`, carried by `feeds`; its messages may leave at `due`.
pub(crate) fn match_story<'f>(
    context: &RunContext,
    story: &Story,
    read: Read,
    feeds: impl IntoIterator<Item = &'f FeedName>,
    due: Timestamp,
) -> MatchResult {
    let carriers = carriers_by_name(context, feeds);
    let matches = context.rules.load().matches(story, &carriers);
    match_result(context, story, read, carriers, matches, due)
}

/// The verdict that these matches of `story` make.
pub(crate) fn match_result(
    context: &RunContext,
    story: &Story,
    read: Read,
    carriers: Vec<Carrier>,
    matches: Vec<Match>,
    due: Timestamp,
) -> MatchResult {
    let alerts =
        draft::new_alerts(matches, story, &context.config.notify, &context.config.notifiers);
    let feeds = carriers.into_iter().map(|carrier| carrier.name).collect();
    // Copies matter only for alerts: a story without a matching rule has none.
    let print = || copies::print(&story.title, &story.body, read == Read::Full).map(Box::new);
    let print = if alerts.is_empty() { None } else { print() };
    MatchResult {
        read,
        fingerprint: print,
        alerts,
        feeds,
        due,
        policy: Arc::clone(&context.policies),
    }
}

/// The feeds of those names as rules see them; one that left the configuration has no tags.
pub(crate) fn carriers_by_name<'f>(
    context: &RunContext,
    feeds: impl IntoIterator<Item = &'f FeedName>,
) -> Vec<Carrier> {
    let tags = |name| context.feed_tags.get(name).cloned().unwrap_or_default();
    feeds.into_iter().map(|name| Carrier { name: name.clone(), tags: tags(name) }).collect()
}
