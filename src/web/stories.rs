//! `POST /api/v1/stories`: stories from elsewhere as JSON Lines, as `tidings ingest` takes them.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio_util::io::StreamReader;

use super::desk::{Desk, json};
use super::problem::Problem;
use crate::ingest::{self, IngestFailure, ReceivingFeeds};
use crate::store::IngestTarget;

/// How long the next bytes may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// For which feed stories are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StoriesQuery {
    /// The feed of lines that name none.
    feed: String,
}

/// `POST /api/v1/stories`. The stories are on the disk when it answers: 200 if all lines were
/// taken, 422 if some were refused, which the answer lists.
pub(super) async fn take(
    State(desk): State<Desk>,
    query: Result<Query<StoriesQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Query(StoriesQuery { feed }) = query?;
    let default = (!feed.is_empty()).then_some(feed.as_str());
    let feeds = ReceivingFeeds::new(&desk.config(), default)
        .map_err(|why| Problem::bad_request(why.to_string()))?;
    let target = IngestTarget::Run(desk.parts.store.clone());
    let input = StreamReader::new(Box::pin(parts_of(body)));
    let ended = ingest::ingest(input, &feeds, &target, |_| {}).await;
    let report = ended.map_err(|ended| match ended.cause {
        // What was recorded before is known when the lines are sent again.
        IngestFailure::Input(_) => Problem::bad_request(ended.to_string()),
        IngestFailure::Store(_) => Problem::unavailable(&ended),
    })?;
    if report.refused > 0 {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, json(&report)).into_response());
    }
    Ok(json(&report))
}

/// The bytes of a request as they come. A sender that stops for too long is an error.
fn parts_of(body: Body) -> impl futures_util::Stream<Item = io::Result<axum::body::Bytes>> {
    stream::unfold(body.into_data_stream(), async |mut parts| {
        let part = match tokio::time::timeout(PATIENCE, parts.next()).await {
            Ok(part) => part?.map_err(io::Error::other),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no bytes came for 30 seconds")),
        };
        Some((part, parts))
    })
}
