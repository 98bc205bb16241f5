//! Stories from elsewhere are recorded once, wait to be matched, and share events with feeds.

use super::super::fixture::{Bench, at_second, final_text, item, match_result, settle_plan, story};
use super::super::{StoryPlan, WaitingStory};
use super::*;
use crate::feed::document::Item;
use crate::store::db::{self, Sql};
use tidings_rules::story::Read;

/// A story with this id and text, which links to `link`.
fn received(feed: &str, id: &str, link: Option<&str>, text: &str) -> ReceivedStory {
    let link = link.map(|link| link.parse().unwrap());
    let (guid, text) = (Some(id.to_owned()), text.to_owned());
    let item = Item { guid, link, title: "A headline".to_owned(), text, ..Item::default() };
    let url = item.link.as_ref().map(ToString::to_string);
    ReceivedStory {
        feed: FeedName(feed.to_owned()),
        identity: ArrivedItem::new(&item),
        id: item.guid,
        story: Story { url, ..story(&item.title, &item.text) },
    }
}

fn plain(id: &str, text: &str) -> ReceivedStory {
    received("telegram", id, None, text)
}

fn counts(new: u64, edited: u64, known: u64) -> IngestCounts {
    IngestCounts { new, edited, known }
}

async fn record(bench: &Bench, now: i64, stories: Vec<ReceivedStory>) -> IngestCounts {
    IngestTarget::Run(bench.store.clone()).record(stories, at_second(now)).await.unwrap()
}

fn texts(waiting: &[WaitingStory]) -> Vec<&str> {
    waiting.iter().map(|waiting| waiting.story.body.as_str()).collect()
}

/// Settles a story with an alert of the rule `arms`.
async fn settle(bench: &Bench, waiting: &WaitingStory, now: i64) -> bool {
    let settled = final_text(&waiting.story.body, match_result(&["arms"]));
    bench.store.settle_story(waiting.id, waiting.revision, settled, at_second(now)).await.unwrap()
}

#[tokio::test]
async fn a_story_is_recorded_once_waits_with_its_whole_text_and_outlives_a_crash() {
    let bench = Bench::new().await;
    let stories = vec![plain("1", "One."), plain("2", "Two.")];
    assert_eq!(record(&bench, 0, stories.clone()).await, counts(2, 0, 0));
    let bench = bench.crash_and_reopen().await;
    assert_eq!(record(&bench, 1, stories).await, counts(0, 0, 2));
    let waiting = bench.waiting_for_match(1).await;
    assert_eq!(texts(&waiting), ["One.", "Two."]);
    assert_eq!((waiting[0].read.clone(), waiting[0].since), (Some(Read::Full), at_second(0)));
    assert_eq!(waiting[0].feed_entries[0].feed.0, "telegram");
    assert!(settle(&bench, &waiting[0], 2).await);
    assert_eq!(texts(&bench.waiting_for_match(3).await), ["Two."]);
    assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 1);
}

#[tokio::test]
async fn an_edited_story_is_matched_again_and_an_old_match_is_void() {
    let bench = Bench::new().await;
    record(&bench, 0, vec![plain("1", "One.")]).await;
    let old = bench.waiting_for_match(0).await.remove(0);
    assert_eq!(record(&bench, 1, vec![plain("1", "One, edited.")]).await, counts(0, 1, 0));
    assert!(!settle(&bench, &old, 2).await);
    let now = bench.waiting_for_match(2).await.remove(0);
    assert!(settle(&bench, &now, 3).await);
    assert_eq!(record(&bench, 4, vec![plain("1", "Edited again.")]).await, counts(0, 1, 0));
    assert_eq!(texts(&bench.waiting_for_match(4).await), ["Edited again."]);
    assert_eq!(bench.store.count_holdings().await.unwrap().stories, 1);
}

#[tokio::test]
async fn the_last_of_several_texts_of_one_transaction_is_matched() {
    let bench = Bench::new().await;
    let stories = vec![
        plain("1", "One."),
        plain("2", "Two."),
        plain("1", "One."),
        plain("1", "One, edited."),
        received("other", "1", None, "Of another feed."),
    ];
    assert_eq!(record(&bench, 0, stories).await, counts(3, 1, 1));
    let waiting = bench.waiting_for_match(0).await;
    let mut texts = texts(&waiting);
    texts.sort_unstable();
    assert_eq!(texts, ["Of another feed.", "One, edited.", "Two."]);
}

#[tokio::test]
async fn rows_and_matches_have_the_order_in_which_stories_came() {
    let bench = Bench::new().await;
    let of = |feed: &str, text: &str, published: i64| {
        let mut story = received(feed, text, None, text);
        story.story.published = Some(at_second(published));
        story
    };
    record(&bench, 0, vec![of("b", "1", 9), of("a", "2", 8), of("b", "3", 7)]).await;
    record(&bench, 1, vec![of("a", "4", 1), of("a", "5", 1)]).await;
    record(&bench, 2, vec![received("a", "2", None, "2, edited")]).await;
    let expected = ["1", "3", "4", "5", "2, edited"];
    assert_eq!(texts(&bench.waiting_for_match(2).await), expected);
    bench.store.restart_page_waits(at_second(60)).await.unwrap();
    let waiting = bench.waiting_for_match(60).await;
    assert_eq!(texts(&waiting), expected);
    for one in &waiting {
        assert!(settle(&bench, one, 61).await);
    }
    let stored = bench.store.settled_stories(at_second(-9), None, 9).await.unwrap();
    let stored: Vec<&str> = stored.iter().map(|one| one.story.body.as_str()).collect();
    assert_eq!(stored, ["1", "2, edited", "3", "4", "5"]);
}

#[tokio::test]
async fn an_edit_after_a_week_is_recorded_and_not_matched() {
    let bench = Bench::new().await;
    record(&bench, 0, vec![plain("1", "One.")]).await;
    let first = bench.waiting_for_match(0).await.remove(0);
    settle(&bench, &first, 1).await;
    let late = 8 * 24 * 3600;
    let mut edited = plain("1", "One, edited.");
    edited.story.first_seen = at_second(late);
    assert_eq!(record(&bench, late, vec![edited]).await, counts(0, 1, 0));
    assert_eq!(bench.waiting_for_match(late).await, []);
    assert_eq!(bench.query_text("SELECT feed_text FROM story").await.unwrap(), "One, edited.");
}

#[tokio::test]
async fn the_link_of_a_story_that_a_feed_has_makes_one_event_with_a_text_of_its_own() {
    let bench = Bench::new().await;
    let link = "https://example.org/freight";
    let polled =
        ItemRecord { story: StoryKey(link.to_owned()), ..item("a", settle_plan(&["arms"])) };
    bench.poll("wire", 0, vec![polled]).await;
    let same = received("telegram", "1", Some(link), "A longer text.");
    assert_eq!(record(&bench, 1, vec![same]).await, counts(1, 0, 0));
    let waiting = bench.waiting_for_match(1).await;
    assert_eq!(texts(&waiting), ["A longer text."]);
    settle(&bench, &waiting[0], 2).await;
    let events = "SELECT count(DISTINCT event) || ' of ' || count(*) FROM story";
    assert_eq!(bench.query_text(events).await.unwrap(), "1 of 2");
    let messages = "SELECT count(*) || '' FROM message";
    assert_eq!(bench.query_text(messages).await.unwrap(), "1");
}

#[tokio::test]
async fn a_feed_that_brings_the_link_later_joins_the_story() {
    let bench = Bench::new().await;
    let link = "https://example.org/freight";
    record(&bench, 0, vec![received("telegram", "1", Some(link), "A text.")]).await;
    let polled = ItemRecord { story: StoryKey(link.to_owned()), ..item("a", StoryPlan::ReadPage) };
    bench.poll("wire", 1, vec![polled]).await;
    let waiting = bench.waiting_for_match(1).await;
    assert_eq!((texts(&waiting), waiting[0].feed_entries.len()), (vec!["A text."], 2));
}

#[tokio::test]
async fn messages_of_a_channel_with_one_link_are_events_of_their_own() {
    let bench = Bench::new().await;
    let link = Some("https://t.example/channel");
    record(&bench, 0, vec![received("telegram", "1", link, "One.")]).await;
    let more =
        vec![received("telegram", "2", link, "Two."), received("telegram", "3", link, "Three.")];
    assert_eq!(record(&bench, 1, more).await, counts(2, 0, 0));
    let events = "SELECT count(DISTINCT event) || '' FROM story";
    assert_eq!(bench.query_text(events).await.unwrap(), "3");
}

#[tokio::test]
async fn another_process_records_in_the_same_store_and_keys_are_kept_from_the_last_time_on() {
    let bench = Bench::new().await;
    let target = IngestTarget::At(bench.place());
    let day = 24 * 3600;
    for (now, last) in [(0, 0), (day / 2, 0), (2 * day, 2 * day)] {
        target.record(vec![plain("1", "One.")], at_second(now)).await.unwrap();
        let seen = bench.query_text("SELECT removed_at || '' FROM feed_entry").await.unwrap();
        assert_eq!(seen, at_second(last).as_millisecond().to_string(), "at {now}");
    }
    assert_eq!(bench.waiting_for_match(0).await.len(), 1);
    let states = bench.store.feed_states().await.unwrap();
    assert_eq!(
        (states[0].last_poll, states[0].health_history.last_news),
        (None, Some(at_second(0)))
    );
}

#[tokio::test]
async fn a_transaction_is_recorded_whole_or_not_at_all() {
    let bench = Bench::new().await;
    let refuse = Sql {
        sqlite: "CREATE TRIGGER refuse BEFORE INSERT ON feed_entry WHEN new.key = 'guid 2'
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        postgres: "ALTER TABLE feed_entry ADD CHECK (key <> 'guid 2')",
    };
    let refuse = bench.store.writer.write(move |conn| {
        Box::pin(async move { db::query(refuse).execute(conn).await.map(drop) })
    });
    refuse.await.unwrap();
    let target = IngestTarget::Run(bench.store.clone());
    let refused = target.record(vec![plain("1", "One."), plain("2", "Two.")], at_second(0)).await;
    assert!(refused.is_err());
    assert_eq!(bench.store.count_holdings().await.unwrap().stories, 0);
}
