//! Warns of Cyrillic words with neither `*` nor a stem, because they are found in one case only.

use std::sync::Arc;

use crate::explain::excerpt;
use crate::language::scope::Scope;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::{Term, TermWord};
use crate::language::tree::Tree;
use crate::lint::visit;
use crate::lint::warning::{shown, warning};
use crate::text::is_cyrillic;

/// The least letters of such a word. Shorter words seldom have endings.
const SHORTEST: usize = 3;

/// The endings of adjectives in the nominative.
const OF_ADJECTIVES: [&str; 10] = ["ая", "яя", "ый", "ий", "ой", "ое", "ее", "ые", "ие", "ій"];

/// Warns of the first such term of an expression.
pub(super) fn warn_of_cyrillic_forms(tree: &Tree, found: &mut Vec<ExpressionProblem>) {
    let mut first = None;
    visit::visit_terms(tree, &mut |term: &Arc<Term>, span, scope| {
        let is_text = !matches!(scope, Scope::Url | Scope::Site | Scope::Source | Scope::Lang);
        if first.is_none() && is_text && lacks_endings(term) {
            first = Some((Arc::clone(term), span.clone()));
        }
    });
    if let Some((term, span)) = first {
        let help = format!(
            "write `{}`, or say in the rule whose stems to find: `stem: ru`; {AS_IT_IS}",
            with_wildcard(&term)
        );
        found.push(warning(span, missed(&term), help));
    }
}

/// The first such term of a list's own entries, and the warning.
pub(super) fn cyrillic_entries(own: &[&Term]) -> Option<(usize, ExpressionProblem)> {
    let at = own.iter().position(|term| lacks_endings(term))?;
    let term = own[at];
    let help = format!(
        "write `{}`, or put it under its language: stem: {{ru: [{}]}}; {AS_IT_IS}",
        with_wildcard(term),
        term.text
    );
    Some((at, warning(0..0, missed(term), help)))
}

const AS_IT_IS: &str = "a `=` before a word finds only this form";

fn missed(term: &Term) -> String {
    format!("{} is found in this form only: other cases and endings are missed", shown(term))
}

fn lacks_endings(term: &Term) -> bool {
    !term.text.contains('*')
        && term.stemmer.is_none()
        && term
            .words
            .iter()
            .any(|word| matches!(word, TermWord::Plain(_) | TermWord::Spelled { .. }))
        && term
            .text
            .split_whitespace()
            .any(|written| !written.starts_with('=') && has_endings(written))
}

/// Whether it is a Cyrillic word. A name of initials, such as США, has no cases and does not count.
fn has_endings(written: &str) -> bool {
    let letters = written.chars().filter(|c| is_cyrillic(*c)).count();
    let shouted = !written.chars().any(char::is_lowercase);
    letters >= SHORTEST
        && !shouted
        && written.chars().all(|c| is_cyrillic(c) || !c.is_alphanumeric())
}

/// The term with a wildcard in place of its known endings.
fn with_wildcard(term: &Term) -> String {
    let words = term.text.split_whitespace().map(|written| {
        if written.starts_with('=') || !has_endings(written) {
            written.to_owned()
        } else {
            opened(written)
        }
    });
    let opened = words.collect::<Vec<_>>().join(" ");
    excerpt::head(&opened, 60)
}

fn opened(written: &str) -> String {
    let word = written.trim_end_matches(|c: char| !c.is_alphanumeric());
    let stem = OF_ADJECTIVES.iter().find_map(|ending| word.strip_suffix(ending));
    let stem = stem.or_else(|| {
        word.strip_suffix(['а', 'я', 'о', 'е', 'и', 'ы', 'у', 'ю', 'й', 'ь', 'і', 'ї', 'є'])
    });
    let stem = stem.filter(|stem| stem.chars().count() >= SHORTEST).unwrap_or(word);
    format!("{stem}*")
}
