//! Reads the web listener: `web`.

mod access;
mod auth;
mod public;
mod tokens;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::Url;

use super::reader::ConfigReader;
pub use access::{Access, AccessToken, TrustedPeer, TrustedProxy, VisitorRole};
use auth::Auth;
use tidings_rules::yaml::Node;

/// The web listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where it listens.
    pub listen: WebAddress,
    /// The address under which people reach it: `http` or `https`, without a path.
    pub public: Option<Url>,
    /// Who may use it. It is never [`Access::Open`] if other machines reach `listen`.
    pub access: Access,
}

/// Where the web listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebAddress {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Web {
    /// What is in force of `after` while it listens where `before` says. What lets everyone in
    /// waits for a restart if other machines reach that place.
    #[must_use]
    pub fn without_restart(before: Option<&Self>, after: Option<&Self>) -> Option<Self> {
        let (before, after) = (before?, after.or(before)?);
        let opens = matches!(after.access, Access::Open(_)) && !before.listen.is_local();
        let new = if opens { before } else { after };
        Some(Self { listen: before.listen.clone(), ..new.clone() })
    }
}

impl WebAddress {
    /// An address and a port, or `unix:` and a path, which is relative to `base`.
    #[must_use]
    pub fn parse(text: &str, base: &Path) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some("") => None,
            Some(path) => Some(Self::Unix(base.join(path))),
            None => text.parse().ok().map(Self::Tcp),
        }
    }

    /// Whether only this machine reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// `{listen: "127.0.0.1:9177", public: https://desk.example.org, auth: {tokens_file: tokens.txt}}`.
pub(super) fn web(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Web> {
    let mut entries = reader.entries(node)?;
    let listen_node = entries.require("listen", reader.faults);
    let listen = listen_node.and_then(|node| address(node, reader));
    let public =
        entries.get("public").map_or(Some(None), |node| public::public(node, reader).map(Some));
    let write = entries.get("write");
    let role = write.map_or(Some(VisitorRole::Read), |node| role(node, reader));
    let auth = match entries.get("auth") {
        Some(node) => auth::auth(node, listen.as_ref(), reader).map(Some),
        None => check_reach(listen_node, listen.as_ref(), reader).map(|()| None),
    };
    entries.refuse_unknown_keys(reader.faults);
    let access = match (auth?, write) {
        (None, _) => Access::Open(role?),
        (Some(Auth::Proxy(header, from)), _) => {
            Access::Proxy(TrustedProxy { header, from, role: role? })
        }
        (Some(Auth::Tokens(tokens)), None) => Access::Tokens(tokens),
        (Some(Auth::Tokens(_)), Some(node)) => {
            let help = "remove it: the file of tokens says `read` or `write` for each token";
            reader.error(node, "`write` is not for tokens, which have roles of their own", help);
            return None;
        }
    };
    Some(Web { listen: listen?, public: public?, access })
}

fn role(write: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<VisitorRole> {
    let may_write = write.bool(reader.faults)?;
    Some(if may_write { VisitorRole::Write } else { VisitorRole::Read })
}

/// Refuses an address that other machines reach, because no `auth` stands beside it.
fn check_reach(
    node: Option<Node<'_>>,
    listen: Option<&WebAddress>,
    reader: &mut ConfigReader<'_>,
) -> Option<()> {
    let node = node?;
    if listen?.is_local() {
        return Some(());
    }
    let help = "add `auth: {tokens_file: tokens.txt}`, or, behind a proxy that names the visitor, `auth: {header: X-Forwarded-User, from: [10.0.0.2]}`";
    reader.error(node, "other machines reach this address, and no `auth` says who may", help);
    None
}

fn address(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<WebAddress> {
    let text = reader.expanded(node)?;
    let address = WebAddress::parse(&text.value, reader.base);
    if address.is_some() {
        return address;
    }
    let help = "write an address and a port, 127.0.0.1:9177 or [::1]:9177, or unix:tidings.sock";
    reader.error(node, format!("`{}` is no place to listen", text.written.value), help);
    None
}
