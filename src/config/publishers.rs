//! Reads the names of publishers: `publishers`.

use std::collections::BTreeMap;

use super::reader::{ConfigReader, all};
use tidings_rules::condition::Publishers;
use tidings_rules::yaml::Node;

/// `{BBC: [bbc.co.uk, BBC News]}`: publishers, each with its domains and the names that feeds give
/// it. No domain or name may be of two publishers.
pub(super) fn publishers(
    node: Option<Node<'_>>,
    reader: &mut ConfigReader<'_>,
) -> Option<Publishers> {
    let Some(node) = node else { return Some(Publishers::default()) };
    if !node.is_mapping() {
        let help = "write {BBC: [bbc.co.uk, BBC News]}";
        reader.error(node, "publishers are written as names with their domains", help);
        return None;
    }
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let pairs = node.pairs(reader.faults);
    let read: Vec<(String, Vec<String>)> = all(pairs.into_iter().map(|(name, node)| {
        let name = reader.check_name(&name)?;
        let own = node.one_or_many().into_iter();
        let own: Option<Vec<String>> = all(own.map(|node| one(&name, node, &mut known, reader)));
        Some((name, own?))
    }))?;
    let named = read.iter().map(|(name, own)| (name.as_str(), own.iter().map(String::as_str)));
    Some(Publishers::new(named))
}

/// One domain or name of the publisher `name`.
fn one(
    name: &str,
    node: Node<'_>,
    known: &mut BTreeMap<String, String>,
    reader: &mut ConfigReader<'_>,
) -> Option<String> {
    let value = reader.name(node)?;
    if value.contains('/') {
        let help = "write a domain, as in bbc.co.uk, or the name that a feed gives, as in BBC News";
        reader.error(node, "this is neither a domain nor a name", help);
        return None;
    }
    match known.insert(value.to_lowercase(), name.to_owned()) {
        Some(other) if other != name => {
            let message = format!("`{value}` is of the publisher `{other}` already");
            reader.error(node, message, "remove it from one of the two");
            None
        }
        _ => Some(value),
    }
}
