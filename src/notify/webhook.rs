//! The webhook notifier: one signed POST in the form of Standard Webhooks, and what the answer
//! means.

mod client;
mod secrets;
mod sign;
mod wish;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;
use url::Url;

use crate::alerts::Receiver;
use crate::config::{Addressed, Webhook, WebhookBody, Writes};
use crate::http;
use crate::http::FetchError;
use crate::notify::reply::shown;
use crate::notify::{FailureCause, FailureScope, Outcome, RetryReason, SendContext};
use secrets::secrets;

pub(super) use client::Clients;

/// For the whole attempt.
const DEADLINE: Duration = Duration::from_secs(30);

/// For what an endpoint has to say beside its status.
const REMARK: Duration = Duration::from_secs(2);

/// The most that is read of an answer, in bytes.
const MOST: usize = 4096;

/// Answers that may be about what the message says. They do not say that it will never be taken.
const CONCERN_THE_MESSAGE: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::CONFLICT,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
];

/// Tries once to post `payload`, within half a minute: 2xx is success, a redirect none. `now` is
/// the signature's time.
pub(super) async fn send(
    webhook: &Webhook,
    means: &SendContext,
    receiver: &Receiver,
    id: &str,
    payload: &[u8],
    now: Timestamp,
) -> Outcome {
    let url = &webhook.url.0;
    if let Err(refused) = means.clients.check_hook(url).await {
        return Outcome::retry(FailureCause::Unreached, refused.to_string());
    }
    let payload = addressed(webhook, payload);
    let headers = match headers(webhook, id, &payload, now) {
        Ok(headers) => headers,
        Err(why) => return Outcome::Refused(why),
    };
    let client = match means.private.of(&webhook.ca, &means.clients) {
        Ok(client) => client,
        Err(why) => return Outcome::retry(FailureCause::Unreached, why.to_string()),
    };
    let request = client.post(url.clone()).headers(headers).body(payload);
    match tokio::time::timeout(DEADLINE, request.send()).await {
        Ok(Ok(response)) => {
            let (status, headers) = (response.status(), response.headers().clone());
            let remark = tokio::time::timeout(REMARK, read(response)).await.unwrap_or_default();
            let wish = wish::wish(status, &headers, &remark, now);
            judge(status, &headers, &shown(&remark, &secrets(webhook)), receiver, wish)
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => Outcome::retry(
            FailureCause::Failed,
            format!("the server did not answer within {} s", DEADLINE.as_secs()),
        ),
    }
}

/// The message with what it says of whom it is for. It is a JSON object, and no empty one, where
/// that is wanted.
fn addressed(webhook: &Webhook, payload: &[u8]) -> Vec<u8> {
    match (&webhook.addressed, payload) {
        (Some(Addressed { key, to }), [b'{', rest @ ..]) => {
            let to = serde_json::Value::from(to.expose_secret());
            [format!("{{\"{key}\":{to},").as_bytes(), rest].concat()
        }
        _ => payload.to_vec(),
    }
}

fn headers(
    webhook: &Webhook,
    id: &str,
    payload: &[u8],
    now: Timestamp,
) -> Result<HeaderMap, String> {
    let seconds = now.as_second();
    let mut headers = webhook.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&webhook.body)));
    headers.insert("webhook-id", value(id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    if let Some(signature) = sign::signature(id, seconds, payload, &webhook.secrets) {
        headers.insert("webhook-signature", value(&signature)?);
    }
    Ok(headers)
}

fn content_type(body: &WebhookBody) -> &'static str {
    match body {
        WebhookBody::Template(template) if template.writes == Writes::Text => {
            "text/plain; charset=utf-8"
        }
        WebhookBody::Format(_) | WebhookBody::Template(_) => "application/json",
    }
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "the message's id cannot be put in a header".to_owned())
}

fn failed(error: &reqwest::Error) -> Outcome {
    match http::explain(error) {
        FetchError::Forbidden(why) => Outcome::retry(FailureCause::Unreached, why),
        other => Outcome::Retry(RetryReason {
            why: other.to_string(),
            cause: if error.is_connect() { FailureCause::Unreached } else { FailureCause::Failed },
            scope: FailureScope::Notifier,
            after: None,
        }),
    }
}

/// The outcome of an answer. `remark` is the text of the answer, safe to show; `wish` is the pause
/// that it asks for.
fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    remark: &str,
    receiver: &Receiver,
    wish: Option<Duration>,
) -> Outcome {
    let said = match remark {
        "" => format!("the server answered {status}"),
        remark => format!("the server answered {status}: {remark}"),
    };
    let retry = |cause, scope, why| Outcome::Retry(RetryReason { why, cause, scope, after: wish });
    match status {
        _ if status.is_success() => Outcome::Delivered(status.to_string()),
        StatusCode::GONE => Outcome::Gone(format!(
            "{said}, which means that this address is no longer used; write the new address as the `url` of `{}` under `notifiers`, or remove it",
            receiver.notifier
        )),
        StatusCode::PAYLOAD_TOO_LARGE => Outcome::TooLarge(said),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            retry(FailureCause::Busy, FailureScope::Notifier, said)
        }
        // The gateway says that nobody behind it has the message.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
            retry(FailureCause::Shut, FailureScope::Notifier, said)
        }
        _ if CONCERN_THE_MESSAGE.contains(&status) => {
            retry(FailureCause::Failed, FailureScope::Message, said)
        }
        _ if status.is_redirection() => {
            retry(FailureCause::Shut, FailureScope::Notifier, redirected(status, headers, receiver))
        }
        _ if status.is_client_error() => retry(FailureCause::Shut, FailureScope::Notifier, said),
        _ => retry(FailureCause::Failed, FailureScope::Notifier, said),
    }
}

fn redirected(status: StatusCode, headers: &HeaderMap, receiver: &Receiver) -> String {
    let target = headers.get(LOCATION).and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let to =
        target.map(|url| format!(" to {}", url.origin().ascii_serialization())).unwrap_or_default();
    format!(
        "the server answered {status} and redirects{to}, which is not followed; write the new address as the `url` of `{}` under `notifiers`",
        receiver.notifier
    )
}

/// The beginning of an answer's body, as far as it comes.
async fn read(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() >= MOST {
            body.truncate(MOST);
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

#[cfg(test)]
mod tests;
