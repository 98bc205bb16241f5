//! Finds the sentences of a text, and the one that shows a word to a reader.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::runs;

mod ends;
mod mask;
mod table;

/// How far from the span a sentence may reach, in bytes: a text without full stops costs no more.
const REACH: usize = 2048;

/// The sentences of `text`, in order, in time linear in its length: disjoint, on character
/// boundaries, without surrounding white space, never across a blank line. Every token of
/// [`tokenise`](super::tokenise) lies in exactly one.
///
/// Sentences as Unicode annex 29 has them, but a lone line break is only white space, and none ends
/// at the full stop of an abbreviation, of an initial or of dotted letters, unless what follows
/// begins a sentence.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs(text) {
        split(text, paragraph, &mut found);
    }
    found
}

/// The sentence of `text` that holds `span`: a byte range on character boundaries, without
/// surrounding white space. One of those that `sentences` has; where `span`, which must lie in
/// `text` on character boundaries, reaches over several, the answer holds them all. Ends 2 kB from
/// `span` at the latest.
#[must_use]
pub fn sentence_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let near = text.ceil_char_boundary(span.start.saturating_sub(REACH))
        ..text.floor_char_boundary(span.end.saturating_add(REACH));
    let mut found = span.clone();
    for sentence in sentences(&text[near.clone()]) {
        if near.start + sentence.start <= span.start {
            found.start = near.start + sentence.start;
        }
        if near.start + sentence.end >= span.end {
            found.end = near.start + sentence.end;
            break;
        }
    }
    trimmed(text, found)
}

/// The paragraphs of `text`, each from its first word to its last.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut paragraphs: Vec<Range<usize>> = Vec::new();
    for run in runs::runs(text) {
        match paragraphs.last_mut() {
            Some(last) if !run.after_blank_line => last.end = run.span.end,
            _ => paragraphs.push(run.span),
        }
    }
    paragraphs
}

fn split(text: &str, paragraph: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut start = paragraph.start;
    for (at, piece) in mask::mask(&text[paragraph.clone()]).split_sentence_bound_indices() {
        let end = paragraph.start + at + piece.len();
        if end < paragraph.end && ends::continues(&text[start..end], &text[end..paragraph.end]) {
            continue;
        }
        let sentence = trimmed(text, start..end);
        if !sentence.is_empty() {
            found.push(sentence);
        }
        start = end;
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let sentence = text[range.clone()].trim_end();
    let start = range.start + sentence.len() - sentence.trim_start().len();
    start..start.max(range.start + sentence.len())
}

#[cfg(test)]
mod tests;
