//! Aligns two sentences word by word: which words replace which. Pure.

use std::ops::Range;

use super::numerals::word_for;
use super::spelling::{is_form_of_same, is_same_name, is_slip, is_typo};
use super::vocabulary::is_negation;
use super::word::{CopyWord, CopyWordKind};

/// The most cells of an alignment table. A longer pair of sentences is one hunk.
const MOST_CELLS: usize = 40_000;

/// Words of one sentence that replace words of another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Words of the earlier sentence; may be empty.
    pub(super) was: Range<usize>,
    /// Words of the later sentence; may be empty.
    pub(super) now: Range<usize>,
}

/// The differences of two sentences.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// The hunks in order. In no hunk are both sides empty.
    pub(super) hunks: Vec<Hunk>,
    /// Words in lower case that differ by a typo.
    pub(super) typos: usize,
    /// Words that are equal in both sentences.
    pub(super) same: usize,
}

/// Aligns two sentences. The alignment pairs as many equal words as possible, and prefers names and
/// numbers.
pub(super) fn align(was: &[CopyWord], now: &[CopyWord]) -> Alignment {
    let start = was.iter().zip(now).take_while(|(a, b)| a.text == b.text).count();
    let (rest, other) = (&was[start..], &now[start..]);
    let end =
        rest.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a.text == b.text).count();
    let (rest, other) = (&rest[..rest.len() - end], &other[..other.len() - end]);
    let mut found = Alignment { same: start + end, ..Alignment::default() };
    let mut at = (start, start);
    for (one, two) in matches(rest, other) {
        let (one, two) = (one + start, two + start);
        found.same += 1;
        found.typos += usize::from(is_mistyped(&was[one], &now[two]));
        found.push(at.0..one, at.1..two);
        at = (one + 1, two + 1);
    }
    found.push(at.0..was.len() - end, at.1..now.len() - end);
    found
}

impl Alignment {
    fn push(&mut self, was: Range<usize>, now: Range<usize>) {
        if !was.is_empty() || !now.is_empty() {
            self.hunks.push(Hunk { was, now });
        }
    }
}

/// The positions of the paired words, ascending on both sides.
fn matches(was: &[CopyWord], now: &[CopyWord]) -> Vec<(usize, usize)> {
    let width = now.len() + 1;
    if was.is_empty() || now.is_empty() || (was.len() + 1) * width > MOST_CELLS {
        return Vec::new();
    }
    let mut best = vec![0_u32; (was.len() + 1) * width];
    let mut is_same = vec![false; was.len() * now.len()];
    for one in (0..was.len()).rev() {
        for two in (0..now.len()).rev() {
            let skip = best[(one + 1) * width + two].max(best[one * width + two + 1]);
            let same = is_same_word(&was[one], &now[two]);
            is_same[one * now.len() + two] = same;
            let both = best[(one + 1) * width + two + 1] + word_weight(&was[one]);
            best[one * width + two] = if same { skip.max(both) } else { skip };
        }
    }
    let (mut one, mut two, mut found) = (0, 0, Vec::new());
    while one < was.len() && two < now.len() {
        let here = best[one * width + two];
        let both = best[(one + 1) * width + two + 1] + word_weight(&was[one]);
        if is_same[one * now.len() + two] && here == both {
            found.push((one, two));
            (one, two) = (one + 1, two + 1);
        } else if here == best[(one + 1) * width + two] {
            one += 1;
        } else {
            two += 1;
        }
    }
    found
}

fn word_weight(word: &CopyWord) -> u32 {
    if word.kind == CopyWordKind::Common { 1 } else { 3 }
}

fn is_small(word: &CopyWord) -> bool {
    matches!(word.kind, CopyWordKind::Rare | CopyWordKind::Common)
}

/// Whether two words are equal or spellings of the same word.
pub(super) fn is_same_word(one: &CopyWord, other: &CopyWord) -> bool {
    let (a, b) = (one.text.as_str(), other.text.as_str());
    if a == b {
        return true;
    }
    if is_negation(a) != is_negation(b) {
        return false;
    }
    match (one.kind, other.kind) {
        (CopyWordKind::Number, CopyWordKind::Number) => false,
        (CopyWordKind::Number, _) => is_small(other) && is_mistyped_number(a, b),
        (_, CopyWordKind::Number) => is_small(one) && is_mistyped_number(b, a),
        (CopyWordKind::Name, CopyWordKind::Name) => is_same_name(a, b),
        (CopyWordKind::Name, _) | (_, CopyWordKind::Name) => false,
        _ => is_form_of_same(a, b) || is_typo(a, b),
    }
}

/// Whether two words may differ by a typing error. Names and number words are included.
pub(super) fn may_be_slip(one: &CopyWord, other: &CopyWord) -> bool {
    let (a, b) = (one.text.as_str(), other.text.as_str());
    match (one.kind, other.kind) {
        (CopyWordKind::Number, CopyWordKind::Number) => false,
        (CopyWordKind::Number, _) => is_mistyped_number(a, b),
        (_, CopyWordKind::Number) => is_mistyped_number(b, a),
        _ => is_slip(a, b) && is_negation(a) == is_negation(b),
    }
}

fn is_mistyped_number(number: &str, word: &str) -> bool {
    word_for(number).unwrap_or(number) != word && is_slip(word_for(number).unwrap_or(number), word)
}

fn is_mistyped(one: &CopyWord, other: &CopyWord) -> bool {
    let (a, b) = (one.text.as_str(), other.text.as_str());
    a != b && is_small(one) && is_small(other) && !is_form_of_same(a, b)
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    fn shown(one: &str, other: &str) -> Vec<String> {
        let (was, now) = (words(one), words(other));
        let text = |words: &[CopyWord]| {
            words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
        };
        align(&was, &now)
            .hunks
            .iter()
            .map(|hunk| {
                format!("{} > {}", text(&was[hunk.was.clone()]), text(&now[hunk.now.clone()]))
            })
            .collect()
    }

    #[test]
    fn words_stand_in_the_places_of_others() {
        for (one, other, hunks) in [
            ("It rained in Leeds.", "It rained in Leeds.", vec![]),
            ("It rained in Leeds.", "It rained in Hull.", vec!["leeds > hull"]),
            ("It rained in Leeds.", "It rained hard in Leeds.", vec![" > hard"]),
            ("The colour of labour", "The color of labor", vec![]),
            ("Leeds 3-1 Hull", "Leeds 1-3 Hull", vec!["3 > ", " > 3"]),
            ("twelve men of Leeds", "12 men of Hull", vec!["leeds > hull"]),
        ] {
            assert_eq!(shown(one, other), hunks, "{one} {other}");
        }
    }
}
