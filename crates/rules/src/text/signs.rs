//! Joins words with their signs: `AT&T`, `C++`.

use std::ops::Range;

/// Joins `words` of `folded`, in order, with the signs that belong to them.
pub(super) fn join(folded: &str, words: &mut Vec<Range<usize>>) {
    if !folded.contains(['&', '+', '#']) {
        return;
    }
    join_ampersands(folded, words);
    for word in words {
        word.end += sign_length(folded, word);
    }
}

fn join_ampersands(folded: &str, words: &mut Vec<Range<usize>>) {
    let (mut kept, mut left) = (0, 0..0);
    for next in 0..words.len() {
        let word = words[next].clone();
        let right = match words[..kept].last_mut() {
            Some(last) if &folded[last.end..word.start] == "&" => right_side(folded, &left, &word)
                .inspect(|right| {
                    last.end = right.end;
                }),
            _ => None,
        };
        let rest = right.as_ref().map_or(word.start, |right| right.end)..word.end;
        left = right.unwrap_or_else(|| word.clone());
        if !rest.is_empty() {
            left = rest.clone();
            words[kept] = rest;
            kept += 1;
        }
    }
    words.truncate(kept);
}

/// The part of `word` that an `&` joins to the word or letters `left`; `None` if it joins nothing.
/// One side must have at most two letters (`AT&T`, not `Johnson&Johnson`). Digits after the letters
/// are not joined (`S&P500`). In a query (`x=1&y=2`), nothing is joined.
fn right_side(folded: &str, left: &Range<usize>, word: &Range<usize>) -> Option<Range<usize>> {
    let in_query = folded[..left.start].ends_with('=') || folded[word.end..].starts_with('=');
    let letters =
        folded[word.clone()].find(char::is_numeric).filter(|&at| at > 0).unwrap_or(word.len());
    let right = word.start..word.start + letters;
    let (one, other) = (&folded[left.clone()], &folded[right.clone()]);
    let of_letters = has_case(one) || has_case(other);
    let short = is_short(one) || is_short(other);
    (!in_query && of_letters && short && is_side(one) && is_side(other)).then_some(right)
}

/// Whether all letters of `text` are of a script with capitals. Other scripts write `&` between
/// words.
fn has_case(text: &str) -> bool {
    text.chars().all(char::is_lowercase)
}

fn is_side(text: &str) -> bool {
    has_case(text) || text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_short(text: &str) -> bool {
    text.chars().nth(2).is_none()
}

/// The length of `++` or `#` after a single letter, if the sign ends there: `C++`, `C++20`, `F#`.
fn sign_length(folded: &str, word: &Range<usize>) -> usize {
    let mut letters = folded[word.clone()].chars();
    if !letters.next().is_some_and(char::is_lowercase) || letters.next().is_some() {
        return 0;
    }
    let behind = &folded[word.end..];
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphabetic() || "+#".contains(c));
    match (behind.strip_prefix("++"), behind.strip_prefix('#')) {
        (Some(rest), _) if !goes_on(rest) => 2,
        (_, Some(rest)) if !goes_on(rest) && !rest.starts_with(char::is_numeric) => 1,
        _ => 0,
    }
}
