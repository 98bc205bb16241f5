//! The regular endings of an English word: -s, -ed and -ing.

use super::number::other_numbers;

/// The longest word that gets other forms, in bytes.
const LONGEST: usize = 64;

/// The forms of `word` with regular endings, without `word` itself, sorted. `word` is folded as
/// `tokenise` does. A plural has those of its singular, too. Empty unless `word` has at least three
/// letters, and only those of ASCII.
pub(crate) fn inflected(word: &str) -> Vec<String> {
    if !(3..=LONGEST).contains(&word.len()) || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return other_numbers(word);
    }
    let numbers = other_numbers(word);
    let singulars = numbers.iter().filter(|other| other.len() < word.len());
    let mut forms: Vec<String> =
        std::iter::once(word).chain(singulars.map(String::as_str)).flat_map(verb_forms).collect();
    forms.extend(numbers);
    forms.retain(|form| form != word);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The forms of `word` as a regular verb. Both spellings are made where a last consonant may be
/// doubled (`permitted`, `visited`), because the stress decides and is not written.
fn verb_forms(word: &str) -> Vec<String> {
    let is_vowel = |byte: &u8| b"aeiou".contains(byte);
    let with = |stem: &str| vec![format!("{stem}ed"), format!("{stem}ing")];
    let bytes = word.as_bytes();
    match bytes {
        [.., b'i', b'e'] => {
            vec![format!("{word}d"), format!("{}ying", &word[..word.len() - 2])]
        }
        [.., b'e' | b'o' | b'y', b'e'] => vec![format!("{word}d"), format!("{word}ing")],
        [.., b'e'] => with(&word[..word.len() - 1]),
        [.., before, b'y'] if !is_vowel(before) => {
            vec![format!("{}ied", &word[..word.len() - 1]), format!("{word}ing")]
        }
        [.., b's'] => Vec::new(),
        [.., before, vowel, last]
            if !is_vowel(before)
                && is_vowel(vowel)
                && !is_vowel(last)
                && !b"wxy".contains(last) =>
        {
            let doubled = format!("{word}{}", char::from(*last));
            [with(word), with(&doubled)].concat()
        }
        _ => with(word),
    }
}

#[cfg(test)]
mod tests {
    use super::inflected;

    #[test]
    fn a_word_has_its_regular_endings_and_no_others() {
        for (word, forms) in [
            ("sanction", "sanctioned sanctioning sanctions"),
            ("invade", "invaded invades invading"),
            ("carry", "carried carries carrying"),
            ("deploy", "deployed deploying deploys"),
            ("agree", "agreed agreeing agrees"),
            ("die", "died dies dying"),
            ("stop", "stoped stoping stopped stopping stops"),
            ("attacks", "attack attacked attacking"),
            ("fix", "fixed fixes fixing"),
            ("import", "imported importing imports"),
            ("us", ""),
            ("f16", "f16s"),
            ("ракета", ""),
        ] {
            assert_eq!(inflected(word).join(" "), forms, "{word}");
        }
    }
}
