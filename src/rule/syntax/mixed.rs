//! Operators mixed without parentheses: the tools that people come from disagree on what that means, so both readings are shown.

use std::ops::Range;

use super::parser::{Item, Joint};
use crate::rule::excerpt;

/// The length of a reading that is shown whole, in bytes.
const READING: usize = 200;

/// An ambiguity.
pub(super) struct Mixture {
    /// The operator or operand that makes it one.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// Two expressions that parse, each with its own meaning.
    pub(super) readings: (String, String),
}

/// What is ambiguous in `items`, the operands of one level, if anything. Where an operand or joint is missing, that was told.
pub(super) fn find(items: &[Item]) -> Option<Mixture> {
    let is_told = |item: &Item| item.bare.is_empty() || matches!(item.joint, Joint::Missing | Joint::Refused);
    let [_, second, others @ ..] = items else { return None };
    if items.iter().any(is_told) {
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
    let shown = |reading: &str| excerpt::around(reading, &(0..0), READING).0;
    Some(Mixture {
        span: span.clone(),
        message: format!("{operator} beside OR can be read in two ways: parentheses must say which"),
        readings: (shown(&readings.0), shown(&readings.1)),
    })
}

/// `a OR b AND c`, with AND read first and with OR read first.
fn and_with_or(items: &[Item]) -> (String, String) {
    let and_first = groups(items, |joint| joint == Joint::Or)
        .map(|group| parenthesised(chain(group), group.len() > 1))
        .collect::<Vec<_>>()
        .join(" OR ");
    let mut or_first = String::new();
    for group in groups(items, |joint| joint != Joint::Or) {
        let (joint, not) = match (group[0].joint, group[0].negated && group.len() > 1) {
            (Joint::First, not) => ("", not),
            (Joint::AndNot, not) => (" NOT ", not),
            (_, not) => (" AND ", not),
        };
        let text = if not { chain_without_first_not(group) } else { chain(group) };
        or_first += joint;
        or_first += if not { "NOT " } else { "" };
        or_first += &parenthesised(text, group.len() > 1);
    }
    (and_first, or_first)
}

/// `a OR NOT b OR c`, where `items[negated]` is `NOT b`: the negation of `b` alone, and of all that follows.
fn not_with_or(items: &[Item], negated: usize) -> (String, String) {
    let (before, rest) = items.split_at(negated);
    let start = if before.is_empty() { String::new() } else { chain(before) + " OR " };
    let narrow = format!("{start}({}) OR {}", rest[0].text, chain(&rest[1..]));
    let wide = format!("{start}NOT ({})", chain_without_first_not(rest));
    (narrow, wide)
}

/// `items` cut before every item whose joint is `at`.
fn groups(items: &[Item], at: impl Fn(Joint) -> bool) -> impl Iterator<Item = &[Item]> {
    items.chunk_by(move |_, next| !at(next.joint))
}

/// The items as they were written, the first without its joint.
fn chain(items: &[Item]) -> String {
    chain_from(&items[0].text, items)
}

fn chain_without_first_not(items: &[Item]) -> String {
    chain_from(&items[0].bare, items)
}

fn chain_from(first: &str, items: &[Item]) -> String {
    items[1..].iter().fold(first.to_owned(), |text, item| {
        let joint = match item.joint {
            Joint::Or => " OR ",
            Joint::AndNot => " NOT ",
            _ => " AND ",
        };
        text + joint + &item.text
    })
}

fn parenthesised(text: String, wanted: bool) -> String {
    if wanted { format!("({text})") } else { text }
}
