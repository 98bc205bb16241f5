//! The signature of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::config::SigningKey;

/// The value of `webhook-signature`: one signature for each key, separated by spaces, so that keys
/// can be changed without a gap. `None` without a key. `seconds` is Unix time.
pub(super) fn signature_header(
    id: &str,
    seconds: i64,
    body: &[u8],
    keys: &[SigningKey],
) -> Option<String> {
    let signatures: Vec<_> = keys.iter().map(|key| sign(id, seconds, body, key)).collect();
    (!signatures.is_empty()).then(|| signatures.join(" "))
}

fn sign(id: &str, seconds: i64, body: &[u8], key: &SigningKey) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.0.expose_secret())
        .expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn key(base64: &str) -> SigningKey {
        SigningKey(STANDARD.decode(base64).unwrap().into())
    }

    #[test]
    fn it_is_that_of_the_specification() {
        let signature =
            signature_header(ID, 1_614_265_330, BODY, &[key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn every_key_signs() {
        let (old, new) = (key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key("AAAA"));
        let alone =
            |key: &SigningKey| signature_header(ID, 1, BODY, std::slice::from_ref(key)).unwrap();
        let expected = format!("{} {}", alone(&old), alone(&new));
        assert_eq!(signature_header(ID, 1, BODY, &[old, new]), Some(expected));
        assert_eq!(signature_header(ID, 1, BODY, &[]), None);
    }
}
