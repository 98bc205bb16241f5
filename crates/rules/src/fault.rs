//! Faults of a text that a person wrote, with file, line, column, a caret under the word, and help.

mod render;

use std::ops::Range;
use std::sync::Arc;

pub use render::{render, to_json};

/// A text that a person wrote, with its name in faults.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path, as the person wrote it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The level of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The text can be used, but perhaps differs from what was meant.
    Warning,
    /// The text cannot be used.
    Error,
}

/// A mistake in a text.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its level.
    pub level: Level,
    /// The text.
    pub source: Arc<Source>,
    /// The byte range of the wrong words, on character boundaries. It may be empty, and is never
    /// beyond the text.
    pub span: Range<usize>,
    /// The mistake, in one line. It never holds a secret.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Fault {
    /// An error at `span` of `source`.
    #[must_use]
    pub fn error(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            source: Arc::clone(source),
            span,
            message: message.into(),
            help: None,
        }
    }

    /// A warning at `span` of `source`.
    #[must_use]
    pub fn warning(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(source, span, message) }
    }

    /// The same fault with `advice` as its help.
    #[must_use]
    pub fn help(mut self, advice: impl Into<String>) -> Self {
        self.help = Some(advice.into());
        self
    }
}

impl Source {
    /// The line and column of a byte offset, both from 1. Columns count characters. A byte order
    /// mark does not count.
    #[must_use]
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        (lines + 1, before[start..].trim_start_matches('\u{feff}').chars().count() + 1)
    }
}

/// The candidate that `word` is probably a misspelling of; `None` if none is similar enough.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let distance =
        |candidate: &str| strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase());
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_1() {
        let source = Source { name: "a".to_owned(), text: "Rússia\nç: d".to_owned() };
        for (offset, place) in
            [(0, (1, 1)), (3, (1, 3)), (7, (1, 7)), (8, (2, 1)), (10, (2, 2)), (99, (2, 5))]
        {
            assert_eq!(source.line_and_column(offset), place, "{offset}");
        }
        let marked = Source { name: "a".to_owned(), text: "\u{feff}a: b".to_owned() };
        assert_eq!(marked.line_and_column(6), (1, 4));
    }

    #[test]
    fn a_slip_of_the_finger_finds_what_was_meant_and_a_stranger_finds_nothing() {
        let keys = ["name", "when", "severity"];
        assert_eq!(nearest("wehn", keys), Some("when"));
        assert_eq!(nearest("Severty", keys), Some("severity"));
        assert_eq!(nearest("colour", keys), None);
    }
}
