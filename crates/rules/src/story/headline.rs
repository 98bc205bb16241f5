//! The headline of an item without one: the first words of its text.

use crate::text::one_line;
use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// The longest headline that is made from a text, in grapheme clusters.
const MOST: usize = 120;

/// The headline of a story without words.
pub const NONE: &str = "(no headline)";

/// The headline `title`, or the first words of `text` if `title` is blank. Never empty.
#[must_use]
pub fn headline<'s>(title: &'s str, text: &str) -> Cow<'s, str> {
    match made_headline(title, text) {
        Some(words) => Cow::Owned(words),
        None if title.trim().is_empty() => Cow::Borrowed(NONE),
        None => Cow::Borrowed(title),
    }
}

/// The headline that is made from `text`. `None` if `title` has words, or `text` has none.
#[must_use]
pub fn made_headline(title: &str, text: &str) -> Option<String> {
    if title.trim().is_empty() { opening(text) } else { None }
}

/// The first words of `text`: its first paragraph on one line. A long one is cut between two words.
/// `None` if `text` has no words.
fn opening(text: &str) -> Option<String> {
    let paragraph = text.split("\n\n").find(|paragraph| !paragraph.trim().is_empty())?;
    let line = one_line(paragraph);
    let Some((end, _)) = line.grapheme_indices(true).nth(MOST) else { return Some(line) };
    // Scripts without spaces are cut between two characters.
    let kept = match line[..end].rfind(' ') {
        Some(space) if space >= end / 2 => &line[..space],
        _ => &line[..end],
    };
    Some(format!("{}…", kept.trim_end_matches([',', ';', ':', ' '])))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", None)]
    #[case(" \n\n\t ", None)]
    #[case(
        "\n\nThe ferry is back\nfrom noon on.\n\nMore.",
        Some("The ferry is back from noon on.")
    )]
    fn the_first_paragraph_on_one_line_opens_a_text(
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(opening(text).as_deref(), expected);
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_one_without_spaces_between_characters() {
        let words = opening(&"bridge, ".repeat(40)).unwrap();
        assert_eq!(words, format!("{}bridge…", "bridge, ".repeat(14)));
        let han = opening(&"無題の投稿".repeat(40)).unwrap();
        assert_eq!(han.chars().count(), MOST + 1);
        let family = opening(&"👩‍👩‍👧‍👦".repeat(200)).unwrap();
        assert_eq!(family, format!("{}…", "👩‍👩‍👧‍👦".repeat(MOST)));
    }

    #[test]
    fn a_headline_stands_and_a_blank_one_is_replaced() {
        assert_eq!(headline("Ferry", "The text."), "Ferry");
        assert_eq!(headline(" ", "The text."), "The text.");
        assert_eq!(headline("", ""), NONE);
    }
}
