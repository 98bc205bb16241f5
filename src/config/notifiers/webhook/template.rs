//! `template: FILE`: a webhook's messages as a user writes them, tried out as soon as they are
//! read.

use std::path::Path;

use super::super::super::reader::ConfigReader;
use super::super::super::{Template, Writes};
use crate::config::notifiers::faulty::Faulty;
use crate::files;
use tidings_rules::yaml::{Entries, Node};

/// The largest template, in bytes.
const LARGEST: u64 = 256 << 10;

pub(super) fn template(
    node: Node<'_>,
    entries: &mut Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Result<Template, Faulty> {
    if let Some(format) = entries.get("format") {
        reader.error(format, "`template` says what messages look like, too", "keep one of the two");
        return Err(Faulty);
    }
    let path = reader.expanded(node).ok_or(Faulty)?;
    let read = files::read_text(&reader.base.join(&path.value), LARGEST);
    let (name, help) =
        (&path.written.value, "README.md says what a template can use, under `template`");
    let found = match read {
        Err(why) => Err(format!("`{name}` cannot be read: {why}")),
        Ok(source) => Template::new(&source, writes(&path.value)).map_err(|failure| {
            format!("`{name}` fails with a sample {}: {}", failure.sample, failure.why)
        }),
    };
    found.map_err(|message| {
        reader.error(node, message, help);
        Faulty
    })
}

/// Files that end in `.json` write JSON, all others text.
fn writes(path: &str) -> Writes {
    let ending = Path::new(path).extension();
    if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        Writes::Json
    } else {
        Writes::Text
    }
}
