//! HTTP for feeds and pages: conditional, capped, guarded at every hop, redirects followed by hand.

mod body;
mod failure;
mod file;
pub mod guard;
mod headers;
mod reach;
pub mod robots;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use url::Url;

pub(crate) use body::ParsingMemory;
pub use body::{Body, BodyBudget};
pub use failure::explain;
pub use file::read_file;
pub use headers::{
    RetryAfter, answered_at, retry_after, wait_from_answer, wait_in_words, wait_of_seconds,
};
pub use reach::{HttpClients, NoClient, client_that_trusts};

/// Where this program lives: publishers who wonder about our requests find it in the User-Agent.
pub const HOME: &str = "https://example.org/tidings";

/// The most that is read of any answer or file, after decompression: 10 MiB.
pub const MOST_BYTES: usize = 10 << 20;

/// How many redirects are followed.
const MOST_HOPS: usize = 5;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Where. Checked by the guard before anything is sent.
    pub url: Url,
    /// What the last answer gave, to be sent back. Along redirects too, as browsers do: they belong
    /// to what the chain ends at.
    pub validators: Validators,
    /// What kind of document is wanted.
    pub want: Want,
}

/// What kind of document is wanted: the `Accept` header follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A feed.
    Feed,
    /// An article page.
    Page,
    /// What a host asks of robots.
    Robots,
}

impl Want {
    fn accept(self) -> &'static str {
        match self {
            Self::Feed => {
                "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
                 application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
            }
            Self::Page => "text/html, application/xhtml+xml, */*;q=0.1",
            Self::Robots => "text/plain, */*;q=0.1",
        }
    }
}

/// How long and how much one fetch may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest silence: until the answer's headers, and between two parts of its body.
    pub idle: Duration,
    /// The longest time for the whole, redirects included; waiting to be admitted does not count.
    pub total: Duration,
    /// The most bytes of body, after decompression.
    pub body: usize,
    /// What this body shares with all others that are in flight.
    pub room: BodyBudget,
}

impl Default for Limits {
    /// 15 s of silence, 30 s in all, 10 MiB, and room of their own.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            total: Duration::from_secs(30),
            body: MOST_BYTES,
            room: BodyBudget::default(),
        }
    }
}

/// A host as politeness counts them: `name:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey(pub String);

impl HostKey {
    /// The host of `url`; empty name and port 0 where it has none (`file:`).
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let name = url.host_str().unwrap_or_default();
        Self(format!("{name}:{}", url.port_or_known_default().unwrap_or_default()))
    }
}

/// The validators of an answer, byte for byte (RFC 9110, section 8.8), to be sent back. Each `char`
/// stands for the byte of its number.
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
    /// For how long the answer says it stays fresh: `max-age` less `Age`, else `Expires` less
    /// `Date`. Never zero.
    pub fresh_for: Option<Duration>,
}

/// How the answer was come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// It came from where it was asked for.
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
    pub way: RedirectKind,
}

/// Why nothing came back. `Display` is one sentence for a person, without the address.
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
        /// For how long it wants to be left alone.
        retry_after: Option<RetryAfter>,
        /// Who answered so, after redirects: the host that is to be left alone.
        host: HostKey,
    },
    /// The host, or one that it redirects to, asked to be left alone for longer.
    #[error("{} asked to be left alone until {until}", host.0)]
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

/// Fetches `request`.
///
/// At most five redirects are followed, never from https to http, each checked by the guard, and
/// each asked as its own host wants to be. `admit` is called once for every hop with the address
/// that is about to be asked; what it gives is held for exactly that request, or ends the fetch.
/// `rest` is called before it is given back, where the host says for how long it wants to be left
/// alone. `now` stands in for the `Date` of an answer that has none.
///
/// # Errors
/// Where no usable answer came within `limits`.
pub async fn fetch<P, A>(
    reach: &HttpClients,
    request: &HttpRequest,
    limits: &Limits,
    now: Timestamp,
    admit: impl Fn(Url) -> A,
    rest: impl Fn(&HostKey, RetryAfter),
) -> Result<HttpAnswer, FetchError>
where
    A: Future<Output = Result<P, FetchError>>,
{
    let mut url = request.url.clone();
    let mut way = RedirectKind::Straight;
    let mut left = limits.total;
    for _ in 0..=MOST_HOPS {
        let checked =
            within(&mut left, reach.check(&url)).await.ok_or_else(|| too_slow(limits.total))?;
        checked.map_err(|refused| FetchError::Forbidden(refused.to_string()))?;
        let permit = admit(url.clone()).await?;
        let hop = ask(reach, request, &url, (limits, &mut left), now).await;
        if let Err(FetchError::Status { code: 429 | 503, retry_after: Some(asked), host }) = &hop {
            rest(host, *asked);
        }
        drop(permit);
        match hop? {
            Hop::Answer(answer) => return Ok(HttpAnswer { way, ..*answer }),
            Hop::Redirect(next, is_for_good) => {
                let is_so_far = is_for_good && way != RedirectKind::Redirected;
                way = if is_so_far { RedirectKind::MovedForGood } else { RedirectKind::Redirected };
                url = next;
            }
        }
    }
    Err(FetchError::Broken(format!(
        "the server redirects more than {MOST_HOPS} times, perhaps in a circle"
    )))
}

/// Runs `work` for at most `left`, and takes off what it took. A timer measures, not a clock: what
/// is measured never leaves this function.
async fn within<T>(left: &mut Duration, work: impl Future<Output = T>) -> Option<T> {
    let end = tokio::time::sleep(*left).deadline();
    let done = tokio::time::timeout_at(end, work).await.ok();
    *left = end.saturating_duration_since(tokio::time::sleep(Duration::ZERO).deadline());
    done
}

fn too_slow(limit: Duration) -> FetchError {
    FetchError::Broken(format!(
        "the server did not finish its answer within {} s",
        limit.as_secs_f32()
    ))
}

enum Hop {
    Answer(Box<HttpAnswer>),
    /// Where to, and whether for good.
    Redirect(Url, bool),
}

async fn ask(
    reach: &HttpClients,
    request: &HttpRequest,
    url: &Url,
    (limits, left): (&Limits, &mut Duration),
    now: Timestamp,
) -> Result<Hop, FetchError> {
    let asked = reach.client(url).get(url.clone()).header(ACCEPT, request.want.accept());
    let mut asked = asked.headers(reach.headers(url));
    for (name, value) in headers::conditions(&request.validators) {
        asked = asked.header(name, value);
    }
    let response = match within(left, tokio::time::timeout(limits.idle, asked.send())).await {
        Some(Ok(sent)) => sent.map_err(|error| reach.explain(url, &error))?,
        Some(Err(_)) => {
            return Err(FetchError::Unreachable("the server did not answer in time".to_owned()));
        }
        None => return Err(too_slow(limits.total)),
    };
    match response.status() {
        StatusCode::NOT_MODIFIED if request.validators != Validators::default() => {
            let validators = headers::validators(response.headers()).or(&request.validators);
            Ok(Hop::Answer(Box::new(answer(url, response.headers(), now, None, validators))))
        }
        status if status.is_success() => {
            let head = response.headers().clone();
            let body = body::read(response, limits, left).await?;
            // Part of a feed is worth reading; part of a page would stand for the whole.
            if let Some(why) = body.broken().filter(|_| request.want != Want::Feed) {
                return Err(why.clone());
            }
            let validators = headers::validators(&head);
            Ok(Hop::Answer(Box::new(answer(url, &head, now, Some(body), validators))))
        }
        StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT => {
            Ok(Hop::Redirect(redirect(url, response.headers())?, true))
        }
        StatusCode::FOUND | StatusCode::SEE_OTHER | StatusCode::TEMPORARY_REDIRECT => {
            Ok(Hop::Redirect(redirect(url, response.headers())?, false))
        }
        status => Err(FetchError::Status {
            code: status.as_u16(),
            retry_after: headers::retry_after(response.headers()),
            host: HostKey::of(url),
        }),
    }
}

fn answer(
    url: &Url,
    head: &HeaderMap,
    now: Timestamp,
    body: Option<Body>,
    validators: Validators,
) -> HttpAnswer {
    HttpAnswer {
        body,
        content_type: head.get(CONTENT_TYPE).map(headers::text),
        validators,
        freshness: headers::freshness(head, now),
        url: url.clone(),
        way: RedirectKind::Straight,
    }
}

fn redirect(from: &Url, head: &HeaderMap) -> Result<Url, FetchError> {
    let target = head.get(LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let Some(to) = target.and_then(|target| from.join(target).ok()) else {
        return Err(FetchError::Broken("the server redirects without saying where to".to_owned()));
    };
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(FetchError::Forbidden(
            "the server redirects from https to http, which is not followed".to_owned(),
        ));
    }
    Ok(to)
}

#[cfg(test)]
mod tests;
