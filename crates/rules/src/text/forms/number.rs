//! Singular and plural of an English word.

use std::collections::BTreeSet;

mod table;

/// The longest word that gets other forms, in bytes.
const LONGEST: usize = 64;

/// The plurals of `word`, which must be folded as `tokenise` does, and its possible singulars. They
/// are sorted and do not include `word`. Empty unless `word` has only ASCII letters and digits. The
/// relation is symmetric.
pub(crate) fn other_numbers(word: &str) -> Vec<String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if word.len() > LONGEST || !word.bytes().all(is_plain) {
        return Vec::new();
    }
    let singulars =
        candidates(word).into_iter().filter(|one| plurals(one).iter().any(|plural| plural == word));
    let others: BTreeSet<String> = singulars.chain(plurals(word)).collect();
    others.into_iter().collect()
}

/// The plurals of `word`, if it can be a singular.
fn plurals(word: &str) -> Vec<String> {
    let mut plurals = match irregular(word) {
        found if !found.is_empty() => found,
        _ if has_no_plural(word) => Vec::new(),
        _ => regular(word),
    };
    plurals.retain(|plural| plural.len() <= LONGEST && !table::has(table::NO_PLURALS, plural));
    plurals
}

/// The irregular plurals of whole words, and of the last part of compounds (`policeman`,
/// `grandchild`).
fn irregular(word: &str) -> Vec<String> {
    let whole =
        table::IRREGULAR.iter().filter(|(one, _)| *one == word).map(|(_, many)| (*many).to_owned());
    let ending = table::ENDINGS.iter().filter(|_| !table::has(table::NO_MEN, word));
    let ending =
        ending.filter_map(|(one, many)| Some(format!("{}{many}", word.strip_suffix(one)?)));
    let whole: Vec<String> = whole.collect();
    if whole.is_empty() { ending.collect() } else { whole }
}

/// Whether `word` is a plural already, or has none.
fn has_no_plural(word: &str) -> bool {
    table::has(table::NO_SINGULARS, word)
        || table::IRREGULAR.iter().any(|(_, many)| *many == word)
        || (table::ENDINGS.iter().any(|(_, many)| word.ends_with(many))
            && !table::has(table::NO_PLURALS, word))
        || word.len() < 2 && !word.ends_with(|c: char| c.is_ascii_digit())
}

fn regular(word: &str) -> Vec<String> {
    let with = |ending: &str| format!("{word}{ending}");
    let before = |length: usize| word[..word.len() - length].chars().next_back();
    let behind_consonant =
        before(1).is_some_and(|c| c.is_ascii_lowercase() && !"aeiou".contains(c));
    let (digits, last) = (word.contains(|c: char| c.is_ascii_digit()), word.chars().next_back());
    match last {
        _ if digits => last.filter(char::is_ascii_digit).map(|_| with("s")).into_iter().collect(),
        Some('y') if behind_consonant => vec![format!("{}ies", &word[..word.len() - 1])],
        Some('o') if behind_consonant => vec![with("es"), with("s")],
        Some('x' | 'z') => vec![with("es")],
        Some('h')
            if word.ends_with("sh")
                || (word.ends_with("ch") && !table::has(table::HARD_CH, word)) =>
        {
            vec![with("es")]
        }
        Some('s') if word.ends_with("sis") => vec![format!("{}ses", &word[..word.len() - 3])],
        Some('s')
            if word.ends_with("ss")
                || word.ends_with("us")
                || table::has(table::LIKE_GAS, word) =>
        {
            vec![with("es")]
        }
        Some('s') => Vec::new(),
        _ => vec![with("s")],
    }
}

/// The words that may have `word` among their plurals.
fn candidates(word: &str) -> Vec<String> {
    let regular = [("s", ""), ("es", ""), ("ies", "y"), ("ses", "sis")].into_iter();
    let ending = table::ENDINGS.iter().map(|(one, many)| (*many, *one));
    let cut = regular
        .chain(ending)
        .filter_map(|(many, one)| Some(format!("{}{one}", word.strip_suffix(many)?)));
    let whole =
        table::IRREGULAR.iter().filter(|(_, many)| *many == word).map(|(one, _)| (*one).to_owned());
    cut.chain(whole).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{other_numbers, table};

    #[test]
    fn words_know_their_other_number() {
        let cases = [
            ("weapon", "weapons"),
            ("city", "cities"),
            ("day", "days"),
            ("box", "boxes"),
            ("class", "classes"),
            ("church", "churches"),
            ("monarch", "monarchs"),
            ("bush", "bushes"),
            ("hero", "heroes heros"),
            ("radio", "radios"),
            ("knife", "knives"),
            ("leaf", "leaves"),
            ("chief", "chiefs"),
            ("house", "houses"),
            ("movie", "movies"),
            ("man", "men"),
            ("woman", "women"),
            ("policeman", "policemen"),
            ("german", "germans"),
            ("human", "humans"),
            ("child", "children"),
            ("grandchild", "grandchildren"),
            ("foot", "feet"),
            ("tooth", "teeth"),
            ("mouse", "mice"),
            ("person", "people persons"),
            ("crisis", "crises"),
            ("virus", "viruses"),
            ("specimen", "specimens"),
            ("gas", "gases"),
            ("bus", "buses"),
            ("quiz", "quizzes"),
            ("16", "16s"),
            ("f16", "f16s"),
            ("1990", "1990s"),
            ("arm", "arms"),
            ("pc", "pcs"),
        ];
        for (one, many) in cases {
            assert_eq!(other_numbers(one).join(" "), many);
            for plural in many.split(' ') {
                assert!(other_numbers(plural).iter().any(|singular| singular == one), "{plural}");
            }
        }
        assert_eq!(other_numbers("leaves"), ["leaf", "leave"]);
        assert_eq!(other_numbers("lives"), ["life", "live"]);
    }

    #[test]
    fn what_only_looks_like_a_plural_is_left_alone() {
        for word in [
            "news", "new", "us", "u", "is", "i", "was", "has", "this", "series", "species",
            "goods", "men", "", "s", "é", "u.s",
        ] {
            let others = other_numbers(word);
            assert!(others.is_empty() || word == "men", "{word}: {others:?}");
        }
        for (word, wrong) in [
            ("gas", "ga"),
            ("bus", "bu"),
            ("politics", "politic"),
            ("corps", "corp"),
            ("does", "do"),
            ("hamas", "hama"),
        ] {
            assert!(
                !other_numbers(word).contains(&wrong.to_owned())
                    && !other_numbers(wrong).contains(&word.to_owned()),
                "{word}"
            );
        }
    }

    fn words() -> impl Strategy<Value = String> {
        let ends = vec![
            "s", "es", "ies", "ves", "y", "o", "fe", "f", "man", "men", "sis", "ses", "us", "ss",
            "ch", "x", "1", "child", "ren",
        ];
        let known = table::IRREGULAR
            .iter()
            .flat_map(|(one, many)| [*one, *many])
            .chain(table::NO_PLURALS.split_whitespace());
        let known: Vec<&'static str> =
            known.chain(table::NO_SINGULARS.split_whitespace()).collect();
        prop_oneof![
            ("[a-z0-9]{0,4}", proptest::sample::select(ends)).prop_map(|(start, end)| start + end),
            proptest::sample::select(known).prop_map(str::to_owned),
            "[a-z0-9]{60,66}s?",
        ]
    }

    proptest! {
        #[test]
        fn what_one_word_has_for_another_the_other_has_for_it(word in words()) {
            let others = other_numbers(&word);
            prop_assert!(others.len() <= 6 && others.is_sorted() && !others.contains(&word), "{:?}", others);
            for other in others {
                prop_assert!(other_numbers(&other).contains(&word), "{} {}", word, other);
            }
        }
    }
}
