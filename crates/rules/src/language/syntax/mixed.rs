//! Refuses operators that are mixed without parentheses. Other tools disagree on their meaning, so
//! the fault shows both readings.

use std::ops::Range;

use crate::explain::excerpt;
use crate::language::syntax::joint::{Joint, ParsedOperand};

/// The longest reading that is shown whole, in bytes.
const READING: usize = 200;

/// An ambiguity.
pub(super) struct Mixture {
    /// The operator or operand that makes the expression ambiguous.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// Two valid expressions, one for each meaning.
    pub(super) readings: (String, String),
}

/// The ambiguity in `items`, the operands of one level, if there is one. Missing operands and
/// joints were reported before.
pub(super) fn find_mixture(items: &[ParsedOperand]) -> Option<Mixture> {
    let is_reported = |item: &ParsedOperand| {
        item.bare.is_empty() || matches!(item.joint, Joint::Missing | Joint::Refused)
    };
    let [_, second, others @ ..] = items else { return None };
    if items.iter().any(is_reported) {
        return None;
    }
    let starts_with_or = second.joint == Joint::Or;
    let stranger = others.iter().find(|item| (item.joint == Joint::Or) != starts_with_or);
    let negated = items.iter().position(|item| item.negated).filter(|at| at + 1 < items.len());
    let (span, operator, readings) = match (stranger, negated) {
        (Some(item), _) => {
            let and = items.iter().any(|item| item.joint == Joint::And);
            (&item.joint_span, if and { "AND" } else { "NOT" }, and_with_or(items))
        }
        (None, Some(at)) if starts_with_or => (&items[at].span, "NOT", not_with_or(items, at)),
        _ => return None,
    };
    let shown = |reading: &str| excerpt::head(reading, READING);
    Some(Mixture {
        span: span.clone(),
        message: format!("{operator} beside OR can be read in two ways: add parentheses"),
        readings: (shown(&readings.0), shown(&readings.1)),
    })
}

/// The two readings of `a OR b AND c`: AND first, and OR first.
fn and_with_or(items: &[ParsedOperand]) -> (String, String) {
    let mut left = items.len();
    let and_first = groups(items, |joint| joint == Joint::Or).map(|group| {
        left -= group.len();
        match group {
            [only] => operand(only, left > 0),
            many => format!("({})", chain(many)),
        }
    });
    let and_first: Vec<String> = and_first.collect();
    let or_first = groups(items, |joint| joint != Joint::Or).fold(String::new(), |text, group| {
        let joint = if text.is_empty() { "" } else { written(group[0].joint) };
        text + joint
            + &match group {
                [only] => only.text.clone(),
                [first, ..] if first.negated => {
                    format!("NOT ({})", chain_from(first.bare.clone(), group))
                }
                many => format!("({})", chain(many)),
            }
    });
    (and_first.join(" OR "), or_first)
}

/// The two readings of `a OR NOT b OR c` with `NOT b` at index `negated`: the negation of `b`, and
/// of everything after it.
fn not_with_or(items: &[ParsedOperand], negated: usize) -> (String, String) {
    let (before, rest) = items.split_at(negated);
    let start = if before.is_empty() { String::new() } else { chain(before) + " OR " };
    (chain(items), format!("{start}NOT ({})", chain_from(rest[0].bare.clone(), rest)))
}

/// Splits `items` before every item with the joint `at`.
fn groups(
    items: &[ParsedOperand],
    at: impl Fn(Joint) -> bool,
) -> impl Iterator<Item = &[ParsedOperand]> {
    items.chunk_by(move |_, next| !at(next.joint))
}

/// The items as written, without the joint of the first. A negation before an OR is in parentheses.
fn chain(items: &[ParsedOperand]) -> String {
    chain_from(operand(&items[0], is_before_or(items, 0)), items)
}

fn chain_from(first: String, items: &[ParsedOperand]) -> String {
    let rest = items.iter().enumerate().skip(1);
    rest.fold(first, |text, (at, item)| {
        text + written(item.joint) + &operand(item, is_before_or(items, at))
    })
}

fn is_before_or(items: &[ParsedOperand], at: usize) -> bool {
    items.get(at + 1).is_some_and(|next| next.joint == Joint::Or)
}

fn operand(item: &ParsedOperand, before_or: bool) -> String {
    if item.negated && before_or { format!("({})", item.text) } else { item.text.clone() }
}

fn written(joint: Joint) -> &'static str {
    match joint {
        Joint::Or => " OR ",
        Joint::AndNot => " NOT ",
        _ => " AND ",
    }
}
