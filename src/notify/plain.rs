//! Foreign texts made safe to show: on one line, without characters that steer a terminal or turn the direction of writing.

/// Whether `c` shows nothing itself but changes how other text is shown: control characters (C0, DEL, C1), line and paragraph separators, and the
/// embeddings, overrides and isolates of the bidirectional algorithm (Unicode annex 9). All are in the basic multilingual plane.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control() || is_turn(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_turn(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line: white space and control characters become single spaces, turns of the direction of writing are left out.
pub(crate) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_turn(*c)) {
        if !c.is_whitespace() && !is_unseen(c) {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a title", "a title")]
    #[case("two\r\n  lines\t", "two lines ")]
    #[case("\u{1b}[31mred\u{1b}]0;owned\u{7}", " [31mred ]0;owned ")]
    #[case("\u{9b}2J\u{7f}\0", " 2J ")]
    #[case("\u{202e}gnp.exe", "gnp.exe")]
    #[case("שלום \u{200f}عالم", "שלום \u{200f}عالم")]
    fn what_steers_goes_and_what_is_read_stays(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(plain(text), expected);
    }

    proptest! {
        #[test]
        fn nothing_unseen_is_left(text in any::<String>()) {
            prop_assert!(!plain(&text).contains(is_unseen));
        }
    }
}
