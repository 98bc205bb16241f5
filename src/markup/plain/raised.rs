//! Tells the marks of footnotes from other raised text: `Russia¹` is two words, `1st` and `km²` are
//! one.

/// Whether a raised text that begins with `raised` is the mark of a footnote behind `before`.
pub(super) fn is_footnote(before: &str, raised: &str) -> bool {
    let letters = |c: &char| c.is_alphabetic();
    let word: Vec<char> = before.chars().rev().take_while(letters).take(MOST_LETTERS).collect();
    let first = raised.trim_start().chars().next();
    if first.is_some_and(char::is_alphabetic) {
        // A letter behind a word of small letters: a mark, or `TM`. Behind others: `1st`, `XIXe`,
        // `Mme`.
        let has_capital = raised.chars().any(char::is_uppercase);
        let is_word = word.len() >= 4 && word[0].is_lowercase();
        let is_name = word.len() == 2 && word.iter().all(|c| c.is_uppercase());
        return is_word || has_capital && !word.is_empty() || is_name && raised.trim().len() == 1;
    }
    // Behind a unit or a symbol: `km²`, `x²`.
    let is_unit = word.len() == 1 || word.len() == 2 && word.iter().all(|c| c.is_lowercase());
    !is_unit
}

/// The letters before a raised text that are looked at.
const MOST_LETTERS: usize = 8;

/// Whether `text` begins with a word of three letters or more.
pub(super) fn begins_word(text: &str) -> bool {
    text.chars().take_while(|c| c.is_alphabetic()).take(3).count() == 3
}
