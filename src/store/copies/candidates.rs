//! Reads the stored stories that the stories of a batch may be copies of.

use std::collections::{BTreeSet, HashMap};

use crate::alerts::copies::{BatchStory, CopyBatch, CopyCandidate, MOST_COMPARED, link_host};
use crate::store::column::{read_extent, read_optional_json};
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::dialect::sql;
use tidings_rules::story::{FeedName, Read};

/// The newest texts that are read of a host. A frame is learned from half as many, of other events.
const HOST_TEXTS: i64 = 24;

/// The version of what stories are compared with: every command that records an alert raises it.
pub(super) async fn read_version(conn: &mut DbConnection<'_>) -> Result<i64, sqlx::Error> {
    db::query_scalar("SELECT coalesce(max(id), 0) FROM alert").fetch_one(conn).await
}

/// Reads what these stories are compared with.
pub(super) async fn read_batch(
    conn: &mut DbConnection<'_>,
    stories: Vec<BatchStory>,
) -> Result<CopyBatch, sqlx::Error> {
    let mut batch = CopyBatch { stories, ..CopyBatch::default() };
    read_stored_stories(conn, &mut batch).await?;
    let (similar, hosts) = find_similar_stories(conn, &mut batch).await?;
    batch.candidates = read_candidates(conn, &similar, &hosts).await?;
    read_events(conn, &mut batch).await?;
    Ok(batch)
}

/// Adds to the batch's stories what the store has of them.
async fn read_stored_stories(
    conn: &mut DbConnection<'_>,
    batch: &mut CopyBatch,
) -> Result<(), sqlx::Error> {
    let stories = batch.stories.iter().zip(0_i64..);
    let wanted = stories.map(|(story, place)| story.stored_by.columns(place));
    let wanted = SqlList::new(&wanted.collect::<Vec<_>>())?;
    let rows = db::query(sql!(
        "SELECT wanted.place, story.id, story.uid, story.event, story.url, coalesce(first.first_seen, 0) AS event_started,
                story.event = story.uid AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id)
                    AND NOT EXISTS (SELECT 1 FROM story AS other WHERE other.event = story.uid AND other.id <> story.id) AS is_free
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 story BIGINT, 2 feed TEXT, 3 item TEXT, 4 key TEXT),
        " AS wanted JOIN story ON story.id = coalesce(wanted.story,
             (SELECT story FROM feed_entry WHERE feed_entry.feed = wanted.feed AND feed_entry.key = wanted.item),
             (SELECT id FROM story AS known WHERE known.key = wanted.key))
         LEFT JOIN story AS first ON first.uid = story.event"
    ))
    .bind(wanted)
    .fetch_all(conn)
    .await?;
    for row in &rows {
        let Some(story) = batch.story_mut(row.try_get("place")?) else { continue };
        story.row = Some(row.try_get("id")?);
        (story.uid, story.event) = (row.try_get("uid")?, row.try_get("event")?);
        story.event_started = row.try_get("event_started")?;
        story.is_free = row.try_get("is_free")?;
        if story.host.is_none() {
            story.host = link_host(row.try_get("url")?);
        }
    }
    Ok(())
}

/// Finds the stored stories whose signatures have values in common with those of the batch, of
/// events that still take copies. Adds them to the batch's stories. Returns their rows, and the
/// hosts of all that are similar.
async fn find_similar_stories(
    conn: &mut DbConnection<'_>,
    batch: &mut CopyBatch,
) -> Result<(BTreeSet<i64>, BTreeSet<String>), sqlx::Error> {
    let rows = db::query(sql!(
        "WITH likely (place, story, hits, band) AS (
             SELECT wanted.place, signature_band.story, count(*), max(signature_band.band) FROM ",
        row_list!("$1", 0 place BIGINT, 1 band BIGINT, 2 value BIGINT),
        " AS wanted JOIN signature_band ON signature_band.band = wanted.band AND signature_band.value = wanted.value
             GROUP BY wanted.place, signature_band.story)
         SELECT place, story, hits, band, minhash, host FROM (
             SELECT likely.*, signature.minhash, signature.host, row_number() OVER (
                 PARTITION BY place ORDER BY hits DESC, signature.event_started, signature.story) AS number
             FROM likely JOIN signature USING (story) WHERE signature.event_started >= $2) AS found
         WHERE number <= $3"
    ))
    .bind(SqlList::new(&batch.bands())?)
    .bind(batch.open_since())
    // One of them may be the story itself.
    .bind(i64::from(MOST_COMPARED + 1))
    .fetch_all(conn)
    .await?;
    let (mut similar, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let Some(story) = batch.story_mut(row.try_get("place")?) else { continue };
        let (id, minhash) = (row.try_get("story")?, row.try_get("minhash")?);
        if story.add_similar(id, row.try_get("hits")?, row.try_get("band")?, minhash) {
            similar.insert(id);
            hosts.extend(row.try_get::<Option<String>, _>("host")?);
        }
    }
    hosts.extend(batch.hosts());
    Ok((similar, hosts))
}

/// Reads these stories and the newest of these hosts.
async fn read_candidates(
    conn: &mut DbConnection<'_>,
    similar: &BTreeSet<i64>,
    hosts: &BTreeSet<String>,
) -> Result<HashMap<i64, CopyCandidate>, sqlx::Error> {
    // The text of a story whose page is awaited after an edit is a teaser.
    let rows = db::query(sql!(
        "SELECT story.id, story.uid, story.event, signature.event_started, signature.host, story.title,
                coalesce(story.body, story.feed_text) AS text, story.read, story.read_why
         FROM signature JOIN story ON story.id = signature.story WHERE signature.story IN
             (SELECT value FROM ",
        id_list!("$1"),
        " AS given UNION ALL SELECT newest.story FROM ",
        text_list!("$2"),
        " AS wanted ",
        either!("JOIN signature AS newest ON newest.story IN (SELECT story", "CROSS JOIN LATERAL (SELECT story"),
        " FROM signature AS of_host
             WHERE of_host.host = wanted.value ORDER BY event_started DESC, story DESC LIMIT $3)",
        either!("", " AS newest"),
        ")"
    ))
    .bind(SqlList::new(similar)?)
    .bind(SqlList::new(hosts)?)
    .bind(HOST_TEXTS)
    .fetch_all(conn)
    .await?;
    let mut candidates = HashMap::with_capacity(rows.len());
    for row in &rows {
        let event = (row.try_get("uid")?, row.try_get("event")?, row.try_get("event_started")?);
        let read = read_extent(row)?.unwrap_or_else(|| Read::Teaser(String::new()));
        let text = (row.try_get("title")?, row.try_get("text")?, read);
        candidates
            .insert(row.try_get("id")?, CopyCandidate::new(event, row.try_get("host")?, text));
    }
    Ok(candidates)
}

/// Reads the alerts of the events of similar stories, and the feeds that carry them.
async fn read_events(
    conn: &mut DbConnection<'_>,
    batch: &mut CopyBatch,
) -> Result<(), sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT story.event, alert.dedup_key AS key_or_feed, alert.rule_match FROM story JOIN alert ON alert.story = story.id
         WHERE alert.purged IS NULL AND story.event IN ",
        text_list!("$1"),
        " AND alert.rule IN ",
        text_list!("$2"),
        " UNION ALL SELECT DISTINCT story.event, feed_entry.feed, NULL FROM story JOIN feed_entry ON feed_entry.story = story.id
         WHERE story.event IN ",
        text_list!("$1")
    ))
    .bind(SqlList::new(&batch.events())?)
    .bind(SqlList::new(&batch.rules())?)
    .fetch_all(conn)
    .await?;
    for row in &rows {
        let (event, key_or_feed) = (row.try_get("event")?, row.try_get("key_or_feed")?);
        if let Some(rule_match) = read_optional_json(row, "rule_match")? {
            batch.event_alerts.entry(event).or_default().push((key_or_feed, rule_match));
        } else {
            batch.event_feeds.entry(event).or_default().insert(FeedName(key_or_feed));
        }
    }
    Ok(())
}
