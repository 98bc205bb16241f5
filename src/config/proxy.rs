//! Reads the proxy by which hosts are reached: `proxy`.

use std::fmt;

use url::Url;

use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// A proxy, with an optional login. Only its scheme, host and port are printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy(pub Url);

impl Proxy {
    /// Whether the proxy looks up names. Only a `socks5` proxy does not: it gets addresses.
    #[must_use]
    pub fn resolves_names(&self) -> bool {
        self.0.scheme() != "socks5"
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `http://[user:password@]host:port`, the same with `socks5` (Tidings looks up names) or `socks5h`
/// (the proxy looks up names).
pub(super) fn proxy(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Proxy> {
    let address = reader.string(node)?;
    let url = Url::parse(address.trim()).ok().filter(is_proxy);
    if url.is_none() {
        let help = "write http://HOST:PORT, socks5://HOST:PORT, or socks5h://HOST:PORT for one that looks names up itself; a login stands before the host, as ${NAME}@";
        reader.error(node, "this is not the address of a proxy", help);
    }
    url.map(Proxy)
}

fn is_proxy(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "socks5" | "socks5h")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
}
