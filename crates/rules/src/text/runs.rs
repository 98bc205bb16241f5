//! Splits a text at white space, and finds the blank lines between paragraphs.

use std::ops::Range;

/// A piece of text without white space that begins with a visible character.
pub(super) struct TextRun {
    /// Its place, in bytes.
    pub(super) span: Range<usize>,
    /// Whether a blank line is before it. `false` for the first run.
    pub(super) after_blank_line: bool,
}

/// The runs of `text`, in order. White space is never inside a word, so each run can be tokenised
/// alone.
pub(super) fn runs(text: &str) -> impl Iterator<Item = TextRun> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|c: char| !c.is_whitespace() && !shows_nothing(c))?;
        let end =
            text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length);
        let after_blank_line = at > 0 && holds_blank_line(&text[at..start]);
        at = end;
        Some(TextRun { span: start..end, after_blank_line })
    })
}

/// Whether the gap between two runs has two line breaks.
fn holds_blank_line(gap: &str) -> bool {
    let mut characters = gap.chars().peekable();
    let mut ends = 0;
    while let Some(c) = characters.next() {
        ends += match c {
            '\r' => u8::from(characters.peek() != Some(&'\n')),
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => 1,
            _ => 0,
        };
        if ends == 2 {
            return true;
        }
    }
    false
}

/// Whether `c` has the property `Default_Ignorable_Code_Point` of Unicode annex 44: soft hyphens,
/// zero-width characters, direction marks, variation selectors.
pub(crate) fn shows_nothing(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn only_a_blank_line_parts_paragraphs() {
        let cases = [
            ("a\nb", [false, false]),
            ("a\n\nb", [false, true]),
            ("a\r\nb", [false, false]),
            ("a\r\n\r\nb", [false, true]),
            ("a\r\rb", [false, true]),
            ("a \n \t\n b", [false, true]),
            ("a\n\u{200b}\nb", [false, true]),
            ("\n\na\u{2028}b", [false, false]),
        ];
        for (text, expected) in cases {
            let found: Vec<bool> = runs(text).map(|run| run.after_blank_line).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
