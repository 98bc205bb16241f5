//! The HTTP client for feeds and pages: conditional requests, size limits, a guard at each hop.

mod answer;
mod body;
mod coding;
mod cookies;
mod error;
mod failure;
mod file;
pub mod guard;
mod headers;
mod limits;
mod reach;
mod request;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION, REFRESH};
use url::Url;

pub use answer::{HttpAnswer, RedirectKind};
pub(crate) use body::ParsingMemory;
pub use body::{Body, BodyBudget};
pub use error::{FetchError, HostKey};
pub use failure::{deepest_message, explain};
pub use file::read_file;
pub use headers::{
    Freshness, RetryAfter, Validators, answered_at, retry_after, wait_from_answer, wait_in_words,
    wait_of_seconds,
};
pub use limits::{Limits, MOST_BYTES};
pub use reach::{HttpClients, NoClient, client_that_trusts};
pub use request::{HttpRequest, Want};

use cookies::ChainCookies;
use limits::{too_slow, within};

/// The home page of Tidings, in the `User-Agent` of every request. `Cargo.toml` states it.
pub const HOME: &str = env!("CARGO_PKG_HOMEPAGE");

/// How many redirects are followed.
const MOST_HOPS: usize = 5;

/// Fetches `request`.
///
/// It follows at most five redirects, never from https to http. The guard checks each address. Each
/// host is requested with its own settings. Cookies that are set on the way go back to the hosts
/// that set them, and are forgotten with the fetch. `now` replaces the `Date` of an answer without
/// one.
///
/// `admit` is called before each request, with the request's address. The returned permit is held
/// during that request, and an error ends the fetch. If the host answers 429 or 503 with
/// `Retry-After`, `rest` is called before the permit is given back.
///
/// # Errors
///
/// If no usable answer comes within `limits`.
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
    let mut cookies = ChainCookies::default();
    for _ in 0..=MOST_HOPS {
        let checked =
            within(&mut left, reach.check(&url)).await.ok_or_else(|| too_slow(limits.total))?;
        checked.map_err(|refused| FetchError::Forbidden(refused.to_string()))?;
        let permit = admit(url.clone()).await?;
        let hop = request_once(reach, request, &url, (limits, &mut left), &mut cookies, now).await;
        if let Err(FetchError::Status { code: 429 | 503, retry_after: Some(asked), host }) = &hop {
            rest(host, *asked);
        }
        drop(permit);
        match hop? {
            Hop::Answer(answer) => return Ok(HttpAnswer { redirects: way, ..*answer }),
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

enum Hop {
    Answer(Box<HttpAnswer>),
    /// The target, and whether the redirect is permanent.
    Redirect(Url, bool),
}

async fn request_once(
    reach: &HttpClients,
    request: &HttpRequest,
    url: &Url,
    (limits, left): (&Limits, &mut Duration),
    cookies: &mut ChainCookies,
    now: Timestamp,
) -> Result<Hop, FetchError> {
    let mut own = reach.headers(url);
    cookies.add_to(&mut own, url);
    let asked = reach.client(url).get(url.clone()).header(ACCEPT, request.want.accept());
    let mut asked = asked.header(ACCEPT_ENCODING, coding::ACCEPTED).headers(own);
    for (name, value) in headers::conditions(&request.validators) {
        asked = asked.header(name, value);
    }
    let patience = if request.want == Want::Feed { limits.feed } else { limits.idle };
    let response = match within(left, tokio::time::timeout(patience, asked.send())).await {
        Some(Ok(sent)) => sent.map_err(|error| reach.explain(url, &error))?,
        Some(Err(_)) => {
            return Err(FetchError::Unreachable("the server did not answer in time".to_owned()));
        }
        None => return Err(too_slow(limits.total)),
    };
    if response.status().is_redirection() {
        cookies.keep(url, response.headers(), now);
    }
    match response.status() {
        StatusCode::NOT_MODIFIED if request.validators != Validators::default() => {
            let validators = headers::validators(response.headers()).or_from(&request.validators);
            Ok(Hop::Answer(Box::new(answer(url, response.headers(), now, None, validators))))
        }
        status if status.is_success() => {
            let head = response.headers().clone();
            let body = if request.want == Want::Page && headers::is_media(&head) {
                Body::default()
            } else {
                body::read_body(response, limits, left).await?
            };
            // An incomplete feed is useful. An incomplete page must not pass for the whole page.
            if let Some(why) = body.incomplete_because().filter(|_| request.want != Want::Feed) {
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
            host: HostKey::from_url(url),
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
        content_type: head.get(CONTENT_TYPE).map(headers::header_text),
        links: headers::links(head),
        refresh: head.get(REFRESH).map(headers::header_text),
        validators,
        freshness: headers::freshness(head, now),
        url: url.clone(),
        redirects: RedirectKind::Straight,
    }
}

fn redirect(from: &Url, head: &HeaderMap) -> Result<Url, FetchError> {
    let target = head.get(LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let Some(to) = target.and_then(|target| from.join(target).ok()) else {
        return Err(FetchError::Broken("the server redirects without a usable address".to_owned()));
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
