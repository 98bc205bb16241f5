//! Which parts of an item's address identify it, and which may change: session tokens, hosts, the
//! words of a slug.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most parts of an address. An address with more is compared only as a whole.
const MOST_PARTS: usize = 16;

/// Parameters that hold a session or prevent caching. Their values do not identify an item.
const OF_SESSIONS: [&str; 14] = [
    "__xts__",
    "_",
    "cb",
    "jsessionid",
    "nocache",
    "phpsessid",
    "rand",
    "rnd",
    "s",
    "session",
    "sessionid",
    "sid",
    "token",
    "xtor",
];

/// A normalised address, split into the parts that may change. The host is left out: within one
/// feed, the path identifies an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    path: &'a str,
    /// Parameters of the path and the query by their names, and the fragment as `#`, in the order
    /// of their names.
    parts: Vec<(&'a str, &'a str)>,
}

impl<'a> Address<'a> {
    /// The parts of an `http` or `https` address. `None` for others, for an address without a path,
    /// and for one with too many parts.
    pub(super) fn parse(address: &'a str) -> Option<Self> {
        let rest = address.split_once("://").filter(|_| is_address(address))?.1;
        let (rest, fragment) =
            rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = &rest[rest.find('/')?..];
        let (path, parameters) = path.split_once(';').unwrap_or((path, ""));
        let named = |part: &'a str| part.split_once('=').unwrap_or((part, ""));
        let of_query = query.split('&').filter(|part| !part.is_empty());
        let of_path = parameters.split(';').filter(|part| !part.is_empty());
        let mut parts: Vec<_> = of_query.chain(of_path).take(MOST_PARTS + 1).map(named).collect();
        parts.extend(fragment.map(|fragment| ("#", fragment)));
        parts.sort_unstable();
        let path = path.trim_end_matches('/');
        (parts.len() <= MOST_PARTS && !(path.is_empty() && parts.is_empty()))
            .then_some(Self { path, parts })
    }

    /// The parts of a guid. A guid that is not an address has only a path.
    pub(super) fn parse_guid(guid: &'a str) -> Option<Self> {
        if is_address(guid) {
            return Self::parse(guid);
        }
        let (path, fragment) =
            guid.split_once('#').map_or((guid, None), |(path, fragment)| (path, Some(fragment)));
        let parts = fragment.map(|fragment| ("#", fragment)).into_iter().collect();
        Some(Self { path, parts })
    }

    /// Whether it is an address.
    pub(super) fn is_address(&self) -> bool {
        self.path.is_empty() || self.path.starts_with('/')
    }

    /// The key that addresses of one item share, for a look-up in the store: the numbers of the
    /// path if one of them identifies an item, else the path.
    pub(super) fn stem(&self) -> String {
        if self.is_numbered() {
            self.numbers().collect::<Vec<_>>().join("/")
        } else {
            self.path.to_owned()
        }
    }

    pub(super) fn path(&self) -> &'a str {
        self.path
    }

    /// The runs of digits in the path.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.path.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
    }

    /// Whether the path has a number that is not part of a date: five digits or more, or four
    /// digits that are not a year.
    pub(super) fn is_numbered(&self) -> bool {
        let is_date = |number: &str| {
            number.len() == 8 && (number.starts_with("19") || number.starts_with("20"))
        };
        let is_year = |number: &str| {
            number.len() == 4 && (number.starts_with("19") || number.starts_with("20"))
        };
        self.numbers().any(|number| number.len() >= 4 && !is_year(number) && !is_date(number))
    }

    /// Whether the end of the path looks like an item's own page: a number or some words.
    fn names_an_item(&self) -> bool {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        is_number || self.is_numbered() || last.split(['-', '_']).count() > 2
    }

    /// The names of the parts in which two addresses differ. Paths are not compared.
    pub(super) fn differing<'n>(&'n self, other: &'n Self) -> Vec<&'n str> {
        let only = |these: &'n Self, those: &'n Self| {
            these.parts.iter().filter(|part| !those.parts.contains(part)).map(|(name, _)| *name)
        };
        only(self, other).chain(only(other, self)).collect()
    }

    /// A hash of the address without its part `at`.
    fn without(&self, at: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.path.hash(&mut hasher);
        for (_, part) in self.parts.iter().enumerate().filter(|(other, _)| *other != at) {
            part.hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Whether a parameter of that name holds a session.
pub(super) fn is_of_session(name: &str) -> bool {
    OF_SESSIONS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The names of parts that do not distinguish items.
#[derive(Debug, Default)]
pub(super) struct Volatile<'a>(HashSet<&'a str>);

/// Facts about a part, from all the addresses that have it.
#[derive(Default)]
struct PartValues<'a> {
    values: HashSet<&'a str>,
    addresses: usize,
    /// Whether two items of one document differ only in it.
    distinguishes: bool,
    /// Whether the last document has the same value of it.
    is_steady: bool,
    /// Whether an address has it whose path does not identify an item.
    is_needed: bool,
}

impl<'a> Volatile<'a> {
    /// The parts of addresses that changed between two documents and do not identify items. `last`:
    /// the addresses of the earlier document.
    ///
    /// A part identifies items if it stayed in one address, or if two items of one document differ
    /// only in it. A part with a different number in each address identifies items if the path does
    /// not. A part with the name of a session does not, unless two items differ only in it.
    pub(super) fn learn_from(now: &[Address<'a>], last: &[Address<'a>]) -> Self {
        let known: HashSet<(&str, &[(&str, &str)])> =
            last.iter().map(|address| (address.path, &address.parts[..])).collect();
        let mut seen: HashMap<&'a str, PartValues<'a>> = HashMap::new();
        for document in [now, last] {
            let mut first = HashMap::new();
            for address in document {
                let is_now = std::ptr::eq(document, now);
                for (at, (name, value)) in address.parts.iter().enumerate() {
                    let of_name = seen.entry(name).or_default();
                    of_name.distinguishes |=
                        *first.entry((*name, address.without(at))).or_insert(*value) != *value;
                    if is_now {
                        of_name.values.insert(value);
                        of_name.addresses += 1;
                        of_name.is_steady |= known.contains(&(address.path, &address.parts[..]));
                        of_name.is_needed |= !address.names_an_item();
                    }
                }
            }
        }
        let is_volatile = |name: &str, seen: &PartValues<'_>| {
            let is_number = |value: &&str| {
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
            };
            let are_identifiers = seen.is_needed
                && seen.values.len() == seen.addresses
                && seen.values.iter().all(is_number);
            !seen.distinguishes && (is_of_session(name) || !seen.is_steady && !are_identifiers)
        };
        Self(
            seen.into_iter()
                .filter(|(name, seen)| is_volatile(name, seen))
                .map(|(name, _)| name)
                .collect(),
        )
    }

    /// Whether none of these parts identifies items.
    pub(super) fn are(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.0.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn addresses<'a>(links: &[&'a str]) -> Vec<Address<'a>> {
        links.iter().map(|link| Address::parse(link).expect("an address")).collect()
    }

    #[rstest]
    #[case::one_token_for_all(&["https://a.example/1?sid=x", "https://a.example/2?sid=x"], &["https://a.example/1?sid=y", "https://a.example/2?sid=y"], "sid", true)]
    #[case::a_token_each(&["https://a.example/1?k=x", "https://a.example/2?k=z"], &["https://a.example/1?k=y", "https://a.example/2?k=w"], "k", true)]
    #[case::fragments(&["https://a.example/1#x"], &["https://a.example/1#y"], "#", true)]
    #[case::path_parameters(&["https://a.example/1;jsessionid=x"], &["https://a.example/1;jsessionid=y"], "jsessionid", true)]
    #[case::all_that_distinguishes_items(&["https://a.example/v?k=x", "https://a.example/v?k=z"], &["https://a.example/v?k=y", "https://a.example/v?k=w"], "k", false)]
    #[case::anchors_of_one_page(&["https://a.example/v#x"], &["https://a.example/v#y", "https://a.example/v#x2"], "#", false)]
    #[case::one_that_stayed(&["https://a.example/1?k=x", "https://a.example/2?k=z"], &["https://a.example/1?k=x", "https://a.example/3?k=w"], "k", false)]
    #[case::numbers(&["https://a.example/v?id=1"], &["https://a.example/v?id=2"], "id", false)]
    #[case::numbers_each(&["https://a.example/x?p=1", "https://a.example/y?p=2"], &["https://a.example/x?p=3", "https://a.example/y?p=4"], "p", false)]
    #[case::numbers_beside_numbered_pages(&["https://a.example/n/1?p=1", "https://a.example/n/2?p=2"], &["https://a.example/n/1?p=3", "https://a.example/n/2?p=4"], "p", true)]
    #[case::one_number_for_all(&["https://a.example/x?z=1", "https://a.example/y?z=1"], &["https://a.example/x?z=3", "https://a.example/y?z=3"], "z", true)]
    #[case::a_number_of_a_session(&["https://a.example/x?sid=1"], &["https://a.example/x?sid=2"], "sid", true)]
    #[case::a_topic_beside_a_session(&["https://a.example/v?t=1&sid=a", "https://a.example/v?t=2&sid=a"], &["https://a.example/v?t=1&sid=b", "https://a.example/v?t=2&sid=b"], "t", false)]
    fn what_changes_with_a_document_names_nothing(
        #[case] last: &[&str],
        #[case] now: &[&str],
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        let (last, now) = (addresses(last), addresses(now));
        assert_eq!(Volatile::learn_from(&now, &last).are(&[name]), expected);
    }

    #[rstest]
    #[case("https://a.example/2021/korea-talks-48311?x=1", "2021/48311")]
    #[case("https://a.example/2021/05/04/korea-talks/", "/2021/05/04/korea-talks")]
    #[case("https://a.example/news/1;jsessionid=a#b", "/news/1")]
    fn a_stem_is_what_stays_of_an_address(#[case] link: &str, #[case] stem: &str) {
        assert_eq!(Address::parse(link).expect("an address").stem(), stem);
    }

    #[test]
    fn addresses_of_many_parts_or_none_are_not_taken_apart() {
        let many =
            (0..100).fold("https://a.example/?".to_owned(), |all, n| all + &format!("p{n}=1&"));
        assert_eq!(Address::parse(&many), None);
        assert_eq!(Address::parse("https://a.example/"), None);
        assert_eq!(Address::parse("urn:x"), None);
    }
}
