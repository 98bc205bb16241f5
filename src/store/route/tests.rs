//! Tests of which message an alert joins, under bursts, digests, quiet hours, limits and silences.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::super::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification, receiver,
};
use super::super::{MatchResult, StoryPlan};
use crate::alerts::digest::{Digest, DigestReason};
use crate::alerts::silence::SilenceTarget;
use crate::alerts::volume::{DeliveryPolicies, Throttle};
use crate::alerts::{Content, NewAlert, RuleMatch};
use tidings_rules::condition::Publishers;
use tidings_rules::story::delivery::{
    Burst, Cadence, DeliveryPolicy, QuietHours, RateLimit, time_of_day,
};
use tidings_rules::story::{Severity, WatchlistRow};

const HOUR: i64 = 3600;

fn rule(name: &str, throttle: Throttle) -> NewAlert {
    NewAlert { throttle, ..new_alert(name, &[desk_receiver()]) }
}

fn burst() -> Throttle {
    Throttle { burst: Some(Burst { first: 3, then: Duration::from_mins(30) }), digest: None }
}

fn hourly() -> Throttle {
    Throttle { burst: None, digest: Some(Cadence::Every(Duration::from_hours(1))) }
}

/// A plan by which these rules match at `now`, under the desk's delivery policy.
fn match_plan(alerts: Vec<NewAlert>, policy: &DeliveryPolicy, now: i64) -> StoryPlan {
    let policies = BTreeMap::from([(desk_receiver().notifier, policy.clone())]);
    let policy = Arc::new(DeliveryPolicies {
        policies,
        zone: TimeZone::UTC,
        publishers: Publishers::default(),
    });
    StoryPlan::Settle(MatchResult { alerts, due: at_second(now), policy, ..match_result(&[]) })
}

async fn story(bench: &Bench, key: &str, alerts: Vec<NewAlert>, policy: &DeliveryPolicy, now: i64) {
    bench.poll("wire", now, vec![item(key, match_plan(alerts, policy, now))]).await;
}

/// What is sent at `now`: headlines of single alerts, and digests.
async fn sent(bench: &Bench, run: i64, now: i64) -> (Vec<String>, Vec<Digest>) {
    let (mut alerts, mut digests) = (Vec::new(), Vec::new());
    let mut leases = bench.lease(run, "desk", now).await;
    // The parts of a digest that was split are leased in the next turn.
    leases.extend(bench.lease(run, "desk", now).await);
    for lease in leases {
        match parse_notification(&lease.payload).content {
            Content::Alert { story, .. } => alerts.push(story.title),
            Content::Digest(digest) => digests.push(digest),
            other => panic!("{other:?}"),
        }
    }
    (alerts, digests)
}

#[tokio::test]
async fn five_hundred_matching_stories_in_ten_minutes_make_three_messages_and_one_digest_in_parts()
{
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let free = DeliveryPolicy::default();
    for minute in 0..10 {
        let now = minute * 60;
        let plan = || match_plan(vec![rule("arms", burst())], &free, now);
        let items = (0..50).map(|n| item(&format!("{minute}-{n:02}"), plan())).collect();
        bench.poll("wire", now, items).await;
    }
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM alert").await.unwrap(), "500");
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.unwrap(), "4");
    let (alerts, digests) = sent(&bench, run, 30 * 60 - 1).await;
    assert_eq!(
        (alerts, digests.len()),
        (vec!["0-00".to_owned(), "0-01".to_owned(), "0-02".to_owned()], 0)
    );
    let (alerts, digests) = sent(&bench, run, 30 * 60).await;
    assert_eq!((alerts.len(), digests.len()), (0, 5));
    assert!(
        digests
            .iter()
            .all(|digest| digest.reason
                == DigestReason::Burst { rule: "arms".to_owned(), row: None })
    );
    let parts: Vec<usize> = digests.iter().map(|digest| digest.rules[0].stories.len()).collect();
    assert_eq!(parts, [100, 100, 100, 100, 97]);

    // Another soon after is still of the burst; after half an hour of quiet, it is over.
    story(&bench, "soon", vec![rule("arms", burst())], &free, 35 * 60).await;
    assert_eq!(sent(&bench, run, 35 * 60).await, (vec![], vec![]));
    story(&bench, "later", vec![rule("arms", burst())], &free, 65 * 60).await;
    let (alerts, digests) = sent(&bench, run, 65 * 60).await;
    assert_eq!((alerts, digests[0].stories()), (vec!["later".to_owned()], 1));
}

#[tokio::test]
async fn a_digest_gathers_for_an_hour_unless_another_rule_sends_at_once() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let free = DeliveryPolicy::default();
    for (key, now) in [("a", 0), ("b", 1800)] {
        story(&bench, key, vec![rule("arms", hourly())], &free, now).await;
    }
    story(
        &bench,
        "c",
        vec![rule("arms", hourly()), rule("korea", Throttle::default())],
        &free,
        1900,
    )
    .await;
    assert_eq!(sent(&bench, run, 1900).await, (vec!["c".to_owned()], vec![]));
    assert_eq!(sent(&bench, run, HOUR - 1).await, (vec![], vec![]));
    // The message about c is under way; a digest that gathers is not left behind.
    assert_eq!(bench.store.count_undelivered(at_second(HOUR - 1)).await.unwrap(), 1);
    assert_eq!(bench.store.count_undelivered(at_second(HOUR)).await.unwrap(), 2);
    let (_, digests) = sent(&bench, run, HOUR).await;
    let titles: Vec<_> =
        digests[0].rules[0].stories.iter().map(|entry| entry.story.title.as_str()).collect();
    assert_eq!(titles, ["b", "a"]);
}

#[tokio::test]
async fn quiet_hours_gather_until_the_morning_but_for_what_pierces_them() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    // The tests' time begins at 13:46:40.
    let (from, to) = (time_of_day("13:00").unwrap(), time_of_day("14:46").unwrap());
    let policy = DeliveryPolicy {
        quiet: Some(QuietHours { from, to, except: [Severity::Critical].into() }),
        limit: None,
    };
    let grave = |rule: NewAlert| NewAlert {
        rule_match: RuleMatch { severity: Severity::Critical, ..rule.rule_match },
        ..rule
    };
    story(&bench, "a", vec![rule("arms", Throttle::default())], &policy, 0).await;
    story(&bench, "b", vec![rule("oil", burst())], &policy, 10).await;
    story(&bench, "c", vec![grave(rule("war", Throttle::default()))], &policy, 20).await;
    assert_eq!(sent(&bench, run, 20).await, (vec!["c".to_owned()], vec![]));
    let end = HOUR - 40;
    assert_eq!(sent(&bench, run, end - 1).await, (vec![], vec![]));
    let (alerts, digests) = sent(&bench, run, end).await;
    assert_eq!((alerts.len(), digests.len()), (0, 1));
    assert_eq!((&digests[0].reason, digests[0].stories()), (&DigestReason::Quiet, 2));
    story(&bench, "d", vec![rule("arms", Throttle::default())], &policy, end).await;
    assert_eq!(sent(&bench, run, end).await.0, ["d"]);
}

#[tokio::test]
async fn what_is_beyond_a_limit_comes_as_a_digest_when_there_is_room() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let policy = DeliveryPolicy {
        quiet: None,
        limit: Some(RateLimit { most: 2, per: Duration::from_hours(1) }),
    };
    for (key, now) in [("a", 0), ("b", 10), ("c", 20), ("d", 30)] {
        story(&bench, key, vec![rule("arms", Throttle::default())], &policy, now).await;
    }
    assert_eq!(sent(&bench, run, HOUR - 1).await, (vec!["a".to_owned(), "b".to_owned()], vec![]));
    let (_, digests) = sent(&bench, run, HOUR).await;
    assert_eq!((&digests[0].reason, digests[0].stories()), (&DigestReason::Limit, 2));
}

#[tokio::test]
async fn what_is_muted_comes_as_one_digest_at_the_end_and_is_not_sent_again() {
    for ended_early in [false, true] {
        let bench = Bench::new().await;
        let run = bench.start_run(&[desk_receiver(), receiver("hook", "")]).await;
        let free = DeliveryPolicy::default();
        let target = SilenceTarget::Rule("arms".to_owned());
        let until = at_second(2 * HOUR);
        let silence = super::super::add_silence(
            &bench.place(),
            target,
            until,
            "a parade".to_owned(),
            at_second(0),
        )
        .await
        .unwrap();
        story(&bench, "a", vec![rule("arms", Throttle::default())], &free, 10).await;
        story(
            &bench,
            "b",
            vec![rule("arms", Throttle::default()), rule("korea", Throttle::default())],
            &free,
            20,
        )
        .await;
        assert_eq!(sent(&bench, run, 20).await, (vec!["b".to_owned()], vec![]));
        let listed = super::super::list_silences(&bench.place(), at_second(30)).await.unwrap();
        assert_eq!(listed, [(silence.clone(), 2)]);

        let end = if ended_early { HOUR } else { 2 * HOUR };
        if ended_early {
            let ended = super::super::end_silence(&bench.place(), silence.id, at_second(end))
                .await
                .unwrap();
            assert_eq!(ended.map(|one| one.id), Some(silence.id));
            assert_eq!(
                super::super::end_silence(&bench.place(), silence.id, at_second(end))
                    .await
                    .unwrap(),
                None
            );
        } else {
            assert_eq!(sent(&bench, run, end - 1).await, (vec![], vec![]));
        }
        let (alerts, digests) = sent(&bench, run, end).await;
        assert_eq!((alerts.len(), digests.len()), (0, 1));
        assert_eq!((&digests[0].reason, digests[0].stories()), (&silence.reason(), 2));

        // A muted alert counts as sent. An alert after the end is sent.
        story(&bench, "a", vec![rule("arms", Throttle::default())], &free, end).await;
        assert_eq!(sent(&bench, run, end).await, (vec![], vec![]));
        story(&bench, "c", vec![rule("arms", Throttle::default())], &free, end).await;
        assert_eq!(sent(&bench, run, end).await.0, ["c"]);
    }
}

#[tokio::test]
async fn rows_of_one_rule_are_counted_each_for_itself_and_stand_apart_in_digests() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let free = DeliveryPolicy::default();
    let of_row = |id: &str, throttle: Throttle| {
        let alert = rule("listed", throttle);
        let row = Some(WatchlistRow { id: id.to_owned(), label: format!("Name {id}") });
        NewAlert {
            dedup_key: id.to_owned(),
            rule_match: RuleMatch { row, ..alert.rule_match },
            ..alert
        }
    };
    for n in 0..4 {
        story(&bench, &format!("a-{n}"), vec![of_row("36", burst())], &free, 60).await;
    }
    story(&bench, "b", vec![of_row("7", burst())], &free, 120).await;
    let (alerts, digests) = sent(&bench, run, HOUR).await;
    assert_eq!(alerts, ["a-0", "a-1", "a-2", "b"], "the burst of one row is none of another");
    let row = Some(WatchlistRow { id: "36".to_owned(), label: "Name 36".to_owned() });
    assert_eq!(
        digests[0].reason,
        DigestReason::Burst { rule: "listed".to_owned(), row: row.clone() }
    );

    let both = vec![of_row("36", hourly()), of_row("7", hourly())];
    story(&bench, "c", both.clone(), &free, 2 * HOUR).await;
    story(&bench, "d", both, &free, 2 * HOUR).await;
    let (_, digests) = sent(&bench, run, 4 * HOUR).await;
    let groups: Vec<_> =
        digests[0].rules.iter().map(|group| (group.row.clone(), group.stories.len())).collect();
    let other = Some(WatchlistRow { id: "7".to_owned(), label: "Name 7".to_owned() });
    assert_eq!(groups, [(row, 2), (other, 2)]);
}

#[tokio::test]
async fn a_row_notifies_of_an_event_once_even_if_edited_and_another_row_notifies_for_itself() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let free = DeliveryPolicy::default();
    let of_row = |id: &str, version: &str| {
        let alert = rule("listed", Throttle::default());
        let row = Some(WatchlistRow { id: id.to_owned(), label: format!("Name {version}") });
        NewAlert {
            dedup_key: id.to_owned(),
            rule_match: RuleMatch { row, version: version.to_owned(), ..alert.rule_match },
            ..alert
        }
    };
    for (second, new_alerts, expected) in [
        (0, vec![of_row("36", "one")], 1),
        (10, vec![of_row("36", "edited")], 0),
        (20, vec![], 0),
        (30, vec![of_row("36", "back again"), of_row("7", "one")], 1),
    ] {
        story(&bench, "a", new_alerts, &free, second).await;
        assert_eq!(sent(&bench, run, second).await.0.len(), expected, "at {second}");
    }
    assert_eq!(
        bench.query_text("SELECT group_concat(dedup_key) FROM alert").await.unwrap(),
        "36,7"
    );
}

#[tokio::test]
async fn a_silence_of_a_row_mutes_that_row_alone() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    super::super::add_silence(
        &bench.place(),
        SilenceTarget::Row("36".to_owned()),
        at_second(HOUR),
        String::new(),
        at_second(0),
    )
    .await
    .unwrap();
    let of_row = |id: &str| {
        let alert = rule("listed", Throttle::default());
        let row = Some(WatchlistRow { id: id.to_owned(), label: id.to_owned() });
        NewAlert {
            dedup_key: id.to_owned(),
            rule_match: RuleMatch { row, ..alert.rule_match },
            ..alert
        }
    };
    story(&bench, "a", vec![of_row("36")], &DeliveryPolicy::default(), 10).await;
    story(&bench, "b", vec![of_row("7")], &DeliveryPolicy::default(), 10).await;
    assert_eq!(sent(&bench, run, 20).await, (vec!["b".to_owned()], vec![]));
    assert_eq!(sent(&bench, run, HOUR).await.1[0].rules[0].stories.len(), 1);
}
