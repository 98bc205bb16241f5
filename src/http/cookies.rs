//! Cookies along one chain of redirects. Some sites send a visitor to another address and back
//! until the cookie that they set comes with the request.

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::{Host, Url};

use super::headers::{header_text, value};

/// The most cookies of one chain.
const MOST_COOKIES: usize = 50;

/// The longest cookie that is kept, in bytes.
const LONGEST_COOKIE: usize = 4096;

/// The cookies that the hosts of one fetch have set.
#[derive(Debug, Default)]
pub(super) struct ChainCookies(Vec<ChainCookie>);

#[derive(Debug)]
struct ChainCookie {
    /// The host or domain to which it is sent.
    domain: String,
    /// Whether it is also sent to the hosts below its domain.
    has_subdomains: bool,
    /// Whether it is sent over https only.
    is_secure: bool,
    name: String,
    value: String,
}

impl ChainCookies {
    /// Keeps the cookies that the answer of `url` sets. A cookie that has expired takes back an
    /// earlier one.
    pub(super) fn keep(&mut self, url: &Url, head: &HeaderMap, now: Timestamp) {
        for line in head.get_all(SET_COOKIE) {
            let line = header_text(line);
            let Some((cookie, is_over)) = read_cookie(&line, url, now) else { continue };
            self.0.retain(|known| known.name != cookie.name || known.domain != cookie.domain);
            if !is_over && self.0.len() < MOST_COOKIES {
                self.0.push(cookie);
            }
        }
    }

    /// Sets `Cookie` in the headers of a request for `url`. A cookie of the chain replaces one of
    /// the same name that the configuration gives.
    pub(super) fn add_to(&self, headers: &mut HeaderMap, url: &Url) {
        let sent: Vec<&ChainCookie> = self.0.iter().filter(|cookie| cookie.is_for(url)).collect();
        if sent.is_empty() {
            return;
        }
        let given = headers.get(reqwest::header::COOKIE).map(header_text).unwrap_or_default();
        let is_replaced = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            sent.iter().any(|cookie| cookie.name == name)
        };
        let given = given.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        let pairs: Vec<String> = given
            .filter(|pair| !is_replaced(pair))
            .map(ToOwned::to_owned)
            .chain(sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)))
            .collect();
        if let Some(mut cookies) = value(&pairs.join("; ")) {
            HeaderValue::set_sensitive(&mut cookies, true);
            headers.insert(reqwest::header::COOKIE, cookies);
        }
    }
}

impl ChainCookie {
    fn is_for(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_host = host == self.domain || self.has_subdomains && is_below(host, &self.domain);
        is_host && (!self.is_secure || url.scheme() == "https")
    }
}

/// A cookie of a `Set-Cookie` header (RFC 6265, section 5.2), and whether it has expired. `None` if
/// it has no name or is for another domain.
fn read_cookie(line: &str, url: &Url, now: Timestamp) -> Option<(ChainCookie, bool)> {
    let mut parts = line.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || line.len() > LONGEST_COOKIE {
        return None;
    }
    let host = url.host_str()?;
    let mut cookie = ChainCookie {
        domain: host.to_owned(),
        has_subdomains: false,
        is_secure: false,
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let (mut by_age, mut by_date) = (None, None);
    for part in parts {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        match attribute.trim().to_ascii_lowercase().as_str() {
            "secure" => cookie.is_secure = true,
            "domain" => {
                let domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                if domain.contains('.') && matches!(url.host(), Some(Host::Domain(_))) {
                    let is_own = domain == host || is_below(host, &domain);
                    (cookie.domain, cookie.has_subdomains) = (domain, true);
                    is_own.then_some(())?;
                }
            }
            "max-age" => by_age = value.trim().parse::<i64>().ok().map(|age| age <= 0),
            "expires" => {
                let end = httpdate::parse_http_date(value.trim()).ok();
                by_date = end.map(|end| Timestamp::try_from(end).is_ok_and(|end| end <= now));
            }
            _ => {}
        }
    }
    Some((cookie, by_age.or(by_date).unwrap_or(false)))
}

/// Whether `host` is a host below `domain`.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sent(from: &str, lines: &[&str], given: &str, to: &str) -> String {
        let mut head = HeaderMap::new();
        for line in lines {
            head.append(SET_COOKIE, value(line).unwrap());
        }
        let mut cookies = ChainCookies::default();
        let now = "2024-05-01T12:00:00Z".parse().unwrap();
        cookies.keep(&from.parse().unwrap(), &head, now);
        let mut headers = HeaderMap::new();
        if !given.is_empty() {
            headers.insert(reqwest::header::COOKIE, value(given).unwrap());
        }
        cookies.add_to(&mut headers, &to.parse().unwrap());
        headers.get(reqwest::header::COOKIE).map(header_text).unwrap_or_default()
    }

    #[rstest]
    #[case::its_own_host(&["a=1; Path=/; HttpOnly", "b=2"], "https://www.a.example/x", "a=1; b=2")]
    #[case::another_host(&["a=1"], "https://b.example/", "")]
    #[case::a_host_of_its_domain(&["a=1; Domain=.a.example"], "https://c.a.example/", "a=1")]
    #[case::a_host_of_its_site(&["a=1"], "https://c.a.example/", "")]
    #[case::a_foreign_domain(&["a=1; Domain=b.example"], "https://b.example/", "")]
    #[case::a_domain_of_all(&["a=1; Domain=example"], "https://b.example/", "")]
    #[case::secure(&["a=1; Secure"], "http://www.a.example/", "")]
    #[case::taken_back(&["a=1", "a=; Max-Age=0"], "https://www.a.example/", "")]
    #[case::expired(&["a=1", "a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "https://www.a.example/", "")]
    #[case::set_again(&["a=1", "a=2"], "https://www.a.example/", "a=2")]
    #[case::no_cookie(&["a", "=x"], "https://www.a.example/", "")]
    fn a_cookie_goes_back_to_the_host_that_set_it(
        #[case] lines: &[&str],
        #[case] to: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(sent("https://www.a.example/", lines, "", to), expected);
    }

    #[test]
    fn a_newer_cookie_replaces_one_of_the_configuration() {
        let (host, lines) = ("https://a.example/", ["a=new", "c=3"]);
        assert_eq!(sent(host, &lines, "a=old; b=2", host), "b=2; a=new; c=3");
    }
}
