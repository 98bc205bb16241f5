//! `headers` and `auth`: what a webhook's requests carry besides the message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::super::super::SecretUrl;
use super::super::super::reader::Reader;
use crate::yaml::{Entries, Node, Text};

/// Headers that are not the user's to set: they frame the request, or are what the message says of itself.
const OURS: [&str; 11] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "keep-alive",
    "proxy-connection",
];

/// The headers that `headers` names, and `Authorization` as `auth` has it. All are marked as sensitive.
pub(super) fn headers(
    entries: &mut Entries<'_>,
    url: Option<&SecretUrl>,
    reader: &mut Reader<'_>,
) -> Option<HeaderMap> {
    let written = entries.get("headers").map_or_else(|| Some(HeaderMap::new()), |node| written(node, reader));
    let auth = entries.get("auth");
    let login = auth.map_or(Some(None), |node| login(node, reader).map(Some));
    let mut headers = written?;
    if let (Some(node), Some(other)) = (auth, other_login(&headers, url)) {
        reader.error(node, format!("{other} says who calls, too"), "keep one of the two");
        return None;
    }
    headers.extend(login?.map(|login| (AUTHORIZATION, login)));
    Some(headers)
}

fn other_login(headers: &HeaderMap, url: Option<&SecretUrl>) -> Option<&'static str> {
    let in_url = url.is_some_and(|url| !url.0.username().is_empty() || url.0.password().is_some());
    let in_headers = headers.contains_key(AUTHORIZATION).then_some("`Authorization` under `headers`");
    in_headers.or(in_url.then_some("the address in `url`"))
}

fn written(node: Node<'_>, reader: &mut Reader<'_>) -> Option<HeaderMap> {
    if !node.is_mapping() {
        reader.error(node, "headers are written as names with values", "write {X-Team: osint}");
        return None;
    }
    let mut headers = Some(HeaderMap::new());
    for (key, node) in node.pairs(reader.faults) {
        let header = name(&key, reader).zip(reader.string(node).and_then(|text| value(&text, node, reader)));
        headers = headers.zip(header).map(|(mut headers, (name, value))| {
            headers.append(name, value);
            headers
        });
    }
    headers
}

/// A header's name (RFC 9110, 5.1) that is the user's to set.
fn name(key: &Text, reader: &mut Reader<'_>) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(key.value.as_bytes()).ok();
    let is_ours = |name: &HeaderName| OURS.contains(&name.as_str()) || name.as_str().starts_with("webhook-");
    let (message, help) = match &name {
        Some(name) if is_ours(name) => (
            format!("the header {name} is set by tidings itself"),
            "remove it: it follows from the message and its format",
        ),
        Some(_) => return name,
        None => ("this is not the name of a header".to_owned(), "write letters, digits and hyphens: X-Team"),
    };
    reader.faults.push(key.fault(0..key.value.len(), message).help(help));
    None
}

/// A header's value (RFC 9110, 5.5), kept out of logs.
fn value(text: &str, node: Node<'_>, reader: &mut Reader<'_>) -> Option<HeaderValue> {
    let value = Some(text.trim()).filter(|text| text.is_ascii()).and_then(|text| HeaderValue::from_str(text).ok());
    let Some(mut value) = value else {
        reader.error(node, "this cannot be sent in a header", "a header is one line of ASCII");
        return None;
    };
    value.set_sensitive(true);
    Some(value)
}

/// `{basic: {user: …, password: …}}` (RFC 7617) or `{bearer: …}` (RFC 6750).
fn login(node: Node<'_>, reader: &mut Reader<'_>) -> Option<HeaderValue> {
    let mut entries = reader.entries(node)?;
    let (basic, bearer) = (entries.get("basic"), entries.get("bearer"));
    entries.finish(reader.faults);
    match (basic, bearer) {
        (Some(basic), None) => self::basic(basic, reader),
        (None, Some(bearer)) => {
            let token = reader.string(bearer)?;
            value(&format!("Bearer {}", token.trim()), bearer, reader)
        }
        (Some(_), Some(bearer)) => {
            reader.error(bearer, "`basic` stands here, too", "keep one of the two");
            None
        }
        (None, None) => {
            let help = "write {basic: {user: ana, password: \"${HOOK_PASSWORD}\"}} or {bearer: \"${HOOK_TOKEN}\"}";
            reader.error(node, "this says neither `basic` nor `bearer`", help);
            None
        }
    }
}

fn basic(node: Node<'_>, reader: &mut Reader<'_>) -> Option<HeaderValue> {
    let mut entries = reader.entries(node)?;
    let user_node = entries.require("user", reader.faults);
    let user = user_node.and_then(|node| reader.string(node));
    let password = entries.require("password", reader.faults).and_then(|node| reader.string(node));
    entries.finish(reader.faults);
    let (user, password) = (user?, password?);
    if user.contains(':') {
        reader.error(user_node?, "no user can have a colon in the name", "what follows it belongs into `password`");
        return None;
    }
    value(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))), node, reader)
}
