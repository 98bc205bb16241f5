//! Late digests: what an outage leaves.

use super::super::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification, receiver,
    render_as_json, retry_finish,
};
use super::super::{MatchResult, StoryPlan};
use crate::alerts::Content;
use crate::alerts::breaker;
use crate::alerts::breaker::{FailureCause, FailureScope, SendAllowance};
use crate::alerts::digest::Digest;
use crate::alerts::retry::Finish;
use crate::alerts::{NewAlert, Notification, Receiver};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A story `key` that `rule` matched, of that severity, at `now` seconds.
async fn story(bench: &Bench, key: &str, rule: &str, severity: super::Severity, now: i64) {
    let alert = new_alert(rule, &[desk_receiver()]);
    let alerts =
        vec![NewAlert { rule_match: super::RuleMatch { severity, ..alert.rule_match }, ..alert }];
    let plan = StoryPlan::Settle(MatchResult { alerts, due: at_second(now), ..match_result(&[]) });
    bench.poll("wire", now, vec![item(key, plan)]).await;
}

/// What the dispatcher does at `now`, with a receiver that answers or is away; what arrives.
async fn dispatch(bench: &Bench, run: i64, is_away: bool, now: i64) -> Vec<Notification> {
    let mut arrived = Vec::new();
    loop {
        let health = bench.receiver_health().await.away;
        let most = match breaker::allowance(
            health.get(&Receiver::whole_notifier(&desk_receiver().notifier)),
            at_second(now),
        ) {
            SendAllowance::All => 8,
            SendAllowance::Probe => 1,
            SendAllowance::NotBefore(_) => return arrived,
        };
        let leases = bench.lease_at_most(run, "desk", most, now, render_as_json()).await;
        if leases.is_empty() {
            return arrived;
        }
        for lease in leases {
            let finish = if is_away {
                retry_finish(FailureCause::Unreached, FailureScope::Notifier, now + MINUTE)
            } else {
                arrived.push(parse_notification(&lease.payload));
                Finish::Sent("250 OK".to_owned())
            };
            assert!(bench.finish_attempt(run, &lease, finish, now).await);
        }
    }
}

fn titles(digest: &Digest) -> Vec<String> {
    digest
        .rules
        .iter()
        .flat_map(|group| &group.stories)
        .map(|entry| entry.story.title.clone())
        .collect()
}

#[tokio::test]
async fn sixty_hours_away_make_one_late_digest_in_parts_and_its_critical_alerts_and_nothing_is_dead()
 {
    use super::Severity::{Critical, High};
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let mut now = 0;
    while now < 60 * HOUR {
        let number = now / (10 * MINUTE);
        if now < 58 * HOUR {
            let (rule, severity) =
                if number % 100 == 50 { ("war", Critical) } else { ("arms", High) };
            story(&bench, &format!("{number:04}"), rule, severity, now).await;
        }
        assert_eq!(dispatch(&bench, run, true, now).await, []);
        now += 10 * MINUTE;
    }
    let arrived = dispatch(&bench, run, false, now).await;
    let mut critical = 0;
    let mut digests = Vec::new();
    for notification in arrived {
        match notification.content {
            Content::Alert { rules, .. } => {
                assert_eq!(rules[0].severity, Critical);
                critical += 1;
            }
            Content::Digest(digest) => digests.push(digest),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((critical, digests.len()), (3, 4));
    assert!(
        digests
            .iter()
            .all(|digest| digest.reason == super::DigestReason::Late && digest.rules.len() == 1)
    );
    let parts: Vec<String> =
        digests.iter().map(|digest| digest.part.as_ref().unwrap().to_string()).collect();
    assert_eq!(parts, ["part 1 of 4", "part 2 of 4", "part 3 of 4", "part 4 of 4"]);
    let titles: Vec<String> = digests.iter().flat_map(titles).collect();
    let is_late = |number: &i64| number % 100 != 50;
    assert_eq!(
        titles,
        (0..58 * 6).filter(is_late).rev().map(|number| format!("{number:04}")).collect::<Vec<_>>()
    );
    assert_eq!(bench.query_text("SELECT DISTINCT status FROM message").await.unwrap(), "sent");
    assert_eq!(
        bench.query_text("SELECT count(*) || '' FROM message_alert").await.unwrap(),
        (58 * 6).to_string()
    );
}

#[tokio::test]
async fn what_waited_less_than_an_hour_or_alone_goes_out_as_itself() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    story(&bench, "old", "arms", super::Severity::High, 0).await;
    for second in [0, 60, 120, 180, 240] {
        assert_eq!(dispatch(&bench, run, true, second).await, []);
    }
    story(&bench, "new", "arms", super::Severity::High, HOUR).await;
    let arrived = dispatch(&bench, run, false, HOUR + 240).await;
    assert!(
        arrived.iter().all(|notification| matches!(notification.content, Content::Alert { .. }))
    );
    assert_eq!(arrived.len(), 2);
}

#[tokio::test]
async fn a_message_that_may_have_arrived_keeps_its_id_and_its_bytes() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver(), receiver("hook", "")]).await;
    for key in ["a", "b", "c"] {
        story(&bench, key, "arms", super::Severity::High, 0).await;
    }
    let leases = bench.lease(run, "desk", 0).await;
    let silent = retry_finish(FailureCause::Failed, FailureScope::Notifier, 300);
    assert!(bench.finish_attempt(run, &leases[0], silent, 1).await);
    for lease in &leases[1..] {
        let refused = retry_finish(FailureCause::Unreached, FailureScope::Notifier, 60);
        assert!(bench.finish_attempt(run, lease, refused, 1).await);
    }
    for second in [60, 120, 180] {
        assert_eq!(dispatch(&bench, run, true, second).await, []);
    }
    let arrived = dispatch(&bench, run, false, HOUR + MINUTE).await;
    let kept = parse_notification(&leases[0].payload);
    assert_eq!(arrived.len(), 2);
    assert!(arrived.contains(&kept), "{arrived:?}");
    assert!(
        arrived.iter().any(
            |notification| matches!(&notification.content, Content::Digest(digest) if digest.stories() == 2)
        )
    );
}
