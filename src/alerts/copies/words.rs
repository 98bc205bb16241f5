//! The words of a text as copies are compared: in sentences, without byline. Pure.

use std::collections::HashSet;
use std::ops::Range;

use super::head::{is_credit, without_head};
use super::numerals;
use super::spelling::normal;
use super::vocabulary::is_function_word;
use super::word::{CopyWord, CopyWordKind, hash};
use tidings_rules::is_common_word;
use tidings_rules::text::{sentences, tokenise};

/// The most words of a text that are compared.
const MOST_WORDS: usize = 6000;

/// A text in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CopyWords {
    pub(super) words: Vec<CopyWord>,
    /// Ranges of `words`: disjoint, in order, none empty.
    pub(super) sentences: Vec<Range<usize>>,
}

impl CopyWords {
    /// The words of `text` without the byline and dateline at its beginning, and without credits.
    pub(super) fn new(text: &str) -> Self {
        let text = without_head(text);
        let mut found = Self::default();
        for span in sentences(text) {
            let sentence = &text[span];
            let words = words(sentence);
            if !words.is_empty() && !is_credit(&words) {
                let start = found.words.len();
                found.words.extend(words);
                found.sentences.push(start..found.words.len());
            }
            if found.words.len() >= MOST_WORDS {
                break;
            }
        }
        found.forget_rare_words_of_other_languages();
        found
    }

    /// The words of one sentence.
    pub(super) fn sentence(&self, at: usize) -> &[CopyWord] {
        &self.words[self.sentences[at].clone()]
    }

    /// A hash for each sentence. Equal sentences have equal hashes.
    pub(super) fn sentence_hashes(&self) -> impl Iterator<Item = u64> {
        self.sentences.iter().map(|range| {
            let words: Vec<&str> =
                self.words[range.clone()].iter().map(|word| word.text.as_str()).collect();
            hash(&words.join(" "))
        })
    }

    /// The text without the sentences with these hashes.
    pub(super) fn without_sentences(&self, frame: &HashSet<u64>) -> Self {
        let mut rest = Self::default();
        for (range, hash) in self.sentences.iter().zip(self.sentence_hashes()) {
            if !frame.contains(&hash) {
                let start = rest.words.len();
                rest.words.extend_from_slice(&self.words[range.clone()]);
                rest.sentences.push(start..rest.words.len());
            }
        }
        rest
    }

    /// The table of common words is English, so it cannot find the rare words of another language.
    fn forget_rare_words_of_other_languages(&mut self) {
        let small =
            |word: &&mut CopyWord| matches!(word.kind, CopyWordKind::Rare | CopyWordKind::Common);
        let (mut rare, mut all) = (0, 0);
        for word in self.words.iter_mut().filter(small) {
            all += 1;
            rare += usize::from(word.kind == CopyWordKind::Rare);
        }
        if rare * 5 > all * 3 {
            self.words
                .iter_mut()
                .filter(|word| word.kind == CopyWordKind::Rare)
                .for_each(|word| word.kind = CopyWordKind::Common);
        }
    }
}

/// The words of one sentence.
pub(super) fn words(sentence: &str) -> Vec<CopyWord> {
    let tokens = tokenise(sentence);
    let begins = |span: &Range<usize>| sentence[span.clone()].chars().next().unwrap_or(' ');
    let large = tokens.iter().filter(|token| begins(&token.span).is_uppercase()).count();
    // In a heading, most words have a capital, which shows nothing.
    let heading = tokens.len() > 3 && large * 3 > tokens.len() * 2;
    let (mut found, mut is_spelled) = (Vec::with_capacity(tokens.len()), Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        let text = normal(&token.word);
        let has_digits = token.word.bytes().any(|byte| byte.is_ascii_digit());
        if has_digits {
            found.extend(numerals::with_signs(&text, sentence, &token.span));
        } else if let Some(grade) = read_grade(&text, sentence, &token.span) {
            found.push(CopyWord { text: grade, kind: CopyWordKind::Name });
        } else {
            let kind = word_kind(&text, begins(&token.span), at > 0 && !heading);
            found.push(CopyWord { text, kind });
        }
        is_spelled.resize(found.len(), !has_digits);
    }
    numerals::join(found, &is_spelled)
}

/// The kind of a word. `first`: its first letter as written. `does_capital_count`: a capital shows
/// that the word is a name.
fn word_kind(text: &str, first: char, does_capital_count: bool) -> CopyWordKind {
    if text.bytes().any(|byte| byte.is_ascii_digit()) || numerals::is_unit(text) {
        CopyWordKind::Number
    } else if is_function_word(text)
        && !has_no_case(first)
        && !(first.is_uppercase() && does_capital_count)
    {
        CopyWordKind::Common
    } else if has_no_case(first)
        || (first.is_uppercase() && (does_capital_count || !is_common_word(text)))
    {
        CopyWordKind::Name
    } else if text.chars().count() >= 4 && !is_common_word(text) {
        CopyWordKind::Rare
    } else {
        CopyWordKind::Common
    }
}

/// A grade such as `A-`, with its sign.
fn read_grade(text: &str, sentence: &str, span: &Range<usize>) -> Option<String> {
    let written = &sentence[span.clone()];
    let mut behind = sentence[span.end..].chars();
    let sign = match behind.next()? {
        '+' | '＋' => '+',
        '-' | '−' => '-',
        _ => return None,
    };
    let is_end = behind.next().is_none_or(|c| !c.is_alphanumeric() && c != '-');
    let is_grade = written.len() <= 3 && written.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_end && is_grade).then(|| format!("{text}{sign}"))
}

/// Whether a letter is of a script without capitals.
pub(super) fn has_no_case(c: char) -> bool {
    c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::CopyWordKind::{Common, Name, Number, Rare};
    use super::*;

    fn shown(text: &str) -> String {
        let words = CopyWords::new(text);
        words.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn bylines_datelines_and_credits_are_no_part_of_a_text() {
        for head in [
            "",
            "LONDON, June 3 (Reuters) - ",
            "LONDON (Reuters) — ",
            "TOKYO (Kyodo) -- ",
            "(CNN): ",
            "By Ann Lee — ",
            "By Ann Lee\n\nPARIS, 3 June (AFP) – ",
            "Published 3 June 2026\n\nBy Ann Lee, chief correspondent\n\n",
        ] {
            assert_eq!(
                shown(&format!("{head}The port closed.\n\nReporting by Ann Lee in Paris")),
                "the port closed",
                "{head}"
            );
        }
        assert_eq!(
            shown("The port - closed since May - opened."),
            "the port closed since may opened"
        );
        assert_eq!(shown("Oil prices rose — again."), "oil prices rose again");
    }

    #[test]
    fn a_word_is_a_number_a_name_rare_or_common() {
        let kinds: Vec<CopyWordKind> = words("The tanker Kohana left Bandar in June with two men")
            .iter()
            .map(|word| word.kind)
            .collect();
        assert_eq!(kinds, [Common, Rare, Name, Common, Name, Common, Name, Common, Number, Common]);
    }
}
