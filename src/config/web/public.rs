//! Reads the address under which people reach the web listener: `web.public`.

use url::Url;

use crate::config::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// `https://desk.example.org`. Links begin with it, so that it has neither a query nor a fragment.
/// The pages link to one another from the root of their host, so that it has no path.
pub(super) fn public(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Url> {
    let text = reader.string(node)?;
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let is_bare = |url: &Url| {
        url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
    };
    let message = match url {
        Some(url) if is_bare(&url) => return Some(url),
        Some(_) => "this address has more than a host",
        None => "this is not a web address",
    };
    reader.error(node, message, "write it like https://desk.example.org");
    None
}
