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

/// How long an unused connection is kept. Servers close theirs after five minutes (RFC 5321,
/// 4.5.3.2.7).
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a mail waits for an open connection before another is opened. A fast server thus gets
/// many mails over one login.
const WAIT_BEFORE_ANOTHER: Duration = Duration::from_millis(300);

/// How long no further connection is opened after the server refused one while others were open.
const CONNECTION_LIMIT_LIFETIME: Duration = Duration::from_mins(1);

/// How long the number of mails that a server takes over a connection is remembered.
const MAIL_LIMIT_LIFETIME: Duration = Duration::from_mins(10);

/// The connections of every email notifier.
#[derive(Clone, Debug, Default)]
pub(in crate::notify) struct SmtpPools(Arc<Mutex<HashMap<NotifierName, Arc<SmtpPool>>>>);

/// The connections of one notifier.
#[derive(Debug, Default)]
pub(super) struct SmtpPool {
    state: Mutex<PoolState>,
    /// Notified when a connection was returned, closed or opened, or could not be opened.
    changed: Notify,
}

#[derive(Debug, Default)]
struct PoolState {
    /// The connection that was used last is at the end.
    idle: Vec<IdleConnection>,
    /// The number of open connections, idle or in use.
    open_count: usize,
    /// Whether a connection is being opened.
    is_opening: bool,
    /// The number of connections that were closed and can be replaced without a wait.
    replaceable: usize,
    /// How many mails the server was seen to take over a connection, and until when that holds.
    mail_limit: Option<(u32, Timestamp)>,
    /// How many connections were open when the server refused one more, and until when that holds.
    connection_limit: Option<(usize, Timestamp)>,
    /// The mechanism of the last successful login.
    last_mechanism: Option<Mechanism>,
    /// How often no connection could be opened, and the last reason.
    failure_count: u64,
    last_failure: Option<RetryReason>,
    /// Whether the settings of the notifier have changed: then no connection is kept.
    is_retired: bool,
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
    /// The next step of a caller that arrived after `failures_before` failures. `has_waited` says
    /// that it waited for `WAIT_BEFORE_ANOTHER`. While a connection is being opened, the others
    /// wait. If it fails, it fails for all of them, so that a wrong password is tried only once.
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
    /// Records how many mails the server took over a connection before it refused another. Fewer
    /// than known do not count: that connection may have ended for another reason.
    fn record_mails_taken(&mut self, taken: u32, now: Timestamp) {
        let known = self.known_mail_limit(now).unwrap_or_default();
        if taken > 0 && taken >= known {
            self.mail_limit = Some((taken, later(now, MAIL_LIMIT_LIFETIME)));
        }
    }

    /// How many mails the server takes over a connection, if known.
    fn known_mail_limit(&self, now: Timestamp) -> Option<u32> {
        self.mail_limit.filter(|(_, until)| now < *until).map(|(mails, _)| mails)
    }
}

impl SmtpPool {
    fn lock_state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all waiting callers.
    fn update_state(&self, change: impl FnOnce(&mut PoolState)) {
        change(&mut self.lock_state());
        self.changed.notify_waiters();
    }

    /// A connection that is ready for a mail: an idle one, or a new one from `open`, which gets the
    /// mechanism of the last login. If no further one can be opened, waits for one in use.
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
                    // The server closed it, or sent an unexpected reply.
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

    /// Removes a connection that was idle for too long.
    fn poll_expired_connection(&self, context: &mut Context<'_>) -> Option<PooledConnection<'_>> {
        let mut state = self.lock_state();
        let expired = state
            .idle
            .iter_mut()
            .position(|idle| idle.expires.as_mut().poll(context).is_ready())?;
        let IdleConnection { connection, .. } = state.idle.remove(expired);
        Some(PooledConnection { pool: self, connection: Some(connection), is_reused: true })
    }

    /// Closes the idle connections, and those in use after their mail.
    async fn retire(self: Arc<Self>) {
        self.lock_state().is_retired = true;
        join_all(self.remove_idle_connections().into_iter().map(PooledConnection::close)).await;
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

/// The right to open a connection. It ends when this is dropped, even if the attempt is cancelled.
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

    /// Records the failure for the waiting callers. If other connections are open, it is no
    /// failure: the server accepts no more of them.
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

/// A connection in use. If it is dropped without being returned, it is closed, because the state of
/// its conversation is unknown.
pub(super) struct PooledConnection<'p> {
    pool: &'p SmtpPool,
    connection: Option<Connection>,
    is_reused: bool,
}

impl PooledConnection<'_> {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("only what consumes it takes it out")
    }

    /// Whether mails were sent over it before.
    pub(super) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Keeps it for the next mail, or closes it if the server takes no more mails over it.
    pub(super) async fn return_to_pool(mut self, now: Timestamp) {
        let max = self.pool.lock_state().known_mail_limit(now);
        let mails = self.connection().mails_begun;
        let is_last = self.connection().reached_mail_limit() || max.is_some_and(|max| mails >= max);
        if is_last || self.pool.lock_state().is_retired {
            return self.close_and_allow_replacement().await;
        }
        if let Some(connection) = self.connection.take() {
            let idle = IdleConnection { connection, expires: Box::pin(sleep(IDLE_TIMEOUT)) };
            self.pool.update_state(|state| state.idle.push(idle));
        }
    }

    /// Closes it because the server takes no further mail over it. The number of mails that it took
    /// is recorded as the limit of other connections.
    pub(super) async fn close_and_record_limit(mut self, now: Timestamp) {
        let taken = self.connection().mails_begun.saturating_sub(1);
        self.pool.lock_state().record_mails_taken(taken, now);
        self.close_and_allow_replacement().await;
    }

    /// Closes it. Another may be opened in its place without a wait.
    pub(super) async fn close_and_allow_replacement(self) {
        let pool = self.pool;
        self.close().await;
        pool.update_state(|state| state.replaceable += 1);
    }

    /// Closes it. It counts as open until the server has closed it.
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

/// Reduces the number of open connections by one when it is dropped.
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

    /// Opens new connections for these notifiers from now on, because their settings have changed.
    /// The future closes the old ones within seconds; those in use are closed after their mail.
    pub(in crate::notify) fn retire(
        &self,
        notifiers: &[NotifierName],
    ) -> impl Future<Output = ()> + Send + use<> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let retired: Vec<_> =
            notifiers.iter().filter_map(|notifier| pools.remove(notifier)).collect();
        async move {
            join_all(retired.into_iter().map(SmtpPool::retire)).await;
        }
    }

    /// Closes connections that are idle for too long. Never returns. Later idle connections are not
    /// seen, so it must be called again after each attempt.
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

    /// Closes all idle connections, within seconds.
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
    fn the_mail_limit_of_a_server_is_remembered_for_ten_minutes() {
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
