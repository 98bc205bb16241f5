//! Fetches and reads a story's page. Where the page is empty or made for AMP, its other version is
//! read too.

use tracing::debug;
use url::Url;

use crate::article;
use crate::article::{NoArticle, PageContent};
use crate::daemon::story_parts::StoryParts;
use crate::http::{FetchError, Validators, Want};

/// The result of reading a page.
#[derive(Debug)]
pub(crate) struct PageReading {
    /// The article's text, preceded by what only the teaser says.
    pub(crate) text: Result<String, NoArticle>,
    /// The language that the page says it is in.
    pub(crate) lang: Option<String>,
    /// The number of fetches that it took.
    pub(crate) fetches: u32,
}

/// Reads the page at `url` of a story with the text `teaser`, with at most `most_fetches` fetches.
///
/// # Errors
/// If the page cannot be fetched.
pub(crate) async fn read_article(
    parts: &StoryParts,
    url: &Url,
    teaser: &str,
    most_fetches: u32,
) -> Result<PageReading, FetchError> {
    let page = fetch_page(parts, url).await?;
    let (page, fetches) = match most_fetches {
        0 | 1 => (page, 1),
        _ => choose_version(page, |other| async move { fetch_page(parts, &other).await }).await,
    };
    let text = match page.text {
        Ok(page) => {
            let teaser = teaser.to_owned();
            Ok(parts.threads.run(move || article::with_teaser(&teaser, &page)).await)
        }
        Err(why) => Err(why),
    };
    Ok(PageReading { text, lang: page.lang, fetches })
}

async fn fetch_page(parts: &StoryParts, url: &Url) -> Result<PageContent, FetchError> {
    let answer = parts.fetcher.fetch(url, Want::Page, Validators::default()).await?;
    let asked = url.clone();
    let body = answer.body.unwrap_or_default();
    let _work = parts.fetcher.limits.room.reserve_memory(&body).await;
    let read =
        move || article::read_answer(&asked, &body, answer.content_type.as_deref(), &answer.url);
    Ok(parts.threads.run(read).await)
}

/// The version to use of `page`: its other version, if `fetch` finds text there, or `page` itself.
/// Also returns the number of fetches for both.
pub(crate) async fn choose_version<F>(
    page: PageContent,
    fetch: impl FnOnce(Url) -> F,
) -> (PageContent, u32)
where
    F: Future<Output = Result<PageContent, FetchError>>,
{
    let Some(other) = page.instead.clone() else { return (page, 1) };
    match fetch(other).await {
        Ok(other) => match &other.text {
            Ok(_) => return (other, 2),
            Err(why) => debug!("the other version of a page has no text: {why}"),
        },
        Err(why) => debug!("the other version of a page cannot be read: {why}"),
    }
    (page, 2)
}
