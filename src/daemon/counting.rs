//! What polls, pages and attempts add to the metrics.

use jiff::Timestamp;

use crate::alerts::MatchResult;
use crate::alerts::retry::Finish;
use crate::clock::until;
use crate::metrics::{AttemptMetric, Metrics, PageMetric, StoryMetric};
use crate::store::{Lease, PollRecord, StoryPlan};
use tidings_rules::story::Read;

/// Counts the new stories of a poll, and how late they were seen. A story that waits is
/// counted when it is settled.
pub(crate) fn count_poll(metrics: &Metrics, record: &PollRecord) {
    let changes = record.items.iter().filter_map(|item| item.story_change.as_ref());
    for (story, plan) in changes {
        // An older item may have stood in the feed before the feed was watched.
        if let Some(published) = story.published.filter(|_| !matches!(plan, StoryPlan::Record(_))) {
            metrics.observe_lag(until(record.now, published));
        }
        match plan {
            StoryPlan::Record(_) => metrics.count_story(StoryMetric::Recorded),
            StoryPlan::ReadPage | StoryPlan::AwaitMatch => {}
            StoryPlan::Settle(result) => count_match(metrics, result),
        }
    }
}

/// Counts a story that was matched, and its alerts.
pub(crate) fn count_match(metrics: &Metrics, result: &MatchResult) {
    let is_matched = !result.alerts.is_empty();
    metrics.count_story(if is_matched { StoryMetric::Matched } else { StoryMetric::Unmatched });
    for alert in &result.alerts {
        metrics.count_alert(alert.rule_match.severity);
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
