//! Whether one term is found wherever another is, by their words alone.

use crate::language::spelling::{Spelling, SpellingCondition};
use crate::language::term::{Term, TermWord};

/// Whether `wide` is found wherever `narrow` is found, in the words of `narrow` from index `at` on.
///
/// It is sound but not complete: `true` is always right.
pub(super) fn covers(wide: &Term, narrow: &Term, at: usize) -> bool {
    let covers_anywhere = |other: &Term| {
        wide.spellings()
            .any(|wide| (0..other.words.len()).any(|at| covers_as_spelled(wide, other, at)))
    };
    covers_as_spelled(wide, narrow, at) && narrow.respelled.as_deref().is_none_or(covers_anywhere)
}

/// The same for the two terms without their other spellings.
fn covers_as_spelled(wide: &Term, narrow: &Term, at: usize) -> bool {
    let end = at + wide.words.len();
    let Some(words) = narrow.words.get(at..end) else { return false };
    wide.words.iter().zip(words).all(|(wide, narrow)| word_covers(wide, narrow))
        && capitals_cover(wide, narrow, at)
}

/// Whether every capital that `wide` requires is required by `narrow`, too.
fn capitals_cover(wide: &Term, narrow: &Term, at: usize) -> bool {
    let Some(wanted) = &wide.capitals else { return true };
    let given = narrow.capitals.as_ref().and_then(|given| given.get(at..at + wanted.len()));
    given.is_some_and(|given| {
        wanted.iter().zip(given).all(|(wanted, given)| given.starts_with(wanted))
    })
}

fn word_covers(wide: &TermWord, narrow: &TermWord) -> bool {
    match narrow {
        TermWord::Plain(word) | TermWord::Exact(word) => {
            finds(wide, &Spelling::always(word.clone()))
        }
        TermWord::Attached(_) | TermWord::Stem(..) => wide == narrow,
        TermWord::Spelled { spellings, .. } => {
            spellings.iter().all(|spelling| finds(wide, spelling))
        }
        TermWord::Prefix(longer) => {
            matches!(wide, TermWord::Prefix(start) if longer.starts_with(start.as_str()))
        }
    }
}

/// Whether `word` is found wherever `narrow` is.
fn finds(word: &TermWord, narrow: &Spelling) -> bool {
    match word {
        TermWord::Plain(folded) | TermWord::Attached(folded) | TermWord::Exact(folded) => {
            *folded == narrow.word
        }
        TermWord::Spelled { spellings, .. } => spellings.iter().any(|wide| {
            wide.word == narrow.word
                && (wide.condition == SpellingCondition::Always
                    || wide.condition == narrow.condition)
        }),
        TermWord::Stem(stemmer, stem) => stemmer.finds(stem, &narrow.word),
        TermWord::Prefix(start) => narrow.word.starts_with(start.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::language::term::{Forms, Term};
    use crate::text::Stemmer;

    fn term(text: &str, forms: Forms) -> Term {
        match text.strip_prefix('^') {
            Some(text) => Term::new(text, false, forms, None).expect("a word").cased(),
            None => Term::new(text, false, forms, None).expect("a word"),
        }
    }

    fn is_covered(wide: &str, narrow: &str, forms: Forms) -> bool {
        let (wide, narrow) = (term(wide, forms), term(narrow, forms));
        (0..narrow.words.len()).any(|at| covers(&wide, &narrow, at))
    }

    #[test]
    fn a_wider_term_covers_a_narrower_one_and_no_other() {
        for (wide, narrow) in [
            ("weapon*", "weapons"),
            ("weapon*", "weapon*"),
            ("wea*", "weapon*"),
            ("Korea", "North Korea"),
            ("North", "North Korea"),
            ("north korea", "arms for North Korea"),
            ("artillery shell*", "artillery shells"),
            ("arms", "=arms"),
            ("arms", "^Arms"),
            ("U.S.", "^US"),
            ("US", "U.S."),
            ("^US", "^US Army"),
            ("김정은", "김정은이"),
        ] {
            assert!(is_covered(wide, narrow, Forms::Plain), "{wide} covers {narrow}");
        }
        for (wide, narrow) in [
            ("weapons", "weapon*"),
            ("weapon*", "wea*"),
            ("North Korea", "Korea"),
            ("North Korea", "Korea North"),
            ("^Arms", "arms"),
            ("^ARMS", "^Arms"),
            ("U.S.", "US"),
            ("arms", "arm"),
        ] {
            assert!(!is_covered(wide, narrow, Forms::Plain), "{wide} does not cover {narrow}");
        }
        assert!(is_covered("weapon", "weapons", Forms::Plural));
        let stems = Forms::Stem(Stemmer::for_language("en").expect("known"));
        assert!(is_covered("arms", "=arms", stems) && is_covered("arms", "arm", stems));
        assert!(!is_covered("=arms", "arms", stems));
    }
}
