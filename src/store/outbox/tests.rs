//! Tests of the outbox: the content of messages, leases and the ends of attempts.

use std::sync::Arc;

use super::super::fixture;
use super::super::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, receiver, render_as_json,
    rules_and_feeds, settle_plan,
};
use super::super::{Lease, MatchResult, OutboxTurn, StoryPlan};
use crate::alerts::Receiver;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::retry::Finish;

/// A plan by which `rule` notifies these receivers, at `due` seconds.
fn notify_plan(rule: &str, receivers: &[Receiver], due: i64) -> StoryPlan {
    StoryPlan::Settle(MatchResult {
        alerts: vec![new_alert(rule, receivers)],
        due: at_second(due),
        ..match_result(&[])
    })
}

fn again(at_seconds: i64, counts: bool) -> Finish {
    fixture::retry_finish(
        if counts { FailureCause::Failed } else { FailureCause::Unreached },
        FailureScope::Notifier,
        at_seconds,
    )
}

fn sent() -> Finish {
    Finish::Sent("250 OK".to_owned())
}

/// A store with one message to the desk, leased.
async fn one_lease() -> (Bench, i64, Lease) {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let lease = bench.lease(run, "desk", 0).await.remove(0);
    (bench, run, lease)
}

#[tokio::test]
async fn two_rules_that_match_one_story_make_one_message() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms", "korea"]))]).await;
    assert_eq!(
        bench.sent_rules_and_feeds(0).await,
        [(vec!["arms".into(), "korea".into()], vec!["wire".into()])]
    );
}

#[tokio::test]
async fn two_feeds_that_carry_one_story_make_one_message() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    bench.poll("paper", 1, vec![item("a", settle_plan(&["arms"]))]).await;
    assert_eq!(
        bench.sent_rules_and_feeds(1).await,
        [(vec!["arms".into()], vec!["wire".into(), "paper".into()])]
    );
}

#[tokio::test]
async fn two_receivers_have_a_message_each_and_two_stories_too() {
    let bench = Bench::new().await;
    let both = [desk_receiver(), receiver("hook", "")];
    bench
        .poll(
            "wire",
            0,
            vec![
                item("a", notify_plan("arms", &both, 0)),
                item("b", notify_plan("arms", &both, 0)),
            ],
        )
        .await;
    let run = bench.start_run(&both).await;
    let leases = [bench.lease(run, "desk", 0).await, bench.lease(run, "hook", 0).await].concat();
    let receivers: Vec<_> = leases.iter().map(|lease| lease.receiver.clone()).collect();
    assert_eq!(
        receivers,
        [desk_receiver(), desk_receiver(), receiver("hook", ""), receiver("hook", "")]
    );
    let ids: std::collections::BTreeSet<_> = leases.iter().map(|lease| &lease.id).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_rule_that_comes_late_joins_before_the_lease_and_makes_the_next_message_after_it() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    bench.poll("paper", 1, vec![item("a", settle_plan(&["korea"]))]).await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let first = bench.lease(run, "desk", 1).await;
    bench.poll("third", 2, vec![item("a", settle_plan(&["oil"]))]).await;
    bench.poll("fourth", 3, vec![item("a", settle_plan(&["arms", "shells"]))]).await;
    let second = bench.lease(run, "desk", 3).await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(rules_and_feeds(&first[0].payload).0, ["arms", "korea"]);
    assert_eq!(rules_and_feeds(&second[0].payload).0, ["oil", "shells"]);
    let keys = bench
        .query_text(
            "SELECT group_concat(substr(key, 43), ' ') FROM (SELECT key FROM message ORDER BY id) AS one",
        )
        .await;
    assert_eq!(keys.unwrap(), ":desk/desk@example.org:1 :desk/desk@example.org:2");

    // What was leased is frozen, though it waits again.
    assert!(bench.finish_attempt(run, &second[0], again(9, true), 4).await);
    bench.poll("fifth", 5, vec![item("a", settle_plan(&["sanctions"]))]).await;
    let third = bench.lease(run, "desk", 9).await;
    assert_eq!(rules_and_feeds(&third[0].payload).0, ["sanctions"]);
    assert_eq!((&third[1].id, &third[1].payload), (&second[0].id, &second[0].payload));
}

#[tokio::test]
async fn polling_twice_sends_nothing_twice() {
    let (bench, run, lease) = one_lease().await;
    assert!(bench.finish_attempt(run, &lease, sent(), 1).await);
    bench.poll("wire", 2, vec![item("a", settle_plan(&["arms"]))]).await;
    bench.poll("paper", 3, vec![item("a", settle_plan(&["arms"]))]).await;
    assert_eq!(bench.lease(run, "desk", 9).await, []);
    let held = bench.store.count_holdings().await.unwrap();
    assert_eq!((held.stories, held.alerts, held.waiting, held.dead), (1, 1, 0, 0));
}

#[tokio::test]
async fn the_oldest_due_are_leased_first_within_the_limit_and_only_once() {
    let bench = Bench::new().await;
    for (key, due) in [("c", 3), ("a", 1), ("d", 9), ("b", 2)] {
        bench.poll("wire", 0, vec![item(key, notify_plan("arms", &[desk_receiver()], due))]).await;
    }
    assert_eq!(bench.next_due().await, [(desk_receiver().recipient, at_second(1))]);
    let run = bench.start_run(&[desk_receiver()]).await;
    let mut titles = Vec::new();
    for limit in [2, 2, 2] {
        for lease in bench.lease_at_most(run, "desk", limit, 5, render_as_json()).await {
            let notification = super::super::fixture::parse_notification(&lease.payload);
            let crate::alerts::Content::Alert { story, .. } = notification.content else {
                panic!("not an alert")
            };
            titles.push(story.title);
        }
    }
    assert_eq!(titles, ["a", "b", "c"]);
    assert_eq!(bench.next_due().await, [(desk_receiver().recipient, at_second(9))]);
    assert_eq!(bench.store.count_undelivered(at_second(99)).await.unwrap(), 4);
    assert_eq!(bench.lease(run, "hook", 99).await, []);
}

#[tokio::test]
async fn an_attempt_ends_as_it_is_finished() {
    for (finish, state, outcome, counted, next) in [
        (sent(), "sent", "sent", 1, None),
        (again(60, true), "pending", "again", 1, Some(at_second(60))),
        (again(60, false), "pending", "unreached", 0, Some(at_second(60))),
        (Finish::Dead("550 no such user".to_owned()), "dead", "dead", 1, None),
    ] {
        let (bench, run, lease) = one_lease().await;
        assert!(bench.finish_attempt(run, &lease, finish.clone(), 1).await);
        assert_eq!(bench.query_text("SELECT status FROM message").await.unwrap(), state);
        assert_eq!(bench.query_text("SELECT outcome FROM attempt").await.unwrap(), outcome);
        assert_eq!(
            bench.query_text("SELECT counted_attempts || '' FROM message").await.unwrap(),
            counted.to_string()
        );
        let due = bench.next_due().await;
        assert_eq!(due.first().map(|(_, at)| *at), next, "{state}");
        let held = bench.store.count_holdings().await.unwrap();
        assert_eq!(
            (held.waiting, held.dead),
            (i64::from(next.is_some()), i64::from(state == "dead"))
        );
        assert!(!bench.finish_attempt(run, &lease, finish, 2).await, "an attempt ends once");
    }
}

#[tokio::test]
async fn a_retry_is_the_same_message_and_knows_how_many_came_before() {
    let (bench, run, first) = one_lease().await;
    assert!(bench.finish_attempt(run, &first, again(5, true), 1).await);
    assert_eq!(bench.lease(run, "desk", 4).await, []);
    let second = bench.lease(run, "desk", 5).await.remove(0);
    let expected = Lease {
        attempt: second.attempt,
        counted_attempts: 1,
        may_have_arrived: true,
        ..first.clone()
    };
    assert_eq!(second, expected);
    assert!(
        !bench.finish_attempt(run, &first, sent(), 6).await,
        "the first attempt's lease is over"
    );
    assert_eq!(bench.store.count_undelivered(at_second(99)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_lease_names_the_rules_of_its_message_and_a_notice_has_none() {
    let (bench, run, one) = one_lease().await;
    assert_eq!(one.rules.as_deref(), Some("arms"));
    bench.poll("wire", 1, vec![item("b", settle_plan(&["oil", "arms"]))]).await;
    bench.poll("paper", 1, vec![item("b", settle_plan(&["grain", "arms"]))]).await;
    let several = bench.lease(run, "desk", 2).await.remove(0);
    assert_eq!(several.rules.as_deref(), Some("arms, grain, oil"));
    let names: Vec<String> = (10..50).map(|number| format!("rule {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bench.poll("wire", 2, vec![item("c", settle_plan(&names))]).await;
    let many = bench.lease(run, "desk", 3).await.remove(0).rules.unwrap();
    assert!(many.starts_with("rule 10, ") && many.ends_with(", rule 29"), "{many}");
}

#[tokio::test]
async fn a_message_that_cannot_be_rendered_is_dead_and_does_not_stop_the_others() {
    let bench = Bench::new().await;
    let both = [receiver("mail", "not an address"), receiver("mail", "ana@example.org")];
    bench.poll("wire", 0, vec![item("a", notify_plan("arms", &both, 0))]).await;
    let run = bench.start_run(&both).await;
    let picky = Arc::new(|receiver: &Receiver, _: &_| {
        if receiver.recipient.contains('@') { Ok(vec![1]) } else { Err("no address".to_owned()) }
    });
    let leases = bench.lease_at_most(run, "mail", 9, 0, picky).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].receiver, both[1]);
    assert_eq!(
        bench.query_text("SELECT why FROM message WHERE status = 'dead'").await.unwrap(),
        "no address"
    );
    assert_eq!(bench.store.count_holdings().await.unwrap().dead, 1);

    // What matches later is not put into the dead message.
    bench.poll("paper", 1, vec![item("a", notify_plan("oil", &both[..1], 1))]).await;
    assert_eq!(bench.lease(run, "mail", 1).await.len(), 1);
}

#[tokio::test]
async fn a_success_makes_nothing_due_that_backs_off() {
    let bench = Bench::new().await;
    for key in ["a", "b", "c"] {
        bench.poll("wire", 0, vec![item(key, notify_plan("arms", &[desk_receiver()], 0))]).await;
    }
    let run = bench.start_run(&[desk_receiver()]).await;
    let [unreached, refused, fine] = &bench.lease(run, "desk", 0).await[..] else {
        panic!("three messages")
    };
    assert!(bench.finish_attempt(run, unreached, again(60, false), 1).await);
    assert!(bench.finish_attempt(run, refused, again(300, true), 1).await);
    assert!(bench.finish_attempt(run, fine, sent(), 2).await);
    assert_eq!(bench.lease(run, "desk", 59).await, []);
    assert_eq!(bench.lease(run, "desk", 300).await.len(), 2);
}

/// A turn at `now`, in which the notifier `mail` is sent nothing yet; whom it leases to.
async fn mailed(
    bench: &Bench,
    run: i64,
    ended: Vec<(Lease, Finish)>,
    now: i64,
) -> (Vec<Lease>, Vec<String>) {
    let leases = bench.outbox_turn(run, ended, &[("mail", 0)], now).await.leases;
    let recipients = leases.iter().map(|lease| lease.receiver.recipient.clone()).collect();
    (leases, recipients)
}

#[tokio::test]
async fn one_full_mailbox_slows_nobody_else() {
    let bench = Bench::new().await;
    let both = ["ana", "bob"].map(|name| receiver("mail", name));
    let items = (0..9).map(|n| item(&n.to_string(), notify_plan("arms", &both, 0))).collect();
    bench.poll("wire", 0, items).await;
    let run = bench.start_run(&both).await;
    let full = |lease: Lease| {
        (lease, fixture::retry_finish(FailureCause::Busy, FailureScope::Recipient, 60))
    };
    let mut ended = Vec::new();
    let mut to_bob = 0;
    let mut to_ana = 0;
    for now in 0..30 {
        let (leases, _) = mailed(&bench, run, std::mem::take(&mut ended), now).await;
        for lease in leases {
            if lease.receiver.recipient == "ana" {
                to_ana += 1;
                ended.push(full(lease));
            } else {
                to_bob += 1;
                ended.push((lease, sent()));
            }
        }
    }
    assert_eq!((to_bob, to_ana), (9, 9), "each message to ana was tried");
    let health = bench.receiver_health().await.away;
    assert_eq!(health.keys().collect::<Vec<_>>(), [&both[0]]);
    assert_eq!(health[&both[0]].failures, 9);
    // Ana's mailbox is probed with one message, and rests after that. Bob's go out at once.
    let items = ["x", "y"].map(|key| item(key, notify_plan("arms", &both, 31)));
    bench.poll("wire", 31, items.into()).await;
    let (leases, recipients) = mailed(&bench, run, vec![], 31).await;
    assert_eq!(recipients, ["ana", "bob", "bob"]);
    let ended = leases.into_iter().take(1).map(full).collect();
    assert_eq!(mailed(&bench, run, ended, 32).await.1, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_away_as_a_whole_is_one_probe_for_all_of_its_recipients() {
    let bench = Bench::new().await;
    let all: Vec<_> = (0..20).map(|n| receiver("mail", &format!("{n:02}"))).collect();
    bench.poll("wire", 0, vec![item("a", notify_plan("arms", &all, 0))]).await;
    let run = bench.start_run(&all).await;
    let mut ended = Vec::new();
    let mut tries = Vec::new();
    for now in 0..200 {
        for lease in
            bench.outbox_turn(run, std::mem::take(&mut ended), &[("mail", 0)], now).await.leases
        {
            tries.push(now);
            ended.push((lease, again(now + 5, false)));
        }
    }
    let probes: Vec<i64> = tries.iter().copied().skip(8).collect();
    assert_eq!(tries[..8], [0; 8]);
    assert!(
        probes.len() <= 7 && probes.windows(2).skip(4).all(|two| two[1] - two[0] >= 60),
        "{probes:?}"
    );
}

#[tokio::test]
async fn probes_go_round_among_recipients() {
    let bench = Bench::new().await;
    let [ana, bob] = ["ana", "bob"].map(|name| receiver("mail", name));
    for key in ["a", "b", "c", "d", "e"] {
        bench
            .poll("wire", 0, vec![item(key, notify_plan("arms", std::slice::from_ref(&ana), 0))])
            .await;
    }
    let run = bench.start_run(&[ana, bob.clone()]).await;
    for lease in bench.lease(run, "mail", 0).await {
        assert!(bench.finish_attempt(run, &lease, again(1, true), 0).await);
    }
    bench.poll("wire", 2, vec![item("f", notify_plan("arms", &[bob], 2))]).await;
    let mut probed = Vec::new();
    for minute in 1..=3 {
        let now = minute * 60;
        let lease = bench.lease_at_most(run, "mail", 1, now, render_as_json()).await.remove(0);
        probed.push(lease.receiver.recipient.clone());
        assert!(bench.finish_attempt(run, &lease, again(now + 1, true), now).await);
    }
    assert_eq!(probed, ["bob", "ana", "bob"]);
}

/// A store with so many messages to the desk and to a hook, due at 0.
async fn many(messages: usize) -> (Bench, i64) {
    let bench = Bench::new().await;
    let both = [desk_receiver(), receiver("hook", "")];
    let items =
        (0..messages).map(|n| item(&format!("{n:02}"), notify_plan("arms", &both, 0))).collect();
    bench.poll("wire", 0, items).await;
    let run = bench.start_run(&both).await;
    (bench, run)
}

/// How many leases are for the desk, and how many for the hook.
fn counts(turn: &OutboxTurn) -> (usize, usize) {
    let of =
        |name: &str| turn.leases.iter().filter(|lease| lease.receiver.notifier.0 == name).count();
    (of("desk"), of("hook"))
}

#[tokio::test]
async fn a_turn_ends_attempts_and_fills_the_room_of_every_notifier_that_it_is_given() {
    let (bench, run) = many(20).await;
    let first = bench.outbox_turn(run, vec![], &[("desk", 0), ("hook", 5)], 0).await;
    assert_eq!((counts(&first), first.next_due), ((8, 3), None), "nobody has room");
    let ended: Vec<_> = first.leases.into_iter().take(3).map(|lease| (lease, sent())).collect();
    let second = bench.outbox_turn(run, ended, &[("desk", 5)], 1).await;
    assert_eq!((counts(&second), second.next_due), ((3, 0), None));
    let sent = bench.query_text("SELECT count(*) || '' FROM attempt WHERE outcome = 'sent'").await;
    assert_eq!(sent.unwrap(), "3");
    let third = bench.outbox_turn(run, vec![], &[("desk", 0), ("hook", 0)], 2).await;
    assert_eq!((counts(&third), third.next_due), ((8, 8), None));
    let last = bench.outbox_turn(run, vec![], &[("desk", 0), ("hook", 0)], 3).await;
    assert_eq!((counts(&last), last.next_due), ((1, 8), None));
}

#[tokio::test]
async fn a_turn_says_when_to_come_back_for_what_it_had_no_cause_to_lease() {
    let (bench, run) = many(2).await;
    bench.poll("wire", 0, vec![item("later", notify_plan("arms", &[desk_receiver()], 70))]).await;
    let turn = bench.outbox_turn(run, vec![], &[("desk", 0)], 0).await;
    assert_eq!((counts(&turn), turn.next_due), ((2, 0), Some(at_second(70))));
}

#[tokio::test]
async fn failures_and_successes_of_one_turn_count_in_their_order() {
    let (bench, run) = many(6).await;
    let leases = bench.outbox_turn(run, vec![], &[("desk", 0)], 0).await.leases;
    let finishes = [
        again(9, false),
        sent(),
        again(9, true),
        again(9, true),
        Finish::Dead("550".to_owned()),
        sent(),
    ];
    let ended = leases.iter().cloned().zip(finishes).collect();
    let turn = bench.outbox_turn(run, ended, &[], 1).await;
    assert!(
        fixture::is_healthy(&turn.receiver_health, &desk_receiver()),
        "the last of them was a success"
    );
    let ended = bench
        .query_text(
            "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM attempt ORDER BY id) AS one",
        )
        .await;
    assert_eq!(ended.unwrap(), "unreached sent again again dead sent");
    let due = bench.query_text("SELECT group_concat((due - 1000000000) / 1000, ' ') FROM message WHERE status = 'pending' AND notifier = 'desk'");
    assert_eq!(due.await.unwrap(), "9 9 9", "a success makes nothing due");
}

#[tokio::test]
async fn what_a_receiver_that_is_gone_was_sent_stays_frozen_and_costs_no_attempt() {
    let (bench, run, lease) = one_lease().await;
    let gone = fixture::retry_finish(FailureCause::Shut, FailureScope::Notifier, 1);
    assert!(bench.finish_attempt(run, &lease, gone, 1).await);
    bench.poll("paper", 2, vec![item("a", settle_plan(&["oil"]))]).await;
    let leases = bench.lease(run, "desk", 3).await;
    let again =
        leases.iter().find(|again| again.message == lease.message).expect("it is tried again");
    assert_eq!((&again.payload, again.counted_attempts, leases.len()), (&lease.payload, 0, 2));
}
