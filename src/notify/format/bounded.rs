//! Texts with a length limit. They are never cut within a grapheme, an escape or a pair of markup.

use unicode_segmentation::UnicodeSegmentation;

use super::escape::Escape;

/// Replaces the text that did not fit.
const ELLIPSIS: &str = "…";

/// The unit in which a service counts lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LengthUnit {
    /// UTF-16 code units. A text has at least as many as characters.
    Utf16,
    /// Bytes of UTF-8.
    Byte,
}

impl LengthUnit {
    /// The length of `text`, as the service counts it.
    pub(super) fn length(self, text: &str) -> usize {
        match self {
            Self::Utf16 => text.encode_utf16().count(),
            Self::Byte => text.len(),
        }
    }
}

/// A text with a limited length.
pub(super) struct BoundedText {
    text: String,
    /// The room that is left, without that of the ellipsis.
    room: usize,
    unit: LengthUnit,
    escape: Escape,
    is_full: bool,
}

impl BoundedText {
    pub(super) fn new(max: usize, unit: LengthUnit, escape: Escape) -> Self {
        Self {
            text: String::new(),
            room: max.saturating_sub(unit.length(ELLIPSIS)),
            unit,
            escape,
            is_full: false,
        }
    }

    /// Adds foreign text, escaped, as far as there is room.
    pub(super) fn push(&mut self, text: &str) {
        self.push_between("", text, "");
    }

    /// Adds markup as a whole or not at all.
    pub(super) fn push_markup(&mut self, markup: &str) {
        if !self.is_full && self.push_if_room(markup).is_none() {
            self.end_with_ellipsis();
        }
    }

    /// Adds foreign text between two pieces of markup. Either both are added or none.
    pub(super) fn push_between(&mut self, open: &str, text: &str, close: &str) {
        let marks = self.unit.length(open) + self.unit.length(close);
        if self.is_full {
            return;
        }
        if marks > 0 && marks >= self.room {
            return self.end_with_ellipsis();
        }
        self.room -= marks;
        self.text.push_str(open);
        for character in text.graphemes(true) {
            let mut escaped = String::with_capacity(character.len());
            character.chars().for_each(|c| (self.escape)(c, &mut escaped));
            if self.push_if_room(&escaped).is_none() {
                self.end_with_ellipsis();
                break;
            }
        }
        self.text.push_str(close);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn push_if_room(&mut self, text: &str) -> Option<()> {
        self.room = self.room.checked_sub(self.unit.length(text))?;
        self.text.push_str(text);
        Some(())
    }

    fn end_with_ellipsis(&mut self) {
        self.text.push_str(ELLIPSIS);
        self.is_full = true;
    }
}

/// Escapes `text` and cuts it to `max` units.
pub(super) fn escape_and_truncate(
    text: &str,
    max: usize,
    unit: LengthUnit,
    escape: Escape,
) -> String {
    let mut bounded = BoundedText::new(max, unit, escape);
    bounded.push(text);
    bounded.into_text()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::notify::format::escape::no_escape;

    fn double(c: char, text: &mut String) {
        text.push(c);
        text.push(c);
    }

    #[rstest]
    #[case("four", 5, LengthUnit::Utf16, "four")]
    #[case("fours", 5, LengthUnit::Utf16, "four…")]
    #[case("👩‍🚀👩‍🚀", 6, LengthUnit::Utf16, "👩‍🚀…")]
    #[case("éé", 5, LengthUnit::Byte, "é…")]
    #[case("", 3, LengthUnit::Byte, "")]
    fn an_ellipsis_replaces_what_has_no_room(
        #[case] text: &str,
        #[case] most: usize,
        #[case] unit: LengthUnit,
        #[case] expected: &str,
    ) {
        assert_eq!(escape_and_truncate(text, most, unit, no_escape), expected);
    }

    #[test]
    fn an_escape_is_never_cut_and_markup_stays_in_pairs() {
        assert_eq!(escape_and_truncate("abc", 6, LengthUnit::Utf16, double), "aabb…");
        let mut text = BoundedText::new(12, LengthUnit::Utf16, no_escape);
        text.push_between("<b>", "abcdef", "</b>");
        text.push("more");
        assert_eq!(text.into_text(), "<b>abcd…</b>");
    }

    proptest! {
        #[test]
        fn no_limit_is_passed(parts in prop::collection::vec(any::<String>(), 0..6), most in 3..60_usize) {
            for unit in [LengthUnit::Utf16, LengthUnit::Byte] {
                let mut text = BoundedText::new(most, unit, double);
                for part in &parts {
                    text.push(part);
                    text.push_markup("\n");
                    text.push_between("<b>", part, "</b>");
                }
                let text = text.into_text();
                prop_assert!(unit.length(&text) <= most, "{text}");
                prop_assert_eq!(text.matches("<b>").count(), text.matches("</b>").count());
            }
        }
    }
}
