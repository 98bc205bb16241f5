//! What the feed says of a story, and whether a page says the same.

use std::collections::BTreeSet;

use whatlang::{Lang, Script};

use super::phrases::spelled;
use tidings_rules::text::tokenise;

/// The headline and the teaser that a feed gives for a story. Both may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedTexts {
    /// The words of the headline, with spaces around each.
    spelled: String,
    /// The telling words of the headline.
    headline: BTreeSet<String>,
    /// The telling words of the teaser.
    teaser: BTreeSet<String>,
    /// The script and the language that both texts seem to be in.
    lang: Option<(Script, Lang)>,
}

/// The fewest characters of a word that tells one story from another. Shorter ones are mostly
/// articles, pronouns and prepositions.
const TELLING: usize = 5;

/// The characters of a word that are compared, so that most of its forms are one.
const COMPARED: usize = 5;

/// The fewest telling words of headline and teaser whose language can be told.
const TELLS_LANGUAGE: usize = 8;

impl FeedTexts {
    /// Keeps the telling words of both texts.
    #[must_use]
    pub fn new(headline: &str, teaser: &str) -> Self {
        Self {
            spelled: spelled(headline),
            headline: telling_words(headline),
            teaser: telling_words(teaser),
            lang: lang_of(&format!("{headline}. {teaser}")),
        }
    }

    /// Whether headline or teaser have a telling word.
    pub(super) fn are_known(&self) -> bool {
        !self.headline.is_empty() || !self.teaser.is_empty()
    }

    /// Whether one of the headlines of a page is that of the feed: it has all its words in order,
    /// of which there are several, or half of its telling words, and at least two.
    pub(super) fn has_headline(&self, headlines: &[String]) -> bool {
        let has_several = self.spelled.split(' ').filter(|word| !word.is_empty()).nth(1).is_some();
        headlines.iter().any(|headline| {
            has_several && spelled(headline).contains(&self.spelled)
                || shares(&self.headline, &telling_words(headline), 2)
        })
    }

    /// Whether `text` holds half of the telling words of the headline, and at least two, or half of
    /// those of the teaser, and at least three.
    pub(super) fn are_told_in(&self, text: &str) -> bool {
        let said = telling_words(text);
        shares(&self.headline, &said, 2) || shares(&self.teaser, &said, 3)
    }

    /// Whether a page in the same language has less than one in `one_in` of the telling words of
    /// headline and teaser, which are at least `fewest`.
    pub(super) fn are_missed_by(
        &self,
        headlines: &[String],
        text: &str,
        (fewest, one_in): (usize, usize),
    ) -> bool {
        let own: BTreeSet<&String> = self.headline.union(&self.teaser).collect();
        let said = telling_words(&format!("{}\n{text}", headlines.join("\n")));
        let found = own.iter().filter(|word| said.contains(**word)).count();
        let is_same_language = || match (self.lang, lang_of(text)) {
            (Some(feed), Some(page)) if own.len() >= TELLS_LANGUAGE => feed == page,
            (Some((script, _)), Some((other, _))) => script == other,
            _ => false,
        };
        own.len() >= fewest && found * one_in < own.len() && is_same_language()
    }
}

/// Whether two headlines have the same words, or share half of the telling words of both.
pub(super) fn is_same_headline(one: &str, other: &str) -> bool {
    let is_same = || {
        let words = spelled(one);
        !words.trim().is_empty() && words == spelled(other)
    };
    let (telling, others) = (telling_words(one), telling_words(other));
    let shared = telling.intersection(&others).count();
    shared > 0 && shared * 2 >= telling.union(&others).count() || is_same()
}

fn lang_of(text: &str) -> Option<(Script, Lang)> {
    whatlang::detect(text).map(|found| (found.script(), found.lang()))
}

/// Whether `said` has at least half of `words`, and at least `fewest` of them.
fn shares(words: &BTreeSet<String>, said: &BTreeSet<String>, fewest: usize) -> bool {
    let shared = words.intersection(said).count();
    shared >= fewest && shared * 2 >= words.len()
}

/// The words of `text` that tell it from others: those of five characters and more by their
/// beginning, numbers, and pairs of neighbouring characters where each character is a word (Han,
/// kana).
fn telling_words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut before: Option<(char, usize)> = None;
    for token in tokenise(text) {
        let mut letters = token.word.chars();
        let single = letters.next().filter(|c| letters.next().is_none() && *c >= '\u{2e80}');
        if let (Some((last, end)), Some(c)) = (before, single)
            && end == token.span.start
        {
            words.insert(format!("{last}{c}"));
        }
        before = single.map(|c| (c, token.span.end));
        let length = token.word.chars().count();
        let is_number = length >= 2 && token.word.bytes().all(|b| b.is_ascii_digit());
        let is_hangul = length >= 2 && token.word.starts_with(|c| ('가'..='힣').contains(&c));
        if length >= TELLING || is_number {
            words.insert(token.word.chars().take(COMPARED).collect());
        } else if is_hangul {
            // Particles follow the noun.
            words.insert(token.word.chars().take(2).collect());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Harbour closes after storm", "Harbour closed after the storm | The Wire", true)]
    #[case("Harbour closes after storm", "News | The Wire", false)]
    #[case("Harbour closes after storm", "Storm in the mountains", false)]
    #[case("Порт закрыт после шторма", "После шторма закрыли порты", true)]
    #[case("항구가 폭풍으로 폐쇄", "폭풍에 항구 폐쇄 - 와이어", true)]
    #[case("暴风雨后港口关闭", "港口在暴风雨后关闭", true)]
    #[case("暴风雨后港口关闭", "今日新闻", false)]
    #[case("Kim to go", "Kim to go | The Wire", true)]
    #[case("Storm", "Storm", false)]
    #[case("", "", false)]
    fn a_headline_is_the_same_if_half_of_its_telling_words_are(
        #[case] feed: &str,
        #[case] page: &str,
        #[case] same: bool,
    ) {
        assert_eq!(FeedTexts::new(feed, "").has_headline(&[page.to_owned()]), same);
    }

    #[test]
    fn a_text_tells_the_story_by_its_headline_or_its_teaser() {
        let feed = FeedTexts::new("What you need to know", "The harbour is closed after a storm.");
        assert!(feed.are_told_in("The storm closed the harbour on Tuesday."));
        assert!(!feed.are_told_in("The harbour is one of the largest of the country."));
        assert!(!FeedTexts::default().are_told_in("The harbour."));
    }

    #[test]
    fn a_page_of_something_else_misses_the_telling_words_in_the_same_language() {
        let feed = FeedTexts::new(
            "Harbour closes after storm",
            "Ferries stay ashore while engineers inspect the northern quay.",
        );
        let missed = |headlines: &[&str], text: &str| {
            let headlines: Vec<String> = headlines.iter().map(ToString::to_string).collect();
            feed.are_missed_by(&headlines, text, (8, 8))
        };
        let other = "This domain may be for sale. Ask the owner for a price today.";
        assert!(missed(&["Parked"], other));
        assert!(missed(&[], &format!("{other} The harbour is not.")), "one word of ten");
        assert!(!missed(&["Harbour"], &format!("{other} Engineers wanted.")));
        let translated =
            "Der Hafen ist geschlossen, und die Schiffe bleiben im Hafen, sagt das Amt.";
        assert!(!missed(&[], translated));
        assert!(!FeedTexts::new("Harbour closes", "More.").are_missed_by(&[], other, (8, 8)));
        let short = FeedTexts::new("Headline of the story", "Short teaser Korea.");
        assert!(short.are_missed_by(&[], other, (4, 4)));
    }

    #[rstest]
    #[case("Harbour closes after storm", "Harbour closes after storm - Page 2", true)]
    #[case("Harbour closes after storm", "Budget passes after debate", false)]
    #[case("A page", "A page", true)]
    #[case("", "", false)]
    fn pages_of_one_article_have_one_headline(
        #[case] one: &str,
        #[case] other: &str,
        #[case] same: bool,
    ) {
        assert_eq!(is_same_headline(one, other), same);
    }
}
