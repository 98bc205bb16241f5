//! Rechecks the pages of unchanged items, at the ages that `recheck` sets.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use crate::alerts::admit;
use crate::clock::{later, now};
use crate::daemon::page::PageText;
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::shares::ShareUse;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::{Mode, page, scheduler};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::shares::Share;
use crate::store::{RecheckDue, RecheckResult, StoreError, StoryId};
use tidings_rules::story::{Read, Story};

/// The most pages that are rechecked at once.
const AT_ONCE: usize = 64;

/// The longest pause between queries of the store. No page is rechecked within this time after it
/// was read.
const QUERY_INTERVAL: Duration = Duration::from_mins(1);

/// Rechecks pages as they become due, until `stop`, or in a single round until none is due.
pub(crate) async fn keep_rechecking(parts: Arc<StoryParts>, mode: Mode, stop: &CancellationToken) {
    scheduler::run_work(&mut DueRechecks(parts), mode, stop).await;
}

/// The pages to recheck, and what rechecks them. A stop aborts their requests.
struct DueRechecks(Arc<StoryParts>);

impl Work for DueRechecks {
    type Key = StoryId;
    type Job = (RecheckDue, ShareUse);
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const JOB_FAILED_PAUSE: Duration = QUERY_INTERVAL;
    const LOOKUP_FAILED: &'static str = "pages to recheck cannot be looked up";
    const JOB_FAILED: &'static str = "a rechecked page could not be recorded";

    async fn find_due(
        &mut self,
        running: &Running<StoryId, ()>,
    ) -> Result<Due<Self::Job>, StoreError> {
        let latest = later(now(), QUERY_INTERVAL);
        let (store, shares) = (&self.0.store, &self.0.shares);
        let (mut taken, own) = (running.taken(), shares.own());
        let due = store.due_rechecks(now(), &taken, &own, running.free()).await?;
        taken.extend(due.iter().map(|recheck| recheck.id));
        let next = store.next_recheck(&taken, &own).await?;
        let begin = |recheck: RecheckDue| {
            let share = shares.begin(Share::of_page(recheck.story.url.as_deref()))?;
            Some((recheck, share))
        };
        let jobs = due.into_iter().filter_map(begin).collect();
        Ok(Due { jobs, next: Some(next.map_or(latest, |next| next.min(latest))) })
    }

    fn begin(&self, (recheck, share): Self::Job) -> (StoryId, Run<()>) {
        let (parts, story) = (Arc::clone(&self.0), recheck.id);
        let rechecked = async move { share.hold_during(recheck_page(&parts, recheck)).await };
        (story, Box::pin(rechecked))
    }
}

async fn recheck_page(parts: &StoryParts, recheck: RecheckDue) -> Result<(), StoreError> {
    let (story, revision) = (recheck.id, recheck.revision);
    let result = read_page_again(parts, recheck).await;
    let recorded = parts.store.record_recheck(story, revision, result, now()).await;
    parts.wakeups.message_due.notify_one();
    recorded.map(|_| ())
}

async fn read_page_again(parts: &StoryParts, recheck: RecheckDue) -> RecheckResult {
    let room = page_wait::MOST_FETCHES.saturating_sub(recheck.fetches);
    let url = recheck.story.url.as_deref().and_then(|url| Url::parse(url).ok());
    let may_alert = admit::edited_item(false, recheck.story.first_seen, now()).is_ok();
    let Some(url) = url.filter(|_| room > 0 && may_alert) else {
        return RecheckResult { change: None, fetches: 0, next_recheck: None };
    };
    let feed_texts = (recheck.story.title.as_str(), recheck.feed_text.as_str());
    let (text, fetches) = match page::read_article(parts, &url, feed_texts, room).await {
        Ok(page) => (page.text.map_err(|why| why.to_string()), page.fetches),
        Err(FetchError::Resting { until, .. }) => {
            return RecheckResult { change: None, fetches: 0, next_recheck: Some(until) };
        }
        Err(why) => (Err(why.to_string()), 1),
    };
    let next = parts
        .in_force
        .load()
        .recheck_ages
        .next_recheck(&recheck.feed_entries, recheck.story.first_seen, now())
        .filter(|_| fetches < room);
    let change = match text {
        Ok(page) if page.body != recheck.story.body && !shows_less(&page, &recheck.story.body) => {
            let PageText { body, read } = page;
            let story = Story { body, ..recheck.story };
            let matched = parts.match_story(story, None, read, recheck.feed_entries, now());
            let (story, match_result) = matched.await;
            Some((story.body, match_result))
        }
        Ok(_) => None,
        Err(why) => {
            debug!(event = "page_failed", "a rechecked page has no new text: {why}");
            None
        }
    };
    RecheckResult { change, fetches, next_recheck: next }
}

/// Whether `page` shows less of an article than the text that is known, as a page does that went
/// behind a paywall.
fn shows_less(page: &PageText, known: &str) -> bool {
    matches!(page.read, Read::Partial(_)) && page.body.len() < known.len()
}

#[cfg(test)]
mod tests {
    use super::{PageText, Read, shows_less};

    #[test]
    fn a_part_of_an_article_stands_for_a_longer_text_in_no_case() {
        let paid = || Read::Partial("the page is behind a paywall".to_owned());
        for (read, body, is_less) in
            [(paid(), "Two", true), (paid(), "Two words more", false), (Read::Full, "Two", false)]
        {
            let page = PageText { body: body.to_owned(), read };
            assert_eq!(shows_less(&page, "Two words"), is_less, "{page:?}");
        }
    }
}
