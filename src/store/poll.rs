//! Records one poll in one transaction: the feed's state, its items, and their stories.

use std::time::Duration;

use jiff::Timestamp;

use super::column::to_millis;
use super::dialect::sql;
use super::writer::WriteStories;
use super::{FeedState, ItemRecord, MatchResult, PollRecord, Store, StoreError, StoryPlan};
use super::{days, gaps, health, watched};
use crate::alerts::Content;
use crate::alerts::copies::{BatchStory, CopyDecisions, StoredBy};
use crate::alerts::notice::About;
use crate::feed::identity::ItemKey;
use crate::polling::health::FeedHealth;
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::{alert_index, feed_entries, new_items, story_changes};
use tidings_rules::story::FeedName;

impl Store {
    /// Records one poll. Returns whether one of its stories waits for its page or to be matched
    /// again.
    ///
    /// An item keeps its story. An edit makes a new revision of that story. A new item whose story
    /// is known joins it: its own alerts are added, and a story that was matched is matched again
    /// for the feed that carries it now. A story that waits goes on waiting.
    pub async fn record_poll(&self, poll: PollRecord) -> Result<bool, StoreError> {
        let stories = poll.items.iter().filter_map(|item| batch_story(&poll, item)).collect();
        let records_alerts = poll.items.iter().any(ItemRecord::has_alerts);
        let write: WriteStories = Box::new(|conn, joins| Box::pin(write_poll(conn, poll, joins)));
        self.write_stories(stories, records_alerts, write).await
    }

    /// Records that a host (name:port) asked at `now` for no requests until `until`, so that a
    /// restart obeys it. The caller does not wait for it.
    pub fn record_host_rest(&self, host: String, until: Timestamp, now: Timestamp) {
        // It may be lost.
        drop(self.writer.write(move |conn| {
            Box::pin(async move {
                // A host may answer two feeds with different times: the later is kept.
                let insert = db::query(
                    "INSERT INTO host (name, rests_until, since) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET rests_until = excluded.rests_until, since = excluded.since
                     WHERE excluded.rests_until > host.rests_until",
                );
                let insert = insert.bind(host).bind(to_millis(until)).bind(to_millis(now));
                insert.execute(conn).await.map(drop)
            })
        }));
    }
}

async fn write_poll(
    conn: &mut DbConnection<'_>,
    mut record: PollRecord,
    joins: CopyDecisions,
) -> Result<bool, sqlx::Error> {
    for (match_result, joins) in record.items.iter_mut().filter_map(compared_match).zip(joins) {
        match_result.joins = joins;
    }
    let (feed, now) = (&record.state.name, record.now);
    watched::note_poll(conn, &record.state, now).await?;
    write_feed_state(conn, &record.state).await?;
    feed_entries::retire_entries(conn, feed, &record.items, now).await?;
    let waits = write_items(conn, feed, record.items, now).await?;
    days::count_poll(conn, feed, 0, record.state.failures > 0, now).await?;
    mark_removed(conn, feed, &record.removed_and_returned.removed, Some(now)).await?;
    mark_removed(conn, feed, &record.removed_and_returned.returned, None).await?;
    if let Some(gap) = record.gap {
        gaps::record_gap(conn, feed, gap, now).await?;
    }
    let notices = record.notices.into_iter().map(|(notice, audience)| {
        (notice.dedup_prefix(), Content::Notice(About::Feed(notice)), audience)
    });
    health::insert_notices(conn, notices, now).await?;
    Ok(waits)
}

/// Writes items that are new, edited or re-keyed, with their stories. Returns whether a story
/// waits.
pub(super) async fn write_items(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: Vec<ItemRecord>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let given = items.len();
    let (others, mut waits) = new_items::insert_new_items(conn, feed, items, now).await?;
    let known = feed_entries::update_entries(conn, feed, &others).await?;
    let (mut changed, mut joined) = (Vec::new(), Vec::new());
    for item in &others {
        let Some((text, plan)) = &item.story_change else { continue };
        let (story, story_waits) = if let Some(story) = known.get(&item.key) {
            (*story, story_changes::record_edit(conn, *story, text, plan, now).await?)
        } else {
            let found = story_changes::join(conn, &item.story, text, plan, now).await?;
            joined.push((item, found.0));
            found
        };
        changed.push(story);
        waits |= story_waits;
    }
    feed_entries::insert_entries(conn, feed, &joined, now).await?;
    let new_items = given - others.len() + joined.len();
    days::count_poll(conn, feed, new_items, false, now).await?;
    alert_index::note_changed_events(conn, &changed).await?;
    Ok(waits)
}

impl ItemRecord {
    /// The key under which the item is known, if it is.
    pub(super) fn known_key(&self) -> &str {
        &self.previous_key.as_ref().unwrap_or(&self.key).0
    }

    fn has_alerts(&self) -> bool {
        let Some((_, StoryPlan::Settle(result))) = &self.story_change else { return false };
        !result.alerts.is_empty()
    }
}

/// The story of an item; `None` if it was not matched, or can be no copy.
fn batch_story(poll: &PollRecord, item: &ItemRecord) -> Option<BatchStory> {
    let Some((text, StoryPlan::Settle(match_result))) = &item.story_change else { return None };
    let [feed, item_key, key] = [&poll.state.name.0, item.known_key(), &item.story.0]
        .map(|key| (!item.renews).then(|| key.to_owned()));
    let stored_by = StoredBy { row: None, feed, item: item_key, key };
    BatchStory::of_item(stored_by, &item.story.0, text, match_result, poll.now)
}

/// The match of an item whose story was compared.
fn compared_match(item: &mut ItemRecord) -> Option<&mut MatchResult> {
    let Some((_, StoryPlan::Settle(match_result))) = &mut item.story_change else { return None };
    Some(match_result).filter(|match_result| match_result.fingerprint.is_some())
}

async fn write_feed_state(
    conn: &mut DbConnection<'_>,
    state: &FeedState,
) -> Result<(), sqlx::Error> {
    db::query(
        "INSERT INTO feed (name, address, etag, last_modified, next_poll, next_why, last_poll, last_good, failures, error,
             mean_gap, requested_interval, pauses, moved_to, moved_since, failing_since, last_news, notified, unreached)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (name) DO UPDATE SET address = excluded.address, etag = excluded.etag,
             last_modified = excluded.last_modified, next_poll = excluded.next_poll, next_why = excluded.next_why,
             last_poll = excluded.last_poll, last_good = excluded.last_good, failures = excluded.failures,
             error = excluded.error, mean_gap = excluded.mean_gap, requested_interval = excluded.requested_interval,
             pauses = excluded.pauses, moved_to = excluded.moved_to, moved_since = excluded.moved_since,
             failing_since = excluded.failing_since, last_news = excluded.last_news, notified = excluded.notified,
             unreached = excluded.unreached",
    )
    .bind(&state.name.0)
    .bind(&state.address)
    .bind(&state.etag)
    .bind(&state.last_modified)
    .bind(state.next_poll.map(to_millis))
    .bind(&state.next_why)
    .bind(state.last_poll.map(to_millis))
    .bind(state.last_good.map(to_millis))
    .bind(i64::from(state.failures))
    .bind(&state.error)
    .bind(state.mean_gap.and_then(duration_millis))
    .bind(state.hints.interval.and_then(duration_millis))
    .bind(i64::from(state.hints.pauses.bits()))
    .bind(state.moved.as_ref().map(|moved| moved.to.as_str()))
    .bind(state.moved.as_ref().map(|moved| to_millis(moved.since)))
    .bind(state.health_history.failing_since.map(to_millis))
    .bind(state.health_history.last_news.map(to_millis))
    .bind(state.health_history.notified.map(FeedHealth::as_str))
    .bind(state.unreached)
    .execute(conn)
    .await?;
    Ok(())
}

fn duration_millis(span: Duration) -> Option<i64> {
    i64::try_from(span.as_millis()).ok()
}

/// Marks items of the feed as removed at `removed_at`; `None`: they returned.
async fn mark_removed(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    keys: &[ItemKey],
    removed_at: Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    db::query(sql!(
        "UPDATE feed_entry SET removed_at = $1 WHERE feed = $2 AND key IN ",
        text_list!("$3")
    ))
    .bind(removed_at.map(to_millis))
    .bind(&feed.0)
    .bind(SqlList::new(&keys)?)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        Bench, at_second, feed_state, item, poll_record, removed_and_returned, settle_plan,
    };
    use super::*;
    use crate::polling::health::FeedHealthHistory;

    use crate::feed::hints::{Pauses, PollHints};
    use crate::feed::identity::Claims;
    use crate::polling::moved::Move;

    #[tokio::test]
    async fn a_feeds_state_is_replaced_as_a_whole_and_outlives_a_crash() {
        let bench = Bench::new().await;
        let first = FeedState {
            etag: Some("W/\"a b\" ".to_owned()),
            last_modified: Some("Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
            hints: PollHints {
                interval: Some(Duration::from_hours(1)),
                pauses: Pauses::from_bits(1 << 30 | 1),
            },
            moved: Some(Move {
                to: "https://new.example/feed?a=1".parse().unwrap(),
                since: at_second(7),
            }),
            ..feed_state("wire")
        };
        let gone = FeedState {
            next_poll: None,
            last_good: None,
            failures: 4,
            error: Some("410".to_owned()),
            unreached: true,
            health_history: FeedHealthHistory {
                failing_since: Some(at_second(3)),
                last_news: None,
                notified: Some(FeedHealth::Gone),
            },
            ..feed_state("wire")
        };
        for expected in [first, gone] {
            let record = PollRecord { state: expected.clone(), ..poll_record("wire", 0, vec![]) };
            assert!(!bench.store.record_poll(record).await.unwrap());
            assert_eq!(bench.store.feed_states().await.unwrap(), [expected]);
        }
        let bench = bench.crash_and_reopen().await;
        assert_eq!(bench.store.feed_states().await.unwrap()[0].failures, 4);
    }

    #[tokio::test]
    async fn a_host_rests_until_the_latest_time_it_asked_for() {
        let bench = Bench::new().await;
        for until in [60, 30, 50] {
            bench.store.record_host_rest(
                "example.org:443".to_owned(),
                at_second(until),
                at_second(0),
            );
        }
        bench.poll("wire", 1, vec![]).await;
        assert_eq!(
            bench.store.resting_hosts(at_second(59)).await.unwrap(),
            [("example.org:443".to_owned(), at_second(60))]
        );
        assert_eq!(bench.store.resting_hosts(at_second(60)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_item_is_known_as_it_was_recorded() {
        let bench = Bench::new().await;
        let old = StoryPlan::Record("older than first_poll".to_owned());
        bench.poll("wire", 0, vec![item("a", settle_plan(&[])), item("b", old)]).await;
        let known = bench.known_items("wire").await;
        assert_eq!(known.len(), 2);
        assert_eq!(
            (known[0].key.0.as_str(), known[0].hash.as_str(), known[0].recorded),
            ("a", "0", false)
        );
        assert_eq!(
            (known[0].guid.as_deref(), known[0].link.as_deref()),
            (Some("a"), Some("http://example.org/a"))
        );
        assert_eq!((known[0].first_seen, known[0].pages), (at_second(0), 0));
        assert!(known[1].recorded);
        assert_eq!(bench.known_items("other").await, []);
    }

    #[tokio::test]
    async fn a_rekeyed_item_keeps_its_story() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let moved = ItemRecord {
            key: ItemKey("a2".to_owned()),
            previous_key: Some(ItemKey("a".to_owned())),
            hash: "1".to_owned(),
            story_change: None,
            ..item("elsewhere", settle_plan(&[]))
        };
        assert!(!bench.poll("wire", 1, vec![moved]).await);
        let known = bench.known_items("wire").await;
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].key.0.as_str(), known[0].hash.as_str()), ("a2", "1"));
        assert_eq!(bench.store.count_holdings().await.unwrap().stories, 1);
    }

    #[tokio::test]
    async fn other_news_under_a_known_key_is_a_story_of_its_own() {
        let bench = Bench::new().await;
        bench
            .poll("wire", 0, vec![item("a", StoryPlan::Record("older than first_poll".to_owned()))])
            .await;
        let renewed = |hash: &str| ItemRecord {
            renews: true,
            hash: hash.to_owned(),
            ..item("a", settle_plan(&["arms"]))
        };
        bench.poll("wire", 1, vec![renewed("1")]).await;
        bench.poll("wire", 2, vec![renewed("2")]).await;
        let past = |at: i64| format!("a\nuntil {}", 1_000_000_000 + at * 1000);
        let claims = Claims { keys: vec!["a".to_owned(), past(1), past(2)], ..Claims::default() };
        let known = bench.store.known_items(&feed_state("wire").name, claims).await.unwrap();
        let found_values: Vec<_> =
            known.iter().map(|item| (item.key.0.as_str(), item.hash.as_str(), item.gone)).collect();
        assert_eq!(
            found_values,
            [("a", "2", false), (past(1).as_str(), "0", true), (past(2).as_str(), "1", true)]
        );
        assert!(known[1..].iter().all(|item| item.guid.is_none() && item.link.is_none()));
        let held = bench.store.count_holdings().await.unwrap();
        assert_eq!((held.stories, held.alerts), (3, 2));
    }

    #[tokio::test]
    async fn other_news_that_another_feed_had_first_joins_its_story() {
        let bench = Bench::new().await;
        for feed in ["wire", "other"] {
            bench.poll(feed, 0, vec![item("a", settle_plan(&[]))]).await;
        }
        for (now, feed) in [(1, "wire"), (2, "other")] {
            bench
                .poll(
                    feed,
                    now,
                    vec![ItemRecord { renews: true, ..item("a", settle_plan(&["arms"])) }],
                )
                .await;
        }
        let held = bench.store.count_holdings().await.unwrap();
        assert_eq!((held.stories, held.alerts), (2, 1));
    }

    #[tokio::test]
    async fn items_that_leave_the_document_are_gone_until_they_come_back() {
        let bench = Bench::new().await;
        let gone = "SELECT group_concat(key || ' ' || removed_at, ', ') FROM (SELECT * FROM feed_entry WHERE removed_at IS NOT NULL ORDER BY key) AS gone";
        bench.poll("other", 0, vec![item("z", settle_plan(&[]))]).await;
        bench
            .poll("wire", 1, ["a", "b", "c"].map(|key| item(key, settle_plan(&[]))).to_vec())
            .await;
        for (now, removed_and_returned, expected) in [
            (2, removed_and_returned(&["b", "c"], &[]), Some("b 1000002000, c 1000002000")),
            (3, removed_and_returned(&[], &[]), Some("b 1000002000, c 1000002000")),
            (4, removed_and_returned(&["a"], &["b"]), Some("a 1000004000, c 1000002000")),
            (
                5,
                removed_and_returned(&["b"], &[]),
                Some("a 1000004000, b 1000005000, c 1000002000"),
            ),
            (6, removed_and_returned(&[], &["a", "b", "c"]), None),
        ] {
            bench
                .store
                .record_poll(PollRecord {
                    removed_and_returned,
                    ..poll_record("wire", now, vec![])
                })
                .await
                .unwrap();
            assert_eq!(
                bench.query_text(gone).await.as_deref(),
                expected,
                "after the poll at {now}"
            );
            let known = bench.known_items("wire").await;
            assert_eq!(
                known.iter().filter(|item| item.gone).count(),
                expected.map_or(0, |gone| gone.split(',').count())
            );
        }
        assert_eq!(bench.known_items("wire").await.len(), 3);
    }

    #[tokio::test]
    async fn a_poll_is_recorded_whole_or_not_at_all() {
        let bench = Bench::new().await;
        // The last takes a key that another has: nothing that the poller makes.
        let clash = ItemRecord {
            previous_key: Some(ItemKey("a".to_owned())),
            ..item("b", settle_plan(&[]))
        };
        let items = vec![item("a", settle_plan(&["arms"])), item("b", settle_plan(&[])), clash];
        bench.store.record_poll(poll_record("wire", 0, items)).await.unwrap_err();
        let held = bench.store.count_holdings().await.unwrap();
        assert_eq!((held.stories, held.alerts, held.waiting), (0, 0, 0));
        assert_eq!(bench.store.feed_states().await.unwrap(), []);
    }
}
