//! Every line of the log names its event, and the table of `docs/operations.md` has these events.

use std::collections::BTreeSet;
use std::path::Path;

use super::{read, root};

const PAGE: &str = "docs/operations.md";

/// The macros that write a line of the log.
const MACROS: [&str; 5] = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];

/// The sources below `folder`, without those of the command line.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        if path.is_dir() && name != "src/cli" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push((name, std::fs::read_to_string(&path).expect("a source")));
        }
    }
}

/// What follows each log macro of `text`.
fn lines_of_log(text: &str) -> Vec<&str> {
    let is_inside_name = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let after = |name: &'static str| {
        let found = text.match_indices(name).filter(move |(at, _)| !is_inside_name(&text[..*at]));
        found.map(move |(at, _)| text[at + name.len()..].trim_start())
    };
    MACROS.into_iter().flat_map(after).collect()
}

/// The event that is the first field of a line.
fn event(line: &str) -> Option<&str> {
    Some(line.strip_prefix("event = \"")?.split_once('"')?.0)
}

fn is_snake_case(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn every_line_of_the_log_has_an_event_and_the_page_has_no_other() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut events = BTreeSet::new();
    let mut count = 0;
    for (name, text) in &files {
        for line in lines_of_log(text) {
            let start: String = line.chars().take(60).collect();
            let event = event(line).unwrap_or_else(|| panic!("{name} logs without event: {start}"));
            assert!(is_snake_case(event), "{name}: {event}");
            events.insert(event.to_owned());
            count += 1;
        }
    }
    assert!(count > 80, "the lines were not found: {count}");

    let page = read(PAGE);
    let table = page.split_once("| event | meaning |\n|---|---|\n").expect("a table").1;
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let rows = rows.map(|row| {
        let (event, meaning) = row.trim_matches('|').split_once('|').expect("two cells");
        assert!(!meaning.trim().is_empty(), "{event} has no meaning");
        event.trim().trim_matches('`').to_owned()
    });
    let rows: Vec<String> = rows.collect();
    let documented: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(documented.len(), rows.len(), "{PAGE} has an event twice");
    assert_eq!(documented, events, "{PAGE} (left) and the sources (right) differ");
}
