//! Where a link led, by its address and the address of the answer alone.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use url::Url;

use super::phrases::PageSign;

/// Where a link led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    /// The address may be that of the article.
    Article,
    /// It may be that of an article, and has another path on the same host.
    Moved,
    /// The address has the form of a section. What the page says decides.
    Section,
    /// The front page of a site, or of one of its languages.
    FrontPage,
    /// A page that asks for consent.
    Consent,
    /// A page that asks to sign in, to register or to subscribe.
    SignIn,
    /// A page that says that there is none.
    ErrorPage,
}

impl Landing {
    /// Why no article is there, if the address alone shows it.
    pub(super) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Article | Self::Moved | Self::Section => None,
            Self::FrontPage => Some("the link leads to a front page now"),
            Self::Consent => Some(PageSign::Consent.reason()),
            Self::SignIn => Some(PageSign::SignIn.reason()),
            Self::ErrorPage => Some("the link leads to an error page now"),
        }
    }
}

/// The names of the hosts of consent pages, up to the first full stop.
const CONSENT_HOSTS: [&str; 4] = ["consent", "guce", "myprivacy", "cmp"];

/// The names of the hosts where people sign in, up to the first full stop.
const SIGN_IN_HOSTS: [&str; 8] =
    ["login", "signin", "auth", "accounts", "account", "sso", "passport", "idp"];

/// Parts of paths of pages that ask for consent. Here and below: without case, extension, `-` and
/// `_`.
const CONSENT_PATHS: [&str; 12] = [
    "consent",
    "cookieconsent",
    "cookiewall",
    "consentwall",
    "gdpr",
    "gdprconsent",
    "privacygate",
    "privacywall",
    "cookies",
    "zustimmung",
    "consentement",
    "consenso",
];

/// Parts of paths of pages that ask to sign in, to register or to subscribe.
const SIGN_IN_PATHS: [&str; 41] = [
    "login",
    "logon",
    "signin",
    "signup",
    "sso",
    "auth",
    "oauth",
    "authorize",
    "register",
    "registration",
    "subscribe",
    "subscription",
    "paywall",
    "anmelden",
    "anmeldung",
    "registrieren",
    "registrierung",
    "abonnieren",
    "connexion",
    "seconnecter",
    "sidentifier",
    "inscription",
    "sabonner",
    "iniciarsesion",
    "acceder",
    "registro",
    "suscribete",
    "suscripcion",
    "accedi",
    "registrati",
    "abbonati",
    "entrar",
    "assine",
    "inloggen",
    "logowanie",
    "zaloguj",
    "prihlaseni",
    "prihlasenie",
    "belepes",
    "loggain",
    "wplogin",
];

/// Parts of paths of pages that say that there is none.
const ERROR_PATHS: [&str; 32] = [
    "400",
    "401",
    "403",
    "404",
    "410",
    "451",
    "500",
    "503",
    "error",
    "errors",
    "error403",
    "error404",
    "error410",
    "error500",
    "404error",
    "errorpage",
    "notfound",
    "404notfound",
    "pagenotfound",
    "filenotfound",
    "oops",
    "gone",
    "unavailable",
    "fehler",
    "fehlerseite",
    "nichtgefunden",
    "seitenichtgefunden",
    "erreur",
    "introuvable",
    "nietgevonden",
    "maintenance",
    "wartung",
];

/// Names of the files and folders of front pages.
const FRONT_PATHS: [&str; 10] = [
    "index",
    "home",
    "homepage",
    "default",
    "main",
    "start",
    "startseite",
    "accueil",
    "inicio",
    "frontpage",
];

/// Parts of paths of pages that list what was searched for.
const SEARCH_PATHS: [&str; 7] =
    ["search", "suche", "recherche", "buscar", "ricerca", "szukaj", "zoeken"];

/// The shortest path that a query is searched for, in bytes.
const SHORTEST_NAMED_PATH: usize = 6;

/// Where the request for `asked` led, if the answer came from `came_from`.
pub(super) fn landing(asked: &Url, came_from: &Url) -> Landing {
    let (from, to) = (Place::new(asked), Place::new(came_from));
    if from.segments == to.segments && from.query == to.query {
        return Landing::Article;
    }
    let is_new_host = asked.host_str() != came_from.host_str();
    let host = came_from.host_str().unwrap_or_default();
    let host = host.split('.').next().unwrap_or_default();
    if is_new_host && CONSENT_HOSTS.contains(&host) {
        return Landing::Consent;
    }
    if is_new_host && SIGN_IN_HOSTS.contains(&host) {
        return Landing::SignIn;
    }
    if to.is_front() {
        return if from.is_front() { Landing::Article } else { Landing::FrontPage };
    }
    let is_article = to.ends_as_article();
    let old: HashSet<String> = from.plain_segments().collect();
    let skipped = if is_article { to.segments.len() - 1 } else { 0 };
    let added: Vec<String> =
        to.plain_segments().skip(skipped).filter(|segment| !old.contains(segment)).collect();
    let adds = |names: &[&str]| added.iter().any(|segment| names.contains(&segment.as_str()));
    if adds(&CONSENT_PATHS) {
        Landing::Consent
    } else if adds(&SIGN_IN_PATHS) || !is_article && leads_back(asked, came_from) {
        Landing::SignIn
    } else if adds(&ERROR_PATHS) {
        Landing::ErrorPage
    } else if adds(&SEARCH_PATHS) || !is_article && to.query.is_empty() {
        Landing::Section
    } else if bare_host(asked) == bare_host(came_from) && from.segments != to.segments {
        Landing::Moved
    } else {
        Landing::Article
    }
}

/// The host without the names of its versions.
fn bare_host(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    ["www.", "m.", "mobile.", "amp."]
        .iter()
        .find_map(|name| host.strip_prefix(name))
        .unwrap_or(host)
}

/// Whether the query of `came_from` names the path of `asked`, as pages do that lead back once a
/// reader did what they ask.
fn leads_back(asked: &Url, came_from: &Url) -> bool {
    let path = asked.path();
    path.len() >= SHORTEST_NAMED_PATH
        && came_from.path() != path
        && came_from.query_pairs().any(|(_, value)| {
            value.contains(path) || percent_decode_str(&value).decode_utf8_lossy().contains(path)
        })
}

/// The parts of an address that say which document it names.
struct Place {
    /// The parts of the path, decoded and in lower case.
    segments: Vec<String>,
    /// The names and values of the query, without those that only count readers.
    query: Vec<(String, String)>,
}

impl Place {
    fn new(url: &Url) -> Self {
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().to_lowercase();
        let path = url.path().split('/').filter(|part| !part.is_empty());
        let query = url.query_pairs().filter(|(name, _)| !only_counts(name));
        Self {
            segments: path.map(decode).collect(),
            query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        }
    }

    /// The parts of the path without extension, `-` and `_`.
    fn plain_segments(&self) -> impl Iterator<Item = String> {
        self.segments.iter().map(|segment| stem(segment).replace(['-', '_'], ""))
    }

    /// Whether it is the front page of a site, or of one of its languages or countries.
    fn is_front(&self) -> bool {
        let mut segments = self.segments.iter().map(String::as_str).peekable();
        segments.next_if(|segment| is_language(segment));
        segments.next_if(|segment| FRONT_PATHS.contains(&stem(segment)));
        segments.next().is_none() && self.query.is_empty()
    }

    /// Whether the last part of the path names one document. Behind a year, any word does.
    fn ends_as_article(&self) -> bool {
        let Some((last, before)) = self.segments.split_last() else { return false };
        let is_word = !last.bytes().all(|b| b.is_ascii_digit());
        names_article(last) || is_word && before.iter().any(|part| is_year(part))
    }
}

/// A part of a path without an extension of a page.
fn stem(segment: &str) -> &str {
    const EXTENSIONS: [&str; 8] =
        [".html", ".htm", ".php", ".shtml", ".xhtml", ".asp", ".aspx", ".jsp"];
    EXTENSIONS.iter().find_map(|extension| segment.strip_suffix(extension)).unwrap_or(segment)
}

/// Whether a part of a path names a language or a country: `en`, `en-gb`.
fn is_language(segment: &str) -> bool {
    let mut parts = segment.split(['-', '_']);
    let is_code = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.next().is_some_and(is_code) && parts.next().is_none_or(is_code) && parts.next().is_none()
}

/// Whether the last part of a path is the name of one document: a headline of three words, or a
/// number.
fn names_article(segment: &str) -> bool {
    let name = stem(segment);
    let words = name.split(['-', '_', '.', ',', '+', ' ', '~']).filter(|word| !word.is_empty());
    let words = words.count();
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let is_page = name.len() < segment.len();
    let is_id = digits >= 5 || (digits >= 2 && letters >= 2 && name.len() >= 8);
    let is_foreign_headline = !name.is_ascii() && name.chars().count() >= 12;
    words >= 3
        || is_id
        || is_foreign_headline
        || (is_page && (words >= 2 || digits > 0) && digits != 3)
}

fn is_year(segment: &str) -> bool {
    let is_century = segment.starts_with("19") || segment.starts_with("20");
    segment.len() == 4 && is_century && segment.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a name of a query only says where the reader came from.
fn only_counts(name: &str) -> bool {
    const COUNTERS: [&str; 19] = [
        "fbclid",
        "gclid",
        "dclid",
        "msclkid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "cmpid",
        "cmp",
        "ito",
        "ref",
        "ref_src",
        "source",
        "src",
        "rss",
        "feed",
        "partner",
        "at_medium",
        "at_campaign",
    ];
    name.starts_with("utm_") || COUNTERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use Landing::{Article, Consent, ErrorPage, FrontPage, Moved, Section, SignIn};

    fn landed(asked: &str, came_from: &str) -> Landing {
        landing(&asked.parse().unwrap(), &came_from.parse().unwrap())
    }

    #[rstest]
    #[case::https("http://wire.example/news/harbour", "https://wire.example/news/harbour")]
    #[case::www("https://wire.example/a", "https://www.wire.example/a")]
    #[case::mobile("https://m.wire.example/sport/final", "https://www.wire.example/sport/final/")]
    #[case::slash("https://wire.example/sport/final", "https://wire.example/sport/final/")]
    #[case::counters("https://wire.example/a", "https://wire.example/a?utm_source=rss&ref=feed")]
    #[case::slug(
        "https://wire.example/2026/11/29/harbour-closes/",
        "https://wire.example/2026/11/29/harbour-closes-after-storm/"
    )]
    #[case::slug_with_id(
        "https://wire.example/news/harbour-closes-4711234",
        "https://wire.example/news/harbour-opens-again-4711234"
    )]
    #[case::pretty(
        "https://wire.example/?p=4711",
        "https://wire.example/harbour-closes-after-storm/"
    )]
    #[case::pretty_by_number("https://wire.example/a.php?id=1", "https://wire.example/a/12345")]
    #[case::with_a_query("https://wire.example/story", "https://wire.example/article?id=7")]
    #[case::shortener(
        "https://sho.rt/x7Fq2",
        "https://wire.example/news/harbour-closes-after-storm"
    )]
    #[case::counter(
        "https://click.wire.example/r/AbC123",
        "https://wire.example/politik/hafen-schliesst-nach-sturm-a-1234567.html"
    )]
    #[case::feedproxy(
        "https://feeds.example/~r/wire/~3/AbC/harbour.html",
        "https://wire.example/2026/11/harbour.html?utm_source=feeds"
    )]
    #[case::page_file("https://sho.rt/1", "https://wire.example/news/harbour_closes.htm")]
    #[case::uuid(
        "https://wire.example/x",
        "https://wire.example/news/4f1c2a9e-0b7d-4c55-9a57-2f7f5a1f6c01"
    )]
    #[case::id_of_letters("https://wire.example/x", "https://wire.example/articles/c4gq9k7zl1eo")]
    #[case::korean(
        "https://sho.rt/1",
        "https://wire.example/news/%ED%95%AD%EA%B5%AC-%ED%8F%AD%ED%92%8D-%EC%9D%B4%ED%9B%84-%EB%8B%AB%ED%98%80"
    )]
    #[case::login_in_a_headline(
        "https://sho.rt/1",
        "https://wire.example/tech/new-login-rules-for-banks"
    )]
    #[case::error_in_a_headline("https://sho.rt/1", "https://wire.example/404-migrants-rescued")]
    #[case::paid_section(
        "https://sho.rt/1",
        "https://wire.example/subscribe/harbour-closes-after-storm-4711234"
    )]
    #[case::cookies_of_the_section(
        "https://sho.rt/1",
        "https://food.example/cookies/oat-and-raisin-recipe"
    )]
    #[case::signed_in_hosts(
        "https://accounts.wire.example/a",
        "https://accounts.wire.example/b-c-d"
    )]
    #[case::front_asked_for("https://wire.example/", "https://www.wire.example/en/")]
    #[case::amp("https://amp.wire.example/news/a-b-c/amp", "https://www.wire.example/news/a-b-c")]
    #[case::own_query("https://wire.example/a/story", "https://wire.example/a/story?cookies=1")]
    fn an_article_is_read_where_it_is_now(#[case] asked: &str, #[case] came_from: &str) {
        let landing = landed(asked, came_from);
        assert!(matches!(landing, Article | Moved), "{landing:?}");
    }

    #[rstest]
    #[case("https://wire.example/a/b-c-d", "https://www.wire.example/a/b-c-d/?x=1", Article)]
    #[case("https://sho.rt/x", "https://wire.example/a/b-c-d", Article)]
    #[case("https://wire.example/a/b-c-d", "https://m.wire.example/a/e-f-g", Moved)]
    fn a_move_is_to_another_path_of_the_host(
        #[case] asked: &str,
        #[case] came_from: &str,
        #[case] landing: Landing,
    ) {
        assert_eq!(landed(asked, came_from), landing);
    }

    #[rstest]
    #[case("https://wire.example/news/harbour", "https://wire.example/")]
    #[case("https://wire.example/news/harbour", "https://wire.example/?utm_source=rss")]
    #[case("https://wire.example/?p=7", "https://wire.example/")]
    #[case("https://wire.example/news/harbour", "https://www.wire.example/index.html")]
    #[case("https://wire.example/news/harbour", "https://wire.example/en")]
    #[case("https://wire.example/news/harbour", "https://wire.example/en-gb/")]
    #[case("https://wire.example/news/harbour", "https://wire.example/de/startseite")]
    #[case("https://sho.rt/x", "https://wire.example/home")]
    fn a_front_page_is_none(#[case] asked: &str, #[case] came_from: &str) {
        assert_eq!(landed(asked, came_from), FrontPage);
    }

    #[rstest]
    #[case(
        "https://wire.example/news/harbour",
        "https://consent.wire.example/m?continue=1",
        Consent
    )]
    #[case("https://wire.example/news/harbour", "https://guce.other.example/x", Consent)]
    #[case("https://wire.example/news/harbour", "https://wire.example/cookie-wall?url=x", Consent)]
    #[case("https://wire.example/news/harbour", "https://wire.example/privacy-gate/", Consent)]
    #[case("https://wire.example/news/harbour", "https://wire.example/login", SignIn)]
    #[case("https://wire.example/news/harbour", "https://wire.example/de/anmelden.html", SignIn)]
    #[case("https://wire.example/news/harbour", "https://login.wire.example/", SignIn)]
    #[case("https://wire.example/news/harbour", "https://wire.example/user/sign_in?x=1", SignIn)]
    #[case(
        "https://wire.example/news/harbour",
        "https://wire.example/hello?back=%2Fnews%2Fharbour",
        SignIn
    )]
    #[case(
        "https://wire.example/news/harbour",
        "https://gate.example/?to=https%3A%2F%2Fwire.example%2Fnews%2Fharbour",
        SignIn
    )]
    #[case("https://wire.example/news/harbour", "https://wire.example/404.html", ErrorPage)]
    #[case("https://wire.example/news/harbour", "https://wire.example/errors/404", ErrorPage)]
    #[case("https://wire.example/news/harbour", "https://wire.example/page-not-found/", ErrorPage)]
    #[case("https://wire.example/news/harbour", "https://wire.example/de/fehler", ErrorPage)]
    #[case("https://wire.example/news/harbour", "https://wire.example/news/", Section)]
    #[case("https://wire.example/a/story", "https://wire.example/world-news", Section)]
    #[case(
        "https://wire.example/2026/11/harbour-is-closed",
        "https://wire.example/2026/11/",
        Section
    )]
    #[case("https://sho.rt/x", "https://wire.example/sport/football/", Section)]
    #[case("https://wire.example/news/harbour", "https://wire.example/search?q=harbour", Section)]
    #[case("https://wire.example/news/harbour", "https://wire.example/maintenance.html", ErrorPage)]
    #[case("https://wire.example/news?id=4711", "https://wire.example/news", Section)]
    fn other_pages_are_known_by_their_address(
        #[case] asked: &str,
        #[case] came_from: &str,
        #[case] landing: Landing,
    ) {
        assert_eq!(landed(asked, came_from), landing);
    }
}
