//! Keeps secrets out of faults: what may be one is shown as stars.

use std::ops::Range;
use std::sync::Arc;

use crate::fault::{Fault, Source};
use crate::yaml::{Document, Node};

/// Keys of a notifier whose values may be secret, or hold a secret.
const SECRET_KEYS: [&str; 5] = ["password", "secret", "smtp", "url", "token"];

/// Gives every fault of `source` a copy of it in which secrets are stars. Variables (`${NAME}`) stay readable.
pub(super) fn hide_secrets(source: &Arc<Source>, document: Option<&Document>, faults: &mut [Fault]) {
    let spans = match document {
        Some(document) => secret_values(document),
        None => secret_lines(&source.text),
    };
    let masked = Arc::new(Source { name: source.name.clone(), text: masked(&source.text, &spans) });
    for fault in faults {
        let hidden = spans.iter().any(|span| span.start <= fault.span.start && fault.span.start <= span.end);
        if document.is_none() && hidden {
            // A syntax error quotes the line that it advises on.
            fault.help = fault.help.take().map(|_| "put the whole value in single quotes".to_owned());
        }
        fault.source = Arc::clone(&masked);
    }
}

fn secret_values(document: &Document) -> Vec<Range<usize>> {
    let mut ignored = Vec::new();
    let root = document.root();
    let Some(mut top) = root.is_mapping().then(|| root.entries(&mut ignored)).flatten() else { return Vec::new() };
    let Some(notifiers) = top.get("notifiers").filter(super::super::yaml::Node::is_mapping) else { return Vec::new() };
    let settings = notifiers.pairs(&mut ignored).into_iter().filter(|(_, node)| node.is_mapping());
    let values = settings.flat_map(|(_, node)| node.pairs(&mut Vec::new()));
    let secret = values.filter(|(key, _)| SECRET_KEYS.contains(&key.value.as_str()));
    secret.flat_map(|(_, node)| leaves(node)).collect()
}

fn leaves(node: Node<'_>) -> Vec<Range<usize>> {
    let mut ignored = Vec::new();
    if node.is_list() {
        node.items(&mut ignored).into_iter().flat_map(leaves).collect()
    } else if node.is_mapping() {
        node.pairs(&mut ignored).into_iter().flat_map(|(_, node)| leaves(node)).collect()
    } else {
        vec![node.span()]
    }
}

/// Where no value can be told from another: the rest of every line that names a secret key.
fn secret_lines(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key = SECRET_KEYS.iter().filter_map(|key| line.find(key).map(|at| at + key.len())).min();
        if let Some(after) = key {
            spans.push(start + after..start + line.trim_end().len());
        }
        start += line.len();
    }
    spans
}

fn masked(text: &str, spans: &[Range<usize>]) -> String {
    let mut bytes: Vec<u8> = text.bytes().collect();
    for span in spans {
        let mut at = span.start;
        while at < span.end {
            let variable = text[at..span.end].starts_with("${").then(|| text[at..span.end].find('}')).flatten();
            if let Some(end) = variable {
                at += end + 1;
            } else {
                if !matches!(bytes[at], b'\n' | b' ' | b':') {
                    bytes[at] = b'*';
                }
                at += 1;
                while !text.is_char_boundary(at) {
                    bytes[at] = b'*';
                    at += 1;
                }
            }
        }
    }
    String::from_utf8(bytes).expect("whole characters were replaced by stars")
}
