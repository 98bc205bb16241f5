//! Foreign texts made safe to show on one line.

use std::fmt::Write;

use tidings_rules::text::{is_display_control, visible_line};

/// Whether `c` shows nothing itself but changes how other text is shown, or would end a line.
pub(super) fn is_unprintable(c: char) -> bool {
    is_display_control(c) || matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}')
}

/// `text` on one line, without what steers a terminal or a chat.
pub(crate) fn plain(text: &str) -> String {
    visible_line(text)
}

/// `json` with every such character escaped, beyond what RFC 8259 asks for: it can be printed, and
/// says the same.
pub(crate) fn escape_unprintable(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            // Such a character stands within a string.
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
