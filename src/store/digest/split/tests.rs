//! Digests in parts: nothing is lost, nothing is sent twice, and what was sent stays as it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::digest::Digest;
use crate::alerts::retry::{Finish, RetryRecord};
use crate::alerts::send_queue::Sending;
use crate::alerts::volume::Throttle;
use crate::alerts::{Content, NewAlert, Notification};
use crate::store::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification,
    render_as_json, retry_finish,
};
use crate::store::{Lease, MatchResult, Preparation, StoryPlan};
use tidings_rules::condition::Condition;
use tidings_rules::story::delivery::Cadence;

const HOUR: i64 = 3600;

/// The plan of a story for the hourly digest of one rule.
fn hourly_plan() -> StoryPlan {
    let throttle = Throttle { burst: None, digest: Some(Cadence::Every(Duration::from_hours(1))) };
    let alerts = vec![NewAlert { throttle, ..new_alert("arms", &[desk_receiver()]) }];
    StoryPlan::Settle(MatchResult { alerts, ..match_result(&[]) })
}

/// A store in which so many stories wait for the hourly digest of one rule.
async fn hourly(stories: usize) -> (Bench, i64) {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    bench
        .poll(
            "wire",
            0,
            (0..stories).map(|number| item(&format!("{number:04}"), hourly_plan())).collect(),
        )
        .await;
    (bench, run)
}

fn digest(notification: &Notification) -> &Digest {
    let Content::Digest(digest) = &notification.content else { panic!("no digest") };
    digest
}

fn titles(lease: &Lease) -> Vec<String> {
    let notification = parse_notification(&lease.payload);
    digest(&notification)
        .rules
        .iter()
        .flat_map(|group| &group.stories)
        .map(|entry| entry.story.title.clone())
        .collect()
}

fn read_part(lease: &Lease) -> String {
    digest(&parse_notification(&lease.payload)).part.as_ref().expect("a part").to_string()
}

/// Leases everything that is due, and has it end as `finish` says; what was sent, in order.
async fn deliver(
    bench: &Bench,
    run: i64,
    now: i64,
    finish: impl Fn(&Lease) -> Finish,
) -> Vec<Lease> {
    let mut sent = Vec::new();
    loop {
        let leases = bench.lease(run, "desk", now).await;
        if leases.is_empty() {
            return sent;
        }
        for lease in leases {
            let finish = finish(&lease);
            if matches!(finish, Finish::Sent(_)) {
                sent.push(lease.clone());
            }
            assert!(bench.finish_attempt(run, &lease, finish, now).await);
        }
    }
}

fn taken(_: &Lease) -> Finish {
    Finish::Sent("204".to_owned())
}

/// All stories, newest first.
fn all(stories: usize) -> Vec<String> {
    (0..stories).rev().map(|number| format!("{number:04}")).collect()
}

#[tokio::test]
async fn two_thousand_five_hundred_stories_are_twenty_five_messages_in_order() {
    let (bench, run) = hourly(2500).await;
    let sent = deliver(&bench, run, HOUR, taken).await;
    assert_eq!(
        sent.iter().map(read_part).collect::<Vec<_>>()[..2],
        ["part 1 of 25", "part 2 of 25"]
    );
    assert_eq!(sent.len(), 25);
    assert!(sent.iter().all(|lease| lease.payload.len() < 256 << 10));
    assert_eq!(sent.iter().flat_map(titles).collect::<Vec<_>>(), all(2500));
    let ids: std::collections::BTreeSet<&str> =
        sent.iter().map(|lease| lease.id.as_str()).collect();
    assert_eq!(ids.len(), 25);
    assert_eq!(
        bench.query_text("SELECT group_concat(DISTINCT status) FROM message").await.unwrap(),
        "sent"
    );
}

#[tokio::test]
async fn no_alert_joins_a_part_and_a_retry_sends_the_bytes_of_the_first_attempt() {
    let (bench, run) = hourly(150).await;
    let first = bench.lease(run, "desk", HOUR).await.remove(0);
    let silent = retry_finish(FailureCause::Failed, FailureScope::Notifier, HOUR + 5);
    assert!(bench.finish_attempt(run, &first, silent, HOUR).await);
    let throttle = Throttle { burst: None, digest: Some(Cadence::Every(Duration::from_hours(1))) };
    let alerts = vec![NewAlert { throttle, ..new_alert("arms", &[desk_receiver()]) }];
    let late = StoryPlan::Settle(MatchResult { alerts, due: at_second(HOUR), ..match_result(&[]) });
    bench.poll("wire", HOUR, vec![item("late", late)]).await;
    let sent = deliver(&bench, run, HOUR + 5, taken).await;
    let again = sent.iter().find(|lease| lease.id == first.id).expect("sent again");
    assert_eq!(again.payload, first.payload);
    assert_eq!(sent.iter().map(|lease| titles(lease).len()).sum::<usize>(), 150);
    let sent = deliver(&bench, run, 2 * HOUR, taken).await;
    assert_eq!(sent.iter().flat_map(titles).collect::<Vec<_>>(), ["late"]);
}

fn too_large() -> Finish {
    Finish::TooLarge(RetryRecord {
        due: at_second(3 * HOUR),
        cause: FailureCause::Failed,
        scope: FailureScope::Message,
        counts: true,
        rest_until: None,
        why: "413".to_owned(),
    })
}

#[tokio::test]
async fn what_is_too_large_is_halved_until_it_is_taken() {
    let (bench, run) = hourly(130).await;
    let picky = |lease: &Lease| match titles(lease).len() {
        0..=20 => taken(lease),
        _ => too_large(),
    };
    let sent = deliver(&bench, run, HOUR, picky).await;
    let mut arrived: Vec<String> = sent.iter().flat_map(titles).collect();
    arrived.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(arrived, all(130));
    assert_eq!(read_part(&sent[0]), "part 1.1.1 of 2");
    assert_eq!(
        bench.query_text("SELECT group_concat(DISTINCT status) FROM message").await.unwrap(),
        "sent"
    );
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM refusal").await.unwrap(), "0");
}

#[tokio::test]
async fn one_story_that_is_too_large_is_tried_again_and_takes_no_other_with_it() {
    let (bench, run) = hourly(3).await;
    let picky = |lease: &Lease| match titles(lease) {
        stories if stories.iter().any(|title| title == "0001") => too_large(),
        _ => taken(lease),
    };
    let sent = deliver(&bench, run, HOUR, picky).await;
    assert_eq!(sent.iter().flat_map(titles).collect::<Vec<_>>(), ["0000", "0002"]);
    let waiting = "SELECT count(*) || '' FROM message WHERE status = 'pending' AND why = '413'";
    assert_eq!(bench.query_text(waiting).await.unwrap(), "1");
}

#[tokio::test]
async fn what_is_sent_a_week_after_it_was_written_says_so() {
    let (bench, run) = hourly(1).await;
    let lease = bench.lease(run, "desk", 7 * 24 * HOUR).await.remove(0);
    let notification = parse_notification(&lease.payload);
    assert_eq!((notification.created, notification.sent), (at_second(0), at_second(7 * 24 * HOUR)));
}

#[tokio::test]
async fn a_split_from_before_an_alert_joined_is_not_applied() {
    let (bench, run) = hourly(101).await;
    let old = bench.prepare(&[1], HOUR, &render_as_json()).await;
    assert!(matches!(&old[&1].preparation, Preparation::Split(parts) if parts.len() == 2));
    bench.poll("wire", 1, vec![item("late", hourly_plan())]).await;
    let sending = Sending { at_once: 8, in_flight: BTreeMap::new() };
    let sending = [(desk_receiver().notifier, sending)].into();
    let turn = bench.store.outbox_turn(run, vec![], sending, at_second(HOUR), Arc::new(old)).await;
    assert_eq!(turn.unwrap().unprepared, [1]);
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.unwrap(), "1");
    let sent = deliver(&bench, run, HOUR, taken).await;
    let titles: Vec<String> = sent.iter().flat_map(titles).collect();
    assert_eq!((sent.len(), titles.len()), (2, 102));
    assert!(titles.contains(&"late".to_owned()));
}

#[tokio::test]
async fn each_part_of_a_firing_says_that_its_condition_is_met() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let condition = Condition::Events { least: 150, within: Duration::from_hours(1) };
    let plan = || {
        let condition = Some(condition.clone());
        let alert = NewAlert { condition, ..new_alert("arms", &[desk_receiver()]) };
        StoryPlan::Settle(MatchResult { alerts: vec![alert], ..match_result(&[]) })
    };
    bench
        .poll("wire", 0, (0..150).map(|number| item(&format!("{number:04}"), plan())).collect())
        .await;
    let sent = deliver(&bench, run, HOUR, taken).await;
    assert_eq!(sent.iter().map(read_part).collect::<Vec<_>>(), ["part 1 of 2", "part 2 of 2"]);
    for lease in &sent {
        let state = digest(&parse_notification(&lease.payload)).rules[0].condition.clone();
        let state = state.expect("a condition");
        assert_eq!((state.met, state.progress.as_deref()), (true, Some("150 events")));
    }
}
