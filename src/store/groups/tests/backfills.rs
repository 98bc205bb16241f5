//! Matches of a backfill count at the time at which their stories were first seen.

use super::{Bench, MINUTE, after, at_second, by, conditional, held, matching, message, told};
use crate::alerts::NewAlert;
use crate::store::fixture::{match_result, new_alert};
use tidings_rules::condition::{Condition, FirstKey};

const EVENTS: Condition = Condition::Events { least: 2, within: MINUTE.saturating_mul(60) };

/// Stories that matched nothing, first seen at these minutes.
async fn see(bench: &Bench, stories: &[(i64, &str)]) {
    for (minute, title) in stories {
        let mut item = by("afp", title, match_result(&[]));
        let story = &mut item.story_change.as_mut().expect("it has a story").0;
        story.first_seen = at_second(minute * 60);
        bench.poll("wire", minute * 60, vec![item]).await;
    }
}

/// A match that is recorded as its story comes.
async fn match_new(bench: &Bench, minute: i64, title: &str, alert: NewAlert) {
    bench.poll("wire", minute * 60, vec![by("bbc", title, matching(vec![alert]))]).await;
}

/// A match of a stored story, which a backfill finds.
async fn match_stored(bench: &Bench, minute: i64, title: &str, alert: NewAlert) {
    let stored = bench.store.settled_stories(at_second(0), None, 99).await.unwrap();
    let found = stored.into_iter().find(|one| one.story.title == title).expect("a stored story");
    let (result, now) = (matching(vec![alert]), at_second(minute * 60));
    assert!(bench.store.add_alerts(found.id, found.revision, result, now).await.unwrap());
}

#[tokio::test]
async fn a_backfill_ends_no_open_episode() {
    let bench = Bench::new().await;
    let rule = || conditional("blast", EVENTS);
    see(&bench, &[(0, "old")]).await;
    match_new(&bench, 100, "a", rule()).await;
    match_new(&bench, 101, "b", rule()).await;
    match_stored(&bench, 102, "old", rule()).await;
    match_new(&bench, 103, "c", rule()).await;
    assert_eq!(held(&bench).await, ["old"]);
    assert_eq!(told(&bench).await, [message("blast", &["a", "b"]), message("blast", &["c"])]);
}

#[tokio::test]
async fn what_a_backfill_tells_opens_the_episode_of_its_own_time() {
    let bench = Bench::new().await;
    let rule = || conditional("blast", EVENTS);
    see(&bench, &[(0, "a"), (10, "b"), (20, "c"), (90, "d")]).await;
    match_new(&bench, 100, "live", rule()).await;
    for title in ["a", "b", "c", "d"] {
        match_stored(&bench, 101, title, rule()).await;
    }
    // The window of `d` has no other match. The next match counts it, and the one before.
    assert_eq!(held(&bench).await, ["live", "d"]);
    match_new(&bench, 110, "e", rule()).await;
    let expected = [&["a", "b"][..], &["c"], &["d", "e", "live"]];
    assert_eq!(told(&bench).await, expected.map(|titles| message("blast", titles)));
}

#[tokio::test]
async fn the_first_match_after_a_backfill_goes_on_with_its_episode() {
    let bench = Bench::new().await;
    let rule = || conditional("blast", EVENTS);
    see(&bench, &[(0, "a"), (10, "b")]).await;
    for title in ["a", "b"] {
        match_stored(&bench, 20, title, rule()).await;
    }
    match_new(&bench, 30, "c", rule()).await;
    assert_eq!(told(&bench).await, [message("blast", &["a", "b"]), message("blast", &["c"])]);
}

#[tokio::test]
async fn a_backfill_makes_no_key_new_again() {
    let bench = Bench::new().await;
    let first = Condition::First { key: FirstKey::Match, within: 60 * MINUTE };
    let rule = || NewAlert { keys: vec!["k".to_owned()], ..conditional("new", first.clone()) };
    see(&bench, &[(0, "old")]).await;
    match_new(&bench, 100, "a", rule()).await;
    match_stored(&bench, 101, "old", rule()).await;
    match_new(&bench, 102, "b", rule()).await;
    assert_eq!(told(&bench).await, [message("new", &["a"])]);
}

#[tokio::test]
async fn a_rule_comes_after_the_matches_of_a_backfill_at_their_times() {
    let bench = Bench::new().await;
    let closed = || after("closed", "call-up", false);
    let call_up = || new_alert("call-up", &[]);
    see(&bench, &[(0, "call-up"), (30, "closed then")]).await;
    match_stored(&bench, 100, "call-up", call_up()).await;
    match_new(&bench, 101, "closed late", closed()).await;
    match_stored(&bench, 102, "closed then", closed()).await;
    assert_eq!(held(&bench).await, ["closed late"]);
    assert_eq!(told(&bench).await, [message("closed", &["closed then"])]);
}
