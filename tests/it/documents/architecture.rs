//! The files, functions, types and modules that ARCHITECTURE.md names exist.

use std::path::{Path, PathBuf};

use super::{read, root};

const PAGE: &str = "ARCHITECTURE.md";

/// Folders whose files the page names.
const FOLDERS: [&str; 5] = ["src", "crates/rules/src", "tests", "benches", "docs"];

/// Words before a definition.
const DEFINES: [&str; 6] = ["fn ", "mod ", "struct ", "enum ", "const ", "type "];

/// Words before a function of a type that other modules may call.
const DEFINES_METHOD: [&str; 4] =
    ["pub fn ", "pub async fn ", "pub(crate) fn ", "pub(crate) async fn "];

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every file below [`FOLDERS`], with its path below the root and its text if it is a source.
fn files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        files_below(&root().join(folder), &mut paths);
    }
    let file = |path: PathBuf| {
        let is_source = path.extension().is_some_and(|ending| ending == "rs");
        let text =
            if is_source { std::fs::read_to_string(&path).expect("text") } else { String::new() };
        (path.strip_prefix(root()).expect("below").display().to_string(), text)
    };
    paths.into_iter().map(file).collect()
}

/// The texts in backquotes outside of tables. `house.rs` reads the tables.
fn quoted() -> Vec<String> {
    let page = read(PAGE);
    let text: Vec<&str> = page.lines().filter(|line| !line.starts_with('|')).collect();
    text.join(" ").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether the room of `path`, its first part, defines its last part. Without a room, any source
/// may.
fn is_defined(path: &str, files: &[(String, String)]) -> bool {
    let (first, _) = path.split_once("::").expect("a path");
    let (_, last) = path.rsplit_once("::").expect("a path");
    let places = [format!("src/{first}.rs"), format!("src/{first}/")];
    let is_room = files.iter().any(|(name, _)| *name == places[0]);
    let stands_below = |name: &str| !is_room || places.iter().any(|start| name.starts_with(start));
    let of_type = first.starts_with(|c: char| c.is_uppercase());
    let words = if of_type { DEFINES_METHOD.as_slice() } else { DEFINES.as_slice() };
    let defines = |text: &str| {
        words.iter().any(|word| {
            let definition = format!("{word}{last}");
            let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            text.split(&definition).skip(1).any(is_end)
        })
    };
    files.iter().any(|(name, text)| stands_below(name) && defines(text))
}

/// Whether a file's path ends in `path`, or a folder's if `path` ends in a slash.
fn exists(path: &str, files: &[(String, String)]) -> bool {
    let below = format!("/{path}");
    root().join(path).exists()
        || files.iter().any(|(name, _)| {
            let name = format!("/{name}");
            name.ends_with(&below) || path.ends_with('/') && name.contains(&below)
        })
}

#[test]
fn what_the_architecture_names_exists() {
    let files = files();
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_:/.".contains(c));
    let mut count = 0;
    let mut missing = Vec::new();
    for text in quoted().into_iter().filter(|text| is_name(text) && !text.contains("NAME")) {
        let is_there = if text.contains("::") && !text.starts_with("jiff") {
            is_defined(&text, &files)
        } else if text.contains('/') || text.strip_suffix(".rs").is_some() {
            exists(&text, &files)
        } else {
            continue;
        };
        count += 1;
        if !is_there {
            missing.push(text);
        }
    }
    assert!(count > 80, "the names were not found: {count}");
    assert!(missing.is_empty(), "{PAGE} names what does not exist: {missing:?}");
}
