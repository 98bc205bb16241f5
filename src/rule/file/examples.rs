//! A rule's own examples: stories that it must match, and stories that it must not.

use jiff::Timestamp;

use crate::fault::Fault;
use crate::rule::naive;
use crate::rule::page::Page;
use crate::rule::{Query, excerpt, reasons};
use crate::story::Story;
use crate::yaml::Node;

/// An example and its place.
pub(super) struct Example<'d> {
    node: Node<'d>,
    story: Story,
}

/// Reads `matches` or `ignores`: texts, or `{title, body, lang, url}`.
pub(super) fn read<'d>(node: Option<Node<'d>>, faults: &mut Vec<Fault>) -> Vec<Example<'d>> {
    let nodes = node.map_or(Vec::new(), |node| node.one_or_many());
    nodes.into_iter().filter_map(|node| Some(Example { node, story: story(&node, faults)? })).collect()
}

fn story(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Story> {
    let mut story = Story {
        title: String::new(),
        body: String::new(),
        url: None,
        published: None,
        first_seen: Timestamp::UNIX_EPOCH,
        lang: None,
        authors: Vec::new(),
        tags: Vec::new(),
    };
    if !node.is_mapping() {
        story.body = node.text(faults)?.value;
        return Some(story);
    }
    let mut entries = node.entries(faults)?;
    let mut text = |key| entries.get(key).and_then(|node| node.text(faults)).map(|text| text.value);
    story.title = text("title").unwrap_or_default();
    story.body = text("body").unwrap_or_default();
    story.lang = text("lang");
    story.url = text("url");
    let before = faults.len();
    entries.finish(faults);
    (faults.len() == before).then_some(story)
}

/// Holds `query` to the examples that it must match and those that it must not.
pub(super) fn hold(query: &Query, [matches, ignores]: &[Vec<Example<'_>>; 2], faults: &mut Vec<Fault>) {
    for example in matches {
        let page = Page::new(&example.story, &[]);
        if !naive::holds(&query.tree, &page) {
            let why = reasons::against(&query.tree, &page).join("; ");
            let why = excerpt::around(&why, &(0..0), 300).0;
            faults.push(example.node.fault(format!("the rule should match this example, but does not: {why}")));
        }
    }
    for example in ignores {
        let page = Page::new(&example.story, &[]);
        if naive::holds(&query.tree, &page) {
            let words = reasons::found(&query.tree, &page).join(", ");
            faults.push(example.node.fault(format!("the rule should ignore this example, but matches it on {words}")));
        }
    }
}
