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
mod tests;
