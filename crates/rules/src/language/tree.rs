//! The tree of an expression. It is parsed once, and every tree is valid.

use std::ops::Range;
use std::sync::Arc;

use super::comparison::{Comparison, Measure};
use super::operand::{Choice, Operand};
use super::pair::Pair;
use super::pattern::Pattern;
use super::scope::Scope;
use super::term::Term;
use crate::language::term_list::TermList;

/// An expression, or a part of one. Spans are bytes of its text.
///
/// [`Tree::all`] and [`Tree::any`] build branches: neither contains its own kind, or fewer than two
/// branches. [`Tree::negated`] builds no `Not` of a `Not`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// A word or phrase.
    Term(Arc<Term>, Range<usize>),
    /// Any term of a list.
    List(Arc<TermList>, Range<usize>),
    /// A regular expression.
    Pattern(Arc<Pattern>, Range<usize>),
    /// A comparison with the length or age of the story.
    Compare(Comparison, Range<usize>),
    /// Two operands with a required position to each other.
    Pair(Box<Pair>, Range<usize>),
    /// The operand in at least this many places that do not overlap. At least one.
    AtLeast(usize, Operand, Range<usize>),
    /// At least this many of the items. A list counts as all of its terms. The number is from one
    /// to the number of items.
    AnyOf(usize, Vec<Tree>, Range<usize>),
    /// The whole branch within one unit. The branch has no field and no comparison.
    Within(TextUnit, Box<Tree>, Range<usize>),
    /// Every branch.
    And(Vec<Tree>),
    /// Any branch.
    Or(Vec<Tree>),
    /// Not the branch. The span includes the operator.
    Not(Box<Tree>, Range<usize>),
    /// The branch in one field. The span includes the field's name. The branch has no other field
    /// and no comparison.
    In(Scope, Box<Tree>, Range<usize>),
}

/// A part of a text that a whole clause can be required in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextUnit {
    /// A sentence of Unicode annex 29, with corrections for abbreviations.
    Sentence,
    /// The text between two blank lines.
    Paragraph,
}

impl TextUnit {
    /// The operator in expressions.
    pub(crate) fn operator(self) -> &'static str {
        match self {
            Self::Sentence => "SENT",
            Self::Paragraph => "PARA",
        }
    }

    /// The name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sentence => "sentence",
            Self::Paragraph => "paragraph",
        }
    }
}

impl Tree {
    /// The same as an operand; `None` if it is not words, phrases and lists joined by OR.
    pub(crate) fn into_operand(self) -> Option<Operand> {
        let branches = if let Self::Or(branches) = self { branches } else { vec![self] };
        let choice = |branch| match branch {
            Self::Term(term, _) => Some(Choice::Term(term)),
            Self::List(list, _) => Some(Choice::List(list)),
            _ => None,
        };
        branches.into_iter().map(choice).collect::<Option<_>>().map(Operand::new)
    }

    /// All of `branches`, which must not be empty.
    pub(crate) fn all(branches: Vec<Self>) -> Self {
        let flat = branches.into_iter().flat_map(|branch| match branch {
            Self::And(inner) => inner,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::And)
    }

    /// Any of `branches`, which must not be empty.
    pub(crate) fn any(branches: Vec<Self>) -> Self {
        let flat = branches.into_iter().flat_map(|branch| match branch {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::Or)
    }

    fn one_or(mut branches: Vec<Self>, many: fn(Vec<Self>) -> Self) -> Self {
        match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => {
                branches.extend(last);
                many(branches)
            }
        }
    }

    /// The clause that holds if `branch` does not.
    pub(crate) fn negated(branch: Self, span: Range<usize>) -> Self {
        match branch {
            Self::Not(inner, _) => *inner,
            other => Self::Not(Box::new(other), span),
        }
    }

    /// The number of its levels. A leaf has one.
    pub(crate) fn depth(&self) -> usize {
        1 + self.branches().iter().map(Self::depth).max().unwrap_or_default()
    }

    /// The bytes from its start to its end.
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Term(_, span)
            | Self::List(_, span)
            | Self::Pattern(_, span)
            | Self::Compare(_, span)
            | Self::Pair(_, span)
            | Self::AtLeast(_, _, span)
            | Self::AnyOf(_, _, span)
            | Self::Within(_, _, span)
            | Self::Not(_, span)
            | Self::In(_, _, span) => span.clone(),
            Self::And(branches) | Self::Or(branches) => {
                let start = branches.first().map_or(0, |branch| branch.span().start);
                start..branches.last().map_or(start, |branch| branch.span().end)
            }
        }
    }

    /// The clauses that it consists of, one level down.
    pub(crate) fn branches(&self) -> &[Self] {
        match self {
            Self::And(branches) | Self::Or(branches) | Self::AnyOf(_, branches, _) => branches,
            Self::Not(branch, _) | Self::In(_, branch, _) | Self::Within(_, branch, _) => {
                std::slice::from_ref(branch)
            }
            Self::Term(..)
            | Self::List(..)
            | Self::Pattern(..)
            | Self::Compare(..)
            | Self::Pair(..)
            | Self::AtLeast(..) => &[],
        }
    }

    /// The part through which it may hold if no term is found; `None` if it cannot hold then. A
    /// language, a length and an age count as true and as false.
    ///
    /// A rule that may hold without its terms would match nearly every story.
    pub(crate) fn matches_everything(&self) -> Option<&Self> {
        self.can_be_without_terms(true)
    }

    /// The part through which it may have the truth `wanted` if no term is found.
    fn can_be_without_terms(&self, wanted: bool) -> Option<&Self> {
        let all = |branches: &[Self]| {
            branches.iter().all(|branch| branch.can_be_without_terms(wanted).is_some())
        };
        match self {
            Self::Term(..)
            | Self::List(..)
            | Self::Pattern(..)
            | Self::Pair(..)
            | Self::AtLeast(..) => (!wanted).then_some(self),
            Self::Compare(..) | Self::In(Scope::Lang, ..) => Some(self),
            // A text without words has no sentence, so a branch in a sentence cannot hold.
            Self::Within(..) if !wanted => Some(self),
            Self::In(_, branch, _) | Self::Within(_, branch, _) => {
                branch.can_be_without_terms(wanted).map(|_| self)
            }
            Self::Not(branch, _) => branch.can_be_without_terms(!wanted).map(|_| self),
            Self::Or(branches) if wanted => {
                branches.iter().find_map(|branch| branch.can_be_without_terms(true))
            }
            Self::And(branches) if !wanted => {
                branches.iter().find_map(|branch| branch.can_be_without_terms(false))
            }
            Self::And(branches) | Self::Or(branches) => all(branches).then_some(self),
            Self::AnyOf(least, items, _) => {
                let (count, may_be) = items.iter().fold((0, 0), |(count, may_be), item| {
                    (
                        count + item.weight(),
                        may_be
                            + if item.can_be_without_terms(wanted).is_some() {
                                item.weight()
                            } else {
                                0
                            },
                    )
                });
                let enough = if wanted { may_be >= *least } else { count - may_be < *least };
                enough.then_some(self)
            }
        }
    }

    /// The number of items of `ANY` that it counts for.
    pub(crate) fn weight(&self) -> usize {
        if let Self::List(list, _) = self { list.terms.len() } else { 1 }
    }

    /// Whether it searches the story's text, and not only the title.
    pub(crate) fn reads_body(&self) -> bool {
        match self {
            Self::Term(..)
            | Self::List(..)
            | Self::Pattern(..)
            | Self::Pair(..)
            | Self::AtLeast(..) => true,
            Self::Compare(comparison, _) => comparison.measure() == Measure::Words,
            Self::In(scope, ..) => scope.reads_body(),
            Self::Within(..) | Self::Not(..) | Self::And(_) | Self::Or(_) | Self::AnyOf(..) => {
                self.branches().iter().any(Self::reads_body)
            }
        }
    }

    /// The lists that it names, in order. A list that is named twice appears twice.
    pub(crate) fn lists(&self) -> Vec<&Arc<TermList>> {
        fn named(operand: &Operand) -> Vec<&Arc<TermList>> {
            let lists = operand.choices().iter().filter_map(|choice| match choice {
                Choice::List(list) => Some(list),
                Choice::Term(_) => None,
            });
            lists.collect()
        }
        match self {
            Self::List(list, _) => vec![list],
            Self::Pair(pair, _) => [named(&pair.left), named(&pair.right)].concat(),
            Self::AtLeast(_, operand, _) => named(operand),
            _ => self.branches().iter().flat_map(Self::lists).collect(),
        }
    }
}
