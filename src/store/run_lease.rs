//! The run lease: the right of a run to write a store on a server, for ten seconds at a time.
//!
//! All times are those of the server's clock. A transaction that writes has the latch and finds the
//! lease live at its start (the fence), and a lease is ended with the latch. So all that a run
//! writes comes before what other runs do with its work. A lease that nobody can renew is given up
//! by the node's own clock before another node may end it.

use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::db::{self, DbConnection, in_time};
use super::outage_log::OutageLog;
use super::server;
use super::server_fault::{self, no_answer};

use crate::config::ServerAddress;
use crate::shares::RunNumber;

/// How long a lease lasts after it was taken or renewed.
const LEASE: Duration = Duration::from_secs(10);

/// How much of a lease must be left for a run to work. It has this long to end what it does.
const MARGIN: Duration = Duration::from_secs(3);

/// The pause between two renewals.
const RENEWAL_PAUSE: Duration = Duration::from_secs(2);

/// The pause after a renewal that failed.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// How long a renewal may take, with a new connection.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the answer to a node that waits may take, with a new connection.
const WATCH_TIMEOUT: Duration = Duration::from_secs(10);

/// The server's time in milliseconds. It goes on during a transaction.
macro_rules! server_now {
    () => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// How a run has a store on a server. A file is always one run's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunRole {
    /// No other run has the store, and it owns all shares.
    Alone,
    /// It owns shares beside other runs.
    Joint,
    /// It stops, and gives its shares back.
    Leaving,
}

impl RunRole {
    const ALL: [Self; 3] = [Self::Alone, Self::Joint, Self::Leaving];

    /// The name in the store and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Joint => "joint",
            Self::Leaving => "leaving",
        }
    }

    fn from_name(name: &str) -> Result<Self, sqlx::Error> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == name);
        role.ok_or_else(|| sqlx::Error::Decode(format!("no role of a run: {name}").into()))
    }
}

/// A node whose run has a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningNode {
    /// The number of the run.
    pub run: RunNumber,
    /// Its machine and its process.
    pub node: String,
    /// How it has the store.
    pub role: RunRole,
    /// The number of its shares.
    pub shares: u32,
    /// The number of the rule set that it has in force; `None` before its first.
    pub rule_set: Option<i64>,
    /// A hash of what all nodes must have the same of their configurations, once it is known.
    pub config_hash: Option<String>,
    /// Why its last reload changed nothing; `None` if it succeeded.
    pub reload_error: Option<String>,
    /// When its lease ends, by the clock of the server.
    pub until: Timestamp,
    /// How long that is from now on.
    pub left: Duration,
}

/// The nodes of a store on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreNodes {
    /// Those whose runs have live leases, oldest run first.
    pub running: Vec<RunningNode>,
    /// Those that wait, by their machines and processes. A long name may be cut.
    pub waiting: Vec<String>,
    /// Whether a commit waits for a synchronous standby.
    pub waits_for_standby: bool,
    /// How long the oldest transaction of the database keeps dead rows from being removed.
    pub oldest_snapshot: Duration,
}

/// Why a run must stop its work.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LeaseLost {
    /// Its lease ended before it was renewed. Another node may have the store.
    #[error("it was not renewed in time")]
    Over,
    /// Its lease would end soon, and the server has not renewed it.
    #[error("the server did not renew it: {0}")]
    Unrenewed(String),
}

/// The lease of a run of this node.
#[derive(Debug)]
pub(super) struct RunLease {
    server: ServerAddress,
    run: RunNumber,
    role: RunRole,
    /// When the run must stop, unless the lease is renewed.
    deadline: Pin<Box<Sleep>>,
    /// The same time, for those that work.
    told: watch::Sender<Instant>,
}

/// This machine and this process, for people.
#[must_use]
pub fn name_node() -> String {
    let machine = hostname::get().ok().and_then(|name| name.into_string().ok());
    format!("{}, process {}", machine.as_deref().unwrap_or("localhost"), std::process::id())
}

/// A lease of the store that is taken now lasts until this has elapsed, less the margin.
fn deadline_from_now() -> Pin<Box<Sleep>> {
    Box::pin(sleep(LEASE.saturating_sub(MARGIN)))
}

/// Ends the leases that are over, for good, and frees their shares. Returns the runs with a lease.
/// The transaction has the latch.
///
/// A renewal under way comes before that, or finds no lease. A lease that is left counts as live,
/// although it may end now: a renewal may be under way.
pub(super) async fn end_leases(conn: &mut PgConnection) -> Result<Vec<RunningNode>, sqlx::Error> {
    let end = sqlx::query(concat!("DELETE FROM run_lease WHERE until <= ", server_now!()));
    end.execute(&mut *conn).await?;
    read_all_leases(conn).await
}

/// Makes a run with a lease. The transaction has the latch, and no run with a lease forbids it.
pub(super) async fn take_lease(
    conn: &mut PgConnection,
    server: &ServerAddress,
    role: RunRole,
) -> Result<RunLease, sqlx::Error> {
    let deadline = deadline_from_now();
    // The start of the run writes its own times.
    let run = sqlx::query_scalar(concat!(
        "INSERT INTO run (started, seen, reloaded) SELECT now, now, now FROM (SELECT ",
        server_now!(),
        " AS now) AS clock RETURNING id"
    ));
    let run: RunNumber = run.fetch_one(&mut *conn).await?;
    let lease = sqlx::query(concat!(
        "INSERT INTO run_lease (run, node, role, until) VALUES ($1, $2, $3, ",
        server_now!(),
        " + $4)"
    ));
    let lease = lease.bind(run).bind(name_node()).bind(role.as_str()).bind(lease_millis());
    lease.execute(conn).await?;
    let told = watch::Sender::new(deadline.deadline());
    Ok(RunLease { server: server.clone(), run, role, deadline, told })
}

fn lease_millis() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}

/// The runs with a live lease, oldest first.
pub(super) async fn read_leases(conn: &mut PgConnection) -> Result<Vec<RunningNode>, sqlx::Error> {
    read_nodes(conn, concat!("until > ", server_now!())).await
}

/// Whether a run other than this one has a live lease and rules in force.
pub(super) async fn has_rules_of_others(
    conn: &mut DbConnection<'_>,
    run: i64,
) -> Result<bool, sqlx::Error> {
    let others = concat!(
        "SELECT EXISTS (SELECT 1 FROM run_lease JOIN run ON run.id = run_lease.run
         WHERE run.id <> $1 AND rule_set IS NOT NULL AND until > ",
        server_now!(),
        ")"
    );
    db::query_scalar(others).bind(run).fetch_one(conn).await
}

/// The runs with a lease, also with one that is over and not ended, oldest first.
pub(super) async fn read_all_leases(
    conn: &mut PgConnection,
) -> Result<Vec<RunningNode>, sqlx::Error> {
    read_nodes(conn, "TRUE").await
}

/// The runs whose attempts may go on: those with a lease that is not ended. None for a file.
pub(super) async fn list_runs(conn: &mut DbConnection<'_>) -> Result<Vec<RunNumber>, sqlx::Error> {
    let Some(server) = conn.server_mut() else { return Ok(Vec::new()) };
    sqlx::query_scalar("SELECT run FROM run_lease").fetch_all(server).await
}

/// The runs whose leases are of this kind, oldest first.
async fn read_nodes(
    conn: &mut PgConnection,
    kind: &'static str,
) -> Result<Vec<RunningNode>, sqlx::Error> {
    let sql = format!(
        concat!(
            "SELECT run_lease.run, node, role, (SELECT count(*) FROM share WHERE share.run = run_lease.run),
                 rule_set, config_hash, reload_error, until, until - ",
            server_now!(),
            " FROM run_lease JOIN run ON run.id = run_lease.run WHERE {} ORDER BY run_lease.run"
        ),
        kind
    );
    let found = sqlx::query_as(AssertSqlSafe(sql).into_sql_str()).fetch_all(conn).await?;
    found.into_iter().map(node_from_row).collect()
}

type NodeRow =
    (RunNumber, String, String, i64, Option<i64>, Option<String>, Option<String>, i64, i64);

fn node_from_row(
    (run, node, role, shares, rule_set, config_hash, reload_error, until, left): NodeRow,
) -> Result<RunningNode, sqlx::Error> {
    let role = RunRole::from_name(&role)?;
    let shares = u32::try_from(shares).unwrap_or(u32::MAX);
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    let until = Timestamp::from_millisecond(until);
    let until = until.map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(RunningNode { run, node, role, shares, rule_set, config_hash, reload_error, until, left })
}

/// What keeps a run from writing whose lease is over.
#[derive(Clone, Debug)]
pub(super) struct RunFence {
    run: RunNumber,
    begin: SqlStr,
}

impl RunFence {
    fn new(run: RunNumber) -> Self {
        let begin = format!(
            concat!(
                "BEGIN; SELECT 1 FROM latch FOR UPDATE; ",
                "SELECT 1 FROM run_lease WHERE run = {} AND until > ",
                server_now!(),
                "; SAVEPOINT command"
            ),
            run
        );
        Self { run, begin: AssertSqlSafe(begin).into_sql_str() }
    }

    /// Begins a transaction and its first command, with the latch. `false`: the lease of the run is
    /// over, and the transaction was ended.
    pub(super) async fn begin(&self, conn: &mut DbConnection<'_>) -> Result<bool, sqlx::Error> {
        let DbConnection::Postgres(conn) = conn else { return Ok(false) };
        // A row of the latch, and one of a live lease.
        let rows = in_time(sqlx::raw_sql(self.begin.clone()).fetch_all(&mut *conn)).await?;
        if rows.len() == 2 {
            return Ok(true);
        }
        in_time(sqlx::raw_sql("ROLLBACK").execute(conn)).await?;
        Ok(false)
    }

    /// Gives the lease back, with its shares. Other nodes may take them at once.
    pub(super) async fn release(&self, conn: &mut DbConnection<'_>) -> Result<(), sqlx::Error> {
        let release = db::query("DELETE FROM run_lease WHERE run = $1").bind(self.run);
        release.execute(conn).await.map(drop)
    }
}

impl RunLease {
    /// The number of the run.
    pub(super) fn run(&self) -> RunNumber {
        self.run
    }

    /// Whether other runs may have the store, too.
    pub(super) fn is_joint(&self) -> bool {
        self.role == RunRole::Joint
    }

    /// When the run must stop, unless the lease is renewed.
    pub(super) fn deadline(&self) -> watch::Receiver<Instant> {
        self.told.subscribe()
    }

    /// The fence of the run.
    pub(super) fn fence(&self) -> RunFence {
        RunFence::new(self.run)
    }

    /// Renews the lease again and again, on a connection of its own. Returns when the run must stop
    /// its work.
    pub(super) async fn keep(mut self) -> LeaseLost {
        let mut conn = None;
        let mut why = server_fault::message(&no_answer());
        loop {
            let next = deadline_from_now();
            let renewal = timeout(RENEWAL_TIMEOUT, renew(&self.server, self.run, &mut conn));
            let renewed = tokio::select! {
                biased;
                () = &mut self.deadline => return LeaseLost::Unrenewed(why),
                renewed = renewal => renewed.unwrap_or_else(|_| Err(no_answer())),
            };
            let pause = match renewed {
                Ok(true) => {
                    self.told.send_replace(next.deadline());
                    self.deadline = next;
                    RENEWAL_PAUSE
                }
                Ok(false) => return LeaseLost::Over,
                Err(error) => {
                    conn = None;
                    why = server_fault::message(&error);
                    RETRY_PAUSE
                }
            };
            tokio::select! {
                biased;
                () = &mut self.deadline => return LeaseLost::Unrenewed(why),
                () = sleep(pause) => {}
            }
        }
    }
}

/// Renews the lease of a run. `false`: it was over.
async fn renew(
    server: &ServerAddress,
    run: RunNumber,
    conn: &mut Option<PgConnection>,
) -> Result<bool, sqlx::Error> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(server::connect_to_write(server).await?),
    };
    let renew = sqlx::query(concat!(
        "UPDATE run_lease SET until = ",
        server_now!(),
        " + $2 WHERE run = $1 AND until > ",
        server_now!()
    ));
    let done = renew.bind(run).bind(lease_millis()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Watches who has the store on a server, for a node that waits. It logs when the server cannot be
/// reached, and when it is back.
#[derive(Debug)]
pub struct LeaseWatch {
    server: ServerAddress,
    conn: Option<PgConnection>,
    outage: OutageLog,
}

impl LeaseWatch {
    /// A watch on this server. `lost` says why this node lost its lease, if it had one.
    #[must_use]
    pub fn new(server: &ServerAddress, lost: Option<&LeaseLost>) -> Self {
        let outage = match lost {
            Some(LeaseLost::Unrenewed(why)) => OutageLog::told(why),
            _ => OutageLog::default(),
        };
        Self { server: server.clone(), conn: None, outage }
    }

    /// The node whose run keeps others from the store; `None` if a run may be opened.
    ///
    /// # Errors
    /// If the server does not answer; that is logged.
    pub async fn ask(&mut self) -> Result<Option<RunningNode>, ServerAway> {
        match timeout(WATCH_TIMEOUT, self.try_ask()).await.unwrap_or_else(|_| Err(no_answer())) {
            Ok(node) => {
                self.outage.end();
                Ok(node)
            }
            Err(why) => {
                self.conn = None;
                self.outage.tell(&server_fault::message(&why));
                Err(ServerAway)
            }
        }
    }

    async fn try_ask(&mut self) -> Result<Option<RunningNode>, sqlx::Error> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            None => self.conn.insert(server::connect_to_wait(&self.server).await?),
        };
        let needs_change = server::needs_migration(conn).await?;
        let mut running = read_leases(conn).await?.into_iter();
        Ok(running.find(|node| needs_change || node.role == RunRole::Alone))
    }
}

/// The server of a store does not answer.
#[derive(Clone, Copy, Debug)]
pub struct ServerAway;

/// Lets the time of all leases of a store be over.
#[cfg(test)]
pub(super) async fn let_time_pass(conn: &mut PgConnection) {
    let over = sqlx::query("UPDATE run_lease SET until = 0");
    over.execute(conn).await.expect("a server of the tests");
}

/// Lets the time of the lease of this run be over.
#[cfg(test)]
pub(super) async fn let_time_of_run_pass(conn: &mut PgConnection, run: RunNumber) {
    let over = sqlx::query("UPDATE run_lease SET until = 0 WHERE run = $1").bind(run);
    over.execute(conn).await.expect("a server of the tests");
}

#[cfg(test)]
mod tests;
