//! A cache of the `robots.txt` of hosts. Each is requested before the first page of its host, and
//! then once a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OnceCell;
use url::Url;

use crate::article::robots;
use crate::article::robots::Robots;
use crate::clock::{later, now};
use crate::daemon::fetcher::Fetcher;
use crate::http;
use crate::http::{FetchError, HttpRequest, Validators, Want};

/// How long a `robots.txt` is valid (RFC 9309, 2.4).
const VALID_FOR: Duration = Duration::from_hours(24);

/// The pause before a `robots.txt` that could not be read is requested again. It is shorter than
/// the wait of a page, so both are retried together.
const RETRY_PAUSE: Duration = Duration::from_secs(4);

/// The most entries. A full cache drops its expired entries, or else all of them.
const MOST_REMEMBERED: usize = 1024;

/// The `robots.txt` of hosts, by its address.
#[derive(Debug, Default)]
pub(crate) struct RobotsCache(Mutex<HashMap<Url, Arc<OnceCell<CachedRobots>>>>);

/// A `robots.txt`, and the time until which it is valid.
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
pub(crate) async fn check_robots(fetcher: &Fetcher, url: &Url) -> Result<(), FetchError> {
    let address = robots::address(url);
    let cell = fetcher.robots.cell(&address, now());
    cell.get_or_init(|| request_robots(fetcher, address)).await.robots.check(url)
}

async fn request_robots(fetcher: &Fetcher, address: Url) -> CachedRobots {
    let request =
        HttpRequest { url: address, validators: Validators::default(), want: Want::Robots };
    let admit = async |url: Url| fetcher.admit_to_host(&url).await;
    let answer = http::fetch(
        &fetcher.clients(),
        &request,
        &fetcher.limits,
        now(),
        admit,
        fetcher.rest_recorder(),
    )
    .await;
    let robots = Robots::from_answer(answer.as_ref());
    let valid_for = if matches!(robots, Robots::Says(_)) { VALID_FOR } else { RETRY_PAUSE };
    CachedRobots { robots, until: later(now(), valid_for) }
}

impl RobotsCache {
    /// The cell for the `robots.txt` at `address`; empty if it must be requested.
    fn cell(&self, address: &Url, now: Timestamp) -> Arc<OnceCell<CachedRobots>> {
        let is_valid =
            |cell: &OnceCell<CachedRobots>| cell.get().is_none_or(|robots| robots.until > now);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = known.get(address).filter(|cell| is_valid(cell)) {
            return Arc::clone(cell);
        }
        if known.len() >= MOST_REMEMBERED {
            known.retain(|_, cell| is_valid(cell));
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

    fn cached(until: Timestamp) -> CachedRobots {
        CachedRobots { robots: Robots::Unreachable(FetchError::Broken(String::new())), until }
    }

    fn address(host: usize) -> Url {
        format!("https://{host}.example/robots.txt").parse().unwrap()
    }

    #[test]
    fn an_entry_is_valid_until_its_time_is_over() {
        let (known, now) = (RobotsCache::default(), now());
        let cell = known.cell(&address(1), now);
        assert!(
            Arc::ptr_eq(&cell, &known.cell(&address(1), now)),
            "concurrent requests wait for the same answer"
        );
        cell.set(cached(later(now, RETRY_PAUSE))).unwrap();
        assert!(Arc::ptr_eq(&cell, &known.cell(&address(1), now)));
        assert!(known.cell(&address(2), now).get().is_none());
        assert!(known.cell(&address(1), later(now, RETRY_PAUSE)).get().is_none());
    }

    #[test]
    fn the_cache_has_a_limit() {
        let (known, now) = (RobotsCache::default(), now());
        for host in 0..3 * MOST_REMEMBERED {
            let until = if host % 2 == 0 { later(now, VALID_FOR) } else { now };
            known.cell(&address(host), now).set(cached(until)).unwrap();
        }
        assert!(known.0.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}
