//! `type: webhook`: an HTTP POST in the form of Standard Webhooks.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretSlice;
use url::Url;

use super::super::reader::Reader;
use super::super::{SecretUrl, SigningKey, Webhook};
use crate::yaml::{Entries, Node};

/// How long a key may be, in bytes (Standard Webhooks, symmetric signatures).
const KEY_LENGTH: RangeInclusive<usize> = 24..=64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What other formats there will be.
const LATER_FORMATS: [&str; 6] = ["slack", "discord", "teams", "telegram", "ntfy", "pagerduty"];

pub(super) fn webhook(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Webhook> {
    let url = entries.require("url", reader.faults).and_then(|node| address(node, reader));
    let secrets = entries.get("secret").map_or_else(|| Some(Vec::new()), |node| keys(node, reader));
    let format = entries.get("format").map_or(Some(()), |node| format(node, reader));
    format?;
    Some(Webhook { url: url?, secrets: secrets? })
}

fn address(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SecretUrl> {
    let address = reader.string(node)?;
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        reader.error(node, "this is not a web address", "a webhook's address begins with https:// or http://");
    }
    url.map(SecretUrl)
}

fn keys(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<SigningKey>> {
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        reader.error(node, "this list is empty", "write a secret; or remove the key, and messages are not signed");
    }
    let keys: Vec<_> = nodes.into_iter().map(|node| key(node, reader)).collect();
    keys.into_iter().collect()
}

/// A key as Standard Webhooks writes it: `whsec_` and base64.
fn key(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SigningKey> {
    let text = reader.string(node)?;
    let bytes = text.trim().strip_prefix("whsec_").and_then(|key| BASE64.decode(key).ok());
    let message = match bytes {
        None => "this is not a signing secret",
        Some(bytes) if KEY_LENGTH.contains(&bytes.len()) => return Some(SigningKey(SecretSlice::from(bytes))),
        Some(_) => "this signing secret is not of 24 to 64 bytes",
    };
    reader.error(
        node,
        message,
        "a secret is whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)",
    );
    None
}

fn format(node: Node<'_>, reader: &mut Reader<'_>) -> Option<()> {
    let format = reader.string(node)?;
    if LATER_FORMATS.contains(&format.as_str()) {
        reader.error(
            node,
            format!("`format: {format}` comes in a later version"),
            "`format: standard` is what can be sent now",
        );
        return None;
    }
    reader.choice(node, &[("standard", ())])
}
