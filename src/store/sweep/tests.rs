//! Tests of sweeps: which rows go, which stay at any age, that steps are small, and that a sweep
//! can be interrupted anywhere.

use super::*;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::retry::Finish;
use crate::store::db::{self, DbConnection};
use crate::store::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, poll_record, receiver,
    removed_and_returned, retry_finish, settle_plan,
};
use crate::store::{AlertFilter, Archive, Lease, MatchResult, PollRecord, StoryPlan};

const DAY: i64 = 86_400;

/// As of `now` seconds: texts are kept for so many days, alerts for so many, keys for 90.
fn kept(now: i64, stories: i64, alerts: i64) -> Retention {
    Retention {
        stories: Some(at_second(now - stories * DAY)),
        alerts: Some(at_second(now - alerts * DAY)),
        keys: at_second(now - 90 * DAY),
    }
}

/// Sweeps to the end; how much went in each step.
async fn sweep(bench: &Bench, kept: Retention, now: i64) -> Vec<SweepCounts> {
    let mut steps = Vec::new();
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        let step = bench.store.sweep(place, kept, at_second(now)).await.unwrap();
        steps.push(step.counts);
        next = step.next;
    }
    steps
}

fn total(steps: &[SweepCounts]) -> SweepCounts {
    steps.iter().fold(SweepCounts::default(), |sum, gone| sum.add_counts(*gone))
}

async fn lease(bench: &Bench, now: i64) -> (i64, Lease) {
    let run = bench.start_run(&[desk_receiver()]).await;
    (run, bench.lease(run, "desk", now).await.remove(0))
}

/// A story with an alert of the rule arms, of which the desk was notified.
async fn notified_store() -> Bench {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    let (run, lease) = lease(&bench, 0).await;
    assert!(bench.finish_attempt(run, &lease, Finish::Sent("250".to_owned()), 1).await);
    bench
}

/// What is left: texts, rows of stories, alerts, rows of alerts, messages, attempts, keys.
async fn left(bench: &Bench) -> String {
    bench
        .query_text(
            "SELECT (SELECT count(*) FROM story WHERE feed_text != '') || ' ' || (SELECT count(*) FROM story) || ' '
                 || (SELECT count(*) FROM alert WHERE rule_match != '') || ' ' || (SELECT count(*) FROM alert) || ' '
                 || (SELECT count(*) FROM message) || ' ' || (SELECT count(*) FROM attempt) || ' '
                 || (SELECT count(*) FROM feed_entry)",
        )
        .await
        .unwrap()
}

#[tokio::test]
async fn an_alert_keeps_its_story_and_its_messages_as_long_as_it_is_kept() {
    let bench = notified_store().await;
    bench.poll("wire", 0, vec![item("b", settle_plan(&[]))]).await;
    sweep(&bench, kept(100 * DAY, 7, 365), 100 * DAY).await;
    assert_eq!(left(&bench).await, "1 2 1 1 1 1 2");
    sweep(&bench, Retention { alerts: None, ..kept(9999 * DAY, 7, 7) }, 9999 * DAY).await;
    assert_eq!(left(&bench).await, "1 2 1 1 1 1 2", "for ever");
    sweep(&bench, kept(366 * DAY, 7, 365), 366 * DAY).await;
    assert_eq!(left(&bench).await, "0 2 0 1 0 0 2");
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    assert_eq!(archive.find_alerts(&AlertFilter::default(), 9).await.unwrap(), []);
    assert_eq!(archive.alert_record(1).await.unwrap(), None);
    assert_eq!(archive.stories_after(at_second(0), None, 9).await.unwrap(), []);
    let found =
        archive.find_story("", Some("http://example.org/a")).await.unwrap().expect("it is known");
    assert_eq!(found.purged, Some(at_second(366 * DAY)));
}

#[tokio::test]
async fn what_is_not_young_goes_only_if_it_is_done_with() {
    let dead = Finish::Dead("550".to_owned());
    let again = retry_finish(FailureCause::Failed, FailureScope::Notifier, 60);
    for (outcome, then, expected) in [
        (Some(Finish::Sent("250".to_owned())), None, "0 1 0 1 0 0 1"),
        (Some(dead.clone()), None, "0 1 0 1 0 0 1"),
        // Dead for long, but tried again lately.
        (Some(dead), Some("UPDATE attempt SET ended = 9553600000"), "1 1 1 1 1 1 1"),
        (Some(again), None, "1 1 1 1 1 1 1"),
        (None, None, "1 1 1 1 1 1 1"),
        (None, Some("UPDATE message SET status = 'held', lease = NULL"), "1 1 1 1 1 1 1"),
    ] {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let (run, lease) = lease(&bench, 0).await;
        if let Some(outcome) = outcome.clone() {
            assert!(bench.finish_attempt(run, &lease, outcome, 1).await);
        }
        if let Some(sql) = then {
            run_sql(&bench, sql).await;
        }
        sweep(&bench, kept(100 * DAY, 7, 7), 100 * DAY).await;
        assert_eq!(left(&bench).await, expected, "{outcome:?}, {then:?}");
    }
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
    sweep(&bench, kept(100 * DAY, 7, 7), 100 * DAY).await;
    assert_eq!(left(&bench).await, "1 1 0 0 0 0 1", "a story that waits");
}

#[tokio::test]
async fn one_undelivered_message_keeps_its_alerts_and_stories() {
    let bench = Bench::new().await;
    let both = [desk_receiver(), receiver("hook", "")];
    let plan = |rule| {
        StoryPlan::Settle(MatchResult { alerts: vec![new_alert(rule, &both)], ..match_result(&[]) })
    };
    bench.poll("wire", 0, vec![item("a", plan("arms"))]).await;
    let run = bench.start_run(&both).await;
    let lease = bench.lease(run, "desk", 0).await.remove(0);
    assert!(bench.finish_attempt(run, &lease, Finish::Sent("250".to_owned()), 1).await);
    let gone = total(&sweep(&bench, kept(100 * DAY, 7, 7), 100 * DAY).await);
    assert_eq!((gone.messages, left(&bench).await.as_str()), (1, "1 1 1 1 1 0 1"));
    let hook = bench.lease(run, "hook", 100 * DAY).await.remove(0);
    assert_eq!(crate::store::fixture::rules_and_feeds(&hook.payload).0, ["arms"]);
}

#[tokio::test]
async fn a_story_that_lost_its_text_is_no_news_and_its_rules_do_not_notify_again() {
    let bench = notified_store().await;
    let now = 100 * DAY;
    sweep(&bench, kept(now, 7, 7), now).await;
    assert_eq!(left(&bench).await, "0 1 0 1 0 0 1");
    let known = bench.known_items("wire").await;
    assert_eq!(
        (known.len(), &*known[0].key.0, known[0].recorded, known[0].first_seen),
        (1, "a", false, at_second(0))
    );

    // Another feed brings it, so it is read and matched again.
    assert!(!bench.poll("paper", now, vec![item("a", settle_plan(&["arms", "oil"]))]).await);
    assert_eq!(
        bench.sent_rules_and_feeds(now).await,
        [(vec!["oil".to_owned()], vec!["wire".to_owned(), "paper".to_owned()])]
    );
    assert_eq!(left(&bench).await, "1 1 1 2 1 1 2");
    assert!(
        !bench.poll("times", now, vec![item("a", StoryPlan::Record("too old".to_owned()))]).await
    );
    assert_eq!(left(&bench).await, "1 1 1 2 1 1 3");
}

#[tokio::test]
async fn keys_go_ninety_days_after_a_poll_lacked_them_and_all_the_rest_of_a_story_with_the_last() {
    let bench = notified_store().await;
    bench.poll("paper", 0, vec![item("a", settle_plan(&[]))]).await;
    let gone = |feed, now| PollRecord {
        removed_and_returned: removed_and_returned(&["a"], &[]),
        ..poll_record(feed, now, vec![])
    };
    bench.store.record_poll(gone("wire", 10 * DAY)).await.unwrap();
    for (day, expected) in [(99, "0 1 0 1 0 0 2"), (101, "0 1 0 1 0 0 1"), (500, "0 1 0 1 0 0 1")] {
        sweep(&bench, kept(day * DAY, 7, 7), day * DAY).await;
        assert_eq!(left(&bench).await, expected, "day {day}");
    }
    bench.store.record_poll(gone("paper", 500 * DAY)).await.unwrap();
    sweep(&bench, kept(591 * DAY, 7, 7), 591 * DAY).await;
    assert_eq!(left(&bench).await, "0 0 0 0 0 0 0");
}

#[tokio::test]
async fn an_old_key_of_a_story_that_is_kept_is_kept_for_its_feeds_name() {
    let bench = notified_store().await;
    let gone = PollRecord {
        removed_and_returned: removed_and_returned(&["a"], &[]),
        ..poll_record("wire", DAY, vec![])
    };
    bench.store.record_poll(gone).await.unwrap();
    sweep(&bench, Retention { alerts: None, ..kept(500 * DAY, 7, 7) }, 500 * DAY).await;
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    assert_eq!(archive.alert_record(1).await.unwrap().expect("it is kept").past.feeds.len(), 1);
}

/// 10,000 stories, ten seconds apart. Of each ten, the first has an alert, in every fifth case to a
/// receiver that has not taken it yet; of the others, every third has left its feed at once, and
/// every third a day ago.
const MANY: [&str; 6] = [
    "CREATE TABLE many AS WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 10000)
     SELECT n, 1000000000 + n * 10000 AS at FROM many",
    "INSERT INTO story (id, uid, key, event, title, feed_text, authors, tags, first_seen, read, status)
     SELECT n, 'u' || n, 'k' || n, 'u' || n, 'Title', replace(replace('xxxxxxxxxxxxxxxxxxxx', 'x', 'yyyyyyyyyy'), 'y', '0123456789'), '[]', '[]', at, 'full', 'unmatched' FROM many",
    "INSERT INTO feed_entry (feed, key, hash, story, seen, removed_at)
     SELECT 'wire', n, '', n, at, CASE n % 3 WHEN 1 THEN at WHEN 2 THEN 9553600000 END FROM many",
    "INSERT INTO alert (id, story, rule, dedup_key, version, severity, revision, read, rule_match, created)
     SELECT n, n, 'arms', '', '', 'high', 1, 'full', '{}', at FROM many WHERE n % 10 = 0",
    "INSERT INTO message (id, key, uid, event, sequence, notifier, recipient, created, status, due, payload)
     SELECT n, n, n, 'u' || n, 1, 'desk', 'desk@example.org', at, CASE WHEN n % 50 = 0 THEN 'pending' ELSE 'sent' END, at, CAST('' AS BLOB) FROM many WHERE n % 10 = 0",
    "INSERT INTO message_alert (message, alert) SELECT n, n FROM many WHERE n % 10 = 0",
];

async fn many() -> Bench {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![]).await;
    for sql in MANY {
        run_sql(&bench, sql).await;
    }
    bench
}

#[tokio::test]
async fn ten_thousand_stories_go_in_small_steps_but_for_what_must_stay() {
    let bench = many().await;
    let now = 100 * DAY;
    let steps = sweep(&bench, kept(now, 7, 7), now).await;
    let most = steps
        .iter()
        .map(|gone| gone.messages.max(gone.alerts).max(gone.stories).max(gone.keys).max(gone.rows));
    assert!(most.max() <= Some(200), "{steps:?}");
    // 800 alerts of the 1,000 were delivered, and 200 keep their stories; a third of the others'
    // keys are long gone.
    let gone = total(&steps);
    assert_eq!((gone.messages, gone.alerts, gone.stories), (800, 800, 9800));
    assert_eq!((gone.keys, gone.rows), (3267, 3267));
    assert_eq!(left(&bench).await, "200 6733 200 733 200 0 6733");
    assert_eq!(
        total(&sweep(&bench, kept(now, 7, 7), now).await),
        SweepCounts::default(),
        "nothing is left to be done"
    );
}

#[tokio::test]
async fn a_sweep_may_be_cut_short_after_any_step() {
    let now = 100 * DAY;
    for most in [1, 4, 7, 30, 60] {
        let mut bench = many().await;
        let mut place = SweepPosition::default();
        for _ in 0..most {
            place = bench
                .store
                .sweep(place, kept(now, 7, 7), at_second(now))
                .await
                .unwrap()
                .next
                .expect("there is more");
        }
        bench = bench.crash_and_reopen().await;
        sweep(&bench, kept(now, 7, 7), now).await;
        assert_eq!(left(&bench).await, "200 6733 200 733 200 0 6733", "after {most} steps");
    }
}

async fn run_sql(bench: &Bench, sql: &'static str) {
    bench.store.writer.write(move |conn| Box::pin(run(conn, sql))).await.unwrap();
}

async fn run(conn: &mut DbConnection<'_>, sql: &'static str) -> Result<(), sqlx::Error> {
    db::query(sql).execute(conn).await.map(|_| ())
}
