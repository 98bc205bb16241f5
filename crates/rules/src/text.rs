//! Splits texts into words, forms and sentences, for stories and rules alike.

use std::ops::Range;

mod alphabet;
mod apostrophe;
mod case;
mod combining_marks;
mod digit_groups;
mod fold;
mod folded_words;
mod forms;
mod hebrew;
mod letters;
mod map;
mod plain;
mod runs;
mod sentence;
mod signs;
mod spaced;
mod split;
mod three_bytes;
mod visible;
mod words;

pub(crate) use apostrophe::has_genitive_s;
pub(crate) use case::{capitals, is_shouted, is_written_so};
pub(crate) use combining_marks::without_marks;
use folded_words::FoldedWords;
pub(crate) use forms::{Declined, Stemmer, attached, inflected, other_numbers};
pub(crate) use letters::{is_cyrillic, is_hebrew};
pub(crate) use runs::shows_nothing;
pub use sentence::sentence_around;
pub use sentence::sentences;
pub(crate) use spaced::is_single_space;
pub(crate) use three_bytes::code_of;
pub use visible::{is_display_control, one_line, visible, visible_line};
pub(crate) use words::{WordPlace, Words};

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The folded word: without case, width, accents and typographic variants. Never empty.
    pub word: String,
    /// Its bytes in the text, on character boundaries. Never empty, and ascending from token to
    /// token. Words of one character (`½` is 1 and 2) share its place.
    pub span: Range<usize>,
    /// The number of its paragraph, from 0. A blank line separates paragraphs.
    pub paragraph: u32,
}

/// The words of `text`, in order. The time is linear in its length.
///
/// Words are those of Unicode annex 29 after NFKC and full case folding. Latin and Greek letters
/// lose their accents, Cyrillic letters their stress marks, and digits become European digits.
///
/// Words are split further at hyphens, dashes, slashes, underscores and apostrophes, at a full stop
/// or colon between letters, and between Hangul and another script. Each Han or kana character is a
/// word. Dotted single letters (`U.S.`), `AT&T` and `C++` are one word each. An `s` after an
/// apostrophe is not a word. Invisible characters (soft hyphens, zero-width spaces) are ignored.
/// `docs/rules.md` in the repository of Tidings has the table.
#[must_use]
pub fn tokenise(text: &str) -> Vec<Token> {
    let (mut tokens, mut words) = (Vec::new(), FoldedWords::default());
    let mut paragraph = 0;
    for run in runs::runs(text) {
        paragraph += u32::from(run.after_blank_line);
        let written = &text[run.span.clone()];
        if let Some(word) = plain::word(written) {
            let span = run.span.start + word.start..run.span.start + word.end;
            tokens.push(Token { word: written[word].to_ascii_lowercase(), span, paragraph });
        } else {
            let words = words.find(written, run.span.start);
            tokens.extend(words.map(|(word, span)| Token {
                word: word.to_owned(),
                span,
                paragraph,
            }));
        }
    }
    join_spaced(text, tokens)
}

/// The words of `text`, folded, with spaces between them. Empty if it has no word.
#[must_use]
pub fn folded(text: &str) -> String {
    let words: Vec<String> = tokenise(text).into_iter().map(|token| token.word).collect();
    words.join(" ")
}

/// `tokens` of `text`, with those joined that spaces separate in one word.
fn join_spaced(text: &str, tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut before = None;
    for token in tokens {
        let joint = joined
            .last()
            .and_then(|last: &Token| spaced::joint(text, &last.span, before, &token.span));
        match (joint, joined.last_mut()) {
            (Some(joint), Some(last)) => {
                last.word.push_str(joint.sign());
                last.word.push_str(&token.word);
                last.span.end = joint.end(text, token.span.end);
            }
            _ => joined.push(token),
        }
        before = joint;
    }
    joined
}

#[cfg(test)]
mod tests;
