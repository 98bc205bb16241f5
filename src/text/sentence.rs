//! Finds the sentence that shows a word to a reader.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::runs;

/// How far from the span a sentence is looked for, in bytes: no reader wants more, and a text without full stops costs no more.
const REACH: usize = 2048;

/// The sentence of `text` that holds `span`: a byte range on character boundaries, without surrounding white space.
/// Sentences as Unicode annex 29 has them, and never across a blank line. `span` must lie in `text` on character
/// boundaries; where it reaches over several sentences, the answer holds them all. Ends 2 kB from `span` at the latest.
#[must_use]
pub fn sentence_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let near = text.ceil_char_boundary(span.start.saturating_sub(REACH))
        ..text.floor_char_boundary(span.end.saturating_add(REACH));
    let paragraph = paragraph_around(text, near, span);
    let mut found = span.clone();
    for (offset, sentence) in text[paragraph.clone()].split_sentence_bound_indices() {
        let start = paragraph.start + offset;
        let end = start + sentence.len();
        if start <= span.start {
            found.start = start;
        }
        if end >= span.end {
            found.end = end;
            break;
        }
    }
    trimmed(text, found)
}

/// The part of `near` around `span` without a blank line.
fn paragraph_around(text: &str, near: Range<usize>, span: &Range<usize>) -> Range<usize> {
    let mut paragraph = near.clone();
    let mut last_end = near.start;
    for run in runs::runs(&text[near.clone()]) {
        let (start, end) = (near.start + run.span.start, near.start + run.span.end);
        if run.after_blank_line && start <= span.start {
            paragraph.start = start;
        } else if run.after_blank_line && start >= span.end {
            paragraph.end = last_end.max(span.end);
            break;
        }
        last_end = end;
    }
    paragraph
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let sentence = text[range.clone()].trim_end();
    let start = range.start + sentence.len() - sentence.trim_start().len();
    start..start.max(range.start + sentence.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::{REACH, sentence_around};

    #[test]
    fn a_word_is_shown_in_its_sentence() {
        let cases = [
            ("One two. Three arms four! Five.", "arms", "Three arms four!"),
            ("arms", "arms", "arms"),
            ("  arms  ", "arms", "arms"),
            ("A headline\n\nThe arms deal", "arms", "The arms deal"),
            ("The arms deal\n\nnot this", "arms", "The arms deal"),
            ("In the U.S. arms are sold. Yes.", "arms", "In the U.S. arms are sold."),
            ("He asked: “Arms?” Nobody said so.", "Arms", "He asked: “Arms?”"),
            ("武器を売った。次の日。", "売", "武器を売った。"),
            ("One. Two North\nKorea three. Four", "North\nKorea", "Two North\nKorea three."),
            ("One. Two", "One. Two", "One. Two"),
        ];
        for (text, word, expected) in cases {
            let start = text.find(word).expect("the case holds its word");
            assert_eq!(&text[sentence_around(text, &(start..start + word.len()))], expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_without_full_stops_is_looked_at_only_nearby() {
        let text = "é ".repeat(1_000_000);
        let found = sentence_around(&text, &(1_500_000..1_500_002));
        assert!(found.len() <= 2 * REACH + 2 && found.contains(&1_500_000));
    }

    proptest! {
        #[test]
        fn the_sentence_holds_the_span(text in "(\\PC|[ .!\\n]){0,60}", ends in any::<[Index; 2]>()) {
            let mut ends = ends.map(|end| text.floor_char_boundary(end.index(text.len() + 1)));
            ends.sort_unstable();
            let span = ends[0]..ends[1];
            let found = sentence_around(&text, &span);
            let shown = &text[found.clone()];
            prop_assert_eq!(shown, shown.trim());
            let words = text[span.clone()].trim();
            prop_assert!(words.is_empty() || shown.contains(words));
        }
    }
}
