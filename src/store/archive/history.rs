//! Alerts of the past, newest first, and one alert with its messages and their attempts.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Archive;
use crate::alerts::{Receiver, RuleMatch, StorySummary, draft};
use crate::lifecycle::message::{AttemptOutcome, MessageStatus};
use crate::store::column::{self, read_optional_time, read_time, to_millis};
use crate::store::{StoreError, feed_entries, status};
use tidings_rules::story::{FeedEntry, FeedName, NotifierName, Read};
use tidings_rules::text::tokenise;

/// The most alerts that one query reads.
const PAGE: i64 = 1000;

/// A filter of alerts. An alert passes if it passes every part that is set.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// The name of the rule.
    pub rule: Option<String>,
    /// A tag of the rule.
    pub tag: Option<String>,
    /// A feed that carried the event.
    pub feed: Option<FeedName>,
    /// The earliest time at which they were recorded.
    pub since: Option<Timestamp>,
    /// The time before which they were recorded.
    pub until: Option<Timestamp>,
    /// Words of the headline or of the matched sentences.
    pub words: Vec<String>,
}

/// An alert of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PastAlert {
    /// Its number, by which people name it.
    pub id: i64,
    /// When it was recorded.
    pub created: Timestamp,
    /// The event's id.
    pub event: String,
    /// The story's head, in its present version.
    pub story: StorySummary,
    /// How much of the story the rule read.
    pub read: Read,
    /// The feeds that carried the event, in order of time.
    pub feeds: Vec<FeedEntry>,
    /// The rule match, as messages show it.
    #[serde(flatten)]
    pub rule_match: RuleMatch,
}

/// An alert of the past, with the rule's text and its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertRecord {
    /// The alert.
    #[serde(flatten)]
    pub past: PastAlert,
    /// The rule's text at that time.
    pub rule_text: Option<String>,
    /// [`draft::hash_story_text`] of the story in its present version.
    pub text_now_sha256: String,
    /// The messages that contain it, in order of time.
    pub messages: Vec<Message>,
}

/// A message with an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// The id that receivers see.
    pub message: String,
    /// The notifier that sends it.
    pub notifier: NotifierName,
    /// The mail address; empty for notifiers that have one receiver.
    pub recipient: String,
    /// Its state.
    pub status: MessageStatus,
    /// When it was created.
    pub created: Timestamp,
    /// Its attempts, in order of time.
    pub attempts: Vec<Attempt>,
}

/// One attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it is in flight.
    pub ended: Option<Timestamp>,
    /// Its result; `None` while it is in flight.
    pub outcome: Option<AttemptOutcome>,
    /// The receiver's answer, or the error.
    pub reply: Option<String>,
}

impl Message {
    /// The receiver.
    #[must_use]
    pub fn receiver(&self) -> Receiver {
        Receiver { notifier: self.notifier.clone(), recipient: self.recipient.clone() }
    }
}

impl Archive {
    /// The newest alerts that pass `wanted`, newest first, at most `limit`.
    pub async fn find_alerts(
        &mut self,
        wanted: &AlertFilter,
        limit: usize,
    ) -> Result<Vec<PastAlert>, StoreError> {
        let mut found = Vec::new();
        let Some((oldest, newest)) = self.find_id_range(wanted).await? else { return Ok(found) };
        let mut before = newest.saturating_add(1);
        while found.len() < limit {
            let rows = self.read_alerts_before(before, oldest, wanted).await?;
            let Some(last) = rows.last() else { break };
            before = last.try_get("id")?;
            let mut asked = Vec::with_capacity(rows.len());
            for row in &rows {
                let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
                if wanted.accepts(&rule_match, row.try_get("title")?) {
                    asked.push((row, rule_match));
                }
            }
            asked.truncate(limit - found.len());
            found.extend(self.read_past_alerts(asked).await?);
        }
        Ok(found)
    }

    /// The alert with that number; `None` if there is none, or it was deleted.
    pub async fn alert_record(&mut self, id: i64) -> Result<Option<AlertRecord>, StoreError> {
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
        let rule_match = column::read_json(&row, "rule_match")?;
        let Some(past) = self.read_past_alerts(vec![(&row, rule_match)]).await?.pop() else {
            return Ok(None);
        };
        let text_now_sha256 = draft::hash_story_text(&past.story.title, row.try_get("text")?);
        let messages = self.read_messages(id).await?;
        Ok(Some(AlertRecord {
            past,
            rule_text: row.try_get("rule_text")?,
            text_now_sha256,
            messages,
        }))
    }

    /// The numbers of the oldest and the newest alert in the times of `wanted`; `None` if there are
    /// none.
    async fn find_id_range(
        &mut self,
        wanted: &AlertFilter,
    ) -> Result<Option<(i64, i64)>, sqlx::Error> {
        if wanted.since.is_none() && wanted.until.is_none() {
            return Ok(Some((0, i64::MAX)));
        }
        let span: (Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT min(id), max(id) FROM alert WHERE created >= $1 AND created < $2",
        )
        .bind(wanted.since.map_or(i64::MIN, to_millis))
        .bind(wanted.until.map_or(i64::MAX, to_millis))
        .fetch_one(&mut self.conn)
        .await?;
        Ok(span.0.zip(span.1))
    }

    async fn read_alerts_before(
        &mut self,
        before: i64,
        oldest: i64,
        wanted: &AlertFilter,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(
            "SELECT alert.*, story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang
             FROM alert JOIN story ON story.id = alert.story
             WHERE alert.id < $1 AND alert.id >= $7 AND alert.purged IS NULL AND ($2 IS NULL OR alert.rule = $2) AND alert.created >= $3 AND alert.created < $4
               AND ($5 IS NULL OR EXISTS (SELECT 1 FROM feed_entry JOIN story AS copy ON copy.id = feed_entry.story
                                          WHERE copy.event = story.event AND feed_entry.feed = $5))
             ORDER BY alert.id DESC LIMIT $6",
        )
        .bind(before)
        .bind(&wanted.rule)
        .bind(wanted.since.map_or(i64::MIN, to_millis))
        .bind(wanted.until.map_or(i64::MAX, to_millis))
        .bind(wanted.feed.as_ref().map(|feed| &feed.0))
        .bind(PAGE)
        .bind(oldest)
        .fetch_all(&mut self.conn)
        .await
    }

    /// These alerts, each with the feeds that carried its event.
    async fn read_past_alerts(
        &mut self,
        alerts: Vec<(&SqliteRow, RuleMatch)>,
    ) -> Result<Vec<PastAlert>, sqlx::Error> {
        let events: Vec<&str> = alerts
            .iter()
            .map(|(row, _)| row.try_get("event"))
            .collect::<Result<_, sqlx::Error>>()?;
        let copies = feed_entries::read_entries_of_events(&mut self.conn, &events).await?;
        let past = alerts.into_iter().zip(events).map(|((row, rule_match), event)| {
            Ok(PastAlert {
                id: row.try_get("id")?,
                created: read_time(row, "created")?,
                feeds: copies.get(event).cloned().unwrap_or_default(),
                event: event.to_owned(),
                story: column::summary_from_row(row)?,
                read: column::read_final_extent(row)?,
                rule_match,
            })
        });
        past.collect()
    }

    async fn read_messages(&mut self, alert: i64) -> Result<Vec<Message>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT message.* FROM message_alert JOIN message ON message.id = message_alert.message
             WHERE message_alert.alert = $1 ORDER BY message.id",
        )
        .bind(alert)
        .fetch_all(&mut self.conn)
        .await?;
        let mut attempts = self.read_attempts(alert).await?;
        let messages = rows.iter().map(|row| {
            let id = row.try_get("id")?;
            Ok(Message {
                id,
                message: row.try_get("uid")?,
                notifier: NotifierName(row.try_get("notifier")?),
                recipient: row.try_get("recipient")?,
                status: status::read_message_status(row)?,
                created: read_time(row, "created")?,
                attempts: attempts.remove(&id).unwrap_or_default(),
            })
        });
        messages.collect()
    }

    /// The attempts at each message with an alert, in order of time.
    async fn read_attempts(
        &mut self,
        alert: i64,
    ) -> Result<HashMap<i64, Vec<Attempt>>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT attempt.message, started, ended, outcome, why
             FROM message_alert JOIN attempt ON attempt.message = message_alert.message
             WHERE message_alert.alert = $1 ORDER BY attempt.id",
        )
        .bind(alert)
        .fetch_all(&mut self.conn)
        .await?;
        let mut attempts: HashMap<i64, Vec<Attempt>> = HashMap::new();
        for row in &rows {
            attempts.entry(row.try_get("message")?).or_default().push(Attempt {
                started: read_time(row, "started")?,
                ended: read_optional_time(row, "ended")?,
                outcome: status::read_attempt_outcome(row)?,
                reply: row.try_get("why")?,
            });
        }
        Ok(attempts)
    }
}

impl AlertFilter {
    /// Whether an alert passes the parts of the filter that no query checks. `title`: its story's
    /// headline.
    fn accepts(&self, rule_match: &RuleMatch, title: &str) -> bool {
        self.tag.as_ref().is_none_or(|tag| rule_match.tags.contains(tag))
            && self.has_words(rule_match, title)
    }

    /// Whether the headline or the sentences of the alert have every word, compared as in rules.
    fn has_words(&self, rule_match: &RuleMatch, title: &str) -> bool {
        let mut missing: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let sentences = rule_match.evidence.iter().map(|evidence| evidence.sentence.as_str());
        for text in std::iter::once(title).chain(sentences) {
            if missing.is_empty() {
                break;
            }
            for token in tokenise(text) {
                missing.retain(|word| *word != token.word);
            }
        }
        missing.is_empty()
    }
}

#[cfg(test)]
mod tests;
