//! The page of silences: lists, adds and ends them.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection, QueryRejection};
use axum::extract::{Form, FromRequest, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::{AnswerForm, Asker, Desk, json as json_answer};
use super::list_page::{ListPage, cut_to};
use super::problem::Problem;
use crate::alerts::calendar;
use crate::alerts::silence::SilenceTarget;
use crate::clock::now;
use crate::queries::json::silence_json;
use crate::queries::names::unknown_name;
use crate::store;
use tidings_rules::story::FeedName;

/// The silences of one page.
const PAGE: usize = 100;

/// Which silences are listed, and what the form of a new one holds.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SilenceQuery {
    /// `1`: those that have ended, too.
    all: String,
    /// Only silences before the one with this number.
    before: Option<i64>,
    /// What the form proposes to mute.
    kind: String,
    name: String,
    until: String,
}

/// The page of silences.
#[derive(Serialize)]
struct SilencesPage {
    #[serde(flatten)]
    list: ListPage<Value>,
    query: SilenceQuery,
    now: Timestamp,
}

/// `GET /silences` and `GET /api/v1/silences`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<SilenceQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let at = now();
    let since = if query.all == "1" { Timestamp::MIN } else { at };
    let mut silences = store::list_silences(desk.archives.store(), since).await?;
    silences.retain(|(silence, _)| query.before.is_none_or(|before| silence.id < before));
    silences.reverse();
    let has_more = cut_to(PAGE, &mut silences);
    let path = asker.form.path("silences");
    let next = silences.last().filter(|_| has_more);
    let next = next.map(|(last, _)| format!("{path}?all={}&before={}", query.all, last.id));
    let items = silences.iter().map(|(silence, muted)| silence_json(silence, *muted)).collect();
    let list = ListPage { items, next };
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&list));
    }
    desk.answer(&asker, "silences.html", &SilencesPage { list, query, now: at })
}

/// A silence to add.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSilence {
    /// `rule`, `tag`, `row`, `feed` or `event`.
    kind: String,
    name: String,
    /// 08:00, mon 08:00, 2026-12-24 08:00, or a duration: 3h.
    until: String,
    #[serde(default)]
    why: String,
}

impl FromRequest<Desk> for NewSilence {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        let form = AnswerForm::of(request.extensions().get(), request.uri());
        if form == AnswerForm::Json {
            let read: Result<Json<Self>, JsonRejection> = Json::from_request(request, desk).await;
            return Ok(read?.0);
        }
        let read: Result<Form<Self>, FormRejection> = Form::from_request(request, desk).await;
        Ok(read?.0)
    }
}

/// `POST /silences` and `POST /api/v1/silences`.
pub(super) async fn add(
    State(desk): State<Desk>,
    asker: Asker,
    new: NewSilence,
) -> Result<Response, Problem> {
    let until = calendar::until(&new.until, now(), &desk.config().zone).ok_or_else(|| {
        let help = "Write 08:00, mon 08:00, 2026-12-24 08:00, or a duration: 3h.";
        Problem::bad_request(format!("`{}` is not a time in the future. {help}", new.until))
    })?;
    let target = known_target(&desk, &new.kind, new.name).await?;
    let store = desk.archives.store();
    let silence = store::add_silence(store, target, until, new.why, now()).await?;
    if asker.form == AnswerForm::Json {
        let body = Json(silence_json(&silence, 0));
        return Ok((StatusCode::CREATED, body).into_response());
    }
    Ok(Redirect::to("/silences").into_response())
}

/// What is to be muted. A name that is not known would mute nothing.
async fn known_target(desk: &Desk, kind: &str, name: String) -> Result<SilenceTarget, Problem> {
    let (config, rules) = (desk.config(), desk.rules());
    let check = |kind: &str, known: Vec<&str>| {
        if known.contains(&name.as_str()) {
            return Ok(());
        }
        Err(Problem::bad_request(unknown_name(kind, &name, known)))
    };
    match kind {
        "rule" => {
            check("rule", rules.iter().map(|rule| rule.name()).collect())?;
            Ok(SilenceTarget::Rule(name))
        }
        "tag" => {
            let tags = rules.iter().flat_map(|rule| &rule.settings.tags);
            check("rule with the tag", tags.map(String::as_str).collect())?;
            Ok(SilenceTarget::Tag(name))
        }
        "row" => {
            let rows = rules.iter().filter_map(|rule| rule.row());
            check("row with the id", rows.map(|row| row.id.as_str()).collect())?;
            Ok(SilenceTarget::Row(name))
        }
        "feed" => {
            check("feed", config.feed_names().map(|name| name.0.as_str()).collect())?;
            Ok(SilenceTarget::Feed(FeedName(name)))
        }
        "event" => {
            let found = desk.archive().await?.event_record(&name).await?;
            let event = found.ok_or_else(|| Problem::bad_request("There is no such event."))?;
            Ok(SilenceTarget::Event(event.event))
        }
        _ => {
            let why = format!("`{kind}` cannot be muted: write rule, tag, row, feed or event.");
            Err(Problem::bad_request(why))
        }
    }
}

/// `POST /silences/{id}/end` and `POST /api/v1/silences/{id}/end`.
pub(super) async fn end(
    State(desk): State<Desk>,
    asker: Asker,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let ended = store::end_silence(desk.archives.store(), id, now()).await?;
    let silence =
        ended.ok_or_else(|| Problem::not_found(format!("No silence {id} is in force.")))?;
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&json!({ "id": silence.id, "until": silence.until })));
    }
    Ok(Redirect::to("/silences").into_response())
}
