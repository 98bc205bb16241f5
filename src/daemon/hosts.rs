//! Permits for requests to hosts. They limit the requests at once, keep a gap between requests, and
//! obey the pauses that hosts ask for.

mod slots;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::clock::{later, now, until};
use crate::config::{Network, Poll};
use crate::http::{FetchError, HostKey};
use slots::Slots;

/// The most hosts before those that are not in use are dropped. Article pages bring ever new hosts.
const MOST_REMEMBERED: usize = 4096;

/// The longest pause of a host, whatever it asks for.
const LONGEST_REST: Duration = Duration::from_hours(24);

/// How long the first request of a feed may delay others to its host.
pub(crate) const FIRST_REQUEST_TIME: Duration = Duration::from_secs(5);

/// How often the waiting requests are counted.
const WAITING_CHECK: Duration = Duration::from_secs(1);

/// The hosts that got requests since the start, by `name:port`.
#[derive(Debug)]
pub(crate) struct HostPermits(Mutex<HostLimits>);

/// The limits, and how far each host has used them.
#[derive(Debug)]
struct HostLimits {
    per_host: usize,
    gap: Duration,
    /// Says which hosts are the user's own.
    network: Network,
    connections: Slots,
    /// When the gaps end that begin with new shares.
    free_at: Timestamp,
    known: HashMap<HostKey, Host>,
}

#[derive(Debug)]
struct Host {
    slots: Slots,
    /// The number of requests that wait for a permit.
    waiting: usize,
    free_at: Timestamp,
    rests_since: Timestamp,
    rests_until: Timestamp,
}

impl Host {
    /// Whether it has a request in flight, or a pause.
    fn is_in_use(&self, now: Timestamp) -> bool {
        self.slots.is_in_use() || self.free_at > now || self.rests_until > now
    }
}

/// The permission to make one request. When it is dropped, the gap after the request begins.
#[derive(Debug)]
pub(crate) struct Permit {
    hosts: Arc<HostPermits>,
    host: HostKey,
    /// The slots of the host and of all connections, until they are released.
    slots: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.hosts.start_pause(&self.host);
        if let Some((host_slot, connection_slot)) = self.slots.take() {
            self.hosts.with_host(&self.host, |host| host.slots.release(host_slot));
            self.hosts.lock().connections.release(connection_slot);
        }
    }
}

/// A request that waits for a permit. It is counted until this is dropped.
struct WaitingRequest<'h> {
    hosts: &'h HostPermits,
    host: &'h HostKey,
}

impl<'h> WaitingRequest<'h> {
    fn start(hosts: &'h HostPermits, host: &'h HostKey) -> Self {
        hosts.with_host(host, |host| host.waiting += 1);
        Self { hosts, host }
    }
}

impl Drop for WaitingRequest<'_> {
    fn drop(&mut self) {
        self.hosts.with_host(self.host, |host| host.waiting = host.waiting.saturating_sub(1));
    }
}

impl HostPermits {
    /// Uses the limits of `poll`. `network` says which hosts are the user's own.
    pub(crate) fn new(poll: &Poll, network: Network) -> Arc<Self> {
        Arc::new(Self(Mutex::new(HostLimits {
            per_host: poll.per_host,
            gap: poll.gap,
            network,
            connections: Slots::new(poll.connections),
            free_at: Timestamp::MIN,
            known: HashMap::new(),
        })))
    }

    /// Uses other limits for requests that begin from now on. Pauses of hosts stay.
    pub(crate) fn change_limits(&self, poll: &Poll, network: Network) {
        let mut limits = self.lock();
        limits.connections.resize(poll.connections);
        for host in limits.known.values_mut() {
            host.slots.resize(poll.per_host);
        }
        (limits.per_host, limits.gap, limits.network) = (poll.per_host, poll.gap, network);
    }

    /// Begins the gap of every host, because another node may just have asked it.
    pub(crate) fn begin_gaps(&self) {
        let mut limits = self.lock();
        let end = later(now(), limits.gap);
        limits.free_at = end;
        for host in limits.known.values_mut() {
            host.free_at = host.free_at.max(end);
        }
    }

    /// Waits for a permit for one request to `host`. Fails if the host has a pause, even one that
    /// begins during the wait.
    pub(crate) async fn admit(self: &Arc<Self>, host: HostKey) -> Result<Permit, FetchError> {
        let slots = self.with_host(&host, |host| host.slots.semaphore());
        let waiting = WaitingRequest::start(self, &host);
        let host_slot = slots.acquire_owned().await.expect("the semaphore is never closed");
        drop(waiting);
        self.check_rest(&host)?;
        if !self.is_own_host(&host) {
            tokio::time::sleep(self.book_start(&host)).await;
        }
        let connections = self.lock().connections.semaphore();
        let connection_slot =
            connections.acquire_owned().await.expect("the semaphore is never closed");
        self.check_rest(&host)?;
        Ok(Permit { hosts: Arc::clone(self), host, slots: Some((host_slot, connection_slot)) })
    }

    /// Waits until a request that has a permit delays others to the same `host`.
    pub(crate) async fn wait_until_others_wait(&self, host: &HostKey) {
        tokio::time::sleep(FIRST_REQUEST_TIME).await;
        while self.with_host(host, |host| host.waiting) == 0 {
            tokio::time::sleep(WAITING_CHECK).await;
        }
    }

    /// Whether `host` is one of the user's own hosts, which need no gap between requests.
    fn is_own_host(&self, host: &HostKey) -> bool {
        Url::parse(&format!("http://{}/", host.0)).is_ok_and(|url| self.lock().network.owns(&url))
    }

    /// Fails while `host` has a pause that it asked for.
    fn check_rest(&self, host: &HostKey) -> Result<(), FetchError> {
        let until = self.with_host(host, |host| host.rests_until);
        if until > now() { Err(FetchError::Resting { host: host.clone(), until }) } else { Ok(()) }
    }

    /// Extends the pause of `host` to `until`, but to at most a day from now. Returns the end of
    /// its pause.
    pub(crate) fn extend_rest(&self, host: &HostKey, until: Timestamp) -> Timestamp {
        let now = now();
        let until = until.min(later(now, LONGEST_REST));
        self.with_host(host, |host| {
            if until > host.rests_until {
                (host.rests_since, host.rests_until) = (now, until);
            }
            host.rests_until
        })
    }

    /// Makes pauses that begin after `now` begin now. They come from a clock that was ahead.
    pub(crate) fn cut_waits(&self, now: Timestamp) {
        let mut limits = self.lock();
        let longest_pause = limits.gap * u32::try_from(limits.per_host + 1).unwrap_or(u32::MAX);
        limits.free_at = limits.free_at.min(later(now, longest_pause));
        for host in limits.known.values_mut() {
            host.free_at = host.free_at.min(later(now, longest_pause));
            if host.rests_since > now {
                host.rests_until = later(now, until(host.rests_until, host.rests_since));
                host.rests_since = now;
            }
        }
    }

    /// Reserves the next free start of a request. Returns the wait until then.
    fn book_start(&self, host: &HostKey) -> Duration {
        let (now, gap) = (now(), self.gap());
        self.with_host(host, |host| {
            let start = host.free_at.max(now);
            host.free_at = later(start, gap);
            until(start, now)
        })
    }

    /// Starts the gap after a request to `host`.
    fn start_pause(&self, host: &HostKey) {
        let end = later(now(), self.gap());
        self.with_host(host, |host| host.free_at = host.free_at.max(end));
    }

    fn gap(&self) -> Duration {
        self.lock().gap
    }

    fn with_host<T>(&self, name: &HostKey, act: impl FnOnce(&mut Host) -> T) -> T {
        let limits = &mut *self.lock();
        let (known, per_host, free_at) = (&mut limits.known, limits.per_host, limits.free_at);
        if known.len() >= MOST_REMEMBERED && !known.contains_key(name) {
            let now = now();
            known.retain(|_, host| host.is_in_use(now));
        }
        let host = known.entry(name.clone()).or_insert_with(|| Host {
            slots: Slots::new(per_host),
            waiting: 0,
            free_at,
            rests_since: Timestamp::MIN,
            rests_until: Timestamp::MIN,
        });
        act(host)
    }

    /// A panic cannot leave a host half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, HostLimits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(gap: u64) -> Arc<HostPermits> {
        let poll = Poll {
            min: Duration::ZERO,
            max: Duration::ZERO,
            first_poll: crate::config::FirstPoll::All,
            connections: 8,
            per_host: 1,
            gap: Duration::from_secs(gap),
        };
        let allow =
            vec!["127.0.0.0/8".parse().expect("a range"), "::1/128".parse().expect("a range")];
        HostPermits::new(&poll, Network { allow, ..Network::default() })
    }

    fn host(name: &str) -> HostKey {
        HostKey(name.to_owned())
    }

    #[tokio::test]
    async fn a_host_has_one_request_at_a_time_and_another_host_is_not_held_up() {
        let hosts = hosts(0);
        let first = hosts.admit(host("a:80")).await.expect("it does not rest");
        let _other = hosts.admit(host("b:80")).await.expect("it does not rest");
        let mut second = std::pin::pin!(hosts.admit(host("a:80")));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await.expect("it does not rest");
    }

    #[tokio::test]
    async fn no_more_requests_are_under_way_than_connections_are_allowed() {
        let hosts = hosts(0);
        let mut permits = Vec::new();
        for number in 0..8 {
            permits
                .push(hosts.admit(host(&format!("{number}:80"))).await.expect("it does not rest"));
        }
        let mut ninth = std::pin::pin!(hosts.admit(host("9:80")));
        assert!(futures_util::poll!(&mut ninth).is_pending());
        permits.pop();
        ninth.await.expect("it does not rest");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_holds_up_others_only_where_wait_until_others_wait() {
        let hosts = hosts(0);
        let first = hosts.admit(host("a:80")).await.expect("it does not rest");
        let hour = Duration::from_hours(1);
        let alone = tokio::time::timeout(hour, hosts.wait_until_others_wait(&host("a:80"))).await;
        assert!(alone.is_err());
        let mut second = Box::pin(hosts.admit(host("a:80")));
        assert!(futures_util::poll!(&mut second).is_pending());
        let asked = host("a:80");
        let waited = tokio::time::timeout(
            FIRST_REQUEST_TIME + WAITING_CHECK,
            hosts.wait_until_others_wait(&asked),
        );
        waited.await.expect("another waits");
        drop(second);
        assert_eq!(hosts.with_host(&host("a:80"), |host| host.waiting), 0);
        drop(first);
    }

    #[test]
    fn requests_to_one_host_are_booked_a_gap_apart() {
        let hosts = hosts(10);
        assert_eq!(hosts.book_start(&host("a:80")), Duration::ZERO);
        let second = hosts.book_start(&host("a:80"));
        let third = hosts.book_start(&host("a:80"));
        assert!(second > Duration::from_secs(5) && second <= Duration::from_secs(10), "{second:?}");
        assert!(third > Duration::from_secs(15) && third <= Duration::from_secs(20), "{third:?}");
        assert_eq!(hosts.book_start(&host("b:80")), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_gap_is_kept_before_a_request_and_after_its_answer_and_not_for_ones_own() {
        let hosts = hosts(10);
        let mut permit = hosts.admit(host("a:80")).await.expect("it does not rest");
        for _ in 0..2 {
            drop(permit);
            let early =
                tokio::time::timeout(Duration::from_secs(9), hosts.admit(host("a:80"))).await;
            assert!(early.is_err(), "ten seconds have not passed");
            permit = hosts.admit(host("a:80")).await.expect("it does not rest");
        }
        for _ in 0..2 {
            let own =
                tokio::time::timeout(Duration::from_millis(1), hosts.admit(host("127.0.0.1:80")))
                    .await;
            drop(own.expect("at once").expect("it does not rest"));
        }
    }

    #[test]
    fn a_host_that_asked_for_rest_gets_the_longest_it_asked_for() {
        let hosts = hosts(0);
        let until = later(now(), Duration::from_mins(10));
        hosts.extend_rest(&host("a:80"), until);
        hosts.extend_rest(&host("a:80"), Timestamp::MIN);
        assert_eq!(
            hosts.check_rest(&host("a:80")),
            Err(FetchError::Resting { host: host("a:80"), until })
        );
        assert_eq!(hosts.check_rest(&host("b:80")), Ok(()));
        hosts.extend_rest(&host("b:80"), Timestamp::MAX);
        let Err(FetchError::Resting { until, .. }) = hosts.check_rest(&host("b:80")) else {
            panic!("it rests")
        };
        assert!(until <= later(now(), LONGEST_REST), "{until}");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_and_no_gap_longer() {
        let hosts = hosts(10);
        hosts.book_start(&host("a:80"));
        hosts.extend_rest(&host("a:80"), later(now(), Duration::from_mins(10)));
        let earlier = now() - Duration::from_hours(5);
        hosts.cut_waits(earlier);
        let (free_at, rests_until) =
            hosts.with_host(&host("a:80"), |host| (host.free_at, host.rests_until));
        assert!(free_at <= later(earlier, Duration::from_secs(20)), "{free_at}");
        assert!(
            rests_until > earlier && rests_until <= later(earlier, Duration::from_mins(10)),
            "{rests_until}"
        );
        hosts.cut_waits(now());
        assert_eq!(hosts.with_host(&host("a:80"), |host| host.rests_until), rests_until);
    }

    #[tokio::test]
    async fn a_waiting_request_fails_when_its_host_asks_for_a_pause() {
        let hosts = hosts(0);
        let first = hosts.admit(host("a:80")).await.expect("it does not rest");
        let mut second = std::pin::pin!(hosts.admit(host("a:80")));
        assert!(futures_util::poll!(&mut second).is_pending());
        let until = later(now(), Duration::from_mins(10));
        hosts.extend_rest(&host("a:80"), until);
        drop(first);
        assert_eq!(second.await.err(), Some(FetchError::Resting { host: host("a:80"), until }));
    }

    #[test]
    fn a_host_is_ones_own_if_its_address_is_allowed() {
        for (name, own) in [
            ("127.0.0.1:80", true),
            ("[::1]:8080", true),
            ("localhost:80", true),
            ("10.0.0.1:80", false),
            ("a.b:80", false),
        ] {
            assert_eq!(hosts(0).is_own_host(&host(name)), own, "{name}");
        }
    }

    #[tokio::test]
    async fn hosts_are_forgotten_unless_something_is_to_be_kept_of_them() {
        let hosts = hosts(0);
        let _asked = hosts.admit(host("asked:80")).await.expect("it does not rest");
        hosts.extend_rest(&host("resting:80"), later(now(), Duration::from_mins(10)));
        for number in 0..2 * MOST_REMEMBERED {
            hosts.book_start(&host(&format!("{number}:80")));
        }
        let known = &hosts.lock().known;
        assert!(known.len() <= MOST_REMEMBERED, "{}", known.len());
        assert!(known.contains_key(&host("asked:80")) && known.contains_key(&host("resting:80")));
    }
}
