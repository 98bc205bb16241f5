//! What of the nodes of a store needs attention, in sentences: those that differ from the others.

use crate::store::{RunRole, RunningNode};
use tidings_rules::text::visible_line;

/// How the nodes that share the work differ, and why an edit of one is not in force. The last run
/// is left out there: the status tells of it in any case.
#[must_use]
pub fn describe_nodes(nodes: &[RunningNode]) -> Vec<String> {
    let joint: Vec<&RunningNode> =
        nodes.iter().filter(|node| node.role == RunRole::Joint).collect();
    let Some((first, others)) = joint.split_first() else { return Vec::new() };
    let mut attention = Vec::new();
    let mut compare = |what: &str, differs: &dyn Fn(&RunningNode) -> bool| {
        let other = others.iter().find(|node| differs(node));
        attention.extend(other.map(|other| {
            format!("{} has {what} than {}", visible_line(&other.node), visible_line(&first.node))
        }));
    };
    compare("another rule set in force", &|node| {
        node.rule_set.zip(first.rule_set).is_some_and(|(one, other)| one != other)
    });
    compare("another configuration", &|node| {
        let both = node.config_hash.as_ref().zip(first.config_hash.as_ref());
        both.is_some_and(|(one, other)| one != other)
    });
    let last = nodes.iter().map(|node| node.run).max();
    for node in joint.into_iter().filter(|node| Some(node.run) != last) {
        attention.extend(node.reload_error.as_ref().map(|why| {
            let node = visible_line(&node.node);
            format!("the last edit of {node} is not in force: {}", visible_line(why))
        }));
    }
    attention
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn node(run: i64, rule_set: Option<i64>, config_hash: &str) -> RunningNode {
        RunningNode {
            run,
            node: format!("node-{run}"),
            role: RunRole::Joint,
            shares: 128,
            rule_set,
            config_hash: Some(config_hash.to_owned()),
            reload_error: None,
            until: Timestamp::UNIX_EPOCH,
            left: Duration::ZERO,
        }
    }

    #[test]
    fn nodes_that_differ_are_told_and_those_that_start_are_not() {
        let same = [node(1, Some(7), "a"), node(2, Some(7), "a"), node(3, None, "a")];
        assert_eq!(describe_nodes(&same), Vec::<String>::new());
        assert_eq!(describe_nodes(&[]), Vec::<String>::new());
        let differ = [node(1, Some(7), "a"), node(2, Some(7), "b"), node(3, Some(8), "b")];
        assert_eq!(
            describe_nodes(&differ),
            [
                "node-3 has another rule set in force than node-1",
                "node-2 has another configuration than node-1"
            ]
        );
        let leaving = RunningNode { role: RunRole::Leaving, ..node(2, Some(6), "b") };
        assert_eq!(describe_nodes(&[node(1, Some(7), "a"), leaving]), Vec::<String>::new());
    }

    #[test]
    fn a_reload_that_failed_is_told_of_each_node_but_the_last_run() {
        let failed = |run| RunningNode {
            reload_error: Some("a.yaml:1:8: no rules".to_owned()),
            ..node(run, Some(7), "a")
        };
        assert_eq!(
            describe_nodes(&[failed(1), failed(2)]),
            ["the last edit of node-1 is not in force: a.yaml:1:8: no rules"]
        );
    }
}
