//! Reads how hosts are reached: `network`.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::reader::{ConfigReader, all};
use super::{Network, proxy};
use tidings_rules::yaml::Node;

const LONGEST_CONTACT: usize = 200;

/// `{allow: [10.0.0.0/8], contact: ana@example.org, proxy: socks5://10.0.0.1:1080}`.
pub(super) fn network(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Network> {
    let mut entries = reader.entries(node)?;
    let allow = entries.get("allow").map_or_else(|| Some(Vec::new()), |node| ranges(node, reader));
    let contact = entries.get("contact").map_or(Some(None), |node| contact(node, reader).map(Some));
    let proxy =
        entries.get("proxy").map_or(Some(None), |node| proxy::proxy(node, reader).map(Some));
    entries.refuse_unknown_keys(reader.faults);
    Some(Network { allow: allow?, contact: contact?, proxy: proxy? })
}

fn ranges(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Vec<IpNet>> {
    all(node.one_or_many().into_iter().map(|node| range(node, reader)))
}

/// A range in CIDR notation (RFC 4632, RFC 4291).
fn range(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<IpNet> {
    let text = reader.expanded(node)?;
    if let Ok(range) = text.value.parse::<IpNet>() {
        return Some(range);
    }
    let help = match text.value.parse::<IpAddr>() {
        Ok(address) => format!("write {}", IpNet::from(address)),
        Err(_) => {
            "write an address and the length of its prefix in bits: 10.0.0.0/8, 192.168.1.7/32, fd00::/8".to_owned()
        }
    };
    reader.error(node, format!("`{}` is not a range of addresses", text.written.value), help);
    None
}

/// A mail or web address that can stand in the comment of a User-Agent (RFC 9110, 10.1.5).
fn contact(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<String> {
    let contact = reader.string(node)?;
    let is_plain = contact.len() <= LONGEST_CONTACT
        && contact.chars().all(|c| c.is_ascii_graphic() && !"()\\;".contains(c));
    let is_address =
        contact.contains('@') || contact.starts_with("https://") || contact.starts_with("http://");
    if !is_plain || !is_address {
        reader.error(
            node,
            "this is neither a mail nor a web address",
            "write ana@example.org or https://example.org/about",
        );
        return None;
    }
    Some(contact)
}

impl Network {
    /// Whether `url` leads to the user's own host: a file, an address that `allow` contains, or
    /// `localhost` if `allow` contains loopback addresses. Other names are not looked up, and so
    /// are never the user's own.
    #[must_use]
    pub fn owns(&self, url: &Url) -> bool {
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain("localhost")) => Some(std::net::Ipv4Addr::LOCALHOST.into()),
            _ => None,
        };
        let is_allowed = |address: IpAddr| {
            self.allow.iter().any(|range| range.contains(&address.to_canonical()))
        };
        url.scheme() == "file" || address.is_some_and(is_allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_hosts_are_files_and_allowed_addresses() {
        let allow = ["127.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap()).to_vec();
        let network = Network { allow, ..Network::default() };
        for (url, own) in [
            ("file:///a.xml", true),
            ("http://127.0.0.1:8080/", true),
            ("http://localhost/", true),
            ("http://[fd00::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://0x7f.1/", true),
            ("http://10.0.0.1/", false),
            ("https://example.org/", false),
        ] {
            assert_eq!(network.owns(&Url::parse(url).unwrap()), own, "{url}");
        }
        assert!(!Network::default().owns(&Url::parse("http://localhost/").unwrap()));
    }
}
