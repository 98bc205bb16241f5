//! Warns of names in scripts without spaces that are a part of other common words: 印度 (India) of
//! 印度尼西亚 (Indonesia).

use super::warning::{TermWarning, shown};
use crate::language::term::Term;
use crate::text::tokenise;

/// Each line is a word and the longer words that hold it.
const TABLE: &str = include_str!("longer_words.txt");

/// The warning about a term that is one of the words of the table.
pub(super) fn part_of_longer(term: &Term) -> Option<TermWarning> {
    if term.text.is_ascii() || term.literal || term.text.starts_with('=') {
        return None;
    }
    let folded: String = tokenise(&term.text).into_iter().map(|token| token.word).collect();
    let mut lines = TABLE.lines().map(str::split_whitespace);
    let longer = lines.find_map(|mut words| (words.next()? == folded).then_some(words))?;
    let longer: Vec<&str> = longer.collect();
    let message = format!("{} is also a part of {}", shown(term), longer.join(", "));
    let help =
        format!("if they are not meant, write {} EXCEPT ({})", term.text, longer.join(" OR "));
    Some((message, help))
}
