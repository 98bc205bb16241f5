//! One look at a story's page: fetched, read, and where it is empty or made for AMP, its other version too.

use std::sync::Arc;

use tracing::debug;
use url::Url;

use crate::daemon::{World, heavy};
use crate::feed::article::{self, NoArticle, Seen};
use crate::feed::fetch::{FetchError, Validators, Want};

/// The most page fetches that one story gets, over all its edits and looks.
pub(crate) const MOST_FETCHES: u32 = 3;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Page {
    /// The article's text, with what of the teaser it does not say.
    pub(crate) text: Result<String, NoArticle>,
    /// How many fetches it took.
    pub(crate) fetches: u32,
}

/// Looks at the page at `url` of a story whose feed says `teaser`, with at most `room` fetches.
///
/// # Errors
/// Where it cannot be had.
pub(crate) async fn look(world: &Arc<World>, url: &Url, teaser: &str, room: u32) -> Result<Page, FetchError> {
    let Page { text, fetches } = look_at_versions(world, url, room).await?;
    let text = match text {
        Ok(page) => {
            let teaser = teaser.to_owned();
            Ok(heavy(world, move || article::with_teaser(&teaser, &page)).await)
        }
        Err(why) => Err(why),
    };
    Ok(Page { text, fetches })
}

async fn look_at_versions(world: &Arc<World>, url: &Url, room: u32) -> Result<Page, FetchError> {
    let seen = see(world, url).await?;
    let Some(other) = seen.instead.filter(|_| room > 1) else {
        return Ok(Page { text: seen.text, fetches: 1 });
    };
    let text = match see(world, &other).await {
        Ok(Seen { text: Ok(text), .. }) => Ok(text),
        Ok(Seen { text: Err(why), .. }) => {
            debug!("the other version of a page says no more: {why}");
            seen.text
        }
        Err(why) => {
            debug!("the other version of a page could not be read: {why}");
            seen.text
        }
    };
    Ok(Page { text, fetches: 2 })
}

async fn see(world: &Arc<World>, url: &Url) -> Result<Seen, FetchError> {
    let answer = world.fetch(url, Want::Page, Validators::default()).await?;
    if let Some(why) = article::strayed(url, &answer.url) {
        return Ok(Seen::nothing(why));
    }
    let body = answer.body.unwrap_or_default();
    let _work = world.limits.room.work(&body).await;
    Ok(heavy(world, move || article::look(&body, answer.content_type.as_deref(), &answer.url)).await)
}
