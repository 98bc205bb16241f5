//! The law of ARCHITECTURE.md, read from its tables and held against the sources.

mod imports;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::Imports;
use source::{SourceFile, files};

/// The most lines of a file, its tests included.
const LONGEST_FILE: usize = 500;

/// The most lines of a function.
const LONGEST_FUNCTION: usize = 60;

/// The most columns of a comment's line.
const WIDEST_COMMENT: usize = 100;

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a document")
}

/// The rows of the table of ARCHITECTURE.md whose first column has that head.
fn table(head: &str) -> Vec<Vec<String>> {
    let text = document("ARCHITECTURE.md");
    let from = text.find(&format!("| {head} |")).unwrap_or_else(|| panic!("no table of {head}"));
    let lines = text[from..].lines().take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    lines.skip(2).map(cells).collect()
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The text without comments and without the tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_room_names_only_the_rooms_that_its_row_allows() {
    let files = files();
    let rows = table("room");
    let allowed: BTreeMap<String, BTreeSet<String>> = rows
        .iter()
        .map(|row| (quoted(&row[0]).concat(), quoted(&row[2]).into_iter().collect()))
        .collect();
    for (room, named) in Imports::new(&files).rooms() {
        if room == "lib" || room == "main" {
            continue;
        }
        let allowed = allowed.get(&room).unwrap_or_else(|| panic!("{room} has no row"));
        let other: Vec<_> = named.difference(allowed).collect();
        assert!(other.is_empty(), "{room} names {other:?}; ARCHITECTURE.md, The rooms");
        let unused: Vec<_> = allowed.difference(&named).collect();
        assert!(unused.is_empty(), "{room} names no {unused:?}; ARCHITECTURE.md, The rooms");
    }
}

#[test]
fn a_row_names_only_rooms_above_it_and_rows_stand_as_in_lib_rs() {
    let rows: Vec<(String, Vec<String>)> =
        table("room").iter().map(|row| (quoted(&row[0]).concat(), quoted(&row[2]))).collect();
    for (place, (room, named)) in rows.iter().enumerate() {
        let above: Vec<&String> = rows[..place].iter().map(|(room, _)| room).collect();
        let below = named.iter().find(|other| !above.contains(other));
        assert!(below.is_none(), "{room} names {below:?}, which stands below it");
    }
    let library = document("src/lib.rs");
    let modules =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let rooms: Vec<&str> = rows.iter().map(|(room, _)| room.as_str()).collect();
    assert_eq!(rooms, modules.collect::<Vec<_>>());
}

#[test]
fn what_has_one_place_stands_nowhere_else() {
    for row in table("words") {
        let (words, places) = (quoted(&row[0]), quoted(&row[1]));
        for file in files().iter().filter(|file| !file.is_test) {
            let is_allowed = places.iter().any(|place| file.path.starts_with(place));
            let code = code_of(&file.text);
            let found = words.iter().find(|word| code.contains(word.as_str()));
            let path = &file.path;
            assert!(is_allowed || found.is_none(), "{path} says {found:?}; only {places:?} may");
        }
    }
}

#[test]
fn no_files_name_one_another_in_a_circle_of_more_than_two() {
    let files = files();
    let circles = Imports::new(&files).circles("tidings");
    let large: Vec<_> = circles.iter().filter(|circle| circle.len() > 2).collect();
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn a_circle_over_an_export_and_a_macro_is_found() {
    let file =
        |path: &str, text: &str| source::parse(path.to_owned(), text.to_owned(), "src", "tidings");
    let files = [
        file("src/a.rs", "mod one; mod two; pub use two::B; struct A;"),
        file("src/a/one.rs", "use crate::a::B; fn f() {}"),
        file("src/a/two.rs", "pub struct B; fn g() { print!(\"{}\", super::three::h()); }"),
        file("src/a/three.rs", "fn h() { super::one::f() }"),
    ];
    let circles = Imports::new(&files).circles("tidings");
    let mut circle = circles.concat();
    circle.sort_unstable();
    assert_eq!(circle, ["src/a/one.rs", "src/a/three.rs", "src/a/two.rs"]);
}

#[test]
fn every_file_says_its_job_in_its_first_line_and_is_of_a_readable_length() {
    for SourceFile { path, text, .. } in files() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 20, "{path} does not say its job");
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{path} has {lines} lines");
    }
}

#[test]
fn every_function_and_every_comment_is_of_a_readable_size() {
    for file in files() {
        for (name, first, last) in &file.functions {
            let lines = last - first + 1;
            assert!(lines <= LONGEST_FUNCTION, "{}: {name} has {lines} lines", file.path);
        }
        for (number, line) in file.text.lines().enumerate() {
            let is_wide =
                line.trim_start().starts_with("//") && line.chars().count() > WIDEST_COMMENT;
            assert!(!is_wide, "{}:{}: the comment is too wide", file.path, number + 1);
        }
    }
}

#[test]
fn no_type_name_stands_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files().iter().filter(|file| !file.is_test) {
        for name in &file.types {
            places.entry(name.clone()).or_default().push(file.path.clone());
        }
    }
    let twice: Vec<_> = places.iter().filter(|(_, paths)| paths.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}
