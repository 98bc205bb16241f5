//! The words of a text as copies are compared: in sentences, without byline. Pure.

use std::collections::HashSet;
use std::ops::Range;

use super::hash;
use super::spelling::normal;
use tidings_rules::is_common_word;
use tidings_rules::text::{sentences, tokenise};

/// The most words of a text that are compared.
const MOST_WORDS: usize = 6000;

/// The most words of a byline, a dateline or a heading.
const HEAD_WORDS: usize = 14;

/// What a word says of the event that a text tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyWordKind {
    /// A number, or an identifier that holds digits.
    Number,
    /// It is written like a name.
    Name,
    /// Not a name, and not a common word.
    Rare,
    /// It may stand in any text.
    Common,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CopyWord {
    /// The word, folded and in its normal spelling.
    pub(super) text: String,
    pub(super) kind: CopyWordKind,
}

/// A text in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CopyWords {
    pub(super) words: Vec<CopyWord>,
    /// Ranges of `words`: disjoint, in order, none empty.
    pub(super) sentences: Vec<Range<usize>>,
}

impl CopyWords {
    /// The words of `text`, but for the byline and the dateline at its beginning and for credits.
    pub(super) fn of(text: &str) -> Self {
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

    /// A number for each sentence; equal sentences have the same.
    pub(super) fn sentence_hashes(&self) -> impl Iterator<Item = u64> {
        self.sentences.iter().map(|range| {
            let words: Vec<&str> =
                self.words[range.clone()].iter().map(|word| word.text.as_str()).collect();
            hash(&words.join(" "))
        })
    }

    /// The same text without the sentences with these numbers.
    pub(super) fn without(&self, frame: &HashSet<u64>) -> Self {
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

    /// The table of common words is English: in another language it tells rare words from others of
    /// no text.
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
    // In a heading most words have a capital, which says nothing there.
    let heading = tokens.len() > 3 && large * 3 > tokens.len() * 2;
    let word = |(at, token): (usize, &tidings_rules::text::Token)| {
        let text = normal(&token.word);
        let first = begins(&token.span);
        let kind = if text.bytes().any(|byte| byte.is_ascii_digit()) {
            CopyWordKind::Number
        } else if has_no_case(first)
            || (first.is_uppercase() && ((at > 0 && !heading) || !is_common_word(&text)))
        {
            CopyWordKind::Name
        } else if text.chars().count() >= 4 && !is_common_word(&text) {
            CopyWordKind::Rare
        } else {
            CopyWordKind::Common
        };
        CopyWord { text, kind }
    };
    tokens.iter().enumerate().map(word).collect()
}

/// Whether a letter is of a script without capitals.
fn has_no_case(c: char) -> bool {
    c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()
}

/// The text behind its byline and its dateline.
fn without_head(text: &str) -> &str {
    let mut rest = text.trim_start();
    for _ in 0..4 {
        let paragraph = &rest[..rest.find("\n\n").unwrap_or(rest.len())];
        if let Some(end) = dateline_end(paragraph) {
            rest = rest[end..].trim_start();
        } else if is_byline(paragraph) && paragraph.len() < rest.len() {
            rest = rest[paragraph.len()..].trim_start();
        } else {
            break;
        }
    }
    rest
}

/// Whether a paragraph of a few words names who wrote the text, or when.
fn is_byline(paragraph: &str) -> bool {
    let few = paragraph.split_whitespace().count() <= HEAD_WORDS;
    let lower = paragraph.to_lowercase();
    let starts = [
        "by ",
        "par ",
        "por ",
        "von ",
        "published",
        "updated",
        "posted",
        "last updated",
        "(corrects",
        "corrects",
    ];
    let holds = ["correspondent", "staff writer", "staff reporter", " reporter", "newsroom"];
    let ends = paragraph.trim_end().ends_with(['.', '!', '?', '”', '"']);
    few && (starts.iter().any(|word| lower.starts_with(word))
        || (!ends && holds.iter().any(|word| lower.contains(word))))
        || lower.starts_with("(corrects ")
}

/// Where the sentence begins behind a dateline such as `LONDON, June 3 (Reuters) - `.
fn dateline_end(paragraph: &str) -> Option<usize> {
    let dash = |(at, c): &(usize, char)| {
        let apart = paragraph[..*at].ends_with([' ', ')'])
            && paragraph[at + c.len_utf8()..].starts_with([' ', '-']);
        matches!(c, '—' | '–')
            || (*c == '-' && apart)
            || (*c == ':' && paragraph[..*at].ends_with(')'))
    };
    let (at, sign) = paragraph.char_indices().take(120).find(dash)?;
    let head = &paragraph[..at];
    let words: Vec<&str> = head.split_whitespace().collect();
    let large = |word: &&&str| {
        word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '(' || c == '/')
    };
    let small_ones = words.len() - words.iter().filter(large).count();
    let shouts = |word: &&str| {
        let letters = || word.chars().filter(|c| c.is_alphabetic());
        letters().count() >= 3 && letters().all(char::is_uppercase)
    };
    let is_head = head.starts_with("By ") || head.contains('(') || words.iter().any(shouts);
    let fits = !words.is_empty() && words.len() <= HEAD_WORDS && small_ones <= 2 && is_head;
    fits.then(|| {
        at + sign.len_utf8() + paragraph[at + sign.len_utf8()..].find(|c| c != '-').unwrap_or(0)
    })
}

/// Whether a sentence only says who wrote, edited or owns the text.
fn is_credit(sentence: &[CopyWord]) -> bool {
    let starts = |words: &[&str]| {
        sentence.len() >= words.len() && words.iter().zip(sentence).all(|(a, b)| *a == b.text)
    };
    sentence.len() <= 2 * HEAD_WORDS
        && [
            ["reporting", "by"].as_slice(),
            &["additional", "reporting"],
            &["editing", "by"],
            &["writing", "by"],
            &["compiled", "by"],
            &["copyright"],
            &["with", "files", "from"],
        ]
        .into_iter()
        .any(starts)
}

#[cfg(test)]
mod tests {
    use super::CopyWordKind::{Common, Name, Number, Rare};
    use super::*;

    fn shown(text: &str) -> String {
        let words = CopyWords::of(text);
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
            "GENEVA — ",
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
