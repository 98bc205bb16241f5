//! Tests of new stories, edits and joining feeds: each status with each plan.

use super::super::FinalText;
use super::super::fixture::{Bench, at_second, final_text, item, match_result, settle_plan, story};
use super::super::{Archive, ItemRecord, Retention, StoryPlan, SweepPosition};
use crate::store::db;
use tidings_rules::story::Read;

fn recorded() -> StoryPlan {
    StoryPlan::Record("older than first_poll".to_owned())
}

/// The only story: its status, or what it waits for; its revision; its text.
async fn read_status(bench: &Bench) -> String {
    let sql = "SELECT CASE status WHEN 'awaits_page' THEN 'waits for its page' WHEN 'awaits_match' THEN 'waits to be matched' ELSE status END
                      || ', ' || revision || ', ' || coalesce(body, feed_text) FROM story";
    bench.query_text(sql).await.unwrap()
}

/// The item `a` with another text.
fn edited(plan: StoryPlan) -> ItemRecord {
    ItemRecord {
        hash: "1".to_owned(),
        story_change: Some((story("New title", "New."), plan)),
        ..item("a", recorded())
    }
}

#[tokio::test]
async fn a_new_story_has_the_status_of_its_plan() {
    for (plan, waits, expected) in [
        (recorded(), false, "recorded, 1, Teaser."),
        (StoryPlan::ReadPage, true, "waits for its page, 1, Teaser."),
        (settle_plan(&[]), false, "unmatched, 1, Teaser."),
        (settle_plan(&["arms"]), false, "matched, 1, Teaser."),
    ] {
        let bench = Bench::new().await;
        assert_eq!(bench.poll("wire", 0, vec![item("a", plan)]).await, waits, "{expected}");
        assert_eq!(read_status(&bench).await, expected);
    }
}

#[tokio::test]
async fn an_edit_makes_a_revision_and_follows_its_plan_but_keeps_its_status_if_only_recorded() {
    for (before, plan, expected) in [
        (recorded(), recorded(), "recorded, 2, New."),
        (settle_plan(&["arms"]), recorded(), "matched, 2, New."),
        (settle_plan(&["arms"]), settle_plan(&["oil"]), "matched, 2, New."),
        // It has alerted, even if its new text would not.
        (settle_plan(&["arms"]), settle_plan(&[]), "matched, 2, New."),
        (settle_plan(&[]), settle_plan(&["oil"]), "matched, 2, New."),
        (settle_plan(&[]), StoryPlan::ReadPage, "waits for its page, 2, New."),
        (StoryPlan::ReadPage, recorded(), "waits for its page, 2, New."),
        (StoryPlan::ReadPage, StoryPlan::ReadPage, "waits for its page, 2, New."),
        (StoryPlan::ReadPage, settle_plan(&["oil"]), "waits to be matched, 2, New."),
    ] {
        let case = format!("{before:?} then {plan:?}");
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", before)]).await;
        let waits = bench.poll("wire", 1, vec![edited(plan)]).await;
        assert_eq!(read_status(&bench).await, expected, "{case}");
        assert_eq!(waits, expected.contains("waits"), "{case}");
    }
}

#[tokio::test]
async fn another_feed_joins_a_story_without_losing_what_either_feed_is_owed() {
    for (before, plan, expected) in [
        (recorded(), recorded(), "recorded, 1, Teaser."),
        (recorded(), StoryPlan::ReadPage, "waits for its page, 2, New."),
        (recorded(), settle_plan(&["oil"]), "matched, 2, New."),
        (recorded(), settle_plan(&[]), "unmatched, 2, New."),
        (settle_plan(&[]), recorded(), "unmatched, 1, Teaser."),
        (settle_plan(&[]), StoryPlan::ReadPage, "waits to be matched, 1, Teaser."),
        (settle_plan(&[]), settle_plan(&["oil"]), "matched, 1, Teaser."),
        (settle_plan(&["arms"]), settle_plan(&[]), "matched, 1, Teaser."),
        (StoryPlan::ReadPage, recorded(), "waits for its page, 1, Teaser."),
        (StoryPlan::ReadPage, StoryPlan::ReadPage, "waits for its page, 1, Teaser."),
        (StoryPlan::ReadPage, settle_plan(&["oil"]), "waits for its page, 1, Teaser."),
    ] {
        let case = format!("{before:?} joined by {plan:?}");
        let alerts = [&before, &plan]
            .iter()
            .filter(|plan| matches!(plan, StoryPlan::Settle(v) if !v.alerts.is_empty()))
            .count();
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", before)]).await;
        let waits = bench.poll("paper", 1, vec![edited(plan)]).await;
        assert_eq!(read_status(&bench).await, expected, "{case}");
        assert_eq!(waits, expected.contains("waits"), "{case}");
        let held = bench.store.count_holdings().await.unwrap();
        assert_eq!((held.stories, usize::try_from(held.alerts).unwrap()), (1, alerts), "{case}");
    }
}

#[tokio::test]
async fn a_story_that_was_matched_waits_for_no_page_when_another_feed_joins() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    bench.poll("paper", 5, vec![item("a", StoryPlan::ReadPage)]).await;
    let [waiting] = &bench.waiting_stories(5).await[..] else {
        panic!("one story waits, due at once")
    };
    assert_eq!(
        (waiting.read.as_ref(), waiting.since, waiting.revision),
        (Some(&Read::Full), at_second(5), 1)
    );
    let feeds: Vec<_> =
        waiting.feed_entries.iter().map(|seen| (seen.feed.0.as_str(), seen.seen)).collect();
    assert_eq!(feeds, [("wire", at_second(0)), ("paper", at_second(5))]);

    let text =
        FinalText { fetches: 0, ..final_text(&waiting.story.body, match_result(&["arms", "oil"])) };
    assert!(bench.store.settle_story(waiting.id, 1, text, at_second(6)).await.unwrap());
    assert_eq!(bench.waiting_stories(9).await, []);
    assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 2, "arms does not alert twice");
    assert_eq!(bench.query_text("SELECT page_fetches || '' FROM story").await.unwrap(), "0");
}

#[tokio::test]
async fn a_feed_that_joins_while_the_page_is_under_way_has_the_story_matched_once_more() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
    let before = bench.waiting_stories(0).await.remove(0);
    bench.poll("paper", 1, vec![item("a", StoryPlan::ReadPage)]).await;

    let settled = bench
        .store
        .settle_story(
            before.id,
            before.revision,
            final_text("The page.", match_result(&["arms"])),
            at_second(2),
        )
        .await;
    assert!(settled.unwrap());
    let again = bench.waiting_stories(2).await.remove(0);
    assert_eq!((again.story.body.as_str(), &again.read), ("The page.", &Some(Read::Full)));
    assert_eq!(again.feed_entries.len(), 2);

    assert!(
        bench
            .store
            .settle_story(
                again.id,
                again.revision,
                final_text(&again.story.body, match_result(&["oil"])),
                at_second(3)
            )
            .await
            .unwrap()
    );
    assert_eq!(bench.waiting_stories(9).await, []);
    assert_eq!(read_status(&bench).await, "matched, 1, The page.");
}

#[tokio::test]
async fn an_edit_keeps_when_the_story_was_first_seen() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&[]))]).await;
    let mut later = edited(StoryPlan::ReadPage);
    later.story_change.as_mut().unwrap().0.first_seen = at_second(50);
    bench.poll("wire", 50, vec![later]).await;
    let waiting = bench.waiting_stories(50).await.remove(0);
    assert_eq!(
        (waiting.story.first_seen, waiting.story.title.as_str()),
        (at_second(0), "New title")
    );
}

#[tokio::test]
async fn an_edit_of_a_story_that_other_feeds_carry_too_is_matched_again_for_all_of_them() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&[]))]).await;
    bench.poll("paper", 0, vec![item("a", settle_plan(&[]))]).await;
    assert!(bench.poll("wire", 1, vec![edited(settle_plan(&["arms"]))]).await);
    assert_eq!(read_status(&bench).await, "waits to be matched, 2, New.");
    assert_eq!(bench.query_text("SELECT group_concat(rule) FROM alert").await.unwrap(), "arms");
}

#[tokio::test]
async fn what_a_revision_changed_is_kept_with_its_event_until_its_texts_go() {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    let titled = |title: &str, text: &str, hash: &str| ItemRecord {
        hash: hash.to_owned(),
        story_change: Some((story(title, text), settle_plan(&[]))),
        ..item("a", recorded())
    };
    bench.poll("wire", 10, vec![titled("New title", "Teaser.", "1")]).await;
    bench.poll("wire", 20, vec![titled("New title", "New.", "2")]).await;
    bench.poll("wire", 30, vec![titled("Newest", "Newest.", "3")]).await;
    // It changes neither.
    bench.poll("wire", 40, vec![titled("Newest", "Newest.", "4")]).await;
    let uid = bench.query_text("SELECT uid FROM story").await.unwrap();
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    let record = archive.event_record(&uid).await.unwrap().expect("an event");
    let changes = record.stories[0].revisions.iter().map(|one| {
        (one.revision, one.at, one.title_changed, one.text_changed, one.previous_title.as_str())
    });
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [
            (2, at_second(10), true, false, "a"),
            (3, at_second(20), false, true, "New title"),
            (4, at_second(30), true, true, "New title"),
        ]
    );

    let now = at_second(9_999_999);
    let kept = Retention { stories: Some(now), alerts: Some(now), keys: at_second(0) };
    let left = "SELECT count(*) || '' FROM story_revision";
    sweep_all(&bench, kept).await;
    assert_eq!(bench.query_text(left).await.unwrap(), "3", "its message is not sent");
    for sql in ["DELETE FROM message_alert", "DELETE FROM message"] {
        let delete = bench.store.writer.write(move |conn| {
            Box::pin(async move { db::query(sql).execute(conn).await.map(drop) })
        });
        delete.await.unwrap();
    }
    sweep_all(&bench, kept).await;
    assert_eq!(bench.query_text(left).await.unwrap(), "0");
}

async fn sweep_all(bench: &Bench, kept: Retention) {
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        next = bench.store.sweep(place, kept, at_second(9_999_999)).await.unwrap().next;
    }
}
