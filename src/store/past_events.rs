//! The events of stored stories, and when feeds were watched: what conditions of rules look at in a
//! backtest.

use std::collections::HashMap;

use jiff::Timestamp;

use super::dialect::sql;
use super::{Archive, StoreError, StoryId};
use crate::lifecycle::story::StoryStatus;
use crate::store::db::{self, SqlList};
use tidings_rules::condition::slot_of;

/// Where the event of a stored story was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSighting {
    /// The first story of the event.
    pub event: StoryId,
    /// The publisher that the feed of that story named.
    pub source: Option<String>,
    /// The link of that story.
    pub url: Option<String>,
    /// The first feed that had that story; `None` if its entry was deleted.
    pub feed: Option<String>,
    /// Whether the asked story was only recorded, because it was no news when it was first seen.
    pub is_recorded: bool,
}

impl Archive {
    /// The events of the stories with these UUIDs, by UUID.
    pub async fn sightings(
        &mut self,
        stories: &[&str],
    ) -> Result<HashMap<String, StoredSighting>, StoreError> {
        let rows = db::query(sql!(
            "SELECT story.uid, story.status = $2 AS is_recorded, first.id, first.source, first.url,
                    (SELECT feed FROM feed_entry WHERE feed_entry.story = first.id ORDER BY seen, id LIMIT 1) AS feed
             FROM ",
            text_list!("$1"),
            " AS wanted JOIN story ON story.uid = wanted.value
             JOIN story AS first ON first.id =
                 (SELECT id FROM story AS known WHERE known.event = story.event ORDER BY id LIMIT 1)"
        ))
        .bind(SqlList::new(&stories)?)
        .bind(StoryStatus::Recorded.as_str())
        .fetch_all(&mut self.conn)
        .await?;
        let sightings = rows.iter().map(|row| {
            let sighting = StoredSighting {
                event: StoryId(row.try_get("id")?),
                source: row.try_get("source")?,
                url: row.try_get("url")?,
                feed: row.try_get("feed")?,
                is_recorded: row.try_get("is_recorded")?,
            };
            Ok((row.try_get("uid")?, sighting))
        });
        Ok(sightings.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The slots since then in which feeds were watched, ascending.
    pub async fn watched_slots(&mut self, since: Timestamp) -> Result<Vec<i64>, StoreError> {
        let select = "SELECT slot FROM watched WHERE slot >= $1 ORDER BY slot";
        let slots = db::query_scalar(select).bind(slot_of(since));
        Ok(slots.fetch_all(&mut self.conn).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second};
    use super::*;
    use crate::store::event::tests::{poll, text};
    use crate::store::fixture::item;
    use crate::store::{ItemRecord, StoryPlan};

    #[tokio::test]
    async fn a_story_has_the_first_sighting_of_its_event() {
        let bench = Bench::new().await;
        poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
        poll(&bench, "paper", "b", &text("x"), &["arms"], 1).await;
        let recorded = StoryPlan::Record("it is old".to_owned());
        let mut old: ItemRecord = item("c", recorded);
        old.story_change.as_mut().unwrap().0.source = Some("AFP".to_owned());
        bench.poll("paper", 2, vec![old]).await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let stories = archive.stories_after(at_second(0), None, 9).await.unwrap();
        let uids: Vec<&str> = stories.iter().map(|story| story.uid.as_str()).collect();
        let found = archive.sightings(&uids).await.unwrap();
        let shown = stories.iter().map(|story| {
            let StoredSighting { event, source, feed, is_recorded, .. } = &found[&story.uid];
            let title = story.story.title.clone();
            (title, event.0, source.clone(), feed.clone(), *is_recorded)
        });
        let [gazette, wire, paper] =
            ["Northern Gazette", "wire", "paper"].map(|name| Some(name.to_owned()));
        let expected = [
            ("a".to_owned(), 1, gazette.clone(), wire.clone(), false),
            ("b".to_owned(), 1, gazette, wire, false),
            ("c".to_owned(), 3, Some("AFP".to_owned()), paper, true),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let slots = archive.watched_slots(at_second(0)).await.unwrap();
        assert_eq!(slots, [slot_of(at_second(0))]);
        assert!(archive.watched_slots(at_second(600)).await.unwrap().is_empty());
    }
}
