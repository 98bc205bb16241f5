//! Which addresses may be reached. Private and special addresses are refused unless the
//! configuration allows them.

mod proxied;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::config::Proxy;

pub use proxied::check;

/// Why an address may not be reached, in one sentence for a person, without path and query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// A private or special address.
    #[error(
        "{address} is a private or special address; `network: {{allow: […]}}` in the configuration can permit it"
    )]
    Address {
        /// The address that was refused.
        address: IpAddr,
    },
    /// A name that has private or special addresses.
    #[error(
        "{name} resolves to {address}, a private or special address; `network: {{allow: […]}}` in the configuration can permit it"
    )]
    Name {
        /// The name that was looked up.
        name: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// The scheme is neither http nor https, or there is no host.
    #[error("only http and https addresses are fetched, not {scheme}")]
    Scheme {
        /// The scheme that was refused.
        scheme: String,
    },
}

/// IPv4 ranges that are not public: those of RFC 6890 and its IANA registry, multicast and class E.
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // this network
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // shared by carriers (CGNAT)
    v4([127, 0, 0, 0], 8),      // loopback
    v4([169, 254, 0, 0], 16),   // link-local, with the clouds' metadata services
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // IETF protocols
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 88, 99, 0], 24),   // the former 6to4 relays
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 4),      // multicast
    v4([240, 0, 0, 0], 4),      // reserved, with broadcast
    v4([168, 63, 129, 16], 32), // the metadata service of Azure, in a public range
];

/// The only IPv6 range for public hosts.
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0], 3);

/// The ranges of [`PUBLIC_V6`] that are not public.
const SPECIAL_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0], 23),     // IETF protocols: Teredo, ORCHID, benchmarks
    v6([0x2001, 0xdb8], 32), // documentation
    v6([0x3fff, 0], 20),     // documentation
];

const NAT64: Ipv6Net = v6([0x64, 0xff9b], 96);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0], 16);

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b]: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whether `address` may be connected to: it is public, or one of `allow` contains it.
///
/// An IPv4-mapped, NAT64 or 6to4 address counts as the IPv4 address that it embeds. The special
/// ranges are those of the IANA special-purpose registries (RFC 6890).
#[must_use]
pub fn permits(address: IpAddr, allow: &[IpNet]) -> bool {
    let carried = embedded_address(address);
    is_public(carried)
        || allow.iter().any(|range| range.contains(&carried) || range.contains(&address))
}

/// Checks `url` before its name is looked up: its scheme, and its host if that is an IP address.
/// The `url` crate has normalised its spelling: `0x7f.1` and `2130706433` are 127.0.0.1.
/// [`GuardedResolver`] checks names when it looks them up.
///
/// # Errors
/// If the address must not be fetched.
pub fn check_url(url: &Url, allow: &[IpNet]) -> Result<(), Forbidden> {
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Forbidden::Scheme { scheme: url.scheme().to_owned() });
    }
    match literal_address(url) {
        Some(address) if !permits(address, allow) => Err(Forbidden::Address { address }),
        _ => Ok(()),
    }
}

fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// The IPv4 address that `address` embeds, or `address`.
fn embedded_address(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let [_, b, c, .., g, h] = six.segments();
    if let Some(four) = six.to_ipv4_mapped() {
        four.into()
    } else if NAT64.contains(&six) {
        joined(g, h).into()
    } else if SIX_TO_FOUR.contains(&six) {
        joined(b, c).into()
    } else {
        address
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => !SPECIAL_V4.iter().any(|range| range.contains(&four)),
        IpAddr::V6(six) => {
            PUBLIC_V6.contains(&six) && !SPECIAL_V6.iter().any(|range| range.contains(&six))
        }
    }
}

/// A resolver that looks names up with the system's resolver and returns only addresses that
/// [`permits`] allows. A connection goes to one of these addresses, so a name cannot change between
/// check and connection (DNS rebinding).
///
/// It is not asked for hosts that are IP addresses, unless a proxy is used. [`check_url`] checks
/// such hosts before every request.
#[derive(Clone, Debug)]
pub struct GuardedResolver {
    allow: Arc<[IpNet]>,
    /// The name of the proxy's host. Its addresses are not checked.
    named: Option<Arc<str>>,
}

impl GuardedResolver {
    /// Permits public addresses and those in `allow`. The host of `proxy` may have any address,
    /// because the configuration names it.
    #[must_use]
    pub fn new(allow: &[IpNet], proxy: Option<&Proxy>) -> Self {
        let named = proxy.and_then(|proxy| proxy.0.host_str()).map(Into::into);
        Self { allow: allow.into(), named }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { allow, named } = self.clone();
        Box::pin(async move {
            // The connector sets the port. For a SOCKS proxy, IP addresses come here too, those of
            // IPv6 in brackets.
            let found =
                tokio::net::lookup_host((name.as_str().trim_matches(['[', ']']), 0)).await?;
            if named.as_deref() == Some(name.as_str()) {
                return Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs);
            }
            let permitted = keep_permitted(name.as_str(), found, &allow)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

fn keep_permitted(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    allow: &[IpNet],
) -> Result<Vec<SocketAddr>, Forbidden> {
    let (permitted, refused): (Vec<_>, Vec<_>) =
        found.partition(|address| permits(address.ip(), allow));
    match refused.first() {
        Some(address) if permitted.is_empty() => {
            Err(Forbidden::Name { name: name.to_owned(), address: address.ip() })
        }
        _ => Ok(permitted),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn nets(ranges: &[&str]) -> Vec<IpNet> {
        ranges.iter().map(|range| range.parse().unwrap()).collect()
    }

    #[rstest]
    #[case("0.0.0.0")]
    #[case("0.1.2.3")]
    #[case("10.0.0.1")]
    #[case("100.64.0.1")]
    #[case("100.127.255.255")]
    #[case("127.0.0.1")]
    #[case("127.255.0.1")]
    #[case("169.254.169.254")]
    #[case("172.16.0.1")]
    #[case("172.31.255.255")]
    #[case("192.0.0.8")]
    #[case("192.0.2.1")]
    #[case("192.88.99.1")]
    #[case("192.168.1.1")]
    #[case("198.18.0.1")]
    #[case("198.51.100.7")]
    #[case("203.0.113.7")]
    #[case("224.0.0.1")]
    #[case("239.255.255.250")]
    #[case("240.0.0.1")]
    #[case("255.255.255.255")]
    #[case("168.63.129.16")]
    #[case("::")]
    #[case("::1")]
    #[case("::127.0.0.1")]
    #[case("::ffff:127.0.0.1")]
    #[case("::ffff:10.1.2.3")]
    #[case("64:ff9b::a9fe:a9fe")]
    #[case("64:ff9b:1::1")]
    #[case("100::1")]
    #[case("2001::1")]
    #[case("2001:2::1")]
    #[case("2001:db8::1")]
    #[case("2002:7f00:1::")]
    #[case("2002:c0a8:101::1")]
    #[case("3fff::1")]
    #[case("5f00::1")]
    #[case("fc00::1")]
    #[case("fd00:ec2::254")]
    #[case("fe80::1")]
    #[case("fec0::1")]
    #[case("ff02::1")]
    fn special_addresses_are_refused(#[case] address: &str) {
        assert!(!permits(address.parse().unwrap(), &[]));
    }

    #[rstest]
    #[case("1.1.1.1")]
    #[case("100.63.255.255")]
    #[case("100.128.0.1")]
    #[case("172.15.0.1")]
    #[case("172.32.0.1")]
    #[case("192.0.1.1")]
    #[case("198.20.0.1")]
    #[case("223.255.255.255")]
    #[case("::ffff:1.1.1.1")]
    #[case("64:ff9b::101:101")]
    #[case("2002:101:101::1")]
    #[case("2001:200::1")]
    #[case("2606:4700::1111")]
    fn public_addresses_are_permitted(#[case] address: &str) {
        assert!(permits(address.parse().unwrap(), &[]));
    }

    #[rstest]
    #[case("127.0.0.1", "127.0.0.0/8", true)]
    #[case("::ffff:127.0.0.1", "127.0.0.0/8", true)]
    #[case("64:ff9b::7f00:1", "127.0.0.0/8", true)]
    #[case("64:ff9b:1::1", "64:ff9b:1::/48", true)]
    #[case("::1", "127.0.0.0/8", false)]
    #[case("10.0.0.1", "10.0.1.0/24", false)]
    fn allowed_ranges_open_just_themselves(
        #[case] address: &str,
        #[case] range: &str,
        #[case] open: bool,
    ) {
        assert_eq!(permits(address.parse().unwrap(), &nets(&[range])), open);
    }

    #[rstest]
    #[case("http://127.0.0.1/")]
    #[case("http://0x7f.1/")]
    #[case("http://2130706433/")]
    #[case("http://0177.0.0.01:8080/x")]
    #[case("http://127.0.0.1./")]
    #[case("http://[::ffff:127.0.0.1]/")]
    #[case("http://[::1]/")]
    #[case("https://169.254.169.254/latest/meta-data")]
    #[case("http://user@10.0.0.1/")]
    fn literals_are_refused_in_every_spelling(#[case] url: &str) {
        assert!(matches!(check_url(&url.parse().unwrap(), &[]), Err(Forbidden::Address { .. })));
    }

    #[test]
    fn only_http_and_https_pass() {
        for url in
            ["file:///etc/passwd", "ftp://example.org/", "data:text/plain,x", "gopher://1.1.1.1/"]
        {
            assert!(
                matches!(check_url(&url.parse().unwrap(), &[]), Err(Forbidden::Scheme { .. })),
                "{url}"
            );
        }
        for url in ["http://example.org/", "https://1.1.1.1/x"] {
            assert_eq!(check_url(&url.parse().unwrap(), &[]), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_name_keeps_its_public_addresses_and_fails_with_none() {
        let of = |list: &[&str]| {
            list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect::<Vec<_>>()
        };
        let mixed = keep_permitted("x.example", of(&["10.0.0.1", "1.1.1.1"]).into_iter(), &[]);
        assert_eq!(mixed, Ok(of(&["1.1.1.1"])));
        let private = keep_permitted("x.example", of(&["10.0.0.1"]).into_iter(), &[]);
        assert_eq!(
            private.unwrap_err().to_string(),
            "x.example resolves to 10.0.0.1, a private or special address; `network: {allow: […]}` in the configuration can permit it"
        );
    }

    #[tokio::test]
    async fn the_resolver_refuses_localhost_unless_it_is_allowed() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = GuardedResolver::new(&[], None).resolve(name()).await.err().unwrap();
        assert!(refused.is::<Forbidden>());
        let allowed =
            GuardedResolver::new(&nets(&["127.0.0.0/8", "::1/128"]), None).resolve(name()).await;
        assert!(allowed.unwrap().next().is_some());
    }

    /// A name that has another address at every look-up.
    struct Rebinding {
        answers: std::sync::Mutex<Vec<IpAddr>>,
        allow: Vec<IpNet>,
    }

    impl Resolve for Rebinding {
        fn resolve(&self, name: Name) -> Resolving {
            let answer = self.answers.lock().unwrap().remove(0);
            let permitted = keep_permitted(
                name.as_str(),
                std::iter::once(SocketAddr::new(answer, 0)),
                &self.allow,
            );
            Box::pin(async move { Ok(Box::new(permitted?.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_between_check_and_connection_gains_nothing() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let permitted = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = permitted.local_addr().unwrap().port();
        let forbidden = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let answers =
            ["127.0.0.1", "127.0.0.2", "127.0.0.1"].map(|address| address.parse().unwrap());
        let resolver = Arc::new(Rebinding {
            answers: answers.to_vec().into(),
            allow: nets(&["127.0.0.1/32"]),
        });
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Arc::clone(&resolver))
            .build()
            .unwrap();
        let ask = || client.get(format!("http://rebinding.example:{port}/")).send();
        let serve = async {
            let (mut stream, _) = permitted.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
        };
        let (first, ()) = tokio::join!(ask(), serve);
        assert_eq!(first.unwrap().status(), 204);
        assert_eq!(
            resolver.answers.lock().unwrap().len(),
            2,
            "a connection goes to the address of its one look-up"
        );
        let error = crate::http::explain(&ask().await.unwrap_err());
        assert!(
            error.to_string().starts_with("rebinding.example resolves to 127.0.0.2"),
            "{error}"
        );
        assert!(futures_util::future::poll_immediate(forbidden.accept()).await.is_none());
    }
}
