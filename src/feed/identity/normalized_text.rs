//! A hash of an item's words.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::markup::plain;

/// A hash of normalised title and text, in hex. It is equal if a reader sees no change.
#[must_use]
pub fn hash_normalized_text(title: &str, text: &str) -> String {
    let mut words = String::with_capacity(title.len() + text.len() + 2);
    for part in [title, text] {
        for line in part.lines().filter(|line| !line.is_empty()) {
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
        // Texts do not contain this sign, so moving words from title to text changes the hash.
        words.push('\0');
    }
    hex::encode(&Sha256::digest(words)[..16])
}
