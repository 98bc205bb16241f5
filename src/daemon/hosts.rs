//! Permits to ask a host: so many at once, a pause between requests, and rest for a host that asked for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::daemon::clock::{after, now, until};

/// The hosts that were asked since the start, by name:port.
#[derive(Debug)]
pub(crate) struct Hosts {
    per_host: usize,
    gap: Duration,
    all: Arc<Semaphore>,
    known: Mutex<HashMap<String, Host>>,
}

#[derive(Debug)]
struct Host {
    permits: Arc<Semaphore>,
    free_at: Timestamp,
    rests_until: Timestamp,
}

/// The right to make one request; given back when dropped, and the pause begins then.
#[derive(Debug)]
pub(crate) struct Permit<'h> {
    hosts: &'h Hosts,
    host: String,
    _of_host: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.hosts.pause(&self.host);
    }
}

impl Hosts {
    /// `connections` permits in all, `per_host` for one host, `gap` between two requests to it.
    pub(crate) fn new(connections: usize, per_host: usize, gap: Duration) -> Self {
        Self { per_host, gap, all: Arc::new(Semaphore::new(connections)), known: Mutex::default() }
    }

    /// Waits for a permit for `host`. `own`: one of the user's own hosts, which needs no pause.
    pub(crate) async fn admit(&self, host: &str, own: bool) -> Permit<'_> {
        let permits = Arc::clone(&self.entry(host, |host| Arc::clone(&host.permits)));
        let of_host = permits.acquire_owned().await.expect("the semaphore is never closed");
        if !own {
            tokio::time::sleep(self.book(host)).await;
        }
        let of_all = Arc::clone(&self.all).acquire_owned().await.expect("the semaphore is never closed");
        Permit { hosts: self, host: host.to_owned(), _of_host: of_host, _of_all: of_all }
    }

    /// Until when `host` asked to be left alone, if that is still to come.
    pub(crate) fn rests_until(&self, host: &str) -> Option<Timestamp> {
        let until = self.entry(host, |host| host.rests_until);
        (until > now()).then_some(until)
    }

    /// Leaves `host` alone until then.
    pub(crate) fn rest(&self, host: &str, until: Timestamp) {
        self.entry(host, |host| host.rests_until = host.rests_until.max(until));
    }

    /// Books the next free start of a request, and says how far off it is.
    fn book(&self, host: &str) -> Duration {
        let now = now();
        self.entry(host, |host| {
            let start = host.free_at.max(now);
            host.free_at = after(start, self.gap);
            until(start, now)
        })
    }

    /// Keeps `host` free for the gap that follows a request.
    fn pause(&self, host: &str) {
        let end = after(now(), self.gap);
        self.entry(host, |host| host.free_at = host.free_at.max(end));
    }

    fn entry<T>(&self, name: &str, act: impl FnOnce(&mut Host) -> T) -> T {
        let mut known = self.lock();
        let host = known.entry(name.to_owned()).or_insert_with(|| Host {
            permits: Arc::new(Semaphore::new(self.per_host)),
            free_at: Timestamp::MIN,
            rests_until: Timestamp::MIN,
        });
        act(host)
    }

    /// A panic while the lock was held cannot leave a host half changed, so a poisoned lock is used on.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_has_one_request_at_a_time_and_another_host_is_not_held_up() {
        let hosts = Hosts::new(8, 1, Duration::ZERO);
        let first = hosts.admit("a:80", true).await;
        let _other = hosts.admit("b:80", true).await;
        let mut second = std::pin::pin!(hosts.admit("a:80", true));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await;
    }

    #[test]
    fn requests_to_one_host_are_booked_a_gap_apart() {
        let hosts = Hosts::new(8, 1, Duration::from_secs(10));
        assert_eq!(hosts.book("a:80"), Duration::ZERO);
        let second = hosts.book("a:80");
        let third = hosts.book("a:80");
        assert!(second > Duration::from_secs(5) && second <= Duration::from_secs(10), "{second:?}");
        assert!(third > Duration::from_secs(15) && third <= Duration::from_secs(20), "{third:?}");
        assert_eq!(hosts.book("b:80"), Duration::ZERO);
    }

    #[test]
    fn a_host_that_asked_for_rest_gets_the_longest_it_asked_for() {
        let hosts = Hosts::new(8, 1, Duration::ZERO);
        let later = now().checked_add(Duration::from_secs(600)).expect("in range");
        hosts.rest("a:80", later);
        hosts.rest("a:80", Timestamp::MIN);
        assert_eq!(hosts.rests_until("a:80"), Some(later));
        assert_eq!(hosts.rests_until("b:80"), None);
    }
}
