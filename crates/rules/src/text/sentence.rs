//! Finds the sentences of a text, and the sentence around a word.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::runs;

mod ends;
mod mask;
mod table;

/// The most bytes of a sentence before and after the span. They bound the cost of a text without
/// full stops.
const REACH: usize = 2048;

/// The sentences of `text`, in order. The time is linear in its length. Sentences are disjoint, on
/// character boundaries, without surrounding white space, and never across a blank line. Every
/// token of [`tokenise`](super::tokenise) is in exactly one.
///
/// They are the sentences of Unicode annex 29 with two corrections. A single line break is only
/// white space. No sentence ends at the full stop of an abbreviation, of an initial or of dotted
/// letters, unless the next word begins a sentence.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs(text) {
        split(text, paragraph, &mut found);
    }
    found
}

/// The sentence of `text` around `span`, as a byte range on character boundaries, without
/// surrounding white space. It is one of [`sentences`]. If `span` is in several sentences, it
/// contains all of them. It reaches at most 2048 bytes before and after `span`. `span` must be in
/// `text`, on character boundaries.
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
