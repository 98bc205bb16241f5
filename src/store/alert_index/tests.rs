//! Tests of the index of alerts: an alert is found by what it has now, before and after it is
//! indexed.

use proptest::prelude::*;

use super::*;
use crate::store::db::{self, DbConnection};
use crate::store::fixture::{Bench, at_second, item, match_result, settle_plan};
use crate::store::{AlertFilter, Archive, ItemRecord, Retention, StoryPlan, SweepPosition};
use tidings_rules::story::FeedName;

impl Bench {
    /// Indexes all alerts that have changed.
    pub(in crate::store) async fn index_alerts(&self) {
        while self.store.index_changed_alerts().await.unwrap() {}
    }

    /// How many alerts the index has, and how many it lacks.
    async fn indexed(&self) -> (String, String) {
        let rows = self.query_text("SELECT count(*) || '' FROM alert_index_docsize").await;
        let lag = self.query_text("SELECT count(*) || '' FROM alert WHERE index_lag > 0").await;
        (rows.unwrap(), lag.unwrap())
    }
}

async fn found(bench: &Bench, wanted: AlertFilter) -> Vec<i64> {
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    archive.find_alerts(&wanted, 9).await.unwrap().iter().map(|past| past.id).collect()
}

fn words(text: &str) -> AlertFilter {
    let words = tokenise(text).into_iter().map(|token| token.word).collect();
    AlertFilter { words, ..AlertFilter::default() }
}

fn feed(name: &str) -> AlertFilter {
    AlertFilter { feed: Some(FeedName(name.to_owned())), ..AlertFilter::default() }
}

/// The item a with this headline, in which arms were found.
fn titled(title: &str) -> ItemRecord {
    let mut item = item("a", settle_plan(&["arms"]));
    item.story_change.as_mut().expect("a change").0.title = title.to_owned();
    item
}

async fn bench(title: &str) -> Bench {
    let bench = Bench::new().await;
    bench.poll("wire", 0, vec![titled(title)]).await;
    bench
}

#[tokio::test]
async fn an_alert_is_found_by_its_present_headline() {
    let bench = bench("Tanks for Ruritania").await;
    bench.index_alerts().await;
    assert_eq!(bench.indexed().await, ("1".to_owned(), "0".to_owned()));
    for is_indexed in [false, true] {
        bench.poll("wire", 1, vec![titled("Ships for Ruritania")]).await;
        if is_indexed {
            bench.index_alerts().await;
        }
        assert_eq!(found(&bench, words("ruritania SHIPS arms")).await, [1], "{is_indexed}");
        assert!(found(&bench, words("tanks")).await.is_empty(), "{is_indexed}");
    }
    assert_eq!(bench.indexed().await, ("1".to_owned(), "0".to_owned()));
}

#[tokio::test]
async fn an_alert_is_found_by_a_feed_that_carries_its_story_later() {
    let bench = bench("Tanks").await;
    bench.index_alerts().await;
    bench.poll("paper", 1, vec![item("a", StoryPlan::Settle(match_result(&[])))]).await;
    assert_eq!(bench.indexed().await.1, "1");
    assert_eq!(found(&bench, feed("paper")).await, [1]);
    bench.index_alerts().await;
    for name in ["wire", "paper"] {
        assert_eq!(found(&bench, feed(name)).await, [1]);
    }
    let ships = AlertFilter { words: words("ships").words, ..feed("paper") };
    assert!(found(&bench, ships).await.is_empty());
}

#[tokio::test]
async fn a_poll_of_another_story_leaves_the_index_as_it_is() {
    let bench = bench("Tanks").await;
    bench.index_alerts().await;
    bench.poll("paper", 1, vec![item("b", settle_plan(&[])), item("c", settle_plan(&[]))]).await;
    assert_eq!(bench.indexed().await, ("1".to_owned(), "0".to_owned()));
}

#[tokio::test]
async fn an_alert_that_changes_while_it_is_indexed_is_indexed_again() {
    let bench = bench("Tanks").await;
    let mut reader = bench.store.readers.acquire().await.unwrap();
    let read = read_changed(&mut reader, 9).await.unwrap();
    drop(reader);
    bench.poll("wire", 1, vec![titled("Ships")]).await;
    bench.store.writer.write(move |conn| Box::pin(index_alerts(conn, read))).await.unwrap();
    assert_eq!(bench.indexed().await, ("0".to_owned(), "1".to_owned()));
    bench.index_alerts().await;
    assert_eq!(
        (found(&bench, words("tanks")).await, found(&bench, words("ships")).await),
        (vec![], vec![1])
    );
}

#[tokio::test]
async fn an_alert_that_is_not_kept_leaves_the_index() {
    for is_indexed in [false, true] {
        let bench = bench("Tanks").await;
        if is_indexed {
            bench.index_alerts().await;
        }
        bench.store.writer.write(|conn| Box::pin(delete_messages(conn))).await.unwrap();
        let later = at_second(1_000);
        let kept = Retention { stories: None, alerts: Some(later), keys: later };
        let mut next = Some(SweepPosition::default());
        while let Some(place) = next {
            next = bench.store.sweep(place, kept, later).await.unwrap().next;
        }
        bench.poll("paper", 2_000, vec![item("a", settle_plan(&["arms"]))]).await;
        assert_eq!(bench.indexed().await, ("0".to_owned(), "0".to_owned()), "{is_indexed}");
        assert!(found(&bench, words("tanks")).await.is_empty(), "{is_indexed}");
    }
}

async fn delete_messages(conn: &mut DbConnection<'_>) -> Result<(), sqlx::Error> {
    for sql in ["DELETE FROM message_alert", "DELETE FROM message"] {
        db::query(sql).execute(&mut *conn).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_index_keeps_words_and_names_whole() {
    let title = "U.S. and AT&T: C++, C#, 1,000.5 Łódź 北京 Ёлка co-op \"quoted\" it's OR NOT NEAR";
    let bench = bench(title).await;
    let mut odd = item("b", settle_plan(&["Kim \"in\" PERSON, =r"]));
    odd.story_change.as_mut().expect("a change").0.title = String::new();
    bench.poll("The Wire: \"World\"", 1, vec![odd]).await;
    let rule = |name: &str| AlertFilter { rule: Some(name.to_owned()), ..AlertFilter::default() };
    for is_indexed in [false, true] {
        if is_indexed {
            bench.index_alerts().await;
        }
        for token in tokenise(title) {
            assert_eq!(found(&bench, words(&token.word)).await, [1], "{} {is_indexed}", token.word);
        }
        for (wanted, expected) in [
            (words("u"), vec![]),
            (words("1"), vec![]),
            (words("lodz quoted or not near"), vec![1]),
            (rule("Kim \"in\" PERSON, =r"), vec![2]),
            (rule("Kim \"in\" person, =r"), vec![]),
            (words("kim"), vec![]),
            (feed("The Wire: \"World\""), vec![2]),
            (feed("The"), vec![]),
        ] {
            assert_eq!(found(&bench, wanted.clone()).await, expected, "{wanted:?} {is_indexed}");
        }
    }
}

#[tokio::test]
async fn a_store_with_an_index_is_whole_and_found_beside_its_writer() {
    let bench = bench("Tanks").await;
    bench.index_alerts().await;
    assert_eq!(bench.store.find_damage().await, None);
    let home = bench.stop_cleanly().await;
    let _lock = home.lock();
    let mut archive = Archive::open(&home.place()).await.unwrap();
    assert_eq!(archive.find_alerts(&words("tanks"), 9).await.unwrap().len(), 1);
}

/// Whether the tokenizer of the index keeps a word whole.
fn stays_whole(word: &str) -> bool {
    let stays = |byte: u8| {
        !byte.is_ascii()
            || byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || b".,&+#".contains(&byte)
    };
    word.bytes().all(stays)
}

#[test]
fn no_folded_word_has_a_sign_that_the_index_lacks() {
    for c in '\0'..='\u{2100}' {
        for text in
            [format!("{c}"), format!("a{c}b"), format!("A.{c}.C 1{c}2"), format!("5{c}{c}x")]
        {
            for token in tokenise(&text) {
                assert!(stays_whole(&token.word), "{token:?} of {text:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn the_words_of_any_text_stay_whole(text in any::<String>()) {
        for token in tokenise(&text) {
            prop_assert!(stays_whole(&token.word), "{:?}", token);
        }
    }
}
