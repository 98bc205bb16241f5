//! Warns of names that are also very common English words, and of wildcards that find many such
//! words.

use std::sync::LazyLock;

use crate::language::scope::Scope;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::{Term, TermWord};
use crate::language::tree::Tree;
use crate::lint::list_cache::ListCache;
use crate::lint::warning::{TermWarning, shown, warning};

/// The sorted table. `lint/words.txt` states its source.
pub(super) static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("words.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// The number of common words from which a wildcard that finds them gets a warning.
pub(super) const MANY: usize = 12;

/// The common words that begin with `start`.
pub(super) fn words_with_prefix(start: &str) -> &'static [&'static str] {
    let first = WORDS.partition_point(|word| *word < start);
    let count = WORDS[first..].iter().take_while(|word| word.starts_with(start)).count();
    &WORDS[first..first + count]
}

/// The warning about a single word with a wildcard. In a phrase, the neighbours of the word narrow
/// it.
pub(super) fn too_wide(term: &Term) -> Option<TermWarning> {
    let [TermWord::Prefix(start)] = term.words.as_slice() else { return None };
    let found = words_with_prefix(start);
    let count = found.len();
    if count < MANY || !term.text.contains('*') {
        return None;
    }
    let some = [0, count / 2, count - 1].map(|at| found[at]).join(", ");
    let message =
        format!("{} finds {count} of the most common English words: {some}, …", shown(term));
    Some((message, "write more of the word, or the words that are meant, joined by OR".to_owned()))
}

/// Whether a word, folded as [`tokenise`](crate::text::tokenise) folds, is one of the few thousand
/// most frequent words of English texts.
pub fn is_common_word(word: &str) -> bool {
    WORDS.binary_search(&word).is_ok()
}

/// Whether `term` is a name that is also a very common word, and its capitals do not count.
pub(super) fn is_common(term: &Term) -> bool {
    let is_name = term.text.trim_start_matches('=').starts_with(char::is_uppercase);
    let [word] = term.words.as_slice() else { return false };
    let is_word = word.is_found_anywhere();
    is_name && is_word && term.capitals.is_none() && {
        let folded = crate::text::tokenise(&term.text);
        folded.first().is_some_and(|token| WORDS.binary_search(&token.word.as_str()).is_ok())
    }
}

/// Why a term of a table is found nearly everywhere; `None` if it is not. Such a term has no other
/// conditions, and its capitals do not count.
pub(crate) fn why_everywhere(term: &Term) -> Option<&'static str> {
    let [word] = term.words.as_slice() else { return None };
    let word = match word {
        TermWord::Prefix(word) => word,
        word if word.is_found_anywhere() => word.written()?,
        _ => return None,
    };
    if word.chars().nth(1).is_none() {
        return Some("a single letter");
    }
    WORDS.binary_search(&word).is_ok().then_some("a very common word")
}

/// Warns of the names in `tree` that are common words and alone make it hold.
pub(super) fn warn_of_common_words(
    tree: &Tree,
    cache: &ListCache,
    found: &mut Vec<ExpressionProblem>,
) {
    match tree {
        Tree::Term(term, span) if is_common(term) => found.push(common(term, span.clone())),
        // Rows have their own warning at the place that names their table.
        Tree::List(list, span) if list.rows.is_empty() => {
            if let Some(term) = cache.common(list) {
                found.push(common_in_list(&term, &list.name, span.clone()));
            }
        }
        Tree::And(branches) => {
            let mut needed = branches.iter().filter(|branch| branch.matches_everything().is_none());
            if let (Some(only), None) = (needed.next(), needed.next()) {
                warn_of_common_words(only, cache, found);
            }
        }
        Tree::Or(branches) | Tree::AnyOf(1, branches, _) => {
            for branch in branches {
                warn_of_common_words(branch, cache, found);
            }
        }
        Tree::Within(_, branch, _)
        | Tree::In(Scope::Title | Scope::Lead | Scope::Body | Scope::Text, branch, _) => {
            warn_of_common_words(branch, cache, found);
        }
        _ => {}
    }
}

fn common(term: &Term, span: std::ops::Range<usize>) -> ExpressionProblem {
    let name = shown(term);
    let word = term.text.to_lowercase();
    let bare = term.text.trim_start_matches('=');
    let message = format!("{name} is also a very common word: every `{word}` makes this match");
    let help = format!(
        "write cs({bare}) for the name, say what must be there, too: {bare} AND …, or write {word} if the word is meant"
    );
    warning(span, message, help)
}

fn common_in_list(term: &Term, list: &str, span: std::ops::Range<usize>) -> ExpressionProblem {
    let bare = term.text.trim_start_matches('=');
    let message = format!(
        "{} of `${list}` is also a very common word: every `{}` makes this match",
        shown(term),
        term.text.to_lowercase()
    );
    let help = format!("write cs({bare}) in the list, or say in the rule what must be there, too");
    warning(span, message, help)
}
