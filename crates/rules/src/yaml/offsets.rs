//! Converts the parser's character counts to byte offsets.

use std::ops::Range;

use saphyr_parser::Span;

/// The number of characters between two entries of the table.
const STEP: usize = 64;

/// The byte offsets of a text's characters.
pub(super) struct Offsets<'t> {
    text: &'t str,
    /// The byte offset of every [`STEP`]th character. `None` for ASCII, in which a character is a
    /// byte.
    steps: Option<Vec<usize>>,
}

impl<'t> Offsets<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let steps = || text.char_indices().step_by(STEP).map(|(at, _)| at).collect();
        Self { text, steps: (!text.is_ascii()).then(steps) }
    }

    /// The byte offset of the character with that number; the end of the text after the last.
    pub(super) fn byte(&self, character: usize) -> usize {
        let Some(steps) = &self.steps else { return character.min(self.text.len()) };
        let Some(start) = steps.get(character / STEP) else { return self.text.len() };
        let behind = self.text[*start..].char_indices().nth(character % STEP);
        behind.map_or(self.text.len(), |(at, _)| start + at)
    }

    /// The bytes of `span`.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_the_offset_of_its_first_byte() {
        for text in ["plain text".to_owned(), "é北a".repeat(100)] {
            let offsets = Offsets::new(&text);
            for (number, (at, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(number), at);
            }
            assert_eq!(offsets.byte(text.chars().count()), text.len());
            assert_eq!(offsets.byte(10_000), text.len());
        }
    }
}
