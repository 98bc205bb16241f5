//! What was told, newest first, and one alert with all that became of it.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Archive;
use crate::alert::{Head, Receiver, Told, draft};
use crate::store::column::{self, maybe_time, millis, time};
use crate::store::{StoreError, sighting};
use crate::story::{FeedName, NotifierName, Read, Sighting};
use crate::text::tokenise;

/// How many alerts are looked at in one go.
const PAGE: i64 = 200;

/// Which alerts are asked for: those that are as every one of these says.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Their rule's name.
    pub rule: Option<String>,
    /// A tag of their rule.
    pub tag: Option<String>,
    /// A feed that carried their event.
    pub feed: Option<FeedName>,
    /// When they were recorded at the earliest.
    pub since: Option<Timestamp>,
    /// Before when they were recorded.
    pub until: Option<Timestamp>,
    /// Words that stand in their headline or in the sentences that they show.
    pub words: Vec<String>,
}

/// An alert of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Past {
    /// Its number: what people name it by.
    pub id: i64,
    /// When it was recorded.
    pub created: Timestamp,
    /// The event's id.
    pub event: String,
    /// The story's head, as it is now.
    pub story: Head,
    /// How much of the story its rule saw.
    pub read: Read,
    /// The feeds that carried the event, first seen first.
    pub feeds: Vec<Sighting>,
    /// What was told.
    #[serde(flatten)]
    pub told: Told,
}

/// An alert of the past with all that became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The alert.
    #[serde(flatten)]
    pub past: Past,
    /// Its rule's text at that time.
    pub rule_text: Option<String>,
    /// [`draft::text_hash`] of the story as it is now.
    pub text_now_sha256: String,
    /// The messages that told of it, first to last.
    pub messages: Vec<Message>,
}

/// A message that told of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// What receivers know it by.
    pub message: String,
    /// The notifier that sends it.
    pub notifier: NotifierName,
    /// The mail address; empty for notifiers that have one receiver.
    pub recipient: String,
    /// Where it stands: pending, leased, sent, dead or held.
    pub state: String,
    /// When it was written down.
    pub created: Timestamp,
    /// Every attempt to send it, first to last.
    pub attempts: Vec<Attempt>,
}

/// One try at delivering a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it is under way.
    pub ended: Option<Timestamp>,
    /// What came of it: sent, again, unreached, dead or unknown.
    pub outcome: Option<String>,
    /// What the receiver answered, or what went wrong.
    pub reply: Option<String>,
}

impl Message {
    /// Whom it is for.
    #[must_use]
    pub fn receiver(&self) -> Receiver {
        Receiver { notifier: self.notifier.clone(), recipient: self.recipient.clone() }
    }
}

impl Archive {
    /// The newest alerts that are as `wanted`, newest first, at most `limit`.
    pub async fn alerts(&mut self, wanted: &Wanted, limit: usize) -> Result<Vec<Past>, StoreError> {
        let mut found = Vec::new();
        let mut before = i64::MAX;
        while found.len() < limit {
            let rows = self.alerts_before(before, wanted).await?;
            let Some(last) = rows.last() else { break };
            before = last.try_get("id")?;
            for row in &rows {
                let past = self.past(row).await?;
                if wanted.tells(&past) {
                    found.push(past);
                }
                if found.len() == limit {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The alert of that number, with all that became of it; `None` if there is none, or it is no longer kept.
    pub async fn alert(&mut self, id: i64) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "SELECT alert.*, story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang,
                    coalesce(story.body, story.feed_text) AS text, rule_version.text AS rule_text
             FROM alert JOIN story ON story.id = alert.story LEFT JOIN rule_version ON rule_version.hash = alert.version
             WHERE alert.id = $1 AND alert.purged IS NULL",
        )
        .bind(id)
        .fetch_optional(&mut self.conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let past = self.past(&row).await?;
        let text_now_sha256 = draft::text_hash(&past.story.title, row.try_get("text")?);
        let messages = self.messages(id).await?;
        Ok(Some(Record { past, rule_text: row.try_get("rule_text")?, text_now_sha256, messages }))
    }

    async fn alerts_before(&mut self, before: i64, wanted: &Wanted) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(
            "SELECT alert.*, story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang
             FROM alert JOIN story ON story.id = alert.story
             WHERE alert.id < $1 AND alert.purged IS NULL AND ($2 IS NULL OR alert.rule = $2) AND alert.created >= $3 AND alert.created < $4
               AND ($5 IS NULL OR EXISTS (SELECT 1 FROM sighting JOIN story AS copy ON copy.id = sighting.story
                                          WHERE copy.event = story.event AND sighting.feed = $5))
             ORDER BY alert.id DESC LIMIT $6",
        )
        .bind(before)
        .bind(&wanted.rule)
        .bind(wanted.since.map_or(i64::MIN, millis))
        .bind(wanted.until.map_or(i64::MAX, millis))
        .bind(wanted.feed.as_ref().map(|feed| &feed.0))
        .bind(PAGE)
        .fetch_all(&mut self.conn)
        .await
    }

    async fn past(&mut self, row: &SqliteRow) -> Result<Past, sqlx::Error> {
        let event: String = row.try_get("event")?;
        let mut copies = sighting::of_events(&mut self.conn, &[&event]).await?;
        Ok(Past {
            id: row.try_get("id")?,
            created: time(row, "created")?,
            feeds: copies.remove(&event).unwrap_or_default(),
            event,
            story: column::head(row)?,
            read: column::read(row)?.ok_or(sqlx::Error::RowNotFound)?,
            told: column::json(row, "told")?,
        })
    }

    async fn messages(&mut self, alert: i64) -> Result<Vec<Message>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT message.* FROM message_alert JOIN message ON message.id = message_alert.message
             WHERE message_alert.alert = $1 ORDER BY message.id",
        )
        .bind(alert)
        .fetch_all(&mut self.conn)
        .await?;
        let mut messages = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = row.try_get("id")?;
            messages.push(Message {
                id,
                message: row.try_get("uid")?,
                notifier: NotifierName(row.try_get("notifier")?),
                recipient: row.try_get("recipient")?,
                state: row.try_get("state")?,
                created: time(row, "created")?,
                attempts: self.attempts(id).await?,
            });
        }
        Ok(messages)
    }

    async fn attempts(&mut self, message: i64) -> Result<Vec<Attempt>, sqlx::Error> {
        let rows = sqlx::query("SELECT started, ended, outcome, why FROM attempt WHERE message = $1 ORDER BY id")
            .bind(message)
            .fetch_all(&mut self.conn)
            .await?;
        let attempt = |row: &SqliteRow| {
            Ok(Attempt {
                started: time(row, "started")?,
                ended: maybe_time(row, "ended")?,
                outcome: row.try_get("outcome")?,
                reply: row.try_get("why")?,
            })
        };
        rows.iter().map(attempt).collect()
    }
}

impl Wanted {
    /// Whether `past` is as the parts say that no query looks at.
    fn tells(&self, past: &Past) -> bool {
        let tagged = self.tag.as_ref().is_none_or(|tag| past.told.tags.contains(tag));
        tagged && self.words.iter().all(|wanted| words(past).any(|word| word == *wanted))
    }
}

/// The words of the headline and of the sentences that an alert shows, as rules compare them.
fn words(past: &Past) -> impl Iterator<Item = String> {
    let sentences = past.told.evidence.iter().map(|evidence| &evidence.sentence);
    std::iter::once(&past.story.title).chain(sentences).flat_map(|text| tokenise(text)).map(|token| token.word)
}

#[cfg(test)]
mod tests;
