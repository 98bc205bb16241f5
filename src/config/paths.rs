//! Reads the store's file, the folder of rules and the time zone.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::reader::ConfigReader;
use tidings_rules::fault::nearest;
use tidings_rules::yaml::Node;

/// The file of the store, written `sqlite:FILE`.
pub(super) fn store(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<PathBuf> {
    let Some(node) = node else { return Some(reader.base.join("tidings.db")) };
    let address = reader.string(node)?;
    let file = address.strip_prefix("sqlite:").map(|file| file.strip_prefix("//").unwrap_or(file));
    match file {
        None => reader.error(
            node,
            "a store has the form sqlite:FILE",
            "write sqlite:tidings.db; only SQLite stores can be used",
        ),
        Some("" | ":memory:") => {
            reader.error(node, "the store must be a file", "write sqlite:tidings.db");
        }
        Some(file) if file.contains('?') => {
            reader.error(node, "a store takes no options", "remove the ? and what follows");
        }
        Some(file) => return Some(reader.base.join(file)),
    }
    None
}

/// The folder of rule files.
pub(super) fn rules(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<PathBuf> {
    let Some(node) = node else { return Some(reader.base.join("rules")) };
    let folder = reader.string(node)?;
    Some(reader.base.join(folder))
}

/// A zone of the IANA time zone database.
pub(super) fn zone(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<TimeZone> {
    let Some(node) = node else { return Some(TimeZone::system()) };
    let name = reader.expanded(node)?;
    let zone = TimeZone::get(&name.value).ok();
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let help = match nearest(&name.written.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it like Europe/Berlin or UTC".to_owned(),
        };
        reader.error(node, format!("the time zone `{}` is not known", name.written.value), help);
    }
    zone
}
