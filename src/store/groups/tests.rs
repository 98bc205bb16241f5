//! What the store makes of matches of rules with conditions.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;

use crate::alerts::copies::JoinedEvent;
use crate::alerts::digest::DigestReason;
use crate::alerts::{Content, NewAlert};
use crate::store::db;
use crate::store::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification,
};
use crate::store::{CountedGroup, ItemRecord, MatchResult, NewRuleSet, StoryPlan};
use tidings_rules::condition::{
    Condition, FirstKey, GroupHistory, GroupMatch, SLOT, Spike, WatchedTime, slot_of,
};
use tidings_rules::story::WatchlistRow;

mod backfills;
mod keys;
mod late;
mod silences;

const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn conditional(rule: &str, condition: Condition) -> NewAlert {
    NewAlert { condition: Some(condition), ..new_alert(rule, &[desk_receiver()]) }
}

pub(super) fn in_row(id: &str, alert: NewAlert) -> NewAlert {
    let row = WatchlistRow { id: id.to_owned(), label: format!("row {id}") };
    let mut alert = NewAlert { dedup_key: id.to_owned(), ..alert };
    alert.rule_match.row = Some(row);
    alert
}

pub(super) fn matching(alerts: Vec<NewAlert>) -> MatchResult {
    MatchResult { alerts, ..match_result(&[]) }
}

/// An item by this publisher.
pub(super) fn by(publisher: &str, key: &str, result: MatchResult) -> ItemRecord {
    let mut item = item(key, StoryPlan::Settle(result));
    item.story_change.as_mut().expect("it has a story").0.source = Some(publisher.to_owned());
    item
}

pub(super) fn publishers(least: u32, within: Duration) -> Condition {
    Condition::Publishers { least, within }
}

/// What is told: the rule and the headlines of each message, in their order.
async fn told(bench: &Bench) -> Vec<(String, Vec<String>)> {
    let run = bench.start_run(&[desk_receiver()]).await;
    let leases = bench.lease(run, "desk", 90_000_000).await;
    let mut told: Vec<_> = leases
        .iter()
        .map(|lease| match parse_notification(&lease.payload).content {
            Content::Alert { story, rules, .. } => (rules[0].rule.clone(), vec![story.title]),
            Content::Digest(digest) => {
                let DigestReason::Fired { rule, .. } = digest.reason else {
                    panic!("{:?}", digest.reason)
                };
                let stories = digest.rules.into_iter().flat_map(|group| group.stories);
                let mut titles: Vec<String> = stories.map(|story| story.story.title).collect();
                titles.sort();
                (rule, titles)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    told.sort();
    told
}

fn message(rule: &str, titles: &[&str]) -> (String, Vec<String>) {
    (rule.to_owned(), titles.iter().map(|title| (*title).to_owned()).collect())
}

/// The rules and headlines of the alerts that are held.
async fn held(bench: &Bench) -> Vec<String> {
    db::query_scalar(
        "SELECT story.title FROM alert JOIN story ON story.id = alert.story WHERE alert.held ORDER BY alert.id",
    )
    .fetch_all(&bench.store.readers)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_match_that_meets_a_condition_tells_all_of_the_window_in_one_message() {
    let bench = Bench::new().await;
    let rule = || conditional("blast", publishers(3, 60 * MINUTE));
    for (minute, publisher, key) in
        [(0, "afp", "a"), (61, "afp", "b"), (62, "bbc", "c"), (63, "afp", "d"), (64, "dpa", "e")]
    {
        let result = matching(vec![rule()]);
        bench.poll("wire", minute * 60, vec![by(publisher, key, result)]).await;
    }
    assert_eq!(held(&bench).await, ["a"], "it left the window");
    // The episode is open.
    bench.poll("wire", 123 * 60, vec![by("afp", "f", matching(vec![rule()]))]).await;
    // The window passed without a match.
    bench.poll("wire", 183 * 60, vec![by("afp", "g", matching(vec![rule()]))]).await;
    assert_eq!(held(&bench).await, ["a", "g"]);
    let expected = [message("blast", &["b", "c", "d", "e"]), message("blast", &["f"])];
    assert_eq!(told(&bench).await, expected);
}

#[tokio::test]
async fn counts_outlast_a_crash_between_the_matches() {
    let mut bench = Bench::new().await;
    for (minute, key) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
        let rule = conditional("quakes", Condition::Events { least: 3, within: 60 * MINUTE });
        bench.poll("wire", minute * 60, vec![by("afp", key, matching(vec![rule]))]).await;
        bench = bench.crash_and_reopen().await;
    }
    let expected = [message("quakes", &["a", "b", "c"]), message("quakes", &["d"])];
    assert_eq!(told(&bench).await, expected);
}

#[tokio::test]
async fn a_copy_that_joins_late_adds_nothing_and_is_set_free_with_its_event() {
    let bench = Bench::new().await;
    let rule = || conditional("blast", publishers(2, 60 * MINUTE));
    bench.poll("wire", 0, vec![by("afp", "a", matching(vec![rule()]))]).await;
    let event = bench.query_text("SELECT uid FROM story").await.unwrap();
    let joins = Some(JoinedEvent { event, update: None });
    let copy = MatchResult { joins: joins.clone(), ..matching(vec![rule()]) };
    bench.poll("paper", 60, vec![by("bbc", "b", copy)]).await;
    assert_eq!(held(&bench).await, ["a", "b"], "ten papers with one agency text are one publisher");
    bench.poll("wire", 120, vec![by("dpa", "c", matching(vec![rule()]))]).await;
    let copy = MatchResult { joins, ..matching(vec![rule()]) };
    bench.poll("paper", 180, vec![by("bbc", "d", copy)]).await;
    assert_eq!(held(&bench).await, [""; 0]);
    assert_eq!(told(&bench).await, [message("blast", &["a", "c"])]);
}

#[tokio::test]
async fn a_copy_of_an_event_that_nobody_was_told_of_is_told_only_in_an_episode() {
    let rule = |condition: &Condition| {
        let keys = vec!["key".to_owned()];
        matching(vec![NewAlert { keys, ..conditional("rule", condition.clone()) }])
    };
    let events = Condition::Events { least: 2, within: 60 * MINUTE };
    let first = Condition::First { key: FirstKey::Match, within: 60 * MINUTE };
    // The event of which a copy comes at last is the first one, or the second.
    for (condition, times, copied, expected) in [
        (events, [0, 70, 71], 0, vec![message("rule", &["b", "c"]), message("rule", &["d"])]),
        (first, [0, 40, 71], 1, vec![message("rule", &["a"])]),
    ] {
        let bench = Bench::new().await;
        for (minute, key) in times.into_iter().zip(["a", "b", "c"]) {
            bench.poll("wire", minute * 60, vec![by("afp", key, rule(&condition))]).await;
        }
        let events = "SELECT group_concat(uid) FROM (SELECT uid FROM story ORDER BY id) AS one";
        let events = bench.query_text(events).await.unwrap();
        let event = events.split(',').nth(copied).unwrap().to_owned();
        let joins = Some(JoinedEvent { event, update: None });
        let copy = MatchResult { joins, ..rule(&condition) };
        bench.poll("paper", 72 * 60, vec![by("bbc", "d", copy)]).await;
        assert_eq!(told(&bench).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn each_row_is_a_group_of_its_own() {
    let bench = Bench::new().await;
    let row = |id| in_row(id, conditional("sdn", publishers(2, 60 * MINUTE)));
    bench.poll("wire", 0, vec![by("afp", "a", matching(vec![row("1"), row("2")]))]).await;
    bench.poll("wire", 60, vec![by("bbc", "b", matching(vec![row("2")]))]).await;
    assert_eq!(held(&bench).await, ["a"]);
    assert_eq!(told(&bench).await, [message("sdn", &["a", "b"])]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_leaves_an_episode_open_and_counts_no_match_of_the_future() {
    let bench = Bench::new().await;
    let rule = || conditional("quakes", Condition::Events { least: 2, within: 60 * MINUTE });
    for (minute, key) in [(1000, "a"), (1001, "b"), (0, "c")] {
        bench.poll("wire", minute * 60, vec![by("afp", key, matching(vec![rule()]))]).await;
    }
    let other = || conditional("storms", Condition::Events { least: 2, within: 60 * MINUTE });
    for (minute, key) in [(1000, "d"), (0, "e"), (1, "f")] {
        bench.poll("wire", minute * 60, vec![by("afp", key, matching(vec![other()]))]).await;
    }
    assert_eq!(held(&bench).await, ["d"]);
    let expected = [("quakes", &["a", "b"][..]), ("quakes", &["c"]), ("storms", &["e", "f"])];
    assert_eq!(told(&bench).await, expected.map(|(rule, titles)| message(rule, titles)));
}

#[tokio::test]
async fn matches_that_are_made_side_by_side_see_one_another() {
    let events = Condition::Events { least: 2, within: 60 * MINUTE };
    for condition in [publishers(2, 60 * MINUTE), events] {
        let bench = Bench::new().await;
        // The second is recorded later, and was made a second earlier.
        for (second, publisher, key) in [(101, "afp", "a"), (100, "bbc", "b")] {
            let rule = conditional("blast", condition.clone());
            bench.poll("wire", second, vec![by(publisher, key, matching(vec![rule]))]).await;
        }
        assert_eq!(told(&bench).await, [message("blast", &["a", "b"])], "{condition}");
    }
    let bench = Bench::new().await;
    let first = NewAlert { receivers: Vec::new(), ..new_alert("call-up", &[]) };
    bench.poll("wire", 101, vec![by("afp", "a", matching(vec![first]))]).await;
    let rule = after("closed", "call-up", false);
    bench.poll("wire", 100, vec![by("bbc", "b", matching(vec![rule]))]).await;
    assert_eq!(told(&bench).await, [message("closed", &["b"])]);
}

#[tokio::test]
async fn a_burst_counts_what_its_condition_lets_through() {
    let bench = Bench::new().await;
    // The third is a copy of the second.
    for (minute, key) in [(0, "a"), (1, "b"), (1, "copy"), (2, "c"), (3, "d"), (4, "e")] {
        let mut rule = conditional("quakes", Condition::Events { least: 3, within: 60 * MINUTE });
        let then = Duration::from_hours(24);
        rule.throttle.burst = Some(tidings_rules::story::delivery::Burst { first: 2, then });
        let last = bench.query_text("SELECT max(uid) FROM story WHERE title = 'b'").await;
        let joins = last.filter(|_| key == "copy").map(|event| JoinedEvent { event, update: None });
        let result = MatchResult { joins, ..matching(vec![rule]) };
        bench.poll("wire", minute * 60, vec![by("afp", key, result)]).await;
    }
    let reasons =
        "SELECT count(*) || ': ' || group_concat(json_extract(digest, '$.what'), ' ') FROM message";
    assert_eq!(bench.query_text(reasons).await.unwrap(), "3: fired burst", "one is told singly");
}

#[tokio::test]
async fn an_edit_of_the_condition_ends_an_episode_and_keeps_the_matches() {
    let bench = Bench::new().await;
    for (least, key, publisher) in
        [(2, "a", "afp"), (2, "b", "bbc"), (4, "c", "afp"), (4, "d", "dpa"), (4, "e", "apa")]
    {
        let rule = conditional("blast", publishers(least, 60 * MINUTE));
        bench.poll("wire", 0, vec![by(publisher, key, matching(vec![rule]))]).await;
    }
    assert_eq!(
        told(&bench).await,
        [message("blast", &["a", "b"]), message("blast", &["c", "d", "e"])]
    );
}

async fn count(bench: &Bench, counted: Vec<CountedGroup>) {
    let new = NewRuleSet { counted, ..NewRuleSet::default() };
    bench.store.replace_rule_set(0, new, at_second(0)).await.unwrap();
}

/// Counts the events of a rule without `each` from then on.
async fn count_since(bench: &Bench, rule: &str, second: i64) {
    let (rule, since) = (rule.to_owned(), at_second(second));
    count(bench, vec![CountedGroup { rule, dedup_key: String::new(), since, gone: None }]).await;
}

/// A rule that comes after the rule `earlier` of the same list.
fn after(rule: &str, earlier: &str, same_row: bool) -> NewAlert {
    let condition = Condition::After { rule: earlier.to_owned(), within: 60 * MINUTE, same_row };
    conditional(rule, condition)
}

#[rstest]
#[case::in_the_window(&[(0, "call-up", ""), (59, "closed", "")], &["b"])]
#[case::at_its_end(&[(0, "call-up", ""), (60, "closed", "")], &[])]
#[case::the_wrong_order(&[(0, "closed", ""), (1, "call-up", "")], &[])]
#[case::another_row(&[(0, "call-up", "1"), (1, "closed", "2")], &[])]
#[case::the_same_row(&[(0, "call-up", "1"), (1, "closed", "1")], &["b"])]
#[tokio::test]
async fn a_rule_comes_after_another(
    #[case] matches: &[(i64, &str, &str)],
    #[case] expected: &[&str],
) {
    let bench = Bench::new().await;
    for ((minute, rule, row), key) in matches.iter().zip(["a", "b"]) {
        let alert = match *rule {
            "closed" => after("closed", "call-up", !row.is_empty()),
            rule => NewAlert { receivers: Vec::new(), ..new_alert(rule, &[]) },
        };
        let alert = if row.is_empty() { alert } else { in_row(row, alert) };
        bench.poll("wire", minute * 60, vec![by("afp", key, matching(vec![alert]))]).await;
    }
    let titles: Vec<String> =
        told(&bench).await.into_iter().flat_map(|(_, titles)| titles).collect();
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn a_story_that_matches_both_rules_has_its_matches_in_their_order() {
    let bench = Bench::new().await;
    let both = |rule: &str, earlier: &str| {
        vec![new_alert(rule.min(earlier), &[]), after(rule, earlier, false)]
    };
    let mut first = both("closed", "call-up");
    bench.poll("wire", 0, vec![by("afp", "a", matching(first.clone()))]).await;
    first.reverse();
    for alert in &mut first {
        alert.rule_match.rule.push_str(" 2");
        if let Some(Condition::After { rule, .. }) = &mut alert.condition {
            rule.push_str(" 2");
        }
    }
    bench.poll("wire", 60, vec![by("afp", "b", matching(first))]).await;
    assert_eq!(told(&bench).await, [message("closed", &["a"])]);
    assert_eq!(held(&bench).await, ["b"]);
}

#[tokio::test]
async fn a_spike_is_learned_from_what_was_watched() {
    let bench = Bench::new().await;
    let spike = Spike { times: 2, within: 10 * MINUTE, against: 6 * SLOT, least: 2 };
    let rule = || conditional("interest", Condition::Spike(spike));
    count_since(&bench, "interest", 0).await;
    for minute in (0..80).step_by(10) {
        bench.poll("wire", minute * 60, vec![]).await;
    }
    bench.poll("wire", 55 * 60, vec![by("afp", "a", matching(vec![rule()]))]).await;
    bench.poll("wire", 56 * 60, vec![by("afp", "b", matching(vec![rule()]))]).await;
    assert_eq!(held(&bench).await, ["a", "b"], "window and baseline are longer than it is known");
    bench.poll("wire", 80 * 60, vec![by("afp", "c", matching(vec![rule()]))]).await;
    bench.poll("wire", 81 * 60, vec![by("afp", "d", matching(vec![rule()]))]).await;
    assert_eq!(told(&bench).await, [message("interest", &["c", "d"])]);
    let alert =
        "SELECT json_extract(rule_match, '$.condition.progress') FROM alert ORDER BY id DESC";
    assert_eq!(bench.query_text(alert).await.unwrap(), "2 events, 0.3 are usual in that time");
}

#[tokio::test]
async fn a_late_poll_and_one_after_a_failure_watched_only_their_own_time() {
    let watched = async |bench: &Bench| -> Vec<i64> {
        let first = slot_of(at_second(0));
        let slots: Vec<i64> = db::query_scalar("SELECT slot FROM watched ORDER BY slot")
            .fetch_all(&bench.store.readers)
            .await
            .unwrap();
        slots.into_iter().map(|slot| slot - first).collect()
    };
    let poll = async |bench: &Bench, minute: i64, next: i64, failures: u32| {
        let mut record = crate::store::fixture::poll_record("wire", minute * 60, vec![]);
        record.state.last_good = Some(at_second(minute * 60));
        record.state.next_poll = Some(at_second(next * 60));
        record.state.failures = failures;
        bench.store.record_poll(record).await.unwrap();
    };
    // In time: an hourly feed was watched all the while.
    let bench = Bench::new().await;
    poll(&bench, 0, 60, 0).await;
    poll(&bench, 60, 120, 0).await;
    assert_eq!(watched(&bench).await, [0, 1, 2, 3, 4, 5, 6]);
    // Late: Tidings did not run.
    poll(&bench, 240, 300, 0).await;
    assert_eq!(watched(&bench).await, [0, 1, 2, 3, 4, 5, 6, 24]);
    // A failed poll watched nothing, and the next good one only its own time.
    let bench = Bench::new().await;
    poll(&bench, 0, 10, 0).await;
    poll(&bench, 10, 20, 1).await;
    poll(&bench, 30, 40, 0).await;
    assert_eq!(watched(&bench).await, [0, 3]);
}

/// A match of a generated history.
struct Drawn {
    second: i64,
    /// Whether it is a copy of the event before.
    is_copy: bool,
    publisher: String,
    keys: Vec<String>,
}

fn draw(seed: u64) -> Vec<Drawn> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut second = 0;
    let one = |_| {
        second += match random.u8(0..20) {
            0 => random.i64(-7200..0),
            1..4 => random.i64(900..6000),
            4..8 => 0,
            _ => random.i64(1..15) * 60,
        };
        let keys: BTreeSet<String> =
            (0..random.u8(0..3)).map(|_| format!("key {}", random.u8(0..4))).collect();
        Drawn {
            second,
            is_copy: random.u8(0..5) == 0,
            keys: keys.into_iter().collect(),
            publisher: format!("publisher {}", random.u8(0..4)),
        }
    };
    (0..25).map(one).collect()
}

/// Whether each match of `history` is told, by the history in memory.
fn told_in_memory(condition: &Condition, history: &[Drawn]) -> Vec<bool> {
    let slots = history.iter().map(|drawn| slot_of(at_second(drawn.second)));
    let mut watched = BTreeSet::new();
    let mut group = GroupHistory::default();
    let (mut event, mut lead) = (0_u64, String::new());
    let told = history.iter().zip(slots).map(|(drawn, slot)| {
        watched.insert(slot);
        let is_new = !drawn.is_copy || event == 0;
        if is_new {
            event += 1;
            lead.clone_from(&drawn.publisher);
        }
        let source = [lead.clone()];
        let found = GroupMatch {
            at: at_second(drawn.second),
            event: Some(event),
            publisher: &lead,
            keys: if matches!(condition, Condition::First { key: FirstKey::Source, .. }) {
                &source
            } else {
                &drawn.keys
            },
            before: None,
        };
        let watch = WatchedTime {
            known_since: at_second(-1),
            slots: Some(watched.iter().copied().collect()),
        };
        let decision = group.add(condition, &found, &watch);
        decision.is_some_and(|decision| decision.is_told())
    });
    told.collect()
}

/// Whether each match is told by the store when it is recorded.
async fn told_in_store(condition: &Condition, history: &[Drawn]) -> Vec<bool> {
    let bench = Bench::new().await;
    count_since(&bench, "rule", -1).await;
    let mut told = Vec::new();
    let mut event: Option<String> = None;
    for (number, drawn) in history.iter().enumerate() {
        let rule = NewAlert { keys: drawn.keys.clone(), ..conditional("rule", condition.clone()) };
        let joins = event.clone().filter(|_| drawn.is_copy);
        let joins = joins.map(|event| JoinedEvent { event, update: None });
        let is_new = joins.is_none();
        let result = MatchResult { joins, ..matching(vec![rule]) };
        let key = number.to_string();
        bench.poll("wire", drawn.second, vec![by(&drawn.publisher, &key, result)]).await;
        let last =
            "SELECT CASE WHEN told_for IS NULL THEN '0' ELSE '1' END FROM alert ORDER BY id DESC";
        told.push(bench.query_text(last).await.unwrap() == "1");
        if is_new {
            event = bench.query_text("SELECT uid FROM story ORDER BY id DESC").await;
        }
    }
    told
}

#[rstest]
#[case::publishers(Condition::Publishers { least: 2, within: 30 * MINUTE })]
#[case::events(Condition::Events { least: 3, within: 20 * MINUTE })]
#[case::spike(Condition::Spike(Spike { times: 2, within: 10 * MINUTE, against: 2 * SLOT, least: 2 }))]
#[case::first_match(Condition::First { key: FirstKey::Match, within: 30 * MINUTE })]
#[case::first_source(Condition::First { key: FirstKey::Source, within: 30 * MINUTE })]
#[tokio::test]
async fn the_store_decides_as_the_history_in_memory(#[case] condition: Condition) {
    let mut kinds = BTreeSet::new();
    for seed in 0..12 {
        let history = draw(seed);
        let expected = told_in_memory(&condition, &history);
        kinds.extend(expected.iter().copied());
        assert_eq!(told_in_store(&condition, &history).await, expected, "{condition}, seed {seed}");
    }
    assert_eq!(kinds.len(), 2, "some are held, and some are told");
}

#[tokio::test]
async fn counts_are_deleted_that_no_condition_reaches_any_more() {
    let bench = Bench::new().await;
    let spike = Spike { times: 2, within: 10 * MINUTE, against: 6 * SLOT, least: 2 };
    let first = Condition::First { key: FirstKey::Match, within: 60 * MINUTE };
    for (second, key) in [(0, "a"), (90_000, "b")] {
        let keys = vec![key.to_owned()];
        let alerts = vec![
            conditional("interest", Condition::Spike(spike)),
            NewAlert { keys, ..conditional("new", first.clone()) },
        ];
        bench.poll("wire", second, vec![by("afp", key, matching(alerts))]).await;
    }
    let group = |rule: &str, gone| CountedGroup {
        rule: rule.to_owned(),
        dedup_key: String::new(),
        since: at_second(0),
        gone: Some(at_second(gone)),
    };
    count(&bench, vec![group("gone", 49_999), group("left", 50_000)]).await;
    bench.store.delete_group_counts(at_second(50_000), at_second(60_000)).await.unwrap();
    for table in [
        "SELECT count(*) || '' FROM group_tally",
        "SELECT count(*) || '' FROM watched",
        "SELECT group_concat(key) FROM group_key",
    ] {
        let expected = if table.contains("group_key") { "match b" } else { "1" };
        assert_eq!(bench.query_text(table).await.unwrap(), expected, "{table}");
    }
    assert_eq!(bench.store.counted_groups().await.unwrap(), [group("left", 50_000)]);
}
