//! `headers` and `auth`: headers of a webhook's requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::super::super::SecretUrl;
use super::super::super::headers::{self as added, FRAMING};
use super::super::super::reader::ConfigReader;
use tidings_rules::yaml::{Entries, Node};

/// The headers of `headers`, and `Authorization` from `auth`. All are marked as sensitive.
pub(super) fn headers(
    entries: &mut Entries<'_>,
    url: Option<&SecretUrl>,
    reader: &mut ConfigReader<'_>,
) -> Option<HeaderMap> {
    let written = entries
        .get("headers")
        .map_or_else(|| Some(HeaderMap::new()), |node| added::headers(node, not_for_hooks, reader));
    let auth = entries.get("auth");
    let login = auth.map_or(Some(None), |node| login(node, reader).map(Some));
    let mut headers = written?;
    if let (Some(node), Some(other)) = (auth, other_login(&headers, url)) {
        reader.error(node, format!("{other} holds credentials, too"), "keep one of the two");
        return None;
    }
    headers.extend(login?.map(|login| (AUTHORIZATION, login)));
    Some(headers)
}

fn other_login(headers: &HeaderMap, url: Option<&SecretUrl>) -> Option<&'static str> {
    let in_url = url.is_some_and(|url| !url.0.username().is_empty() || url.0.password().is_some());
    let in_headers =
        headers.contains_key(AUTHORIZATION).then_some("`Authorization` under `headers`");
    in_headers.or(in_url.then_some("the address in `url`"))
}

/// The help for a header of HTTP framing, or for one that follows from the message.
fn not_for_hooks(name: &str) -> Option<&'static str> {
    let is_ours = FRAMING.contains(&name) || name == "content-type" || name.starts_with("webhook-");
    is_ours.then_some("remove it: it follows from the message and its format")
}

/// `{basic: {user: …, password: …}}` (RFC 7617) or `{bearer: …}` (RFC 6750).
fn login(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HeaderValue> {
    let mut entries = reader.entries(node)?;
    let (basic, bearer) = (entries.get("basic"), entries.get("bearer"));
    entries.refuse_unknown_keys(reader.faults);
    match (basic, bearer) {
        (Some(basic), None) => self::basic(basic, reader),
        (None, Some(bearer)) => {
            let token = reader.string(bearer)?;
            added::value(&format!("Bearer {}", token.trim()), bearer, reader)
        }
        (Some(_), Some(bearer)) => {
            reader.error(bearer, "`basic` is set as well", "keep one of the two");
            None
        }
        (None, None) => {
            let help = "write {basic: {user: ana, password: \"${HOOK_PASSWORD}\"}} or {bearer: \"${HOOK_TOKEN}\"}";
            reader.error(node, "this has neither `basic` nor `bearer`", help);
            None
        }
    }
}

fn basic(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HeaderValue> {
    let mut entries = reader.entries(node)?;
    let user_node = entries.require("user", reader.faults);
    let user = user_node.and_then(|node| reader.string(node));
    let password = entries.require("password", reader.faults).and_then(|node| reader.string(node));
    entries.refuse_unknown_keys(reader.faults);
    let (user, password) = (user?, password?);
    if user.contains(':') {
        reader.error(
            user_node?,
            "the name of a user cannot contain a colon",
            "the part after it belongs in `password`",
        );
        return None;
    }
    added::value(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))), node, reader)
}
