//! Why no answer came, and the host that is meant.

use jiff::Timestamp;
use reqwest::StatusCode;
use url::Url;

use crate::http::headers::RetryAfter;

/// A host as politeness counts them: `name:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey(pub String);

impl HostKey {
    /// The host of `url`; empty name and port 0 where it has none (`file:`).
    #[must_use]
    pub fn from_url(url: &Url) -> Self {
        let name = url.host_str().unwrap_or_default();
        Self(format!("{name}:{}", url.port_or_known_default().unwrap_or_default()))
    }
}

/// Why there is no answer. `Display` is one sentence for a person, without the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The guard refused an address, or a redirect led from https to http.
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
        /// `Retry-After` of the answer.
        retry_after: Option<RetryAfter>,
        /// The host that answered, after redirects. It gets no requests until then.
        host: HostKey,
    },
    /// The host, or one that it redirects to, asked for no requests until a later time.
    #[error("{} asked for no requests until {until}", host.0)]
    Resting {
        /// The host.
        host: HostKey,
        /// Until then.
        until: Timestamp,
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
    let reason = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("the server answered {code} {reason}"),
        None => format!("the server answered {code}"),
    }
}
