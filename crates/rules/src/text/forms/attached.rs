//! Arabic and Hebrew prefixes: words such as “and”, “in” and “the” that are written together with
//! the next word.

use crate::text::letters::{is_arabic, is_hebrew};

/// The least letters of a word that is found behind a prefix. Shorter words would be found in too
/// many others.
const SHORTEST: usize = 3;

/// The Arabic article.
const ARTICLE: &str = "ال";

/// Whether `word`, folded as `tokenise` does, is found behind prefixes.
pub(crate) fn may_follow_prefixes(word: &str) -> bool {
    let letters = word.chars().count() >= SHORTEST;
    letters && (word.chars().all(is_arabic) || word.chars().all(is_hebrew))
}

/// Whether the first byte of a folded word is that of a script with prefixes.
#[inline]
pub(crate) fn may_have_prefixes(first: u8) -> bool {
    // Hebrew is in U+05D0–U+05EA, Arabic in U+0600–U+077F.
    matches!(first, 0xd7..=0xdd)
}

/// Calls `found` with what may remain of `token` without prefixes, for every way to remove them.
/// `lost` is true if an article that is not written, as in `للعراق`, may belong to the rest.
pub(crate) fn each_rest<'t>(token: &'t str, mut found: impl FnMut(&'t str, bool)) {
    let mut report = |rest: &'t str, lost: bool| {
        if rest.len() < token.len() && rest.chars().nth(SHORTEST - 1).is_some() {
            found(rest, lost);
        }
    };
    if token.starts_with(is_arabic) {
        for rest in without_one(token, &["و", "ف"]) {
            for rest in without_one(rest, &["ب", "ك", "ل"]) {
                report(rest, false);
                if let Some(rest) = rest.strip_prefix(ARTICLE) {
                    report(rest, false);
                }
            }
            if let Some(rest) = rest.strip_prefix("لل") {
                report(rest, true);
            }
        }
    } else if token.starts_with(is_hebrew) {
        for rest in without_one(token, &["ו"]) {
            for rest in without_one(rest, &["לכש", "כש", "מש", "ש"]) {
                for rest in without_one(rest, &["ב", "כ", "ל", "מ"]) {
                    without_one(rest, &["ה"]).for_each(|rest| report(rest, false));
                }
            }
        }
    }
}

/// Whether `token` is `word` behind prefixes.
pub(crate) fn is_prefixed(token: &str, word: &str) -> bool {
    let mut is_found = false;
    each_rest(token, |rest, lost| {
        is_found |= rest == word || (lost && word.strip_prefix(ARTICLE) == Some(rest));
    });
    is_found
}

/// `word` without the Arabic article, if it begins with it.
pub(crate) fn without_article(word: &str) -> Option<&str> {
    word.strip_prefix(ARTICLE)
}

/// `word`, and `word` without each of `prefixes` that it begins with.
fn without_one<'w>(
    word: &'w str,
    prefixes: &'static [&'static str],
) -> impl Iterator<Item = &'w str> {
    let cut = prefixes.iter().filter_map(|prefix| word.strip_prefix(*prefix));
    std::iter::once(word).chain(cut)
}

#[cfg(test)]
mod tests {
    use super::{is_prefixed, may_follow_prefixes};

    #[test]
    fn words_are_found_behind_their_prefixes() {
        for (word, tokens) in [
            ("ايران", "وايران بايران لايران كايران فايران وبايران"),
            ("عراق", "العراق والعراق بالعراق للعراق وللعراق كالعراق"),
            ("العراق", "والعراق بالعراق للعراق فللعراق"),
            ("ישראל", "בישראל לישראל מישראל וישראל שבישראל ומישראל כשישראל"),
            ("ממשלה", "הממשלה בממשלה שהממשלה ומהממשלה"),
        ] {
            for token in tokens.split(' ') {
                assert!(is_prefixed(token, word), "{token} is not {word}");
            }
        }
    }

    #[test]
    fn other_words_are_not() {
        for (word, token) in [
            ("عراق", "عراق"),
            ("العراق", "عراق"),
            ("ايران", "ايراني"),
            ("مصر", "مصري"),
            ("ישראל", "ישראלי"),
            ("ישראל", "ישראל"),
            ("iran", "wiran"),
        ] {
            assert!(!is_prefixed(token, word), "{token} is {word}");
        }
        assert!(may_follow_prefixes("مصر") && may_follow_prefixes("עזה"));
        for short in ["ها", "אל", "iran", "ab", "", "مصر2"] {
            assert!(!may_follow_prefixes(short), "{short}");
        }
    }
}
