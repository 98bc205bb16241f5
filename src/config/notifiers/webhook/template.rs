//! Reads `template: FILE`: the user's own form of a webhook's messages, rendered with samples at
//! once.

use std::path::Path;

use super::super::super::reader::ConfigReader;
use super::super::super::{Template, Writes};
use crate::config::faulty::Faulty;
use tidings_rules::yaml::{Entries, Node};

/// The largest template, in bytes.
const LARGEST: u64 = 256 << 10;

pub(super) fn template(
    node: Node<'_>,
    entries: &mut Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Result<Template, Faulty> {
    if let Some(format) = entries.get("format") {
        reader.error(format, "`template` sets the form of messages, too", "keep one of the two");
        return Err(Faulty);
    }
    let path = reader.expanded(node).ok_or(Faulty)?;
    let read = reader.read_text(&path.value, LARGEST);
    let (name, help) =
        (&path.written.value, "see `Templates` in docs/webhooks.md for what a template can use");
    let found = match read {
        Err(why) => Err(format!("`{name}` cannot be read: {why}")),
        Ok(source) => Template::new(&source, writes(&path.value)).map_err(|failure| {
            format!("`{name}` fails with a sample {}: {}", failure.sample, failure.why)
        }),
    };
    let template = found.map_err(|message| {
        reader.error(node, message, help);
        Faulty
    })?;
    warn_of_silence(node, name, &template, reader);
    Ok(template)
}

/// Warns of messages that would be delivered without a headline or a link of their stories.
fn warn_of_silence(node: Node<'_>, name: &str, template: &Template, reader: &mut ConfigReader<'_>) {
    for sample in template.silent_samples() {
        let what = if sample == "digest" { "a digest" } else { "an alert" };
        let warning = node.warning(format!(
            "`{name}` writes neither a headline nor a link of the stories of {what}"
        ));
        reader.faults.push(warning.help(if sample == "digest" {
            "write `{{ text }}`, which holds all of them; or for each story `{% if type == 'digest' %}{% for rule in rules %}{% for entry in rule.stories %}{{ entry.story.title }} {{ entry.story.url }} {% endfor %}{% endfor %}{% endif %}`"
        } else {
            "write `{{ title }}` and `{{ link }}`, or `{{ text }}`"
        }));
    }
}

/// A file that ends in `.json` writes JSON, any other writes text.
fn writes(path: &str) -> Writes {
    let ending = Path::new(path).extension();
    if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        Writes::Json
    } else {
        Writes::Text
    }
}
