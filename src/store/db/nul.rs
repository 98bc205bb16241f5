//! Texts as `PostgreSQL` stores them: it has no U+0000.

use std::borrow::Cow;

/// The escape of U+0000 in a list, which is JSON.
const ESCAPE: &str = "\\u0000";

/// The text without U+0000.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// The list without U+0000 in its texts.
pub(super) fn list_without_nul(list: &str) -> Cow<'_, str> {
    if list.contains(ESCAPE) { Cow::Owned(without_escapes(list)) } else { Cow::Borrowed(list) }
}

fn without_escapes(list: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(list.len()), list);
    while let Some((before, _)) = rest.split_once('\\') {
        kept.push_str(before);
        let escape = &rest[before.len()..];
        rest = if let Some(after) = escape.strip_prefix(ESCAPE) {
            after
        } else {
            let end = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
            let (escape, after) = escape.split_at(end);
            kept.push_str(escape);
            after
        };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_lose_nothing_but_their_nuls() {
        for text in ["a\0b", "", "a \u{fffd} b", "\\", "\\u0000", "\\\0\"", "\0\0"] {
            let list = serde_json::to_string(&[text, "z"]).unwrap();
            let kept: Vec<String> = serde_json::from_str(&list_without_nul(&list)).unwrap();
            assert_eq!(kept, [text.replace('\0', ""), "z".to_owned()], "{list}");
        }
        assert_eq!(list_without_nul("[\\é \\u0000"), "[\\é ");
        assert_eq!(without_nul("a\0b"), "ab");
        assert_eq!(without_nul("[a\\u0000b]"), "[a\\u0000b]");
    }
}
