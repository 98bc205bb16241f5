//! Tests of how attempts change the health of a notifier, and of who is notified.

use super::super::fixture::{
    Bench, at_second, desk_receiver, is_healthy, item, match_result, new_alert, parse_notification,
    poll_record, receiver, retry_finish, settle_plan,
};
use super::super::{Lease, MatchResult, PollRecord, StoryPlan};
use super::*;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::retry::{Finish, RetryRecord};
use crate::polling::health;
use crate::polling::health::FeedNotice;
use tidings_rules::story::FeedName;

fn away(until: i64) -> Finish {
    retry_finish(FailureCause::Unreached, FailureScope::Notifier, until)
}

/// The notifier asks for rest until then.
fn wish(at_seconds: i64, until: i64) -> Finish {
    let (cause, scope, why) = (FailureCause::Busy, FailureScope::Notifier, "429".to_owned());
    Finish::Retry(RetryRecord {
        due: at_second(at_seconds),
        cause,
        scope,
        counts: false,
        rest_until: Some(at_second(until)),
        why,
    })
}

fn sent() -> Finish {
    Finish::Sent("250 OK".to_owned())
}

/// Attempts at one message to the desk fail at these seconds.
async fn fail(bench: &Bench, run: i64, seconds: &[i64]) {
    for second in seconds {
        let lease = bench.lease(run, "desk", *second).await.remove(0);
        assert!(bench.finish_attempt(run, &lease, away(*second), *second).await);
    }
}

async fn one_message() -> (Bench, i64) {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    let run = bench.start_run(&[desk_receiver()]).await;
    (bench, run)
}

async fn of_desk(bench: &Bench) -> Option<NotifierHealth> {
    bench.receiver_health().await.away.remove(&Receiver::whole_notifier(&desk_receiver().notifier))
}

fn notice(lease: &Lease) -> Notice {
    let Content::Notice(About::Receiver(notice)) = parse_notification(&lease.payload).content
    else {
        panic!("not a notice")
    };
    notice
}

#[tokio::test]
async fn failures_are_counted_over_a_restart_and_a_success_forgets_them() {
    let (bench, run) = one_message().await;
    fail(&bench, run, &[1, 2, 3, 4]).await;
    let bench = bench.crash_and_reopen().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    fail(&bench, run, &[5]).await;
    let health = of_desk(&bench).await.unwrap();
    assert_eq!(
        (health.failures, health.since, health.rests_until),
        (5, at_second(1), at_second(10))
    );
    assert!(health.is_open());
    let lease = bench.lease(run, "desk", 65).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, sent(), 66).await);
    assert_eq!(of_desk(&bench).await, None);
}

#[tokio::test]
async fn a_wish_for_rest_is_kept() {
    let (bench, run) = one_message().await;
    let lease = bench.lease(run, "desk", 0).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, wish(5, 300), 1).await);
    assert_eq!(of_desk(&bench).await.unwrap().rests_until, at_second(300));
}

#[tokio::test]
async fn a_wish_holds_though_what_was_under_way_is_taken() {
    let bench = Bench::new().await;
    for key in ["a", "b", "c"] {
        bench.poll("wire", 0, vec![item(key, settle_plan(&["arms"]))]).await;
    }
    let run = bench.start_run(&[desk_receiver()]).await;
    let [turned_away, fine, other] = &bench.lease(run, "desk", 0).await[..] else {
        panic!("three messages")
    };
    let ended = vec![(turned_away.clone(), wish(300, 300)), (fine.clone(), sent())];
    assert_eq!(
        bench.outbox_turn(run, ended, &[("desk", 1)], 1).await.next_due,
        None,
        "one is under way"
    );
    let turn = bench.outbox_turn(run, vec![(other.clone(), sent())], &[("desk", 0)], 2).await;
    assert_eq!((turn.leases, turn.next_due), (vec![], Some(at_second(300))));
    assert_eq!(bench.outbox_turn(run, vec![], &[("desk", 0)], 300).await.leases.len(), 1);
}

#[tokio::test]
async fn what_backs_off_for_hours_is_due_within_minutes_of_the_return_and_not_at_once() {
    for (failures, expected) in [(4, 7200), (5, 240)] {
        let bench = Bench::new().await;
        for key in ["a", "b", "c", "d"] {
            bench.poll("wire", 0, vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 0).await;
        let [slow @ .., fine] = &leases[..] else { panic!("four messages") };
        for lease in slow {
            assert!(
                bench
                    .finish_attempt(
                        run,
                        lease,
                        retry_finish(FailureCause::Failed, FailureScope::Notifier, 7200),
                        0
                    )
                    .await
            );
        }
        let mut fine = fine.clone();
        for _ in slow.len()..failures {
            assert!(bench.finish_attempt(run, &fine, away(0), 0).await);
            fine = bench.lease(run, "desk", 0).await.remove(0);
        }
        assert!(bench.finish_attempt(run, &fine, sent(), 0).await);
        assert_eq!(bench.lease(run, "desk", 59).await, [], "after {failures}");
        let dues = bench.query_text("SELECT group_concat((due - 1000000000) / 1000, ' ') FROM (SELECT due FROM message WHERE status = 'pending' ORDER BY due) AS one");
        let dues: Vec<i64> =
            dues.await.unwrap().split(' ').map(|due| due.parse().unwrap()).collect();
        assert_eq!(dues.last(), Some(&expected), "after {failures}: {dues:?}");
        assert!(failures == 4 || dues[0] < dues[2], "{dues:?}");
    }
}

#[tokio::test]
async fn a_mailbox_that_is_full_for_an_hour_is_reported_and_the_others_are_not_held_responsible() {
    let bench = Bench::new().await;
    let (ana, bob) = (receiver("mail", "ana"), receiver("mail", "bob"));
    let alerts = vec![new_alert("arms", std::slice::from_ref(&ana))];
    bench
        .poll(
            "wire",
            0,
            vec![item("a", StoryPlan::Settle(MatchResult { alerts, ..match_result(&[]) }))],
        )
        .await;
    let run = bench.start_run(&[ana.clone(), bob.clone()]).await;
    for second in 0..5 {
        let lease = bench.lease(run, "mail", second).await.remove(0);
        assert!(
            bench
                .finish_attempt(
                    run,
                    &lease,
                    retry_finish(FailureCause::Busy, FailureScope::Recipient, second),
                    second
                )
                .await
        );
    }
    let health_of_all = bench.receiver_health().await;
    assert!(!is_healthy(&health_of_all, &ana) && is_healthy(&health_of_all, &bob));
    let health = &health_of_all.away[&ana];
    assert!(health.needs_notice(at_second(3600)));
    let down = Notice {
        kind: NoticeKind::Down,
        notifier: ana.notifier.clone(),
        recipient: Some(ana.recipient.clone()),
        since: health.since,
        why: health.why.clone(),
    };
    bench.store.announce(down.clone(), vec![bob], at_second(3600)).await.unwrap();
    let leases = bench.lease(run, "mail", 3600).await;
    let (to_ana, to_bob): (Vec<_>, Vec<_>) =
        leases.into_iter().partition(|lease| lease.receiver == ana);
    assert_eq!(to_bob.iter().map(notice).collect::<Vec<_>>(), std::slice::from_ref(&down));
    assert!(bench.finish_attempt(run, &to_ana[0], sent(), 3601).await);
    let notices = bench.lease(run, "mail", 3601).await;
    assert_eq!(
        notices.iter().map(notice).collect::<Vec<_>>(),
        [Notice { kind: NoticeKind::Back, ..down }]
    );
}

#[tokio::test]
async fn a_message_that_is_refused_for_what_it_says_holds_nothing_up_and_is_reported_after_an_hour()
{
    let (bench, run) = one_message().await;
    for (now, unannounced) in [(0, 0), (60, 0), (3600, 1), (9000, 1)] {
        let lease = bench.lease(run, "desk", now).await.remove(0);
        assert!(
            bench
                .finish_attempt(
                    run,
                    &lease,
                    retry_finish(FailureCause::Failed, FailureScope::Message, now),
                    now
                )
                .await
        );
        let health_of_all = bench.receiver_health().await;
        assert!(health_of_all.away.is_empty());
        assert_eq!(health_of_all.unannounced_refusals().count(), unannounced, "at {now}");
    }
}

#[tokio::test]
async fn whoever_hears_that_a_notifier_is_down_hears_once_that_it_is_back() {
    let (bench, run) = one_message().await;
    let ops = receiver("ops", "");
    fail(&bench, run, &[1, 2, 3, 4, 5]).await;
    let health = of_desk(&bench).await.unwrap();
    let down = Notice {
        kind: NoticeKind::Down,
        notifier: desk_receiver().notifier,
        recipient: None,
        since: health.since,
        why: health.why,
    };
    for now in [3601, 3602] {
        bench.store.announce(down.clone(), vec![ops.clone()], at_second(now)).await.unwrap();
    }
    assert!(of_desk(&bench).await.unwrap().announced);
    let notices = bench.lease(run, "ops", 3602).await;
    assert_eq!(notices.iter().map(notice).collect::<Vec<_>>(), std::slice::from_ref(&down));

    let lease = bench.lease(run, "desk", 3700).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, sent(), 3700).await);
    let notices = bench.lease(run, "ops", 3700).await;
    assert_eq!(
        notices.iter().map(notice).collect::<Vec<_>>(),
        [Notice { kind: NoticeKind::Back, ..down }]
    );

    // A short failure afterwards is nobody's business.
    bench.poll("wire", 3800, vec![item("b", settle_plan(&["arms"]))]).await;
    fail(&bench, run, &[3800]).await;
    let lease = bench.lease(run, "desk", 3800).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, sent(), 3801).await);
    assert_eq!(bench.lease(run, "ops", 3900).await, []);
}

#[tokio::test]
async fn a_refusal_is_reported_once_until_the_receiver_takes_a_message() {
    let bench = Bench::new().await;
    let (ana, bob) = (receiver("mail", "ana"), receiver("mail", "bob"));
    for key in ["a", "b", "c", "d"] {
        let alerts = vec![new_alert("arms", std::slice::from_ref(&ana))];
        bench
            .poll(
                "wire",
                0,
                vec![item(key, StoryPlan::Settle(MatchResult { alerts, ..match_result(&[]) }))],
            )
            .await;
    }
    let run = bench.start_run(&[ana.clone(), bob.clone()]).await;
    let leases = bench.lease(run, "mail", 0).await;
    for (lease, finish, expected) in [
        (&leases[0], Finish::Dead("550 no such user".to_owned()), 1),
        (&leases[1], Finish::Dead("550 still not".to_owned()), 0),
        (&leases[2], sent(), 0),
        (&leases[3], Finish::Dead("550 again".to_owned()), 1),
    ] {
        assert!(bench.finish_attempt(run, lease, finish, lease.message).await);
        let unannounced = bench.receiver_health().await.unannounced_refusals().collect::<Vec<_>>();
        assert_eq!(unannounced.len(), expected);
        for refusal in unannounced {
            assert_eq!((refusal.kind, refusal.subject()), (NoticeKind::Refused, ana.clone()));
            bench.store.announce(refusal, vec![bob.clone()], at_second(9)).await.unwrap();
        }
    }
    let notices: Vec<_> =
        bench.lease(run, "mail", 9).await.iter().map(|lease| notice(lease).why).collect();
    assert_eq!(notices, ["550 no such user", "550 again"]);
    assert_eq!(of_desk(&bench).await, None, "a refusal is an answer");
}

#[tokio::test]
async fn a_notice_of_a_feed_is_sent_with_its_poll_and_once_to_each_of_its_audience() {
    let bench = Bench::new().await;
    let feed = FeedName("wire".to_owned());
    let kind = health::FeedNoticeKind::Failing;
    let notice =
        FeedNotice { kind, feed, since: at_second(0), why: "connection refused".to_owned() };
    let audience = vec![desk_receiver(), receiver("hook", "")];
    for now in [10, 11] {
        let notices = vec![(notice.clone(), audience.clone())];
        bench
            .store
            .record_poll(PollRecord { notices, ..poll_record("wire", now, vec![]) })
            .await
            .unwrap();
    }
    let run = bench.start_run(&audience).await;
    assert_eq!(bench.lease(run, "hook", 12).await.len(), 1);
    let leases = bench.lease(run, "desk", 12).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(
        parse_notification(&leases[0].payload).content,
        Content::Notice(About::Feed(notice))
    );
}
