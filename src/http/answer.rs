//! The answer to a request, and its redirects.

use url::Url;

use crate::http::body::Body;
use crate::http::headers::{Freshness, Validators};

/// Which redirects led to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// There was no redirect.
    Straight,
    /// Redirects led to it, and each said that it is for good (301, 308).
    MovedForGood,
    /// Redirects led to it, and not all of them for good.
    Redirected,
}

/// What came back.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The decompressed body; `None` for 304.
    pub body: Option<Body>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// To be sent back next time; for a 304 those it carried, else those that were sent.
    pub validators: Validators,
    /// When to come back, as headers say it.
    pub freshness: Freshness,
    /// Where the body came from, after redirects.
    pub url: Url,
    /// What redirects led there.
    pub redirects: RedirectKind,
}
