//! Fetches and reads a story's page, and what is to be read after it: where an empty page sends
//! browsers, another version, the next pages of the article.

use std::sync::Arc;

use tracing::debug;
use url::Url;

use crate::article;
use crate::article::{FeedTexts, FetchedPage, NextRead, NoArticle, PageContent, PartOfArticle};
use crate::daemon::story_parts::StoryParts;
use crate::http::{FetchError, Validators, Want};
use tidings_rules::story::Read;

/// The result of reading a page.
#[derive(Debug)]
pub(crate) struct PageReading {
    /// The article's text, preceded by what only the teaser says.
    pub(crate) text: Result<PageText, NoArticle>,
    /// The language that the page says it is in.
    pub(crate) lang: Option<String>,
    /// The number of fetches that it took.
    pub(crate) fetches: u32,
}

/// A text that was read, and how much of the article it is.
#[derive(Debug)]
pub(crate) struct PageText {
    pub(crate) body: String,
    pub(crate) read: Read,
}

/// Reads the page at `url` of a story with this headline and teaser, with at most `most_fetches`
/// fetches.
///
/// # Errors
/// If the page cannot be fetched.
pub(crate) async fn read_article(
    parts: &StoryParts,
    url: &Url,
    (headline, teaser): (&str, &str),
    most_fetches: u32,
) -> Result<PageReading, FetchError> {
    let feed = Arc::new(FeedTexts::new(headline, teaser));
    let page = fetch_page(parts, url, url, &feed).await?;
    let fetch = |next: NextRead| {
        let feed = feed_texts_for(&next, &feed);
        async move { fetch_page(parts, url, next.url(), &feed).await }
    };
    let (page, fetches) = read_on(page, most_fetches, fetch).await;
    let text = match page.text {
        Ok(text) => {
            let teaser = teaser.to_owned();
            let body = parts.threads.run(move || article::with_teaser(&teaser, &text)).await;
            Ok(PageText { body, read: extent(page.part) })
        }
        Err(why) => Err(why),
    };
    Ok(PageReading { text, lang: page.lang, fetches })
}

/// How much was read of an article.
pub(crate) fn extent(part: Option<PartOfArticle>) -> Read {
    part.map_or(Read::Full, |why| Read::Partial(why.to_string()))
}

/// What a page is compared with. The second page of an article need not say what the feed says.
pub(crate) fn feed_texts_for(next: &NextRead, feed: &Arc<FeedTexts>) -> Arc<FeedTexts> {
    match next {
        NextRead::NextPage(_) => Arc::default(),
        NextRead::Refresh(_) | NextRead::OtherVersion(_) => Arc::clone(feed),
    }
}

async fn fetch_page(
    parts: &StoryParts,
    asked: &Url,
    url: &Url,
    feed: &Arc<FeedTexts>,
) -> Result<PageContent, FetchError> {
    let answer = parts.fetcher.fetch(url, Want::Page, Validators::default()).await?;
    let body = answer.body.unwrap_or_default();
    let _work = parts.fetcher.limits.room.reserve_memory(&body).await;
    let (asked, feed) = (asked.clone(), Arc::clone(feed));
    let read = move || {
        let page = FetchedPage {
            asked: &asked,
            url: &answer.url,
            bytes: &body,
            content_type: answer.content_type.as_deref(),
            refresh: answer.refresh.as_deref(),
        };
        article::read_answer(page, &feed)
    };
    Ok(parts.threads.run(read).await)
}

/// The content of `page` and of what is to be read after it, with at most `most_fetches` fetches,
/// the one of `page` included. Also returns the number of fetches.
pub(crate) async fn read_on<F>(
    mut page: PageContent,
    most_fetches: u32,
    fetch: impl Fn(NextRead) -> F,
) -> (PageContent, u32)
where
    F: Future<Output = Result<PageContent, FetchError>>,
{
    let mut fetches = 1;
    while fetches < most_fetches
        && let Some(next) = page.take_next()
    {
        let found = fetch(next.clone()).await.map_err(|why| why.to_string());
        fetches += 1;
        match found.as_ref().map(|found| found.text.as_ref().err()) {
            Ok(None) => {}
            Ok(Some(why)) => {
                debug!(event = "page_failed", "{} holds no article: {why}", next.url());
            }
            Err(why) => debug!(event = "page_failed", "{} cannot be read: {why}", next.url()),
        }
        page = page.continued(&next, found);
    }
    (page.ended(), fetches)
}
