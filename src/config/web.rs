//! Reads the web listener: `web`.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// The web listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where it listens.
    pub listen: WebAddress,
}

/// Where the web listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebAddress {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
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
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// `{listen: "127.0.0.1:9177"}`.
pub(super) fn web(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Web> {
    let mut entries = reader.entries(node)?;
    let listen = entries.require("listen", reader.faults).and_then(|node| address(node, reader));
    entries.refuse_unknown_keys(reader.faults);
    Some(Web { listen: listen? })
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
