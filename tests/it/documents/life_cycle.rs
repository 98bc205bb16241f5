//! The pictures of the life of a story and of a message in ARCHITECTURE.md: they show every change
//! of status that the tables of `lifecycle` make, and no other.

use std::collections::{BTreeMap, BTreeSet};

use tidings::lifecycle::message::{self, MessageEvent, MessageStatus};
use tidings::lifecycle::story::{self, ItemPlan, NextStatus, StoryEvent, StoryStatus};

use super::root;

/// A picture: the words at each arrow from one status to another.
type Picture = BTreeMap<(String, String), BTreeSet<String>>;

/// The start of a life in a picture.
const START: &str = "[*]";

const STORY_STATUSES: [StoryStatus; 6] = [
    StoryStatus::AwaitsPage,
    StoryStatus::AwaitsMatch,
    StoryStatus::Matched,
    StoryStatus::Unmatched,
    StoryStatus::Recorded,
    StoryStatus::Purged,
];

const PLANS: [ItemPlan; 4] =
    [ItemPlan::Record, ItemPlan::ReadPage, ItemPlan::Settle, ItemPlan::AwaitMatch];

fn add(picture: &mut Picture, from: &str, to: &str, word: &str) {
    picture.entry((from.to_owned(), to.to_owned())).or_default().insert(word.to_owned());
}

/// The picture under a heading of ARCHITECTURE.md, without arrows from a status to itself.
fn drawn(heading: &str) -> Picture {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is there");
    let (_, section) = text.split_once(&format!("### {heading}\n")).expect("the heading");
    let (_, block) = section.split_once("```mermaid\nstateDiagram-v2\n").expect("a picture");
    let (block, _) = block.split_once("```").expect("its end");
    let mut picture = Picture::new();
    for line in block.lines().map(str::trim).filter(|line| line.contains("-->")) {
        let (from, rest) = line.split_once(" --> ").expect("an arrow");
        let (to, words) = rest.split_once(": ").expect("words at an arrow");
        words.split(", ").for_each(|word| add(&mut picture, from, to, word));
    }
    picture
}

fn story_events() -> Vec<(StoryEvent, &'static str)> {
    let mut events =
        vec![(StoryEvent::PageFailed, "page failed"), (StoryEvent::Backfilled, "backfilled")];
    for plan in PLANS {
        events.push((StoryEvent::Joined(plan), "joined"));
        for is_shared in [false, true] {
            events.push((StoryEvent::Edited { plan, is_shared }, "edited"));
        }
    }
    for flag in [false, true] {
        events.push((StoryEvent::TextSettled { has_joined: flag }, "settled"));
        events.push((StoryEvent::Rechecked { has_changed: flag }, "rechecked"));
    }
    events
}

/// The statuses that may follow. A story that has an alert keeps it.
fn targets(from: Option<StoryStatus>, next: NextStatus) -> Vec<StoryStatus> {
    match next {
        NextStatus::Same => Vec::new(),
        NextStatus::BeginsPageWait => vec![StoryStatus::AwaitsPage],
        NextStatus::BeginsMatchWait => vec![StoryStatus::AwaitsMatch],
        NextStatus::OnlyRecorded => vec![StoryStatus::Recorded],
        NextStatus::ByAlerts if from == Some(StoryStatus::Matched) => vec![StoryStatus::Matched],
        NextStatus::ByAlerts => vec![StoryStatus::Matched, StoryStatus::Unmatched],
    }
}

#[test]
fn the_picture_of_a_story_is_its_table() {
    let mut expected = Picture::new();
    for plan in PLANS {
        for to in targets(None, story::first(plan).status) {
            add(&mut expected, START, &format!("{to:?}"), "new");
        }
    }
    for from in STORY_STATUSES {
        for (event, word) in story_events() {
            for to in targets(Some(from), story::next(from, event).status) {
                if to != from {
                    add(&mut expected, &format!("{from:?}"), &format!("{to:?}"), word);
                }
            }
        }
    }
    // `retain` deletes texts; that is no event of the table.
    for from in [StoryStatus::Matched, StoryStatus::Unmatched] {
        add(&mut expected, &format!("{from:?}"), "Purged", "retain");
    }
    assert_eq!(drawn("The life of a story"), expected);
}

#[test]
fn the_picture_of_a_message_is_its_table() {
    let events = [
        (MessageEvent::Leased, "leased"),
        (MessageEvent::Unrenderable, "unrenderable"),
        (MessageEvent::Delivered, "delivered"),
        (MessageEvent::Refused, "refused"),
        (MessageEvent::Retried { may_have_arrived: true }, "retried"),
        (MessageEvent::Retried { may_have_arrived: false }, "retried"),
        (MessageEvent::Halved, "halved"),
        (MessageEvent::RunEnded, "run ended"),
        (MessageEvent::ReceiverLeft, "receiver left"),
        (MessageEvent::ReceiverKnown, "receiver known"),
        (MessageEvent::SentAgain { is_known: true }, "sent again"),
        (MessageEvent::SentAgain { is_known: false }, "sent again"),
        (MessageEvent::Dropped, "dropped"),
        (MessageEvent::Withdrawn, "withdrawn"),
    ];
    let mut expected = Picture::new();
    add(&mut expected, START, "Pending", "alert");
    for from in MessageStatus::ALL {
        for (event, word) in events {
            if let Some(next) = message::next(from, event) {
                add(&mut expected, &format!("{from:?}"), &format!("{:?}", next.status), word);
            }
        }
    }
    assert_eq!(drawn("The life of a message"), expected);
}
