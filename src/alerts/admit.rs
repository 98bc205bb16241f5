//! Which items may alert at all, and when their messages may leave. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::config::FirstPoll;

/// How long after a story was first seen its edits are still matched.
const EDITS_COUNT_FOR: Duration = Duration::from_hours(7 * 24);

/// How many undated items of a feed's first document may alert: its newest, if it is in the usual
/// order.
const UNDATED_AT_FIRST: usize = 10;

/// How long a message waits for copies of its story while other polls are under way.
const WAIT_FOR_COPIES: Duration = Duration::from_secs(1);

/// Whether an item that was never seen before may alert; if not, why.
///
/// `first_poll` is given at the feed's first poll only: whatever appears later is news, however old
/// it says it is. Those dated in the future count as published now, and so do the first ten undated
/// ones: `undated` counts those that stand before the item.
pub fn new_item(
    published: Option<Timestamp>,
    undated: usize,
    first_poll: Option<FirstPoll>,
    now: Timestamp,
) -> Result<(), String> {
    match first_poll {
        None | Some(FirstPoll::All) => Ok(()),
        Some(FirstPoll::None) => Err("it was there at the feed's first poll".to_owned()),
        Some(FirstPoll::Within(reach)) => match published {
            Some(at) if age(at, now) > reach => {
                Err("it was older than `first_poll` at the feed's first poll".to_owned())
            }
            None if undated >= UNDATED_AT_FIRST => {
                let why = "it was undated, and not among the first ten undated items at the feed's first poll";
                Err(why.to_owned())
            }
            _ => Ok(()),
        },
    }
}

/// How many undated items stand before each item of a document.
pub fn undated_places(published: impl Iterator<Item = Option<Timestamp>>) -> Vec<usize> {
    let places = published.scan(0, |undated, at| {
        let before = *undated;
        *undated += usize::from(at.is_none());
        Some(before)
    });
    places.collect()
}

/// Whether an edit of an item that was seen before may alert; if not, why. `recorded`: the story
/// never could.
pub fn edited_item(recorded: bool, first_seen: Timestamp, now: Timestamp) -> Result<(), String> {
    if recorded {
        Err("it was only recorded when it was first seen".to_owned())
    } else if age(first_seen, now) >= EDITS_COUNT_FOR {
        Err("it was edited more than 7 days after it was first seen".to_owned())
    } else {
        Ok(())
    }
}

/// When the messages of a story that matched at `now` are due: at once, or a second later while
/// other polls run, so that copies from them are in the same message.
#[must_use]
pub fn due(other_polls: usize, now: Timestamp) -> Timestamp {
    if other_polls == 0 { now } else { later(now, WAIT_FOR_COPIES) }
}

fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).expect("in range")
    }

    #[test]
    fn at_the_first_poll_only_recent_undated_and_future_items_may_alert() {
        let within = Some(FirstPoll::Within(DAY));
        for (published, may) in [
            (Some(at(-25)), false),
            (Some(at(-24)), true),
            (Some(at(-1)), true),
            (Some(at(5)), true),
            (None, true),
        ] {
            assert_eq!(new_item(published, 0, within, at(0)).is_ok(), may, "{published:?}");
        }
        assert!(new_item(Some(at(-9999)), 0, Some(FirstPoll::All), at(0)).is_ok());
        assert!(new_item(None, 0, Some(FirstPoll::None), at(0)).is_err());
    }

    #[test]
    fn at_the_first_poll_the_first_ten_undated_items_may_alert() {
        let within = Some(FirstPoll::Within(DAY));
        let published = [None, Some(at(-1)), None, Some(at(-99)), None];
        assert_eq!(undated_places(published.into_iter()), [0, 1, 1, 2, 2]);
        assert!(
            new_item(None, 9, within, at(0)).is_ok() && new_item(None, 10, within, at(0)).is_err()
        );
        assert!(
            new_item(Some(at(-1)), 10, within, at(0)).is_ok(),
            "a date counts wherever it stands"
        );
        assert!(
            new_item(None, 10, Some(FirstPoll::All), at(0)).is_ok()
                && new_item(None, 10, None, at(0)).is_ok()
        );
    }

    #[test]
    fn after_the_first_poll_everything_new_may_alert() {
        assert!(new_item(Some(at(-9999)), 0, None, at(0)).is_ok());
    }

    #[test]
    fn edits_may_alert_for_a_week_unless_the_story_was_only_recorded() {
        assert!(edited_item(false, at(-6 * 24), at(0)).is_ok());
        assert!(edited_item(false, at(-7 * 24), at(0)).is_err());
        assert!(edited_item(true, at(-1), at(0)).is_err());
    }

    #[test]
    fn a_message_waits_for_copies_only_while_other_polls_are_under_way() {
        assert_eq!(due(0, at(0)), at(0));
        assert_eq!(due(3, at(0)), at(0).checked_add(WAIT_FOR_COPIES).expect("in range"));
    }
}
