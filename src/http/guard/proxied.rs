//! The guard for requests through a proxy. A proxy that looks up names itself may get other
//! addresses than the guard, so more is refused.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::{Forbidden, check_url, permits};
use crate::config::Proxy;

/// The longest time for the look-up of a name that the proxy looks up itself.
const LONGEST: Duration = Duration::from_secs(10);

/// Does what [`check_url`] does. If `proxy` looks up names itself, the name is looked up here too,
/// and one forbidden address is enough to refuse it, because the proxy may take any. A name that
/// cannot be looked up here is left to the proxy. A request to the proxy's own host is checked here
/// too, because [`GuardedResolver`](super::GuardedResolver) does not check that name.
///
/// # Errors
/// If the address must not be fetched.
pub async fn check(url: &Url, allow: &[IpNet], proxy: Option<&Proxy>) -> Result<(), Forbidden> {
    check_url(url, allow)?;
    let (Some(Host::Domain(name)), Some(proxy)) = (url.host(), proxy) else { return Ok(()) };
    if !proxy.resolves_names() && proxy.0.host_str() != Some(name) {
        return Ok(());
    }
    match tokio::time::timeout(LONGEST, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => all_permitted(name, found, allow),
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}

fn all_permitted(
    name: &str,
    mut found: impl Iterator<Item = SocketAddr>,
    allow: &[IpNet],
) -> Result<(), Forbidden> {
    match found.find(|address| !permits(address.ip(), allow)) {
        Some(address) => Err(Forbidden::Name { name: name.to_owned(), address: address.ip() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn proxy(address: &str) -> Proxy {
        Proxy(address.parse().unwrap())
    }

    #[rstest]
    #[case("http://proxy.example:3128", "http://127.0.0.1/", false)]
    #[case("http://proxy.example:3128", "http://2130706433/", false)]
    #[case("http://proxy.example:3128", "http://[::ffff:10.0.0.1]/", false)]
    #[case("http://proxy.example:3128", "http://localhost/", false)]
    #[case("socks5h://proxy.example:3128", "https://localhost/", false)]
    #[case("socks5h://localhost:3128", "https://localhost/", false)]
    #[case("socks5://proxy.example:3128", "http://169.254.169.254/", false)]
    #[case("socks5://localhost:1080", "http://localhost:6379/", false)]
    #[case("socks5://localhost:1080", "http://LOCALHOST:6379/", false)]
    #[case("http://proxy.example:3128", "http://no-such-name.invalid/", true)]
    #[case("http://127.0.0.1:3128", "http://1.1.1.1/", true)]
    #[tokio::test]
    async fn a_proxy_opens_no_hole(#[case] by: &str, #[case] url: &str, #[case] may: bool) {
        let checked = check(&url.parse().unwrap(), &[], Some(&proxy(by))).await;
        assert_eq!(checked.is_ok(), may, "{checked:?}");
    }

    #[test]
    fn one_forbidden_address_is_enough_where_another_chooses() {
        let of = |list: &[&str]| {
            list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect::<Vec<_>>()
        };
        assert!(
            all_permitted("x.example", of(&["1.1.1.1", "2606:4700::1111"]).into_iter(), &[])
                .is_ok()
        );
        assert!(all_permitted("x.example", of(&["1.1.1.1", "10.0.0.1"]).into_iter(), &[]).is_err());
    }
}
