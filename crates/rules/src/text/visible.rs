//! Removes characters from foreign texts that change how a terminal or chat shows them: direction
//! marks, escape sequences, invisible characters.

use std::borrow::Cow;

use super::runs::shows_nothing;

/// The most characters of an escape sequence that are removed with it.
const LONGEST_SEQUENCE: usize = 256;

/// The most characters of a flag (Unicode technical standard 51): up to six tags and the final tag.
const LONGEST_FLAG: usize = 7;

const BLACK_FLAG: char = '\u{1f3f4}';

/// Whether `c` is invisible and changes how other text is shown, or hides in it. These are control
/// characters (C0, DEL, C1) except line breaks and tabs, the marks, embeddings, overrides and
/// isolates of the bidirectional algorithm (Unicode annex 9), and default ignorable characters.
/// Characters that join letters and signs (ZWJ, ZWNJ, variation selectors) are not among them.
#[must_use]
pub fn is_display_control(c: char) -> bool {
    if matches!(c, ' '..='~' | '\n' | '\t' | '\u{ae}'..='\u{34e}' | '\u{350}'..='\u{61b}') {
        // A fast answer for nearly all letters of European scripts.
        return false;
    }
    is_rare_display_control(c)
}

fn is_rare_display_control(c: char) -> bool {
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let hides = c.is_control() || shows_nothing(c) || matches!(c, '\u{fff9}'..='\u{fffb}');
    hides && !joins && !matches!(c, '\n' | '\t')
}

/// `text` on one line: its words with one space between them.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` without display controls. Escape sequences (ECMA-48) are removed whole. Other control
/// characters become spaces. Flags of regions stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(is_display_control) else { return Cow::Borrowed(text) };
    let mut shown = text[..first].to_owned();
    let mut rest = text[first..].chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.as_str().starts_with('\n') => {}
            '\r' | '\u{85}' => shown.push('\n'),
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' if skip_sequence(c, &mut rest) => {}
            c if is_tag(c) && shown.ends_with(BLACK_FLAG) => push_flag(c, &mut rest, &mut shown),
            c if !is_display_control(c) => shown.push(c),
            c if c.is_control() => shown.push(' '),
            _ => {}
        }
    }
    Cow::Owned(shown)
}

/// Whether `text` is ASCII without control characters other than line breaks and tabs.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn is_printable_ascii(text: &str) -> bool {
    // All bytes are tested without a branch, so that the compiler can use vector instructions.
    let is_fine = |byte: u8| (byte.wrapping_sub(b' ') < 0x5f) | (byte == b'\n') | (byte == b'\t');
    text.bytes().fold(0, |odd, byte| odd | u8::from(!is_fine(byte))) == 0
}

/// `text` without display controls, on one line: white space becomes single spaces.
#[must_use]
pub fn visible_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if !c.is_whitespace() {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

/// Passes over the rest of an escape sequence (ECMA-48) that begins with `first`. `false` if it is
/// none.
fn skip_sequence(first: char, rest: &mut std::str::Chars<'_>) -> bool {
    let mut ahead = rest.clone();
    let kind = if first == '\u{1b}' { ahead.next() } else { Some(first) };
    let is_string = matches!(kind, Some(']' | 'P' | '\u{9d}' | '\u{90}'));
    if !is_string && !matches!(kind, Some('[' | '\u{9b}')) {
        return false;
    }
    for _ in 0..LONGEST_SEQUENCE {
        let Some(c) = ahead.next() else { return false };
        let ends = match (is_string, c) {
            (true, '\u{7}' | '\u{9c}') => true,
            (true, '\u{1b}') if ahead.as_str().starts_with('\\') => {
                ahead.next();
                true
            }
            (true, _) => false,
            (false, c) => matches!(c, '@'..='~'),
        };
        if ends {
            *rest = ahead;
            return true;
        }
        if !is_string && !c.is_ascii() {
            return false;
        }
    }
    false
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Appends the tags of a flag after its black flag; nothing if they do not form a flag.
fn push_flag(first: char, rest: &mut std::str::Chars<'_>, shown: &mut String) {
    let tags: String =
        std::iter::once(first).chain(rest.clone().take_while(|c| is_tag(*c))).collect();
    let count = tags.chars().count();
    if count <= LONGEST_FLAG
        && tags.find('\u{e007f}') == tags.char_indices().next_back().map(|(at, _)| at)
    {
        shown.push_str(&tags);
    }
    for _ in 1..count {
        rest.next();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::text::tokenise;

    #[rstest]
    #[case("a title", "a title")]
    #[case("two\r\nlines\tand\rmore", "two\nlines\tand\nmore")]
    #[case("\u{1b}[31mred\u{1b}[0m \u{1b}]0;owned\u{7}\u{1b}]8;;http://x\u{1b}\\link", "red link")]
    #[case("\u{9b}2Jgone\u{7f}\0\u{8}", "gone   ")]
    #[case("\u{1b}north \u{1b}[no end \u{e9}", " north o end \u{e9}")]
    #[case("\u{202e}gnp.exe\u{202c} \u{2066}a\u{2069}", "gnp.exe a")]
    #[case("שלום \u{200f}عالم\u{61c}", "שלום عالم")]
    #[case("wea\u{ad}pons\u{200b}\u{feff}\u{2060}", "weapons")]
    #[case("می\u{200c}خواهم क\u{94d}\u{200d}ष", "می\u{200c}خواهم क\u{94d}\u{200d}ष")]
    #[case("👩\u{200d}🚀 ❤\u{fe0f} 葛\u{e0100}", "👩\u{200d}🚀 ❤\u{fe0f} 葛\u{e0100}")]
    #[case(
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!"
    )]
    #[case("🏴\u{e0068}\u{e0069}! \u{e0001}\u{e0068}\u{e0069}b", "🏴! b")]
    fn what_steers_goes_and_what_is_read_stays(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(visible(text), expected);
    }

    #[test]
    fn the_fast_answer_is_the_right_one() {
        let all = '\0'..=char::MAX;
        let wrong = all.filter(|c| match c {
            '\n' | '\t' => is_display_control(*c),
            c => is_display_control(*c) != is_rare_display_control(*c),
        });
        assert_eq!(wrong.collect::<String>(), "");
    }

    #[test]
    fn a_line_has_single_spaces() {
        assert_eq!(visible_line("a\r\n  b\u{2028}c\u{1b}[2J\u{1b}d "), "a b c d ");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in "(\u{1b}[\\[\\]]?|[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{ad}\u{9b}\0]|\\PC|🏴|[\u{e0020}-\u{e007f}]){0,40}") {
            let tags = |c: char| is_display_control(c) && !is_tag(c);
            let once = visible(&text);
            prop_assert!(!once.contains(tags));
            prop_assert_eq!(visible(&once), once.as_ref());
        }

        #[test]
        fn the_words_stay(text in "([a-zя]{1,4}|[ \n]|\u{200b}|\u{ad}|\u{202e}|\u{200f}|\u{7}|\u{feff}|北|ة){0,30}") {
            let words = |text: &str| tokenise(text).into_iter().map(|token| token.word).collect::<Vec<_>>();
            prop_assert_eq!(words(&visible(&text)), words(&text));
        }
    }
}
