//! Matches a story whose text is final against the rules in force.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerts::{MatchResult, copies, draft};
use crate::config::Config;
use crate::daemon::in_force::InForce;
use tidings_rules::story::{FeedName, Read, Story};
use tidings_rules::{Carrier, Match};

impl InForce {
    /// Matches `story`, which `feeds` carry. Its messages are sent at `due` or later.
    pub(crate) fn match_story<'f>(
        &self,
        story: &Story,
        read: Read,
        feeds: impl IntoIterator<Item = &'f FeedName>,
        due: Timestamp,
    ) -> MatchResult {
        let carriers = self.carriers_by_name(feeds);
        let matches = self.rules.matches(story, &carriers);
        self.match_result(story, read, carriers, matches, due)
    }

    /// The alerts and the fingerprint for these matches of `story`.
    pub(crate) fn match_result(
        &self,
        story: &Story,
        read: Read,
        carriers: Vec<Carrier>,
        matches: Vec<Match>,
        due: Timestamp,
    ) -> MatchResult {
        let Config { notify, notifiers, .. } = &*self.config;
        let alerts = draft::new_alerts(matches, story, notify, notifiers);
        let feeds = carriers.into_iter().map(|carrier| carrier.name).collect();
        // A story without a match needs no fingerprint, because it has no copies to find.
        let fingerprint =
            || copies::compute_fingerprint(&story.title, &story.body, &read).map(Arc::new);
        let fingerprint = if alerts.is_empty() { None } else { fingerprint() };
        let policy = Arc::clone(&self.policies);
        MatchResult { read, fingerprint, joins: None, alerts, feeds, due, policy }
    }

    /// The feeds of these names as rules see them. A feed that left the configuration has no tags.
    pub(crate) fn carriers_by_name<'f>(
        &self,
        feeds: impl IntoIterator<Item = &'f FeedName>,
    ) -> Vec<Carrier> {
        let tags = |name: &FeedName| self.feed_tags.get(name).cloned().unwrap_or_default();
        feeds.into_iter().map(|name| Carrier { name: name.clone(), tags: tags(name) }).collect()
    }
}
