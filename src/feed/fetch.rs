//! HTTP for feeds and pages: conditional, capped, guarded at every hop, redirects followed by hand.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

/// The validators of an answer, byte for byte (RFC 9110, section 8.8), to be sent back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What an answer's headers say about when to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// For how long the answer says it stays fresh: `max-age` less `Age`, else `Expires` less `Date`.
    pub fresh_for: Option<Duration>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The decompressed body; `None` for 304.
    pub body: Option<Vec<u8>>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// To be sent back next time; for a 304 those it carried, else those that were sent.
    pub validators: Validators,
    /// When to come back, as headers say it.
    pub freshness: Freshness,
    /// Where the body came from, after redirects.
    pub url: Url,
}

/// Why nothing came back. `Display` is one sentence for a person, without the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The guard refused an address.
    #[error("{0}")]
    Forbidden(String),
    /// No connection: name, network, TLS, or a time-out before an answer.
    #[error("{0}")]
    Unreachable(String),
    /// An answer that is neither a success nor a redirect that can be followed.
    #[error("{}", status_text(*code))]
    Status {
        /// The status code.
        code: u16,
        /// `Retry-After`, as an instant (RFC 9110, section 10.2.3).
        retry_after: Option<Timestamp>,
    },
    /// The answer broke off, was too slow or could not be decoded.
    #[error("{0}")]
    Broken(String),
    /// More than the cap.
    #[error("the answer is larger than {} MiB, which is the most that is read", limit >> 20)]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
}

fn status_text(code: u16) -> String {
    format!("the server answered {code}")
}
