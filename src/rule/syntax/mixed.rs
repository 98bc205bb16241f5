//! The two ways to read an expression that mixes operators without parentheses.

use super::parser::{Item, Joint};

/// A pair of readings that both parse, each with its own meaning.
pub(super) type Readings = (String, String);

/// `a OR b AND c`, with AND read first and with OR read first.
pub(super) fn and_with_or(items: &[Item]) -> Readings {
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
pub(super) fn not_with_or(items: &[Item], negated: usize) -> Readings {
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
