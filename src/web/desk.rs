//! What every page and every answer of the API is made with.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;
use tracing::error;

use super::access::{Credential, Visitor};
use super::archives::{Archives, Borrowed};
use super::live::LiveAlerts;
use super::parts::WebParts;
use super::problem::Problem;
use super::templates;
use super::trials::Trials;
use crate::config::Config;
use tidings_rules::Rules;

/// What every page and every answer of the API is made with. Clones share it.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) parts: WebParts,
    pub(super) archives: Arc<Archives>,
    pub(super) live: LiveAlerts,
    pub(super) trials: Arc<Trials>,
    templates: Arc<Environment<'static>>,
}

/// The form of an answer: the paths of the API have one of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerForm {
    Page,
    Json,
}

impl AnswerForm {
    /// The path of the list `name` in this form.
    pub(super) fn path(self, name: &str) -> String {
        match self {
            Self::Json => format!("{API}/{name}"),
            Self::Page => format!("/{name}"),
        }
    }

    /// The form for a path. A nested router knows the whole path as `original`.
    pub(super) fn of(original: Option<&OriginalUri>, uri: &Uri) -> Self {
        let path = original.map_or(uri, |original| &original.0).path();
        if path.starts_with(API) { Self::Json } else { Self::Page }
    }
}

/// Who asks, and for which form of answer.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) form: AnswerForm,
    /// Whether pages offer changes.
    may_write: bool,
    /// The name of the visitor, if it is known.
    pub(super) name: Option<String>,
    can_log_out: bool,
}

/// The paths that are answered with JSON.
pub(super) const API: &str = "/api/v1";

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let form = AnswerForm::of(parts.extensions.get(), &parts.uri);
        let visitor: Option<&Visitor> = parts.extensions.get();
        Ok(Self {
            form,
            may_write: visitor.is_some_and(Visitor::may_write),
            name: visitor.and_then(|visitor| visitor.name.clone()),
            can_log_out: visitor.is_some_and(|visitor| visitor.credential == Credential::Cookie),
        })
    }
}

impl Desk {
    pub(super) fn new(parts: WebParts, live: LiveAlerts) -> Self {
        let store = (parts.in_force)().config.store.clone();
        let (archives, templates) = (Archives::new(store), templates::compile());
        let (archives, templates) = (Arc::new(archives), Arc::new(templates));
        Self { parts, archives, live, trials: Arc::default(), templates }
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> Arc<Config> {
        (self.parts.in_force)().config
    }

    /// The rules in force.
    pub(super) fn rules(&self) -> Arc<Rules> {
        (self.parts.in_force)().rules
    }

    /// A connection that reads the store.
    pub(super) async fn archive(&self) -> Result<Borrowed<'_>, Problem> {
        self.archives.borrow().await
    }

    /// `content` as JSON, or as the page of a template, in which it is called `page`.
    pub(super) fn answer(
        &self,
        asker: &Asker,
        template: &str,
        content: &impl Serialize,
    ) -> Result<Response, Problem> {
        match asker.form {
            AnswerForm::Json => Ok(json(content)),
            AnswerForm::Page => Ok(Html(self.render(asker, template, content)?).into_response()),
        }
    }

    /// The text that a template makes of `content`, which it calls `page`.
    pub(super) fn render(
        &self,
        asker: &Asker,
        template: &str,
        content: &impl Serialize,
    ) -> Result<String, Problem> {
        let content = Value::from(Serde(content));
        let zone = self.config().zone.clone();
        let values = context! {
            page => content,
            may_write => asker.may_write,
            visitor => asker.name.clone(),
            can_log_out => asker.can_log_out,
            zone => templates::zone_value(zone.clone()),
            zone_name => zone.iana_name().unwrap_or("local time"),
            version => env!("CARGO_PKG_VERSION"),
        };
        let rendered = self.templates.get_template(template).and_then(|one| one.render(values));
        rendered.map_err(|why| {
            error!(event = "page_failed", "the page {template} cannot be made: {why}");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This page has a fault. The log says more.",
            )
        })
    }
}

/// `content` as one JSON text.
pub(super) fn json(content: &impl Serialize) -> Response {
    let text = serde_json::to_string(content).unwrap_or_default() + "\n";
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Gives browsers a page instead of a problem in JSON.
pub(super) async fn show_problems(
    State(desk): State<Desk>,
    asker: Asker,
    request: Request,
    next: Next,
) -> Response {
    let is_page = asker.form == AnswerForm::Page && accepts_html(request.headers());
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().filter(|_| is_page) else {
        return response;
    };
    match desk.render(&asker, "problem.html", problem) {
        Ok(page) => (problem.status, Html(page)).into_response(),
        Err(_) => response,
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
