//! Errors of requests, and hosts.

use jiff::Timestamp;
use reqwest::StatusCode;
use url::Url;

use crate::http::headers::RetryAfter;

/// A host for rate limits, as `name:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey(pub String);

impl HostKey {
    /// The host of `url`. An address without a host (`file:`) has an empty name and port 0.
    #[must_use]
    pub fn from_url(url: &Url) -> Self {
        let name = url.host_str().unwrap_or_default();
        Self(format!("{name}:{}", url.port_or_known_default().unwrap_or_default()))
    }
}

/// Why there is no usable answer. `Display` is one sentence for a person, without the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The guard refused an address, or a redirect led from https to http.
    #[error("{0}")]
    Forbidden(String),
    /// No connection: name, network, TLS, or a time-out before an answer.
    #[error("{0}")]
    Unreachable(String),
    /// The status is neither a success nor a redirect that can be followed.
    #[error("{}", status_text(*code))]
    Status {
        /// The status code.
        code: u16,
        /// `Retry-After` of the answer.
        retry_after: Option<RetryAfter>,
        /// The host that answered, after redirects. It gets no requests until `Retry-After` ends.
        host: HostKey,
    },
    /// The host, or one that it redirects to, asked for no requests until a later time.
    #[error("{} asked for no requests until {until}", host.0)]
    Resting {
        /// The host.
        host: HostKey,
        /// The end of the pause.
        until: Timestamp,
    },
    /// The answer broke off, was too slow or could not be decoded.
    #[error("{0}")]
    Broken(String),
    /// The answer is larger than the limit.
    #[error("the answer is larger than the limit of {} MiB", limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

fn status_text(code: u16) -> String {
    let reason = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("the server answered {code} {reason}"),
        None => format!("the server answered {code}"),
    }
}
