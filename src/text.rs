//! Normalise and tokenise, once, for stories and rules alike.

use std::ops::Range;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word as it is compared: folded case, width, accents and letter forms. Never empty.
    pub word: String,
    /// Where it stands in the text, in bytes, on character boundaries.
    pub span: Range<usize>,
    /// Which paragraph of the text, from 0: paragraphs are parted by a blank line.
    pub paragraph: u32,
}

/// The words of `text`, in order.
#[must_use]
pub fn tokenise(text: &str) -> Vec<Token> {
    let _ = text;
    todo!()
}

/// The sentence of `text` that holds `span`: a byte range on character boundaries, without surrounding white space.
/// Sentences as Unicode annex 29 has them, and never across a blank line.
#[must_use]
pub fn sentence_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let _ = (text, span);
    todo!()
}
