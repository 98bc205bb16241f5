//! Tests of past alerts: which are found, and what is shown of one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::alerts::NewAlert;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::copies::JoinedEvent;
use crate::alerts::draft::hash_story_text;
use crate::alerts::retry::Finish;
use crate::store::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, receiver, retry_finish,
    settle_plan,
};
use crate::store::{ItemRecord, MatchResult, StoryPlan, UtcDay};
use tidings_rules::condition::Condition;
use tidings_rules::text::tokenise;

/// Alerts 1 and 2 of the story a (arms, oil), carried by wire and paper, and 3 of the story b
/// (arms), by wire, a day later.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    let mut oil = new_alert("oil", &[]);
    oil.rule_match.tags = vec!["energy".to_owned()];
    oil.rule_match.evidence[0].sentence = "Éxports of oil double.".to_owned();
    let matched = MatchResult {
        alerts: vec![new_alert("arms", &[desk_receiver(), receiver("hook", "")]), oil],
        ..match_result(&[])
    };
    bench.poll("wire", 0, vec![item("a", StoryPlan::Settle(matched))]).await;
    bench.poll("paper", 1, vec![item("a", settle_plan(&[]))]).await;
    bench.poll("wire", 86_400, vec![item("b", settle_plan(&["arms"]))]).await;
    bench
}

async fn found(bench: &Bench, wanted: AlertFilter, limit: usize) -> Vec<i64> {
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    archive.find_alerts(&wanted, limit).await.unwrap().iter().map(|past| past.id).collect()
}

fn words(text: &str) -> Vec<String> {
    tokenise(text).into_iter().map(|token| token.word).collect()
}

#[tokio::test]
async fn alerts_are_found_by_all_that_is_asked_newest_first() {
    let bench = bench().await;
    let of = |rule: &str| AlertFilter { rule: Some(rule.to_owned()), ..AlertFilter::default() };
    let feed = |feed: &str| AlertFilter {
        feed: Some(FeedName(feed.to_owned())),
        ..AlertFilter::default()
    };
    let tag = |tag: &str| AlertFilter { tag: Some(tag.to_owned()), ..AlertFilter::default() };
    let with = |text: &str| AlertFilter { words: words(text), ..AlertFilter::default() };
    let cases = [
        (AlertFilter::default(), vec![3, 2, 1]),
        (of("arms"), vec![3, 1]),
        (of("arm"), vec![]),
        (feed("wire"), vec![3, 2, 1]),
        (feed("paper"), vec![2, 1]),
        (tag("energy"), vec![2]),
        (tag("ener"), vec![]),
        (AlertFilter { since: Some(at_second(86_400)), ..AlertFilter::default() }, vec![3]),
        (AlertFilter { until: Some(at_second(86_400)), ..AlertFilter::default() }, vec![2, 1]),
        (with("oil EXPORTS"), vec![2]),
        (with("b arms"), vec![3]),
        (with("export"), vec![]),
        (AlertFilter { words: words("arms"), ..of("oil") }, vec![]),
        (AlertFilter { words: words("arms"), ..feed("paper") }, vec![1]),
        (AlertFilter { since: Some(at_second(86_400)), ..of("arms") }, vec![3]),
        (AlertFilter { until: Some(at_second(86_400)), ..of("arms") }, vec![1]),
        (AlertFilter { severity: Some(Severity::High), ..AlertFilter::default() }, vec![3, 2, 1]),
        (AlertFilter { severity: Some(Severity::Low), ..AlertFilter::default() }, vec![]),
        (AlertFilter { before: Some(3), ..AlertFilter::default() }, vec![2, 1]),
        (AlertFilter { before: Some(3), ..of("arms") }, vec![1]),
        (AlertFilter { before: Some(2), since: Some(at_second(0)), ..of("arms") }, vec![1]),
        (AlertFilter { before: Some(1), ..AlertFilter::default() }, vec![]),
    ];
    for is_indexed in [false, true] {
        if is_indexed {
            bench.index_alerts().await;
        }
        for (wanted, expected) in cases.clone() {
            let found = found(&bench, wanted.clone(), 9).await;
            assert_eq!(found, expected, "{wanted:?}, indexed: {is_indexed}");
        }
        assert_eq!(found(&bench, AlertFilter::default(), 2).await, [3, 2]);
        assert_eq!(found(&bench, feed("wire"), 2).await, [3, 2]);
    }
}

#[tokio::test]
async fn no_page_is_passed_over_and_no_alert_is_shown_twice() {
    let bench = Bench::new().await;
    let items = (1..=450).map(|n| item(&format!("{n:03}"), settle_plan(&["arms"]))).collect();
    bench.poll("wire", 0, items).await;
    assert_eq!(
        found(&bench, AlertFilter::default(), 1000).await,
        (1..=450).rev().collect::<Vec<_>>()
    );
    bench.index_alerts().await;
    let again = vec![item("001", settle_plan(&[])), item("449", settle_plan(&[]))];
    bench.poll("paper", 1, again).await;
    let with = |text| AlertFilter { words: words(text), ..AlertFilter::default() };
    assert_eq!(found(&bench, with("001"), 1000).await, [1]);
    // The index lacks the last change of two alerts.
    assert_eq!(found(&bench, with("arms"), 1000).await, (1..=450).rev().collect::<Vec<_>>());
    assert_eq!(found(&bench, with("arms"), 3).await, [450, 449, 448]);
}

#[tokio::test]
async fn an_alert_has_its_rules_text_of_that_time_and_every_message_attempt_and_reply() {
    let bench = bench().await;
    bench
        .store
        .record_rule_versions(
            vec![("hash of arms".to_owned(), "when: arms".to_owned())],
            at_second(0),
        )
        .await
        .unwrap();
    let run = bench.start_run(&[desk_receiver(), receiver("hook", "")]).await;
    let lease = bench.lease(run, "desk", 5).await.remove(0);
    let again = retry_finish(FailureCause::Failed, FailureScope::Notifier, 60);
    assert!(bench.finish_attempt(run, &lease, again, 6).await);
    let lease = bench.lease(run, "desk", 60).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, Finish::Sent("250 taken".to_owned()), 61).await);

    let mut archive = Archive::open(&bench.place()).await.unwrap();
    let record = archive.alert_record(1).await.unwrap().expect("it is kept");
    assert_eq!(record.rule_text.as_deref(), Some("when: arms"));
    assert_eq!(record.text_now_sha256, hash_story_text("a", "Teaser."));
    assert_eq!(
        record.past.feeds.iter().map(|seen| &*seen.feed.0).collect::<Vec<_>>(),
        ["wire", "paper"]
    );
    let [desk, hook] = &record.messages[..] else { panic!("{:?}", record.messages) };
    assert_eq!(
        (desk.receiver.clone(), desk.status.as_str()),
        (crate::store::fixture::desk_receiver(), "sent")
    );
    let attempts = desk.attempts.iter().map(|one| {
        (one.started, one.ended, one.outcome.map(AttemptOutcome::as_str), one.reply.as_deref())
    });
    let expected = [
        (at_second(5), Some(at_second(6)), Some("again"), Some("421 try later")),
        (at_second(60), Some(at_second(61)), Some("sent"), Some("250 taken")),
    ];
    assert_eq!(attempts.collect::<Vec<_>>(), expected);
    assert_eq!((hook.status.as_str(), hook.attempts.len()), ("pending", 0));
    assert_eq!(archive.alert_record(99).await.unwrap(), None);
}

/// An item whose rule waits for two events within an hour. It may be a copy of an earlier one.
fn conditional_item(key: &str, copy_of: Option<&str>) -> ItemRecord {
    let condition = Condition::Events { least: 2, within: Duration::from_hours(1) };
    let alert = NewAlert { condition: Some(condition), ..new_alert("arms", &[desk_receiver()]) };
    let joins = copy_of.map(|key| JoinedEvent { event: key.to_owned(), update: None });
    item(key, StoryPlan::Settle(MatchResult { alerts: vec![alert], joins, ..match_result(&[]) }))
}

#[tokio::test]
async fn what_is_held_is_found_apart_and_says_when_it_was_told() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![conditional_item("a", None)]).await;
    bench.poll("wire", 60, vec![item("b", settle_plan(&["arms"]))]).await;
    bench.poll("wire", 7200, vec![conditional_item("c", None)]).await;
    bench.poll("wire", 7230, vec![conditional_item("d", Some("c"))]).await;
    bench.poll("wire", 7260, vec![conditional_item("e", None)]).await;
    bench.poll("wire", 7320, vec![conditional_item("f", None)]).await;
    let held = |held| AlertFilter { held: Some(held), ..AlertFilter::default() };
    for is_indexed in [false, true] {
        if is_indexed {
            bench.index_alerts().await;
        }
        for (wanted, expected) in [
            (held(true), vec![1]),
            (held(false), vec![6, 5, 4, 3, 2]),
            (AlertFilter { words: words("arms"), ..held(true) }, vec![1]),
            (AlertFilter { words: words("arms"), ..held(false) }, vec![6, 5, 4, 3, 2]),
            (AlertFilter { since: Some(at_second(1)), ..held(true) }, vec![]),
        ] {
            let found = found(&bench, wanted.clone(), 9).await;
            assert_eq!(found, expected, "{wanted:?}, indexed: {is_indexed}");
        }
    }
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    let all = archive.find_alerts(&AlertFilter::default(), 9).await.unwrap();
    let told = all.iter().filter_map(|one| Some((one.id, one.held_until?)));
    assert_eq!(told.collect::<Vec<_>>(), [4, 3].map(|id| (id, at_second(7260))));
    for (day, alerts, held) in [(0, 6, 1), (29, 6, 1), (30, 0, 0)] {
        let (rules, today) = (BTreeMap::from([("arms".to_owned(), String::new())]), day * 86_400);
        let today = UtcDay::of(at_second(today));
        let activity = archive.rule_activity(&rules, today).await.unwrap().remove("arms").unwrap();
        assert_eq!((activity.alerts_30d, activity.held_30d), (alerts, held), "day {day}");
    }
    for (firing, released) in [(5, vec![4, 3]), (6, vec![]), (3, vec![]), (2, vec![])] {
        let found = archive.alerts_released_by(firing).await.unwrap();
        let found: Vec<i64> = found.iter().map(|one| one.id).collect();
        assert_eq!(found, released, "{firing}");
    }
}
