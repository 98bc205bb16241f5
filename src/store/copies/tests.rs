//! Tests of commands whose stories are compared before their transactions.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use futures_util::future::{join, join_all};
use tokio::sync::Notify;

use super::*;
use crate::alerts::MatchResult;
use crate::alerts::copies;
use crate::feed::identity::ItemKey;
use crate::store::db::{self, DbConnection};
use crate::store::event::tests::{events, poll, text, with_text};
use crate::store::fixture::{
    Bench, Home, at_second, final_text, item, match_result, open_beside, poll_record, settle_plan,
};
use crate::store::{FinalText, ItemRecord, StoryPlan, WaitingStory};
use tidings_rules::story::Read;

/// Stories that wait for their pages, `count` of them.
async fn waiting(bench: &Bench, count: usize) -> Vec<WaitingStory> {
    let items = (0..count).map(|n| item(&n.to_string(), StoryPlan::ReadPage)).collect();
    bench.poll("wire", 0, items).await;
    bench.waiting_for_page(1, &[], 5000).await
}

/// The final text of a story, with what copies of it are found by.
fn copied_text(title: &str, text: &str) -> FinalText {
    let fingerprint = copies::compute_fingerprint(title, text, &Read::Full).map(Arc::new);
    final_text(text, MatchResult { fingerprint, ..match_result(&["arms"]) })
}

/// A comparer that counts its batches, and runs `between` after it has decided on each of them.
fn comparer<F>(
    count: &Arc<AtomicUsize>,
    between: impl Fn(usize) -> F + Send + Sync + 'static,
) -> CopyComparer
where
    F: Future<Output = ()> + Send + 'static,
{
    let count = Arc::clone(count);
    Arc::new(move |batch| {
        let after = between(count.fetch_add(1, Ordering::Relaxed));
        Box::pin(async move {
            let decisions = batch.decide();
            after.await;
            decisions
        })
    })
}

#[tokio::test]
async fn a_comparison_that_panics_fails_its_command_alone() {
    // The comparisons of the first command: before its transaction, and within it.
    let panics = |batch| async move { assert!(batch > MOST_COMPARISONS, "a bug") };
    let bench = Bench::open(Home::new().await, comparer(&Arc::default(), panics)).await;
    let stories = waiting(&bench, 2).await;
    let settle = |story: &WaitingStory| {
        let text = copied_text(&story.story.title, &text("the first").repeat(4));
        bench.store.settle_story(story.id, story.revision, text, at_second(2))
    };
    let failed = settle(&stories[0]).await.unwrap_err();
    assert!(failed.to_string().contains("a bug of Tidings"), "{failed}");
    assert!(settle(&stories[1]).await.unwrap());
    let left = bench.waiting_stories(9).await;
    assert_eq!(left.iter().map(|story| story.id).collect::<Vec<_>>(), [stories[0].id]);
}

/// The store of another process, once it is open.
type OtherStore = Arc<Mutex<Option<Store>>>;

/// A store, and another handle on it that writes as another process does.
async fn bench_beside(comparer: CopyComparer, other: &OtherStore) -> Bench {
    let bench = Bench::open(Home::new().await, comparer).await;
    let store = open_beside(&bench.place()).await;
    *other.lock().unwrap() = Some(store);
    bench
}

/// Polls another item with this text in the other store.
async fn poll_other(other: OtherStore, key: String, text: String) {
    let store = other.lock().unwrap().clone().unwrap();
    let items = vec![with_text(&key, &text, &["arms"], 0)];
    store.record_poll(poll_record("paper", 0, items)).await.unwrap();
}

#[tokio::test]
async fn copies_of_one_poll_are_one_event_in_the_order_of_the_document() {
    let bench = Bench::new().await;
    let items = [("a", text("x")), ("b", text("y")), ("c", text("x")), ("d", text("x"))];
    let items = items.map(|(key, text)| with_text(key, &text, &["arms"], 0));
    assert!(!bench.poll("wire", 0, items.into()).await, "none of them waits");
    assert_eq!(events(&bench).await, "a of a, b of b, c of a, d of a");
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn copies_that_are_settled_at_once_are_compared_together() {
    let count = Arc::new(AtomicUsize::new(0));
    let bench = Bench::open(Home::new().await, comparer(&count, |_| async {})).await;
    let stories = waiting(&bench, 60).await;
    let text = text("x");
    let settled = stories.iter().map(|story| {
        let text = copied_text(&story.story.title, &text);
        bench.store.settle_story(story.id, story.revision, text, at_second(2))
    });
    for settled in join_all(settled).await {
        assert!(settled.unwrap());
    }
    let kept = "SELECT count(DISTINCT event) || ' event, ' || (SELECT count(*) FROM message) || ' message, '
                || (SELECT count(*) FROM alert) || ' alerts' FROM story";
    assert_eq!(bench.query_text(kept).await.as_deref(), Some("1 event, 1 message, 60 alerts"));
    assert_eq!(count.load(Ordering::Relaxed), 60_usize.div_ceil(BATCH));
}

#[tokio::test]
async fn a_copy_that_comes_between_the_comparison_and_the_transaction_is_joined() {
    let (count, other) = (Arc::new(AtomicUsize::new(0)), OtherStore::default());
    let shared = Arc::clone(&other);
    let between = move |round: usize| {
        let shared = Arc::clone(&shared);
        async move {
            if round == 0 {
                poll_other(shared, "b".to_owned(), text("x")).await;
            }
        }
    };
    let bench = bench_beside(comparer(&count, between), &other).await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    assert_eq!(events(&bench).await, "b of b, a of b");
    assert_eq!(count.load(Ordering::Relaxed), 2);
    assert_eq!(bench.sent_rules_and_feeds(9).await.len(), 1);
}

#[tokio::test]
async fn commands_that_are_outdated_again_and_again_are_compared_in_their_transactions() {
    let (count, other) = (Arc::new(AtomicUsize::new(0)), OtherStore::default());
    let shared = Arc::clone(&other);
    let between = move |round: usize| {
        let shared = Arc::clone(&shared);
        async move {
            // The last comparisons hold the writer.
            if round < MOST_COMPARISONS {
                poll_other(shared, format!("of round {round}"), text(&round.to_string())).await;
            }
        }
    };
    let bench = bench_beside(comparer(&count, between), &other).await;
    let polls = ["wire", "gazette"]
        .map(|feed| bench.poll(feed, 0, vec![with_text(feed, &text("x"), &["arms"], 0)]));
    join_all(polls).await;
    let last = "SELECT group_concat(title || ' of ' || first, ', ') FROM (SELECT story.title, first.title AS first
                FROM story JOIN story AS first ON first.uid = story.event ORDER BY story.id DESC LIMIT 2) AS one";
    assert_eq!(bench.query_text(last).await.as_deref(), Some("gazette of wire, wire of wire"));
    assert_eq!(count.load(Ordering::Relaxed), MOST_COMPARISONS + 2);
}

#[tokio::test]
async fn a_command_that_fails_leaves_its_copies_to_the_next() {
    let bench = Bench::new().await;
    // The second item takes a key that another has: nothing that the poller makes.
    let clash =
        ItemRecord { previous_key: Some(ItemKey("a".to_owned())), ..item("c", settle_plan(&[])) };
    let failing =
        vec![with_text("a", &text("x"), &["arms"], 0), item("c", settle_plan(&[])), clash];
    let copy = vec![with_text("b", &text("x"), &["arms"], 0)];
    let polls = join(
        bench.store.record_poll(poll_record("wire", 0, failing)),
        bench.store.record_poll(poll_record("paper", 0, copy)),
    );
    let (failed, recorded) = polls.await;
    assert!(failed.is_err() && recorded.is_ok(), "{failed:?}, {recorded:?}");
    assert_eq!(events(&bench).await, "b of b");
    assert_eq!(bench.sent_rules_and_feeds(9).await.len(), 1);
}

#[tokio::test]
async fn a_text_that_is_outdated_takes_no_copies() {
    let bench = Bench::new().await;
    let stories = waiting(&bench, 2).await;
    let settle = |place: usize, revision: i64| {
        let text = copied_text(&stories[place].story.title, &text("x"));
        bench.store.settle_story(stories[place].id, revision, text, at_second(2))
    };
    let (outdated, settled) = join(settle(0, 7), settle(1, 1)).await;
    assert!(!outdated.unwrap() && settled.unwrap());
    assert_eq!(events(&bench).await, "0 of 0, 1 of 1");
}

#[tokio::test]
async fn a_crash_between_the_comparison_and_the_transaction_leaves_nothing() {
    let (count, compared) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let notify = Arc::clone(&compared);
    let between = move |_| {
        notify.notify_one();
        std::future::pending()
    };
    let bench = Bench::open(Home::new().await, comparer(&count, between)).await;
    let items =
        || vec![with_text("a", &text("x"), &["arms"], 0), with_text("b", &text("x"), &["arms"], 0)];
    let store = bench.store.clone();
    let record = poll_record("wire", 0, items());
    let polled = tokio::spawn(async move { store.record_poll(record).await });
    compared.notified().await;
    let bench = bench.crash_and_reopen().await;
    assert!(polled.await.unwrap().is_err());
    let held = bench.store.count_holdings().await.unwrap();
    assert_eq!((held.stories, held.alerts, held.waiting), (0, 0, 0));
    bench.poll("wire", 1, items()).await;
    assert_eq!(events(&bench).await, "a of a, b of a");
}

#[tokio::test]
async fn a_story_whose_page_is_awaited_after_an_edit_is_still_compared_with() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    let edited = ItemRecord { hash: "1".to_owned(), ..item("a", StoryPlan::ReadPage) };
    bench.poll("wire", 1, vec![edited]).await;
    poll(&bench, "paper", "b", &text("x"), &["arms"], 2).await;
    assert_eq!(events(&bench).await, "a of a, b of b");
}

/// How long other commands of the writer take while 1,000 copies, and 1,000 near-copies, of four
/// stories are settled at once:
/// `cargo test --release what_others_wait -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn what_others_wait_while_copies_are_settled_at_once() {
    for (kind, is_near) in [("copies", false), ("near-copies", true)] {
        let comparer: CopyComparer = Arc::new(|batch| {
            let decided = tokio::task::spawn_blocking(move || batch.decide());
            Box::pin(async move { decided.await.unwrap() })
        });
        let bench = Bench::open(Home::new().await, comparer).await;
        let stories = waiting(&bench, 1000).await;
        let own = |n: usize| if is_near { format!("Note {n} of its own. ") } else { String::new() };
        let text = |n: usize| own(n) + &text(&(n % 4).to_string()).repeat(4);
        let texts: Vec<_> = stories
            .iter()
            .enumerate()
            .map(|(n, story)| copied_text(&story.story.title, &text(n)))
            .collect();
        let start = std::time::Instant::now();
        let settled = stories.into_iter().zip(texts).map(|(story, text)| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                store.settle_story(story.id, story.revision, text, at_second(2)).await
            })
        });
        let settled: Vec<_> = settled.collect();
        let mut waits = Vec::new();
        while settled.iter().any(|task| !task.is_finished()) {
            let begun = std::time::Instant::now();
            bench.store.writer.write(|conn| Box::pin(touch(conn))).await.unwrap();
            waits.push(begun.elapsed());
        }
        let whole = start.elapsed();
        waits.sort();
        let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
        let events = bench.query_text("SELECT count(DISTINCT event) || '' FROM story").await;
        println!(
            "1,000 {kind}: {whole:?} in all, {events:?} events; {} other commands: p50 {half:?}, p99 {most:?}",
            waits.len()
        );
    }
}

async fn touch(conn: &mut DbConnection<'_>) -> Result<(), sqlx::Error> {
    db::query(
        "INSERT INTO host (name, rests_until) VALUES ('h', 1)
         ON CONFLICT (name) DO UPDATE SET rests_until = host.rests_until + 1",
    )
    .execute(conn)
    .await?;
    Ok(())
}
