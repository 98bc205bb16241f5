//! The whole table of a story, written out by hand: every event with every status.

use super::*;

/// Each cell is the status that follows and the effects, by the letters of [`letter`].
///
/// `.`: nothing changes. `same`, `page`, `match`, `alerts`, `recorded`: [`NextStatus`].
const TABLE: &str = "
event                      |AwaitsPage|AwaitsMatch|Matched    |Unmatched  |Recorded   |Purged
joined Record              |.         |.          |.          |.          |.          |.
joined ReadPage            |same J    |same J     |match      |match      |page F     |page F
joined Settle              |same A    |same A     |alerts A   |alerts A   |alerts FTAS|alerts FTAS
joined AwaitMatch          |same J    |same J     |match      |match      |match FK   |match FK
edited Record              |same F    |same F     |same F     |same F     |same F     |same F
edited ReadPage            |page F    |page F     |page F     |page F     |page F     |page F
edited Settle              |match FTAS|match FTAS |alerts FTAS|alerts FTAS|alerts FTAS|alerts FTAS
edited AwaitMatch          |match FK  |match FK   |match FK   |match FK   |match FK   |match FK
edited Record, shared      |same F    |same F     |same F     |same F     |same F     |same F
edited ReadPage, shared    |page F    |page F     |page F     |page F     |page F     |page F
edited Settle, shared      |match FTAS|match FTAS |match FTAS |match FTAS |match FTAS |match FTAS
edited AwaitMatch, shared  |match FK  |match FK   |match FK   |match FK   |match FK   |match FK
page failed                |same D    |.          |.          |.          |.          |.
text settled               |alerts TAS|alerts TAS |.          |.          |.          |.
text settled, a feed joined|match TAS |match TAS  |.          |.          |.          |.
rechecked                  |.         |.          |same R     |same R     |.          |.
rechecked, changed         |.         |.          |alerts RTAS|alerts RTAS|.          |.
backfilled                 |.         |.          |alerts A   |alerts A   |.          |.
";

/// The events of the table, in the order of its rows.
fn events() -> Vec<(String, StoryEvent)> {
    let plans = [ItemPlan::Record, ItemPlan::ReadPage, ItemPlan::Settle, ItemPlan::AwaitMatch];
    let joined = plans.map(|plan| (format!("joined {plan:?}"), StoryEvent::Joined(plan)));
    let edited = [false, true].into_iter().flat_map(|is_shared| {
        plans.map(|plan| {
            let by = if is_shared { ", shared" } else { "" };
            (format!("edited {plan:?}{by}"), StoryEvent::Edited { plan, is_shared })
        })
    });
    let others = [
        ("page failed", StoryEvent::PageFailed),
        ("text settled", StoryEvent::TextSettled { has_joined: false }),
        ("text settled, a feed joined", StoryEvent::TextSettled { has_joined: true }),
        ("rechecked", StoryEvent::Rechecked { has_changed: false }),
        ("rechecked, changed", StoryEvent::Rechecked { has_changed: true }),
        ("backfilled", StoryEvent::Backfilled),
    ];
    let others = others.map(|(name, event)| (name.to_owned(), event));
    joined.into_iter().chain(edited).chain(others).collect()
}

fn letter(effect: StoryEffect) -> char {
    match effect {
        ReplaceFeedText => 'F',
        KeepMatchedText => 'T',
        KeepFeedText => 'K',
        RecordAlerts => 'A',
        KeepSignature => 'S',
        NoteJoin => 'J',
        DelayPage => 'D',
        ScheduleRecheck => 'R',
    }
}

fn cell(transition: StoryTransition) -> String {
    let status = match transition.status {
        Same if transition.effects.is_empty() => ".",
        Same => "same",
        BeginsPageWait => "page",
        BeginsMatchWait => "match",
        OnlyRecorded => "recorded",
        ByAlerts => "alerts",
    };
    let effects: String = transition.effects.iter().copied().map(letter).collect();
    format!("{status} {effects}").trim_end().to_owned()
}

/// The cells of a row.
fn cells(row: &str) -> Vec<&str> {
    row.split('|').map(str::trim).collect()
}

#[test]
fn every_event_with_every_status_has_the_cell_of_the_table() {
    let mut rows = TABLE.trim().lines().map(cells);
    let head = rows.next().expect("the table has a head");
    assert_eq!(head[1..], StoryStatus::ALL.map(|status| format!("{status:?}")));
    let rows: Vec<_> = rows.collect();
    let events = events();
    assert_eq!(rows.len(), events.len());
    for (row, (name, event)) in rows.into_iter().zip(events) {
        let actual: Vec<String> = std::iter::once(name)
            .chain(StoryStatus::ALL.map(|status| cell(next(status, event))))
            .collect();
        assert_eq!(actual, row);
    }
}

#[test]
fn a_new_story_has_the_status_of_its_plan() {
    for (plan, expected) in [
        (ItemPlan::Record, "recorded"),
        (ItemPlan::ReadPage, "page"),
        (ItemPlan::Settle, "alerts TAS"),
        (ItemPlan::AwaitMatch, "match K"),
    ] {
        assert_eq!(cell(first(plan)), expected);
    }
}

/// A signature is kept where the final text is, after the alerts: a story is no copy of itself.
#[test]
fn what_keeps_a_text_records_its_alerts_and_then_its_signature() {
    for (name, event) in events() {
        for status in StoryStatus::ALL {
            let effects = next(status, event).effects;
            let place = |effect| effects.iter().position(|other| *other == effect);
            if let Some(text) = place(KeepMatchedText) {
                assert_eq!(place(RecordAlerts), Some(text + 1), "{name}, {status:?}");
                assert_eq!(place(KeepSignature), Some(text + 2), "{name}, {status:?}");
            }
        }
    }
}
