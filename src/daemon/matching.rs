//! Matches a story whose text is final against the rules in force.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerts::{copies, draft};
use crate::daemon::context::RunContext;
use crate::store::MatchResult;
use tidings_rules::story::{FeedName, Read, Story};
use tidings_rules::{Carrier, Match};

/// Matches `story`, which `feeds` carry. Its messages are sent at `due` or later.
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

/// The alerts and the fingerprint for these matches of `story`.
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
    // A story without a match needs no fingerprint, because it has no copies to find.
    let fingerprint = || copies::print(&story.title, &story.body, read == Read::Full).map(Box::new);
    let fingerprint = if alerts.is_empty() { None } else { fingerprint() };
    MatchResult { read, fingerprint, alerts, feeds, due, policy: Arc::clone(&context.policies) }
}

/// The feeds of these names as rules see them. A feed that left the configuration has no tags.
pub(crate) fn carriers_by_name<'f>(
    context: &RunContext,
    feeds: impl IntoIterator<Item = &'f FeedName>,
) -> Vec<Carrier> {
    let tags = |name| context.feed_tags.get(name).cloned().unwrap_or_default();
    feeds.into_iter().map(|name| Carrier { name: name.clone(), tags: tags(name) }).collect()
}
