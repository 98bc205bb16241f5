//! Records stories from elsewhere in one transaction. The run matches them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::column::{read_time, to_millis};
use super::dialect::sql;
use super::{ItemRecord, Store, StoreCommandError, StoryId, StoryPlan};
use super::{alert_index, command_connection, event, poll};
use crate::alerts::admit;
use crate::config::StorePlace;
use crate::feed::identity::{ArrivedItem, ItemArrival, ItemKey, KnownArrivals};
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::{FeedName, Story, StoryKey};

/// How exactly it is recorded when a known item came last. Its key is kept for much longer.
const LAST_SEEN_STEP: Duration = Duration::from_hours(24);

/// Where stories from elsewhere are recorded.
#[derive(Clone, Debug)]
pub enum IngestTarget {
    /// In the store of this run.
    Run(Store),
    /// In the store at this place, beside a run or without one.
    At(StorePlace),
}

/// A story from elsewhere.
#[derive(Clone, Debug)]
pub struct ReceivedStory {
    /// The feed that receives it.
    pub feed: FeedName,
    /// What identifies it.
    pub identity: ArrivedItem,
    /// The id that its sender gave it.
    pub id: Option<String>,
    /// The story, with its whole text.
    pub story: Story,
}

/// What stories from elsewhere were to the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// They were new.
    pub new: u64,
    /// They were known with other words.
    pub edited: u64,
    /// They were known.
    pub known: u64,
}

impl IngestCounts {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        self.new += other.new;
        self.edited += other.edited;
        self.known += other.known;
    }
}

impl IngestTarget {
    /// Records `stories` in one transaction. New ones have rows in their order. New and edited ones
    /// wait to be matched. Of two with the same key, the later is an edit of the earlier; if both
    /// come before a match, only the later text is matched.
    pub async fn record(
        &self,
        stories: Vec<ReceivedStory>,
        now: Timestamp,
    ) -> Result<IngestCounts, StoreCommandError> {
        match self {
            Self::Run(store) => {
                let write = store.writer.write(move |conn| Box::pin(write_all(conn, stories, now)));
                Ok(write.await?)
            }
            Self::At(place) => {
                command_connection::write(place, async |conn| write_all(conn, stories, now).await)
                    .await
            }
        }
    }
}

async fn write_all(
    conn: &mut DbConnection<'_>,
    stories: Vec<ReceivedStory>,
    now: Timestamp,
) -> Result<IngestCounts, sqlx::Error> {
    let mut counts = IngestCounts::default();
    let mut stories = stories.into_iter().peekable();
    // New rows have the order of the stories: the next ones of one feed are written at once.
    while let Some(first) = stories.next() {
        let feed = first.feed.clone();
        let mut of_feed = vec![first];
        while let Some(next) = stories.next_if(|next| next.feed == feed) {
            of_feed.push(next);
        }
        counts.add(write_feed(conn, &feed, of_feed, now).await?);
    }
    Ok(counts)
}

async fn write_feed(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    stories: Vec<ReceivedStory>,
    now: Timestamp,
) -> Result<IngestCounts, sqlx::Error> {
    let keys: Vec<ItemKey> = stories.iter().map(|story| story.identity.key.clone()).collect();
    let (known, stored) = read_known(conn, feed, &keys, &stories).await?;
    let mut plan = IngestPlan::new(feed, now, known, stored);
    for story in stories {
        plan.add(story);
    }
    let IngestPlan { items, events, counts, .. } = plan;
    record_feed(conn, feed, (!items.is_empty()).then_some(now)).await?;
    poll::write_items(conn, feed, items, now).await?;
    join_events(conn, &events).await?;
    record_last_seen(conn, feed, &keys, now).await?;
    Ok(counts)
}

/// What is stored of a known item.
#[derive(Clone, Copy)]
struct StoredItem {
    first_seen: Timestamp,
    /// Whether its story is only recorded.
    recorded: bool,
}

/// What is written of the stories of one feed.
struct IngestPlan<'f> {
    feed: &'f FeedName,
    now: Timestamp,
    known: KnownArrivals,
    stored: HashMap<ItemKey, StoredItem>,
    items: Vec<ItemRecord>,
    /// The place of each key in `items`.
    places: HashMap<ItemKey, usize>,
    /// New stories, each with a story of the event that it joins.
    events: Vec<(StoryKey, StoryKey)>,
    counts: IngestCounts,
}

impl<'f> IngestPlan<'f> {
    fn new(
        feed: &'f FeedName,
        now: Timestamp,
        known: KnownArrivals,
        stored: HashMap<ItemKey, StoredItem>,
    ) -> Self {
        Self {
            feed,
            now,
            known,
            stored,
            items: Vec::new(),
            places: HashMap::new(),
            events: Vec::new(),
            counts: IngestCounts::default(),
        }
    }

    fn add(&mut self, received: ReceivedStory) {
        let key = received.identity.key.clone();
        let (story, plan) = match self.known.classify(self.feed, &received.identity) {
            ItemArrival::Same => {
                self.counts.known += 1;
                return;
            }
            ItemArrival::New { story, event_of } => {
                self.counts.new += 1;
                self.events.extend(event_of.map(|other| (story.clone(), other)));
                (story, StoryPlan::AwaitMatch)
            }
            ItemArrival::Edited => {
                self.counts.edited += 1;
                let earlier = self.places.get(&key).and_then(|place| self.items.get(*place));
                let earlier = earlier.and_then(|item| Some((item, item.story_change.as_ref()?)));
                match earlier {
                    Some((item, (_, plan))) => (item.story.clone(), plan.clone()),
                    None => (StoryKey(key.0.clone()), self.plan_edit(&key)),
                }
            }
        };
        let item = item_record(received, story, plan);
        if let Some(place) = self.places.get(&key) {
            self.items[*place] = item;
        } else {
            self.places.insert(key, self.items.len());
            self.items.push(item);
        }
    }

    fn plan_edit(&self, key: &ItemKey) -> StoryPlan {
        let admitted = self
            .stored
            .get(key)
            .map_or(Ok(()), |item| admit::edited_item(item.recorded, item.first_seen, self.now));
        admitted.map_or_else(StoryPlan::Record, |()| StoryPlan::AwaitMatch)
    }
}

fn item_record(received: ReceivedStory, story: StoryKey, plan: StoryPlan) -> ItemRecord {
    let ReceivedStory { identity, id, story: text, .. } = received;
    let ArrivedItem { key, link, stem, hash, text_hash } = identity;
    ItemRecord {
        key,
        renews: false,
        previous_key: None,
        guid: id,
        link,
        stem,
        hash,
        text_hash,
        url: text.url.clone(),
        story,
        story_change: Some((text, plan)),
    }
}

/// What the store knows of these stories of `feed`.
async fn read_known(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    keys: &[ItemKey],
    stories: &[ReceivedStory],
) -> Result<(KnownArrivals, HashMap<ItemKey, StoredItem>), sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT feed_entry.key, feed_entry.hash, story.first_seen, story.status = 'recorded' AS recorded FROM ",
        text_list!("$2"),
        " AS wanted CROSS JOIN feed_entry CROSS JOIN story
         WHERE feed_entry.feed = $1 AND feed_entry.key = wanted.value AND story.id = feed_entry.story"
    ))
    .bind(&feed.0)
    .bind(key_list(keys)?)
    .fetch_all(&mut *conn)
    .await?;
    let (mut known, mut stored) = (KnownArrivals::default(), HashMap::new());
    for row in &rows {
        let key = ItemKey(row.try_get("key")?);
        known.hashes.insert(key.clone(), row.try_get("hash")?);
        let (first_seen, recorded) = (read_time(row, "first_seen")?, row.try_get("recorded")?);
        stored.insert(key, StoredItem { first_seen, recorded });
    }
    let new = stories.iter().filter(|story| !known.hashes.contains_key(&story.identity.key));
    let links: HashSet<&str> = new.filter_map(|story| story.identity.story_link()).collect();
    if links.is_empty() {
        return Ok((known, stored));
    }
    let links = SqlList::new(&links)?;
    let own: Vec<String> = db::query_scalar(sql!(
        "SELECT wanted.value FROM ",
        text_list!("$2"),
        " AS wanted WHERE EXISTS (SELECT 1 FROM feed_entry WHERE feed_entry.link = wanted.value AND feed_entry.feed = $1)"
    ))
    .bind(&feed.0)
    .bind(&links)
    .fetch_all(&mut *conn)
    .await?;
    known.links.extend(own);
    let shared: Vec<String> =
        db::query_scalar(sql!("SELECT key FROM story WHERE key IN ", text_list!("$1")))
            .bind(&links)
            .fetch_all(conn)
            .await?;
    known.stories.extend(shared);
    Ok((known, stored))
}

/// Records that `feed` is known, and when it brought something new or edited.
async fn record_feed(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    news: Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    db::query(
        "INSERT INTO feed (name, address, next_why, failures, last_news) VALUES ($1, '', 'it receives stories', 0, $2)
         ON CONFLICT (name) DO UPDATE SET last_news = coalesce(excluded.last_news, feed.last_news)",
    )
    .bind(&feed.0)
    .bind(news.map(to_millis))
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds each new story to the event of the other.
async fn join_events(
    conn: &mut DbConnection<'_>,
    events: &[(StoryKey, StoryKey)],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let pairs: Vec<_> = events.iter().map(|(new, other)| (&new.0, &other.0)).collect();
    let joined: Vec<i64> = db::query_scalar(sql!(
        "UPDATE story SET event = other.event FROM ",
        row_list!("$1", 0 new TEXT, 1 other TEXT),
        " AS given JOIN story AS other ON other.key = given.other WHERE story.key = given.new RETURNING story.id"
    ))
    .bind(SqlList::new(&pairs)?)
    .fetch_all(&mut *conn)
    .await?;
    let joined: Vec<StoryId> = joined.into_iter().map(StoryId).collect();
    for story in &joined {
        event::void_open_payloads(conn, *story).await?;
    }
    alert_index::note_changed_events(conn, &joined).await
}

/// Records that the items came at `now`: their keys are kept from then on as those of items that
/// left a document. A feed that receives stories has no document that shows what it still has.
async fn record_last_seen(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    keys: &[ItemKey],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let long_ago = now.checked_sub(LAST_SEEN_STEP).unwrap_or(now);
    db::query(sql!(
        "UPDATE feed_entry SET removed_at = $3 WHERE feed = $1 AND key IN ",
        text_list!("$2"),
        " AND coalesce(removed_at, 0) < $4"
    ))
    .bind(&feed.0)
    .bind(key_list(keys)?)
    .bind(to_millis(now))
    .bind(to_millis(long_ago))
    .execute(conn)
    .await?;
    Ok(())
}

fn key_list(keys: &[ItemKey]) -> Result<SqlList, sqlx::Error> {
    SqlList::new(&keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
