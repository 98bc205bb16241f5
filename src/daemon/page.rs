//! One look at a story's page: fetched, read, and where it is empty or made for AMP, its other
//! version too.

use std::sync::Arc;

use tracing::debug;
use url::Url;

use crate::article;
use crate::article::{NoArticle, PageContent};
use crate::daemon::world::{World, run_blocking_limited};
use crate::http::{FetchError, Validators, Want};

/// What was seen.
#[derive(Debug)]
pub(crate) struct PageReading {
    /// The article's text, with what of the teaser it does not say.
    pub(crate) text: Result<String, NoArticle>,
    /// How many fetches it took.
    pub(crate) fetches: u32,
}

/// Looks at the page at `url` of a story whose feed says `teaser`, with at most `room` fetches.
///
/// # Errors
/// Where it cannot be had.
pub(crate) async fn read_article(
    world: &Arc<World>,
    url: &Url,
    teaser: &str,
    room: u32,
) -> Result<PageReading, FetchError> {
    let PageReading { text, fetches } = read_versions(world, url, room).await?;
    let text = match text {
        Ok(page) => {
            let teaser = teaser.to_owned();
            Ok(run_blocking_limited(world, move || article::with_teaser(&teaser, &page)).await)
        }
        Err(why) => Err(why),
    };
    Ok(PageReading { text, fetches })
}

async fn read_versions(
    world: &Arc<World>,
    url: &Url,
    room: u32,
) -> Result<PageReading, FetchError> {
    let seen = see(world, url).await?;
    let (seen, fetches) = match room {
        0 | 1 => (seen, 1),
        _ => best_version(seen, |other| async move { see(world, &other).await }).await,
    };
    Ok(PageReading { text: seen.text, fetches })
}

/// The content to use for a page: its other version, if it has one that `see` can read, or the page
/// itself (`seen`). Also returns the number of fetches for both.
pub(crate) async fn best_version<S>(
    seen: PageContent,
    see: impl FnOnce(Url) -> S,
) -> (PageContent, u32)
where
    S: Future<Output = Result<PageContent, FetchError>>,
{
    let Some(other) = seen.instead.clone() else { return (seen, 1) };
    match see(other).await {
        Ok(other) => match &other.text {
            Ok(_) => return (other, 2),
            Err(why) => debug!("the other version of a page says no more: {why}"),
        },
        Err(why) => debug!("the other version of a page could not be read: {why}"),
    }
    (seen, 2)
}

async fn see(world: &Arc<World>, url: &Url) -> Result<PageContent, FetchError> {
    let answer = world.fetch(url, Want::Page, Validators::default()).await?;
    let asked = url.clone();
    let body = answer.body.unwrap_or_default();
    let _work = world.limits.room.reserve_memory(&body).await;
    let look =
        move || article::read_answer(&asked, &body, answer.content_type.as_deref(), &answer.url);
    Ok(run_blocking_limited(world, look).await)
}
