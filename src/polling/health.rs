//! The health of feeds: which notices are sent when a feed fails, falls silent, or recovers. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::later;
use tidings_rules::story::FeedName;

/// How long a feed fails before a notice is sent.
const FAILING: Duration = Duration::from_hours(24);

/// The number of mean gaps without news after which a notice is sent.
const GAPS: u32 = 4;

/// The shortest silence that causes a notice.
const SILENT: Duration = Duration::from_hours(3 * 24);

/// The past polls of a feed that determine its health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedHealthHistory {
    /// The time of the first failed poll since the last good one; `None` if the last poll was good.
    pub failing_since: Option<Timestamp>,
    /// The last poll that brought a new or edited item. Before any has, the first good poll.
    pub last_news: Option<Timestamp>,
    /// The last notice that was sent; `None` once its recovery was sent.
    pub notified: Option<FeedHealth>,
}

/// Why a feed is not healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedHealth {
    /// Its server answered that it is permanently gone.
    Gone,
    /// Its last poll failed. A notice is sent after a day.
    Failing,
    /// Its polls succeed, but it has had no news for four times its usual gap and for three days.
    Silent,
}

impl FeedHealth {
    /// The name in the store, in dedup keys and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Silent => "silent",
        }
    }
}

/// The result of one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollResult<'p> {
    /// The document was read, or it has not changed.
    Well {
        /// Whether an item is new or edited.
        has_news: bool,
        /// The feed's usual gap, if it is known.
        gap: Option<Duration>,
    },
    /// No document could be read.
    Failed {
        /// The reason, in words.
        why: &'p str,
        /// Whether the server answered that the feed is permanently gone.
        gone: bool,
    },
}

/// A time in which no feed could be read, although feeds of several hosts were polled. The feeds
/// are probably not the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The last time that a feed was read.
    pub since: Timestamp,
    /// Whether a notice was sent about it.
    pub notified: bool,
}

/// A notice about one feed or about all feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedNotice {
    /// What happened.
    pub kind: FeedNoticeKind,
    /// The feed. For an outage, the feed whose poll caused the notice.
    pub feed: FeedName,
    /// The start of what happened.
    pub since: Timestamp,
    /// The error in words, or how often the feed usually has news.
    pub why: String,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedNoticeKind {
    /// The feed is permanently gone and is not polled any more.
    Gone,
    /// Its last poll failed. A notice is sent after a day.
    Failing,
    /// The feed has had no news for long.
    Silent,
    /// The feed is healthy again.
    Well,
    /// No feed could be read for a day. One notice stands for all feeds.
    Away,
    /// A feed was read again after an outage.
    Back,
}

impl FeedNoticeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gone => FeedHealth::Gone.as_str(),
            Self::Failing => FeedHealth::Failing.as_str(),
            Self::Silent => FeedHealth::Silent.as_str(),
            Self::Well => "well",
            Self::Away => "away",
            Self::Back => "back",
        }
    }
}

impl FeedNotice {
    /// The start of the dedup keys of its messages. A key ends in the receiver, so each receiver
    /// gets one message.
    #[must_use]
    pub fn dedup_prefix(&self) -> String {
        let subject = if matches!(self.kind, FeedNoticeKind::Away | FeedNoticeKind::Back) {
            ""
        } else {
            &*self.feed.0
        };
        format!("notice:{}:{subject}:{}:", self.kind.as_str(), self.since.as_millisecond())
    }
}

/// Returns the history of `feed` after a poll at `at`, and the notices that are due.
///
/// `error` is the error of the poll before, if it failed. `outage` is the outage before a
/// successful poll, or the outage that a failed poll belongs to.
#[must_use]
pub fn record_poll(
    feed: &FeedName,
    before: FeedHealthHistory,
    ended: PollResult<'_>,
    error: Option<&str>,
    outage: Option<Outage>,
    at: Timestamp,
) -> (FeedHealthHistory, Vec<FeedNotice>) {
    let notice = |kind, since: Option<Timestamp>, why: &str| FeedNotice {
        kind,
        feed: feed.clone(),
        since: since.unwrap_or(at),
        why: why.to_owned(),
    };
    match ended {
        PollResult::Failed { why, gone } => {
            let (history, kind, since) = after_failure(before, gone, outage, at);
            (history, kind.map(|kind| notice(kind, since, why)).into_iter().collect())
        }
        PollResult::Well { has_news, gap } => {
            let (history, kind, since, why) = after_success(before, has_news, gap, error, at);
            let ended = outage.filter(|outage| outage.notified).map(|outage| {
                let why = error.unwrap_or("none could be read");
                notice(FeedNoticeKind::Back, Some(outage.since), why)
            });
            let own = kind.map(|kind| notice(kind, since, &why));
            (history, own.into_iter().chain(ended).collect())
        }
    }
}

/// The history after a failed poll, and the kind and start of the notice that is due.
fn after_failure(
    before: FeedHealthHistory,
    gone: bool,
    outage: Option<Outage>,
    at: Timestamp,
) -> (FeedHealthHistory, Option<FeedNoticeKind>, Option<Timestamp>) {
    let failing_since = before.failing_since.unwrap_or(at);
    let history = FeedHealthHistory { failing_since: Some(failing_since), ..before };
    let (health, kind) = if gone {
        (FeedHealth::Gone, FeedNoticeKind::Gone)
    } else {
        (FeedHealth::Failing, FeedNoticeKind::Failing)
    };
    match outage.filter(|outage| !gone && outage.since < failing_since) {
        Some(Outage { since, notified: false }) if later(since, FAILING) <= at => {
            (history, Some(FeedNoticeKind::Away), Some(since))
        }
        Some(_) => (history, None, None),
        None if before.notified == Some(health) || !gone && later(failing_since, FAILING) > at => {
            (history, None, None)
        }
        None => {
            let history = FeedHealthHistory { notified: Some(health), ..history };
            (history, Some(kind), history.failing_since)
        }
    }
}

/// The history after a successful poll, and the kind, the start and the reason of the notice that
/// is due.
fn after_success(
    before: FeedHealthHistory,
    has_news: bool,
    gap: Option<Duration>,
    error: Option<&str>,
    at: Timestamp,
) -> (FeedHealthHistory, Option<FeedNoticeKind>, Option<Timestamp>, String) {
    let last_news = if has_news { Some(at) } else { before.last_news.or(Some(at)) };
    let history = FeedHealthHistory { failing_since: None, last_news, ..before };
    let well = |since, why: &str| {
        let history = FeedHealthHistory { notified: None, ..history };
        (history, Some(FeedNoticeKind::Well), since, why.to_owned())
    };
    match (before.notified, silence_of(&history, gap, at)) {
        (None, Some(gap)) => {
            let why = format!("it usually brings something every {gap}");
            let history = FeedHealthHistory { notified: Some(FeedHealth::Silent), ..history };
            (history, Some(FeedNoticeKind::Silent), last_news, why)
        }
        (Some(FeedHealth::Gone | FeedHealth::Failing), _) => {
            well(before.failing_since, error.unwrap_or("it could not be read"))
        }
        (Some(FeedHealth::Silent), _) if has_news => {
            well(before.last_news, "it had brought nothing new")
        }
        (None | Some(FeedHealth::Silent), _) => (history, None, None, String::new()),
    }
}

/// The health of a feed at `now`, for lists and tables; `None` if it is healthy. It does not depend
/// on notices. `gone` means that the feed is not polled any more.
#[must_use]
pub fn assess_health(
    history: &FeedHealthHistory,
    gone: bool,
    gap: Option<Duration>,
    now: Timestamp,
) -> Option<FeedHealth> {
    if gone {
        Some(FeedHealth::Gone)
    } else if history.failing_since.is_some() {
        Some(FeedHealth::Failing)
    } else {
        silence_of(history, gap, now).map(|_| FeedHealth::Silent)
    }
}

/// The usual gap, rounded to minutes, of a feed that has been silent for too long.
fn silence_of(
    history: &FeedHealthHistory,
    gap: Option<Duration>,
    now: Timestamp,
) -> Option<humantime::FormattedDuration> {
    let gap = gap?;
    let since = history.last_news?;
    let minutes = Duration::from_mins((gap.as_secs() / 60).max(1));
    (later(since, gap.saturating_mul(GAPS).max(SILENT)) <= now)
        .then(|| humantime::format_duration(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const FAILED: PollResult<'_> = PollResult::Failed { why: "connection refused", gone: false };

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).expect("in range")
    }

    fn quiet(gap: Option<Duration>) -> PollResult<'static> {
        PollResult::Well { has_news: false, gap }
    }

    fn news() -> PollResult<'static> {
        PollResult::Well { has_news: true, gap: Some(HOUR) }
    }

    /// The notices about a feed that is polled at these hours: their hour, kind and start.
    fn list_notices(polls: &[(i64, PollResult<'_>)]) -> Vec<(i64, FeedNoticeKind, i64)> {
        list_notices_during(None, polls)
    }

    /// The same during an outage since hour `since`.
    fn list_notices_during(
        outage: Option<i64>,
        polls: &[(i64, PollResult<'_>)],
    ) -> Vec<(i64, FeedNoticeKind, i64)> {
        let feed = FeedName("wire".to_owned());
        let mut outage = outage.map(|since| Outage { since: at(since), notified: false });
        let (mut history, mut error, mut sent) = (FeedHealthHistory::default(), None, Vec::new());
        for (hour, ended) in polls {
            let (after, notices) = record_poll(&feed, history, *ended, error, outage, at(*hour));
            history = after;
            error = if let PollResult::Failed { why, .. } = ended { Some(*why) } else { None };
            if let Some(outage) = &mut outage {
                outage.notified |= notices.iter().any(|notice| notice.kind == FeedNoticeKind::Away);
            }
            let notices = notices
                .iter()
                .map(|notice| (notice.kind, notice.since.as_second() - 1_800_000_000));
            sent.extend(notices.map(|(kind, since)| (*hour, kind, since / 3600)));
        }
        sent
    }

    #[test]
    fn a_feed_that_fails_for_a_day_is_reported_once_and_so_is_its_return() {
        let polls = [
            (0, news()),
            (1, FAILED),
            (24, FAILED),
            (25, FAILED),
            (49, FAILED),
            (60, news()),
            (61, news()),
        ];
        assert_eq!(
            list_notices(&polls),
            [(25, FeedNoticeKind::Failing, 1), (60, FeedNoticeKind::Well, 1)]
        );
    }

    #[test]
    fn where_no_feed_was_read_for_a_day_one_notice_stands_for_all() {
        let polls = [(1, FAILED), (23, FAILED), (24, FAILED), (49, FAILED), (60, news())];
        assert_eq!(
            list_notices_during(Some(0), &polls),
            [(24, FeedNoticeKind::Away, 0), (60, FeedNoticeKind::Back, 0)]
        );
        assert_eq!(
            list_notices_during(Some(0), &[(1, FAILED), (26, news())]),
            [],
            "nobody was notified of its start"
        );
        let key = |feed: &str, kind| {
            let (feed, since) = (FeedName(feed.to_owned()), at(0));
            FeedNotice { kind, feed, since, why: String::new() }.dedup_prefix()
        };
        assert_eq!(
            key("wire", FeedNoticeKind::Away),
            key("paper", FeedNoticeKind::Away),
            "so all make one message"
        );
        assert_ne!(key("wire", FeedNoticeKind::Away), key("wire", FeedNoticeKind::Back));

        let own = [(25, FeedNoticeKind::Failing, 1), (60, FeedNoticeKind::Well, 1)];
        let polls = [(1, FAILED), (24, FAILED), (25, FAILED), (49, FAILED), (60, news())];
        assert_eq!(
            list_notices_during(Some(2), &polls),
            own,
            "another feed could be read meanwhile"
        );
        let gone = PollResult::Failed { why: "410", gone: true };
        assert_eq!(
            list_notices_during(Some(0), &[(1, FAILED), (26, gone)]),
            [(26, FeedNoticeKind::Gone, 1)]
        );
    }

    #[test]
    fn the_end_of_an_outage_is_reported_beside_the_notice_of_the_feed() {
        let (feed, outage) = (FeedName("wire".to_owned()), Outage { since: at(0), notified: true });
        let ill = FeedHealthHistory {
            failing_since: Some(at(-9)),
            last_news: None,
            notified: Some(FeedHealth::Failing),
        };
        let (history, notices) =
            record_poll(&feed, ill, news(), Some("refused"), Some(outage), at(30));
        assert_eq!(history.notified, None);
        assert_eq!(
            notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(),
            [FeedNoticeKind::Well, FeedNoticeKind::Back]
        );
    }

    #[test]
    fn a_failure_that_passes_within_a_day_is_reported_to_nobody() {
        assert_eq!(
            list_notices(&[
                (0, news()),
                (1, FAILED),
                (24, FAILED),
                (25, news()),
                (26, FAILED),
                (27, FAILED)
            ]),
            []
        );
    }

    #[test]
    fn what_is_gone_for_good_is_reported_at_once() {
        let gone = PollResult::Failed { why: "410", gone: true };
        assert_eq!(
            list_notices(&[(0, news()), (1, gone), (90, news())]),
            [(1, FeedNoticeKind::Gone, 1), (90, FeedNoticeKind::Well, 1)]
        );
        let polls = [(0, FAILED), (25, FAILED), (26, gone), (50, gone)];
        assert_eq!(
            list_notices(&polls),
            [(25, FeedNoticeKind::Failing, 0), (26, FeedNoticeKind::Gone, 0)]
        );
    }

    #[test]
    fn four_usual_gaps_and_three_days_without_news_are_a_silence() {
        let hourly = quiet(Some(HOUR));
        assert_eq!(
            list_notices(&[(0, news()), (71, hourly), (72, hourly), (90, hourly)]),
            [(72, FeedNoticeKind::Silent, 0)]
        );
        let daily = quiet(Some(24 * HOUR));
        let polls =
            [(0, news()), (72, daily), (95, daily), (96, daily), (100, news()), (101, daily)];
        assert_eq!(
            list_notices(&polls),
            [(96, FeedNoticeKind::Silent, 0), (100, FeedNoticeKind::Well, 0)]
        );
        assert_eq!(
            list_notices(&[(0, news()), (9000, quiet(None))]),
            [],
            "nobody knows what is usual"
        );
    }

    #[test]
    fn a_feed_that_never_brought_news_is_silent_since_it_was_first_read() {
        assert_eq!(
            list_notices(&[
                (5, quiet(Some(HOUR))),
                (76, quiet(Some(HOUR))),
                (77, quiet(Some(HOUR)))
            ]),
            [(77, FeedNoticeKind::Silent, 5)]
        );
    }

    #[test]
    fn a_silent_feed_that_fails_is_reported_as_failing_and_then_as_well() {
        let hourly = quiet(Some(HOUR));
        let polls = [(0, news()), (72, hourly), (73, FAILED), (97, FAILED), (98, news())];
        assert_eq!(
            list_notices(&polls),
            [
                (72, FeedNoticeKind::Silent, 0),
                (97, FeedNoticeKind::Failing, 73),
                (98, FeedNoticeKind::Well, 73)
            ]
        );
    }

    #[test]
    fn why_is_the_failure_or_what_is_usual() {
        let feed = FeedName("wire".to_owned());
        let failing = FeedHealthHistory {
            failing_since: Some(at(0)),
            last_news: Some(at(-1)),
            notified: None,
        };
        let (history, notice) = record_poll(&feed, failing, FAILED, None, None, at(24));
        let [notice] = &*notice else { panic!("a day") };
        assert_eq!(
            (notice.why.as_str(), notice.dedup_prefix()),
            ("connection refused", "notice:failing:wire:1800000000000:".to_owned())
        );
        let back = record_poll(&feed, history, news(), Some("connection refused"), None, at(25))
            .1
            .remove(0);
        assert_eq!(back.why, "connection refused");
        let silent = FeedHealthHistory { failing_since: None, ..failing };
        let silent =
            record_poll(&feed, silent, quiet(Some(90 * HOUR / 60)), None, None, at(71)).1.remove(0);
        assert_eq!(silent.why, "it usually brings something every 1h 30m");
    }

    #[test]
    fn the_health_of_a_feed_is_shown_before_it_is_reported() {
        let history =
            FeedHealthHistory { failing_since: None, last_news: Some(at(0)), notified: None };
        assert_eq!(assess_health(&history, false, Some(HOUR), at(71)), None);
        assert_eq!(assess_health(&history, false, Some(HOUR), at(72)), Some(FeedHealth::Silent));
        let failing = FeedHealthHistory { failing_since: Some(at(1)), ..history };
        assert_eq!(assess_health(&failing, false, Some(HOUR), at(1)), Some(FeedHealth::Failing));
        assert_eq!(assess_health(&failing, true, None, at(1)), Some(FeedHealth::Gone));
    }
}
