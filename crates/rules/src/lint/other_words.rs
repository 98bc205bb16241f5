//! Warns of English stems and wildcards that also find common words with another meaning.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::common_words::{MANY, words_with_prefix};
use super::warning::{TermWarning, shown};
use crate::language::term::{Term, TermWord};
use crate::lint::common_words::WORDS;
use crate::text::{Stemmer, inflected};

/// The most words that a warning names.
const SHOWN: usize = 4;

/// Endings that make a related word: `government`, `terrorist`.
const RELATED: [&str; 26] = [
    "", "al", "ally", "ation", "ations", "d", "e", "ed", "er", "ers", "es", "ied", "ies", "ing",
    "ion", "ions", "ism", "ist", "ists", "ly", "ment", "ments", "or", "ors", "s", "y",
];

/// The common words by their English stems.
static BY_STEM: LazyLock<HashMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let mut words: HashMap<String, Vec<&str>> = HashMap::new();
    if let Some(english) = Stemmer::for_language("en") {
        for word in WORDS.iter() {
            words.entry(english.stem(word)).or_default().push(word);
        }
    }
    words
});

/// The warning about a single word.
pub(super) fn also_found(term: &Term) -> Option<TermWarning> {
    let [word] = term.words.as_slice() else { return None };
    match word {
        TermWord::Prefix(start) if term.text.contains('*') => {
            let found = words_with_prefix(start);
            let others = others(found, |word| RELATED.contains(&&word[start.len()..]));
            (!others.is_empty() && found.len() < MANY).then(|| {
                let message = format!("{} also finds {}", shown(term), listed(&others));
                (
                    message,
                    "if they are not meant, write the endings that are, joined by OR".to_owned(),
                )
            })
        }
        TermWord::Stem(stemmer, stem) if stemmer.tag() == "en" => {
            let written = crate::text::tokenise(&term.text).pop()?.word;
            let forms = inflected(&written);
            let is_form = |word: &str| {
                let ending = word.strip_prefix(written.as_str());
                forms.iter().any(|form| form == word)
                    || ending.is_some_and(|ending| RELATED.contains(&ending))
            };
            let others = others(BY_STEM.get(stem).map_or(&[][..], Vec::as_slice), is_form);
            (!others.is_empty()).then(|| {
                let message = format!("the stem of {} also finds {}", shown(term), listed(&others));
                let help = "if they are not meant, use `forms: inflected`, which finds regular endings only";
                (message, help.to_owned())
            })
        }
        _ => None,
    }
}

fn others(found: &[&'static str], is_form: impl Fn(&str) -> bool) -> Vec<&'static str> {
    found.iter().copied().filter(|word| !is_form(word)).collect()
}

fn listed(words: &[&str]) -> String {
    let more = if words.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", words[..words.len().min(SHOWN)].join(", "))
}
