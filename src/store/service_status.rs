//! What a store says of the service: its runs, what waits, and the queue of each notifier.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::backup::read_last_backup;
use super::column::{read_count, read_optional_time, read_time, to_millis};
use super::dialect::sql;
use super::lock::is_locked;
use super::run_lease::StoreNodes;
use super::status::read_message_status;
use super::{Archive, Store, StoreError, health, server};
use crate::alerts::Receiver;
use crate::config::StorePlace;
use crate::lifecycle::message::MessageStatus;
use crate::store::db::{self, DbConnection};
use tidings_rules::story::NotifierName;

/// What a store says of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceStatus {
    /// The last run; `None` before the first.
    pub run: Option<RunTimes>,
    /// The number of stories that wait for their page or to be matched again.
    pub waiting_stories: u64,
    /// Since when the first of them waits.
    pub oldest_waiting: Option<Timestamp>,
    /// The messages that are not sent, by notifier.
    pub queues: BTreeMap<NotifierName, QueueLength>,
    /// The receivers whose last attempt failed, each with the reason.
    pub away: BTreeMap<Receiver, String>,
    /// When the last backup was made; `None` if none was.
    pub last_backup: Option<Timestamp>,
}

/// Where a store is, and what is known of it without its tables.
#[derive(Clone, Debug)]
pub struct StoreFacts {
    /// Where it is.
    pub place: StorePlace,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether a run has it. `None` if that is not known.
    pub is_locked: Option<bool>,
    /// The nodes of a store on a server; `None` for a file.
    pub nodes: Option<StoreNodes>,
}

/// The times of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTimes {
    /// When it started.
    pub started: Timestamp,
    /// When it last wrote that it runs.
    pub seen: Timestamp,
    /// When it was stopped; `None` if it runs, or was killed.
    pub ended: Option<Timestamp>,
    /// When the configuration and the rules were last loaded without an error.
    pub reloaded: Timestamp,
    /// Why the last reload changed nothing; `None` if it succeeded.
    pub reload_error: Option<String>,
}

/// The messages of one notifier that are not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLength {
    /// Messages that wait for their first or next attempt.
    pub pending: u64,
    /// Messages in flight.
    pub leased: u64,
    /// Messages that were given up.
    pub dead: u64,
    /// Messages whose receiver left the configuration.
    pub held: u64,
    /// When the first pending message is or was due.
    pub oldest_due: Option<Timestamp>,
}

impl QueueLength {
    /// The number of messages by status.
    #[must_use]
    pub fn by_status(&self) -> [(MessageStatus, u64); 4] {
        [
            (MessageStatus::Pending, self.pending),
            (MessageStatus::Leased, self.leased),
            (MessageStatus::Dead, self.dead),
            (MessageStatus::Held, self.held),
        ]
    }
}

impl Archive {
    /// The facts of the store at `place`, which this reads.
    pub async fn store_facts(&mut self, place: &StorePlace) -> Result<StoreFacts, StoreError> {
        let facts = |bytes, is_locked, nodes| {
            Ok(StoreFacts { place: place.clone(), bytes, is_locked, nodes })
        };
        match (place, &mut self.conn) {
            (StorePlace::Server(_), DbConnection::Postgres(conn)) => {
                let (bytes, nodes) = server::read_facts(conn).await?;
                facts(bytes, Some(!nodes.running.is_empty()), Some(nodes))
            }
            (StorePlace::Server(_), _) => facts(0, None, None),
            (StorePlace::File(path), _) => {
                let bytes = std::fs::metadata(path).map_or(0, |about| about.len());
                facts(bytes, is_locked(path), None)
            }
        }
    }
}

impl Store {
    /// What the store says of the service.
    pub async fn service_status(&self) -> Result<ServiceStatus, StoreError> {
        Ok(read_service_status(&mut self.readers.acquire().await?).await?)
    }

    /// Records that the run with this number runs at `now`.
    pub async fn record_seen(&self, run: i64, now: Timestamp) -> Result<(), StoreError> {
        self.update_run("UPDATE run SET seen = $2 WHERE id = $1", run, now, None).await
    }

    /// Records that the run with this number was stopped at `now`.
    pub async fn record_run_end(&self, run: i64, now: Timestamp) -> Result<(), StoreError> {
        let end = "UPDATE run SET seen = $2, ended = $2 WHERE id = $1";
        self.update_run(end, run, now, None).await
    }

    /// Records a reload of the configuration and the rules at `now`, or why it changed nothing.
    pub async fn record_reload(
        &self,
        run: i64,
        now: Timestamp,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        let reload = "UPDATE run SET reload_error = $3, reloaded = CASE WHEN CAST($3 AS TEXT) IS NULL THEN $2 ELSE reloaded END WHERE id = $1";
        self.update_run(reload, run, now, error).await
    }

    async fn update_run(
        &self,
        sql: &'static str,
        run: i64,
        now: Timestamp,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let update = db::query(sql).bind(run).bind(to_millis(now)).bind(error);
                    update.execute(conn).await.map(drop)
                })
            })
            .await
    }
}

impl Archive {
    /// What the store says of the service.
    pub async fn service_status(&mut self) -> Result<ServiceStatus, StoreError> {
        Ok(read_service_status(&mut self.conn).await?)
    }
}

async fn read_service_status(conn: &mut DbConnection<'_>) -> Result<ServiceStatus, sqlx::Error> {
    let waiting = db::query(
        "SELECT count(*) AS stories, min(waiting_since) AS since FROM story
         WHERE status IN ('awaits_page', 'awaits_match') AND due >= 0",
    )
    .fetch_one(&mut *conn)
    .await?;
    let away = health::read_receiver_health(conn).await?.away;
    Ok(ServiceStatus {
        run: read_last_run(conn).await?,
        waiting_stories: read_count(&waiting, "stories")?.into(),
        oldest_waiting: read_optional_time(&waiting, "since")?,
        queues: read_queues(conn).await?,
        last_backup: read_last_backup(conn).await?,
        away: away.into_iter().map(|(receiver, health)| (receiver, health.why)).collect(),
    })
}

async fn read_last_run(conn: &mut DbConnection<'_>) -> Result<Option<RunTimes>, sqlx::Error> {
    let row = db::query(sql!(
        "SELECT started, seen, ended, reloaded, reload_error FROM run WHERE id = ",
        either!(
            "(SELECT max(id) FROM run)",
            "coalesce((SELECT max(run) FROM run_lease), (SELECT max(id) FROM run))"
        )
    ));
    let Some(row) = row.fetch_optional(conn).await? else { return Ok(None) };
    Ok(Some(RunTimes {
        started: read_time(&row, "started")?,
        seen: read_time(&row, "seen")?,
        ended: read_optional_time(&row, "ended")?,
        reloaded: read_time(&row, "reloaded")?,
        reload_error: row.try_get("reload_error")?,
    }))
}

async fn read_queues(
    conn: &mut DbConnection<'_>,
) -> Result<BTreeMap<NotifierName, QueueLength>, sqlx::Error> {
    let rows = db::query(
        "SELECT notifier, status, count(*) AS messages, min(due) AS due FROM message
         WHERE status <> 'sent' AND status <> 'dropped' GROUP BY notifier, status",
    )
    .fetch_all(conn)
    .await?;
    let mut queues: BTreeMap<NotifierName, QueueLength> = BTreeMap::new();
    for row in &rows {
        let queue = queues.entry(NotifierName(row.try_get("notifier")?)).or_default();
        let messages = u64::from(read_count(row, "messages")?);
        match read_message_status(row)? {
            MessageStatus::Pending => {
                (queue.pending, queue.oldest_due) = (messages, read_optional_time(row, "due")?);
            }
            MessageStatus::Leased => queue.leased = messages,
            MessageStatus::Dead => queue.dead = messages,
            MessageStatus::Held => queue.held = messages,
            MessageStatus::Sent | MessageStatus::Dropped => {}
        }
    }
    Ok(queues)
}

#[cfg(test)]
mod tests {
    use super::super::StoryPlan;
    use super::super::fixture::{Bench, at_second, desk_receiver, item, settle_plan};
    use super::*;

    #[tokio::test]
    async fn a_run_its_queue_and_what_waits_are_told() {
        let bench = Bench::new().await;
        let before = bench.store.service_status().await.unwrap();
        // On a server, a run has its row with its lease.
        assert_eq!(before, ServiceStatus { run: before.run.clone(), ..ServiceStatus::default() });
        let run = bench.start_run(&[desk_receiver()]).await;
        let items = vec![item("a", settle_plan(&["arms"])), item("b", StoryPlan::ReadPage)];
        bench.poll("wire", 5, items).await;
        bench.store.record_seen(run, at_second(10)).await.unwrap();
        let why = Some("config.yaml:1: no".to_owned());
        bench.store.record_reload(run, at_second(11), why.clone()).await.unwrap();
        let status = bench.store.service_status().await.unwrap();
        let times = status.run.unwrap();
        assert_eq!((times.seen, times.ended), (at_second(10), None));
        assert_eq!((times.reloaded, times.reload_error), (times.started, why));
        assert_eq!((status.waiting_stories, status.oldest_waiting), (1, Some(at_second(5))));
        let desk = status.queues[&desk_receiver().notifier];
        assert_eq!((desk.pending, desk.leased, desk.dead, desk.held), (1, 0, 0, 0));
        assert!(desk.oldest_due.is_some());

        bench.store.record_reload(run, at_second(12), None).await.unwrap();
        bench.store.record_run_end(run, at_second(13)).await.unwrap();
        let times = bench.store.service_status().await.unwrap().run.unwrap();
        assert_eq!((times.reloaded, times.reload_error), (at_second(12), None));
        assert_eq!(times.ended, Some(at_second(13)));
    }
}
