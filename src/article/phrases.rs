//! The phrases of pages that stand in the place of an article, from `phrases.txt`.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use tidings_rules::text::tokenise;

/// What a page asks or says in the place of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum PageSign {
    /// It checks whether a robot reads it.
    Robot,
    /// There is no such page, or it cannot be shown.
    Error,
    /// It asks for consent.
    Consent,
    /// It asks to sign in.
    SignIn,
    /// It asks for money.
    Paywall,
}

impl PageSign {
    /// The sign of a heading of `phrases.txt`.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "robot" => Self::Robot,
            "error" => Self::Error,
            "consent" => Self::Consent,
            "sign in" => Self::SignIn,
            "paywall" => Self::Paywall,
            _ => return None,
        })
    }

    /// What the page does, in words that follow "teaser only: ".
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Robot => "the page checks whether a robot reads it",
            Self::Error => "the page is an error page",
            Self::Consent => "the page asks for consent first",
            Self::SignIn => "the page asks to sign in first",
            Self::Paywall => "the page is behind a paywall",
        }
    }
}

/// A phrase that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoundPhrase {
    pub(super) sign: PageSign,
    /// The number of its paragraph, from 0.
    pub(super) paragraph: usize,
    /// The number of the phrase, to tell phrases apart.
    pub(super) phrase: usize,
}

/// The phrases in the paragraphs of `text`, which blank lines separate.
pub(super) fn find_phrases(text: &str) -> Vec<FoundPhrase> {
    let table = &*TABLE;
    let mut found = Vec::new();
    for (paragraph, text) in text.split("\n\n").enumerate() {
        let said = spelled(text);
        let parts: BTreeSet<usize> =
            table.parts.find_overlapping_iter(&said).map(|at| at.pattern().as_usize()).collect();
        if parts.is_empty() {
            continue;
        }
        let phrases = table.phrases.iter().enumerate();
        let stands = |(_, phrase): &(usize, &Phrase)| phrase.parts.is_subset(&parts);
        found.extend(phrases.filter(stands).map(|(number, phrase)| FoundPhrase {
            sign: phrase.sign,
            paragraph,
            phrase: number,
        }));
    }
    found
}

/// What a headline of a page says that is that of such a page, alone or beside the name of the
/// site, or that has such a phrase.
pub(super) fn sign_of_headline(headline: &str) -> Option<PageSign> {
    let pieces = headline.split(['|', '–', '—', '·', '»', ':']);
    let pieces = pieces.flat_map(|piece| piece.split(" - "));
    let mut titles = std::iter::once(headline).chain(pieces);
    let sign = titles.find_map(|piece| TABLE.titles.get(&spelled(piece)).copied());
    sign.or_else(|| find_phrases(headline).first().map(|found| found.sign))
}

/// The number of words of `text` that name the cookies of the web, in many languages.
pub(super) fn count_cookies(text: &str) -> usize {
    count_listed(&TABLE.cookies, text)
}

/// The number of words of `text` that name pages, links, passwords and other parts of the web.
pub(super) fn count_web_words(text: &str) -> usize {
    count_listed(&TABLE.web, text)
}

/// The number of words of `text` at which a word or beginning of `words` stands.
fn count_listed(words: &AhoCorasick, text: &str) -> usize {
    let said = spelled(text);
    words.find_overlapping_iter(&said).map(|at| at.start()).collect::<BTreeSet<_>>().len()
}

/// The words of `text` as rules see them, with a space on both sides of each.
pub(super) fn spelled(text: &str) -> String {
    tokenise(text).iter().fold(" ".to_owned(), |words, token| words + &token.word + " ")
}

static TABLE: LazyLock<PhraseTable> =
    LazyLock::new(|| PhraseTable::parse(include_str!("phrases.txt")));

struct PhraseTable {
    parts: AhoCorasick,
    phrases: Vec<Phrase>,
    /// The words for cookies.
    cookies: AhoCorasick,
    /// The words for parts of the web.
    web: AhoCorasick,
    /// The signs of whole titles.
    titles: HashMap<String, PageSign>,
}

struct Phrase {
    sign: PageSign,
    /// The numbers of the parts that must stand in one paragraph.
    parts: BTreeSet<usize>,
}

impl PhraseTable {
    fn parse(text: &str) -> Self {
        let mut heading = Heading::Web;
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let (mut patterns, mut phrases) = (Vec::new(), Vec::new());
        let (mut titles, mut cookies, mut web) = (HashMap::new(), Vec::new(), Vec::new());
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                heading = Heading::named(name.trim_end_matches(']')).expect("a heading");
                continue;
            }
            match heading {
                Heading::Cookie => cookies.push(pattern(line)),
                Heading::Web => web.push(pattern(line)),
                Heading::Title(sign) => {
                    titles.insert(spelled(line), sign);
                }
                Heading::Phrase(sign) => {
                    let parts = line.split(" + ").map(pattern).map(|part| {
                        let number = numbers.len();
                        *numbers.entry(part.clone()).or_insert_with(|| {
                            patterns.push(part);
                            number
                        })
                    });
                    phrases.push(Phrase { sign, parts: parts.collect() });
                }
            }
        }
        let search = |patterns| AhoCorasick::new::<_, String>(patterns).expect("few phrases");
        let (cookies, web) = (search(cookies), search(web));
        Self { parts: search(patterns), phrases, cookies, web, titles }
    }
}

/// What a heading of `phrases.txt` announces.
#[derive(Clone, Copy)]
enum Heading {
    Phrase(PageSign),
    Title(PageSign),
    Cookie,
    Web,
}

impl Heading {
    fn named(name: &str) -> Option<Self> {
        match (name, name.strip_prefix("title ")) {
            ("cookie", _) => Some(Self::Cookie),
            ("web", _) => Some(Self::Web),
            (_, Some(title)) => PageSign::named(title).map(Self::Title),
            _ => PageSign::named(name).map(Self::Phrase),
        }
    }
}

/// A part of a phrase as it stands in [`spelled`] texts.
fn pattern(part: &str) -> String {
    match part.strip_suffix('*') {
        Some(beginning) => spelled(beginning).trim_end().to_owned(),
        None => spelled(part),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use PageSign::{Consent, Error, Paywall, Robot, SignIn};

    #[rstest]
    #[case("We and our 845 partners store cookies on your device.", &[Consent])]
    #[case("WE USE COOKIES!", &[Consent])]
    #[case("Wir und unsere 198 Partner speichern Cookies.", &[Consent])]
    #[case("We and our partners in the alliance will go on.", &[])]
    #[case("Nos partenaires et nous déposons des cookies.", &[Consent])]
    #[case("Używamy plików cookies, aby ulepszyć serwis.", &[Consent])]
    #[case("Käytämme sivustollamme evästeitä.", &[Consent])]
    #[case("Мы используем файлы cookie.", &[Consent])]
    #[case("当サイトではクッキーを使用しています。", &[Consent])]
    #[case("Réservé aux abonnés", &[Paywall])]
    #[case("Abonnez‑vous pour lire la suite", &[Paywall])]
    #[case("Εάν είστε ήδη συνδρομητής, συνδεθείτε.", &[Paywall])]
    #[case("Please enable JavaScript.", &[Robot])]
    #[case("This page isn’t available.", &[Error])]
    #[case("Sidan du letar efter finns inte här.", &[Error])]
    #[case("您访问的页面不存在", &[Error])]
    #[case("Passwort vergessen?", &[SignIn])]
    #[case("A recipe with cookies and a page of history.", &[])]
    #[case("Wir verwenden\n\nCookies", &[])]
    fn phrases_are_found_in_any_spelling(#[case] text: &str, #[case] signs: &[PageSign]) {
        let found: BTreeSet<_> = find_phrases(text).into_iter().map(|found| found.sign).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), signs, "{text}");
    }

    #[test]
    fn a_phrase_is_known_by_its_paragraph() {
        let found = find_phrases("A start.\n\nPage not found.\n\nError 404: page not found.");
        let places: Vec<_> = found.iter().map(|found| found.paragraph).collect();
        assert_eq!(places, [1, 2, 2]);
        assert_eq!(found.iter().map(|found| found.phrase).collect::<BTreeSet<_>>().len(), 2);
    }

    #[rstest]
    #[case("Just a moment...", Some(Robot))]
    #[case("Attention Required! | Cloudflare", Some(Robot))]
    #[case("404 - Not Found", Some(Error))]
    #[case("The Wire: 404", Some(Error))]
    #[case("Anmelden – Der Draht", Some(SignIn))]
    #[case("Oops! That page can’t be found.", Some(Error))]
    #[case("404 migrants rescued at sea", None)]
    #[case("Subscribe to the theory of strings", None)]
    #[case("", None)]
    fn a_headline_is_known_as_a_whole_or_by_a_phrase(
        #[case] title: &str,
        #[case] sign: Option<PageSign>,
    ) {
        assert_eq!(sign_of_headline(title), sign);
    }

    #[test]
    fn cookies_and_words_of_the_web_are_counted_in_many_languages() {
        let text =
            "Cookies, kakor, evästeitä, бисквитки, çerezleri, クッキー, 쿠키를; a cook, кукла.";
        assert_eq!(count_cookies(text), 7);
        let text = "This page and its links; diese Seite, ページ, 비밀번호를; both sides, a pagan.";
        assert_eq!(count_web_words(text), 5);
    }

    #[test]
    fn each_phrase_stands_once_and_is_long_enough_to_be_no_news() {
        let is_word = |heading: &str| matches!(heading, "[cookie]" | "[web]");
        let mut seen = BTreeSet::new();
        let mut heading = "";
        for line in include_str!("phrases.txt").lines() {
            if line.starts_with('[') {
                heading = line;
            } else if !line.is_empty() && !line.starts_with('#') {
                let parts: Vec<String> = line.split(" + ").map(pattern).collect();
                let is_title = heading.starts_with("[title") || is_word(heading);
                let kind = (is_title, is_word(heading).then_some(heading), parts.clone());
                assert!(seen.insert(kind), "{line} stands twice");
                assert_eq!(line, line.trim(), "{line}");
                assert_eq!(line.to_lowercase(), line, "{line}");
                let words: usize = parts.iter().map(|part| part.split_whitespace().count()).sum();
                assert!(is_title || words >= 2, "{line} is one word");
            }
        }
    }
}
