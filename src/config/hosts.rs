//! Reads the settings of single hosts: `hosts`.

use http::header::{COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use url::{Host, Url};

use super::headers::{self, FRAMING};
use super::proxy::{self, Proxy};
use super::reader::{ConfigReader, all};
use tidings_rules::yaml::{Node, Text};

/// The settings for requests to single hosts. Only the most specific entry for a host applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSettings(Vec<(HostPattern, HostSetting)>);

/// The settings for requests to one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSetting {
    /// The headers of its requests: headers, cookies and the User-Agent. All but the User-Agent are
    /// sensitive, and their values are not shown.
    pub headers: HeaderMap,
    /// The proxy of this host, in place of the general proxy.
    pub proxy: Option<Proxy>,
    /// Whether it gets requests in HTTP/1.1 only.
    pub http1: bool,
}

/// The hosts of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPattern {
    /// The name as in addresses: in lower case, in Punycode.
    name: String,
    /// Whether it stands for all names below it, but not for itself.
    is_below: bool,
    /// The port. `None` means the default ports of http and https.
    port: Option<u16>,
}

impl HostSettings {
    /// The settings for the host of `url`, if there are any.
    #[must_use]
    pub fn setting_for(&self, url: &Url) -> Option<&HostSetting> {
        let fitting = self.0.iter().filter(|(pattern, _)| pattern.fits(url));
        fitting
            .max_by_key(|(pattern, _)| (!pattern.is_below, pattern.name.len()))
            .map(|(_, setting)| setting)
    }

    /// All settings.
    pub fn read_settings(&self) -> impl Iterator<Item = &HostSetting> {
        self.0.iter().map(|(_, setting)| setting)
    }
}

impl HostPattern {
    fn fits(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_named = match host.strip_suffix(&self.name) {
            Some(before) if self.is_below => before.ends_with('.') && before.len() > 1,
            Some(before) => before.is_empty(),
            None => false,
        };
        is_named
            && self
                .port
                .map_or(url.port().is_none(), |port| url.port_or_known_default() == Some(port))
    }
}

/// `{example.org: {headers: …}, "*.example.org": {proxy: …}}`.
pub(super) fn hosts(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<HostSettings> {
    let Some(node) = node else { return Some(HostSettings::default()) };
    if !node.is_mapping() {
        let help = "write {example.org: {user_agent: \"…\"}}";
        reader.error(node, "hosts are written as names with settings", help);
        return None;
    }
    let mut known = Vec::new();
    let pairs = node.pairs(reader.faults);
    let hosts = all(pairs.into_iter().map(|(key, node)| {
        let (pattern, setting) = pattern(&key, reader).zip(read_setting(node, reader))?;
        if known.contains(&pattern) {
            let fault = key.fault(0..key.value.len(), "this host is named above, too");
            reader.faults.push(fault.help("write all of it in one place"));
        }
        known.push(pattern.clone());
        Some((pattern, setting))
    }))?;
    Some(HostSettings(hosts))
}

fn pattern(key: &Text, reader: &mut ConfigReader<'_>) -> Option<HostPattern> {
    let pattern = read_pattern(&key.value);
    if pattern.is_none() {
        let fault = key.fault(0..key.value.len(), "this is not the name of a host");
        let help = "write example.org, \"*.example.org\" for all names below it, or example.org:8443 for another port";
        reader.faults.push(fault.help(help));
    }
    pattern
}

fn read_pattern(written: &str) -> Option<HostPattern> {
    let below = written.strip_prefix("*.");
    let name = below.unwrap_or(written);
    // Each scheme hides its default port.
    let urls = ["http", "https"].map(|scheme| Url::parse(&format!("{scheme}://{name}/")).ok());
    let [Some(http), Some(https)] = urls else { return None };
    let host = http.host_str()?.to_owned();
    let is_bare = http.path() == "/"
        && http.username().is_empty()
        && http.password().is_none()
        && http.query().is_none()
        && http.fragment().is_none()
        && !host.contains('*');
    let can_be_above = below.is_none() || matches!(http.host(), Some(Host::Domain(_)));
    let port = http.port().or(https.port());
    (is_bare && can_be_above).then_some(HostPattern { name: host, is_below: below.is_some(), port })
}

/// `{headers: …, cookies: …, proxy: …, user_agent: …, http1: true}`.
fn read_setting(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HostSetting> {
    let mut entries = reader.entries(node)?;
    let headers = entries.get("headers").map_or_else(
        || Some(HeaderMap::new()),
        |node| headers::headers(node, not_for_hosts, reader),
    );
    let cookies = entries.get("cookies").map_or(Some(None), |node| cookies(node, reader).map(Some));
    let proxy =
        entries.get("proxy").map_or(Some(None), |node| proxy::proxy(node, reader).map(Some));
    let agent =
        entries.get("user_agent").map_or(Some(None), |node| user_agent(node, reader).map(Some));
    let http1 = entries.get("http1").map_or(Some(false), |node| node.bool(reader.faults));
    entries.refuse_unknown_keys(reader.faults);
    let mut headers = headers?;
    headers.extend(cookies?.map(|cookies| (COOKIE, cookies)));
    headers.extend(agent?.map(|agent| (USER_AGENT, agent)));
    Some(HostSetting { headers, proxy: proxy?, http1: http1? })
}

/// The help for a header that the user cannot set.
fn not_for_hosts(name: &str) -> Option<&'static str> {
    match name {
        "cookie" => Some("write it under `cookies`, each with its name: {session: \"${SESSION}\"}"),
        "user-agent" => Some("write it as `user_agent`"),
        "accept-encoding"
        | "if-none-match"
        | "if-modified-since"
        | "if-match"
        | "if-unmodified-since"
        | "range" => Some("remove it: Tidings sets it"),
        _ => FRAMING.contains(&name).then_some("remove it: it frames the request"),
    }
}

/// One `Cookie` header (RFC 6265, 4.2) from names and values.
fn cookies(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HeaderValue> {
    if !node.is_mapping() {
        reader.error(
            node,
            "cookies are written as names with values",
            "write {session: \"${SESSION}\"}",
        );
        return None;
    }
    let pairs = node.pairs(reader.faults);
    let cookies: Vec<_> = all(pairs.into_iter().map(|(key, node)| cookie(&key, node, reader)))?;
    headers::value(&cookies.join("; "), node, reader)
}

fn cookie(key: &Text, node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<String> {
    let name = &key.value;
    if name.is_empty()
        || !name.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&b))
    {
        let fault = key.fault(0..name.len(), "this is not the name of a cookie");
        reader.faults.push(fault.help("write letters, digits, hyphens and underscores"));
        return None;
    }
    let value = reader.string(node)?;
    let value = value.trim();
    if !value.bytes().all(|b| (b' '..0x7f).contains(&b) && b != b';') {
        reader.error(
            node,
            "this cannot be the value of a cookie",
            "a value is ASCII without a semicolon",
        );
        return None;
    }
    Some(format!("{name}={value}"))
}

/// A User-Agent. It is not a secret.
fn user_agent(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<HeaderValue> {
    let agent = reader.string(node)?;
    let mut value = headers::value(&agent, node, reader)?;
    value.set_sensitive(false);
    Some(value)
}
