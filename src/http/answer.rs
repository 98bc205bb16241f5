//! The answer to a request, and its redirects.

use url::Url;

use crate::http::body::Body;
use crate::http::headers::{Freshness, Validators};

/// Which redirects led to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// There was no redirect.
    Straight,
    /// Redirects led to it, and all of them are permanent (301, 308).
    MovedForGood,
    /// Redirects led to it, and at least one of them is temporary.
    Redirected,
}

/// The answer to a request.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The decompressed body; `None` for 304.
    pub body: Option<Body>,
    /// `Content-Type`, as the server sent it.
    pub content_type: Option<String>,
    /// `Link`, as the server sent it; several are joined with commas.
    pub links: Option<String>,
    /// `Refresh`, as the server sent it.
    pub refresh: Option<String>,
    /// The validators for the next request. A 304 without validators keeps those of its request.
    pub validators: Validators,
    /// How long the answer stays fresh.
    pub freshness: Freshness,
    /// The address of the body, after redirects.
    pub url: Url,
    /// The redirects that led to the answer.
    pub redirects: RedirectKind,
}
