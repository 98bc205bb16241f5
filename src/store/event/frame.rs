//! Learns the frame of a host: the sentences that nearly all of its stored stories have.

use std::collections::{HashMap, HashSet};

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use url::Url;

use crate::alerts::copies;
use crate::store::StoryId;

/// The most events of a host from which its frame is learned: the newest.
const FRAME_EVENTS: i64 = 12;

/// The fewest events in which a sentence of the frame occurs.
const FEWEST_EVENTS: usize = 3;

/// The host that a story's link names.
pub(super) fn link_host(url: Option<&str>) -> Option<String> {
    Url::parse(url?).ok()?.host_str().map(str::to_owned)
}

/// The frames of the hosts of two stories, learned from stories of other events than `event`.
pub(super) async fn learn_frame(
    conn: &mut SqliteConnection,
    stories: [StoryId; 2],
    event: &str,
) -> Result<HashSet<u64>, sqlx::Error> {
    let mut hosts: HashSet<String> = HashSet::new();
    for story in stories {
        let url: Option<String> = sqlx::query_scalar("SELECT url FROM story WHERE id = $1")
            .bind(story.0)
            .fetch_one(&mut *conn)
            .await?;
        hosts.extend(link_host(url.as_deref()));
    }
    let mut frame = HashSet::new();
    for host in hosts {
        frame.extend(learn_host_frame(conn, &host, stories, event).await?);
    }
    Ok(frame)
}

async fn learn_host_frame(
    conn: &mut SqliteConnection,
    host: &str,
    [one, other]: [StoryId; 2],
    event: &str,
) -> Result<Vec<u64>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT story.event, coalesce(story.body, story.feed_text) AS text
         FROM signature JOIN story ON story.id = signature.story
         WHERE signature.host = $1 AND story.event <> $2 AND story.id NOT IN ($3, $4)
         ORDER BY signature.event_started DESC, story.id DESC LIMIT $5",
    )
    .bind(host)
    .bind(event)
    .bind(one.0)
    .bind(other.0)
    .bind(FRAME_EVENTS)
    .fetch_all(conn)
    .await?;
    let mut events: HashMap<String, HashSet<u64>> = HashMap::new();
    for row in &rows {
        if let Some(fingerprint) = copies::print("", row.try_get("text")?, true) {
            events.entry(row.try_get("event")?).or_default().extend(fingerprint.sentences());
        }
    }
    let mut count: HashMap<u64, usize> = HashMap::new();
    for sentence in events.values().flatten() {
        *count.entry(*sentence).or_default() += 1;
    }
    let is_frame = |times: usize| times >= FEWEST_EVENTS && times * 3 >= events.len() * 2;
    Ok(count
        .into_iter()
        .filter(|(_, times)| is_frame(*times))
        .map(|(sentence, _)| sentence)
        .collect())
}
