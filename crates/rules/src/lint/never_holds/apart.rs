//! Languages, sites and numbers that one story cannot have together.

use std::ops::Range;

use url::Host;

use super::clash::{Clash, written};
use crate::language::comparison::{Comparison, Sign};
use crate::language::scope::Scope;
use crate::language::tree::Tree;
use crate::story::LanguageTag;

/// Two of `branches`, all of which must hold, that never hold together.
pub(super) fn find_clash(branches: &[Tree]) -> Option<Clash> {
    clash_of_field(branches, Scope::Lang, languages_meet)
        .or_else(|| clash_of_field(branches, Scope::Site, sites_meet))
        .or_else(|| {
            clash_of_numbers(branches, "words", |comparison| {
                matches!(comparison, Comparison::Words(..))
            })
        })
        .or_else(|| {
            clash_of_numbers(branches, "age", |comparison| {
                matches!(comparison, Comparison::Age(..))
            })
        })
}

/// Two clauses on `scope`, a field with one value, that have no value in common.
fn clash_of_field(branches: &[Tree], scope: Scope, meet: fn(&str, &str) -> bool) -> Option<Clash> {
    let values = |branch| match branch {
        &Tree::In(of, ref inner, ref span) if of == scope => Some((texts(inner)?, span, branch)),
        _ => None,
    };
    let clauses: Vec<_> = branches.iter().filter_map(values).take(MOST).collect();
    for (at, (ones, _, first)) in clauses.iter().enumerate() {
        for (others, span, second) in &clauses[at + 1..] {
            if !ones.iter().any(|one| others.iter().any(|other| meet(one, other))) {
                let why = format!("no story has both {} and {}", written(first), written(second));
                return Some(Clash { span: Range::clone(span), why });
            }
        }
    }
    None
}

/// The most clauses, and the most values of each, that are examined.
const MOST: usize = 20;

/// The texts of a term or list, or of several joined by OR. `None` for anything else, and for very
/// many.
pub(super) fn texts(tree: &Tree) -> Option<Vec<&str>> {
    let texts: Vec<&str> = match tree {
        Tree::Term(term, _) => vec![&term.text],
        Tree::List(list, _) => {
            list.terms.iter().take(MOST + 1).map(|term| term.text.as_str()).collect()
        }
        Tree::Or(branches) if branches.len() <= MOST => {
            branches.iter().map(texts).collect::<Option<Vec<_>>>()?.concat()
        }
        _ => return None,
    };
    (texts.len() <= MOST).then_some(texts)
}

/// Whether a story may be in both languages: one is a variant of the other.
fn languages_meet(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (LanguageTag::parse(one), LanguageTag::parse(other)) else {
        return true;
    };
    one.is_in(&other.to_string()) || other.is_in(&one.to_string())
}

/// Whether a host may end in both sites.
fn sites_meet(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Host::parse(one), Host::parse(other)) else { return true };
    let (one, other) = (format!(".{one}"), format!(".{other}"));
    one.ends_with(&other) || other.ends_with(&one)
}

/// A clash if a comparison, or its negation, holds for no number. A text cannot have fewer than
/// zero words.
pub(super) fn impossible(tree: &Tree) -> Option<Clash> {
    let (comparison, negated) = comparison(tree)?;
    let (from, to) = bounds(comparison, negated);
    let least = if matches!(comparison, Comparison::Words(..)) { 0 } else { i128::MIN };
    (from.max(least) > to).then(|| Clash {
        span: tree.span(),
        why: format!("no text is as short as {} asks", written(tree)),
    })
}

/// Whether a comparison holds only for ages below zero: for stories dated after they were first
/// seen.
pub(super) fn is_of_the_future(tree: &Tree) -> bool {
    let age = comparison(tree).filter(|(comparison, _)| matches!(comparison, Comparison::Age(..)));
    age.is_some_and(|(comparison, negated)| bounds(comparison, negated).1 < 0)
}

fn comparison(tree: &Tree) -> Option<(Comparison, bool)> {
    match tree {
        Tree::Compare(comparison, _) => Some((*comparison, false)),
        Tree::Not(inner, _) => match inner.as_ref() {
            Tree::Compare(comparison, _) => Some((*comparison, true)),
            _ => None,
        },
        _ => None,
    }
}

/// A clash if a clause, with those before it, leaves no number for `what`.
fn clash_of_numbers(branches: &[Tree], what: &str, is_of: fn(Comparison) -> bool) -> Option<Clash> {
    let (mut least, mut most) = (if what == "words" { 0 } else { i128::MIN }, i128::MAX);
    branches.iter().find_map(|branch| {
        let (comparison, negated) = comparison(branch)?;
        // A comparison that is impossible alone is reported alone.
        if !is_of(comparison) || impossible(branch).is_some() {
            return None;
        }
        let (from, to) = bounds(comparison, negated);
        least = least.max(from);
        most = most.min(to);
        (least > most).then(|| Clash {
            span: branch.span(),
            why: format!("the other conditions on `{what}` leave no value for {}", written(branch)),
        })
    })
}

/// The least and the greatest whole number for which `comparison` holds, or does not hold if it is
/// `negated`.
fn bounds(comparison: Comparison, negated: bool) -> (i128, i128) {
    let (sign, number) = match comparison {
        Comparison::Words(sign, number) => (sign, i128::from(number)),
        Comparison::Age(sign, seconds) => (sign, i128::from(seconds)),
    };
    match (sign, negated) {
        (Sign::AtLeast, false) | (Sign::Less, true) => (number, i128::MAX),
        (Sign::More, false) | (Sign::AtMost, true) => (number + 1, i128::MAX),
        (Sign::AtMost, false) | (Sign::More, true) => (i128::MIN, number),
        (Sign::Less, false) | (Sign::AtLeast, true) => (i128::MIN, number - 1),
    }
}
