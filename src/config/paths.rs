//! Reads the folder of rules and the time zone.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::reader::ConfigReader;
use tidings_rules::fault::nearest;
use tidings_rules::yaml::Node;

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
