//! The fuzz targets as property tests: generated input, and valid input with random edits.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The number of inputs of each test.
const CASES: u32 = 300;

/// One edit of a text.
#[derive(Clone, Debug)]
enum TextEdit {
    /// Removes bytes from a place on.
    Remove(Index, usize),
    /// Repeats a part at another place.
    Repeat(Index, Index, usize),
    /// Inserts bytes.
    Insert(Index, Vec<u8>),
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file")
}

/// The blocks of the guide that begin with `fence`.
fn blocks(fence: &str) -> Vec<String> {
    let guide = read("docs/rules.md");
    let blocks = guide.split(fence).skip(1);
    blocks.map(|rest| rest.split("```").next().expect("text").to_owned()).collect()
}

fn edit(tokens: &'static [&'static str]) -> impl Strategy<Value = TextEdit> {
    let token = prop_oneof![
        3 => select(tokens).prop_map(|token| token.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop_oneof![
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| TextEdit::Remove(at, length)),
        (any::<Index>(), any::<Index>(), 1..200_usize)
            .prop_map(|(from, to, length)| TextEdit::Repeat(from, to, length)),
        (any::<Index>(), token).prop_map(|(at, bytes)| TextEdit::Insert(at, bytes)),
    ]
}

/// One of `seeds` with up to eight edits.
fn mutated(seeds: Vec<String>, tokens: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    (select(seeds), prop::collection::vec(edit(tokens), 0..8)).prop_map(|(seed, edits)| {
        edits.into_iter().fold(seed.into_bytes(), |text, edit| apply(&text, edit))
    })
}

fn apply(text: &[u8], edit: TextEdit) -> Vec<u8> {
    let place = |index: Index| index.index(text.len() + 1);
    let end = |from: usize, length: usize| (from + length).min(text.len());
    match edit {
        TextEdit::Remove(at, length) => {
            let from = place(at);
            [&text[..from], &text[end(from, length)..]].concat()
        }
        TextEdit::Repeat(from, to, length) => {
            let (from, to) = (place(from), place(to));
            [&text[..to], &text[from..end(from, length)], &text[to..]].concat()
        }
        TextEdit::Insert(at, bytes) => {
            let at = place(at);
            [&text[..at], &bytes, &text[at..]].concat()
        }
    }
}

fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const WORDS: &[&str] = &[
    "Russia",
    "arms*",
    "\"",
    "(",
    ")",
    " AND ",
    " OR ",
    " NOT ",
    "NEAR/3",
    "ONEAR/2",
    " EXCEPT ",
    "SENT(",
    "PARA(",
    "ANY/2(",
    "ATLEAST/3(",
    "cs(",
    "title:",
    "lang:",
    "site:",
    "$dprk",
    "=",
    "/arms \\d+/",
    "words >= 3",
    "age < 2d",
    ",",
    "*",
    "김정은",
    "росси*",
    "\u{301}",
    "\u{200b}",
];

const YAML: &[&str] = &[
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "#",
    "|",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "\t",
    "rules:",
    "terms:",
    "when: ",
    "name: ",
    "each: sdn",
    "stem: en",
    "~",
    "---\n",
    "\u{feff}",
];

const CSV: &[&str] = &[",", ";", "\"", "\n", "\r\n", "id", "name", "aka", "\u{feff}", "\0", "Kim"];

const MARKUP: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "&amp;",
    "&#27;",
    "&bogus;",
    "<item>",
    "</item>",
    "<title>",
    "<p>",
    "<div>",
    "<script>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "\u{1b}[2J",
    "<?xml version='1.0' encoding='utf-16'?>",
    "<entry>",
    "\0",
    "\u{202e}",
    "{\"items\": [",
];

/// A page with an article.
fn article() -> String {
    let wire = read("examples/wire.xml");
    let text = wire.split("<![CDATA[").nth(1).and_then(|rest| rest.split("]]>").next());
    let text = text.expect("an article");
    format!("<html><head><title>Rail cars</title></head><body><article>{text}</article></body>")
}

const TABLE: &str = "id,name,aka\n36,Aerocaribbean Airlines,Aero-Caribbean;Aerocaribe\n\
                     1540,\"Petrov, Ivan\",Ivan Petrov\n7203,\"Rex (\"\"the King\"\") Trading\",\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn expressions(input in prop_oneof![
        mutated(blocks("```rule\n").iter().filter_map(|block| block.lines().next()).map(str::to_owned).collect(), WORDS)
            .prop_map(|bytes| as_text(&bytes)),
        prop::collection::vec(select(WORDS), 0..20).prop_map(|words| words.join(" ")),
        any::<String>(),
    ]) {
        targets::expression(&input);
    }

    #[test]
    fn rule_files(input in prop_oneof![
        4 => mutated([blocks("```yaml\n"), vec![read("rules/korea.yaml")]].concat(), YAML)
            .prop_map(|bytes| as_text(&bytes)),
        1 => prop::collection::vec(select(YAML), 0..40).prop_map(|tokens| tokens.concat()),
    ]) {
        targets::rule_file(&input);
    }

    #[test]
    fn tables(input in prop_oneof![
        4 => mutated(vec![TABLE.to_owned()], CSV).prop_map(|bytes| as_text(&bytes)),
        1 => prop::collection::vec(select(CSV), 0..40).prop_map(|tokens| tokens.concat()),
    ]) {
        targets::table(&input);
    }

    #[test]
    fn feeds(input in prop_oneof![
        4 => mutated(vec![read("examples/wire.xml")], MARKUP),
        1 => prop::collection::vec(select(MARKUP), 0..40).prop_map(|tokens| tokens.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]) {
        targets::feed(&input);
    }

    #[test]
    fn pages(input in prop_oneof![
        4 => mutated(vec![article()], MARKUP),
        1 => prop::collection::vec(select(MARKUP), 0..40).prop_map(|tokens| tokens.concat().into_bytes()),
    ]) {
        targets::page(&input);
    }
}
