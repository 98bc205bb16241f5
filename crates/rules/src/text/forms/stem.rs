//! Finds the forms of a word in a language: Slavic ones by tables of endings, others by their stem,
//! with the algorithms of Snowball.

use frostem::Algorithm;

use super::attached;
use super::declension::{Declined, Slavic, declined};
use crate::story::LanguageTag;

/// The longest word that is stemmed, in bytes.
const LONGEST: usize = 64;

/// What finds the forms of words of a language. The stems of English are those of Porter2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stemmer {
    tag: &'static str,
    /// `None`: every word is its own stem.
    algorithm: Option<Algorithm>,
}

impl Stemmer {
    /// The stemmer of the language `lang`, a tag or name. Of a tag only the first part counts
    /// (`en-GB` is English).
    pub(crate) fn for_language(lang: &str) -> Option<Self> {
        let tag = LanguageTag::parse(lang)?;
        let (tag, algorithm) = LANGUAGES.iter().find(|(known, _)| *known == tag.primary())?;
        Some(Self { tag, algorithm: *algorithm })
    }

    /// The tag of its language, one of [`all`](Self::all).
    pub(crate) fn tag(self) -> &'static str {
        self.tag
    }

    /// The tags of all languages with a stemmer, sorted.
    pub(crate) fn all() -> impl Iterator<Item = &'static str> {
        LANGUAGES.iter().map(|(tag, _)| *tag)
    }

    /// Whether words of the language have stems. Other words are their own stem.
    pub(crate) fn has_stems(self) -> bool {
        self.algorithm.is_some()
    }

    /// The stem of `word`, which must be folded as `tokenise` does. Never empty unless `word` is. A
    /// word with other characters than letters (`16s`, `u.s`, `at&t`), or with more than 64 bytes,
    /// is its own stem.
    pub(crate) fn stem(self, word: &str) -> String {
        if word.len() > LONGEST
            || word.contains(|c: char| c.is_numeric() || c.is_ascii_punctuation())
        {
            return word.to_owned();
        }
        let Some(algorithm) = self.algorithm else { return word.to_owned() };
        let stem = frostem::Stemmer::new(algorithm).stem(word);
        if stem.is_empty() { word.to_owned() } else { stem.into_owned() }
    }

    /// The forms of `word` without itself, if tables of endings know them. They replace the stem
    /// then. `name` says whether the rule writes it with a capital.
    pub(crate) fn declined(self, word: &str, name: bool) -> Option<Vec<Declined>> {
        let language = match self.tag {
            "bg" => Slavic::Bulgarian,
            "ru" => Slavic::Russian,
            "sr" => Slavic::Serbian,
            "uk" => Slavic::Ukrainian,
            _ => return None,
        };
        declined(language, word, name)
    }

    /// Calls `found` with the stem of `word`, and in Arabic with those of what it may be without
    /// prefixes.
    pub(crate) fn each_stem(self, word: &str, mut found: impl FnMut(String)) {
        found(self.stem(word));
        if self.tag == "ar" {
            attached::each_rest(word, |rest, _| found(self.stem(rest)));
        }
    }

    /// Whether `word` has this stem.
    pub(crate) fn finds(self, stem: &str, word: &str) -> bool {
        let mut is_found = false;
        self.each_stem(word, |one| is_found |= one == stem);
        is_found
    }
}

/// The algorithms by tag, sorted.
const LANGUAGES: &[(&str, Option<Algorithm>)] = &[
    ("ar", Some(Algorithm::Arabic)),
    ("bg", None),
    ("ca", Some(Algorithm::Catalan)),
    ("cs", Some(Algorithm::Czech)),
    ("da", Some(Algorithm::Danish)),
    ("de", Some(Algorithm::German)),
    ("el", Some(Algorithm::Greek)),
    ("en", Some(Algorithm::English)),
    ("eo", Some(Algorithm::Esperanto)),
    ("es", Some(Algorithm::Spanish)),
    ("et", Some(Algorithm::Estonian)),
    ("eu", Some(Algorithm::Basque)),
    ("fa", Some(Algorithm::Persian)),
    ("fi", Some(Algorithm::Finnish)),
    ("fr", Some(Algorithm::French)),
    ("ga", Some(Algorithm::Irish)),
    ("he", None),
    ("hi", Some(Algorithm::Hindi)),
    ("hu", Some(Algorithm::Hungarian)),
    ("hy", Some(Algorithm::Armenian)),
    ("id", Some(Algorithm::Indonesian)),
    ("it", Some(Algorithm::Italian)),
    ("lt", Some(Algorithm::Lithuanian)),
    ("ne", Some(Algorithm::Nepali)),
    ("nl", Some(Algorithm::Dutch)),
    ("no", Some(Algorithm::Norwegian)),
    ("pl", Some(Algorithm::Polish)),
    ("pt", Some(Algorithm::Portuguese)),
    ("ro", Some(Algorithm::Romanian)),
    ("ru", Some(Algorithm::Russian)),
    ("sr", Some(Algorithm::Serbian)),
    ("st", Some(Algorithm::Sesotho)),
    ("sv", Some(Algorithm::Swedish)),
    ("ta", Some(Algorithm::Tamil)),
    ("tr", Some(Algorithm::Turkish)),
    ("uk", Some(Algorithm::Ukrainian)),
    ("yi", Some(Algorithm::Yiddish)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Stemmer;
    use crate::text::tokenise;

    fn stem(lang: &str, word: &str) -> String {
        let stemmer = Stemmer::for_language(lang).expect("a language with a stemmer");
        let stems: Vec<String> =
            tokenise(word).into_iter().map(|token| stemmer.stem(&token.word)).collect();
        stems.join(" ")
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        let cases = [
            ("en", "weapon weapons"),
            ("en", "sanction sanctions sanctioned sanctioning"),
            ("en", "arms armed arm"),
            ("ru", "Россия России Россией Россию Росси́я"),
            ("ru", "Чен Чена Чену"),
            ("ru", "Ын Ына Ыну Ыном"),
            ("ru", "ракета ракеты ракет ракетами"),
            ("ru", "самолёт самолета самолёты"),
            ("uk", "ракета ракети ракетами"),
            ("de", "Waffe Waffen"),
            ("de", "Häuser Hauses"),
            ("fr", "missile missiles"),
            ("fr", "armée armées"),
            ("es", "misil misiles"),
            ("it", "missile missili"),
            ("pt", "foguete foguetes"),
            ("nl", "raket raketten"),
            ("sv", "raket raketer raketerna"),
            ("nb", "rakett raketter"),
            ("pl", "rakieta rakiety"),
            ("cs", "raketa rakety"),
            ("tr", "silah silahlar"),
            ("el", "όπλο όπλα"),
            ("ar", "صاروخ الصاروخ"),
            ("hi", "मिसाइल मिसाइलें"),
            ("fi", "ase aseet"),
            ("hu", "fegyver fegyverek"),
            ("ro", "rachetă rachete"),
        ];
        for (lang, words) in cases {
            let stems: BTreeSet<String> = words.split(' ').map(|word| stem(lang, word)).collect();
            assert_eq!(stems.len(), 1, "{lang}: {words}: {stems:?}");
        }
        assert_ne!(stem("en", "Russia"), stem("en", "Russian"));
        assert_ne!(stem("en", "army"), stem("en", "arms"));
    }

    #[test]
    fn a_language_is_known_by_the_first_part_of_its_tag() {
        for (lang, expected) in [
            ("en", "en"),
            ("en-GB", "en"),
            ("EN_us", "en"),
            ("pt-BR", "pt"),
            ("nb", "no"),
            ("nn-NO", "no"),
            ("eng", "en"),
            ("Russian", "ru"),
        ] {
            assert_eq!(Stemmer::for_language(lang).map(Stemmer::tag), Some(expected), "{lang}");
        }
        for lang in ["", "-", "ko", "zh", "qq"] {
            assert_eq!(Stemmer::for_language(lang), None, "{lang}");
        }
        let tags: Vec<&str> = Stemmer::all().collect();
        assert!(tags.is_sorted() && tags.len() == 37);
        assert!(tags.iter().all(|tag| Stemmer::for_language(tag).map(Stemmer::tag) == Some(tag)));
    }

    #[test]
    fn what_is_no_word_of_a_language_is_its_own_stem() {
        let long = "weapons".repeat(10);
        for word in ["16s", "b2bs", "u.s", "at&t", "c++", "", &long] {
            assert!(
                Stemmer::all()
                    .filter_map(Stemmer::for_language)
                    .all(|stemmer| stemmer.stem(word) == word),
                "{word}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_word_is_too_odd_to_stem(
            text in "(\\PC{0,16}|[a-zäöüßéñğ]{0,20}|[а-яёїґ']{0,20}|[α-ωάέή]{0,20}|[ء-ي]{0,20}|[א-ת]{0,20}|[ऀ-ॿ]{0,16}|[஀-௿]{0,16}|[ա-և]{0,20}|[ا-ۓ]{0,20})",
        ) {
            let words: Vec<String> = tokenise(&text).into_iter().map(|token| token.word).collect();
            for stemmer in Stemmer::all().filter_map(Stemmer::for_language) {
                for word in words.iter().map(String::as_str).chain([text.as_str()]) {
                    prop_assert_eq!(stemmer.stem(word).is_empty(), word.is_empty());
                }
            }
        }
    }
}
