//! Reads `helo: mail.example.org`: our name in `EHLO` (RFC 5321, 4.1.1.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Host;

use super::super::reader::ConfigReader;
use tidings_rules::yaml::{Entries, Node};

/// The longest domain name, in bytes (RFC 1035).
const LONGEST: usize = 253;

/// Suffixes of names that exist only in a local network. Other servers cannot resolve such a host,
/// and refuse it.
const PRIVATE: [&str; 11] = [
    "local",
    "localdomain",
    "localhost",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "invalid",
];

/// An address literal that servers accept which require a dot.
const LITERAL: &str = "[127.0.0.1]";

/// The name of the key `helo`, else the fully qualified name of this machine, else the domain of
/// `sender`, else an address literal.
pub(super) fn helo(
    entries: &mut Entries<'_>,
    sender: Option<&str>,
    reader: &mut ConfigReader<'_>,
) -> Option<String> {
    if let Some(node) = entries.get("helo") {
        return given(node, reader);
    }
    let machine = hostname::get().ok().and_then(|name| name.into_string().ok());
    Some(by_default(machine.as_deref(), sender.unwrap_or_default()))
}

fn given(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<String> {
    let text = reader.expanded(node)?;
    let name = literal(text.value.trim()).or_else(|| qualified(text.value.trim()));
    if name.is_none() {
        let help =
            "write a name with a dot, such as mail.example.org, or an address such as [192.0.2.1]";
        reader.error(
            node,
            format!("`{}` is not a fully qualified host name", text.written.value),
            help,
        );
    }
    name
}

/// The name without the key `helo`. Postfix refuses a name without a dot
/// (`reject_non_fqdn_helo_hostname`) and a name that is not in the DNS
/// (`reject_unknown_helo_hostname`).
fn by_default(machine: Option<&str>, sender: &str) -> String {
    let is_public = |name: &String| !PRIVATE.contains(&name.rsplit('.').next().unwrap_or_default());
    let machine = machine.and_then(qualified).filter(is_public);
    machine
        .or_else(|| literal(sender))
        .or_else(|| qualified(sender))
        .unwrap_or_else(|| LITERAL.to_owned())
}

/// A domain name with two labels or more, in the form of the DNS.
fn qualified(name: &str) -> Option<String> {
    let Ok(Host::Domain(name)) = Host::parse(name.trim_end_matches('.')) else { return None };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= LONGEST && name.contains('.') && name.split('.').all(is_label);
    is_name.then_some(name)
}

/// An address literal of SMTP: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
fn literal(text: &str) -> Option<String> {
    let address = text.strip_prefix('[')?.strip_suffix(']')?;
    let is_address = match address.split_at_checked(5) {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("IPv6:") => rest.parse::<Ipv6Addr>().is_ok(),
        _ => address.parse::<Ipv4Addr>().is_ok(),
    };
    is_address.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some("relay.example.org"), "example.net", "relay.example.org")]
    #[case(Some("Relay.Example.org."), "example.net", "relay.example.org")]
    #[case(Some("3f2a9c"), "example.net", "example.net")]
    #[case(Some("box.local"), "example.net", "example.net")]
    #[case(Some("ip-10-0-0-1.ec2.internal"), "example.net", "example.net")]
    #[case(Some("localhost.localdomain"), "example.net", "example.net")]
    #[case(Some("my_box.example.org"), "example.net", "example.net")]
    #[case(Some("10.0.0.1"), "example.net", "example.net")]
    #[case(Some(""), "example.net", "example.net")]
    #[case(None, "bücher.example", "xn--bcher-kva.example")]
    #[case(None, "[192.0.2.1]", "[192.0.2.1]")]
    #[case(Some("box"), "localhost", "[127.0.0.1]")]
    fn what_is_said_by_default_is_fully_qualified(
        #[case] machine: Option<&str>,
        #[case] sender: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(by_default(machine, sender), expected);
    }

    #[rstest]
    #[case("[192.0.2.1]", true)]
    #[case("[IPv6:2001:db8::1]", true)]
    #[case("[2001:db8::1]", false)]
    #[case("[mail.example.org]", false)]
    #[case("192.0.2.1", false)]
    fn an_address_stands_in_brackets(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(literal(text).is_some(), expected);
    }
}
