//! Finds the signs between groups of digits: `1,000,000`, `1’000`, and `12,34,567` of India.

use super::apostrophe::is_apostrophe;

/// The most characters of a grouped number.
const LONGEST: usize = 40;

/// Whether `sign` between `before` and `after` separates groups of digits, and the number is the
/// same without it. The last group has three digits, those between two or three, and the first one
/// to three, without a zero at its start. A full stop is never such a sign: `1.000` may be one.
pub(super) fn is_separator(before: &str, sign: char, after: &str) -> bool {
    if !is_group_sign(sign) || !before.ends_with(char::is_numeric) {
        return false;
    }
    is_sound_start(before.chars().rev().take(LONGEST), sign)
        && is_sound_end(after.chars().take(LONGEST), sign)
}

/// Whether `c` may stand between groups of digits.
pub(super) fn is_group_sign(c: char) -> bool {
    matches!(c, ',' | '٬' | '，') || is_apostrophe(c)
}

/// Whether `left`, in reverse, is the first group, or all groups up to here.
fn is_sound_start(left: impl Iterator<Item = char>, sign: char) -> bool {
    let mut left = left.peekable();
    loop {
        let (mut digits, mut first) = (0, None);
        while let Some(digit) = left.next_if(|c| c.is_numeric()) {
            digits += 1;
            first = digit.to_digit(10);
        }
        match left.next() {
            Some(c) if is_same_sign(c, sign) && matches!(digits, 2 | 3) => {}
            Some('.') if left.peek().is_some_and(|c| c.is_numeric()) => return false,
            behind => {
                return matches!(digits, 1..=3)
                    && first != Some(0)
                    && behind.is_none_or(|c| !c.is_alphanumeric());
            }
        }
    }
}

/// Whether `right` is the last group, or begins with sound groups up to it.
fn is_sound_end(right: impl Iterator<Item = char>, sign: char) -> bool {
    let mut right = right.peekable();
    loop {
        let mut digits = 0;
        while right.next_if(|c| c.is_numeric()).is_some() {
            digits += 1;
        }
        let goes_on = right.next().is_some_and(|c| is_same_sign(c, sign))
            && right.peek().is_some_and(|c| c.is_numeric());
        match (digits, goes_on) {
            (2 | 3, true) => {}
            (digits, goes_on) => return digits == 3 && !goes_on,
        }
    }
}

fn is_same_sign(one: char, other: char) -> bool {
    one == other || (is_apostrophe(one) && is_apostrophe(other))
}

#[cfg(test)]
mod tests {
    use super::is_separator;

    /// `text` without the signs between its groups.
    fn joined(text: &str) -> String {
        let is_kept =
            |(at, c): &(usize, char)| !is_separator(&text[..*at], *c, &text[at + c.len_utf8()..]);
        text.char_indices().filter(is_kept).map(|(_, c)| c).collect()
    }

    #[test]
    fn groups_of_three_digits_are_one_number_and_lists_and_decimals_are_not() {
        for (text, expected) in [
            ("1,000", "1000"),
            ("$1,000,000.50", "$1000000.50"),
            ("1’000’000", "1000000"),
            ("12,34,567", "1234567"),
            ("١٬٠٠٠", "١٠٠٠"),
            ("3,5", "3,5"),
            ("0,125", "0,125"),
            ("1,0000", "1,0000"),
            ("1234,567", "1234,567"),
            ("1,22,33", "1,22,33"),
            ("2.5,000", "2.5,000"),
            ("A1,000", "A1,000"),
            ("1.000", "1.000"),
            (",000", ",000"),
            ("1,000,", "1000,"),
            ("1,000km", "1000km"),
            ("1,000,00", "1,000,00"),
        ] {
            assert_eq!(joined(text), expected, "{text}");
        }
    }
}
