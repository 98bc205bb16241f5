//! Detects pages that hold no article: consent, paywall, robot check, error.

use url::Url;

use super::{NoArticle, count_words};

/// A text with this many words is an article.
pub(super) const LONG: usize = 250;

/// Phrases of pages that hold no article, by the reason that they show. They are in lower case with
/// plain apostrophes.
const SIGNS: [(&str, &[&str]); 4] = [
    (
        "the page asks for consent first",
        &[
            "before you continue to",
            "we value your privacy",
            "we and our partners",
            "accept all cookies",
            "your privacy choices",
            "manage your cookie",
            "consent to the use of cookies",
            "wir verwenden cookies",
            "nous utilisons des cookies",
        ],
    ),
    (
        "the page is behind a paywall",
        &[
            "subscribe to continue",
            "subscribe to read",
            "subscribe now to read",
            "subscribers only",
            "for subscribers",
            "already a subscriber",
            "to continue reading",
            "to keep reading",
            "sign in to read",
            "log in to read",
            "become a member to read",
            "you have reached your limit of free articles",
            "unlock this article",
            "réservé aux abonnés",
            "nur für abonnenten",
        ],
    ),
    (
        "the page checks whether a robot reads it",
        &[
            "are you a robot",
            "verify you are human",
            "verifying you are human",
            "checking your browser",
            "enable javascript and cookies",
            "please enable javascript",
            "unusual traffic",
            "complete the captcha",
            "ddos protection by",
        ],
    ),
    (
        "the page is an error page",
        &[
            "page not found",
            "page you requested could not be found",
            "page you are looking for",
            "access denied",
            "error 404",
            "this page isn't available",
            "this content is not available",
            "you don't have permission to access",
        ],
    ),
];

/// The beginnings of titles of such pages, with the reason.
const TITLES: [(&str, &str); 8] = [
    ("just a moment", "the page checks whether a robot reads it"),
    ("attention required", "the page checks whether a robot reads it"),
    ("are you a robot", "the page checks whether a robot reads it"),
    ("404", "the page is an error page"),
    ("page not found", "the page is an error page"),
    ("access denied", "the page is an error page"),
    ("403 forbidden", "the page is an error page"),
    ("before you continue", "the page asks for consent first"),
];

/// Detects a page without an article by its title, by phrases in a short text, and by its metadata
/// that it is not free.
pub(super) fn check(title: &str, text: &str, html: &str) -> Result<(), NoArticle> {
    if count_words(text) >= LONG {
        return Ok(());
    }
    let (title, said) = (plain(title), plain(text));
    let by_title = TITLES.iter().find(|(start, _)| title.starts_with(start)).map(|(_, why)| *why);
    let by_text = || {
        SIGNS
            .iter()
            .find(|(_, signs)| signs.iter().any(|sign| said.contains(sign)))
            .map(|(why, _)| *why)
    };
    match by_title
        .or_else(by_text)
        .or_else(|| is_sold(html).then_some("the page is behind a paywall"))
    {
        Some(why) => Err(NoArticle::because(why)),
        None => Ok(()),
    }
}

/// Prefixes of the hosts of consent pages.
const CONSENT_HOSTS: [&str; 2] = ["consent.", "guce."];

/// Detects by the address after redirects that the answer is a front page or a consent page.
#[must_use]
pub(super) fn redirected_elsewhere(asked: &Url, came_from: &Url) -> Option<NoArticle> {
    let is_front = |url: &Url| url.path() == "/" && url.query().is_none();
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let asks = |url: &Url| CONSENT_HOSTS.iter().any(|start| host(url).starts_with(start));
    if asks(came_from) && host(asked) != host(came_from) {
        Some(NoArticle::because("the page asks for consent first"))
    } else if is_front(came_from) && !is_front(asked) {
        Some(NoArticle::because("the link leads to a front page now"))
    } else {
        None
    }
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

/// Whether the page's metadata says that the article is not free (schema.org,
/// `isAccessibleForFree`).
fn is_sold(html: &str) -> bool {
    html.match_indices("isAccessibleForFree").any(|(at, name)| {
        let value = html[at + name.len()..]
            .trim_start_matches(|c: char| c.is_whitespace() || "\"':=".contains(c));
        value.get(..5).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{check, redirected_elsewhere};

    #[rstest]
    #[case("Just a moment...", "x", "", Some("the page checks whether a robot reads it"))]
    #[case(
        "News",
        "We value your privacy. We and our partners store things.",
        "",
        Some("the page asks for consent first")
    )]
    #[case(
        "News",
        "Two sentences. Subscribe to continue reading.",
        "",
        Some("the page is behind a paywall")
    )]
    #[case(
        "News",
        "A start.",
        "{\"isAccessibleForFree\": \"False\"}",
        Some("the page is behind a paywall")
    )]
    #[case("News", "A start.", "{\"isAccessibleForFree\":true}", None)]
    #[case("404 - Not Found", "Sorry.", "", Some("the page is an error page"))]
    #[case("News", "This page isn’t available.", "", Some("the page is an error page"))]
    #[case("Cookies", "A recipe with cookies and a page of history.", "", None)]
    fn pages_without_an_article_are_refused(
        #[case] title: &str,
        #[case] text: &str,
        #[case] html: &str,
        #[case] why: Option<&str>,
    ) {
        assert_eq!(
            check(title, text, html).err().map(|refusal| refusal.to_string()).as_deref(),
            why
        );
    }

    #[test]
    fn a_long_text_is_an_article_whatever_it_says() {
        let text = "Readers must subscribe to continue, the ministry said. ".repeat(40);
        assert_eq!(check("News", &text, "isAccessibleForFree: false"), Ok(()));
    }

    #[rstest]
    #[case("https://a.example/1", "https://a.example/1", None)]
    #[case("https://t.example/x", "https://a.example/news?id=1", None)]
    #[case(
        "https://a.example/1",
        "https://www.a.example/",
        Some("the link leads to a front page now")
    )]
    #[case("https://a.example/", "https://www.a.example/", None)]
    #[case(
        "https://a.example/?p=7",
        "https://a.example/",
        Some("the link leads to a front page now")
    )]
    #[case(
        "https://a.example/1",
        "https://consent.a.example/m?continue=1",
        Some("the page asks for consent first")
    )]
    #[case("https://consent.example/1", "https://consent.example/2", None)]
    fn a_page_from_elsewhere_is_recognised_by_its_address(
        #[case] asked: &str,
        #[case] from: &str,
        #[case] why: Option<&str>,
    ) {
        let found = redirected_elsewhere(&asked.parse().unwrap(), &from.parse().unwrap());
        assert_eq!(found.map(|why| why.to_string()).as_deref(), why);
    }
}
