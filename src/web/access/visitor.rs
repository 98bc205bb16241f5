//! Who visits, and what the visitor may do.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::refusal::AccessRefusal;
use crate::config::VisitorRole;

/// Who sent a request that passed the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The name of the token, or the name that the proxy gives; `None` if nobody was asked.
    pub name: Option<String>,
    /// What the visitor may do.
    pub role: VisitorRole,
    /// How the visitor showed who it is.
    pub credential: Credential,
}

/// How a visitor shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Not at all: everyone who reaches the listener may use it.
    Nothing,
    /// By a token in the header `Authorization`. No browser sends it by itself.
    Bearer,
    /// By the cookie of a login. The visitor can log out.
    Cookie,
    /// By the header of a proxy.
    Proxy,
}

impl Visitor {
    /// Whether the visitor may change something.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.role == VisitorRole::Write
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = AccessRefusal;

    /// The visitor that the gate let in. A page without login has none.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AccessRefusal> {
        parts.extensions.get().cloned().ok_or(AccessRefusal::NoToken)
    }
}
