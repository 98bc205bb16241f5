//! The page of messages that are not delivered: lists them, and sends dead ones again.

use std::collections::BTreeSet;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::{AnswerForm, Asker, Desk, json as json_answer};
use super::list_page::{ListPage, cut_to};
use super::problem::Problem;
use crate::clock::now;
use crate::queries::json::delivery_json;
use crate::queries::names;
use crate::store::{self, DeadSelection};

/// The messages of one page.
const PAGE: u32 = 100;

/// Which messages are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DeliveryQuery {
    /// Only messages after the one with this number.
    after: i64,
}

/// The page of messages.
#[derive(Serialize)]
struct DeliveriesPage {
    #[serde(flatten)]
    list: ListPage<Value>,
    away: Vec<ReceiverAway>,
}

/// A receiver that fails or rests.
#[derive(Serialize)]
struct ReceiverAway {
    receiver: String,
    why: String,
    since: Timestamp,
}

/// `GET /deliveries` and `GET /api/v1/deliveries`: oldest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<DeliveryQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let mut archive = desk.archive().await?;
    let mut messages = archive.undelivered(query.after, PAGE + 1).await?;
    let away = archive.receivers_away().await?;
    drop(archive);
    let has_more = cut_to(PAGE as usize, &mut messages);
    let path = asker.form.path("deliveries");
    let last = messages.last().filter(|_| has_more);
    let next = last.map(|last| format!("{path}?after={}", last.id));
    let shown = ListPage { items: messages.iter().map(delivery_json).collect(), next };
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&shown));
    }
    let away = away.into_iter().map(|(receiver, health)| ReceiverAway {
        receiver: receiver.to_string(),
        why: health.why,
        since: health.since,
    });
    desk.answer(&asker, "deliveries.html", &DeliveriesPage { list: shown, away: away.collect() })
}

/// `POST /deliveries/{id}/retry` and `POST /api/v1/deliveries/{id}/retry`.
pub(super) async fn retry(
    State(desk): State<Desk>,
    asker: Asker,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let (which, receivers) =
        (DeadSelection::These(BTreeSet::from([id])), names::receivers(&desk.config()));
    let retried = store::retry_messages(desk.archives.store(), which, &receivers, now()).await?;
    if !retried.others.is_empty() {
        return Err(Problem::not_found(format!("No dead-lettered message has the number {id}.")));
    }
    if asker.form == AnswerForm::Json {
        let status = if retried.held.is_empty() { "pending" } else { "held" };
        return Ok(json_answer(&json!({ "id": id, "status": status })));
    }
    Ok(Redirect::to("/deliveries").into_response())
}
