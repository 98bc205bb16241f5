//! Other spellings of a term with a hyphen, or of one that may have one.

/// The longest run of letters before digits that may have a hyphen between them: `MH17`.
const MOST_LETTERS: usize = 6;

/// `text` without the hyphens within its words (`COVID19` for `COVID-19`), or else with a hyphen
/// between letters and the digits behind them (`MH-17` for `MH17`). `None` if there is neither.
pub(crate) fn respelled(text: &str) -> Option<String> {
    without_hyphens(text).or_else(|| with_hyphens(text))
}

/// `text` without the hyphens that have a letter on one side, and a letter or digit on the other.
fn without_hyphens(text: &str) -> Option<String> {
    let mut joined = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let before = text[..at].chars().next_back();
        let after = text[at + c.len_utf8()..].chars().next();
        if !is_hyphen(c) || !joins(before, after) {
            joined.push(c);
        }
    }
    (joined.len() < text.len()).then_some(joined)
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

/// Whether a hyphen between the two is within a word: `cyber-attack`, `F-16`, but not `9-11`.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    before.is_alphanumeric()
        && after.is_alphanumeric()
        && (before.is_alphabetic() || after.is_alphabetic())
}

/// `text` with a hyphen in each word of a few capitals and digits.
fn with_hyphens(text: &str) -> Option<String> {
    let is_none = !text.split_whitespace().any(|word| place(word).is_some());
    if is_none {
        return None;
    }
    let words = text.split_whitespace().map(|word| match place(word) {
        Some(at) => format!("{}-{}", &word[..at], &word[at..]),
        None => word.to_owned(),
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

/// Where `word`, of letters and then digits, may have a hyphen. `A1` and `I5` have none, because
/// the letter is also a word.
fn place(word: &str) -> Option<usize> {
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = &word[letters..];
    let fits = (1..=MOST_LETTERS).contains(&letters)
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && !matches!(&word[..letters], "A" | "I");
    fits.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::respelled;

    #[test]
    fn hyphens_within_words_may_be_missing_or_added() {
        for (text, expected) in [
            ("COVID-19", Some("COVID19")),
            ("cyber-attack* in Kim Jong-un", Some("cyberattack* in Kim Jongun")),
            ("F\u{2011}16", Some("F16")),
            ("MH17", Some("MH-17")),
            ("flight MH17 to G7", Some("flight MH-17 to G-7")),
            ("9-11", None),
            ("A1", None),
            ("CVE-2024-3094", Some("CVE2024-3094")),
            ("co2", None),
            ("-x", None),
            ("arms", None),
        ] {
            assert_eq!(respelled(text).as_deref(), expected, "{text}");
        }
    }
}
