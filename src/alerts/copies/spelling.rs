//! Whether two words are spellings of one: a typo, British, an abbreviation. Pure.

/// Words whose spellings differ in more than one letter, and the spelling that stands for both.
const SPELLINGS: [(&str, &str); 30] = [
    ("aug", "august"),
    ("catalogue", "catalog"),
    ("cheque", "check"),
    ("dec", "december"),
    ("dialogue", "dialog"),
    ("dr", "doctor"),
    ("feb", "february"),
    ("fri", "friday"),
    ("gen", "general"),
    ("gov", "governor"),
    ("jan", "january"),
    ("kerb", "curb"),
    ("lt", "lieutenant"),
    ("manoeuvre", "maneuver"),
    ("mon", "monday"),
    ("monologue", "monolog"),
    ("nov", "november"),
    ("oct", "october"),
    ("plough", "plow"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("rep", "representative"),
    ("sat", "saturday"),
    ("sen", "senator"),
    ("sep", "september"),
    ("sept", "september"),
    ("sun", "sunday"),
    ("thu", "thursday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
];

/// Number words, each with its digits.
const NUMBERS: [(&str, &str); 14] = [
    ("eight", "8"),
    ("eleven", "11"),
    ("fifteen", "15"),
    ("five", "5"),
    ("four", "4"),
    ("nine", "9"),
    ("one", "1"),
    ("seven", "7"),
    ("six", "6"),
    ("ten", "10"),
    ("thirty", "30"),
    ("three", "3"),
    ("twelve", "12"),
    ("two", "2"),
];

/// The form of a folded word in which copies are compared: numbers in digits without separators,
/// dotted capitals without dots, known spellings as one.
pub(super) fn normal(word: &str) -> String {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.replace(',', "");
    }
    let bare = word.replace('.', "");
    let known = |table: &[(&str, &'static str)]| {
        table
            .binary_search_by(|(from, _)| from.cmp(&bare.as_str()))
            .ok()
            .map(|at| table[at].1.to_owned())
    };
    known(&NUMBERS).or_else(|| known(&SPELLINGS)).unwrap_or(bare)
}

/// Whether a word is a number word with a typo.
pub(super) fn is_number_mistyped(word: &str) -> bool {
    NUMBERS.iter().any(|(number, _)| is_variant(word, number, false))
}

/// Whether `one` and `other`, which are no numbers, are spellings of one word. One letter may be
/// missing, added or another, or two may have changed places. In a name of four or five letters
/// only the last counts, or a letter that is doubled: Iran is not Iraq.
pub(super) fn is_variant(one: &str, other: &str, name: bool) -> bool {
    if one == other {
        return true;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    let start = short.iter().zip(long.iter()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&short[start..], &long[start..]);
    let swapped =
        || a.len() == b.len() && a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    let added = || b.len() == a.len() + 1 && *a == b[1..];
    let doubled = || added() && start > 0 && b[0] == long[start - 1];
    let other_letter = || a.len() == b.len() && a[1..] == b[1..];
    match short.len() {
        0..4 => false,
        4..6 if name => swapped() || doubled(),
        _ => swapped() || added() || other_letter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(SPELLINGS.is_sorted() && NUMBERS.is_sorted());
    }

    #[test]
    fn one_form_stands_for_the_spellings_of_a_word() {
        for (word, form) in [
            ("3,000", "3000"),
            ("u.s.", "us"),
            ("twelve", "12"),
            ("sept", "september"),
            ("programme", "program"),
            ("vessel", "vessel"),
        ] {
            assert_eq!(normal(word), form);
        }
    }

    #[test]
    fn spellings_and_typos_are_one_word_and_other_names_are_not() {
        for (one, other, name, same) in [
            ("colour", "color", false, true),
            ("centre", "center", false, true),
            ("organised", "organized", false, true),
            ("travelled", "traveled", false, true),
            ("zelensky", "zelenskyy", true, true),
            ("goverment", "government", false, true),
            ("paris", "pairs", true, true),
            ("iran", "iraq", true, false),
            ("niger", "nigeria", true, false),
            ("austria", "australia", true, false),
            ("increase", "decrease", false, false),
            ("import", "export", false, false),
            ("kim", "kin", true, false),
        ] {
            assert_eq!(is_variant(one, other, name), same, "{one} {other}");
            assert_eq!(is_variant(other, one, name), same, "{other} {one}");
        }
    }
}
