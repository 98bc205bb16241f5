//! Makes foreign texts safe to show on one line.

use std::fmt::Write;

use tidings_rules::text::is_display_control;

/// Whether `c` is a control character, changes how other text is shown, or ends a line.
pub(super) fn is_unprintable(c: char) -> bool {
    is_display_control(c) || matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}')
}

/// `json` with every unprintable character escaped, beyond what RFC 8259 requires. The value stays
/// the same.
pub(crate) fn escape_unprintable(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            // JSON holds such characters only within strings, apart from white space between
            // tokens.
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(line, "\\u{unit:04x}").expect("strings grow");
            }
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_escaped_can_be_printed_and_says_the_same(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let line = escape_unprintable(&json);
            prop_assert!(!line.contains(is_unprintable));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
