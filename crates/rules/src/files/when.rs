//! Reads `when`, an expression or the same as YAML, to a tree that does not match everything.

use std::ops::Range;
use std::sync::Arc;

use crate::explain::excerpt;
use crate::fault::{Fault, Level, Source};
use crate::language::lists::Lists;
use crate::language::syntax;
use crate::language::syntax::ExpressionProblem;
use crate::language::tree::Tree;
use crate::lint;
use crate::lint::list_cache::ListCache;
use crate::text::one_line;
use crate::yaml::{Node, Text};

/// The most levels of a tree that is written as YAML. An expression has no more, because its
/// parentheses are at most 100 deep, and each can make two levels.
const MOST_LEVELS: usize = 200;

/// How a `when` was written, and its place.
pub(crate) enum When {
    /// As an expression.
    Expression(Text),
    /// As YAML. The spans of its tree belong to many texts.
    Clauses(Arc<Source>, Range<usize>),
}

impl When {
    /// `problem` of its tree, a warning, as a fault at its place in the file.
    pub(crate) fn warning(&self, problem: ExpressionProblem) -> Fault {
        match self {
            Self::Expression(text) => fault_in(text, problem),
            Self::Clauses(source, span) => {
                let fault = Fault::warning(source, span.clone(), problem.message);
                Fault { help: problem.help, ..fault }
            }
        }
    }
}

/// The tree of a rule's `when`, and how it was written; `None` if it has an error.
pub(crate) fn read_when(
    source: &Arc<Source>,
    node: &Node<'_>,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<(When, Tree)> {
    if node.is_mapping() || node.is_list() {
        let tree = sound_clause(node, lists, faults)?;
        return Some((When::Clauses(Arc::clone(source), node.span()), tree));
    }
    let text = node.text(faults)?;
    let tree = sound_expression(&text, lists, faults)?;
    faults.extend(folded_lines(&text, &tree));
    Some((When::Expression(text), tree))
}

/// A warning if YAML folds lines with one keyword each to a single phrase.
fn folded_lines(text: &Text, tree: &Tree) -> Option<Fault> {
    let Tree::Term(_, span) = tree else { return None };
    let is_quoted = text.value[span.clone()].starts_with(['"', '“', '„', '«', '=']);
    let place = text.place(span.clone());
    let written = &text.source().text[place];
    if is_quoted || text.value[span.clone()].contains('\n') || !written.contains('\n') {
        return None;
    }
    let lines: Vec<&str> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let any = excerpt::head(&lines.join(" OR "), 120);
    let fault = text.warning(span.clone(), "these lines are one phrase: no operator joins them");
    Some(fault.help(format!(
        "write `{any}` if any of them is enough, AND if all must be there; double quotes for the phrase"
    )))
}

/// Warns of clauses of `tree` that are probably mistakes. `when` is how it was written.
pub(crate) fn warn_of_expression(
    when: &When,
    tree: &Tree,
    cache: &ListCache,
    faults: &mut Vec<Fault>,
) {
    let warnings = lint::expression_warnings(tree, cache).into_iter();
    faults.extend(warnings.map(|problem| when.warning(problem)));
}

fn sound_clause(node: &Node<'_>, lists: &Lists, faults: &mut Vec<Fault>) -> Option<Tree> {
    let tree = clause(node, lists, faults)?;
    if tree.depth() > MOST_LEVELS {
        let fault = node.fault(format!("clauses are nested more than {MOST_LEVELS} deep here"));
        faults.push(fault.help("make term lists of the parts"));
        return None;
    }
    if tree.matches_everything().is_some() {
        faults.push(matches_nearly_all(node.fault(""), "add what must be there under `all`"));
        return None;
    }
    Some(tree)
}

/// The tree of a whole expression; `None` if it has an error.
pub(crate) fn sound_expression(
    text: &Text,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<Tree> {
    let tree = expression(text, lists, faults)?;
    if let Some(guilty) = tree.matches_everything() {
        let span = guilty.span();
        let help = format!(
            "say what must be there, too: SOMETHING AND {}",
            written(&text.value[span.clone()], guilty)
        );
        faults.push(matches_nearly_all(text.fault(span, ""), &help));
        return None;
    }
    Some(tree)
}

fn written(text: &str, tree: &Tree) -> String {
    let shown = one_line(&excerpt::head(text, 60));
    if matches!(tree, Tree::Or(_)) { format!("({shown})") } else { shown }
}

fn matches_nearly_all(fault: Fault, help: &str) -> Fault {
    let message =
        "this would match nearly every story: it holds if none of its terms is found".to_owned();
    Fault { message, ..fault }.help(help)
}

/// The tree of an expression. It may hold if no term is found.
fn expression(text: &Text, lists: &Lists, faults: &mut Vec<Fault>) -> Option<Tree> {
    let (tree, problems) = syntax::parse(&text.value, lists);
    faults.extend(problems.into_iter().map(|problem| fault_in(text, problem)));
    tree
}

/// `problem`, which was found in the value of `text`, as a fault at its place in the file.
pub(crate) fn fault_in(text: &Text, problem: ExpressionProblem) -> Fault {
    let fault = match problem.level {
        Level::Error => text.fault(problem.span, problem.message),
        Level::Warning => text.warning(problem.span, problem.message),
    };
    Fault { help: problem.help, ..fault }
}

/// An expression, or `{all: […], any: […], not: […]}` of such clauses.
fn clause(node: &Node<'_>, lists: &Lists, faults: &mut Vec<Fault>) -> Option<Tree> {
    if node.is_list() {
        let help = "say how they belong together: {all: […]} or {any: […]}";
        faults.push(
            node.fault("a list does not say whether all of it must be found, or any").help(help),
        );
        return None;
    }
    if !node.is_mapping() {
        return expression(&node.text(faults)?, lists, faults);
    }
    let mut entries = node.entries(faults)?;
    let parts =
        ["all", "any", "not"].map(|key| entries.get(key).map(|part| clauses(&part, lists, faults)));
    entries.refuse_unknown_keys(faults);
    let [all, any, not] = parts;
    if all.is_none() && any.is_none() && not.is_none() {
        faults.push(
            node.fault("there is nothing to look for here")
                .help("write {all: […], any: […], not: […]}"),
        );
        return None;
    }
    let negated = not.map_or(Some(Vec::new()), |not| {
        not.map(|not| {
            not.into_iter()
                .map(|tree| (tree.span(), tree))
                .map(|(span, tree)| Tree::negated(tree, span))
                .collect()
        })
    });
    let mut branches: Vec<Tree> = all.unwrap_or(Some(Vec::new()))?;
    if let Some(any) = any {
        branches.push(Tree::any(any?));
    }
    branches.extend(negated?);
    Some(Tree::all(branches))
}

/// The clauses of a list, or a single clause. `None` if any has an error or there is none.
fn clauses(node: &Node<'_>, lists: &Lists, faults: &mut Vec<Fault>) -> Option<Vec<Tree>> {
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        faults.push(
            node.fault("there is nothing in this list")
                .help("write words or phrases into it, or leave it out"),
        );
    }
    // Every clause is read before a missing one is reported, so that all faults are reported.
    let trees: Vec<Option<Tree>> = nodes.iter().map(|node| clause(node, lists, faults)).collect();
    trees.into_iter().collect::<Option<Vec<_>>>().filter(|trees| !trees.is_empty())
}
