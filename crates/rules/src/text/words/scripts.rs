//! Finds the words of scripts with other rules than Latin: Han, kana, Hangul, Thai, Arabic, Hebrew
//! and Devanagari. What is unusual is left to the slow scan.

use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use super::{PendingRun, Words};
use crate::text::fold::{fold, is_between_arabic, simplified};
use crate::text::letters::is_hebrew;
use crate::text::runs::shows_nothing;

/// What a character is in its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScriptKind {
    /// A word of its own: Han, hiragana.
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
    /// A letter, folded.
    Letter(char),
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
                ArabicCharacter::Letter(letter)
            }
            _ => ArabicCharacter::Odd,
        };
    }
    table
});

impl Words {
    /// Adds the word at byte `at` of the run if it is of these scripts, or skips a sign of them.
    /// Returns its end; `None` if the slow scan must read the run.
    pub(super) fn script_word(&mut self, run: PendingRun<'_>, at: usize) -> Option<usize> {
        let rest = &run.text[at..];
        let first = rest.chars().next()?;
        let kind = kind(first)?;
        let count =
            |is_of_word: fn(char) -> bool| rest.chars().take_while(|c| is_of_word(*c)).count();
        match kind {
            ScriptKind::Sign => Some(at + first.len_utf8()).filter(|_| is_plain_sign(run.text, at)),
            ScriptKind::Alone => self.push_alone(run, at, first),
            ScriptKind::Thai => {
                let marks = rest.chars().skip(1).take_while(|c| is_thai_mark(*c)).count();
                let in_order = marks < 2 || !rest.chars().skip(2).take(marks).any(is_below);
                in_order.then(|| self.push_run(run, at, at + 3 * (marks + 1)))?
            }
            ScriptKind::Katakana => self.push_run(run, at, at + 3 * count(is_katakana)),
            ScriptKind::Hangul => {
                let end = at + 3 * count(is_hangul);
                let is_joined =
                    run.text[end..].starts_with(is_jamo) || is_initial(run.text, at, end);
                (!is_joined).then(|| self.push_run(run, at, end))?
            }
            ScriptKind::Devanagari => {
                let end = at + 3 * count(is_devanagari);
                stands_alone(run.text, at, end).then(|| self.push_run(run, at, end))?
            }
            ScriptKind::Arabic => self.push_arabic(run, at),
            ScriptKind::Hebrew => self.push_hebrew(run, at),
        }
    }

    /// Adds the word at the bytes `from..to`, which folds to itself. A mark behind it makes it
    /// unusual.
    fn push_run(&mut self, run: PendingRun<'_>, from: usize, to: usize) -> Option<usize> {
        let is_marked = run.text[to..].starts_with(|c| is_combining_mark(c) || shows_nothing(c));
        if is_marked {
            return None;
        }
        self.push_place(run.copy + from, to - from, from..to);
        Some(to)
    }

    /// Adds the character `c` at byte `at` as a word.
    fn push_alone(&mut self, run: PendingRun<'_>, at: usize, c: char) -> Option<usize> {
        let simple = simplified(c);
        if simple == c {
            return self.push_run(run, at, at + 3);
        }
        let start = self.folded.len();
        self.folded.extend_from_slice(simple.encode_utf8(&mut [0; 4]).as_bytes());
        self.push_run(PendingRun { copy: start - at, ..run }, at, at + 3)
    }

    fn push_arabic(&mut self, run: PendingRun<'_>, from: usize) -> Option<usize> {
        let start = self.folded.len();
        let (mut at, mut to, mut on_letter) = (from, from, false);
        for c in run.text[from..].chars() {
            let width = c.len_utf8();
            match arabic(c) {
                ArabicCharacter::Letter(letter) => {
                    self.folded.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    (to, on_letter) = (at + width, true);
                }
                ArabicCharacter::Mark if on_letter => to = at + width,
                ArabicCharacter::Mark => {}
                ArabicCharacter::Tatweel => on_letter = false,
                ArabicCharacter::Odd => break,
            }
            at += width;
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

/// It separates the parts of Persian words.
const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';

fn kind(c: char) -> Option<ScriptKind> {
    Some(match c {
        '一'..='\u{9fff}' | 'ぁ'..='ゖ' | '々' => ScriptKind::Alone,
        _ if is_katakana(c) => ScriptKind::Katakana,
        _ if is_hangul(c) => ScriptKind::Hangul,
        '\u{e01}'..='\u{e30}' | '\u{e32}' | '\u{e33}' | '\u{e40}'..='\u{e46}' => ScriptKind::Thai,
        '،' | '؛' | '؟' | '۔' | '।' | '॥' => ScriptKind::Sign,
        _ if matches!(arabic(c), ArabicCharacter::Letter(_)) => ScriptKind::Arabic,
        _ if is_hebrew(c) => ScriptKind::Hebrew,
        _ if is_devanagari(c) && !is_combining_mark(c) => ScriptKind::Devanagari,
        '、'..='〃' | '〈'..='】' | '〔'..='〟' | '・' | ZERO_WIDTH_NON_JOINER => {
            ScriptKind::Sign
        }
        '！' | '（' | '）' | '，' | '：' | '；' | '？' | '～' => ScriptKind::Sign,
        _ => return None,
    })
}

/// Whether the sign at byte `at` separates words, whatever is beside it.
fn is_plain_sign(text: &str, at: usize) -> bool {
    let sign = text[at..].chars().next().unwrap_or_default();
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

fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー')
}

fn is_hangul(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether `c` is a letter that may be composed with a Hangul syllable.
fn is_jamo(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}')
}

/// Whether `c` is a Thai mark, but for `nikhahit`, which is a part of the vowel am.
fn is_thai_mark(c: char) -> bool {
    matches!(c, '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4c}' | '\u{e4e}')
}

/// Whether `c` is a Thai mark that normalisation moves before others.
fn is_below(c: char) -> bool {
    matches!(c, '\u{e38}'..='\u{e3a}')
}

/// Whether `c` is a letter or mark that normalisation does not change.
fn is_devanagari(c: char) -> bool {
    matches!(c,
        '\u{900}'..='\u{928}' | '\u{92a}'..='\u{930}' | '\u{932}' | '\u{933}' | '\u{935}'..='\u{939}'
        | '\u{93e}'..='\u{94d}')
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
