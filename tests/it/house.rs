//! The laws of ARCHITECTURE.md, read from its tables, hold in the sources.

mod imports;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::Imports;
use source::{SourceFile, files};

/// The most lines of a file, with its tests.
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

/// The texts in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The text without comments and without the tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Lists every breach of every law. The laws on rooms, words and circles do not hold for tests, the
/// others do. The files are parsed once, which takes most of the time.
#[test]
fn the_house_keeps_its_laws() {
    let files = files();
    let imports = Imports::new(&files);
    let breaches = [
        imports_of_rooms(&imports),
        order_of_rooms(),
        words_with_one_place(&files),
        circles(&imports),
        first_lines_and_lengths(&files),
        sizes_of_functions_and_comments(&files),
        names_of_types(&files),
    ];
    let breaches = breaches.concat();
    assert!(breaches.is_empty(), "ARCHITECTURE.md is broken:\n{}", breaches.join("\n"));
}

/// A room names exactly the rooms of its row.
fn imports_of_rooms(imports: &Imports<'_>) -> Vec<String> {
    let rows = table("room");
    let allowed: BTreeMap<String, BTreeSet<String>> = rows
        .iter()
        .map(|row| (quoted(&row[0]).concat(), quoted(&row[2]).into_iter().collect()))
        .collect();
    let mut breaches = Vec::new();
    for (room, named) in imports.rooms().into_iter().filter(|(room, _)| room != "lib") {
        let Some(allowed) = allowed.get(&room) else {
            breaches.push(format!("the room {room} has no row"));
            continue;
        };
        let other = named.difference(allowed).map(|other| format!("{room} names {other}"));
        let unused =
            allowed.difference(&named).map(|other| format!("{room} does not name {other}"));
        breaches.extend(other.chain(unused));
    }
    breaches
}

/// A row names only rooms above it, and the rows are in the order of `lib.rs`.
fn order_of_rooms() -> Vec<String> {
    let rows: Vec<(String, Vec<String>)> =
        table("room").iter().map(|row| (quoted(&row[0]).concat(), quoted(&row[2]))).collect();
    let mut breaches = Vec::new();
    for (place, (room, named)) in rows.iter().enumerate() {
        let is_below = |other: &&String| !rows[..place].iter().any(|(above, _)| above == *other);
        let below = named.iter().filter(is_below);
        breaches.extend(below.map(|other| format!("{room} names {other}, which stands below it")));
    }
    let library = document("src/lib.rs");
    let modules: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let rooms: Vec<&str> = rows.iter().map(|(room, _)| room.as_str()).collect();
    if rooms != modules {
        breaches.push(format!("the rows are {rooms:?}, and the modules of lib.rs {modules:?}"));
    }
    breaches
}

/// The words of a row stand only in the places of that row.
fn words_with_one_place(files: &[SourceFile]) -> Vec<String> {
    let code: Vec<(&str, String)> = files
        .iter()
        .filter(|file| !file.is_test)
        .map(|file| (file.path.as_str(), code_of(&file.text)))
        .collect();
    let mut breaches = Vec::new();
    for row in table("words") {
        let (words, places) = (quoted(&row[0]), quoted(&row[1]));
        for (path, code) in &code {
            if places.iter().any(|place| path.starts_with(place)) {
                continue;
            }
            let found = words.iter().filter(|word| code.contains(word.as_str()));
            breaches.extend(found.map(|word| format!("{path} says {word}; only {places:?} may")));
        }
    }
    breaches
}

/// At most two files name one another in a circle.
fn circles(imports: &Imports<'_>) -> Vec<String> {
    let circles = imports.circles("tidings").into_iter().filter(|circle| circle.len() > 2);
    circles.map(|circle| format!("a circle of files: {}", circle.join(", "))).collect()
}

fn first_lines_and_lengths(files: &[SourceFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for SourceFile { path, text, .. } in files {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") || first.len() <= 20 {
            breaches.push(format!("{path} does not say its job in its first line"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            breaches.push(format!("{path} has {lines} lines"));
        }
    }
    breaches
}

fn sizes_of_functions_and_comments(files: &[SourceFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        for (name, first, last) in &file.functions {
            let lines = last - first + 1;
            if lines > LONGEST_FUNCTION {
                breaches.push(format!("{}:{first}: {name} has {lines} lines", file.path));
            }
        }
        for (number, line) in file.text.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if is_comment && line.chars().count() > WIDEST_COMMENT {
                breaches.push(format!("{}:{}: the comment is too wide", file.path, number + 1));
            }
        }
    }
    breaches
}

fn names_of_types(files: &[SourceFile]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        for name in &file.types {
            places.entry(name).or_default().push(&file.path);
        }
    }
    let twice = places.into_iter().filter(|(_, paths)| paths.len() > 1);
    twice.map(|(name, paths)| format!("the type {name} stands in {}", paths.join(", "))).collect()
}

#[test]
fn functions_and_types_of_tests_count_and_their_paths_do_not() {
    let text = "#[cfg(test)]\nmod tests { struct A; #[test] fn f() { crate::b::g(); } }\nstruct B;";
    let file = source::parse("src/a.rs".to_owned(), text.to_owned(), "src", "tidings");
    assert!(file.paths.is_empty(), "{:?}", file.paths);
    assert_eq!(file.types, ["A", "B"]);
    assert_eq!(file.functions, [("f".to_owned(), 2, 2)]);
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
