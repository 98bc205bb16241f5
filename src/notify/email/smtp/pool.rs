//! The connections of one notifier. They are kept for the next mail, limited to what the server
//! accepts, and opened one after the other.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{join_all, poll_fn};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use super::connection::Connection;
use super::login::Mechanism;
use crate::clock::later;
use crate::notify::RetryReason;
use tidings_rules::story::NotifierName;

/// How long a connection is kept without work. Servers close theirs after five minutes (RFC 5321,
/// 4.5.3.2.7).
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a mail waits for an open connection before another is opened: a quick server gets many
/// mails over one login.
const WAIT_BEFORE_ANOTHER: Duration = Duration::from_millis(300);

/// How long no further connection is tried after the server refused one beside others.
const CONNECTION_LIMIT_LIFETIME: Duration = Duration::from_mins(1);

/// How long it is remembered how many mails a server takes over a connection.
const MAIL_LIMIT_LIFETIME: Duration = Duration::from_mins(10);

/// The connections of every email notifier.
#[derive(Clone, Debug, Default)]
pub(in crate::notify) struct SmtpPools(Arc<Mutex<HashMap<NotifierName, Arc<SmtpPool>>>>);

/// Those of one notifier.
#[derive(Debug, Default)]
pub(super) struct SmtpPool {
    state: Mutex<PoolState>,
    /// Notified when a connection came back, was lost, was opened or was not.
    changed: Notify,
}

#[derive(Debug, Default)]
struct PoolState {
    /// The one that was used last is at the end.
    idle: Vec<IdleConnection>,
    /// Connections that are open: idle ones and those that are lent.
    open_count: usize,
    /// Whether one is being opened.
    is_opening: bool,
    /// Connections that were closed after their last mail, and can be replaced without a wait.
    replaceable: usize,
    /// How many mails the server takes over a connection, as it showed, and until when that is
    /// heeded.
    mail_limit: Option<(u32, Timestamp)>,
    /// How many the server bore when it refused one more, and until when that is heeded.
    connection_limit: Option<(usize, Timestamp)>,
    /// How the last login went through.
    last_mechanism: Option<Mechanism>,
    /// How often no connection could be opened, and why the last time.
    failure_count: u64,
    last_failure: Option<RetryReason>,
}

#[derive(Debug)]
struct IdleConnection {
    connection: Connection,
    expires: Pin<Box<Sleep>>,
}

/// The next step of a caller that needs a connection.
enum PoolTurn {
    Use(Connection),
    Open(Option<Mechanism>),
    Wait,
    GiveUp(RetryReason),
}

impl PoolState {
    /// The next step of somebody who came when `seen` failures had been, and may have waited for
    /// long. While a connection is being opened the others wait: if that fails, it fails for all of
    /// them, so that one wrong password is tried once and not eight times.
    fn next_turn(&mut self, failures_before: u64, has_waited: bool, now: Timestamp) -> PoolTurn {
        if let Some(IdleConnection { connection, .. }) = self.idle.pop() {
            return PoolTurn::Use(connection);
        }
        if self.failure_count > failures_before
            && let Some(failure) = &self.last_failure
        {
            return PoolTurn::GiveUp(failure.clone());
        }
        let max = self
            .connection_limit
            .filter(|(_, until)| now < *until)
            .map_or(usize::MAX, |(max, _)| max.max(1));
        let is_early = self.open_count > 0 && self.replaceable == 0 && !has_waited;
        if self.is_opening || self.open_count >= max || is_early {
            return PoolTurn::Wait;
        }
        self.replaceable = self.replaceable.saturating_sub(1);
        self.is_opening = true;
        PoolTurn::Open(self.last_mechanism)
    }
}

impl PoolState {
    /// Takes in that the server took so many mails over a connection, and no more. One that went
    /// away for another reason may have taken fewer.
    fn record_mails_taken(&mut self, taken: u32, now: Timestamp) {
        let known = self.known_mail_limit(now).unwrap_or_default();
        if taken > 0 && taken >= known {
            self.mail_limit = Some((taken, later(now, MAIL_LIMIT_LIFETIME)));
        }
    }

    /// How many mails the server takes over a connection, as far as that is known.
    fn known_mail_limit(&self, now: Timestamp) -> Option<u32> {
        self.mail_limit.filter(|(_, until)| now < *until).map(|(mails, _)| mails)
    }
}

impl SmtpPool {
    fn lock_state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all that wait.
    fn update_state(&self, change: impl FnOnce(&mut PoolState)) {
        change(&mut self.lock_state());
        self.changed.notify_waiters();
    }

    /// A connection that is ready for a mail: a kept one, else a new one from `open`, which gets
    /// the mechanism of the last login. If no further one can be opened, it waits for one in use.
    pub(super) async fn get_connection<F>(
        &self,
        now: Timestamp,
        open: impl Fn(Option<Mechanism>) -> F,
    ) -> Result<PooledConnection<'_>, RetryReason>
    where
        F: Future<Output = Result<Connection, RetryReason>>,
    {
        let failures_before = self.lock_state().failure_count;
        let mut another = pin!(sleep(WAIT_BEFORE_ANOTHER));
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let turn = self.lock_state().next_turn(failures_before, another.is_elapsed(), now);
            match turn {
                PoolTurn::Use(connection) => {
                    let mut lent = PooledConnection {
                        pool: self,
                        connection: Some(connection),
                        is_reused: true,
                    };
                    if lent.connection().reset().await {
                        return Ok(lent);
                    }
                    // The server closed it, or speaks out of turn.
                    lent.close_and_allow_replacement().await;
                }
                PoolTurn::Open(mechanism) => {
                    let opening = OpeningTurn(self);
                    match open(mechanism).await {
                        Ok(connection) => return Ok(opening.record_success(connection)),
                        Err(why) => opening.record_failure(why, now)?,
                    }
                }
                PoolTurn::Wait => tokio::select! {
                    () = changed => {}
                    () = &mut another, if !another.is_elapsed() => {}
                },
                PoolTurn::GiveUp(why) => return Err(why),
            }
        }
    }

    /// Takes a connection that was idle for too long.
    fn poll_expired_connection(&self, context: &mut Context<'_>) -> Option<PooledConnection<'_>> {
        let mut state = self.lock_state();
        let expired = state
            .idle
            .iter_mut()
            .position(|idle| idle.expires.as_mut().poll(context).is_ready())?;
        let IdleConnection { connection, .. } = state.idle.remove(expired);
        Some(PooledConnection { pool: self, connection: Some(connection), is_reused: true })
    }

    fn remove_idle_connections(&self) -> Vec<PooledConnection<'_>> {
        let idle = std::mem::take(&mut self.lock_state().idle);
        let lent = |IdleConnection { connection, .. }| PooledConnection {
            pool: self,
            connection: Some(connection),
            is_reused: true,
        };
        idle.into_iter().map(lent).collect()
    }
}

/// The turn of the one who opens a connection. It ends when this is dropped, whatever becomes of
/// the attempt.
struct OpeningTurn<'p>(&'p SmtpPool);

impl<'p> OpeningTurn<'p> {
    fn record_success(self, connection: Connection) -> PooledConnection<'p> {
        let pool = self.0;
        pool.update_state(|state| {
            state.open_count += 1;
            state.last_mechanism = connection.mechanism;
        });
        PooledConnection { pool, connection: Some(connection), is_reused: false }
    }

    /// Says so to those who wait. With others open it is no failure: the server bears no more of
    /// them.
    fn record_failure(self, why: RetryReason, now: Timestamp) -> Result<(), RetryReason> {
        let mut state = self.0.lock_state();
        if state.open_count > 0 {
            state.connection_limit =
                Some((state.open_count, later(now, CONNECTION_LIMIT_LIFETIME)));
            return Ok(());
        }
        state.failure_count += 1;
        state.last_failure = Some(why.clone());
        Err(why)
    }
}

impl Drop for OpeningTurn<'_> {
    fn drop(&mut self) {
        self.0.update_state(|state| state.is_opening = false);
    }
}

/// A connection in use. One that is dropped without being given back is closed, because the state
/// of its conversation is unknown.
pub(super) struct PooledConnection<'p> {
    pool: &'p SmtpPool,
    connection: Option<Connection>,
    is_reused: bool,
}

impl PooledConnection<'_> {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("only what consumes it takes it out")
    }

    /// Whether mails went over it before.
    pub(super) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Keeps it for the next mail, or takes leave of a server that takes no more over it.
    pub(super) async fn return_to_pool(mut self, now: Timestamp) {
        let max = self.pool.lock_state().known_mail_limit(now);
        let mails = self.connection().mails_begun;
        if self.connection().reached_mail_limit() || max.is_some_and(|max| mails >= max) {
            return self.close_and_allow_replacement().await;
        }
        if let Some(connection) = self.connection.take() {
            let idle = IdleConnection { connection, expires: Box::pin(sleep(IDLE_TIMEOUT)) };
            self.pool.update_state(|state| state.idle.push(idle));
        }
    }

    /// Closes it, since the server takes no further mail over it. What it took over this one, it
    /// is taken to take over others, too.
    pub(super) async fn close_and_record_limit(mut self, now: Timestamp) {
        let taken = self.connection().mails_begun.saturating_sub(1);
        self.pool.lock_state().record_mails_taken(taken, now);
        self.close_and_allow_replacement().await;
    }

    /// Takes leave of the server. Another may be opened in its place without a wait.
    pub(super) async fn close_and_allow_replacement(self) {
        let pool = self.pool;
        self.close().await;
        pool.update_state(|state| state.replaceable += 1);
    }

    /// Takes leave of the server. It counts as open until the server has closed it.
    async fn close(mut self) {
        let open = OpenConnectionGuard(self.pool);
        if let Some(connection) = self.connection.take() {
            connection.wire.quit().await;
        }
        drop(open);
    }
}

impl Drop for PooledConnection<'_> {
    fn drop(&mut self) {
        if self.connection.take().is_some() {
            drop(OpenConnectionGuard(self.pool));
        }
    }
}

/// Counts one connection less when it is dropped.
struct OpenConnectionGuard<'p>(&'p SmtpPool);

impl Drop for OpenConnectionGuard<'_> {
    fn drop(&mut self) {
        self.0.update_state(|state| state.open_count = state.open_count.saturating_sub(1));
    }
}

impl SmtpPools {
    pub(super) fn pool_for(&self, notifier: &NotifierName) -> Arc<SmtpPool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pools.entry(notifier.clone()).or_default())
    }

    fn all_pools(&self) -> Vec<Arc<SmtpPool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Closes connections that are idle for too long, without end. It knows those that were idle
    /// when it was called: call it anew after each attempt.
    pub(in crate::notify) async fn close_expired_connections(&self) {
        let pools = self.all_pools();
        loop {
            let expired = poll_fn(|context| {
                pools
                    .iter()
                    .find_map(|pool| pool.poll_expired_connection(context))
                    .map_or(Poll::Pending, Poll::Ready)
            });
            expired.await.close().await;
        }
    }

    /// Takes leave of all servers, within seconds.
    pub(in crate::notify) async fn close(&self) {
        let pools = self.all_pools();
        join_all(
            pools
                .iter()
                .flat_map(|pool| pool.remove_idle_connections())
                .map(PooledConnection::close),
        )
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn what_a_server_takes_over_a_connection_is_remembered_for_a_while() {
        let mut state = PoolState::default();
        state.record_mails_taken(0, at(0));
        assert_eq!(state.known_mail_limit(at(0)), None, "a new one was refused");
        state.record_mails_taken(10, at(0));
        state.record_mails_taken(2, at(5));
        assert_eq!(state.known_mail_limit(at(599)), Some(10));
        assert_eq!(state.known_mail_limit(at(600)), None);
        state.record_mails_taken(2, at(600));
        state.record_mails_taken(10, at(601));
        assert_eq!(state.known_mail_limit(at(1200)), Some(10));
    }

    #[test]
    fn a_connection_is_replaced_without_a_wait_and_others_are_added_after_one() {
        let is_open = |turn: PoolTurn| matches!(turn, PoolTurn::Open(_));
        let mut state = PoolState { open_count: 1, ..PoolState::default() };
        assert!(!is_open(state.next_turn(0, false, at(0))));
        state.replaceable = 1;
        assert!(is_open(state.next_turn(0, false, at(0))));
        state.is_opening = false;
        assert!(!is_open(state.next_turn(0, false, at(0))));
        assert!(is_open(state.next_turn(0, true, at(0))));
    }
}
