//! The webhook notifier: what it sends, and its outcome for answers, silence and forbidden
//! addresses.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use tidings::config::{
    HostSettings, Network, Notifier, SecretUrl, SigningKey, Webhook, WebhookBody, WebhookFormat,
};
use tidings::notify::{self, FailureCause, FailureScope, Outcome, RetryReason, SendContext};

use crate::email::pass_after;
use crate::support::http::{Raw, Response, Server, Then, verify_signature};
use crate::support::notification::{alert, now, receiver};
use crate::support::smtp::Sink;

const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2Vjb25kIGtleSBvZiB0aGUgdGVzdHM="];

/// A path and a query like those of secret hooks.
const PATH: &str = "/services/T0S3CRET";
const QUERY: &str = "?token=pa55w0rd";

fn keys(secrets: &[&str]) -> Vec<SigningKey> {
    let key = |secret: &&str| STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    secrets.iter().map(|secret| SigningKey(key(secret).into())).collect()
}

/// An unsigned webhook at that address.
pub(super) fn hook(url: &str) -> Webhook {
    Webhook {
        url: SecretUrl(url.parse().expect("an address")),
        body: WebhookBody::Format(WebhookFormat::Standard),
        addressed: None,
        secrets: Vec::new(),
        headers: HeaderMap::new(),
        ca: Vec::new(),
    }
}

async fn send_signed(url: &str, secrets: &[&str], allow: &[IpNet]) -> Outcome {
    send_by(Webhook { secrets: keys(secrets), ..hook(url) }, allow).await
}

/// Sends with that webhook. No outcome contains a secret.
pub(super) async fn send_by(webhook: Webhook, allow: &[IpNet]) -> Outcome {
    send_through(webhook, Network { allow: allow.to_vec(), ..Network::default() }).await
}

/// The same with `network`, which may name a proxy.
pub(super) async fn send_through(webhook: Webhook, network: Network) -> Outcome {
    let notifier = Notifier::Webhook(webhook);
    let means =
        SendContext::new(network, HostSettings::default(), TimeZone::UTC).expect("a client");
    let (notification, ops) = (alert(), receiver("ops", ""));
    let frozen = notify::render(&notifier, &ops, &notification, &TimeZone::UTC).expect("a payload");
    let outcome = notify::send(&notifier, &means, &ops, &notification.id, &frozen, now()).await;
    let said = format!("{outcome:?}");
    assert!(!said.contains("T0S3CRET") && !said.contains("pa55w0rd"), "{said}");
    outcome
}

pub(super) async fn send(url: &str) -> Outcome {
    send_signed(url, &[], &["127.0.0.0/8".parse().expect("a range")]).await
}

pub(super) async fn send_and_let_pass(url: &str, asked: impl Future, seconds: u64) -> Outcome {
    tokio::join!(send(url), pass_after(asked, seconds)).0
}

pub(super) fn put_off(outcome: Outcome, expected_reached: bool) -> String {
    let Outcome::Retry(RetryReason { why, cause, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(cause != FailureCause::Unreached, expected_reached, "{why}");
    why
}

#[tokio::test]
async fn a_message_is_posted_as_json_and_signed_with_every_key() {
    let server = Server::start().await;
    server.serve("/hook", Response::status(204));
    let outcome =
        send_signed(&server.url("/hook"), &SECRETS, &["127.0.0.1/32".parse().expect("a range")])
            .await;
    assert_eq!(outcome, Outcome::Delivered("204 No Content".to_owned()));
    let request = server.requests("/hook").remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("webhook-id"), Some(alert().id.as_str()));
    assert_eq!(request.header("webhook-timestamp"), Some("1773321610"));
    assert_eq!(request.header("webhook-signature").expect("signed").split(' ').count(), 2);
    for secret in SECRETS {
        verify_signature(&request, secret);
    }
    assert_eq!(
        serde_json::from_slice::<tidings::alerts::Notification>(&request.body)
            .expect("a notification"),
        alert()
    );
}

#[tokio::test]
async fn without_a_key_it_goes_unsigned() {
    let server = Server::start().await;
    server.serve("/hook", Response::status(200).body("ok"));
    assert_eq!(send(&server.url("/hook")).await, Outcome::Delivered("200 OK".to_owned()));
    let request = server.requests("/hook").remove(0);
    assert_eq!(request.header("webhook-signature"), None);
    assert!(
        request.header("webhook-id").is_some() && request.header("webhook-timestamp").is_some()
    );
}

#[tokio::test]
async fn answers_are_heeded_and_secrets_that_they_repeat_are_not_shown() {
    let server = Server::start().await;
    let url = server.url(&format!("{PATH}{QUERY}"));
    let answer = |status| Response::status(status).body(&format!("Cannot POST {PATH}{QUERY}"));

    server.serve(PATH, answer(404));
    let why = put_off(send(&url).await, true);
    assert_eq!(why, "the server answered 404 Not Found: Cannot POST […]?[…]");

    server.serve(PATH, answer(429).header("retry-after", "7"));
    let why = "the server answered 429 Too Many Requests: Cannot POST […]?[…]".to_owned();
    assert_eq!(
        send(&url).await,
        Outcome::Retry(RetryReason {
            why,
            cause: FailureCause::Busy,
            scope: FailureScope::Notifier,
            requested_wait: Some(Duration::from_secs(7))
        })
    );

    server.serve(PATH, answer(302).header("location", &server.url("/elsewhere/T0S3CRET")));
    let why = put_off(send(&url).await, true);
    assert!(why.contains("redirects to http://127.0.0.1:") && why.contains("`ops`"), "{why}");
    assert!(server.requests("/elsewhere/T0S3CRET").is_empty());
}

#[tokio::test]
async fn private_addresses_are_not_reached_until_they_are_allowed() {
    let server = Server::start().await;
    server.serve(PATH, Response::status(200));
    let by_name = server.url(PATH).replace("127.0.0.1", "localhost");
    for url in [server.url(PATH), by_name] {
        let why = put_off(send_signed(&url, &[], &[]).await, false);
        assert!(why.contains("network: {allow: […]}"), "{why}");
    }
    assert!(server.requests(PATH).is_empty());
}

#[tokio::test]
async fn a_server_that_is_away_was_not_reached_and_one_that_breaks_off_was() {
    let away = Sink::reserve();
    let why = put_off(send(&format!("http://127.0.0.1:{}{PATH}{QUERY}", away.port())).await, false);
    assert_eq!(why, "connection refused");
    for broken in [&b""[..], b"HTTP/1.1 200", b"220 mail.example.org ESMTP\r\n"] {
        let server = Raw::start(broken, Then::Close).await;
        put_off(send(&server.url(&format!("{PATH}{QUERY}"))).await, true);
    }
}

#[tokio::test]
async fn silence_is_put_off_after_half_a_minute() {
    let server = Server::start().await;
    let _stall = server.stall(PATH);
    let outcome = send_and_let_pass(&server.url(PATH), server.wait_for(PATH, 1), 31).await;
    assert_eq!(put_off(outcome, true), "the server did not answer within 30 s");
}

#[tokio::test]
async fn a_status_counts_although_the_rest_of_the_answer_never_comes() {
    for (answer, delivered) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthan"[..], true),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\nwait", false),
    ] {
        let server = Raw::start(answer, Then::Hold).await;
        match send(&server.url(PATH)).await {
            Outcome::Delivered(_) => assert!(delivered),
            other => assert!(!delivered && put_off(other, true).contains("503")),
        }
    }
}
