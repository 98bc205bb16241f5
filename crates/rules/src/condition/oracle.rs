//! Decides every match of a group anew from the list of all matches, as the guide says it, and
//! compares that with `step` over generated histories.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;

/// A match in the order in which matches were recorded.
#[derive(Clone, Debug)]
struct RecordedMatch {
    at: Timestamp,
    event: u64,
    publisher: String,
    keys: Vec<String>,
    before: Option<Timestamp>,
    /// Whether an absence was told just before it.
    absence_told: bool,
}

/// What the oracle says of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OracleVerdict {
    Repeated,
    Held,
    Fired,
    Told,
}

/// The verdict of each match. Every one is found from the list of all that came before. A copy does
/// not count; it is told in an open episode if nobody was told of its event.
fn verdicts(
    condition: &Condition,
    all: &[RecordedMatch],
    watch: &WatchedTime,
) -> Vec<OracleVerdict> {
    let mut verdicts: Vec<OracleVerdict> = Vec::new();
    for place in 0..all.len() {
        let one = &all[place];
        let is_copy =
            |place: usize| all[..place].iter().any(|earlier| earlier.event == all[place].event);
        let does_count = |place: &usize| is_absence(condition) || !is_copy(*place);
        let counted: Vec<usize> = (0..place).filter(does_count).collect();
        let is_open = condition.has_episodes()
            && counted.last().is_some_and(|last| {
                verdicts[*last] != OracleVerdict::Held
                    && millis(one.at) - millis(all[*last].at) < window(condition)
            });
        if !does_count(&place) {
            let is_told = is_open && !is_told_of(condition, &verdicts, all, one);
            verdicts.push(if is_told { OracleVerdict::Told } else { OracleVerdict::Repeated });
            continue;
        }
        let since = counted.last().map_or(0, |last| last + 1);
        let was_absent = all[since..=place].iter().any(|one| one.absence_told);
        let earlier: Vec<&RecordedMatch> = counted.iter().map(|earlier| &all[*earlier]).collect();
        verdicts.push(if is_open {
            OracleVerdict::Told
        } else if is_met(condition, &earlier, one, watch) || (is_absence(condition) && was_absent) {
            OracleVerdict::Fired
        } else {
            OracleVerdict::Held
        });
    }
    verdicts
}

/// Whether somebody was told of the event of `one` before: by a match of it, or by a firing
/// that has its first match in the window.
fn is_told_of(
    condition: &Condition,
    verdicts: &[OracleVerdict],
    all: &[RecordedMatch],
    one: &RecordedMatch,
) -> bool {
    let of_event = |place: &usize| all[*place].event == one.event;
    let Some(first) = (0..verdicts.len()).find(of_event) else { return false };
    let is_told =
        |place: usize| !matches!(verdicts[place], OracleVerdict::Held | OracleVerdict::Repeated);
    let has_first = |place: usize| {
        let (first, now) = (millis(all[first].at), millis(all[place].at));
        verdicts[place] == OracleVerdict::Fired && first > now - window(condition) && first <= now
    };
    (first..verdicts.len()).any(|place| (of_event(&place) && is_told(place)) || has_first(place))
}

fn is_met(
    condition: &Condition,
    earlier: &[&RecordedMatch],
    one: &RecordedMatch,
    watch: &WatchedTime,
) -> bool {
    let now = millis(one.at);
    let with_it = || earlier.iter().copied().chain([one]);
    let in_window = |found: &&RecordedMatch, length: i64| {
        millis(found.at) > now - length && millis(found.at) <= now
    };
    let length = window(condition);
    match condition {
        Condition::Publishers { least, .. } => {
            let names: BTreeSet<String> = with_it()
                .filter(|found| in_window(found, length))
                .map(|found| found.publisher.to_lowercase())
                .collect();
            names.len() >= *least as usize
        }
        Condition::Events { least, .. } => {
            with_it().filter(|found| in_window(found, length)).count() >= *least as usize
        }
        Condition::Spike(spike) => is_spike(spike, earlier, one, watch),
        Condition::First { .. } => one.keys.iter().any(|key| {
            let last = earlier.iter().rev().find(|found| found.keys.contains(key));
            last.is_none_or(|last| millis(last.at) < now - length)
        }),
        Condition::After { .. } => one.before.is_some(),
        Condition::Absent(_) => false,
    }
}

/// Whether a match is told because it ends an absence.
fn is_absence(condition: &Condition) -> bool {
    matches!(condition, Condition::Absent(_))
}

/// The definition of a spike, without the code of `spike.rs`.
fn is_spike(
    spike: &Spike,
    earlier: &[&RecordedMatch],
    one: &RecordedMatch,
    watch: &WatchedTime,
) -> bool {
    const STEP: i64 = 10 * 60 * 1000;
    let (now, length) = (millis(one.at), whole(spike.within));
    let against = whole(spike.against);
    let slots = watch.slots.as_ref().expect("the generated histories say what was watched");
    if now - millis(watch.known_since) < length + against {
        return false;
    }
    let first = (now - length).div_euclid(STEP);
    let start = match slots.iter().rev().find(|slot| **slot <= first) {
        Some(slot) if *slot < first => (slot + 1) * STEP,
        _ => now - length,
    };
    let end = start.div_euclid(STEP);
    let span = end - against / STEP..end;
    let watched =
        i64::try_from(slots.iter().filter(|slot| span.contains(slot)).count()).expect("few slots");
    let times = || earlier.iter().copied().chain([one]).map(|found| millis(found.at));
    let usual = times().filter(|at| span.contains(&at.div_euclid(STEP))).count();
    let current = times().filter(|at| *at > now - length && *at <= now).count();
    let (usual, current) =
        (i128::try_from(usual).expect("few"), i128::try_from(current).expect("few"));
    watched * STEP * 2 >= against
        && current >= i128::from(spike.least)
        && current * i128::from(watched * STEP)
            >= i128::from(spike.times) * usual * i128::from(now - start)
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn whole(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).expect("a short time")
}

fn window(condition: &Condition) -> i64 {
    condition.within().map_or(0, whole)
}

/// What `step` says of each match, by way of the history in memory.
fn stepped(
    condition: &Condition,
    all: &[RecordedMatch],
    watch: &WatchedTime,
) -> Vec<OracleVerdict> {
    let mut history = GroupHistory::default();
    let decide = |one: &RecordedMatch| {
        if one.absence_told {
            history.tell_absence(one.at);
        }
        let found = GroupMatch {
            at: one.at,
            event: Some(one.event),
            publisher: &one.publisher,
            keys: &one.keys,
            before: one.before,
        };
        match history.add(condition, &found, watch) {
            None => OracleVerdict::Repeated,
            Some(Decision::Held(_)) => OracleVerdict::Held,
            Some(Decision::Fired(_)) => OracleVerdict::Fired,
            Some(Decision::Told) => OracleVerdict::Told,
        }
    };
    all.iter().map(decide).collect()
}

/// Short windows, so that their bounds are met often.
fn conditions() -> impl Strategy<Value = Condition> {
    let minutes = |range: std::ops::Range<u64>| range.prop_map(Duration::from_mins);
    prop_oneof![
        (2..4_u32, minutes(1..90))
            .prop_map(|(least, within)| Condition::Publishers { least, within }),
        (2..5_u32, minutes(1..90)).prop_map(|(least, within)| Condition::Events { least, within }),
        (2..4_u32, minutes(1..60), 1..6_u32, 1..4_u32).prop_map(|(times, within, slots, least)| {
            Condition::Spike(Spike { times, within, against: SLOT * slots, least })
        }),
        minutes(1..90).prop_map(|within| Condition::First { key: FirstKey::Match, within }),
        minutes(1..90).prop_map(|within| Condition::After {
            rule: "other".to_owned(),
            within,
            same_row: false
        }),
        Just(Condition::Absent(Absent {
            longest: Duration::from_hours(1),
            hours: None,
            days: crate::story::delivery::Day::all(),
        })),
    ]
}

/// The minutes since the match before, its event, its publisher, its keys, and two chances.
type MatchDraw = (i64, u8, u8, Vec<u8>, bool, bool);

/// Matches at whole minutes, so that there are ties and times at the bounds of windows. One in
/// sixteen sets the clock, back or ahead.
fn histories() -> impl Strategy<Value = Vec<RecordedMatch>> {
    let step = prop_oneof![5 => Just(0_i64), 10 => 1..15_i64, 4 => 15..100_i64, 1 => -120..600_i64];
    prop::collection::vec(draws(step), 1..24).prop_map(|draws| recorded(&draws, |_, event| event))
}

/// Matches of weeks, so many that the oldest are forgotten. Copies come soon.
fn long_histories() -> impl Strategy<Value = Vec<RecordedMatch>> {
    let step = prop_oneof![5 => Just(0_i64), 10 => 1..15_i64, 4 => 15..100_i64];
    let event = |place: u64, event: u64| place.saturating_sub(event % 4);
    prop::collection::vec(draws(step), 1500).prop_map(move |draws| recorded(&draws, event))
}

fn draws(step: impl Strategy<Value = i64>) -> impl Strategy<Value = MatchDraw> {
    let keys = prop::collection::vec(0..4_u8, 0..3);
    (step, 0..24_u8, 0..4_u8, keys, any::<bool>(), any::<bool>())
}

/// The matches that were drawn. `event` makes the number of an event of its place and its draw.
fn recorded(draws: &[MatchDraw], event: impl Fn(u64, u64) -> u64) -> Vec<RecordedMatch> {
    let mut at = Timestamp::from_second(1_800_000_000).expect("in range");
    let recorded = |(place, (minutes, own, publisher, keys, before, told)): (u64, &MatchDraw)| {
        at = at.checked_add(SignedDuration::from_mins(*minutes)).expect("in range");
        RecordedMatch {
            at,
            event: event(place, u64::from(*own)),
            publisher: format!(
                "{} {}",
                ["Publisher", "PUBLISHER"][usize::from(*own % 2)],
                publisher
            ),
            keys: keys.iter().map(|key| format!("key {key}")).collect(),
            before: before.then_some(at),
            absence_told: *told,
        }
    };
    (0..).zip(draws).map(recorded).collect()
}

fn watches() -> impl Strategy<Value = WatchedTime> {
    let first = slot_of(Timestamp::from_second(1_800_000_000).expect("in range")) - 12;
    let slots = prop::collection::btree_set(first..first + 60, 0..60);
    (slots, 0..300_i64).prop_map(|(slots, minutes)| {
        let known = Timestamp::from_second(1_800_000_000 - minutes * 60).expect("in range");
        WatchedTime { known_since: known, slots: Some(slots.into_iter().collect()) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn step_and_oracle_agree(
        condition in conditions(),
        history in histories(),
        watch in watches(),
    ) {
        let expected = verdicts(&condition, &history, &watch);
        prop_assert_eq!(stepped(&condition, &history, &watch), expected, "{}", condition);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_forgotten_changes_nothing(
        condition in conditions(),
        history in long_histories(),
        watch in watches(),
    ) {
        let expected = verdicts(&condition, &history, &watch);
        prop_assert_eq!(stepped(&condition, &history, &watch), expected, "{}", condition);
    }
}

/// The generated histories fire, hold and tell with every kind of condition.
#[test]
fn generated_histories_have_every_verdict() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: HashMap<&str, BTreeSet<String>> = HashMap::new();
    let all = (conditions(), histories(), watches());
    for _ in 0..2000 {
        let (condition, history, watch) = all.new_tree(&mut runner).expect("a history").current();
        let kind = match condition {
            Condition::Publishers { .. } => "publishers",
            Condition::Events { .. } => "events",
            Condition::Spike(_) => "spike",
            Condition::First { .. } => "first",
            Condition::After { .. } => "after",
            Condition::Absent(_) => "absent",
        };
        let found = verdicts(&condition, &history, &watch);
        seen.entry(kind).or_default().extend(found.iter().map(|one| format!("{one:?}")));
    }
    // Only episodes tell without a firing, and a copy is a match for an absence.
    for (kind, verdicts) in
        [("publishers", 4), ("events", 4), ("spike", 4), ("first", 3), ("after", 3), ("absent", 2)]
    {
        assert_eq!(seen[kind].len(), verdicts, "{kind}: {:?}", seen[kind]);
    }
}
