//! The keys in the tables of `docs/configuration.md` are those that the configuration's reader asks
//! for, and each stands in an example of that page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_yaml::Value;
use tidings_rules::story::Severity;

use super::{blocks, read, root};

const PAGE: &str = "docs/configuration.md";

/// Keys whose names the source does not write where it asks for them.
const ASKED_BY_VARIABLE: [&str; 2] = ["chat", "routing_key"];

/// The number of files that ask for a key, minus its rows. `format` is asked for again beside
/// `template`, and `url` where it must have a topic. One file serves two types that have `ca`.
const FILES_WITHOUT_ROW: [(&str, isize); 3] = [("format", 1), ("url", 1), ("ca", -1)];

/// The rows of the page: the path of a key, with its other cells.
fn rows() -> Vec<(String, Vec<String>)> {
    let page = read(PAGE);
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        let cells: Vec<String> = cells.collect();
        (cells[0].trim_matches('`').to_owned(), cells[1..].to_vec())
    });
    rows.collect()
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests" {
            found.push(path);
        }
    }
}

/// Each key that the reader asks for, with the number of files that ask for it.
fn asked() -> BTreeMap<String, isize> {
    let mut files = Vec::new();
    sources(&root().join("src/config"), &mut files);
    assert!(files.len() > 15, "the reader was not found");
    let mut asked: BTreeMap<String, isize> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let keys: BTreeSet<String> = [".get(\"", ".require(\""]
            .iter()
            .flat_map(|call| text.split(call).skip(1))
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect();
        for key in keys {
            *asked.entry(key).or_default() += 1;
        }
    }
    let severities = Severity::ALL.map(Severity::as_str);
    for key in ASKED_BY_VARIABLE.iter().chain(&severities) {
        asked.insert((*key).to_owned(), 1);
    }
    asked
}

#[test]
fn the_page_has_every_key_that_the_reader_asks_for_and_no_other() {
    let mut documented: BTreeMap<String, isize> = BTreeMap::new();
    for (path, _) in rows() {
        *documented.entry(last(&path).to_owned()).or_default() += 1;
    }
    for (key, more) in FILES_WITHOUT_ROW {
        *documented.get_mut(key).expect("a row") += more;
    }
    assert_eq!(documented, asked(), "{PAGE} (left) and src/config (right) differ");
}

#[test]
fn every_row_says_value_default_and_when_a_change_is_in_force() {
    for (path, cells) in rows() {
        assert_eq!(cells.len(), 3, "{path} has other cells");
        assert!(
            !cells[0].is_empty() && matches!(cells[2].as_str(), "restart" | "at once"),
            "{path}: {cells:?}"
        );
    }
}

/// Every path of keys in `value`, in the form of the page.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match value {
        Value::Mapping(entries) => {
            let kinds = ["opml", "from"].into_iter().filter(|_| at == "feeds[]");
            let kind = kinds.into_iter().find(|kind| entries.contains_key(*kind));
            for (key, value) in entries {
                let key = key.as_str().expect("a key");
                let path = match at {
                    "notifiers" | "hosts" => below("*"),
                    _ => match kind.filter(|kind| *kind != key) {
                        Some(kind) => format!("feeds[].{kind}.{key}"),
                        None => below(key),
                    },
                };
                found.insert(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Sequence(values) => {
            for value in values {
                paths(value, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_of_the_page_stands_in_an_example_of_it() {
    let mut found = BTreeSet::new();
    for block in blocks(PAGE).iter().filter(|block| block.language == "yaml") {
        paths(&serde_yaml::from_str(&block.text).expect("YAML"), "", &mut found);
    }
    let missing: Vec<String> =
        rows().into_iter().map(|(path, _)| path).filter(|path| !found.contains(path)).collect();
    assert!(missing.is_empty(), "no example shows {missing:?}");
}
