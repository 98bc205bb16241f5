//! For which host a request is, which page sent it, and which pages are of the desk.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri};
use url::Url;

use super::refusal::AccessRefusal;

/// The header in which browsers say which site sent a request (Fetch Metadata).
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The only value of a header; `None` without the header.
///
/// # Errors
/// If the header stands there twice, or is no text.
pub(super) fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h str>, AccessRefusal> {
    let unclear = || AccessRefusal::UnclearHeader(name.clone());
    let mut lines = headers.get_all(name).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(unclear());
    }
    std::str::from_utf8(line.as_bytes()).map(Some).map_err(|_| unclear())
}

/// Refuses a request for another host than this machine and that of `public`. A page of another
/// site that changes its address to this one (DNS rebinding) sends such requests.
pub(super) fn check_host(
    uri: &Uri,
    headers: &HeaderMap,
    public: Option<&Url>,
) -> Result<(), AccessRefusal> {
    let host = only(headers, &HOST)?.ok_or(AccessRefusal::OtherHost)?;
    let in_line = uri.authority().map_or(host, Authority::as_str);
    let is_ours = |host| is_this_machine(host) || public.is_some_and(|url| is_host_of(host, url));
    if is_ours(host) && is_ours(in_line) { Ok(()) } else { Err(AccessRefusal::OtherHost) }
}

/// Whether a `Host` header names this machine: `localhost`, or a loopback address.
fn is_this_machine(host: &str) -> bool {
    let Some(name) = name_of(host) else { return false };
    let name = name.trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_host_of(host: &str, url: &Url) -> bool {
    let name = name_of(host);
    name.zip(url.host_str()).is_some_and(|(name, public)| name.eq_ignore_ascii_case(public))
}

/// The name of a `Host` header, without its port.
fn name_of(host: &str) -> Option<String> {
    let host: Authority = host.parse().ok()?;
    (!host.as_str().contains('@')).then(|| host.host().to_owned())
}

/// Whether a page of the desk sent the request. Browsers say so in `Sec-Fetch-Site`; old ones, and
/// those without TLS, in `Origin` only.
pub(super) fn is_same_origin(
    headers: &HeaderMap,
    public: Option<&Url>,
) -> Result<bool, AccessRefusal> {
    if let Some(site) = only(headers, &SEC_FETCH_SITE)? {
        return Ok(site == "same-origin");
    }
    let Some(origin) = only(headers, &ORIGIN)? else { return Ok(false) };
    let host = only(headers, &HOST)?;
    let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_host = named.zip(host).is_some_and(|(named, host)| named.eq_ignore_ascii_case(host));
    Ok(is_host || public.is_some_and(|url| url.origin().ascii_serialization() == origin))
}

/// Whether the browser says that a page of another site led to this request.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// `page` as a path of this server, with its query, as a browser reads it. What a browser would
/// read as the address of another server is `/`.
pub(super) fn page_of_the_desk(page: &str) -> String {
    let desk = Url::parse("http://desk.invalid/").expect("an address");
    let target = desk.join(page).ok().filter(|url| url.origin() == desk.origin());
    let Some(target) = target.filter(|_| page.starts_with('/')) else { return "/".to_owned() };
    let path = &target[url::Position::BeforePath..url::Position::AfterQuery];
    // Another server again, for whoever resolves the path once more.
    if path.starts_with("//") { "/".to_owned() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::page_of_the_desk;

    #[test]
    fn a_login_leads_to_no_other_server() {
        for (page, expected) in [
            ("/", "/"),
            ("/alerts?rule=a%20b&x=1", "/alerts?rule=a%20b&x=1"),
            ("/alerts?next=https://evil.example/", "/alerts?next=https://evil.example/"),
            ("/alerts#here", "/alerts"),
            ("/a/../b", "/b"),
            ("/ä <x>", "/%C3%A4%20%3Cx%3E"),
            ("", "/"),
            ("alerts", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\r\n/evil.example", "/"),
            ("\t//evil.example", "/"),
            ("/.//evil.example", "/"),
            ("/a/..//evil.example", "/"),
            ("///evil.example", "/"),
            ("https://evil.example", "/"),
            ("http:evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nset-cookie: x=y", "/aset-cookie:%20x=y"),
        ] {
            assert_eq!(page_of_the_desk(page), expected, "{page:?}");
        }
    }
}
