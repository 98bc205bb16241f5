//! Requests one feed and reads its answer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use url::Url;

use super::parts::PollParts;
use crate::config::Network;
use crate::daemon::feed_diff::IdentifiedDocument;
use crate::daemon::fetcher::Fetcher;
use crate::daemon::hosts::FIRST_REQUEST_TIME;
use crate::feed::document::{Document, DocumentEnd, NoFeed};
use crate::feed::parse;
use crate::http::{FetchError, HostKey, HttpAnswer, ParsingMemory, Validators, Want};
use crate::metrics::PollMetric;
use crate::polling::moved::Move;
use crate::polling::schedule::PollEnd;
use crate::store::FeedState;

/// The outcome of a request for a feed.
pub(super) enum FeedOutcome {
    /// The feed has not changed.
    Unchanged(HttpAnswer),
    /// The feed was read.
    Read(HttpAnswer, Box<IdentifiedDocument>, Unrecorded),
    /// The feed could not be read, for this reason.
    Failed(PollEnd, String),
    /// The feed was not requested, because its host has a pause until then.
    Resting(HostKey, Timestamp),
}

impl FeedOutcome {
    /// The outcome as metrics count it.
    pub(super) fn metric(&self) -> PollMetric {
        match self {
            Self::Unchanged(_) => PollMetric::Unchanged,
            Self::Read(..) => PollMetric::Read,
            Self::Failed(..) => PollMetric::Failed,
            Self::Resting(..) => PollMetric::Postponed,
        }
    }
}

/// What a document holds until it is recorded.
pub(super) struct Unrecorded {
    /// A permit for a document that is not recorded yet.
    _document_permit: OwnedSemaphorePermit,
    /// The memory of the document.
    _memory: ParsingMemory,
}

/// The new address of a feed that has moved permanently. `None` if it is polled at its configured
/// address.
pub(super) fn new_address(state: &FeedState) -> Option<&Url> {
    let moved: &Move = state.moved.as_ref()?;
    moved.is_adopted(state.last_good).then_some(&moved.to)
}

/// Requests the feed at `url`, and reads the answer.
pub(super) async fn request_feed(parts: &PollParts, url: &Url, before: &FeedState) -> FeedOutcome {
    let validators =
        Validators { etag: before.etag.clone(), last_modified: before.last_modified.clone() };
    let is_new = before.last_good.is_none() && before.failures == 0;
    let mut answer =
        match fetch_unless_others_wait(&parts.shared.fetcher, url, validators, is_new).await {
            Ok(answer) => answer,
            Err(FetchError::Resting { host, until }) => return FeedOutcome::Resting(host, until),
            Err(error) => return FeedOutcome::Failed(end_after(&error), error.to_string()),
        };
    let Some(body) = answer.body.take() else { return FeedOutcome::Unchanged(answer) };
    let (content_type, base) = (answer.content_type.clone(), answer.url.clone());
    let permit = Arc::clone(&parts.document_permits)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let broken = body.incomplete_because().cloned();
    let work = parts.shared.fetcher.limits.room.reserve_memory(&body).await;
    let is_broken = broken.is_some();
    let read = move || {
        let document = parse::parse(&body, content_type.as_deref(), &base)?;
        let identified = IdentifiedDocument::new(with_body_end(document, is_broken));
        Ok::<_, NoFeed>(Box::new(identified))
    };
    match parts.shared.threads.run(read).await {
        Ok(identified) => {
            let held = Unrecorded { _document_permit: permit, _memory: work };
            FeedOutcome::Read(answer, identified, held)
        }
        Err(why) => {
            let why = broken.map_or_else(|| why.to_string(), |broken| broken.to_string());
            FeedOutcome::Failed(PollEnd::Failed, why)
        }
    }
}

/// Requests the feed at `url` when its host has a permit. A feed that `is_new` and does not answer
/// soon is abandoned if other requests wait for its host. Its next poll may take longer.
async fn fetch_unless_others_wait(
    fetcher: &Fetcher,
    url: &Url,
    validators: Validators,
    is_new: bool,
) -> Result<HttpAnswer, FetchError> {
    let admitted = Notify::new();
    let host = HostKey::from_url(url);
    let delays_others = async {
        admitted.notified().await;
        fetcher.hosts.wait_until_others_wait(&host).await;
    };
    tokio::select! {
        answer = fetcher.fetch_once_admitted(url, Want::Feed, validators, &admitted) => answer,
        () = delays_others, if is_new => Err(FetchError::Unreachable(format!(
            "the server did not answer within {} s, and other feeds of its host wait",
            FIRST_REQUEST_TIME.as_secs()
        ))),
    }
}

/// Marks a document as cut off if its body was cut off, even if its last tag arrived.
fn with_body_end(document: Document, is_broken: bool) -> Document {
    let end = if is_broken && document.end == DocumentEnd::Whole {
        DocumentEnd::BetweenItems
    } else {
        document.end
    };
    Document { end, ..document }
}

fn end_after(error: &FetchError) -> PollEnd {
    match error {
        FetchError::Status { code: 404, .. } => PollEnd::NotFound,
        FetchError::Status { code: 410, .. } => PollEnd::Gone,
        FetchError::Status { code: 429 | 503, retry_after, .. } => {
            PollEnd::Busy { asked: *retry_after }
        }
        FetchError::Unreachable(_) | FetchError::Forbidden(_) => PollEnd::Unreached,
        _ => PollEnd::Failed,
    }
}

/// Whether every host of a request, also after redirects, is the user's own. Only then is a shorter
/// interval allowed.
pub(super) fn are_all_hosts_own(
    network: &Network,
    feed: &Url,
    requested: &Url,
    outcome: &FeedOutcome,
) -> bool {
    let answered = match outcome {
        FeedOutcome::Unchanged(answer) | FeedOutcome::Read(answer, ..) => Some(&answer.url),
        FeedOutcome::Failed(..) | FeedOutcome::Resting(..) => None,
    };
    [feed, requested].into_iter().chain(answered).all(|url| network.owns(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Freshness, RedirectKind};

    #[test]
    fn a_host_of_ones_own_that_redirects_to_another_is_asked_no_more_often_than_that() {
        let network =
            Network { allow: vec!["127.0.0.0/8".parse().expect("a range")], ..Network::default() };
        let [own, other] = ["http://127.0.0.1/feed", "https://wire.example/feed"]
            .map(|url| url.parse().expect("one"));
        let from = |url: &Url| {
            FeedOutcome::Unchanged(HttpAnswer {
                body: None,
                content_type: None,
                links: None,
                refresh: None,
                validators: Validators::default(),
                freshness: Freshness::default(),
                url: url.clone(),
                redirects: RedirectKind::Redirected,
            })
        };
        let failed = FeedOutcome::Failed(PollEnd::Failed, String::new());
        assert!(
            are_all_hosts_own(&network, &own, &own, &from(&own))
                && are_all_hosts_own(&network, &own, &own, &failed)
        );
        assert!(!are_all_hosts_own(&network, &own, &own, &from(&other)));
        assert!(!are_all_hosts_own(&network, &own, &other, &failed));
        assert!(!are_all_hosts_own(&network, &other, &own, &from(&own)));
    }
}
