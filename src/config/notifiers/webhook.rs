//! `type: webhook`: an HTTP POST in the form of Standard Webhooks.

mod headers;
mod keys;

use url::Url;

use super::super::reader::Reader;
use super::super::{Authority, SecretUrl, Webhook};
use super::ca;
use crate::yaml::{Entries, Node};

/// What other formats there will be.
const LATER_FORMATS: [&str; 6] = ["slack", "discord", "teams", "telegram", "ntfy", "pagerduty"];

pub(super) fn webhook(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Webhook> {
    let url = entries.require("url", reader.faults).and_then(|node| address(node, reader));
    let secrets = entries.get("secret").map_or_else(|| Some(Vec::new()), |node| keys::keys(node, reader));
    let headers = headers::headers(entries, url.as_ref(), reader);
    let ca = authorities(entries, url.as_ref(), reader);
    let format = entries.get("format").map_or(Some(()), |node| format(node, reader));
    format?;
    Some(Webhook { url: url?, secrets: secrets?, headers: headers?, ca: ca? })
}

fn authorities(entries: &mut Entries<'_>, url: Option<&SecretUrl>, reader: &mut Reader<'_>) -> Option<Vec<Authority>> {
    if url.is_some_and(|url| url.0.scheme() == "http") {
        ca::refuse_without_tls(entries, "write https:// in `url`, or remove `ca`", reader);
        return Some(Vec::new());
    }
    ca::authorities(entries, reader)
}

fn address(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SecretUrl> {
    let address = reader.string(node)?;
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        reader.error(node, "this is not a web address", "a webhook's address begins with https:// or http://");
    }
    url.map(SecretUrl)
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
