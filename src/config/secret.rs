//! Passwords and signing keys: read once, never shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::SigningKey;
use super::variables::{Context, string};
use crate::fault::Fault;
use crate::yaml::{Entries, Node};

/// The lengths that Standard Webhooks allows for a key, in bytes.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// `password`, or the first line of `password_file`.
pub(super) fn password(
    entries: &mut Entries<'_>,
    context: &Context<'_>,
    faults: &mut Vec<Fault>,
) -> Option<SecretString> {
    let written = entries.get("password");
    let file = entries.get("password_file");
    if let (Some(_), Some(file)) = (written, file) {
        faults.push(file.fault("there is a `password` already").help("keep one of the two"));
    }
    match written {
        Some(node) => string(node, context, faults).map(Into::into),
        None => from_file(file?, context, faults),
    }
}

fn from_file(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<SecretString> {
    let path = context.base.join(string(node, context, faults)?);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text.lines().next().unwrap_or_default().to_owned().into()),
        Err(why) => {
            faults.push(node.fault(format!("the file with the password cannot be read: {why}")));
            None
        }
    }
}

/// A key of Standard Webhooks, `whsec_` and base64.
pub(super) fn signing_key(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<SigningKey> {
    let text = string(node, context, faults)?;
    let key = text.strip_prefix("whsec_").and_then(|base64| STANDARD.decode(base64).ok());
    let key = key.filter(|key| KEY_LENGTHS.contains(&key.len()));
    if key.is_none() {
        let fault = node.fault("this is not a signing key of Standard Webhooks");
        faults.push(
            fault.help("it is whsec_ and 24 to 64 bytes in base64: echo whsec_$(head -c 32 /dev/urandom | base64)"),
        );
    }
    key.map(|key| SigningKey(key.into()))
}
