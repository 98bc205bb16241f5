//! What polls, pages and attempts add to the metrics.

use std::time::Duration;

use jiff::Timestamp;

use crate::alerts::MatchResult;
use crate::alerts::retry::Finish;
use crate::clock::until;
use crate::metrics::{AttemptMetric, Metrics, PageMetric, StoryMetric};
use crate::store::{Lease, PollRecord, StoryPlan};
use tidings_rules::story::{Read, Severity};

/// What stories add to the metrics, once the store has recorded them. What it could not record is
/// done again.
#[derive(Debug, Default)]
pub(crate) struct StoryTally {
    lags: Vec<Duration>,
    stories: Vec<StoryMetric>,
    alerts: Vec<Severity>,
}

impl StoryTally {
    /// The new stories of a poll, and how late they were seen. A story that waits is counted when
    /// it is settled.
    pub(crate) fn of_poll(record: &PollRecord) -> Self {
        let mut counts = Self::default();
        let changes = record.items.iter().filter_map(|item| item.story_change.as_ref());
        for (story, plan) in changes {
            // An older item may have stood in the feed before the feed was watched.
            let is_new = !matches!(plan, StoryPlan::Record(_));
            let lag = story.published.filter(|_| is_new).map(|at| until(record.now, at));
            counts.lags.extend(lag);
            match plan {
                StoryPlan::Record(_) => counts.stories.push(StoryMetric::Recorded),
                StoryPlan::ReadPage | StoryPlan::AwaitMatch => {}
                StoryPlan::Settle(result) => counts.count_match(result),
            }
        }
        counts
    }

    /// A story that was matched, and its alerts.
    pub(crate) fn of_match(result: &MatchResult) -> Self {
        let mut counts = Self::default();
        counts.count_match(result);
        counts
    }

    fn count_match(&mut self, result: &MatchResult) {
        let is_matched = !result.alerts.is_empty();
        self.stories.push(if is_matched { StoryMetric::Matched } else { StoryMetric::Unmatched });
        self.alerts.extend(result.alerts.iter().map(|alert| alert.rule_match.severity));
    }

    /// Adds them to `metrics`.
    pub(crate) fn add_to(self, metrics: &Metrics) {
        self.lags.into_iter().for_each(|lag| metrics.observe_lag(lag));
        self.stories.into_iter().for_each(|status| metrics.count_story(status));
        self.alerts.into_iter().for_each(|severity| metrics.count_alert(severity));
    }
}

/// Counts a page by how much of the article was read; `None`: it is tried again.
pub(crate) fn count_page(metrics: &Metrics, read: Option<&Read>) {
    metrics.count_page(match read {
        Some(Read::Full) => PageMetric::Full,
        Some(Read::Partial(_)) => PageMetric::Partial,
        Some(Read::Teaser(_)) => PageMetric::Teaser,
        None => PageMetric::Again,
    });
}

/// Counts an attempt that ended at `now`, and how late its message was sent.
pub(crate) fn count_attempt(metrics: &Metrics, lease: &Lease, finish: &Finish, now: Timestamp) {
    let notifier = &lease.receiver.notifier;
    let outcome = match finish {
        Finish::Sent(_) => AttemptMetric::Sent,
        Finish::Retry(_) | Finish::TooLarge(_) => AttemptMetric::Again,
        Finish::Dead(_) => AttemptMetric::Dead,
    };
    metrics.count_attempt(notifier, outcome);
    if let Some(first_seen) = lease.first_seen.filter(|_| outcome == AttemptMetric::Sent) {
        metrics.observe_delivery(notifier, until(now, first_seen));
    }
}
