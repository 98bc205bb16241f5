//! Reads open messages that are due next, so that their payloads are made before the turn that
//! freezes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::alerts::{Notification, Receiver};
use crate::store::column::{self, to_json, to_millis};
use crate::store::{Store, StoreError, notifications};
use tidings_rules::story::NotifierName;

/// A message whose payload is not frozen, as it is at a revision.
#[derive(Clone, Debug)]
pub struct OpenMessage {
    /// Its row.
    pub message: i64,
    /// The revision that was read. It is raised whenever the alerts of the message change.
    pub revision: i64,
    /// Whom it is for.
    pub receiver: Receiver,
    /// What it holds.
    pub content: OpenContent,
}

/// The content of an open message.
#[derive(Clone, Debug)]
pub enum OpenContent {
    /// A notification to render.
    Whole(Box<Notification>),
    /// A digest that is too large for one message: the alerts of each part.
    Parts(Vec<Vec<i64>>),
}

/// What a turn does with an open message that it leases, if the message still has this revision.
#[derive(Clone, Debug)]
pub struct PreparedMessage {
    /// The revision that it was made from.
    pub revision: i64,
    /// What to do with it.
    pub preparation: Preparation,
}

/// What was made of an open message.
#[derive(Clone, Debug)]
pub enum Preparation {
    /// Its payload, which is frozen.
    Payload(Vec<u8>),
    /// It cannot be rendered, for this reason, and becomes dead.
    Unrenderable(String),
    /// It is a digest, which is split into parts of these alerts.
    Split(Vec<Vec<i64>>),
}

/// Prepared messages by their rows.
pub type PreparedMessages = BTreeMap<i64, PreparedMessage>;

impl Store {
    /// The open messages among the first `most` messages of each notifier that are due at `now`,
    /// with their revisions.
    pub async fn list_open_messages(
        &self,
        notifiers: &[&NotifierName],
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let names = to_json(&notifiers)?;
        let open = sqlx::query_as(
            "SELECT message.id, message.revision FROM json_each($1) AS wanted JOIN message ON message.id IN
                 (SELECT first.id FROM message AS first
                  WHERE first.status = 'pending' AND first.notifier = wanted.value AND first.due <= $2
                  ORDER BY first.due, first.id LIMIT $3)
             WHERE message.payload IS NULL",
        )
        .bind(names)
        .bind(to_millis(now))
        .bind(most)
        .fetch_all(&self.readers)
        .await?;
        Ok(open)
    }

    /// Those of these messages whose payload is not frozen, with their content at `now`.
    pub async fn read_open_messages(
        &self,
        messages: &[i64],
        now: Timestamp,
    ) -> Result<Vec<OpenMessage>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut snapshot = self.readers.begin().await?;
        let open = read_open(&mut snapshot, messages, now).await?;
        snapshot.rollback().await?;
        Ok(open)
    }
}

async fn read_open(
    conn: &mut SqliteConnection,
    messages: &[i64],
    now: Timestamp,
) -> Result<Vec<OpenMessage>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, uid, event, digest, part, notification, notifier, recipient, created, revision
         FROM message WHERE id IN (SELECT value FROM json_each($1)) AND status = 'pending' AND payload IS NULL",
    )
    .bind(to_json(&messages)?)
    .fetch_all(&mut *conn)
    .await?;
    let contents = notifications::read_contents(conn, &rows, now).await?;
    let open = rows.iter().zip(contents).map(|(row, content)| {
        Ok(OpenMessage {
            message: row.try_get("id")?,
            revision: row.try_get("revision")?,
            receiver: column::receiver_from_row(row)?,
            content,
        })
    });
    open.collect()
}
