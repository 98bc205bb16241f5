//! Webhooks in the form of Standard Webhooks (standardwebhooks.com): signed JSON, posted once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::{Means, Outcome, Retry, unreachable};
use crate::config::{SigningKey, Webhook};
use crate::feed::{fetch, guard};

/// The longest that one attempt takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// Posts `frozen` as the message `id`: 2xx is success.
pub(super) async fn send(settings: &Webhook, means: &Means, id: &str, frozen: &[u8], now: Timestamp) -> Outcome {
    let url = &settings.url.0;
    if let Err(forbidden) = guard::check_url(url, &means.network.allow) {
        return unreachable(forbidden.to_string());
    }
    let timestamp = now.as_second().to_string();
    let mut request = means
        .client
        .post(url.clone())
        .timeout(DEADLINE)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", &timestamp);
    if !settings.secrets.is_empty() {
        request = request.header("webhook-signature", signatures(&settings.secrets, id, &timestamp, frozen));
    }
    match request.body(frozen.to_vec()).send().await {
        Ok(response) => outcome(&response, now),
        Err(error) if error.is_connect() => unreachable(fetch::explain(&error).to_string()),
        Err(error) => Outcome::Retry(Retry { why: fetch::explain(&error).to_string(), reached: true, after: None }),
    }
}

/// The signature of every key, parted by spaces: a receiver that knows any one of them accepts.
fn signatures(keys: &[SigningKey], id: &str, timestamp: &str, body: &[u8]) -> String {
    let signed = keys.iter().map(|key| signature(key, id, timestamp, body));
    signed.collect::<Vec<_>>().join(" ")
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
fn signature(key: &SigningKey, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.0.expose_secret()).expect("a key of any length will do");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn outcome(response: &Response, now: Timestamp) -> Outcome {
    let status = response.status();
    if status.is_success() {
        return Outcome::Delivered(format!("answered {status}"));
    }
    let after =
        fetch::retry_after(response.headers(), now).and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    match status.as_u16() {
        408 | 425 | 429 | 500..=599 => {
            Outcome::Retry(Retry { why: format!("the endpoint answered {status}"), reached: true, after })
        }
        410 => Outcome::Refused("the endpoint says that it is gone for good (410)".to_owned()),
        300..=399 => Outcome::Refused(format!(
            "the endpoint redirects ({status}), which is not followed; put the new address into the configuration"
        )),
        _ => Outcome::Refused(format!("the endpoint answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(base64: &str) -> SigningKey {
        SigningKey(STANDARD.decode(base64).expect("base64").into())
    }

    /// The test vector of the Standard Webhooks specification.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let signature = signature(
            &key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_key_signs() {
        let keys = [key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx")];
        let signatures = signatures(&keys, "a", "1", b"{}");
        let (first, second) = signatures.split_once(' ').expect("two");
        assert!(first.starts_with("v1,") && second.starts_with("v1,") && first != second);
    }
}
