//! Explains why an expression holds for a story or not, as a tree of clauses with the words that
//! decide them.

use serde::Serialize;

use crate::engine::naive::truth;
use crate::engine::tokenized_story::{StoryView, TokenizedStory};
use crate::explain::evidence::{ClauseScope, evidence_of_leaf};
use crate::language::print;
use crate::language::scope::Scope;
use crate::language::tree::{TextUnit, Tree};
use crate::language::truth::Truth;
use crate::story::{Carrier, Evidence, Read, Story};
use crate::text::one_line;

pub(crate) mod evidence;
pub(crate) mod excerpt;
pub(crate) mod filtered_out;
mod near_misses;

/// A clause of an expression, and its result for a story.
#[derive(Clone, Debug, Serialize)]
pub struct Clause {
    /// The clause in canonical form, with its field.
    pub text: String,
    /// Whether it holds for the story.
    pub truth: Truth,
    /// The words that it finds. Empty if it has clauses of its own, or finds nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The missing parts and the near misses, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The clauses that it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
    /// Why it does not hold. `None` if its clauses give the reasons.
    #[serde(skip)]
    lack: Option<String>,
}

/// Explains which clauses of `tree` hold for `story`, which `carriers` carried, and why. `read` is
/// how much of the story was read.
pub(crate) fn explain_story(
    tree: &Tree,
    story: &Story,
    carriers: &[Carrier],
    read: &Read,
) -> Clause {
    let tokenized = TokenizedStory::new(story, carriers);
    explain(tree, &if *read == Read::Full { tokenized } else { tokenized.unread() })
}

/// Explains which clauses of `tree` hold for `tokenized`, and why.
pub(crate) fn explain(tree: &Tree, tokenized: &TokenizedStory<'_>) -> Clause {
    clause(tree, ClauseScope { field: None, view: &tokenized.view(Scope::Text) }, tokenized)
}

impl Clause {
    /// The reasons why it does not hold, one for every part that fails. Empty if it holds.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        match &self.lack {
            _ if self.truth == Truth::True => Vec::new(),
            Some(lack) if self.notes.is_empty() => vec![lack.clone()],
            Some(lack) => vec![format!("{lack} ({})", self.notes.join("; "))],
            None => self.clauses.iter().flat_map(Self::reasons).collect(),
        }
    }

    /// The words that it finds, as they are written in the story.
    pub(crate) fn words(&self) -> Vec<String> {
        let marked = |evidence: &Evidence| {
            let words = evidence
                .marks
                .first()
                .map_or(&*evidence.term, |mark| &evidence.sentence[mark.clone()]);
            format!("`{}`", one_line(words))
        };
        let own = self.evidence.iter().map(marked);
        own.chain(self.clauses.iter().flat_map(Self::words)).collect()
    }
}

fn clause(tree: &Tree, clause_scope: ClauseScope<'_>, tokenized: &TokenizedStory<'_>) -> Clause {
    let text = print::in_field(tree, clause_scope.field);
    let all = |branches: &[Tree]| -> Vec<Clause> {
        branches.iter().map(|branch| clause(branch, clause_scope, tokenized)).collect()
    };
    match tree {
        Tree::In(scope, branch, _) => clause(
            branch,
            ClauseScope { field: Some(*scope), view: &tokenized.view(*scope) },
            tokenized,
        ),
        Tree::And(branches) => {
            let clauses = all(branches);
            let truth = Truth::all(clauses.iter().map(|clause| clause.truth));
            Clause { text, truth, evidence: Vec::new(), notes: Vec::new(), clauses, lack: None }
        }
        Tree::Or(branches) => {
            let clauses = all(branches);
            let truth = Truth::any(clauses.iter().map(|clause| clause.truth));
            let lack = Some(format!("none of `{text}` is found"));
            Clause { text, truth, evidence: Vec::new(), notes: Vec::new(), clauses, lack }
        }
        Tree::Not(branch, _) => {
            let inner = clause(branch, clause_scope, tokenized);
            let lack = Some(forbidden(&inner));
            Clause {
                text,
                truth: !inner.truth,
                evidence: Vec::new(),
                notes: Vec::new(),
                clauses: vec![inner],
                lack,
            }
        }
        Tree::AnyOf(least, items, _) => {
            let held = truth(tree, tokenized, clause_scope.view);
            let clauses = all(items);
            let notes = vec![format!("{least} must hold")];
            let lack = Some(format!("too few of `{text}` are found"));
            Clause { text, truth: held, evidence: Vec::new(), notes, clauses, lack }
        }
        Tree::Within(unit, branch, _) => within(
            *unit,
            branch,
            text,
            truth(tree, tokenized, clause_scope.view),
            clause_scope,
            tokenized,
        ),
        leaf => explain_tree(
            leaf,
            text,
            truth(leaf, tokenized, clause_scope.view),
            clause_scope,
            tokenized,
        ),
    }
}

/// Explains a clause without clauses of its own.
fn explain_tree(
    leaf: &Tree,
    text: String,
    truth: Truth,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Clause {
    let holds = truth == Truth::True;
    let evidence = if holds { evidence_of_leaf(leaf, clause_scope, tokenized) } else { Vec::new() };
    let notes = match leaf {
        Tree::Compare(comparison, _) => vec![near_misses::measured_value(*comparison, tokenized)],
        _ if holds => Vec::new(),
        _ => near_misses::notes(leaf, clause_scope, tokenized),
    };
    let lack = Some(match (leaf, truth) {
        (Tree::Compare(..), Truth::Unknown) => format!("`{text}` cannot be decided"),
        (Tree::Compare(..), _) => format!("`{text}` does not hold"),
        (_, Truth::Unknown) => format!("`{text}` is not in the text that was read"),
        (Tree::List(..), _) => format!("none of `{text}` is found"),
        (Tree::Pair(..) | Tree::Pattern(..), _) => format!("`{text}` is not found"),
        _ => format!("`{text}` is missing"),
    });
    Clause { text, truth, evidence, notes, clauses: Vec::new(), lack }
}

/// Explains `branch` in one unit: the first unit for which it holds, else the unit for which most
/// of it holds.
fn within(
    unit: TextUnit,
    branch: &Tree,
    text: String,
    held: Truth,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Clause {
    let mut best: Option<(usize, StoryView)> = None;
    for part in tokenized.units(unit, clause_scope.view) {
        let score = if truth(branch, tokenized, &part) == Truth::True {
            usize::MAX
        } else {
            score(branch, tokenized, &part)
        };
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, part));
        }
    }
    let shown =
        best.as_ref().filter(|(score, _)| *score > 0).map_or(clause_scope.view, |(_, part)| part);
    let mut inner = clause(branch, ClauseScope { view: shown, ..clause_scope }, tokenized);
    let notes = match (held, best) {
        (Truth::True, _) | (_, None) => Vec::new(),
        (_, Some((0, _))) if inner.truth == Truth::True => {
            vec![format!("it is found, but not in one {}", unit.name())]
        }
        (_, Some((0, _))) if !inner.notes.is_empty() => std::mem::take(&mut inner.notes),
        (_, Some((0, _))) => vec![format!("no {} has any of it", unit.name())],
        (_, Some((_, part))) => {
            let nearest = one_line(tokenized.shown_text(&part));
            vec![format!("nearest {}: «{}»", unit.name(), excerpt::head(&nearest, NEAREST))]
        }
    };
    let lack = Some(format!("`{text}` is in no {}", unit.name()));
    Clause { text, truth: held, evidence: Vec::new(), notes, clauses: vec![inner], lack }
}

/// The longest text of the nearest unit that is shown, in bytes.
const NEAREST: usize = 120;

/// The number of clauses of `tree` that hold for `view`.
fn score(tree: &Tree, tokenized: &TokenizedStory<'_>, view: &StoryView) -> usize {
    match tree {
        Tree::Not(..) => 0,
        _ if tree.branches().is_empty() => usize::from(truth(tree, tokenized, view) == Truth::True),
        _ => tree.branches().iter().map(|branch| score(branch, tokenized, view)).sum(),
    }
}

/// The reason if a clause holds that must not.
fn forbidden(inner: &Clause) -> String {
    let found = inner.words().join(", ");
    match inner.truth {
        Truth::Unknown => {
            format!("`{}` must not be found, but may be in the text that was not read", inner.text)
        }
        _ if found.is_empty() => format!("`{}` is found, but must not be", inner.text),
        _ => format!("{found} is found, but must not be"),
    }
}

#[cfg(test)]
mod tests;
