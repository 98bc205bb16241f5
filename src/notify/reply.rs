//! Replies of servers, made safe to show and to store.

use tidings_rules::text::visible_line;
use unicode_segmentation::UnicodeSegmentation;

/// The longest reply that is kept, in graphemes.
const MAX_REPLY: usize = 300;

/// `reply` on one line, cut to 300 characters, with each of `secrets` replaced by "[…]". Servers
/// often repeat what they were sent.
pub(super) fn sanitize_reply<'a>(
    reply: &str,
    secrets: impl IntoIterator<Item = &'a String>,
) -> String {
    let mut secrets: Vec<&str> =
        secrets.into_iter().map(String::as_str).filter(|secret| !secret.is_empty()).collect();
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let safe = secrets.iter().fold(reply.to_owned(), |text, secret| text.replace(secret, "[…]"));
    truncate_with_ellipsis(visible_line(&safe).trim(), MAX_REPLY)
}

/// `text`, cut to `max` graphemes including an ellipsis if it is longer.
pub(super) fn truncate_with_ellipsis(text: &str, max: usize) -> String {
    let mut ends = text.grapheme_indices(true).map(|(at, _)| at);
    let kept = ends.nth(max.saturating_sub(1)).unwrap_or(text.len());
    match ends.next() {
        Some(_) => format!("{}…", text[..kept].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn secrets_are_cut_out_the_longest_first() {
        let secrets = ["s3cret", "/hook/s3cret", ""].map(str::to_owned);
        assert_eq!(
            sanitize_reply("Cannot POST /hook/s3cret\r\nno s3cret", &secrets),
            "Cannot POST […] no […]"
        );
    }

    #[rstest]
    #[case("four", 4, "four")]
    #[case("four", 3, "fo…")]
    #[case("to be cut", 4, "to…")]
    #[case("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…")]
    #[case("", 1, "")]
    fn what_is_too_long_ends_in_an_ellipsis(
        #[case] text: &str,
        #[case] most: usize,
        #[case] expected: &str,
    ) {
        assert_eq!(truncate_with_ellipsis(text, most), expected);
    }
}
