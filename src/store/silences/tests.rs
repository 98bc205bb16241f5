//! Silences that overlap: what several mute is muted until the last of them ends, and then sent
//! once and whole.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::fixture::{
    Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification,
};
use super::super::{MatchResult, StoryPlan};
use super::{Silence, SilenceTarget, add_silence, end_silence};
use crate::alerts::volume::DeliveryPolicies;
use crate::alerts::{Content, NewAlert, RuleMatch};
use tidings_rules::condition::Publishers;
use tidings_rules::story::{FeedName, WatchlistRow};

/// A rule with a tag and a row.
fn arms() -> NewAlert {
    let alert = new_alert("arms", &[desk_receiver()]);
    let row = Some(WatchlistRow { id: "36".to_owned(), label: "Ivan Petrov".to_owned() });
    let rule_match = RuleMatch { tags: vec!["korea".to_owned()], row, ..alert.rule_match };
    NewAlert { dedup_key: "36".to_owned(), rule_match, ..alert }
}

async fn story(bench: &Bench, key: &str, now: i64) {
    story_of(bench, key, arms(), now).await;
}

async fn story_of(bench: &Bench, key: &str, rule: NewAlert, now: i64) {
    let policy = Arc::new(DeliveryPolicies {
        policies: [].into(),
        zone: TimeZone::UTC,
        publishers: Publishers::default(),
    });
    let plan = StoryPlan::Settle(MatchResult {
        alerts: vec![rule],
        due: at_second(now),
        policy,
        ..match_result(&[])
    });
    bench.poll("wire", now, vec![item(key, plan)]).await;
}

async fn silence_from_row(bench: &Bench, target: SilenceTarget, until: i64, now: i64) -> Silence {
    add_silence(&bench.place(), target, at_second(until), String::new(), at_second(now))
        .await
        .unwrap()
}

fn rule() -> SilenceTarget {
    SilenceTarget::Rule("arms".to_owned())
}

fn tag() -> SilenceTarget {
    SilenceTarget::Tag("korea".to_owned())
}

/// The headlines of what is sent at `now`, message by message; those of a digest sorted.
async fn sent(bench: &Bench, run: i64, now: i64) -> Vec<Vec<String>> {
    let titles_of = |payload: &[u8]| match parse_notification(payload).content {
        Content::Alert { story, .. } => vec![story.title],
        Content::Digest(digest) => {
            let stories = digest.rules.into_iter().flat_map(|group| group.stories);
            let mut titles: Vec<_> = stories.map(|entry| entry.story.title).collect();
            titles.sort();
            titles
        }
        other => panic!("{other:?}"),
    };
    bench.lease(run, "desk", now).await.iter().map(|lease| titles_of(&lease.payload)).collect()
}

const NOTHING: [[&str; 0]; 0] = [];

#[tokio::test]
async fn of_two_that_overlap_the_last_to_end_brings_one_digest_whichever_came_first() {
    for (first, second) in [(100, 200), (200, 100)] {
        let bench = Bench::new().await;
        let run = bench.start_run(&[desk_receiver()]).await;
        silence_from_row(&bench, rule(), first, 0).await;
        silence_from_row(&bench, tag(), second, 1).await;
        story(&bench, "a", 10).await;
        story(&bench, "b", 150).await;
        assert_eq!(sent(&bench, run, 199).await, NOTHING, "{first} and {second}");
        assert_eq!(sent(&bench, run, 200).await, [["a", "b"]], "{first} and {second}");
        assert_eq!(sent(&bench, run, 999).await, NOTHING);
    }
}

#[tokio::test]
async fn any_kind_covers_what_any_other_has_muted() {
    for kind in 0..4 {
        let bench = Bench::new().await;
        let run = bench.start_run(&[desk_receiver()]).await;
        silence_from_row(&bench, rule(), 100, 0).await;
        story(&bench, "a", 10).await;
        let later = match kind {
            0 => tag(),
            1 => SilenceTarget::Row("36".to_owned()),
            2 => SilenceTarget::Feed(FeedName("wire".to_owned())),
            _ => SilenceTarget::Event(bench.query_text("SELECT event FROM story").await.unwrap()),
        };
        silence_from_row(&bench, later.clone(), 200, 50).await;
        assert_eq!(sent(&bench, run, 199).await, NOTHING, "{later}");
        assert_eq!(sent(&bench, run, 200).await, [["a"]], "{later}");
    }
}

#[tokio::test]
async fn what_the_later_one_does_not_cover_is_sent_at_the_end_of_its_own() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    silence_from_row(&bench, SilenceTarget::Feed(FeedName("wire".to_owned())), 100, 0).await;
    story(&bench, "a", 10).await;
    story_of(&bench, "b", new_alert("oil", &[desk_receiver()]), 11).await;
    silence_from_row(&bench, rule(), 200, 50).await;
    assert_eq!(sent(&bench, run, 100).await, [["b"]]);
    assert_eq!(sent(&bench, run, 200).await, [["a"]]);
}

#[tokio::test]
async fn one_inside_another_changes_nothing() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    silence_from_row(&bench, rule(), 200, 0).await;
    story(&bench, "a", 10).await;
    silence_from_row(&bench, tag(), 100, 20).await;
    story(&bench, "b", 30).await;
    assert_eq!(sent(&bench, run, 150).await, NOTHING);
    assert_eq!(sent(&bench, run, 200).await, [["a", "b"]]);
}

#[tokio::test]
async fn one_that_ends_early_leaves_what_others_mute_to_them() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    silence_from_row(&bench, rule(), 100, 0).await;
    let long = silence_from_row(&bench, tag(), 300, 0).await;
    story(&bench, "a", 10).await;
    assert!(end_silence(&bench.place(), long.id, at_second(50)).await.unwrap().is_some());
    assert_eq!(sent(&bench, run, 99).await, NOTHING);
    assert_eq!(sent(&bench, run, 100).await, [["a"]]);

    let [short, long] = [
        silence_from_row(&bench, rule(), 500, 400).await,
        silence_from_row(&bench, tag(), 600, 400).await,
    ];
    story(&bench, "b", 410).await;
    assert!(end_silence(&bench.place(), short.id, at_second(450)).await.unwrap().is_some());
    assert_eq!(sent(&bench, run, 450).await, NOTHING);
    assert!(end_silence(&bench.place(), long.id, at_second(460)).await.unwrap().is_some());
    assert_eq!(sent(&bench, run, 460).await, [["b"]]);
}

#[tokio::test]
async fn a_chain_of_silences_is_one_digest_across_a_restart() {
    let bench = Bench::new().await;
    bench.start_run(&[desk_receiver()]).await;
    silence_from_row(&bench, rule(), 100, 0).await;
    story(&bench, "a", 10).await;
    silence_from_row(&bench, rule(), 200, 99).await;
    let bench = bench.crash_and_reopen().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    assert_eq!(sent(&bench, run, 150).await, NOTHING);
    story(&bench, "b", 150).await;
    silence_from_row(&bench, tag(), 300, 199).await;
    assert_eq!(sent(&bench, run, 250).await, NOTHING);
    assert_eq!(sent(&bench, run, 300).await, [["a", "b"]]);
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.unwrap(), "1");
}
