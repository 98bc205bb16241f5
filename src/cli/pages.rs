//! Pages behind teasers, read as a running Tidings reads them.

use std::collections::HashMap;

use tokio::sync::Mutex;
use url::Url;

use crate::article;
use crate::article::PageContent;
use crate::article::robots;
use crate::article::robots::Robots;
use crate::cli::place::story;
use crate::clock::now;
use crate::config::{Config, Poll};
use crate::daemon::hosts::{HostPermits, Permit};
use crate::daemon::page::best_version;
use crate::feed::document::Item;
use crate::http;
use crate::http::{FetchError, HostKey, HttpAnswer, HttpRequest, Limits, Validators, Want};
use crate::notify::SendContext;
use tidings_rules::story::{Read, Story};

/// How much of a story is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the feed gives.
    Teaser,
    /// The page behind a teaser, too.
    Page,
}

/// Reads pages. `robots.txt` of each host is checked first, and requests have the pauses that the
/// configuration sets.
pub(super) struct Pages<'m> {
    means: &'m SendContext,
    limits: Limits,
    hosts: HostPermits,
    robots: Mutex<HashMap<Url, Robots>>,
}

impl<'m> Pages<'m> {
    pub(super) fn new(means: &'m SendContext, config: Option<&Config>) -> Self {
        let (poll, network) =
            config.map(|config| (config.poll, config.network.clone())).unwrap_or_default();
        let poll: Poll = poll;
        Self {
            means,
            limits: Limits::default(),
            hosts: HostPermits::new(&poll, network),
            robots: Mutex::default(),
        }
    }

    /// The story of `item`, and how much of it was read: where the feed gives a teaser, its page.
    pub(super) async fn read(&self, item: Item, depth: Depth) -> (Read, Story) {
        if !article::is_teaser(&item) {
            return (Read::Full, story(item));
        }
        let link = item.link.clone().filter(|link| matches!(link.scheme(), "http" | "https"));
        let read = match (link, depth) {
            (_, Depth::Teaser) => Err("its page was not requested".to_owned()),
            (None, Depth::Page) => Err("the feed gives no link to its page".to_owned()),
            (Some(link), Depth::Page) => self.text_of(&link).await,
        };
        match read {
            Ok(page) => {
                (Read::Full, story(Item { text: article::with_teaser(&item.text, &page), ..item }))
            }
            Err(why) => (Read::Teaser(why), story(item)),
        }
    }

    async fn text_of(&self, url: &Url) -> Result<String, String> {
        let seen = self
            .see(url.clone())
            .await
            .map_err(|why| format!("its page could not be read: {why}"))?;
        self.best_of(seen).await.text.map_err(|why| why.to_string())
    }

    /// `seen`, or the other version of that page where it has one that says more.
    pub(super) async fn best_of(&self, seen: PageContent) -> PageContent {
        best_version(seen, |other| self.see(other)).await.0
    }

    async fn see(&self, url: Url) -> Result<PageContent, FetchError> {
        let answer = self.fetch(url.clone(), Want::Page, async |hop| self.admit(hop).await).await?;
        let body = answer.body.unwrap_or_default();
        Ok(article::read_answer(&url, &body, answer.content_type.as_deref(), &answer.url))
    }

    async fn admit(&self, url: Url) -> Result<Permit<'_>, FetchError> {
        let mut known = self.robots.lock().await;
        let address = robots::address(&url);
        if !known.contains_key(&address) {
            let host = async |hop: Url| self.hosts.admit(HostKey::of(&hop)).await;
            let asked = self.fetch(address.clone(), Want::Robots, host).await;
            known.insert(address.clone(), Robots::of(asked.as_ref()));
        }
        known[&address].check(&url)?;
        drop(known);
        self.hosts.admit(HostKey::of(&url)).await
    }

    async fn fetch<P>(
        &self,
        url: Url,
        want: Want,
        admit: impl AsyncFn(Url) -> Result<P, FetchError>,
    ) -> Result<HttpAnswer, FetchError> {
        let request = HttpRequest { url, validators: Validators::default(), want };
        let rest = |host: &HostKey, asked: http::RetryAfter| {
            self.hosts.rest(host, asked.end(now()));
        };
        http::fetch(&self.means.http, &request, &self.limits, now(), |hop| admit(hop), rest).await
    }
}
