//! Who published a story: the publisher by whom events are counted. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::folded;

/// The most bytes of the name of a host (RFC 1035).
const LONGEST_HOST: usize = 253;

/// The most bytes of a source that is a name.
const LONGEST_NAME: usize = 500;

/// The most bytes by which a name is compared: a store does not index more.
const LONGEST_KEY: usize = 1000;

/// Names of publishers, each with the domains and the source names that are its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publishers {
    /// By domain, in lower case.
    by_domain: BTreeMap<String, String>,
    /// By source name, as [`publisher_key`] has it.
    by_source: BTreeMap<String, String>,
}

/// Where an event was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighting<'s> {
    /// The publisher that the feed names.
    pub source: Option<&'s str>,
    /// The address of the story.
    pub url: Option<&'s str>,
    /// The feed.
    pub feed: &'s str,
}

impl Publishers {
    /// Publishers by name, each with its domains and source names; the name itself is one. Names
    /// are compared as [`publisher_key`] has them. The first keeps what two of them claim.
    #[must_use]
    pub fn new<'n>(
        publishers: impl IntoIterator<Item = (&'n str, impl IntoIterator<Item = &'n str>)>,
    ) -> Self {
        let mut known = Self::default();
        for (name, own) in publishers {
            for one in own.into_iter().chain([name]) {
                for key in [one.to_lowercase()].into_iter().chain(written_in_ascii(one)) {
                    known.by_domain.entry(key).or_insert_with(|| name.to_owned());
                }
                known.by_source.entry(publisher_key(one)).or_insert_with(|| name.to_owned());
            }
        }
        known
    }

    /// The publisher of a story: the one that has its source or its domain, else its source, else
    /// the registrable domain of its address (by the Public Suffix List), else its feed. Blanks in
    /// a source are one space each. One that is an address stands for its domain. One of more than
    /// `LONGEST_NAME` bytes is no name.
    #[must_use]
    pub fn publisher(&self, sighting: Sighting<'_>) -> String {
        let source = sighting.source.map(with_single_spaces);
        let source = source.filter(|source| (1..=LONGEST_NAME).contains(&source.len()));
        let own_host = source.as_deref().filter(|source| is_address(source)).and_then(host_of);
        let host = sighting.url.and_then(host_of);
        let known = self.named(source.as_deref(), own_host.as_deref(), host.as_deref());
        if let Some(name) = known {
            return name.clone();
        }
        let domain = || host.as_deref().map(registrable);
        let named = own_host.as_deref().map(registrable).or(source);
        named.or_else(domain).unwrap_or_else(|| sighting.feed.to_owned())
    }

    /// The publisher that has the source, or its host, or else the host of the story.
    fn named(
        &self,
        source: Option<&str>,
        own_host: Option<&str>,
        host: Option<&str>,
    ) -> Option<&String> {
        if self.by_source.is_empty() {
            return None;
        }
        let by_source = source.and_then(|source| self.by_source.get(&publisher_key(source)));
        by_source.or_else(|| self.of_host(own_host?)).or_else(|| self.of_host(host?))
    }

    /// The publisher that has the host, or the domain of which it is a part.
    fn of_host(&self, host: &str) -> Option<&String> {
        let mut rest = Some(host);
        while let Some(domain) = rest.filter(|domain| !is_public_suffix(domain)) {
            if let Some(name) = self.by_domain.get(domain) {
                return Some(name);
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        None
    }
}

/// What the name of a publisher is compared by: case, accents, blanks and typography do not count,
/// as in the words of a story. A name without a word is compared as it is written.
#[must_use]
pub fn publisher_key(name: &str) -> String {
    let mut key = folded(name);
    if key.is_empty() {
        name.clone_into(&mut key);
    }
    key.truncate(key.floor_char_boundary(LONGEST_KEY));
    key
}

/// The names of different publishers, each as it is written first.
pub(super) fn different(names: Vec<String>) -> Vec<String> {
    let mut known = BTreeSet::new();
    names.into_iter().filter(|name| known.insert(publisher_key(name))).collect()
}

/// Whether publishers of all kinds have domains below this one, as below `co.uk` and `com`.
#[must_use]
pub fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes())
        .is_some_and(|suffix| suffix == domain && suffix.typ() == Some(psl::Type::Icann))
}

/// A domain with other letters as links have it. `None`: it has none.
fn written_in_ascii(domain: &str) -> Option<String> {
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) if !domain.is_ascii() => Some(ascii),
        _ => None,
    }
}

/// `name` with one space for all blanks that stand together, and none at its ends.
fn with_single_spaces(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the name of a publisher is the address of its site.
fn is_address(name: &str) -> bool {
    let scheme = name.split_once("://").map(|(scheme, _)| scheme);
    scheme
        .is_some_and(|scheme| ["http", "https"].iter().any(|one| scheme.eq_ignore_ascii_case(one)))
}

fn host_of(url: &str) -> Option<String> {
    let host = url::Url::parse(url).ok()?.host_str()?.trim_end_matches('.').to_lowercase();
    Some(host).filter(|host| (1..=LONGEST_HOST).contains(&host.len()))
}

/// The registrable domain of a host; the host itself if it is an address or has none.
fn registrable(host: &str) -> String {
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    let domain = if is_address { None } else { psl::domain_str(host) };
    domain.unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(source: Option<&str>, url: Option<&str>) -> String {
        let bbc = ["bbc.co.uk", "BBC.com", "BBC News"];
        let known = Publishers::new([
            ("BBC", bbc),
            ("City desk", ["city.example.org", "", ""]),
            ("Today", ["Live", "blogspot.com", "münchen.example"]),
        ]);
        known.publisher(Sighting { source, url, feed: "wire" })
    }

    #[test]
    fn a_publisher_is_an_alias_a_source_a_domain_or_a_feed() {
        for (source, url, expected) in [
            (None, Some("https://www.bbc.co.uk/news/1"), "BBC"),
            (None, Some("https://bbc.com/news/1"), "BBC"),
            (None, Some("https://notbbc.com/1"), "notbbc.com"),
            (Some("bbc news"), Some("https://news.google.com/1"), "BBC"),
            (Some("bbc"), Some("https://news.google.com/1"), "BBC"),
            (Some("LIVE"), Some("https://news.google.com/1"), "Today"),
            (None, Some("https://other.live/1"), "other.live"),
            (None, Some("https://other.today/1"), "other.today"),
            (None, Some("https://a.blogspot.com/1"), "Today"),
            (None, Some("https://a.github.io/1"), "a.github.io"),
            (None, Some("https://github.io/1"), "github.io"),
            (None, Some("https://www.münchen.example/1"), "Today"),
            (Some("Reuters"), Some("https://news.google.com/1"), "Reuters"),
            (Some(" AP \u{a0} News\n"), Some("https://news.google.com/1"), "AP News"),
            (Some("BBC\u{a0}\u{2009}News"), Some("https://news.google.com/1"), "BBC"),
            (Some("https://www.afp.com/en/"), Some("https://news.google.com/1"), "afp.com"),
            (Some("HTTP://WWW.BBC.COM/"), Some("https://news.google.com/1"), "BBC"),
            (Some("https://"), Some("https://news.google.com/1"), "https://"),
            (Some("  "), Some("https://news.google.com/1"), "google.com"),
            (None, Some("https://a.b.theguardian.co.uk/1"), "theguardian.co.uk"),
            (None, Some("https://city.example.org./1"), "City desk"),
            (None, Some("https://country.example.org/1"), "example.org"),
            (None, Some("http://192.0.2.7/1"), "192.0.2.7"),
            (None, Some("http://[2001:db8::1]/1"), "[2001:db8::1]"),
            (None, Some("http://localhost/1"), "localhost"),
            (None, Some("https://jp.example.xn--wgbh1c/1"), "example.xn--wgbh1c"),
            (None, Some("file:///wire.xml"), "wire"),
            (None, None, "wire"),
        ] {
            assert_eq!(publisher(source, url), expected, "{source:?} {url:?}");
        }
        let (name, host) = ("a".repeat(LONGEST_NAME + 1), "a".repeat(LONGEST_HOST + 1));
        assert_eq!(publisher(Some(&name[1..]), None), name[1..]);
        assert_eq!(publisher(Some(&name), Some("https://example.org/1")), "example.org");
        assert_eq!(publisher(None, Some(&format!("https://{host}/1"))), "wire");
    }

    #[test]
    fn publishers_are_compared_as_the_words_of_a_story() {
        let names = ["Reuters", "REUTERS", "Agência  Lusa", "agencia lusa", "…", "!", "reuters"];
        let names = different(names.map(str::to_owned).to_vec());
        assert_eq!(names, ["Reuters", "Agência  Lusa", "…", "!"]);
    }
}
