//! Finds the words of scripts with other rules than Latin: Han, kana, Hangul, Thai, Arabic, Hebrew
//! and Devanagari. What is unusual is left to the slow scan.

use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use super::{PendingRun, Words};
use crate::text::fold::{fold, is_between_arabic};
use crate::text::letters::is_hebrew;
use crate::text::runs::shows_nothing;
use crate::text::three_bytes::code_of;

/// What a character is in its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScriptKind {
    /// A word of its own: hiragana, and Han, which the map folds in the copy.
    Alone,
    /// A run is one word.
    Katakana,
    /// A run is one word.
    Hangul,
    /// A character with its marks is one word.
    Thai,
    /// Letters that are folded, and marks that are dropped.
    Arabic,
    /// Letters, and marks that are dropped.
    Hebrew,
    /// Letters and marks.
    Devanagari,
    /// It separates words.
    Sign,
}

/// What an Arabic character is in a folded word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ArabicCharacter {
    /// A letter, folded, in UTF-8.
    Letter([u8; 2]),
    /// A mark on the letter before it, which is dropped.
    Mark,
    /// The tatweel, which is dropped.
    Tatweel,
    /// The slow scan must read it.
    Odd,
}

/// The first character of [`ARABIC`].
const FIRST_ARABIC: u32 = 0x620;

/// The characters U+0620 to U+06FF.
static ARABIC: LazyLock<[ArabicCharacter; 0xe0]> = LazyLock::new(|| {
    let mut table = [ArabicCharacter::Odd; 0xe0];
    for (code, entry) in (FIRST_ARABIC..).zip(&mut table) {
        let Some(c) = char::from_u32(code) else { continue };
        let folded = fold(&format!("ب{c}")).text;
        let mut behind = folded.chars().skip(1);
        *entry = match (behind.next(), behind.next()) {
            (None, None) if c == 'ـ' => ArabicCharacter::Tatweel,
            (None, None) if is_combining_mark(c) => ArabicCharacter::Mark,
            (Some(letter), None) if c.is_alphabetic() && !is_combining_mark(c) => {
                let letter = letter.encode_utf8(&mut [0; 4]).as_bytes().try_into();
                letter.map_or(ArabicCharacter::Odd, ArabicCharacter::Letter)
            }
            _ => ArabicCharacter::Odd,
        };
    }
    table
});

impl Words {
    /// Adds the words from byte `at` of the run on that are of these scripts, and skips signs of
    /// them. Returns the end of the last. `None`: there is none, or the slow scan must read the
    /// run.
    pub(super) fn script_words(&mut self, run: PendingRun<'_>, at: usize) -> Option<usize> {
        let mut place = ScriptPlace::at(run.text, at);
        place.kind?;
        while let Some(kind) = place.kind {
            place = self.script_word(run, place.at, kind)?;
        }
        Some(place.at)
    }

    /// Adds the word of this kind at byte `at`, or skips the sign. Returns what stands behind it.
    fn script_word(
        &mut self,
        run: PendingRun<'_>,
        at: usize,
        kind: ScriptKind,
    ) -> Option<ScriptPlace> {
        let text = run.text;
        match kind {
            ScriptKind::Sign => {
                let sign = character_at(text, at)?;
                let end = at + sign.len_utf8();
                is_plain_sign(text, at, sign).then(|| ScriptPlace::at(text, end))
            }
            ScriptKind::Alone => self.push_run(run, at, at + 3),
            ScriptKind::Thai => self.push_thai(run, at),
            ScriptKind::Katakana => self.push_run(run, at, end_of(text, at, is_katakana)),
            ScriptKind::Hangul => {
                let end = end_of(text, at, is_hangul);
                let is_joined = character_at(text, end).is_some_and(is_jamo);
                (!is_joined && !is_initial(text, at, end)).then(|| self.push_run(run, at, end))?
            }
            ScriptKind::Devanagari => {
                let end = devanagari_end(text, at)?;
                stands_alone(text, at, end).then(|| self.push_run(run, at, end))?
            }
            ScriptKind::Arabic => Some(ScriptPlace::at(text, self.push_arabic(run, at)?)),
            ScriptKind::Hebrew => Some(ScriptPlace::at(text, self.push_hebrew(run, at)?)),
        }
    }

    /// Adds the word at the bytes `from..to`, which is folded in the copy. A mark behind it makes
    /// it unusual.
    fn push_run(&mut self, run: PendingRun<'_>, from: usize, to: usize) -> Option<ScriptPlace> {
        let behind = ScriptPlace::at(run.text, to);
        if behind.is_mark() {
            return None;
        }
        self.push_place(run.copy + from, to - from, from..to);
        Some(behind)
    }

    /// Adds the Thai characters from byte `at` on, each with its marks as a word. `None` if
    /// normalisation moves a mark.
    fn push_thai(&mut self, run: PendingRun<'_>, at: usize) -> Option<ScriptPlace> {
        let bytes = run.text.as_bytes();
        let mut at = at;
        while thai(bytes, at) == Some(ThaiCharacter::Letter) {
            let end = thai_end(bytes, at)?;
            self.push_place(run.copy + at, end - at, at..end);
            at = end;
        }
        let behind = ScriptPlace::at(run.text, at);
        (!behind.is_mark()).then_some(behind)
    }

    fn push_arabic(&mut self, run: PendingRun<'_>, from: usize) -> Option<usize> {
        let table = &*ARABIC;
        let bytes = run.text.as_bytes();
        let start = self.folded.len();
        let (mut at, mut to, mut on_letter) = (from, from, false);
        while let Some([lead @ 0xd8..=0xdb, last]) = bytes.get(at..at + 2) {
            let code = u32::from(lead & 0x1f) << 6 | u32::from(last & 0x3f);
            match table.get(code.wrapping_sub(FIRST_ARABIC) as usize) {
                Some(ArabicCharacter::Letter(letter)) => {
                    self.folded.extend_from_slice(letter);
                    (to, on_letter) = (at + 2, true);
                }
                Some(ArabicCharacter::Mark) if on_letter => to = at + 2,
                Some(ArabicCharacter::Mark) => {}
                Some(ArabicCharacter::Tatweel) => on_letter = false,
                Some(ArabicCharacter::Odd) | None => break,
            }
            at += 2;
        }
        let joins = run.text[at..].starts_with(ZERO_WIDTH_NON_JOINER)
            && is_between_arabic(&run.text[..at], &run.text[at + 3..]);
        if to == from || !(joins || stands_alone(run.text, from, at)) {
            return None;
        }
        self.push_place(start, self.folded.len() - start, from..to);
        Some(at)
    }

    fn push_hebrew(&mut self, run: PendingRun<'_>, from: usize) -> Option<usize> {
        let start = self.folded.len();
        let mut at = from;
        for c in run.text[from..].chars() {
            if is_hebrew(c) {
                self.folded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else if !is_hebrew_mark(c) {
                break;
            }
            at += c.len_utf8();
        }
        let (before, after) = (run.text[..from].chars().next_back(), run.text[at..].chars().next());
        let has_sign = [before, after].into_iter().flatten().any(is_hebrew_sign);
        if has_sign || !stands_alone(run.text, from, at) {
            return None;
        }
        self.push_place(start, self.folded.len() - start, from..at);
        Some(at)
    }
}

/// A place in a text, and what stands there.
#[derive(Clone, Copy)]
struct ScriptPlace {
    at: usize,
    c: Option<char>,
    /// What the character is; `None` if it is of none of these scripts.
    kind: Option<ScriptKind>,
}

impl ScriptPlace {
    #[inline]
    fn at(text: &str, at: usize) -> Self {
        let c = character_at(text, at);
        Self { at, c, kind: c.filter(|c| !c.is_ascii()).and_then(kind) }
    }

    /// Whether the character is a mark on the one before it, or invisible.
    #[inline]
    fn is_mark(&self) -> bool {
        let other = self.c.filter(|c| self.kind.is_none() && !c.is_ascii());
        other.is_some_and(|c| is_combining_mark(c) || shows_nothing(c))
            || self.c == Some(ZERO_WIDTH_NON_JOINER)
    }
}

/// It separates the parts of Persian words.
const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';

fn kind(c: char) -> Option<ScriptKind> {
    Some(match c {
        _ if is_alone(c) => ScriptKind::Alone,
        _ if is_katakana(c) => ScriptKind::Katakana,
        _ if is_hangul(c) => ScriptKind::Hangul,
        '\u{e00}'..='\u{e7f}' if THAI[c as usize & 0x7f] == ThaiCharacter::Letter => {
            ScriptKind::Thai
        }
        '،' | '؛' | '؟' | '۔' | '।' | '॥' => ScriptKind::Sign,
        _ if matches!(arabic(c), ArabicCharacter::Letter(_)) => ScriptKind::Arabic,
        _ if is_hebrew(c) => ScriptKind::Hebrew,
        _ if is_devanagari(c) && !is_combining_mark(c) => ScriptKind::Devanagari,
        ZERO_WIDTH_NON_JOINER => ScriptKind::Sign,
        _ if is_wide_sign(c) => ScriptKind::Sign,
        _ => return None,
    })
}

/// The character at byte `at`, which must be the first of one.
#[inline]
fn character_at(text: &str, at: usize) -> Option<char> {
    let low = |byte: &u8| u32::from(byte & 0x3f);
    match text.as_bytes().get(at..)? {
        [byte @ ..0x80, ..] => Some(char::from(*byte)),
        [lead @ 0xe0..=0xef, middle, last, ..] => char::from_u32(code_of([*lead, *middle, *last])),
        [lead @ 0xc0..=0xdf, last, ..] => char::from_u32(u32::from(lead & 0x1f) << 6 | low(last)),
        _ => text[at..].chars().next(),
    }
}

/// The end of the characters from byte `at` on that are of a word. Each has three bytes.
fn end_of(text: &str, at: usize, is_of_word: fn(char) -> bool) -> usize {
    let mut end = at;
    while character_at(text, end).is_some_and(is_of_word) {
        end += 3;
    }
    end
}

/// The end of the word in Devanagari at byte `at`; `None` if normalisation changes it.
fn devanagari_end(text: &str, at: usize) -> Option<usize> {
    let (mut end, mut before) = (at, '\0');
    while let Some(c) = character_at(text, end).filter(|c| is_devanagari(*c)) {
        if c == NUKTA && !takes_nukta(before) {
            return None;
        }
        (end, before) = (end + 3, c);
    }
    Some(end)
}

/// The dot below letters.
pub(in crate::text) const NUKTA: char = '\u{93c}';

/// Whether `c` is a letter that is not composed with a dot below it.
pub(in crate::text) fn takes_nukta(c: char) -> bool {
    matches!(c, '\u{904}'..='\u{939}') && !matches!(c, '\u{928}' | '\u{930}' | '\u{933}')
}

/// Whether the sign at byte `at` separates words, whatever is beside it.
fn is_plain_sign(text: &str, at: usize, sign: char) -> bool {
    let (before, after) = (&text[..at], &text[at + sign.len_utf8()..]);
    match sign {
        '，' => !before.ends_with(char::is_numeric) || !after.starts_with(char::is_numeric),
        ZERO_WIDTH_NON_JOINER => is_between_arabic(before, after),
        _ => !after.starts_with(|c| is_combining_mark(c) || shows_nothing(c)),
    }
}

/// Whether the word at the bytes `from..to` has no letter, digit or mark beside it, and is no
/// initial.
fn stands_alone(text: &str, from: usize, to: usize) -> bool {
    let bytes = text.as_bytes();
    let is_blank = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b' ');
    if is_blank(bytes[..from].last()) && is_blank(bytes.get(to)) {
        return true;
    }
    let joins = |c: char| c.is_alphanumeric() || is_combining_mark(c) || shows_nothing(c);
    !text[..from].ends_with(joins) && !text[to..].starts_with(joins) && !is_initial(text, from, to)
}

/// Whether the word at the bytes `from..to` is a single letter with a full stop beside it.
fn is_initial(text: &str, from: usize, to: usize) -> bool {
    let letters = text[from..to].chars().filter(|c| !is_combining_mark(*c)).count();
    letters < 2 && (text[..from].ends_with('.') || text[to..].starts_with('.'))
}

fn arabic(c: char) -> ArabicCharacter {
    let entry = u32::from(c).checked_sub(FIRST_ARABIC).and_then(|at| ARABIC.get(at as usize));
    entry.copied().unwrap_or(ArabicCharacter::Odd)
}

pub(in crate::text) fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー')
}

/// Whether `c` is a word of its own: Han and hiragana.
pub(in crate::text) fn is_alone(c: char) -> bool {
    matches!(c, '一'..='\u{9fff}' | 'ぁ'..='ゖ')
}

/// Whether `c` is a sign of East Asian scripts that separates words. A comma between digits does
/// not.
pub(in crate::text) fn is_wide_sign(c: char) -> bool {
    matches!(c, '、'..='〃' | '〈'..='】' | '〔'..='〟' | '・'
        | '！' | '％' | '（' | '）' | '，' | '－' | '／' | '：' | '；' | '？' | '～')
}

pub(in crate::text) fn is_hangul(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether `c` is a letter that may be composed with a Hangul syllable.
fn is_jamo(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}')
}

/// What a Thai character is in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::text) enum ThaiCharacter {
    /// A letter or vowel.
    Letter,
    /// A mark.
    Mark,
    /// A mark that normalisation moves before others.
    Below,
    /// No part of a word, or `nikhahit`, which may be a part of the vowel am.
    Odd,
}

/// The characters from U+0E00 on.
const THAI: [ThaiCharacter; 0x80] = {
    let mut table = [ThaiCharacter::Odd; 0x80];
    let mut at = 0;
    while at < table.len() {
        table[at] = match at {
            0x01..=0x30 | 0x32..=0x33 | 0x40..=0x46 => ThaiCharacter::Letter,
            0x38..=0x3a => ThaiCharacter::Below,
            0x31 | 0x34..=0x37 | 0x47..=0x4c | 0x4e => ThaiCharacter::Mark,
            _ => ThaiCharacter::Odd,
        };
        at += 1;
    }
    table
};

/// What the Thai character with these bytes is; `None` if it is of another script.
#[inline]
pub(in crate::text) fn thai_character(bytes: [u8; 3]) -> Option<ThaiCharacter> {
    match bytes {
        [0xe0, middle @ (0xb8 | 0xb9), last] => {
            Some(THAI[usize::from(middle & 1) << 6 | usize::from(last & 0x3f)])
        }
        _ => None,
    }
}

/// What the character at byte `at` is, if it is Thai.
fn thai(text: &[u8], at: usize) -> Option<ThaiCharacter> {
    text.get(at..)?.first_chunk().copied().and_then(thai_character)
}

/// The end of the Thai letter at byte `at` with its marks. `None` if normalisation moves a mark.
fn thai_end(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 3;
    loop {
        match thai(text, end) {
            Some(ThaiCharacter::Below) if end > at + 3 => return None,
            Some(ThaiCharacter::Below | ThaiCharacter::Mark) => end += 3,
            _ => return Some(end),
        }
    }
}

/// Whether `c` is a letter or mark that normalisation does not change.
pub(in crate::text) fn is_devanagari(c: char) -> bool {
    matches!(c,
        '\u{900}'..='\u{928}' | '\u{92a}'..='\u{930}' | '\u{932}' | '\u{933}' | '\u{935}'..='\u{939}'
        | NUKTA | '\u{93e}'..='\u{94d}')
}

fn is_hebrew_mark(c: char) -> bool {
    matches!(
        c,
        '\u{591}'
            ..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
    )
}

/// Whether `c` may be a sign within a Hebrew word.
fn is_hebrew_sign(c: char) -> bool {
    matches!(c, '"' | '\'' | '״' | '׳' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}')
}
