//! What went wrong with a request: a page for browsers, RFC 9457 for programs.

use std::fmt::Display;

use axum::extract::rejection::{FormRejection, JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::{StoreCommandError, StoreError};

/// Why a request is not answered as asked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    #[serde(serialize_with = "write_status")]
    pub(super) status: StatusCode,
    /// The status in words.
    pub(super) title: &'static str,
    /// What was wrong with this request, and what to do.
    pub(super) detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn write_status<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status, title, detail: detail.into() }
    }

    /// There is nothing of that name.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request itself is wrong.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The store cannot be read or written.
    pub(super) fn unavailable(why: &dyn Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(why: StoreError) -> Self {
        Self::unavailable(&why)
    }
}

impl From<StoreCommandError> for Problem {
    fn from(why: StoreCommandError) -> Self {
        Self::unavailable(&why)
    }
}

impl From<QueryRejection> for Problem {
    fn from(why: QueryRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}

impl From<FormRejection> for Problem {
    fn from(why: FormRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(why: JsonRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default() + "\n";
        let mut response = (self.status, body).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        // A browser gets a page with the same words instead.
        response.extensions_mut().insert(self);
        response
    }
}
