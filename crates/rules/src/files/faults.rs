//! Faults and places for several readers of rule files.

use std::sync::Arc;

use crate::fault::{Fault, Source};
use crate::yaml::{self, Entries};

/// The file and line of a text, as in faults.
pub(super) fn shown_place(text: &yaml::Text) -> String {
    let (line, column) = text.source().line_and_column(text.span().start);
    format!("{}:{line}:{column}", text.source().name)
}

/// Adds an error for every key of `later` in `entries`. A silently ignored key would change what is
/// sent.
pub(super) fn refuse_later(
    source: &Arc<Source>,
    entries: &mut Entries<'_>,
    later: &[&'static str],
    faults: &mut Vec<Fault>,
) {
    for (key, _) in entries.node().pairs(&mut Vec::new()) {
        if let Some(later) = later.iter().find(|later| **later == key.value) {
            let span = entries.key_span(later).unwrap_or(key.span());
            faults.push(
                Fault::error(source, span, format!("`{later}` is not available yet"))
                    .help("leave it out for now"),
            );
        }
    }
}
