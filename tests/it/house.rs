//! The invariants of ARCHITECTURE.md, held by reading `src/**`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a room must not name: other rooms as `crate::room`, libraries and parts of std by their
/// path.
const KNOWS_NOTHING_OF: [(&str, &[&str]); 13] = [
    ("story", &["crate::*", "tokio", "reqwest", "sqlx", "std::fs"]),
    ("fault", &["crate::*", "tokio", "reqwest", "sqlx", "std::fs"]),
    ("files", &["crate::*", "tokio", "reqwest", "sqlx"]),
    ("yaml", &["crate::*", "tokio", "reqwest", "sqlx", "std::fs"]),
    ("text", &["crate::*", "tokio", "reqwest", "sqlx", "std::fs"]),
    (
        "config",
        &[
            "crate::feed",
            "crate::rule",
            "crate::alert",
            "crate::notify",
            "crate::store",
            "tokio",
            "reqwest",
            "sqlx",
        ],
    ),
    ("feed", &["crate::rule", "crate::alert", "crate::notify", "crate::store", "sqlx"]),
    (
        "rule",
        &[
            "crate::config",
            "crate::feed",
            "crate::alert",
            "crate::notify",
            "crate::store",
            "tokio",
            "reqwest",
            "std::fs",
        ],
    ),
    (
        "alert",
        &["crate::feed", "crate::notify", "crate::store", "tokio", "reqwest", "sqlx", "std::fs"],
    ),
    ("notify", &["crate::rule", "crate::store", "sqlx"]),
    (
        "store",
        &[
            "crate::config",
            "crate::rule",
            "crate::notify",
            "crate::fault",
            "crate::yaml",
            "reqwest",
            "lettre",
        ],
    ),
    ("daemon", &["sqlx", "lettre"]),
    ("cli", &["sqlx", "lettre", "reqwest"]),
];

/// Rooms that `crate::*` above lets through.
const BELOW: [(&str, &[&str]); 5] =
    [("story", &[]), ("fault", &[]), ("files", &[]), ("yaml", &["fault"]), ("text", &[])];

/// Words that stand in one place only, and the files or folders that may hold them.
const ONLY_IN: [(&[&str], &[&str]); 6] = [
    (
        &["Timestamp::now", "Instant::now", "SystemTime::now", "Zoned::now"],
        &["src/daemon/clock.rs"],
    ),
    (
        &["tokio::spawn", "spawn_blocking", "thread::spawn", "JoinSet"],
        &["src/daemon.rs", "src/daemon/"],
    ),
    (&["sqlx"], &["src/store.rs", "src/store/"]),
    (&["println!", "print!", "eprintln!", "eprint!"], &[]),
    (
        &["fs::read", "fs::File", "File::open"],
        &["src/files.rs", "src/daemon/rule_files.rs", "src/feed/fetch", "src/store"],
    ),
    (&[".unwrap()", "todo!", "dbg!", "unimplemented!"], &[]),
];

const LONGEST_FILE: usize = 500;

struct File {
    path: String,
    text: String,
    /// Without comments and tests.
    code: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    assert!(paths.len() > 30, "the sources were not found: {paths:?}");
    paths.into_iter().map(|path| file(root, &path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn file(root: &Path, path: &Path) -> File {
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let path = path.strip_prefix(root).expect("below the root").display().to_string();
    File { code: code_of(&text), path, text }
}

/// The text without comments and without the tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &str) -> bool {
    ["tests", "fixture"].iter().any(|name| path.ends_with(&format!("/{name}.rs")))
}

fn room_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default()
}

/// Every room that code names as `crate::room`, also in groups: `use crate::{a, b::C}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(top_level_of_group);
        for path in group.unwrap_or_else(|| vec![rest.to_owned()]) {
            let name = path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
            rooms.extend(name.map(ToOwned::to_owned));
        }
    }
    rooms
}

fn top_level_of_group(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            other => parts.last_mut().expect("never empty").push(other),
        }
    }
    parts
}

/// What of `room`'s row in the table `code` breaks.
fn breaches(room: &str, code: &str) -> Vec<String> {
    let Some((_, forbidden)) = KNOWS_NOTHING_OF.iter().find(|(name, _)| *name == room) else {
        return Vec::new();
    };
    let named = rooms_named(code);
    let below = BELOW.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, below)| below);
    let breaks = |path: &&str| match path.strip_prefix("crate::") {
        Some("*") => named.iter().any(|name| name != room && !below.contains(&name.as_str())),
        Some(other) => named.contains(other),
        None => code.contains(&format!("{path}::")),
    };
    let mut broken: Vec<String> =
        forbidden.iter().filter(|path| breaks(path)).map(ToString::to_string).collect();
    let outer = ["daemon", "cli"]
        .into_iter()
        .filter(|outer| !["daemon", "cli"].contains(&room) && named.contains(*outer));
    broken.extend(outer.map(|outer| format!("crate::{outer}")));
    broken
}

/// Whether code climbs out of its room by `super::super::…`, where only `crate::…` shows whom it
/// knows.
fn climbs_out(path: &str, code: &str) -> bool {
    let depth = path.trim_start_matches("src/").split('/').count();
    code.contains(&"super::".repeat(depth))
}

#[test]
fn rooms_look_one_way() {
    for file in files().iter().filter(|file| !is_test(&file.path)) {
        assert!(
            !climbs_out(&file.path, &file.code),
            "{} climbs out of its room; write crate::…",
            file.path
        );
        let broken = breaches(room_of(&file.path), &file.code);
        assert!(
            broken.is_empty(),
            "{} names {broken:?}; see ARCHITECTURE.md, The rooms",
            file.path
        );
    }
}

#[test]
fn a_room_that_looks_the_wrong_way_is_found_out() {
    assert_eq!(breaches("rule", "use crate::store::Store;"), ["crate::store"]);
    assert_eq!(breaches("rule", "use crate::{text, store::{Store, Lease}};"), ["crate::store"]);
    assert_eq!(breaches("rule", "fn f() { crate::daemon::clock::now() }"), ["crate::daemon"]);
    assert_eq!(breaches("text", "use crate::story::Story;"), ["crate::*"]);
    assert_eq!(breaches("yaml", "use crate::fault::Fault;"), Vec::<String>::new());
    assert_eq!(breaches("alert", &code_of("// crate::store\nfn f() {}\n")), Vec::<String>::new());
    assert!(climbs_out("src/config/mask.rs", "use super::super::store::Store;"));
    assert!(!climbs_out("src/config/mask/torn.rs", "use super::super::reader::Reader;"));
}

#[test]
fn what_has_one_place_stands_nowhere_else() {
    for file in files().iter().filter(|file| !is_test(&file.path)) {
        for (words, places) in ONLY_IN {
            let allowed = places.iter().any(|place| file.path.starts_with(place));
            let found = words.iter().find(|word| file.code.contains(**word));
            assert!(
                allowed || found.is_none(),
                "{} says {found:?}, which belongs into {places:?}",
                file.path
            );
        }
    }
}

#[test]
fn every_file_says_its_job_in_its_first_line_and_is_of_a_readable_length() {
    for file in files() {
        let first = file.text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 20,
            "{} does not say its job: {first:?}",
            file.path
        );
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.path);
    }
}

#[test]
fn every_room_is_in_the_table_and_in_the_architecture() {
    let library = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"))
        .expect("lib.rs");
    let architecture =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))
            .expect("the document");
    let rooms = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for room in rooms {
        assert!(KNOWS_NOTHING_OF.iter().any(|(name, _)| *name == room), "{room} has no row");
        assert!(
            architecture.contains(&format!("| `{room}` |")),
            "{room} is not in ARCHITECTURE.md"
        );
    }
}
