//! Why an expression holds of a story, or does not: a tree of clauses, each with the words that
//! decide it.

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

/// One clause of an expression, and what a story makes of it.
#[derive(Clone, Debug, Serialize)]
pub struct Clause {
    /// The clause in canonical form, with the name of the field that it is about.
    pub text: String,
    /// Whether it holds.
    pub truth: Truth,
    /// The words that it finds; empty if it is made of clauses, or finds none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What is missing and what comes near it, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The clauses that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
    /// The reason where it does not hold; `None`: its clauses give the reasons.
    #[serde(skip)]
    lack: Option<String>,
}

/// Which clauses of `tree` hold of `story`, seen in `carriers`, and why. `read`: how much of the
/// story was read.
pub(crate) fn explain_story(
    tree: &Tree,
    story: &Story,
    carriers: &[Carrier],
    read: &Read,
) -> Clause {
    let tokenized = TokenizedStory::new(story, carriers);
    explain(tree, &if *read == Read::Full { tokenized } else { tokenized.unread() })
}

/// Which clauses of `tree` hold of `tokenized`, and why.
pub(crate) fn explain(tree: &Tree, tokenized: &TokenizedStory<'_>) -> Clause {
    clause(tree, ClauseScope { field: None, view: &tokenized.view(Scope::Text) }, tokenized)
}

impl Clause {
    /// The reasons why it does not hold, one for every part that fails; none if it holds.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        match &self.lack {
            _ if self.truth == Truth::True => Vec::new(),
            Some(lack) if self.notes.is_empty() => vec![lack.clone()],
            Some(lack) => vec![format!("{lack} ({})", self.notes.join("; "))],
            None => self.clauses.iter().flat_map(Self::reasons).collect(),
        }
    }

    /// The words of the story that it finds, as the story has them.
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
            let lack = Some(format!("nothing of `{text}` is there"));
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
            let lack = Some(format!("too little of `{text}` is there"));
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

/// A clause without clauses.
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
        (_, Truth::Unknown) => format!("`{text}` is not in what was read"),
        (Tree::List(..), _) => format!("nothing of `{text}` is there"),
        (Tree::Pair(..) | Tree::Pattern(..), _) => format!("`{text}` is nowhere"),
        _ => format!("`{text}` is missing"),
    });
    Clause { text, truth, evidence, notes, clauses: Vec::new(), lack }
}

/// All of `branch` within one unit: the first where it holds, else the one that comes nearest.
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
            vec![format!("it is there, but in no single {}", unit.name())]
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

/// The length of the sentence that comes nearest, in bytes.
const NEAREST: usize = 120;

/// How many of the clauses of `tree` hold of `view`.
fn score(tree: &Tree, tokenized: &TokenizedStory<'_>, view: &StoryView) -> usize {
    match tree {
        Tree::Not(..) => 0,
        _ if tree.branches().is_empty() => usize::from(truth(tree, tokenized, view) == Truth::True),
        _ => tree.branches().iter().map(|branch| score(branch, tokenized, view)).sum(),
    }
}

/// The reason where a clause holds that must not.
fn forbidden(inner: &Clause) -> String {
    let found = inner.words().join(", ");
    match inner.truth {
        Truth::Unknown => {
            format!("`{}`, which must not be there, may stand in what was not read", inner.text)
        }
        _ if found.is_empty() => format!("`{}` is there, but must not", inner.text),
        _ => format!("{found} is there, but must not"),
    }
}

#[cfg(test)]
mod tests;
