//! How a notifier's state follows from its attempts, and who is told.

use super::super::fixture::{Bench, at, desk, draft, item, letter, poll, receiver, settle, verdict};
use super::super::{Attempted, Finish, Lease, Plan, PollRecord, Verdict};
use super::*;
use crate::alert::ailment::{self, FeedNotice};
use crate::story::FeedName;

fn away(until: i64) -> Finish {
    Finish::Again { at: at(until), attempted: Attempted::Unreached, rest: None, why: "connection refused".to_owned() }
}

fn sent() -> Finish {
    Finish::Sent("250 OK".to_owned())
}

/// Attempts at one message to the desk fail at these seconds.
async fn fail(bench: &Bench, run: i64, seconds: &[i64]) {
    for second in seconds {
        let lease = bench.lease(run, "desk", *second).await.remove(0);
        assert!(bench.finish(run, &lease, away(*second), *second).await);
    }
}

async fn one_message() -> (Bench, i64) {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle(&["arms"]))]).await;
    let run = bench.run(&[desk()]).await;
    (bench, run)
}

async fn of_desk(bench: &Bench) -> Option<Health> {
    bench.standing().await.away.remove(&desk().notifier)
}

fn notice(lease: &Lease) -> Notice {
    let Content::Notice(About::Receiver(notice)) = letter(&lease.payload).content else { panic!("not a notice") };
    notice
}

#[tokio::test]
async fn failures_are_counted_over_a_restart_and_a_success_forgets_them() {
    let (bench, run) = one_message().await;
    fail(&bench, run, &[1, 2, 3, 4]).await;
    let bench = bench.crash().await;
    let run = bench.run(&[desk()]).await;
    fail(&bench, run, &[5]).await;
    let health = of_desk(&bench).await.unwrap();
    assert_eq!((health.failures, health.since, health.rests_until), (5, at(1), at(65)));
    assert!(health.is_open());
    let lease = bench.lease(run, "desk", 65).await.remove(0);
    assert!(bench.finish(run, &lease, sent(), 66).await);
    assert_eq!(of_desk(&bench).await, None);
}

#[tokio::test]
async fn a_wish_for_rest_is_kept() {
    let (bench, run) = one_message().await;
    let lease = bench.lease(run, "desk", 0).await.remove(0);
    let busy = Finish::Again { at: at(5), attempted: Attempted::Counted, rest: Some(at(300)), why: "429".to_owned() };
    assert!(bench.finish(run, &lease, busy, 1).await);
    assert_eq!(of_desk(&bench).await.unwrap().rests_until, at(300));
}

#[tokio::test]
async fn the_first_success_after_five_failures_makes_all_that_was_tried_due() {
    for (failures, expected) in [(4, 1), (5, 2)] {
        let bench = Bench::new().await;
        for key in ["a", "b", "c"] {
            bench.poll("wire", 0, vec![item(key, settle(&["arms"]))]).await;
        }
        let run = bench.run(&[desk()]).await;
        let [unreached, slow, fine] = &bench.lease(run, "desk", 0).await[..] else { panic!("three messages") };
        let slowly =
            Finish::Again { at: at(7200), attempted: Attempted::Counted, rest: None, why: "timeout".to_owned() };
        assert!(bench.finish(run, slow, slowly, 1).await);
        assert!(bench.finish(run, unreached, away(1), 1).await);
        fail(&bench, run, &vec![1; failures - 2]).await;
        assert!(bench.finish(run, fine, sent(), 2).await);
        assert_eq!(bench.lease(run, "desk", 2).await.len(), expected, "after {failures}");
    }
}

#[tokio::test]
async fn whoever_hears_that_a_notifier_is_down_hears_once_that_it_is_back() {
    let (bench, run) = one_message().await;
    let ops = receiver("ops", "");
    fail(&bench, run, &[1, 2, 3, 4, 5]).await;
    let health = of_desk(&bench).await.unwrap();
    let down =
        Notice { kind: Kind::Down, notifier: desk().notifier, recipient: None, since: health.since, why: health.why };
    for now in [3601, 3602] {
        bench.store.announce(down.clone(), vec![ops.clone()], at(now)).await.unwrap();
    }
    assert!(of_desk(&bench).await.unwrap().announced);
    let told = bench.lease(run, "ops", 3602).await;
    assert_eq!(told.iter().map(notice).collect::<Vec<_>>(), std::slice::from_ref(&down));

    let lease = bench.lease(run, "desk", 3700).await.remove(0);
    assert!(bench.finish(run, &lease, sent(), 3700).await);
    let told = bench.lease(run, "ops", 3700).await;
    assert_eq!(told.iter().map(notice).collect::<Vec<_>>(), [Notice { kind: Kind::Back, ..down }]);

    // A short failure afterwards is nobody's business.
    bench.poll("wire", 3800, vec![item("b", settle(&["arms"]))]).await;
    fail(&bench, run, &[3800]).await;
    let lease = bench.lease(run, "desk", 3800).await.remove(0);
    assert!(bench.finish(run, &lease, sent(), 3801).await);
    assert_eq!(bench.lease(run, "ops", 3900).await, []);
}

#[tokio::test]
async fn a_refusal_is_told_once_until_the_receiver_takes_a_message() {
    let bench = Bench::new().await;
    let (ana, bob) = (receiver("mail", "ana"), receiver("mail", "bob"));
    for key in ["a", "b", "c", "d"] {
        let alerts = vec![draft("arms", std::slice::from_ref(&ana))];
        bench.poll("wire", 0, vec![item(key, Plan::Settle(Verdict { alerts, ..verdict(&[]) }))]).await;
    }
    let run = bench.run(&[ana.clone(), bob.clone()]).await;
    let leases = bench.lease(run, "mail", 0).await;
    for (lease, finish, expected) in [
        (&leases[0], Finish::Dead("550 no such user".to_owned()), 1),
        (&leases[1], Finish::Dead("550 still not".to_owned()), 0),
        (&leases[2], sent(), 0),
        (&leases[3], Finish::Dead("550 again".to_owned()), 1),
    ] {
        assert!(bench.finish(run, lease, finish, lease.message).await);
        let untold = bench.standing().await.untold_refusals().cloned().collect::<Vec<_>>();
        assert_eq!(untold.len(), expected);
        for refusal in untold {
            assert_eq!((refusal.kind, refusal.subject()), (Kind::Refused, ana.clone()));
            bench.store.announce(refusal, vec![bob.clone()], at(9)).await.unwrap();
        }
    }
    let told: Vec<_> = bench.lease(run, "mail", 9).await.iter().map(|lease| notice(lease).why).collect();
    assert_eq!(told, ["550 no such user", "550 again"]);
    assert_eq!(of_desk(&bench).await, None, "a refusal is an answer");
}

#[tokio::test]
async fn a_notice_of_a_feed_is_told_with_its_poll_and_once_to_each_of_its_audience() {
    let bench = Bench::new().await;
    let feed = FeedName("wire".to_owned());
    let kind = ailment::Kind::Failing;
    let notice = FeedNotice { kind, feed, since: at(0), why: "connection refused".to_owned() };
    let audience = vec![desk(), receiver("hook", "")];
    for now in [10, 11] {
        let notices = vec![(notice.clone(), audience.clone())];
        bench.store.record_poll(PollRecord { notices, ..poll("wire", now, vec![]) }).await.unwrap();
    }
    let run = bench.run(&audience).await;
    assert_eq!(bench.lease(run, "hook", 12).await.len(), 1);
    let leases = bench.lease(run, "desk", 12).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(letter(&leases[0].payload).content, Content::Notice(About::Feed(notice)));
}
