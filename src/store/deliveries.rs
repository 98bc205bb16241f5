//! Lists the messages that are not delivered, with the reasons. Makes dead messages due again, or
//! drops them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::column::{self, read_optional_time, read_time, to_millis};
use super::dialect::sql;
use super::status::read_message_status;
use super::{Archive, StoreCommandError, StoreError, health};
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::{Content, Receiver};
use crate::config::StorePlace;
use crate::lifecycle::message;
use crate::lifecycle::message::{MessageEvent, MessageStatus};
use crate::store::command_connection;
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use tidings_rules::story::{NotifierName, headline};

/// A message that is not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its row, the number that people use.
    pub id: i64,
    /// The id that receivers see.
    pub uid: String,
    /// Its status: pending, dead or held. Messages in flight count as pending.
    pub status: MessageStatus,
    /// The receiver.
    pub receiver: Receiver,
    /// The subject.
    pub subject: DeliverySubject,
    /// When it was created.
    pub created: Timestamp,
    /// When it is tried next; `None` if never.
    pub due: Option<Timestamp>,
    /// The number of attempts.
    pub attempts: u32,
    /// When the last attempt began.
    pub last_attempt: Option<Timestamp>,
    /// The result of the last attempt, in words.
    pub why: Option<String>,
}

/// The subject of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliverySubject {
    /// A story with this headline, which may be empty.
    Story(String),
    /// A digest of this number of alerts.
    Digest(u32),
    /// A notice about a receiver or feed with this name.
    Notice(String),
}

/// Dead messages that a person names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadSelection {
    /// The messages in these rows.
    These(BTreeSet<i64>),
    /// All dead messages of this notifier.
    OfNotifier(NotifierName),
    /// All dead messages.
    All,
}

/// The result of a request to send messages again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retried {
    /// Rows that are due now.
    pub due: Vec<i64>,
    /// Rows that are held, because their receivers are not in the configuration.
    pub held: Vec<i64>,
    /// Rows that are not dead, or do not exist.
    pub others: Vec<i64>,
}

/// The result of a request to drop messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedMessages {
    /// Rows that are dropped now.
    pub dropped: Vec<i64>,
    /// Rows that are not dead, or do not exist.
    pub others: Vec<i64>,
}

impl DeadSelection {
    /// Whether all are meant, the rows as JSON, and the notifier.
    fn conditions(&self) -> Result<(bool, SqlList, Option<&str>), sqlx::Error> {
        Ok(match self {
            Self::All => (true, SqlList::new(&[0; 0])?, None),
            Self::These(ids) => (false, SqlList::new(ids)?, None),
            Self::OfNotifier(name) => (false, SqlList::new(&[0; 0])?, Some(&name.0)),
        })
    }

    /// The rows that are named and not among `changed`.
    fn others(&self, changed: &[&[i64]]) -> Vec<i64> {
        let Self::These(ids) = self else { return Vec::new() };
        let is_changed = |id: &&i64| changed.iter().any(|changed| changed.contains(id));
        ids.iter().filter(|id| !is_changed(id)).copied().collect()
    }
}

impl Archive {
    /// The messages after the one in the row `after` that are not delivered, oldest first, at most
    /// `limit`.
    pub async fn undelivered(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(read_undelivered(&mut self.conn, after, i64::from(limit)).await?)
    }

    /// The receivers that fail or rest.
    pub async fn receivers_away(&mut self) -> Result<Vec<(Receiver, NotifierHealth)>, StoreError> {
        let health = health::read_receiver_health(&mut self.conn).await?;
        Ok(health.away.into_iter().collect())
    }
}

/// The messages in the store at `place` that are not delivered, oldest first, and the health of
/// every receiver that fails or rests. Writes nothing.
pub async fn list_undelivered(
    place: impl Into<StorePlace>,
) -> Result<(Vec<Delivery>, Vec<(Receiver, NotifierHealth)>), StoreCommandError> {
    let mut archive = Archive::open(place).await?;
    let deliveries = read_undelivered(&mut archive.conn, 0, i64::MAX).await?;
    Ok((deliveries, archive.receivers_away().await?))
}

async fn read_undelivered(
    conn: &mut DbConnection<'_>,
    after: i64,
    limit: i64,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = db::query(
        "SELECT message.*, story.title, story.opening,
                (SELECT count(*) FROM attempt WHERE attempt.message = message.id) AS attempts,
                (SELECT max(started) FROM attempt WHERE attempt.message = message.id) AS last_attempt,
                (SELECT count(*) FROM message_alert WHERE message_alert.message = message.id) AS alerts
         FROM message LEFT JOIN story ON story.id =
              (SELECT alert.story FROM message_alert JOIN alert ON alert.id = message_alert.alert
               WHERE message_alert.message = message.id ORDER BY alert.id LIMIT 1)
         WHERE message.status <> 'sent' AND message.status IN ('pending', 'leased', 'dead', 'held') AND message.id > $1
         ORDER BY message.id LIMIT $2",
    );
    let rows = rows.bind(after).bind(limit).fetch_all(conn).await?;
    rows.iter().map(delivery_from_row).collect()
}

/// Makes dead messages of the store at `place` due at `now`. They keep their ids and bytes, and
/// their attempts are counted anew. Messages to receivers that are not in `receivers` become held.
pub async fn retry_messages(
    place: impl Into<StorePlace>,
    which: DeadSelection,
    receivers: &[Receiver],
    now: Timestamp,
) -> Result<Retried, StoreCommandError> {
    let retry = sql!(
        "UPDATE message SET status = $2, due = $3, counted_attempts = 0
         WHERE status <> 'sent' AND status = $1 AND ($4 OR notifier = $5 OR id IN ",
        id_list!("$6"),
        ") AND $7 = ((notifier, recipient) IN ",
        row_list!("$8", 0 notifier TEXT, 1 recipient TEXT),
        ") RETURNING id"
    );
    command_connection::write(&place.into(), async |conn| {
        let (all, ids, notifier) = which.conditions()?;
        let receivers = SqlList::new(&column::receiver_rows(receivers))?;
        let mut retried: [BTreeSet<i64>; 2] = Default::default();
        for (retried, is_known) in retried.iter_mut().zip([true, false]) {
            for (from, next) in message::moves(MessageEvent::SentAgain { is_known }) {
                let update = db::query_scalar::<i64>(retry);
                let update = update.bind(from.as_str()).bind(next.status.as_str());
                let update = update.bind(to_millis(now)).bind(all).bind(notifier).bind(&ids);
                let update = update.bind(is_known).bind(&receivers);
                retried.extend(update.fetch_all(&mut *conn).await?);
            }
        }
        let [due, held] = retried.map(|ids| ids.into_iter().collect::<Vec<i64>>());
        let others = which.others(&[&due, &held]);
        Ok(Retried { due, held, others })
    })
    .await
}

/// Drops dead messages of the store at `place`: they are never sent. Their rows and attempts stay
/// as long as those of sent messages.
pub async fn drop_messages(
    place: impl Into<StorePlace>,
    which: DeadSelection,
) -> Result<DroppedMessages, StoreCommandError> {
    let drop = sql!(
        "UPDATE message SET status = $2
         WHERE status <> 'sent' AND status = $1 AND ($3 OR notifier = $4 OR id IN ",
        id_list!("$5"),
        ") RETURNING id"
    );
    command_connection::write(&place.into(), async |conn| {
        let (all, ids, notifier) = which.conditions()?;
        let mut dropped = BTreeSet::new();
        for (from, next) in message::moves(MessageEvent::Dropped) {
            let update = db::query_scalar::<i64>(drop);
            let update = update.bind(from.as_str()).bind(next.status.as_str());
            let update = update.bind(all).bind(notifier).bind(&ids);
            dropped.extend(update.fetch_all(&mut *conn).await?);
        }
        let dropped: Vec<i64> = dropped.into_iter().collect();
        let others = which.others(&[&dropped]);
        Ok(DroppedMessages { dropped, others })
    })
    .await
}

fn delivery_from_row(row: &DbRow) -> Result<Delivery, sqlx::Error> {
    let status = match read_message_status(row)? {
        MessageStatus::Leased => MessageStatus::Pending,
        status => status,
    };
    let due = Some(read_time(row, "due")?).filter(|_| status == MessageStatus::Pending);
    Ok(Delivery {
        id: row.try_get("id")?,
        uid: row.try_get("uid")?,
        status,
        receiver: column::receiver_from_row(row)?,
        subject: subject_from_row(row)?,
        created: read_time(row, "created")?,
        due,
        attempts: column::read_count(row, "attempts")?,
        last_attempt: read_optional_time(row, "last_attempt")?,
        why: row.try_get("why")?,
    })
}

fn subject_from_row(row: &DbRow) -> Result<DeliverySubject, sqlx::Error> {
    if let Some(Content::Notice(notice)) = column::read_optional_json(row, "notification")? {
        return Ok(DeliverySubject::Notice(notice.subject()));
    }
    if !column::is_null(row, "digest")? {
        return Ok(DeliverySubject::Digest(column::read_count(row, "alerts")?));
    }
    let [title, opening] =
        ["title", "opening"].map(|column| row.try_get::<Option<&str>, _>(column));
    Ok(DeliverySubject::Story(
        headline::headline(title?.unwrap_or_default(), opening?.unwrap_or_default()).into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, desk_receiver, item, retry_finish, settle_plan};
    use super::*;
    use crate::alerts::breaker::{FailureCause, FailureScope};
    use crate::alerts::retry::Finish;
    use crate::shares::OwnShares;

    /// Messages about a, b and c, of which b and c are dead.
    async fn bench() -> (Bench, i64, Vec<Vec<u8>>) {
        let bench = Bench::new().await;
        for key in ["a", "b", "c"] {
            bench.poll("wire", 0, vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 0).await;
        let later = retry_finish(FailureCause::Unreached, FailureScope::Notifier, 60);
        assert!(bench.finish_attempt(run, &leases[0], later, 1).await);
        for lease in &leases[1..] {
            assert!(
                bench
                    .finish_attempt(run, lease, Finish::Dead("550 no such user".to_owned()), 2)
                    .await
            );
        }
        (bench, run, leases.into_iter().map(|lease| lease.payload).collect())
    }

    #[tokio::test]
    async fn what_is_not_delivered_is_listed_with_the_reason_and_who_fails() {
        let (bench, ..) = bench().await;
        let (deliveries, away) = list_undelivered(&bench.place()).await.unwrap();
        let shown: Vec<_> =
            deliveries.iter().map(|one| (one.id, one.status, one.due, one.attempts)).collect();
        let expected = [
            (1, MessageStatus::Pending, Some(at_second(60)), 1),
            (2, MessageStatus::Dead, None, 1),
            (3, MessageStatus::Dead, None, 1),
        ];
        assert_eq!(shown, expected);
        assert_eq!(deliveries[1].subject, DeliverySubject::Story("b".to_owned()));
        assert_eq!(deliveries[1].why.as_deref(), Some("550 no such user"));
        assert_eq!(
            (&deliveries[1].receiver, deliveries[1].last_attempt),
            (&desk_receiver(), Some(at_second(0)))
        );
        assert_eq!(
            away.iter().map(|(one, health)| (one.to_string(), health.failures)).collect::<Vec<_>>(),
            [("desk".to_owned(), 1)]
        );
    }

    #[tokio::test]
    async fn the_dead_are_sent_again_with_the_same_id_and_bytes() {
        let (bench, run, payloads) = bench().await;
        let these = DeadSelection::These([1, 2, 9].into());
        let retried =
            retry_messages(&bench.place(), these, &[desk_receiver()], at_second(5)).await.unwrap();
        assert_eq!(retried, Retried { due: vec![2], held: vec![], others: vec![1, 9] });
        let lease = bench.lease(run, "desk", 5).await.remove(0);
        assert_eq!((lease.message, lease.counted_attempts, &lease.payload), (2, 0, &payloads[1]));
        let retried =
            retry_messages(&bench.place(), DeadSelection::All, &[desk_receiver()], at_second(6))
                .await
                .unwrap();
        assert_eq!(retried.due, [3]);
    }

    #[tokio::test]
    async fn the_dead_of_a_receiver_that_left_are_held() {
        let (bench, ..) = bench().await;
        let retried =
            retry_messages(&bench.place(), DeadSelection::All, &[], at_second(5)).await.unwrap();
        assert_eq!(retried, Retried { due: vec![], held: vec![2, 3], others: vec![] });
        assert_eq!(
            bench
                .store
                .start_run(&[desk_receiver()], &OwnShares::All, at_second(6))
                .await
                .unwrap()
                .held,
            []
        );
    }
    #[tokio::test]
    async fn the_dropped_are_listed_and_sent_no_more_and_nothing_else_is_dropped() {
        let (bench, ..) = bench().await;
        let dropped =
            drop_messages(&bench.place(), DeadSelection::These([1, 2, 9].into())).await.unwrap();
        assert_eq!(dropped, DroppedMessages { dropped: vec![2], others: vec![1, 9] });
        let listed = list_undelivered(&bench.place()).await.unwrap().0;
        assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [1, 3]);
        let of = |name: &str| DeadSelection::OfNotifier(NotifierName(name.to_owned()));
        for (which, expected) in
            [(of("other"), vec![]), (of("desk"), vec![3]), (DeadSelection::All, vec![])]
        {
            let dropped = drop_messages(&bench.place(), which).await.unwrap().dropped;
            assert_eq!(dropped, expected);
        }
        let retried =
            retry_messages(&bench.place(), DeadSelection::All, &[desk_receiver()], at_second(9))
                .await
                .unwrap();
        assert_eq!(retried, Retried { due: vec![], held: vec![], others: vec![] });
        let attempts = bench.query_text("SELECT count(*) || '' FROM attempt").await.unwrap();
        assert_eq!(attempts, "3");
    }

    #[tokio::test]
    async fn the_dead_of_one_notifier_are_sent_again() {
        let (bench, ..) = bench().await;
        for (name, due) in [("other", vec![]), ("desk", vec![2, 3])] {
            let of = DeadSelection::OfNotifier(NotifierName(name.to_owned()));
            let retried =
                retry_messages(&bench.place(), of, &[desk_receiver()], at_second(5)).await.unwrap();
            assert_eq!(retried.due, due, "{name}");
        }
    }
}
