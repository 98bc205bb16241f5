//! The words that wildcards match, found without the words of the whole story as strings.

use crate::engine::Scratch;
use crate::language::operand::Operand;
use crate::language::scope::Scope;
use crate::language::term::{Term, TermWord};
use crate::language::tree::Tree;

use super::{FoundKeys, is_open, operand_terms, wanted_operands};

/// The beginnings of words that an expression searches, each with its field.
#[derive(Default)]
struct Wildcards<'t>(Vec<(Scope, &'t str)>);

/// What the wildcards of `tree` match, as [`super::keys`] finds it. `None`: the expression has a
/// pattern, or a wildcard that looks at more than one word.
pub(super) fn keys_of_wildcards(tree: &Tree, scanned: &Scratch) -> Option<Vec<String>> {
    let mut wildcards = Wildcards::default();
    wildcards.gather(tree, Scope::Text)?;
    Some(wildcards.find(scanned))
}

impl<'t> Wildcards<'t> {
    /// The words of the scanned story that begin so.
    fn find(&self, scanned: &Scratch) -> Vec<String> {
        let mut keys = FoundKeys(Vec::new());
        for (scope, start) in &self.0 {
            let start = start.as_bytes();
            // Most words differ in the first byte, which is quicker to see than the beginning.
            let is_found = |word: &&[u8]| word.first() == start.first() && word.starts_with(start);
            for word in scanned.words(*scope).filter(is_found) {
                keys.add(String::from_utf8_lossy(word).into_owned());
            }
        }
        keys.0
    }

    /// Adds the wildcards of `tree` in the order of the expression.
    fn gather(&mut self, tree: &'t Tree, scope: Scope) -> Option<()> {
        match tree {
            Tree::Pattern(..) => None,
            Tree::Term(term, _) => self.add(term, scope),
            Tree::List(list, _) => list.terms.iter().try_for_each(|term| self.add(term, scope)),
            Tree::Pair(pair, _) => {
                wanted_operands(pair).try_for_each(|operand| self.add_operand(operand, scope))
            }
            Tree::AtLeast(_, operand, _) => self.add_operand(operand, scope),
            Tree::In(inner @ (Scope::Title | Scope::Body | Scope::Text), branch, _) => {
                self.gather(branch, *inner)
            }
            Tree::In(..) => (!super::has_open_terms(tree)).then_some(()),
            Tree::Not(..) | Tree::Compare(..) => Some(()),
            Tree::And(_) | Tree::Or(_) | Tree::AnyOf(..) | Tree::Within(..) => {
                tree.branches().iter().try_for_each(|branch| self.gather(branch, scope))
            }
        }
    }

    fn add_operand(&mut self, operand: &'t Operand, scope: Scope) -> Option<()> {
        operand_terms(operand).try_for_each(|term| self.add(term, scope))
    }

    fn add(&mut self, term: &'t Term, scope: Scope) -> Option<()> {
        if !is_open(term) {
            return Some(());
        }
        match &term.words[..] {
            [TermWord::Prefix(start)] if term.capitals.is_none() && term.respelled.is_none() => {
                self.0.push((scope, start));
                Some(())
            }
            _ => None,
        }
    }
}
