//! Normalise and tokenise, once, for stories and rules alike.

use std::ops::Range;

mod case;
mod fold;
mod forms;
mod runs;
mod sentence;
mod split;

pub(crate) use case::capitals;
pub(crate) use forms::{Stemmer, other_numbers, sentences, without_marks};
pub(crate) use runs::shows_nothing;
pub use sentence::sentence_around;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word as it is compared: folded case, width, accents and letter forms. Never empty.
    pub word: String,
    /// Where it stands in the text, in bytes, on character boundaries; never empty, and ascending from token to token.
    /// Words that one character stands for (`½` is 1 and 2) share its place.
    pub span: Range<usize>,
    /// Which paragraph of the text, from 0: paragraphs are parted by a blank line.
    pub paragraph: u32,
}

/// The words of `text`, in order, in time linear in its length.
///
/// Words are those of Unicode annex 29 after NFKC and full case folding, without accents on Latin and Greek letters, and
/// split further at hyphens, dashes, slashes, underscores and apostrophes, and at a full stop or colon between letters.
/// Dotted single letters (`U.S.`) are one word, an `s` after an apostrophe is none, each Han or kana character is one,
/// and characters that show nothing (soft hyphens, zero-width spaces) count for nothing.
#[must_use]
pub fn tokenise(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut paragraph = 0;
    for run in runs::runs(text) {
        paragraph += u32::from(run.after_blank_line);
        let folded = fold::fold(&text[run.span.clone()]);
        tokens.extend(split::words(&folded.text).into_iter().map(|piece| {
            let origin = folded.origin(&piece.shown);
            Token {
                word: folded.text[piece.word].to_owned(),
                span: run.span.start + origin.start..run.span.start + origin.end,
                paragraph,
            }
        }));
    }
    tokens
}

#[cfg(test)]
mod tests;
