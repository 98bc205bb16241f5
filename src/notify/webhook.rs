//! The webhook notifier: sends one signed POST as in Standard Webhooks, and makes an outcome of the
//! answer.

mod client;
mod requested_wait;
mod secrets;
mod sign;

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
use crate::notify::reply::sanitize_reply;
use crate::notify::{FailureCause, FailureScope, Outcome, RetryReason, SendContext};
use secrets::webhook_secrets;

pub(super) use client::WebhookClients;

/// The time limit of an attempt.
const DEADLINE: Duration = Duration::from_secs(30);

/// The time limit for the body of the answer.
const BODY_DEADLINE: Duration = Duration::from_secs(2);

/// The number of bytes that are read of an answer.
const MAX_BODY: usize = 4096;

/// Statuses that may concern the content of the message. A later attempt may still work.
const MESSAGE_ERRORS: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::CONFLICT,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
];

/// Tries once to post `payload`, within 30 seconds. Only 2xx is success; redirects are not
/// followed. `now` is the time of the signature.
pub(super) async fn send(
    webhook: &Webhook,
    context: &SendContext,
    receiver: &Receiver,
    id: &str,
    payload: &[u8],
    now: Timestamp,
) -> Outcome {
    let url = &webhook.url.0;
    if let Err(refused) = context.http.check_hook(url).await {
        return Outcome::retry(FailureCause::Unreached, refused.to_string());
    }
    let payload = add_recipient(webhook, payload);
    let headers = match request_headers(webhook, id, &payload, now) {
        Ok(headers) => headers,
        Err(why) => return Outcome::Refused(why),
    };
    let client = match context.webhook_clients.client_for(&webhook.ca, &context.http) {
        Ok(client) => client,
        Err(why) => return Outcome::retry(FailureCause::Unreached, why.to_string()),
    };
    let request = client.post(url.clone()).headers(headers).body(payload);
    match tokio::time::timeout(DEADLINE, request.send()).await {
        Ok(Ok(response)) => {
            let (status, headers) = (response.status(), response.headers().clone());
            let body =
                tokio::time::timeout(BODY_DEADLINE, read_body(response)).await.unwrap_or_default();
            let wait = requested_wait::requested_wait(status, &headers, &body, now);
            outcome_of_answer(
                status,
                &headers,
                &sanitize_reply(&body, &webhook_secrets(webhook)),
                receiver,
                wait,
            )
        }
        Ok(Err(error)) => outcome_of_error(&error),
        Err(_) => Outcome::retry(
            FailureCause::Failed,
            format!("the server did not answer within {} s", DEADLINE.as_secs()),
        ),
    }
}

/// Adds the key for the recipient to `payload`, if the format needs one. `payload` is then a JSON
/// object that is not empty.
fn add_recipient(webhook: &Webhook, payload: &[u8]) -> Vec<u8> {
    match (&webhook.addressed, payload) {
        (Some(Addressed { key, to }), [b'{', rest @ ..]) => {
            let to = serde_json::Value::from(to.0.expose_secret());
            [format!("{{\"{key}\":{to},").as_bytes(), rest].concat()
        }
        _ => payload.to_vec(),
    }
}

fn request_headers(
    webhook: &Webhook,
    id: &str,
    payload: &[u8],
    now: Timestamp,
) -> Result<HeaderMap, String> {
    let seconds = now.as_second();
    let mut headers = webhook.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&webhook.body)));
    headers.insert("webhook-id", header_value(id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    if let Some(signature) = sign::signature_header(id, seconds, payload, &webhook.secrets) {
        headers.insert("webhook-signature", header_value(&signature)?);
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

fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "the message's id cannot be put in a header".to_owned())
}

fn outcome_of_error(error: &reqwest::Error) -> Outcome {
    match http::explain(error) {
        FetchError::Forbidden(why) => Outcome::retry(FailureCause::Unreached, why),
        other => Outcome::Retry(RetryReason {
            why: other.to_string(),
            cause: if error.is_connect() { FailureCause::Unreached } else { FailureCause::Failed },
            scope: FailureScope::Notifier,
            requested_wait: None,
        }),
    }
}

/// The outcome of an answer. `body` is its text, safe to show; `wait` is the wait that the server
/// asked for.
fn outcome_of_answer(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    receiver: &Receiver,
    wait: Option<Duration>,
) -> Outcome {
    let answer = match body {
        "" => format!("the server answered {status}"),
        body => format!("the server answered {status}: {body}"),
    };
    let retry =
        |cause, scope, why| Outcome::Retry(RetryReason { why, cause, scope, requested_wait: wait });
    match status {
        _ if status.is_success() => Outcome::Delivered(status.to_string()),
        StatusCode::GONE => Outcome::Gone(format!(
            "{answer}, so the address is no longer used; write the new address as the `url` of `{}` under `notifiers`, or remove it",
            receiver.notifier
        )),
        StatusCode::PAYLOAD_TOO_LARGE => Outcome::TooLarge(answer),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            retry(FailureCause::Busy, FailureScope::Notifier, answer)
        }
        // The gateway says that the server behind it did not get the message.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
            retry(FailureCause::Shut, FailureScope::Notifier, answer)
        }
        _ if MESSAGE_ERRORS.contains(&status) => {
            retry(FailureCause::Failed, FailureScope::Message, answer)
        }
        _ if status.is_redirection() => retry(
            FailureCause::Shut,
            FailureScope::Notifier,
            explain_redirect(status, headers, receiver),
        ),
        _ if status.is_client_error() => retry(FailureCause::Shut, FailureScope::Notifier, answer),
        _ => retry(FailureCause::Failed, FailureScope::Notifier, answer),
    }
}

fn explain_redirect(status: StatusCode, headers: &HeaderMap, receiver: &Receiver) -> String {
    let target = headers.get(LOCATION).and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let to =
        target.map(|url| format!(" to {}", url.origin().ascii_serialization())).unwrap_or_default();
    format!(
        "the server answered {status} and redirects{to}, which is not followed; write the new address as the `url` of `{}` under `notifiers`",
        receiver.notifier
    )
}

/// Reads the beginning of the answer's body, until the connection fails or the limit is reached.
async fn read_body(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() >= MAX_BODY {
            body.truncate(MAX_BODY);
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

#[cfg(test)]
mod tests;
