//! Reads what the next poll of a feed needs: the feed's state, and its known items.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::column::{self, from_millis, read_optional_time, read_time, to_millis};
use super::dialect::sql;
use super::{FeedState, Store, StoreCommandError, StoreError};
use crate::config::StorePlace;
use crate::feed::hints::{Pauses, PollHints};
use crate::feed::identity::{Before, Claims, ItemKey, KnownItem, MOST_COMPARED};
use crate::polling::health::{FeedHealth, FeedHealthHistory};
use crate::polling::moved::Move;
use crate::store::command_connection;
use crate::store::db::{self, DbConnection, DbRow, Sql, SqlList};
use tidings_rules::story::FeedName;

/// Every claim has an index, and so have the items of the last document.
///
/// At most 16 items of a feed are read for one claim other than a key. A claim that two items share
/// identifies neither. More are read, because several items of one document may share it, too. The
/// limit is no parameter: `SQLite` prepares a statement with such a parameter for each execution.
/// OFFSET keeps `PostgreSQL`, which expects far more items, from reading whole tables.
const KNOWN_ITEMS: Sql = sql!(
    "WITH keys AS ",
    text_list!("$2"),
    ", guids AS ",
    text_list!("$3"),
    ", links AS ",
    text_list!("$4"),
    ", hashes AS ",
    text_list!("$5"),
    ", stems AS ",
    text_list!("$6"),
    ", texts AS ",
    text_list!("$7"),
    ", found (item) AS (
         SELECT id FROM feed_entry WHERE feed = $1 AND removed_at IS NULL
         UNION SELECT known.id FROM keys AS claim CROSS JOIN feed_entry AS known WHERE known.feed = $1 AND known.key = claim.value
         UNION SELECT known.id FROM guids AS claim CROSS JOIN ",
    either!("feed_entry AS known WHERE known.id IN (SELECT id", "LATERAL (SELECT id"),
    " FROM feed_entry WHERE guid = claim.value AND feed = $1 ORDER BY id LIMIT 16)",
    either!("", " AS known"),
    "
         UNION SELECT known.id FROM links AS claim CROSS JOIN ",
    either!("feed_entry AS known WHERE known.id IN (SELECT id", "LATERAL (SELECT id"),
    " FROM feed_entry WHERE link = claim.value AND feed = $1 ORDER BY id LIMIT 16)",
    either!("", " AS known"),
    "
         UNION SELECT known.id FROM hashes AS claim CROSS JOIN ",
    either!("feed_entry AS known WHERE known.id IN (SELECT id", "LATERAL (SELECT id"),
    " FROM feed_entry WHERE hash = claim.value AND feed = $1 ORDER BY id LIMIT 16)",
    either!("", " AS known"),
    "
         UNION SELECT known.id FROM stems AS claim CROSS JOIN ",
    either!("feed_entry AS known WHERE known.id IN (SELECT id", "LATERAL (SELECT id"),
    " FROM feed_entry WHERE stem = claim.value AND feed = $1 ORDER BY id LIMIT 16)",
    either!("", " AS known"),
    "
         UNION SELECT known.id FROM texts AS claim CROSS JOIN ",
    either!("feed_entry AS known WHERE known.id IN (SELECT id", "LATERAL (SELECT id"),
    " FROM feed_entry WHERE text_hash = claim.value AND feed = $1 ORDER BY id LIMIT 16)",
    either!("", " AS known"),
    ")
     SELECT known.key, known.guid, known.link, known.stem, known.hash, known.text_hash,
            substr(story.title, 1, CAST($8 AS INTEGER)) AS title, story.published, story.first_seen, story.page_fetches,
            story.status = 'recorded' AS recorded, known.removed_at IS NOT NULL AS gone
     FROM found CROSS JOIN ",
    either!(
        "feed_entry AS known CROSS JOIN story WHERE known.id = found.item AND story.id = known.story",
        "LATERAL (SELECT * FROM feed_entry WHERE id = found.item OFFSET 0) AS known
         CROSS JOIN LATERAL (SELECT * FROM story WHERE id = known.story OFFSET 0) AS story"
    ),
    " ORDER BY known.key"
);

impl Store {
    /// The state of every feed in the store, in the order of their names.
    pub async fn feed_states(&self) -> Result<Vec<FeedState>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        Ok(read_feed_states(&mut reader).await?)
    }

    /// The items of a feed that have a claim of the document, and the items of its last document,
    /// in the order of their keys. Of items that share a claim other than a key, only the first
    /// few.
    pub async fn known_items(
        &self,
        feed: &FeedName,
        claims: Claims,
    ) -> Result<Vec<KnownItem>, StoreError> {
        let Claims { keys, guids, links, hashes, stems, texts } = claims;
        let rows = db::query(KNOWN_ITEMS)
            .bind(&feed.0)
            .bind(SqlList::new(&keys)?)
            .bind(SqlList::new(&guids)?)
            .bind(SqlList::new(&links)?)
            .bind(SqlList::new(&hashes)?)
            .bind(SqlList::new(&stems)?)
            .bind(SqlList::new(&texts)?)
            .bind(i64::from(MOST_COMPARED))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.iter().map(known_item_from_row).collect::<Result<_, _>>()?)
    }

    /// The last texts of these items of a feed, by their keys.
    pub async fn item_texts(
        &self,
        feed: &FeedName,
        items: Vec<ItemKey>,
    ) -> Result<HashMap<ItemKey, Before>, StoreError> {
        if items.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<&str> = items.iter().map(|key| key.0.as_str()).collect();
        let rows = db::query(
            sql!(
                "SELECT feed_entry.key, story.title, story.published, substr(story.feed_text, 1, CAST($3 AS INTEGER)) AS text FROM ",
                text_list!("$2"),
                " AS wanted CROSS JOIN feed_entry CROSS JOIN story
                 WHERE feed_entry.feed = $1 AND feed_entry.key = wanted.value AND story.id = feed_entry.story"
            ),
        )
        .bind(&feed.0)
        .bind(SqlList::new(&keys)?)
        .bind(i64::from(MOST_COMPARED))
        .fetch_all(&self.readers)
        .await?;
        let found = rows.iter().map(|row| {
            let (title, text) = (row.try_get("title")?, row.try_get("text")?);
            let before = Before { title, text, published: read_optional_time(row, "published")? };
            Ok((ItemKey(row.try_get("key")?), before))
        });
        Ok(found.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The feeds among `own` that a person asked to poll now; `None`: among all. Each request is
    /// returned once.
    pub async fn take_requested_polls(
        &self,
        own: Option<Vec<FeedName>>,
    ) -> Result<Vec<FeedName>, StoreError> {
        let is_asked = "SELECT EXISTS (SELECT 1 FROM feed WHERE poll_requested IS NOT NULL)";
        if !db::query_scalar(is_asked).fetch_one(&self.readers).await? {
            return Ok(Vec::new());
        }
        let take = sql!(
            "UPDATE feed SET poll_requested = NULL
             WHERE poll_requested IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR name IN ",
            text_list!("$1"),
            ") RETURNING name"
        );
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let own = own.map(|own| SqlList::new(&own)).transpose()?;
                    let names = db::query_scalar(take).bind(own).fetch_all(conn);
                    let names: Vec<String> = names.await?;
                    Ok(names.into_iter().map(FeedName).collect())
                })
            })
            .await
    }

    /// Hosts that asked for a pause that ends after `now`, with its end.
    pub async fn resting_hosts(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let rows: Vec<(String, i64)> =
            db::query_as("SELECT name, rests_until FROM host WHERE rests_until > $1 ORDER BY name")
                .bind(to_millis(now))
                .fetch_all(&self.readers)
                .await?;
        let hosts = rows.into_iter().map(|(name, until)| Ok((name, from_millis(until)?)));
        Ok(hosts.collect::<Result<_, sqlx::Error>>()?)
    }
}

/// Asks the `run` on the store at `place` to poll these feeds now. `failing`: only those that fail
/// and are not permanently gone. Returns the feeds that are asked for, in the order of their names.
/// The others were never polled, or do not fail.
pub async fn request_polls(
    place: impl Into<StorePlace>,
    feeds: &[FeedName],
    failing: bool,
    now: Timestamp,
) -> Result<Vec<FeedName>, StoreCommandError> {
    let names: Vec<String> = command_connection::write(&place.into(), async |conn| {
        db::query_scalar(sql!(
            "UPDATE feed SET poll_requested = $1 WHERE name IN ",
            text_list!("$2"),
            " AND (NOT $3 OR (failures > 0 AND next_poll IS NOT NULL)) RETURNING name"
        ))
        .bind(to_millis(now))
        .bind(SqlList::new(&feeds)?)
        .bind(failing)
        .fetch_all(conn)
        .await
    })
    .await?;
    let names: BTreeSet<String> = names.into_iter().collect();
    Ok(names.into_iter().map(FeedName).collect())
}

/// The state of every feed, in the order of their names.
pub(super) async fn read_feed_states(
    conn: &mut DbConnection<'_>,
) -> Result<Vec<FeedState>, sqlx::Error> {
    let rows = db::query("SELECT * FROM feed ORDER BY name").fetch_all(conn).await?;
    rows.iter().map(feed_state_from_row).collect()
}

fn feed_state_from_row(row: &DbRow) -> Result<FeedState, sqlx::Error> {
    let notified: Option<&str> = row.try_get("notified")?;
    let notices = [FeedHealth::Gone, FeedHealth::Failing, FeedHealth::Silent];
    let moved = row.try_get::<Option<&str>, _>("moved_to")?.and_then(|to| Url::parse(to).ok());
    let moved = moved.zip(read_optional_time(row, "moved_since")?);
    Ok(FeedState {
        name: FeedName(row.try_get("name")?),
        address: row.try_get("address")?,
        etag: row.try_get("etag")?,
        last_modified: row.try_get("last_modified")?,
        next_poll: read_optional_time(row, "next_poll")?,
        next_why: row.try_get("next_why")?,
        last_poll: read_optional_time(row, "last_poll")?,
        last_good: read_optional_time(row, "last_good")?,
        failures: column::read_count(row, "failures")?,
        error: row.try_get("error")?,
        mean_gap: read_optional_span(row, "mean_gap")?,
        hints: PollHints {
            interval: read_optional_span(row, "requested_interval")?,
            pauses: Pauses::from_bits(column::read_count(row, "pauses")?),
        },
        moved: moved.map(|(to, since)| Move { to, since }),
        health_history: FeedHealthHistory {
            failing_since: read_optional_time(row, "failing_since")?,
            last_news: read_optional_time(row, "last_news")?,
            notified: notices.into_iter().find(|health| notified == Some(health.as_str())),
        },
        unreached: row.try_get("unreached")?,
    })
}

/// The span in a column that holds milliseconds or null.
fn read_optional_span(row: &DbRow, column: &str) -> Result<Option<Duration>, sqlx::Error> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(|millis| Duration::from_millis(millis.unsigned_abs())))
}

fn known_item_from_row(row: &DbRow) -> Result<KnownItem, sqlx::Error> {
    Ok(KnownItem {
        key: ItemKey(row.try_get("key")?),
        guid: row.try_get("guid")?,
        link: row.try_get("link")?,
        stem: row.try_get("stem")?,
        hash: row.try_get("hash")?,
        text_hash: row.try_get("text_hash")?,
        title: row.try_get("title")?,
        published: read_optional_time(row, "published")?,
        first_seen: read_time(row, "first_seen")?,
        recorded: row.try_get("recorded")?,
        pages: column::read_count(row, "page_fetches")?,
        gone: row.try_get("gone")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        Bench, at_second, feed_state, item, poll_record, removed_and_returned, settle_plan,
    };
    use super::super::{ItemRecord, PollRecord};
    use super::*;

    fn keys(known: &[KnownItem]) -> Vec<&str> {
        known.iter().map(|item| item.key.0.as_str()).collect()
    }

    /// A feed that had a thousand items, all with the guid `g`, and has only the last one now.
    async fn of_long_history() -> Bench {
        let bench = Bench::new().await;
        let known: Vec<String> = (0..1000).map(|n| format!("{n:03}")).collect();
        let items = known
            .iter()
            .map(|key| ItemRecord { guid: Some("g".to_owned()), ..item(key, settle_plan(&[])) });
        bench.poll("wire", 0, items.collect()).await;
        let gone: Vec<&str> = known[..999].iter().map(String::as_str).collect();
        let removed_and_returned = removed_and_returned(&gone, &[]);
        bench
            .store
            .record_poll(PollRecord { removed_and_returned, ..poll_record("wire", 1, vec![]) })
            .await
            .unwrap();
        bench
    }

    #[tokio::test]
    async fn what_is_looked_up_depends_on_the_document_and_not_on_the_feeds_history() {
        let bench = of_long_history().await;
        let known = async |claims| {
            bench.store.known_items(&FeedName("wire".to_owned()), claims).await.unwrap()
        };
        assert_eq!(keys(&known(Claims::default()).await), ["999"], "the last document's");
        let claims = Claims {
            keys: vec!["007".to_owned(), "no such".to_owned()],
            links: vec!["http://example.org/008".to_owned()],
            ..Claims::default()
        };
        assert_eq!(keys(&known(claims).await), ["007", "008", "999"]);
        for shared in [
            Claims { guids: vec!["g".to_owned()], ..Claims::default() },
            Claims { hashes: vec!["0".to_owned()], ..Claims::default() },
        ] {
            assert_eq!(known(shared).await.len(), 16 + 1);
        }
    }

    #[tokio::test]
    async fn who_asks_for_a_poll_is_heard_once_and_those_that_are_gone_or_well_are_not_failing() {
        let bench = Bench::new().await;
        for (name, failures, next) in
            [("well", 0, Some(9)), ("failing", 3, Some(9)), ("gone", 1, None)]
        {
            let state = FeedState { failures, next_poll: next.map(at_second), ..feed_state(name) };
            bench
                .store
                .record_poll(PollRecord { state, ..poll_record(name, 0, vec![]) })
                .await
                .unwrap();
        }
        let feeds = ["failing", "gone", "new", "well"].map(|name| FeedName(name.to_owned()));
        let asked = request_polls(&bench.place(), &feeds, true, at_second(1)).await.unwrap();
        assert_eq!(asked, feeds[..1]);
        assert_eq!(bench.store.take_requested_polls(None).await.unwrap(), feeds[..1]);
        assert_eq!(bench.store.take_requested_polls(None).await.unwrap(), []);

        let asked = request_polls(&bench.place(), &feeds, false, at_second(1)).await.unwrap();
        assert_eq!(asked, [feeds[0].clone(), feeds[1].clone(), feeds[3].clone()]);
        // A node takes those of its own feeds.
        let own = |names: &[FeedName]| Some(names.to_vec());
        assert_eq!(bench.store.take_requested_polls(own(&feeds[2..])).await.unwrap(), feeds[3..]);
        assert_eq!(bench.store.take_requested_polls(own(&feeds)).await.unwrap().len(), 2);
    }
}
