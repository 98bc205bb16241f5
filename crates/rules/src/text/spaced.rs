//! Joins what is written with spaces and is one word: initials (`H. R. McMaster`) and groups of
//! digits (`10 000`).

use std::ops::Range;

/// What joins two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpaceJoint {
    /// Both are initials. A full stop is between them in the joined word.
    Initials,
    /// Both are groups of digits.
    Digits,
}

impl SpaceJoint {
    /// What is between the two in the joined word.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Initials => ".",
            Self::Digits => "",
        }
    }

    /// The end of the joined word in `text`, if its last part ends at `end`. Initials have a last
    /// dot.
    pub(super) fn end(self, text: &str, end: usize) -> usize {
        end + usize::from(self == Self::Initials && text[end..].starts_with('.'))
    }
}

/// What joins the words at `left` and `right` of `text`, neighbours in one paragraph. `before` is
/// what joined `left` itself.
pub(super) fn joint(
    text: &str,
    left: &Range<usize>,
    before: Option<SpaceJoint>,
    right: &Range<usize>,
) -> Option<SpaceJoint> {
    let initials = text[left.clone()].ends_with('.') && before == Some(SpaceJoint::Initials);
    let gap = text.get(left.end - usize::from(initials)..right.start)?;
    let space = gap.chars().next_back().filter(|c| c.is_whitespace())?;
    match gap.len() - space.len_utf8() {
        0 if is_group_space(space, &text[right.clone()]) => {
            let starts = before == Some(SpaceJoint::Digits) || is_first_group(text, left);
            (starts && is_next_group(text, right)).then_some(SpaceJoint::Digits)
        }
        1 if gap.starts_with('.') && is_single_space(space) => {
            let starts = before == Some(SpaceJoint::Initials) || is_initial(&text[left.clone()]);
            let goes_on = is_initial(&text[right.clone()]) && text[right.end..].starts_with('.');
            (starts && goes_on).then_some(SpaceJoint::Initials)
        }
        _ => None,
    }
}

/// Whether the word at `word` may be joined as an initial: a single letter before a full stop.
pub(super) fn may_be_initial(text: &str, word: &Range<usize>) -> bool {
    text[word.end..].starts_with('.') && is_initial(&text[word.clone()])
}

/// Whether `text` may have groups of digits with an ordinary space between them.
pub(super) fn may_have_thousands(text: &str) -> bool {
    text.contains(" 000")
}

/// Whether typographers set the space `c` between groups of digits.
pub(super) fn is_typographic(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// Whether `space` may stand before the group `right`. Before an ordinary space, two numbers are
/// more often two than one, unless the second is 000.
fn is_group_space(space: char, right: &str) -> bool {
    is_typographic(space) || (space == ' ' && right == "000")
}

/// Whether `c` is a space that may stand between a number and its sign, or between initials.
pub(crate) fn is_single_space(c: char) -> bool {
    c == ' ' || is_typographic(c)
}

fn is_first_group(text: &str, word: &Range<usize>) -> bool {
    let digits = &text[word.clone()];
    let stands_alone =
        !text[..word.start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ','));
    digits.len() <= 3
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
        && stands_alone
}

fn is_next_group(text: &str, word: &Range<usize>) -> bool {
    let number = &text[word.clone()];
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let decimals = &number[digits..];
    digits == 3
        && (decimals.is_empty() || decimals.starts_with(['.', ',']))
        && !text[word.end..].starts_with(char::is_alphanumeric)
}

/// Whether `word` is a single capital.
fn is_initial(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next().is_some_and(char::is_uppercase) && characters.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::text::tokenise;

    #[test]
    fn initials_and_groups_of_digits_are_joined_over_spaces_and_other_neighbours_are_not() {
        for (text, expected) in [
            ("H. R. McMaster", "h.r mcmaster"),
            ("J. R. R. Tolkien", "j.r.r tolkien"),
            ("С. В. Лавров", "с.в лавров"),
            ("George W. Bush", "george w bush"),
            ("Plan B. U.S. officials", "plan b u.s officials"),
            ("U.S. A. Smith", "u.s a smith"),
            ("an A. a man", "an a a man"),
            ("H.\nR. Smith", "h r smith"),
            ("10 000 men", "10000 men"),
            ("1 000 000 men", "1000000 men"),
            ("1\u{202f}234\u{202f}567,5 km", "1234567,5 km"),
            ("10\u{a0}500 men", "10500 men"),
            ("Boeing 737 800", "boeing 737 800"),
            ("2024 000", "2024 000"),
            ("5  000", "5 000"),
            ("1.5 000", "1.5 000"),
        ] {
            let words: Vec<String> = tokenise(text).into_iter().map(|token| token.word).collect();
            assert_eq!(words.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_joined_word_is_shown_from_its_first_letter_to_its_last_dot() {
        let text = "Gen. H. R. McMaster";
        let word = tokenise(text).remove(1);
        assert_eq!((&text[word.span], word.word.as_str()), ("H. R.", "h.r"));
    }
}
