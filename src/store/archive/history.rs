//! Alerts of the past, newest first, and one alert with its messages and their attempts.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::Archive;
use crate::alerts::{Receiver, RuleMatch, StorySummary, draft};
use crate::lifecycle::message::{AttemptOutcome, MessageStatus};
use crate::store::alert_index::{AlertSpan, SearchTerm};
use crate::store::column::{self, read_optional_time, read_time, to_millis};
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::dialect::sql;
use crate::store::{StoreError, alert_index, feed_entries, status};
use tidings_rules::story::{FeedEntry, FeedName, Read, Severity};

/// The most alerts that one query reads.
const PAGE: usize = 1000;

/// A filter of alerts. An alert passes if it passes every part that is set.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// The name of the rule.
    pub rule: Option<String>,
    /// A tag of the rule.
    pub tag: Option<String>,
    /// A feed that carried the event.
    pub feed: Option<FeedName>,
    /// The severity of the rule.
    pub severity: Option<Severity>,
    /// Whether they are held.
    pub held: Option<bool>,
    /// The earliest time at which they were recorded.
    pub since: Option<Timestamp>,
    /// The time before which they were recorded.
    pub until: Option<Timestamp>,
    /// Words of the headline or of the matched sentences.
    pub words: Vec<String>,
    /// The alert after which they were recorded.
    pub after: Option<i64>,
    /// The alert before which they were recorded.
    pub before: Option<i64>,
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
    /// Whether its rule's condition holds it: nobody is told.
    pub held: bool,
    /// When it was told, if it was held until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
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
    /// Its receiver.
    #[serde(flatten)]
    pub receiver: Receiver,
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

impl Archive {
    /// The newest alerts that pass `wanted`, newest first, at most `limit`.
    pub async fn find_alerts(
        &mut self,
        wanted: &AlertFilter,
        limit: usize,
    ) -> Result<Vec<PastAlert>, StoreError> {
        let mut snapshot = self.conn.begin().await?;
        let Some(span) = find_span(&mut snapshot, wanted).await? else { return Ok(Vec::new()) };
        let terms = wanted.terms();
        let ids = if terms.is_empty() {
            list_ids(&mut snapshot, span, limit).await?
        } else {
            alert_index::find_alerts(&mut snapshot, &terms, span, limit).await?
        };
        let mut found = Vec::with_capacity(ids.len());
        for page in ids.chunks(PAGE) {
            found.extend(read_alerts(&mut snapshot, page).await?);
        }
        Ok(found)
    }

    /// The number of the newest alert; 0 if there is none.
    pub async fn newest_alert(&mut self) -> Result<i64, StoreError> {
        let newest = db::query_scalar("SELECT coalesce(max(id), 0) FROM alert");
        Ok(newest.fetch_one(&mut self.conn).await?)
    }

    /// The alerts after the one with that number, in order of time, at most `limit`.
    pub async fn alerts_after(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PastAlert>, StoreError> {
        let ids = db::query_scalar("SELECT id FROM alert WHERE id > $1 ORDER BY id LIMIT $2");
        let ids = ids.bind(after).bind(i64::from(limit)).fetch_all(&mut self.conn).await?;
        let mut found = read_alerts(&mut self.conn, &ids).await?;
        found.reverse();
        Ok(found)
    }

    /// The alerts that were held until the alert with that number met the condition of their rule,
    /// newest first, those of copies included.
    pub async fn alerts_released_by(&mut self, alert: i64) -> Result<Vec<PastAlert>, StoreError> {
        let ids = "SELECT id FROM alert WHERE released_by = $1";
        let ids: Vec<i64> = db::query_scalar(ids).bind(alert).fetch_all(&mut self.conn).await?;
        Ok(read_alerts(&mut self.conn, &ids).await?)
    }

    /// The alert with that number; `None` if there is none, or it was deleted.
    pub async fn alert_record(&mut self, id: i64) -> Result<Option<AlertRecord>, StoreError> {
        let Some(past) = read_alerts(&mut self.conn, &[id]).await?.pop() else { return Ok(None) };
        let texts: (String, Option<String>) = db::query_as(
            "SELECT coalesce(story.body, story.feed_text), rule_version.text
             FROM alert JOIN story ON story.id = alert.story LEFT JOIN rule_version ON rule_version.hash = alert.version
             WHERE alert.id = $1",
        )
        .bind(id)
        .fetch_one(&mut self.conn)
        .await?;
        let text_now_sha256 = draft::hash_story_text(&past.story.title, &texts.0);
        let messages = read_messages(&mut self.conn, &[id], i64::MAX).await?;
        Ok(Some(AlertRecord { past, rule_text: texts.1, text_now_sha256, messages }))
    }
}

/// The first messages with any of these alerts, at most `limit`, in order of time.
pub(super) async fn read_messages(
    conn: &mut DbConnection<'_>,
    alerts: &[i64],
    limit: i64,
) -> Result<Vec<Message>, sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT * FROM message WHERE id IN (SELECT message FROM message_alert WHERE alert IN ",
        id_list!("$1"),
        ") ORDER BY id LIMIT $2"
    ));
    let rows = rows.bind(SqlList::new(&alerts)?).bind(limit).fetch_all(&mut *conn).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let mut attempts = read_attempts(conn, &ids).await?;
    let messages = rows.iter().zip(ids).map(|(row, id)| {
        Ok(Message {
            id,
            message: row.try_get("uid")?,
            receiver: column::receiver_from_row(row)?,
            status: status::read_message_status(row)?,
            created: read_time(row, "created")?,
            attempts: attempts.remove(&id).unwrap_or_default(),
        })
    });
    messages.collect()
}

/// The attempts at each of these messages, in order of time.
async fn read_attempts(
    conn: &mut DbConnection<'_>,
    messages: &[i64],
) -> Result<HashMap<i64, Vec<Attempt>>, sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT message, started, ended, outcome, why FROM attempt WHERE message IN ",
        id_list!("$1"),
        " ORDER BY id"
    ));
    let rows = rows.bind(SqlList::new(&messages)?).fetch_all(conn).await?;
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

impl PastAlert {
    /// The terms by which it is found.
    #[must_use]
    pub fn terms(&self) -> BTreeSet<String> {
        alert_index::alert_terms(&self.story.title, &self.rule_match, &self.feeds)
    }
}

impl AlertFilter {
    /// Whether an alert with these terms passes, whenever it was recorded.
    #[must_use]
    pub fn passes(&self, terms: &BTreeSet<String>, held: bool) -> bool {
        self.held.is_none_or(|wanted| wanted == held) && self.terms().is_subset(terms)
    }

    /// The terms that an alert must have.
    fn terms(&self) -> BTreeSet<String> {
        let words = self.words.iter().map(|word| SearchTerm::Word(word));
        let rule = self.rule.iter().map(|name| SearchTerm::Rule(name));
        let tag = self.tag.iter().map(|tag| SearchTerm::Tag(tag));
        let feed = self.feed.iter().map(|feed| SearchTerm::Feed(&feed.0));
        let severity = self.severity.iter().map(|severity| SearchTerm::Severity(*severity));
        words.chain(rule).chain(tag).chain(feed).chain(severity).map(SearchTerm::text).collect()
    }
}

/// The alerts in the times of `wanted`; `None` if there are none.
async fn find_span(
    conn: &mut DbConnection<'_>,
    wanted: &AlertFilter,
) -> Result<Option<AlertSpan>, sqlx::Error> {
    let since = wanted.since.map_or(i64::MIN, to_millis);
    let until = wanted.until.map_or(i64::MAX, to_millis);
    let after = wanted.after.map_or(0, |after| after.saturating_add(1));
    let before = wanted.before.map_or(i64::MAX, |before| before.saturating_sub(1));
    let held = wanted.held;
    if wanted.since.is_none() && wanted.until.is_none() {
        return Ok(Some(AlertSpan { oldest: after, newest: before, since, until, held }));
    }
    let (oldest, newest): (Option<i64>, Option<i64>) =
        db::query_as("SELECT min(id), max(id) FROM alert WHERE created >= $1 AND created < $2")
            .bind(since)
            .bind(until)
            .fetch_one(conn)
            .await?;
    let ids = oldest.zip(newest);
    Ok(ids.map(|(oldest, newest)| AlertSpan {
        oldest: oldest.max(after),
        newest: newest.min(before),
        since,
        until,
        held,
    }))
}

/// The ids of the alerts of a span that are kept.
macro_rules! ids_of_span {
    () => {
        "SELECT id FROM alert
         WHERE id >= $1 AND id <= $2 AND created >= $3 AND created < $4 AND purged IS NULL"
    };
}

/// The newest alerts of `span`, newest first, at most `limit`.
async fn list_ids(
    conn: &mut DbConnection<'_>,
    span: AlertSpan,
    limit: usize,
) -> Result<Vec<i64>, sqlx::Error> {
    let sql = match span.held {
        None => concat!(ids_of_span!(), " ORDER BY id DESC LIMIT $5"),
        Some(true) => concat!(ids_of_span!(), " AND held = TRUE ORDER BY id DESC LIMIT $5"),
        Some(false) => concat!(ids_of_span!(), " AND held = FALSE ORDER BY id DESC LIMIT $5"),
    };
    let newest = db::query_scalar(sql);
    let newest = newest.bind(span.oldest).bind(span.newest).bind(span.since).bind(span.until);
    newest.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(conn).await
}

/// The alerts with these ids that were not deleted, newest first, each with the feeds that carried
/// its event.
pub(super) async fn read_alerts(
    conn: &mut DbConnection<'_>,
    ids: &[i64],
) -> Result<Vec<PastAlert>, sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT alert.*, story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang,
                (SELECT created FROM alert AS firing WHERE firing.id = alert.released_by) AS held_until
         FROM alert JOIN story ON story.id = alert.story WHERE alert.purged IS NULL AND alert.id IN ",
        id_list!("$1"),
        " ORDER BY alert.id DESC",
    ))
    .bind(SqlList::new(&ids)?)
    .fetch_all(&mut *conn)
    .await?;
    let events: Vec<&str> =
        rows.iter().map(|row| row.try_get("event")).collect::<Result<_, sqlx::Error>>()?;
    let copies = feed_entries::read_entries_of_events(conn, &events).await?;
    let past = rows.iter().zip(events).map(|(row, event)| {
        Ok(PastAlert {
            id: row.try_get("id")?,
            created: read_time(row, "created")?,
            held: row.try_get("held")?,
            held_until: read_optional_time(row, "held_until")?,
            feeds: copies.get(event).cloned().unwrap_or_default(),
            event: event.to_owned(),
            story: column::summary_from_row(row)?,
            read: column::read_final_extent(row)?,
            rule_match: column::read_json(row, "rule_match")?,
        })
    });
    past.collect()
}

#[cfg(test)]
mod tests;
