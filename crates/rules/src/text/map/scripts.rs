//! Finds plain runs of characters of three bytes: Han, kana, Thai, Hangul, Devanagari, and the
//! signs between them. Nothing beside a plain run changes its words.

use crate::text::fold::simplified_forms;
use crate::text::three_bytes::character;
use crate::text::words::scripts::{
    NUKTA, ThaiCharacter, is_alone, is_devanagari, is_hangul, is_katakana, is_wide_sign,
    takes_nukta, thai_character,
};

/// What a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainKind {
    /// It is not plain.
    Odd,
    Sign,
    /// Parts of words or whole words.
    Letters,
}

/// Characters of one kind, at most [`LONGEST`] bytes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlainRun {
    pub(super) kind: PlainKind,
    width: u8,
    /// Whether its characters are words of their own.
    is_separate: bool,
    /// The bytes before which a word ends, from the first byte of the run to the byte after its
    /// last.
    pub(super) borders: u64,
}

impl PlainRun {
    /// A sign, which may be plain.
    pub(super) fn sign(width: usize, is_plain: bool) -> Self {
        let kind = if is_plain { PlainKind::Sign } else { PlainKind::Odd };
        Self { kind, ..Self::letters(width, 0) }
    }

    /// Letters of words that may go on beside it, but for the borders.
    fn letters(width: usize, borders: u64) -> Self {
        let width = u8::try_from(width).unwrap_or_default();
        Self { kind: PlainKind::Letters, width, is_separate: false, borders }
    }

    /// Characters that are words of their own, with a bit for the first byte of each.
    fn separate(width: usize, starts: u64) -> Self {
        Self { is_separate: true, ..Self::letters(width, starts | 1 << width) }
    }

    /// A bit for each of its bytes.
    #[inline]
    pub(super) fn bytes(&self) -> u64 {
        (1 << self.width) - 1
    }

    /// The bytes between two characters that are words of their own.
    #[inline]
    pub(super) fn cuts(&self) -> u64 {
        if self.is_separate { self.borders & self.bytes() & !1 } else { 0 }
    }
}

/// The most bytes of a run. A longer one is several.
const LONGEST: usize = 60;

/// The plain run that begins with the character of three bytes at byte `at`. Folds it in `folded`,
/// which is a copy of `text`.
#[inline]
pub(super) fn plain(text: &[u8], at: usize, folded: &mut [u8]) -> Option<PlainRun> {
    match (text[at], text.get(at + 1)?) {
        (0xe4, 0xb8..) | (0xe5..=0xe9, _) => plain_alone(text, at, folded),
        (0xe0, 0xb8 | 0xb9) => plain_thai(text, at),
        (0xea..=0xed, _) => plain_hangul(text, at),
        (0xe0, 0xa4 | 0xa5) => plain_devanagari(text, at),
        (0xe3, 0x80..=0x83) | (0xef, 0xbc | 0xbd) => plain_wide_sign(text, at)
            .or_else(|| plain_katakana(text, at))
            .or_else(|| plain_alone(text, at, folded)),
        _ => None,
    }
}

/// Han and hiragana, of which each is a word. Han is folded to its simplified form.
fn plain_alone(text: &[u8], at: usize, folded: &mut [u8]) -> Option<PlainRun> {
    let forms = simplified_forms();
    let end = text.len().min(at + LONGEST);
    let (characters, copies) = (text[at..end].as_chunks().0, folded[at..end].as_chunks_mut().0);
    let mut count = 0;
    for (character, copy) in characters.iter().zip(copies) {
        if let Some(form) = forms.of(*character) {
            *copy = form;
        } else if !is_kana_alone(text, at + 3 * count, count == 0) {
            break;
        }
        count += 1;
    }
    let width = 3 * count;
    (count > 0).then(|| PlainRun::separate(width, EVERY_THIRD & ((1 << width) - 1)))
}

/// Whether the character at byte `at` is hiragana, or repeats a word of one character before it in
/// its run.
#[inline(never)]
fn is_kana_alone(text: &[u8], at: usize, is_first: bool) -> bool {
    character(text, at).is_some_and(is_alone) || !is_first && is_lone_repetition(text, at)
}

/// Whether the character at byte `at`, which a word of one character precedes, repeats that one and
/// is a word of its own. It would be one word with a letter behind it.
fn is_lone_repetition(text: &[u8], at: usize) -> bool {
    let is_border = |c: char| is_alone(c) || matches!(c, '、' | '。' | '〈'..='】');
    character(text, at) == Some('々')
        && at.checked_sub(3).is_none_or(|before| character(text, before) != Some('々'))
        && character(text, at + 3).is_some_and(is_border)
}

/// A bit for the first of each three bytes.
const EVERY_THIRD: u64 = 0x9249_2492_4924_9249;

/// Thai characters, of which each is a word with its marks. It has no branch for the kind of a
/// character, because no processor can predict it.
fn plain_thai(text: &[u8], at: usize) -> Option<PlainRun> {
    let end = text.len().min(at + LONGEST);
    let (mut width, mut starts, mut odd, mut before) = (0, 0_u64, 0_u64, ThaiCharacter::Odd);
    for character in text[at..end].as_chunks().0 {
        let Some(kind) = thai_character(*character).filter(|kind| *kind != ThaiCharacter::Odd)
        else {
            break;
        };
        starts |= u64::from(kind == ThaiCharacter::Letter) << width;
        let is_moved = kind == ThaiCharacter::Below && before != ThaiCharacter::Letter;
        odd |= u64::from(is_moved) << width;
        (width, before) = (width + 3, kind);
    }
    // The last one may have more marks behind the run.
    odd |= u64::from(width == LONGEST) << (LONGEST - 1);
    if odd != 0 {
        starts &= (1 << odd.trailing_zeros()) - 1;
        width = starts.checked_ilog2()? as usize;
        starts ^= 1 << width;
    }
    (starts & 1 != 0).then(|| PlainRun::separate(width, starts))
}

/// Katakana, which are one word.
fn plain_katakana(text: &[u8], at: usize) -> Option<PlainRun> {
    let is_of_run = |at: usize| character(text, at).is_some_and(is_katakana);
    let width = end_of(at, is_of_run) - at;
    let begins = at.checked_sub(3).is_none_or(|before| !is_of_run(before));
    let ends = !is_of_run(at + width);
    let borders = u64::from(begins) | u64::from(ends) << width;
    (width > 0).then(|| PlainRun::letters(width, borders))
}

/// A sign of East Asian scripts. A comma between digits is none.
fn plain_wide_sign(text: &[u8], at: usize) -> Option<PlainRun> {
    let sign = character(text, at).filter(|c| is_wide_sign(*c))?;
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    let joins = sign == '，' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 3));
    (!joins).then(|| PlainRun::sign(3, true))
}

/// Hangul syllables beside spaces or ASCII signs. A single one beside a full stop may be an
/// initial.
fn plain_hangul(text: &[u8], at: usize) -> Option<PlainRun> {
    let is_of_run = |at: usize| character(text, at).is_some_and(is_hangul);
    let end = end_of(at, is_of_run);
    let (before, after) = (at.checked_sub(3).is_some_and(is_of_run), is_of_run(end));
    let is_single = end == at + 3 && !before && !after;
    let is_plain = end > at
        && (before || is_edge(text, at.checked_sub(1), is_single))
        && (after || is_edge(text, Some(end), is_single));
    is_plain.then(|| PlainRun::letters(end - at, 0))
}

/// Letters and marks of Devanagari, or a danda, beside one another, spaces or ASCII signs. A letter
/// beside a full stop may be an initial.
fn plain_devanagari(text: &[u8], at: usize) -> Option<PlainRun> {
    let mut before = at.checked_sub(3).and_then(|at| character(text, at));
    let begins_well = before.is_some_and(|c| is_devanagari(c) || is_danda(c))
        || is_edge(text, at.checked_sub(1), true);
    let first = character(text, at).filter(|_| begins_well)?;
    if is_danda(first) {
        let after = character(text, at + 3).filter(|c| is_devanagari(*c) || is_danda(*c));
        let ends_well = after.map_or(is_edge(text, Some(at + 3), true), is_letter);
        return ends_well.then(|| PlainRun::sign(3, true));
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
    (end > at && ends_well).then(|| PlainRun::letters(end - at, 0))
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
