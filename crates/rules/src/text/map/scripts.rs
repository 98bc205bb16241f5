//! Finds runs of Hangul and Devanagari that are plain: letters that fold to themselves, and signs,
//! whose neighbours change nothing. Finds runs of Han, which are not.

use crate::text::words::scripts::{NUKTA, code_of, is_devanagari, is_hangul, takes_nukta};

/// What a plain run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainKind {
    Letters,
    Sign,
    /// Each of its characters is a word. The map knows no border between them.
    Separate,
}

/// The most bytes of a run. A longer one is several.
const LONGEST: usize = 60;

/// The plain run that begins with the character of three bytes at byte `at`, and its number of
/// bytes.
#[inline]
pub(super) fn plain(text: &[u8], at: usize) -> Option<(PlainKind, usize)> {
    match text[at] {
        0xea..=0xed => plain_hangul(text, at),
        0xe0 if matches!(text.get(at + 1), Some(0xa4 | 0xa5)) => plain_devanagari(text, at),
        0xe4..=0xe9 => {
            let is_of_run = |at: usize| matches!(text.get(at), Some(0xe4..=0xe9));
            Some((PlainKind::Separate, end_of(at, is_of_run) - at))
        }
        _ => None,
    }
}

/// Hangul syllables beside spaces or ASCII signs. A single one beside a full stop may be an
/// initial.
fn plain_hangul(text: &[u8], at: usize) -> Option<(PlainKind, usize)> {
    let is_of_run = |at: usize| character(text, at).is_some_and(is_hangul);
    let end = end_of(at, is_of_run);
    let (before, after) = (at.checked_sub(3).is_some_and(is_of_run), is_of_run(end));
    let is_single = end == at + 3 && !before && !after;
    let is_plain = end > at
        && (before || is_edge(text, at.checked_sub(1), is_single))
        && (after || is_edge(text, Some(end), is_single));
    is_plain.then_some((PlainKind::Letters, end - at))
}

/// Letters and marks of Devanagari, or a danda, beside one another, spaces or ASCII signs. A letter
/// beside a full stop may be an initial.
fn plain_devanagari(text: &[u8], at: usize) -> Option<(PlainKind, usize)> {
    let mut before = at.checked_sub(3).and_then(|at| character(text, at));
    let begins_well = before.is_some_and(|c| is_devanagari(c) || is_danda(c))
        || is_edge(text, at.checked_sub(1), true);
    let first = character(text, at).filter(|_| begins_well)?;
    if is_danda(first) {
        let after = character(text, at + 3).filter(|c| is_devanagari(*c) || is_danda(*c));
        let ends_well = after.map_or(is_edge(text, Some(at + 3), true), is_letter);
        return ends_well.then_some((PlainKind::Sign, 3));
    }
    let end = end_of(at, |at| {
        let c = character(text, at).filter(|c| is_devanagari(*c));
        let is_sound = c.is_some_and(|c| match c {
            NUKTA => before.is_some_and(takes_nukta),
            _ => is_letter(c) || before.is_some_and(is_devanagari),
        });
        before = c;
        is_sound
    });
    let after = character(text, end).filter(|c| is_devanagari(*c) || is_danda(*c));
    let ends_well = match after {
        Some(NUKTA) => before.is_some_and(takes_nukta),
        Some(_) => true,
        None => is_edge(text, Some(end), true),
    };
    (end > at && ends_well).then_some((PlainKind::Letters, end - at))
}

/// The end of the run from byte `at` on.
fn end_of(at: usize, mut is_of_run: impl FnMut(usize) -> bool) -> usize {
    let mut end = at;
    while end - at < LONGEST && is_of_run(end) {
        end += 3;
    }
    end
}

/// Whether the byte at `at` is an end of the text, a space or an ASCII sign. A full stop is none if
/// it may be that of an initial.
fn is_edge(text: &[u8], at: Option<usize>, may_be_initial: bool) -> bool {
    at.and_then(|at| text.get(at)).is_none_or(|byte| {
        byte.is_ascii() && !byte.is_ascii_alphanumeric() && !(may_be_initial && *byte == b'.')
    })
}

fn is_danda(c: char) -> bool {
    matches!(c, '।' | '॥')
}

fn is_letter(c: char) -> bool {
    matches!(c, '\u{904}'..='\u{939}')
}

/// The character of three bytes at byte `at`.
#[inline]
fn character(text: &[u8], at: usize) -> Option<char> {
    match text.get(at..at + 3)? {
        [lead @ 0xe0..=0xef, middle, last] => char::from_u32(code_of([*lead, *middle, *last])),
        _ => None,
    }
}
