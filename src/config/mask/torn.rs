//! Masks a text that is not YAML. Its secrets cannot be found, so only the usual words of a
//! configuration are shown.

use std::ops::Range;

use super::SHOWN;

/// The usual words of a configuration in addition to the keys whose values may be shown.
const COMMON: [&str; 17] = [
    "all",
    "always",
    "console",
    "cookies",
    "email",
    "headers",
    "heartbeat",
    "hosts",
    "json",
    "never",
    "none",
    "notifiers",
    "password",
    "secret",
    "text",
    "url",
    "webhook",
];

/// Collects every word of `text` except usual ones and the names of variables (`${NAME}`).
pub(super) fn secrets(text: &str, spans: &mut Vec<Range<usize>>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut start = 0;
    while let Some(found) = text[start..].find(is_part) {
        start += found;
        let length = text[start..].find(|c| !is_part(c)).unwrap_or(text.len() - start);
        let word = start..start + length;
        let is_variable = text[..word.start].ends_with("${") && text[word.end..].starts_with('}');
        let is_common =
            COMMON.contains(&&text[word.clone()]) || SHOWN.contains(&&text[word.clone()]);
        start = word.end;
        if !is_variable && !is_common {
            spans.push(word);
        }
    }
}
