//! The table of feeds.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::columns::columns;
use crate::cli::count::count;
use crate::config::{FeedConfig, ReceivingFeed};
use crate::queries::moment::short_date;
use crate::store::FeedState;
use tidings_rules::text::visible_line;

/// A feed of the configuration.
pub(super) enum FeedRow<'c> {
    /// It is polled, and this is its stored state; `None`: it was never polled.
    Polled(&'c FeedConfig, Option<Box<FeedState>>),
    /// It receives stories, the last new or edited one at this time.
    Receiving(&'c ReceivingFeed, Option<Timestamp>),
}

impl FeedRow<'_> {
    /// The state of a feed that was polled.
    fn polled_state(&self) -> Option<&FeedState> {
        match self {
            Self::Polled(_, state) => state.as_deref(),
            Self::Receiving(..) => None,
        }
    }
}

/// One row per feed, at most `width` columns wide or one line, and the number of feeds that are not
/// well.
pub(super) fn feeds_table(
    rows: &[FeedRow<'_>],
    zone: &TimeZone,
    at: Timestamp,
    width: Option<usize>,
) -> String {
    if rows.is_empty() {
        return "the configuration names no feeds\n".to_owned();
    }
    let cells = rows.iter().map(|row| feed_cells(row, zone, at)).collect();
    let unwell = rows
        .iter()
        .filter(|row| row.polled_state().is_some_and(|state| state.health(at).is_some()))
        .count();
    let summary = format!("{}, {unwell} not well", count(rows.len(), "feed", "feeds"));
    columns(["FEED", "HEALTH", "LAST CHANGE", "NEXT POLL", "WHY"], cells, &[1, 2, 3], width)
        + "\n"
        + &summary
        + "\n"
}

fn feed_cells(row: &FeedRow<'_>, zone: &TimeZone, at: Timestamp) -> [String; 5] {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| short_date(at, zone));
    let (feed, state) = match row {
        FeedRow::Polled(feed, state) => (feed, state.as_deref()),
        FeedRow::Receiving(feed, last_news) => {
            let why = "`tidings ingest` brings its stories";
            let [name, why] = [visible_line(&feed.name.0), why.to_owned()];
            return [name, "receives".to_owned(), time(*last_news), time(None), why];
        }
    };
    [
        visible_line(&feed.name.0),
        FeedState::health_word(state, at).to_owned(),
        time(state.and_then(|state| state.health_history.last_news)),
        match state.and_then(|state| state.next_poll) {
            Some(next) if next <= at => "due".to_owned(),
            next => time(next),
        },
        state.map_or_else(|| "`tidings run` polls it first".to_owned(), poll_reason),
    ]
}

/// The error, if there is one, and the reason for the time of the next poll.
fn poll_reason(state: &FeedState) -> String {
    match &state.error {
        Some(error) => format!("{}; {}", visible_line(error), visible_line(&state.next_why)),
        None => visible_line(&state.next_why),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use textwrap::core::display_width;

    use super::*;
    use crate::config::FullText;
    use crate::feed::hints::PollHints;
    use crate::polling::health::FeedHealthHistory;
    use tidings_rules::story::FeedName;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn feed(name: &str) -> FeedConfig {
        let url = "https://wire.example/feed".parse().unwrap();
        let name = FeedName(name.to_owned());
        FeedConfig {
            name,
            url,
            is_secret: false,
            tags: [].into(),
            every: None,
            full_text: FullText::Always,
            recheck: Vec::new(),
        }
    }

    fn state(feed: &FeedConfig, news: i64) -> FeedState {
        FeedState {
            name: feed.name.clone(),
            address: String::new(),
            etag: None,
            last_modified: None,
            next_poll: Some(at(40)),
            next_why: "half its usual gap of 2 h".to_owned(),
            last_poll: Some(at(-20)),
            last_good: Some(at(-20)),
            failures: 0,
            error: None,
            mean_gap: Some(Duration::from_hours(2)),
            hints: PollHints::default(),
            moved: None,
            health_history: FeedHealthHistory {
                failing_since: None,
                last_news: Some(at(news)),
                notified: None,
            },
            unreached: false,
        }
    }

    #[test]
    fn feeds_in_eighty_columns_and_in_twice_as_many() {
        let feeds = [
            feed("Yonhap"),
            feed("https://www.ministry-of-ports.example/press-releases/feed.xml?section=harbour"),
            feed("Quiet \u{1b}[2J paper"),
            feed("Old wire"),
            feed("New one"),
        ];
        let failing = FeedState {
            next_why: "failed 3 times in a row".to_owned(),
            failures: 3,
            error: Some("the certificate is not valid: it has expired".to_owned()),
            health_history: FeedHealthHistory {
                failing_since: Some(at(-300)),
                ..state(&feeds[1], -600).health_history
            },
            ..state(&feeds[1], -600)
        };
        let gone = FeedState {
            next_poll: None,
            next_why: "gone for good (410), as its server says".to_owned(),
            error: Some("the server answered 410 Gone".to_owned()),
            ..state(&feeds[3], -99_999)
        };
        let silent = FeedState { next_poll: Some(at(-1)), ..state(&feeds[2], -9_999) };
        let states = [Some(state(&feeds[0], -25)), Some(failing), Some(silent), Some(gone), None];
        let name = FeedName("telegram".to_owned());
        let receiving = ReceivingFeed { name, tags: [].into() };
        let polled = feeds
            .iter()
            .zip(states)
            .map(|(feed, state)| FeedRow::Polled(feed, state.map(Box::new)));
        let rows: Vec<_> = polled.chain([FeedRow::Receiving(&receiving, Some(at(-7)))]).collect();
        for width in [80, 160] {
            let table = feeds_table(&rows, &TimeZone::UTC, at(0), Some(width));
            assert!(table.lines().all(|line| display_width(line) <= width), "{table}");
            assert_snapshot!(format!("feeds_in_{width}"), table);
        }
    }

    #[test]
    fn where_there_is_none_it_says_so() {
        assert_eq!(
            feeds_table(&[], &TimeZone::UTC, at(0), None),
            "the configuration names no feeds\n"
        );
    }
}
