//! Reads open messages that are due next, so that their payloads are made before the turn that
//! freezes them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::alerts::{Notification, Receiver};
use crate::store::column::{self, to_millis};
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::dialect::sql;
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
    /// When it was made.
    pub made: Timestamp,
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
    /// without those that are prepared at their revision.
    pub async fn read_next_open_messages(
        &self,
        notifiers: &[&NotifierName],
        most: u32,
        prepared: &PreparedMessages,
        now: Timestamp,
    ) -> Result<Vec<OpenMessage>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        // SQLite would prepare a plain `LIMIT $3` anew at every turn.
        let mut next: Vec<(i64, i64)> = db::query_as(sql!(
            "SELECT message.id, message.revision FROM ",
            text_list!("$1"),
            " AS wanted ",
            either!("JOIN message ON message.id IN (SELECT first.id", "CROSS JOIN LATERAL (SELECT first.*"),
            " FROM message AS first
                  WHERE first.status <> 'sent' AND first.status = 'pending' AND first.notifier = wanted.value AND first.due <= $2
                  ORDER BY first.due, first.id LIMIT $3 + 0)",
            either!("", " AS message"),
            " WHERE message.payload IS NULL"
        ))
        .bind(SqlList::new(&notifiers)?)
        .bind(to_millis(now))
        .bind(i64::from(most))
        .fetch_all(&mut snapshot)
        .await?;
        next.retain(|(message, revision)| {
            prepared.get(message).is_none_or(|one| one.revision != *revision)
        });
        let missing: Vec<i64> = next.into_iter().map(|(message, _)| message).collect();
        let open = read_open(&mut snapshot, &missing, now).await?;
        drop(snapshot);
        Ok(open)
    }

    /// Those of these messages whose payload is not frozen, with their content at `now`.
    pub async fn read_open_messages(
        &self,
        messages: &[i64],
        now: Timestamp,
    ) -> Result<Vec<OpenMessage>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let open = read_open(&mut snapshot, messages, now).await?;
        drop(snapshot);
        Ok(open)
    }
}

async fn read_open(
    conn: &mut DbConnection<'_>,
    messages: &[i64],
    now: Timestamp,
) -> Result<Vec<OpenMessage>, sqlx::Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db::query(sql!(
        "SELECT id, uid, event, digest, part, notification, notifier, recipient, created, revision
         FROM message WHERE id IN ",
        id_list!("$1"),
        " AND status = 'pending' AND payload IS NULL"
    ))
    .bind(SqlList::new(&messages)?)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alerts::send_queue::Sending;
    use crate::store::OutboxTurn;
    use crate::store::fixture::{
        Bench, at_second, desk_receiver, item, render_as_json, rules_and_feeds, settle_plan,
    };

    /// A turn at second 1 with these prepared messages.
    async fn turn(bench: &Bench, run: i64, prepared: PreparedMessages) -> OutboxTurn {
        let sending = Sending { at_once: 8, in_flight: BTreeMap::new() };
        let sending = [(desk_receiver().notifier, sending)].into();
        let turn = bench.store.outbox_turn(run, vec![], sending, at_second(1), Arc::new(prepared));
        turn.await.unwrap()
    }

    async fn one_open_message() -> (Bench, i64) {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let run = bench.start_run(&[desk_receiver()]).await;
        (bench, run)
    }

    #[tokio::test]
    async fn a_payload_from_before_an_alert_joined_is_not_frozen() {
        let (bench, run) = one_open_message().await;
        let old = bench.prepare(&[1], 1, &render_as_json()).await;
        bench.poll("paper", 1, vec![item("a", settle_plan(&["oil"]))]).await;
        let refused = turn(&bench, run, old).await;
        assert_eq!((refused.leases.len(), refused.unprepared), (0, vec![1]));
        assert_eq!(bench.query_text("SELECT status FROM message").await.unwrap(), "pending");
        assert_eq!(bench.query_text("SELECT payload FROM message").await, None);
        let anew = bench.prepare(&[1], 1, &render_as_json()).await;
        let leased = turn(&bench, run, anew).await;
        assert_eq!((leased.leases.len(), leased.unprepared), (1, vec![]));
        assert_eq!(rules_and_feeds(&leased.leases[0].payload).0, ["arms", "oil"]);
    }

    #[tokio::test]
    async fn a_payload_from_before_another_feed_carried_the_story_is_not_frozen() {
        let (bench, run) = one_open_message().await;
        let old = bench.prepare(&[1], 1, &render_as_json()).await;
        bench.poll("paper", 1, vec![item("a", settle_plan(&["arms"]))]).await;
        let refused = turn(&bench, run, old).await;
        assert_eq!((refused.leases.len(), refused.unprepared), (0, vec![1]));
        let anew = bench.prepare(&[1], 1, &render_as_json()).await;
        let leased = turn(&bench, run, anew).await;
        assert_eq!(rules_and_feeds(&leased.leases[0].payload).1, ["wire", "paper"]);
    }

    #[tokio::test]
    async fn a_message_that_nobody_prepared_is_listed_and_not_leased() {
        let (bench, run) = one_open_message().await;
        let listed = turn(&bench, run, PreparedMessages::new()).await;
        assert_eq!((listed.leases.len(), listed.unprepared), (0, vec![1]));
        assert_eq!(listed.next_due, Some(at_second(0)));
    }

    #[tokio::test]
    async fn the_next_open_messages_are_due_and_neither_frozen_nor_prepared() {
        let (bench, run) = one_open_message().await;
        bench.poll("wire", 0, vec![item("b", settle_plan(&["arms"]))]).await;
        let desk = desk_receiver().notifier;
        let list = async |most, second, prepared: &PreparedMessages| {
            let notifiers = [&desk];
            let open =
                bench.store.read_next_open_messages(&notifiers, most, prepared, at_second(second));
            open.await.unwrap().iter().map(|open| open.message).collect::<Vec<_>>()
        };
        let none = PreparedMessages::new();
        assert!(list(9, -1, &none).await.is_empty());
        assert_eq!(list(9, 0, &none).await, [1, 2]);
        assert_eq!(list(1, 0, &none).await, [1]);
        let prepared = bench.prepare(&[2], 0, &render_as_json()).await;
        assert_eq!(list(9, 0, &prepared).await, [1]);
        bench.lease_at_most(run, "desk", 1, 0, render_as_json()).await;
        assert_eq!(list(9, 0, &none).await, [2]);
        assert!(bench.store.read_open_messages(&[1], at_second(0)).await.unwrap().is_empty());
    }
}
