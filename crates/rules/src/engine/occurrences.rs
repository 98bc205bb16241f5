//! Finds the occurrences of phrases in a story.

use std::ops::Range;

use super::compiled::Engine;
use super::document_index::DocumentIndex;
use super::program::CAPITALS;
use crate::story::{Carrier, Story};
use crate::text::{is_shouted, is_written_so};

/// The words of an occurrence: the number of the first, and of the one after the last.
pub(super) type WordRange = (u32, u32);

/// A phrase in a program.
#[derive(Clone, Copy, Debug)]
struct CompiledPhrase<'c> {
    words: &'c [u32],
    /// The index of its rarest word.
    rarest: usize,
    /// The number of its capitals.
    capitals: Option<u32>,
}

/// The phrases of an operand.
struct CompiledPhrases<'c> {
    code: &'c [u32],
    left: u32,
}

impl<'c> Iterator for CompiledPhrases<'c> {
    type Item = CompiledPhrase<'c>;

    fn next(&mut self) -> Option<CompiledPhrase<'c>> {
        self.left = self.left.checked_sub(1)?;
        let (head, rarest) = (self.code[0], self.code[1]);
        let capitals = (head & CAPITALS != 0).then(|| self.code[2]);
        let start = 2 + usize::from(capitals.is_some());
        let end = start + (head >> 1) as usize;
        let words = &self.code[start..end];
        self.code = &self.code[end..];
        Some(CompiledPhrase { words, rarest: rarest as usize, capitals })
    }
}

/// Calls `found` with the occurrences in `within` of each phrase of the operand at `at`, until it
/// returns true. Returns whether it did.
pub(super) fn any_occurrence(
    (engine, story, carriers): (&Engine, &Story, &[Carrier]),
    document: &mut DocumentIndex,
    at: usize,
    within: &Range<u32>,
    mut found: impl FnMut(WordRange) -> bool,
) -> bool {
    let code = &engine.program.code[at..];
    let mut phrases = CompiledPhrases { code: &code[1..], left: code[0] };
    phrases.any(|phrase| {
        phrase.words.iter().all(|word| document.found_features.contains(*word)) && {
            document.locate_features();
            let document = &*document;
            let length = u32::try_from(phrase.words.len()).unwrap_or(u32::MAX);
            let before = u32::try_from(phrase.rarest).unwrap_or(u32::MAX);
            let places = document.words_with_feature(phrase.words[phrase.rarest], within).iter();
            let starts = places.filter_map(|place| {
                place.checked_sub(before).filter(|start| *start >= within.start)
            });
            let mut whole = starts
                .filter(|start| start.checked_add(length).is_some_and(|end| end <= within.end));
            whole.any(|start| {
                let stands =
                    (start..).zip(phrase.words).enumerate().all(|(number, (word, feature))| {
                        number == phrase.rarest || document.word_has_feature(engine, word, *feature)
                    });
                let end = start + length;
                stands
                    && document.share_paragraph(start, end - 1)
                    && phrase.capitals.is_none_or(|capitals| {
                        let capitals = &engine.program.capitals[capitals as usize];
                        are_written_so(document, story, carriers, start, capitals)
                    })
                    && found((start, end))
            })
        }
    })
}

/// Whether the words from `start` on have the wanted capitals.
fn are_written_so(
    document: &DocumentIndex,
    story: &Story,
    carriers: &[Carrier],
    start: u32,
    capitals: &[Vec<bool>],
) -> bool {
    let Some(text) = document.texts.text_of_word(start).filter(|text| !text.all_caps) else {
        return false;
    };
    let raw = text.text(story, carriers);
    let places = &document.words.places()[start as usize..start as usize + capitals.len()];
    let words = places[0].span().start..places[places.len() - 1].span().end;
    places.iter().zip(capitals).all(|(place, wanted)| is_written_so(&raw[place.span()], wanted))
        && !is_shouted(&raw, &words)
}

/// The size of the largest set of ranges of `found` that do not overlap.
pub(super) fn count_disjoint(found: &mut [WordRange]) -> usize {
    found.sort_unstable_by_key(|(_, end)| *end);
    let mut last = 0;
    let mut count = 0;
    for (start, end) in found {
        if *start >= last {
            last = *end;
            count += 1;
        }
    }
    count
}

/// Whether one of `left` is before one of `right`, with at most `most` words between them. `right`
/// must be sorted.
pub(super) fn any_in_order(
    left: &[WordRange],
    right: &[WordRange],
    most: u32,
    document: &DocumentIndex,
) -> bool {
    left.iter().any(|(start, end)| {
        let next = right.get(right.partition_point(|(right, _)| right < end));
        next.is_some_and(|(next, _)| next - end <= most && document.share_paragraph(*start, *next))
    })
}

/// Whether one of `left` overlaps none of `right`, which must be sorted.
pub(super) fn any_outside(left: &mut [WordRange], right: &[WordRange]) -> bool {
    left.sort_unstable_by_key(|(_, end)| *end);
    // The number of ranges that begin before the end of the current one, and their largest end.
    let (mut seen, mut reached) = (0, 0);
    left.iter().any(|(start, end)| {
        while let Some((_, right)) = right.get(seen).filter(|(right, _)| right < end) {
            reached = reached.max(*right);
            seen += 1;
        }
        reached <= *start
    })
}
