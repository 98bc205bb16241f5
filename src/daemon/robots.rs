//! `robots.txt` of hosts, requested once a day, before the first page of a host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OnceCell;
use url::Url;

use crate::article::robots;
use crate::article::robots::Robots;
use crate::clock::{later, now};
use crate::daemon::context::RunContext;
use crate::http;
use crate::http::{FetchError, HostKey, HttpRequest, Validators, Want};

/// How long a host's robots.txt is believed (RFC 9309, 2.4).
const VALID_FOR: Duration = Duration::from_hours(24);

/// How long a `robots.txt` that could not be read is not requested again: shorter than the wait of
/// a page, so both are retried together.
const RETRY_PAUSE: Duration = Duration::from_secs(4);

/// How many hosts are remembered before those are forgotten whose time is over, or else all: pages
/// bring ever new ones.
const MOST_REMEMBERED: usize = 1024;

/// What hosts said since the start, by the address of their robots.txt.
#[derive(Debug, Default)]
pub(crate) struct RobotsCache(Mutex<HashMap<Url, Arc<OnceCell<CachedRobots>>>>);

/// What a host said.
#[derive(Debug)]
struct CachedRobots {
    robots: Robots,
    until: Timestamp,
}

/// Whether the page at `url` may be fetched. Requests `robots.txt` of its host first, unless it was
/// read within a day. Concurrent calls wait for the same answer.
///
/// # Errors
/// As [`Robots::check`].
pub(crate) async fn check_robots(context: &RunContext, url: &Url) -> Result<(), FetchError> {
    let address = robots::address(url);
    let cell = context.robots.cell(&address, now());
    cell.get_or_init(|| request_robots(context, address)).await.robots.check(url)
}

async fn request_robots(context: &RunContext, address: Url) -> CachedRobots {
    let request =
        HttpRequest { url: address, validators: Validators::default(), want: Want::Robots };
    let admit = |url: Url| context.hosts.admit(HostKey::from_url(&url));
    let asked = http::fetch(
        &context.send_context.clients,
        &request,
        &context.limits,
        now(),
        admit,
        context.rest_recorder(),
    )
    .await;
    let robots = Robots::from_answer(asked.as_ref());
    let kept = if matches!(robots, Robots::Says(_)) { VALID_FOR } else { RETRY_PAUSE };
    CachedRobots { robots, until: later(now(), kept) }
}

impl RobotsCache {
    /// The cell for the `robots.txt` at `address`; empty if it must be requested.
    fn cell(&self, address: &Url, now: Timestamp) -> Arc<OnceCell<CachedRobots>> {
        let is_good =
            |cell: &OnceCell<CachedRobots>| cell.get().is_none_or(|said| said.until > now);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = known.get(address).filter(|cell| is_good(cell)) {
            return Arc::clone(cell);
        }
        if known.len() >= MOST_REMEMBERED {
            known.retain(|_, cell| is_good(cell));
        }
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        let cell = Arc::default();
        known.insert(address.clone(), Arc::clone(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(until: Timestamp) -> CachedRobots {
        CachedRobots { robots: Robots::Unreachable(FetchError::Broken(String::new())), until }
    }

    fn address(host: usize) -> Url {
        format!("https://{host}.example/robots.txt").parse().unwrap()
    }

    #[test]
    fn what_was_said_holds_until_its_time_is_over() {
        let (known, now) = (RobotsCache::default(), now());
        let cell = known.cell(&address(1), now);
        assert!(
            Arc::ptr_eq(&cell, &known.cell(&address(1), now)),
            "who comes while it is asked waits for the same answer"
        );
        cell.set(said(later(now, RETRY_PAUSE))).unwrap();
        assert!(Arc::ptr_eq(&cell, &known.cell(&address(1), now)));
        assert!(known.cell(&address(2), now).get().is_none());
        assert!(known.cell(&address(1), later(now, RETRY_PAUSE)).get().is_none());
    }

    #[test]
    fn no_more_hosts_are_remembered_than_there_is_room_for() {
        let (known, now) = (RobotsCache::default(), now());
        for host in 0..3 * MOST_REMEMBERED {
            let until = if host % 2 == 0 { later(now, VALID_FOR) } else { now };
            known.cell(&address(host), now).set(said(until)).unwrap();
        }
        assert!(known.0.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}
