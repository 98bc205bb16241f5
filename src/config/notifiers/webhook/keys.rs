//! Reads `secret`: the signing key of a webhook, or several while keys are rotated.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretSlice;

use super::super::super::SigningKey;
use super::super::super::reader::{ConfigReader, all};
use tidings_rules::yaml::Node;

/// The length of a key in bytes (Standard Webhooks, symmetric signatures).
const KEY_LENGTH: RangeInclusive<usize> = 24..=64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn keys(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Vec<SigningKey>> {
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        reader.error(
            node,
            "this list is empty",
            "write a secret; or remove the key, and messages are not signed",
        );
    }
    all(nodes.into_iter().map(|node| key(node, reader)))
}

/// A key in the form of Standard Webhooks: `whsec_` and base64.
fn key(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<SigningKey> {
    let text = reader.string(node)?;
    let bytes = text.trim().strip_prefix("whsec_").and_then(|key| BASE64.decode(key).ok());
    let message = match bytes {
        None => "this is not a signing secret",
        Some(bytes) if KEY_LENGTH.contains(&bytes.len()) => {
            return Some(SigningKey(SecretSlice::from(bytes)));
        }
        Some(_) => "this signing secret does not have 24 to 64 bytes",
    };
    reader.error(
        node,
        message,
        "a secret is whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)",
    );
    None
}
