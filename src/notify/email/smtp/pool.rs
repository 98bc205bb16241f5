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
const IDLE: Duration = Duration::from_secs(30);

/// How long a mail waits for an open connection before another is opened: a quick server gets many
/// mails over one login.
const ANOTHER: Duration = Duration::from_millis(300);

/// How long no further connection is tried after the server refused one beside others.
const CROWDED: Duration = Duration::from_mins(1);

/// How long it is remembered how many mails a server takes over a connection.
const LEARNED: Duration = Duration::from_mins(10);

/// The connections of every email notifier.
#[derive(Clone, Debug, Default)]
pub(in crate::notify) struct Pools(Arc<Mutex<HashMap<NotifierName, Arc<Pool>>>>);

/// Those of one notifier.
#[derive(Debug, Default)]
pub(super) struct Pool {
    state: Mutex<PoolState>,
    /// Notified when a connection came back, was lost, was opened or was not.
    changed: Notify,
}

#[derive(Debug, Default)]
struct PoolState {
    /// The one that was used last is at the end.
    idle: Vec<Idle>,
    /// Connections that are open: idle ones and those that are lent.
    open: usize,
    /// Whether one is being opened.
    opening: bool,
    /// Connections that were closed after their last mail, and can be replaced without a wait.
    replaceable: usize,
    /// How many mails the server takes over a connection, as it showed, and until when that is
    /// heeded.
    mails: Option<(u32, Timestamp)>,
    /// How many the server bore when it refused one more, and until when that is heeded.
    crowded: Option<(usize, Timestamp)>,
    /// How the last login went through.
    mechanism: Option<Mechanism>,
    /// How often no connection could be opened, and why the last time.
    failures: u64,
    failure: Option<RetryReason>,
}

#[derive(Debug)]
struct Idle {
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
    fn turn(&mut self, seen: u64, waited: bool, now: Timestamp) -> PoolTurn {
        if let Some(Idle { connection, .. }) = self.idle.pop() {
            return PoolTurn::Use(connection);
        }
        if self.failures > seen
            && let Some(failure) = &self.failure
        {
            return PoolTurn::GiveUp(failure.clone());
        }
        let most = self
            .crowded
            .filter(|(_, until)| now < *until)
            .map_or(usize::MAX, |(most, _)| most.max(1));
        let is_early = self.open > 0 && self.replaceable == 0 && !waited;
        if self.opening || self.open >= most || is_early {
            return PoolTurn::Wait;
        }
        self.replaceable = self.replaceable.saturating_sub(1);
        self.opening = true;
        PoolTurn::Open(self.mechanism)
    }
}

impl PoolState {
    /// Takes in that the server took so many mails over a connection, and no more. One that went
    /// away for another reason may have taken fewer.
    fn learn(&mut self, taken: u32, now: Timestamp) {
        let known = self.taken_over_one(now).unwrap_or_default();
        if taken > 0 && taken >= known {
            self.mails = Some((taken, later(now, LEARNED)));
        }
    }

    /// How many mails the server takes over a connection, as far as that is known.
    fn taken_over_one(&self, now: Timestamp) -> Option<u32> {
        self.mails.filter(|(_, until)| now < *until).map(|(mails, _)| mails)
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all that wait.
    fn change(&self, change: impl FnOnce(&mut PoolState)) {
        change(&mut self.state());
        self.changed.notify_waiters();
    }

    /// A connection that is ready for a mail: a kept one, else a new one from `open`, which gets
    /// the mechanism of the last login. If no further one can be opened, it waits for one in use.
    pub(super) async fn take<F>(
        &self,
        now: Timestamp,
        open: impl Fn(Option<Mechanism>) -> F,
    ) -> Result<Lent<'_>, RetryReason>
    where
        F: Future<Output = Result<Connection, RetryReason>>,
    {
        let seen = self.state().failures;
        let mut another = pin!(sleep(ANOTHER));
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let turn = self.state().turn(seen, another.is_elapsed(), now);
            match turn {
                PoolTurn::Use(connection) => {
                    let mut lent = Lent { pool: self, connection: Some(connection), reused: true };
                    if lent.connection().reset().await {
                        return Ok(lent);
                    }
                    // The server closed it, or speaks out of turn.
                    lent.goodbye().await;
                }
                PoolTurn::Open(mechanism) => {
                    let opening = Opening(self);
                    match open(mechanism).await {
                        Ok(connection) => return Ok(opening.succeeded(connection)),
                        Err(why) => opening.failed(why, now)?,
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
    fn poll_expired(&self, context: &mut Context<'_>) -> Option<Lent<'_>> {
        let mut state = self.state();
        let expired = state
            .idle
            .iter_mut()
            .position(|idle| idle.expires.as_mut().poll(context).is_ready())?;
        let Idle { connection, .. } = state.idle.remove(expired);
        Some(Lent { pool: self, connection: Some(connection), reused: true })
    }

    fn take_idle(&self) -> Vec<Lent<'_>> {
        let idle = std::mem::take(&mut self.state().idle);
        let lent = |Idle { connection, .. }| Lent {
            pool: self,
            connection: Some(connection),
            reused: true,
        };
        idle.into_iter().map(lent).collect()
    }
}

/// The turn of the one who opens a connection. It ends when this is dropped, whatever becomes of
/// the attempt.
struct Opening<'p>(&'p Pool);

impl<'p> Opening<'p> {
    fn succeeded(self, connection: Connection) -> Lent<'p> {
        let pool = self.0;
        pool.change(|state| {
            state.open += 1;
            state.mechanism = connection.mechanism;
        });
        Lent { pool, connection: Some(connection), reused: false }
    }

    /// Says so to those who wait. With others open it is no failure: the server bears no more of
    /// them.
    fn failed(self, why: RetryReason, now: Timestamp) -> Result<(), RetryReason> {
        let mut state = self.0.state();
        if state.open > 0 {
            state.crowded = Some((state.open, later(now, CROWDED)));
            return Ok(());
        }
        state.failures += 1;
        state.failure = Some(why.clone());
        Err(why)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.opening = false);
    }
}

/// A connection in use. One that is dropped without being given back is closed, because the state
/// of its conversation is unknown.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
    reused: bool,
}

impl Lent<'_> {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("only what consumes it takes it out")
    }

    /// Whether mails went over it before.
    pub(super) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Keeps it for the next mail, or takes leave of a server that takes no more over it.
    pub(super) async fn give_back(mut self, now: Timestamp) {
        let most = self.pool.state().taken_over_one(now);
        let mails = self.connection().mails;
        if self.connection().is_used_up() || most.is_some_and(|most| mails >= most) {
            return self.goodbye().await;
        }
        if let Some(connection) = self.connection.take() {
            let idle = Idle { connection, expires: Box::pin(sleep(IDLE)) };
            self.pool.change(|state| state.idle.push(idle));
        }
    }

    /// Closes it, since the server takes no further mail over it. What it took over this one, it
    /// is taken to take over others, too.
    pub(super) async fn exhausted(mut self, now: Timestamp) {
        let taken = self.connection().mails.saturating_sub(1);
        self.pool.state().learn(taken, now);
        self.goodbye().await;
    }

    /// Takes leave of the server. Another may be opened in its place without a wait.
    pub(super) async fn goodbye(self) {
        let pool = self.pool;
        self.close().await;
        pool.change(|state| state.replaceable += 1);
    }

    /// Takes leave of the server. It counts as open until the server has closed it.
    async fn close(mut self) {
        let open = OpenUntilDropped(self.pool);
        if let Some(connection) = self.connection.take() {
            connection.wire.goodbye().await;
        }
        drop(open);
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if self.connection.take().is_some() {
            drop(OpenUntilDropped(self.pool));
        }
    }
}

/// Counts one connection less when it is dropped.
struct OpenUntilDropped<'p>(&'p Pool);

impl Drop for OpenUntilDropped<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.open = state.open.saturating_sub(1));
    }
}

impl Pools {
    pub(super) fn of(&self, notifier: &NotifierName) -> Arc<Pool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pools.entry(notifier.clone()).or_default())
    }

    fn all(&self) -> Vec<Arc<Pool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Closes connections that are idle for too long, without end. It knows those that were idle
    /// when it was called: call it anew after each attempt.
    pub(in crate::notify) async fn tend(&self) {
        let pools = self.all();
        loop {
            let expired = poll_fn(|context| {
                pools
                    .iter()
                    .find_map(|pool| pool.poll_expired(context))
                    .map_or(Poll::Pending, Poll::Ready)
            });
            expired.await.close().await;
        }
    }

    /// Takes leave of all servers, within seconds.
    pub(in crate::notify) async fn close(&self) {
        let pools = self.all();
        join_all(pools.iter().flat_map(|pool| pool.take_idle()).map(Lent::close)).await;
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
        state.learn(0, at(0));
        assert_eq!(state.taken_over_one(at(0)), None, "a new one was refused");
        state.learn(10, at(0));
        state.learn(2, at(5));
        assert_eq!(state.taken_over_one(at(599)), Some(10));
        assert_eq!(state.taken_over_one(at(600)), None);
        state.learn(2, at(600));
        state.learn(10, at(601));
        assert_eq!(state.taken_over_one(at(1200)), Some(10));
    }

    #[test]
    fn a_connection_is_replaced_without_a_wait_and_others_are_added_after_one() {
        let is_open = |turn: PoolTurn| matches!(turn, PoolTurn::Open(_));
        let mut state = PoolState { open: 1, ..PoolState::default() };
        assert!(!is_open(state.turn(0, false, at(0))));
        state.replaceable = 1;
        assert!(is_open(state.turn(0, false, at(0))));
        state.opening = false;
        assert!(!is_open(state.turn(0, false, at(0))));
        assert!(is_open(state.turn(0, true, at(0))));
    }
}
