//! An index of terms by their words. It finds the terms that cover another without a search of all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::cover::covers;
use crate::language::term::{Term, TermWord};
use crate::text::Stemmer;

/// The most words of a term in the index. Longer terms would cost too much.
const LONGEST: usize = 12;

/// The most terms with the same words and other capitals or labels that are kept.
const TWINS: usize = 4;

/// The longest beginning of a word that is looked up, in characters.
const BEGINNINGS: usize = 40;

/// The most steps of one search. Lists that people write need fewer.
const STEPS: usize = 2000;

/// A trie of terms by their words. Its keys are hashes, so every candidate is compared with the
/// term.
#[derive(Default)]
pub(super) struct TermIndex {
    edges: HashMap<(usize, u64), usize>,
    ends: HashMap<usize, Vec<IndexedTerm>>,
    stemmers: Vec<Stemmer>,
}

/// An indexed term and its number.
pub(super) struct IndexedTerm {
    pub(super) number: usize,
    pub(super) term: Arc<Term>,
}

impl TermIndex {
    /// The index of `terms`, numbered by their positions.
    pub(super) fn new<'t>(terms: impl IntoIterator<Item = &'t Arc<Term>>) -> Self {
        let mut index = Self::default();
        for (number, term) in terms.into_iter().enumerate() {
            index.add(number, term);
        }
        index
    }

    /// Adds `term` with that number.
    pub(super) fn add(&mut self, number: usize, term: &Arc<Term>) {
        if term.words.len() > LONGEST {
            return;
        }
        let mut node = 0;
        for word in &term.words {
            if let TermWord::Stem(stemmer, _) = word
                && !self.stemmers.contains(stemmer)
            {
                self.stemmers.push(*stemmer);
            }
            let next = self.edges.len() + 1;
            node = *self.edges.entry((node, key_of(word))).or_insert(next);
        }
        let twins = self.ends.entry(node).or_default();
        if twins.len() < TWINS {
            twins.push(IndexedTerm { number, term: Arc::clone(term) });
        }
    }

    /// A term that is found wherever `term` is, and that `wanted` accepts.
    pub(super) fn covering(
        &self,
        term: &Term,
        wanted: impl Fn(&IndexedTerm) -> bool,
    ) -> Option<&IndexedTerm> {
        let mut steps = 0;
        for start in 0..term.words.len() {
            let mut open = vec![(0, start)];
            while let Some((node, at)) = open.pop() {
                let ends = self.ends.get(&node).into_iter().flatten();
                let found = ends
                    .into_iter()
                    .find(|entry| covers(&entry.term, term, start) && wanted(entry));
                steps += 1;
                if found.is_some() || steps > STEPS {
                    return found;
                }
                let Some(word) = term.words.get(at) else { continue };
                let next =
                    self.keys(word).into_iter().filter_map(|key| self.edges.get(&(node, key)));
                open.extend(next.map(|node| (*node, at + 1)));
            }
        }
        None
    }

    /// The possible keys of words that cover `word`.
    fn keys(&self, word: &TermWord) -> Vec<u64> {
        let (first, others, is_start) = match word {
            TermWord::Plain(word) | TermWord::Attached(word) | TermWord::Exact(word) => {
                (word, &[][..], false)
            }
            TermWord::Spelled { spellings, .. } => (&spellings[0].word, &spellings[1..], false),
            TermWord::Prefix(start) => (start, &[][..], true),
            TermWord::Stem(..) => return vec![key_of(word)],
        };
        let ends = first.char_indices().map(|(at, c)| at + c.len_utf8());
        let mut keys: Vec<u64> = ends.take(BEGINNINGS).map(|end| key('*', &first[..end])).collect();
        if !is_start {
            keys.push(key('=', first));
            keys.extend(others.iter().map(|other| key('=', &other.word)));
            keys.extend(
                self.stemmers.iter().map(|stemmer| key_of_stem(*stemmer, &stemmer.stem(first))),
            );
        }
        keys
    }
}

fn key_of(word: &TermWord) -> u64 {
    match word {
        TermWord::Plain(word) | TermWord::Attached(word) | TermWord::Exact(word) => key('=', word),
        TermWord::Spelled { spellings, .. } => key('=', &spellings[0].word),
        TermWord::Prefix(start) => key('*', start),
        TermWord::Stem(stemmer, stem) => key_of_stem(*stemmer, stem),
    }
}

fn key(kind: char, text: &str) -> u64 {
    hash(&(kind, text))
}

fn key_of_stem(stemmer: Stemmer, stem: &str) -> u64 {
    hash(&(stemmer, stem))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{TermIndex, covers};
    use crate::language::term::{Forms, Term};

    #[test]
    fn what_covers_a_term_is_found_as_a_search_of_all_would_find_it() {
        let terms = [
            "weapon*",
            "North Korea",
            "Korea",
            "artillery shell*",
            "arms",
            "U.S.",
            "=arms deal",
            "Ким",
            "金",
        ];
        let term =
            |text: &&str| Arc::new(Term::new(text, false, Forms::Plain, None).expect("a word"));
        let terms: Vec<Arc<Term>> = terms.iter().map(term).collect();
        let index = TermIndex::new(&terms);
        for text in [
            "weapons",
            "arms deal",
            "the North Korea arms",
            "artillery",
            "artillery shelling",
            "金正恩",
            "oil",
        ] {
            let narrow = term(&text);
            let plain = terms
                .iter()
                .any(|wide| (0..narrow.words.len()).any(|at| covers(wide, &narrow, at)));
            assert_eq!(index.covering(&narrow, |_| true).is_some(), plain, "{text}");
        }
    }
}
