//! Headers that a user adds to requests, with names and values. Values are never shown.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::reader::{ConfigReader, all};
use tidings_rules::yaml::{Node, Text};

/// Headers of HTTP framing. The configuration cannot set them.
pub(super) const FRAMING: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "keep-alive",
    "proxy-connection",
];

/// The headers that `node` names, all marked as sensitive. `refused` returns the help for a header
/// that the user cannot set.
pub(super) fn headers(
    node: Node<'_>,
    refused: impl Fn(&str) -> Option<&'static str>,
    reader: &mut ConfigReader<'_>,
) -> Option<HeaderMap> {
    if !node.is_mapping() {
        reader.error(node, "headers are written as names with values", "write {X-Team: osint}");
        return None;
    }
    let pairs = node.pairs(reader.faults);
    let headers: Vec<_> = all(pairs.into_iter().map(|(key, node)| {
        let value = |reader: &mut ConfigReader<'_>| value(&reader.string(node)?, node, reader);
        name(&key, &refused, reader).zip(value(reader))
    }))?;
    Some(headers.into_iter().collect())
}

/// A header's name (RFC 9110, 5.1) that the user can set.
fn name(
    key: &Text,
    refused: impl Fn(&str) -> Option<&'static str>,
    reader: &mut ConfigReader<'_>,
) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(key.value.as_bytes()).ok();
    let (message, help) = match name {
        Some(name) => match refused(name.as_str()) {
            Some(help) => (format!("the header {name} is set by Tidings itself"), help),
            None => return Some(name),
        },
        None => (
            "this is not the name of a header".to_owned(),
            "write letters, digits and hyphens: X-Team",
        ),
    };
    reader.faults.push(key.fault(0..key.value.len(), message).help(help));
    None
}

/// A header's value (RFC 9110, 5.5), marked so that logs hide it.
pub(super) fn value(
    text: &str,
    node: Node<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<HeaderValue> {
    let value = Some(text.trim())
        .filter(|text| text.is_ascii())
        .and_then(|text| HeaderValue::from_str(text).ok());
    let Some(mut value) = value else {
        reader.error(node, "this cannot be sent in a header", "a header is one line of ASCII");
        return None;
    };
    value.set_sensitive(true);
    Some(value)
}
