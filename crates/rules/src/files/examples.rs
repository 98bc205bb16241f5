//! Reads a rule's own examples: stories that it must match, and stories that it must not match.

use std::collections::BTreeSet;

use crate::explain::{excerpt, filtered_out};
use crate::fault::Fault;
use crate::language::term_list::TermList;
use crate::language::tree::Tree;
use crate::rule::settings::Settings;
use crate::story::{FeedName, Read, Story};
use crate::yaml::Node;
use crate::{Carrier, Query};

/// An example and its place.
pub(super) struct Example<'d> {
    node: Node<'d>,
    story: Story,
    /// The feed of the example, if it names one.
    carriers: Vec<Carrier>,
}

/// Reads `matches` or `ignores`: texts, or mappings `{title, body, url, source, author, lang, tag}`
/// with the names of an expression's fields.
pub(super) fn read_examples<'d>(
    node: Option<Node<'d>>,
    faults: &mut Vec<Fault>,
) -> Vec<Example<'d>> {
    let nodes = node.map_or(Vec::new(), |node| node.one_or_many());
    nodes.into_iter().filter_map(|node| example(node, faults)).collect()
}

fn example<'d>(node: Node<'d>, faults: &mut Vec<Fault>) -> Option<Example<'d>> {
    let mut story = Story::from_words("", "");
    if !node.is_mapping() {
        story.body = node.text(faults)?.value;
        return Some(Example { node, story, carriers: Vec::new() });
    }
    let mut entries = node.entries(faults)?;
    let before = faults.len();
    let mut texts = |key| {
        let nodes = entries.get(key).map_or(Vec::new(), |node| node.one_or_many());
        let values: Vec<String> =
            nodes.iter().filter_map(|node| Some(node.text(faults)?.value)).collect();
        values
    };
    story.title = texts("title").join(" ");
    story.body = texts("body").join("\n\n");
    story.url = texts("url").pop();
    story.lang = texts("lang").pop();
    story.authors = texts("author");
    story.tags = texts("tag");
    let carrier = |name| Carrier { name: FeedName(name), tags: BTreeSet::new() };
    let carriers = texts("source").into_iter().map(carrier).collect();
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    (faults.len() == before).then_some(Example { node, story, carriers })
}

/// Checks `tree`, for any row of its `each` list, with the examples that it must match and those
/// that it must not match. An example in a language that `settings` do not accept does not match.
pub(super) fn check_examples(
    tree: &Tree,
    each: Option<&TermList>,
    settings: &Settings,
    [matches, ignores]: &[Vec<Example<'_>>; 2],
    faults: &mut Vec<Fault>,
) {
    if matches.is_empty() && ignores.is_empty() {
        return;
    }
    let query = match each {
        None => Query::new(tree.clone()),
        Some(list) => Query::for_any_row(tree.clone(), &list.rows),
    };
    let refused = |example: &Example<'_>| {
        let is_refused = !settings.accepts_language(&example.story);
        is_refused.then(|| filtered_out::refused_language(settings, &example.story))
    };
    let matches_it = |example: &Example<'_>| {
        refused(example).is_none() && query.holds(&example.story, &example.carriers)
    };
    let explain =
        |example: &Example<'_>| query.explain(&example.story, &example.carriers, &Read::Full);
    for example in matches {
        if !matches_it(example) {
            let why = refused(example).unwrap_or_else(|| explain(example).reasons().join("; "));
            let why = excerpt::head(&why, 300);
            faults.push(
                example
                    .node
                    .fault(format!("the rule should match this example, but does not: {why}")),
            );
        }
    }
    for example in ignores {
        if matches_it(example) {
            let words = explain(example).words().join(", ");
            faults.push(
                example.node.fault(format!(
                    "the rule should ignore this example, but matches it on {words}"
                )),
            );
        }
    }
}
