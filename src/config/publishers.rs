//! Reads the names of publishers: `publishers`.

use std::collections::BTreeMap;

use super::reader::{ConfigReader, all};
use tidings_rules::condition::{Publishers, is_public_suffix, publisher_key};
use tidings_rules::yaml::{Node, Text};

/// What a publisher has.
const DOMAINS_AND_NAMES: &str =
    "write its domains, as in bbc.co.uk, and the names that feeds give it, as in BBC News";

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
    let pairs = node.pairs(reader.faults);
    let mut known = KnownPublishers::default();
    let checked: Vec<Option<String>> =
        pairs.iter().map(|(name, _)| publisher(name, &mut known, reader)).collect();
    let read: Vec<(String, Vec<String>)> =
        all(checked.into_iter().zip(&pairs).map(|(name, (_, node))| {
            let name = name?;
            let own = node.one_or_many();
            if own.is_empty() {
                reader.error(*node, "this publisher has no domain and no name", DOMAINS_AND_NAMES);
                return None;
            }
            let own = own.into_iter().map(|node| one(&name, node, &mut known, reader));
            let own: Option<Vec<String>> = all(own);
            Some((name, own?))
        }))?;
    let named = read.iter().map(|(name, own)| (name.as_str(), own.iter().map(String::as_str)));
    Some(Publishers::new(named))
}

/// Publishers by their names, domains and the names that feeds give them, as they are compared.
#[derive(Default)]
struct KnownPublishers(BTreeMap<String, String>);

impl KnownPublishers {
    /// Notes that `value` is of the publisher `name`. Returns another publisher that has it.
    fn claim(&mut self, value: &str, name: &str) -> Option<&str> {
        let owner = self.0.entry(publisher_key(value)).or_insert_with(|| name.to_owned());
        (owner != name).then_some(owner)
    }
}

/// The name of a publisher.
fn publisher(
    name: &Text,
    known: &mut KnownPublishers,
    reader: &mut ConfigReader<'_>,
) -> Option<String> {
    let value = reader.check_name(name)?;
    let Some(other) = known.claim(&value, &value) else { return Some(value) };
    let message = format!("the publisher `{other}` is there already, and case does not count");
    let fault = name.fault(0..value.len(), message);
    reader.faults.push(fault.help("write the domains of both under one name"));
    None
}

/// One domain or name of the publisher `name`.
fn one(
    name: &str,
    node: Node<'_>,
    known: &mut KnownPublishers,
    reader: &mut ConfigReader<'_>,
) -> Option<String> {
    let value = reader.name(node)?;
    if let Some((message, help)) = problem(&value) {
        reader.error(node, message, help);
        return None;
    }
    let other = known.claim(&value, name).map(str::to_owned);
    if let Some(other) = &other {
        let message = format!("`{value}` is of the publisher `{other}` already");
        reader.error(node, message, "remove it from one of the two");
    }
    other.is_none().then_some(value)
}

/// Why `value` is neither a domain of a publisher nor a name, and what to write.
fn problem(value: &str) -> Option<(String, String)> {
    let is_word = !value.contains(char::is_whitespace);
    let domain = value.trim_start_matches(['*', '.']);
    if is_word && domain != value {
        let help = match domain {
            "" => DOMAINS_AND_NAMES.to_owned(),
            _ => format!("write `{domain}`: a domain stands for those below it, too"),
        };
        return Some(("a domain has no `*` and no dot before it".to_owned(), help));
    }
    let has_port = value.rsplit_once(':').is_some_and(|(host, port)| {
        host.contains('.') && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if value.contains('/') || (is_word && has_port) {
        return Some((
            "this is neither a domain nor a name".to_owned(),
            DOMAINS_AND_NAMES.to_owned(),
        ));
    }
    // A name with capitals, such as `BBC`, may be such a suffix, too.
    let is_suffix = value.contains('.') || !value.contains(char::is_uppercase);
    if is_suffix && is_public_suffix(&value.to_lowercase()) {
        let message = format!("domains of many publishers end with `{value}`");
        let help = format!(
            "write the domain of the publisher, as in example.{value}; a name has a capital"
        );
        return Some((message, help));
    }
    None
}
