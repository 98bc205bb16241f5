//! Reads who may use the web listener: `web.auth`.

use std::net::IpAddr;

use http::HeaderName;
use ipnet::IpNet;

use super::access::{AccessToken, TrustedPeer};
use super::{WebAddress, tokens};
use crate::config::reader::{ConfigReader, all};
use tidings_rules::yaml::{Entries, Node};

/// How a visitor shows who it is.
pub(super) enum Auth {
    /// By a token.
    Tokens(Vec<AccessToken>),
    /// By the header of a proxy, which is believed from some peers only.
    Proxy(HeaderName, Vec<TrustedPeer>),
}

const BOTH_FORMS: &str =
    "write {tokens_file: tokens.txt} or {header: X-Forwarded-User, from: [10.0.0.2]}";

/// `{tokens_file: tokens.txt}` or `{header: X-Forwarded-User, from: [10.0.0.2, 10.1.0.0/16]}`.
pub(super) fn auth(
    node: Node<'_>,
    listen: Option<&WebAddress>,
    reader: &mut ConfigReader<'_>,
) -> Option<Auth> {
    let mut entries = reader.entries(node)?;
    let from = entries.get("from");
    let auth = match (entries.get("tokens_file"), entries.get("header")) {
        (Some(_), Some(node)) => {
            reader.error(node, "`tokens_file` is set as well", "keep one of the two");
            None
        }
        (Some(node), None) => {
            if let Some(from) = from {
                reader.error(from, "`from` belongs to `header`", "remove it: tokens need none");
            }
            tokens::tokens(node, reader).map(Auth::Tokens)
        }
        (None, Some(node)) => proxy(node, &mut entries, listen, reader),
        (None, None) => {
            reader.error(node, "this does not say who may use the web listener", BOTH_FORMS);
            None
        }
    };
    entries.refuse_unknown_keys(reader.faults);
    auth
}

fn proxy(
    header: Node<'_>,
    entries: &mut Entries<'_>,
    listen: Option<&WebAddress>,
    reader: &mut ConfigReader<'_>,
) -> Option<Auth> {
    let name = header_name(header, reader);
    let from = entries.require("from", reader.faults).and_then(|node| {
        let from: Vec<_> = all(node.one_or_many().into_iter().map(|node| peer(node, reader)))?;
        check_reach(&from, listen?, node, reader)?;
        Some(from)
    });
    Some(Auth::Proxy(name?, from?))
}

fn header_name(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HeaderName> {
    let name = reader.string(node)?.parse().ok();
    if name.is_none() {
        let help = "write letters, digits and hyphens: X-Forwarded-User";
        reader.error(node, "this is not the name of a header", help);
    }
    name
}

/// An address, a range in CIDR notation, or `unix`. A range of all addresses would let everyone
/// name any visitor.
fn peer(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<TrustedPeer> {
    let text = reader.expanded(node)?;
    let value = text.value.as_str();
    if value == "unix" {
        return Some(TrustedPeer::UnixSocket);
    }
    let address = value.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    match address.or_else(|_| value.parse::<IpNet>()) {
        Ok(range) if range.prefix_len() == 0 => {
            let help = "write the addresses of the proxy: [10.0.0.2]";
            reader.error(node, "these are all addresses, and each could name any visitor", help);
            None
        }
        Ok(range) => Some(TrustedPeer::Address(range)),
        Err(_) => {
            let message = format!("`{}` is neither an address nor a range", text.written.value);
            reader.error(node, message, "write 10.0.0.2, 10.1.0.0/16, fd00::/8, or unix");
            None
        }
    }
}

/// Refuses a proxy that cannot reach `listen`, so that nobody could.
fn check_reach(
    from: &[TrustedPeer],
    listen: &WebAddress,
    node: Node<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<()> {
    let is_socket = matches!(listen, WebAddress::Unix(_));
    let reaches = |peer: &TrustedPeer| is_socket == (*peer == TrustedPeer::UnixSocket);
    if from.iter().any(reaches) {
        return Some(());
    }
    let help = if is_socket {
        "write `from: [unix]`: it believes whoever may open the socket"
    } else {
        "write the addresses of the proxy: [10.0.0.2]"
    };
    reader.error(node, "nobody from here reaches `listen`", help);
    None
}
