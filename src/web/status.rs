//! The page of the service's status.

use axum::extract::State;
use axum::response::Response;

use super::desk::{Asker, Desk};
use super::problem::Problem;
use crate::clock::now;
use crate::queries::status::StatusReport;

/// `GET /status` and `GET /api/v1/status`.
pub(super) async fn show(State(desk): State<Desk>, asker: Asker) -> Result<Response, Problem> {
    let mut archive = desk.archive().await?;
    let status = archive.service_status().await?;
    let groups = archive.group_status(None, now()).await?;
    let feeds = archive.feed_states().await?;
    let store = archive.store_facts(desk.archives.store()).await?;
    drop(archive);
    let feeds = feeds.into_iter().map(|state| (state.name.clone(), state)).collect();
    let config = desk.config();
    let names = config.feeds.iter().map(|feed| &feed.name);
    let report = StatusReport::new(&store, names, &status, &groups, &feeds, now());
    desk.answer(&asker, "status.html", &report.to_json())
}
