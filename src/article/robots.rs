//! `robots.txt` (RFC 9309): whether a page may be fetched. Pure: the caller fetches the file.

use robotxt::{AccessResult, Agent};
use url::Url;

use crate::http::{FetchError, HttpAnswer};
use crate::markup::shield::catch_panic;

/// The name of this program in `robots.txt`.
pub const NAME: &str = "Tidings";

/// The rules of a host's `robots.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Robots {
    /// The rules of the file. A host without the file allows everything.
    Says(robotxt::Robots),
    /// Why the file could not be read. Until it is read, nothing may be fetched.
    Unreachable(FetchError),
}

impl Robots {
    /// Reads the answer to a request for `robots.txt`. A host without the file (4xx except 429)
    /// allows everything. A host that is busy (429), that fails or that cannot be reached allows
    /// nothing. Only the first 500 KiB count.
    #[must_use]
    pub fn from_answer(asked: Result<&HttpAnswer, &FetchError>) -> Self {
        match asked {
            Ok(answer) => {
                let text = answer.body.as_deref().unwrap_or_default();
                let read = catch_panic(|| robotxt::Robots::parse(text, Agent::Exact(NAME)));
                read.map_or_else(
                    || {
                        Self::Unreachable(FetchError::Broken(
                            "the file is too damaged to be read".to_owned(),
                        ))
                    },
                    Self::Says,
                )
            }
            Err(FetchError::Status { code: 400..=428 | 430..=499, .. }) => {
                Self::Says(robotxt::Robots::from_access(AccessResult::Unavailable, NAME))
            }
            Err(why) => Self::Unreachable(why.clone()),
        }
    }

    /// Whether the page at `url` on that host may be fetched.
    ///
    /// # Errors
    /// If it may not, with the reason in words. [`FetchError::Forbidden`] is final. With the other
    /// errors, the host rests or its `robots.txt` could not be read, and the page may be tried
    /// again.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        match self {
            Self::Says(robots) if robots.is_url_allowed(url) => Ok(()),
            Self::Says(_) => Err(FetchError::Forbidden(
                "its host's robots.txt forbids robots to read it".to_owned(),
            )),
            Self::Unreachable(rest @ FetchError::Resting { .. }) => Err(rest.clone()),
            Self::Unreachable(why) => Err(FetchError::Unreachable(format!(
                "its host's robots.txt could not be read: {why}"
            ))),
        }
    }
}

/// The address of `robots.txt` on the host of `url`.
#[must_use]
pub fn address(url: &Url) -> Url {
    let mut address = url.clone();
    address.set_path("/robots.txt");
    address.set_query(None);
    address.set_fragment(None);
    address
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::http::{Freshness, HostKey, RedirectKind, Validators};

    fn url(path: &str) -> Url {
        format!("https://ana@wire.example:8443{path}").parse().unwrap()
    }

    fn says(text: &[u8]) -> Robots {
        let answer = HttpAnswer {
            body: Some(text.to_vec().into()),
            content_type: None,
            links: None,
            refresh: None,
            validators: Validators::default(),
            freshness: Freshness::default(),
            url: url("/robots.txt"),
            redirects: RedirectKind::Straight,
        };
        Robots::from_answer(Ok(&answer))
    }

    fn status(code: u16) -> FetchError {
        FetchError::Status { code, retry_after: None, host: HostKey::from_url(&url("/")) }
    }

    #[rstest]
    #[case("", "/a", true)]
    #[case("User-agent: *\nDisallow:\n", "/a", true)]
    #[case("User-agent: *\nDisallow: /\n", "/a", false)]
    #[case("User-agent: *\nDisallow: /\n\nUser-agent: tidings\nAllow: /\n", "/a", true)]
    #[case("User-agent: x\nUser-agent: TIDINGS\nDisallow: /a\n", "/a/b?c", false)]
    #[case("User-agent: tidings\nDisallow: /a\n\nUser-agent: tidings\nDisallow: /b\n", "/b", false)]
    #[case("User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", true)]
    #[case("User-agent: *\nDisallow: /*.php$\n", "/a.php", false)]
    #[case("User-agent: *\nDisallow: /*.php$\n", "/a.php?b", true)]
    #[case("\u{feff}user-agent : * # all\r\ndisallow :/a # b\r\n", "/a", false)]
    #[case("User-agent: *\nDisallow: /\u{30c4}\n", "/%E3%83%84", false)]
    #[case("<!doctype html><p>User-agent: *", "/a", true)]
    fn a_page_may_be_read_if_robots_txt_says_so(
        #[case] text: &str,
        #[case] path: &str,
        #[case] may: bool,
    ) {
        assert_eq!(says(text.as_bytes()).check(&url(path)).is_ok(), may);
    }

    #[rstest]
    #[case(401, true)]
    #[case(403, true)]
    #[case(404, true)]
    #[case(410, true)]
    #[case(429, false)]
    #[case(500, false)]
    #[case(503, false)]
    fn a_host_without_robots_txt_allows_all_and_one_that_fails_nothing(
        #[case] code: u16,
        #[case] may: bool,
    ) {
        assert_eq!(Robots::from_answer(Err(&status(code))).check(&url("/a")).is_ok(), may);
    }

    #[test]
    fn refusals_are_in_words() {
        let refused = says(b"User-agent: *\nDisallow: /").check(&url("/a")).unwrap_err();
        assert_eq!(refused.to_string(), "its host's robots.txt forbids robots to read it");
        assert!(matches!(refused, FetchError::Forbidden(_)));
        let unreachable = Robots::from_answer(Err(&status(500))).check(&url("/a")).unwrap_err();
        assert_eq!(
            unreachable.to_string(),
            "its host's robots.txt could not be read: the server answered 500 Internal Server Error"
        );
        assert!(matches!(unreachable, FetchError::Unreachable(_)));
        let resting = FetchError::Resting {
            host: HostKey::from_url(&url("/")),
            until: "2026-11-24T20:00:00Z".parse().unwrap(),
        };
        assert_eq!(Robots::from_answer(Err(&resting)).check(&url("/a")), Err(resting));
    }

    #[test]
    fn no_more_than_500_kib_count() {
        let padding =
            |bytes: usize| format!("User-agent: *\nDisallow: /a\n#{}\n", "x".repeat(bytes));
        let (short, long) =
            (padding(400 << 10) + "Disallow: /b\n", padding(500 << 10) + "Disallow: /b\n");
        assert_eq!(
            (
                says(short.as_bytes()).check(&url("/b")).is_ok(),
                says(long.as_bytes()).check(&url("/b")).is_ok()
            ),
            (false, true)
        );
        assert!(says(long.as_bytes()).check(&url("/a")).is_err());
    }

    #[test]
    fn a_text_as_bad_as_can_be_takes_no_time() {
        let stars = format!("User-agent: *\nDisallow: /{}b\n", "*a".repeat(100_000));
        let many = format!("User-agent: *\n{}", "Disallow: /*a*a*a*a*a*b\n".repeat(20_000));
        let path = format!("/{}", "a".repeat(4000));
        let of = |byte: u8| vec![byte; 1 << 20];
        for text in [stars.into_bytes(), many.into_bytes(), of(0xff), of(0), of(b':')] {
            assert!(says(&text).check(&url(&path)).is_ok());
        }
    }

    #[test]
    fn robots_txt_stands_at_the_root_of_each_port() {
        assert_eq!(address(&url("/a/b?c#d")).as_str(), "https://ana@wire.example:8443/robots.txt");
    }
}
