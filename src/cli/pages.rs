//! Reads the pages behind teasers, as a running Tidings does.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use url::Url;

use crate::article;
use crate::article::robots;
use crate::article::robots::Robots;
use crate::article::{FeedTexts, FetchedPage, NextRead, PageContent};
use crate::cli::place::story_from_item;
use crate::clock::now;
use crate::config::{Config, Poll};
use crate::daemon::hosts::{HostPermits, Permit};
use crate::daemon::page::{PageText, extent, feed_texts_for, read_on};
use crate::feed::document::Item;
use crate::http;
use crate::http::{FetchError, HostKey, HttpAnswer, HttpRequest, Limits, Validators, Want};
use crate::lifecycle::page_wait;
use crate::notify::SendContext;
use tidings_rules::story::{Read, Story};

/// How much of a story is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadDepth {
    /// Only what the feed gives.
    Teaser,
    /// Also the page behind a teaser.
    Page,
}

/// Reads pages. `robots.txt` of each host is checked first, and requests have the pauses that the
/// configuration sets.
pub(super) struct PageReader<'m> {
    send_context: &'m SendContext,
    limits: Limits,
    hosts: Arc<HostPermits>,
    robots: Mutex<HashMap<Url, Robots>>,
}

impl<'m> PageReader<'m> {
    pub(super) fn new(send_context: &'m SendContext, config: Option<&Config>) -> Self {
        let (poll, network) =
            config.map(|config| (config.poll, config.network.clone())).unwrap_or_default();
        let poll: Poll = poll;
        Self {
            send_context,
            limits: Limits::default(),
            hosts: HostPermits::new(&poll, network),
            robots: Mutex::default(),
        }
    }

    /// The story of `item`, and how much of it was read. If the feed gives a teaser, its page is
    /// read.
    pub(super) async fn read_story(&self, item: Item, depth: ReadDepth) -> (Read, Story) {
        if !article::is_teaser(&item) {
            return (Read::Full, story_from_item(item, None));
        }
        let link = item.link.clone().filter(|link| matches!(link.scheme(), "http" | "https"));
        let read = match (link, depth) {
            (_, ReadDepth::Teaser) => Err("its page was not requested".to_owned()),
            (None, ReadDepth::Page) => Err("the feed gives no link to its page".to_owned()),
            (Some(link), ReadDepth::Page) => self.read_text(&link, &item).await,
        };
        match read {
            Ok((PageText { body, read }, lang)) => {
                (read, story_from_item(Item { text: body, ..item }, lang.as_deref()))
            }
            Err(why) => (Read::Teaser(why), story_from_item(item, None)),
        }
    }

    /// The text of `item` with its page at `url`, and the language that the page says.
    async fn read_text(
        &self,
        url: &Url,
        item: &Item,
    ) -> Result<(PageText, Option<String>), String> {
        let feed = Arc::new(FeedTexts::new(&item.title, &item.text));
        let page = self
            .fetch_page(url, url, &feed)
            .await
            .map_err(|why| format!("its page could not be read: {why}"))?;
        let PageContent { text, part, lang, .. } = self.read_on(page, url, &feed).await;
        let text = text.map_err(|why| why.to_string())?;
        let body = article::with_teaser(&item.text, &text);
        Ok((PageText { body, read: extent(part) }, lang))
    }

    /// The content of `page`, which the link `asked` led to, and of what is to be read after it.
    pub(super) async fn read_on(
        &self,
        page: PageContent,
        asked: &Url,
        feed: &Arc<FeedTexts>,
    ) -> PageContent {
        let fetch = |next: NextRead| async move {
            self.fetch_page(asked, next.url(), &feed_texts_for(&next, feed)).await
        };
        read_on(page, page_wait::MOST_FETCHES, fetch).await.0
    }

    async fn fetch_page(
        &self,
        asked: &Url,
        url: &Url,
        feed: &FeedTexts,
    ) -> Result<PageContent, FetchError> {
        let answer = self.fetch(url.clone(), Want::Page, async |hop| self.admit(hop).await).await?;
        let body = answer.body.unwrap_or_default();
        let page = FetchedPage {
            asked,
            url: &answer.url,
            bytes: &body,
            content_type: answer.content_type.as_deref(),
            refresh: answer.refresh.as_deref(),
        };
        Ok(article::read_answer(page, feed))
    }

    async fn admit(&self, url: Url) -> Result<Permit, FetchError> {
        let mut known = self.robots.lock().await;
        let address = robots::address(&url);
        if !known.contains_key(&address) {
            let host = async |hop: Url| self.hosts.admit(HostKey::from_url(&hop)).await;
            let asked = self.fetch(address.clone(), Want::Robots, host).await;
            known.insert(address.clone(), Robots::from_answer(asked.as_ref()));
        }
        known[&address].check(&url)?;
        drop(known);
        self.hosts.admit(HostKey::from_url(&url)).await
    }

    async fn fetch<P>(
        &self,
        url: Url,
        want: Want,
        admit: impl AsyncFn(Url) -> Result<P, FetchError>,
    ) -> Result<HttpAnswer, FetchError> {
        let request = HttpRequest { url, validators: Validators::default(), want };
        let rest = |host: &HostKey, asked: http::RetryAfter| {
            self.hosts.extend_rest(host, asked.end(now()));
        };
        http::fetch(&self.send_context.http, &request, &self.limits, now(), |hop| admit(hop), rest)
            .await
    }
}
