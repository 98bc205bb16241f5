//! Hashes of an item's words.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::markup::plain;

/// Ends a text. Texts do not contain this byte, so moving words from title to text changes the
/// hash.
const END: u8 = b'\0';

/// A hash of the normalised title and text, in hex. It is equal if a reader sees no change.
#[must_use]
pub fn hash_normalized_text(title: &str, text: &str) -> String {
    NormalizedText::new(title, text).hash()
}

/// The normalised words of an item's title and text.
pub(super) struct NormalizedText {
    /// The words of the title, an [`END`], the words of the text, an [`END`].
    words: String,
    /// The length in bytes of the title's words.
    title: usize,
}

impl NormalizedText {
    pub(super) fn new(title: &str, text: &str) -> Self {
        let mut words = String::with_capacity(title.len() + text.len() + 4);
        push_words(&mut words, title);
        let title = words.len();
        words.push(char::from(END));
        push_words(&mut words, text);
        words.push(char::from(END));
        Self { words, title }
    }

    /// [`hash_normalized_text`] of title and text.
    pub(super) fn hash(&self) -> String {
        to_hex(Sha256::new_with_prefix(&self.words))
    }

    /// [`hash_normalized_text`] of the title alone.
    pub(super) fn hash_of_title(&self) -> String {
        to_hex(Sha256::new_with_prefix(&self.words[..self.title]).chain_update([END, END]))
    }

    /// [`hash_normalized_text`] of the text alone.
    pub(super) fn hash_of_text(&self) -> String {
        to_hex(Sha256::new_with_prefix(&self.words[self.title..]))
    }
}

fn push_words(words: &mut String, text: &str) {
    for line in text.lines().filter(|line| !line.is_empty()) {
        if plain::is_folded(line) {
            words.push_str(line);
            words.push(' ');
            continue;
        }
        for word in line.split_whitespace() {
            words.extend(word.nfc());
            words.push(' ');
        }
    }
}

fn to_hex(hasher: Sha256) -> String {
    hex::encode(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("A title", "One  two.\nThre\u{301}")]
    #[case("A title", "")]
    #[case("", "One two.")]
    #[case("", "")]
    fn the_hash_of_a_part_is_that_of_an_item_with_nothing_else(
        #[case] title: &str,
        #[case] text: &str,
    ) {
        let words = NormalizedText::new(title, text);
        assert_eq!(words.hash_of_title(), hash_normalized_text(title, ""));
        assert_eq!(words.hash_of_text(), hash_normalized_text("", text));
    }
}
