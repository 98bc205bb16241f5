//! Fetches feeds and pages within the limits of the configuration and of their hosts.

use std::sync::Arc;

use tokio::sync::Notify;
use url::Url;

use crate::clock::{has_passed, now};
use crate::daemon::hosts::{HostPermits, Permit};
use crate::daemon::in_force::Shared;
use crate::daemon::loans::{BorrowedHost, HostBorrower};
use crate::daemon::robots;
use crate::daemon::shares::{NodeShares, ShareUse};
use crate::http;
use crate::http::{
    FetchError, HostKey, HttpAnswer, HttpClients, HttpRequest, Limits, RetryAfter, Validators, Want,
};
use crate::shares::Share;
use crate::store::Store;

/// The clients in force, and what limits their requests.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(super) in_force: Shared,
    pub(super) hosts: Arc<HostPermits>,
    /// The shares of this node: it sends requests to their hosts without asking.
    pub(super) shares: Arc<NodeShares>,
    /// What asks other nodes for the other hosts. A node that is alone has none.
    pub(super) borrower: Option<HostBorrower>,
    pub(super) robots: robots::RobotsCache,
    /// The limits of every fetch. Fetches share the memory for bodies.
    pub(super) limits: Limits,
    /// Keeps the pauses of hosts.
    pub(super) store: Store,
}

/// The permission to send one request. It ends when this is dropped.
#[derive(Debug)]
pub(crate) enum Admission {
    /// To a host of this node, with the use of its share.
    Own(
        #[expect(dead_code, reason = "it is held")] Permit,
        #[expect(dead_code, reason = "it is held")] Option<ShareUse>,
    ),
    /// To a host of another node.
    Borrowed(#[expect(dead_code, reason = "it is held")] BorrowedHost),
}

impl Fetcher {
    /// The clients in force.
    pub(super) fn clients(&self) -> HttpClients {
        self.in_force.load().send_context.http.clone()
    }

    /// Fetches an `http`, `https` or `file` address within the limits of the configuration.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        want: Want,
        validators: Validators,
    ) -> Result<HttpAnswer, FetchError> {
        self.fetch_once_admitted(url, want, validators, &Notify::new()).await
    }

    /// Like [`fetch`](Self::fetch), and notifies `admitted` when a request begins.
    pub(super) async fn fetch_once_admitted(
        &self,
        url: &Url,
        want: Want,
        validators: Validators,
        admitted: &Notify,
    ) -> Result<HttpAnswer, FetchError> {
        if url.scheme() == "file" {
            return http::read_file(url, &validators).await;
        }
        let request = HttpRequest { url: url.clone(), validators, want };
        let admit = |url| async {
            let permit = self.admit(url, want).await?;
            admitted.notify_one();
            Ok(permit)
        };
        http::fetch(&self.clients(), &request, &self.limits, now(), admit, self.rest_recorder())
            .await
    }

    /// Waits for a permit for one request to the host of `url`. For a page, `robots.txt` of the
    /// host is checked first.
    pub(super) async fn admit(&self, url: Url, want: Want) -> Result<Admission, FetchError> {
        if want == Want::Page {
            robots::check_robots(self, &url).await?;
        }
        self.admit_to_host(&url).await
    }

    /// Waits for a permit for one request to the host of `url`. Another node may give it. Fails if
    /// the process stood still while it waited: another node may send requests to the host then.
    pub(super) async fn admit_to_host(&self, url: &Url) -> Result<Admission, FetchError> {
        let (host, share) = (HostKey::from_url(url), Share::of_site(url));
        let admission = match (self.shares.join(share), &self.borrower) {
            (None, Some(borrower)) => Admission::Borrowed(borrower.borrow(host, share).await?),
            (share, _) => Admission::Own(self.hosts.admit(host).await?, share),
        };
        if self.store.lease_deadline().is_some_and(has_passed) {
            return Err(FetchError::Unreachable("the lease of this node is over".to_owned()));
        }
        Ok(admission)
    }

    /// The function that records the pause that a host asks for, in the store too.
    pub(super) fn rest_recorder(&self) -> impl Fn(&HostKey, RetryAfter) {
        |host, asked| {
            let at = now();
            self.store.record_host_rest(
                host.0.clone(),
                self.hosts.extend_rest(host, asked.end(at)),
                at,
            );
        }
    }
}
