//! Cuts a long text around one of its parts.

use std::ops::Range;

/// At most `limit` bytes of `text` around `kept`, on character boundaries, between words if
/// possible, with `…` at each cut; and the range of `kept` in it. A `kept` longer than `limit`
/// loses its end.
pub(crate) fn around(text: &str, kept: &Range<usize>, limit: usize) -> (String, Range<usize>) {
    if text.len() <= limit {
        return (text.to_owned(), kept.clone());
    }
    let room = limit.saturating_sub(kept.len());
    let wanted = kept.start.saturating_sub(room / 2).min(text.len() - limit);
    let start = between_words(text, text.ceil_char_boundary(wanted), kept.start);
    let end = text.floor_char_boundary(start + limit);
    let end = if end <= kept.end { end } else { last_space(text, kept.end, end) };
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    let shift = |at: usize| at.min(end) - start + before.len();
    (format!("{before}{}{after}", &text[start..end]), shift(kept.start)..shift(kept.end))
}

/// The first words of `text`: at most `limit` bytes, with `…` at the cut.
pub(crate) fn head(text: &str, limit: usize) -> String {
    around(text, &(0..0), limit).0
}

/// The start of the first word in `from..to`, else `from`.
fn between_words(text: &str, from: usize, to: usize) -> usize {
    if from == 0 || from >= to {
        return from.min(to);
    }
    let Some(space) = text[from..to].find(char::is_whitespace) else { return from };
    to - text[from + space..to].trim_start().len()
}

/// The end of the last word in `from..to`, else `to`.
fn last_space(text: &str, from: usize, to: usize) -> usize {
    if to == text.len() {
        return to;
    }
    text[from..to]
        .rfind(char::is_whitespace)
        .map_or(to, |space| from + text[from..from + space].trim_end().len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::around;

    #[test]
    fn a_long_text_is_cut_between_words_around_what_is_kept() {
        let text = "one two three four arms five six seven eight";
        let kept = text.find("arms").map(|at| at..at + 4).expect("it is there");
        let (shown, place) = around(text, &kept, 24);
        assert_eq!(shown, "…four arms five six…");
        assert_eq!(&shown[place], "arms");
        assert_eq!(around(text, &kept, 100), (text.to_owned(), kept));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_shown_within_the_limit(text in "[aéß \\PC]{0,60}", ends in any::<[Index; 2]>(), limit in 8..60_usize) {
            let mut ends = ends.map(|end| text.floor_char_boundary(end.index(text.len() + 1)));
            ends.sort_unstable();
            let kept = ends[0]..ends[1];
            let (shown, place) = around(&text, &kept, limit);
            prop_assert!(shown.len() <= limit + 2 * '…'.len_utf8());
            prop_assert!(text[kept].starts_with(&shown[place.clone()]));
            prop_assert!(text.len() > limit || shown == text);
        }
    }
}
