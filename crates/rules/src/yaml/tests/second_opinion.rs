//! Compares the values of documents with those of `serde_yaml`, a second reader of YAML.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::*;
use super::source;

/// Scalars that the core schema distinguishes, and some that look like them.
const SCALARS: [&str; 44] = [
    "a",
    "arms deal",
    "~",
    "null",
    "Null",
    "nul",
    "true",
    "True",
    "tRUE",
    "false",
    "yes",
    "no",
    "0",
    "-0",
    "+5",
    "-5",
    "007",
    "0x1F",
    "-0x1f",
    "0o17",
    "0b11",
    "0x",
    "1.5",
    "-1.5e3",
    ".5",
    "1.",
    "1e5",
    "+.inf",
    "-.INF",
    ".nan",
    ".NAN",
    "inf",
    "NaN",
    "1_000",
    "18446744073709551615",
    "-9223372036854775808",
    "12:30",
    "2026-01-01",
    "a:b",
    "x#y",
    "é北",
    "-",
    "<<",
    "..",
];

/// Pieces of documents, valid and broken.
const PIECES: [&str; 36] = [
    "a", "b", "c: ", "- ", "\n", "\n  ", "\n    ", "'", "\"", "[", "]", "{", "}", ", ", " #",
    "# x\n", "&x ", "*x", "|\n  ", ">-\n  ", "0x1F", "1.5", "~", "true", "<<: *x", "é", "\\n",
    "\\u00e9", "? ", "!!str ", "!!int ", "---\n", "it''s", "d: e\n", ": ", "  ",
];

/// A part of a document.
#[derive(Clone, Debug)]
enum Part {
    /// A scalar in one of the styles of YAML.
    Scalar(String, usize),
    List(Vec<Part>, bool),
    /// Values, with numbered keys. `true` means in brackets.
    Mapping(Vec<Part>, bool),
}

fn parts() -> impl Strategy<Value = Part> {
    let text = prop_oneof![
        prop::sample::select(&SCALARS[..]).prop_map(str::to_owned),
        "[a-zé]{1,6}( [a-z'\"]{1,5}){0,3}",
    ];
    let scalar = (text, 0..5_usize).prop_map(|(text, style)| Part::Scalar(text, style));
    scalar.prop_recursive(4, 24, 4, |inner| {
        let items = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (items.clone(), any::<bool>()).prop_map(|(items, flow)| Part::List(items, flow)),
            (items, any::<bool>()).prop_map(|(items, flow)| Part::Mapping(items, flow)),
        ]
    })
}

/// Writes `part` after a key or dash at `indent`. `flow` means inside brackets.
fn write(part: &Part, indent: usize, flow: bool, text: &mut String) {
    let pad = "  ".repeat(indent + 1);
    match part {
        Part::Scalar(value, style) => text.push_str(&scalar(value, *style, flow, &pad)),
        Part::List(items, inline) if flow || *inline || items.is_empty() => {
            text.push('[');
            for item in items {
                write(item, indent, true, text);
                text.push_str(", ");
            }
            text.push(']');
        }
        Part::Mapping(items, inline) if flow || *inline || items.is_empty() => {
            text.push('{');
            for (number, item) in items.iter().enumerate() {
                std::fmt::Write::write_fmt(text, format_args!("k{number}: "))
                    .expect("strings grow");
                write(item, indent, true, text);
                text.push_str(", ");
            }
            text.push('}');
        }
        Part::List(items, _) => {
            for item in items {
                std::fmt::Write::write_fmt(text, format_args!("\n{pad}- ")).expect("strings grow");
                write(item, indent + 1, false, text);
            }
        }
        Part::Mapping(items, _) => {
            for (number, item) in items.iter().enumerate() {
                std::fmt::Write::write_fmt(text, format_args!("\n{pad}k{number}: "))
                    .expect("strings grow");
                write(item, indent + 1, false, text);
            }
        }
    }
}

fn scalar(value: &str, style: usize, flow: bool, pad: &str) -> String {
    let is_plain = !value.contains(['\'', '"']) && !matches!(value, "-" | "<<");
    match style {
        0 if is_plain => value.to_owned(),
        1 => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        2 if !flow => format!("|-\n{pad}  {value}"),
        3 if !flow => format!(">\n{pad}  {value}\n"),
        _ => format!("'{}'", value.replace('\'', "''")),
    }
}

/// A value in the form of the other reader.
fn theirs(value: &YamlValue) -> serde_yaml::Value {
    match value {
        YamlValue::Null => serde_yaml::Value::Null,
        YamlValue::Bool(value) => (*value).into(),
        YamlValue::Number(Number::Unsigned(number)) => (*number).into(),
        YamlValue::Number(Number::Negative(number)) => (*number).into(),
        YamlValue::Number(Number::Float(number)) => (*number).into(),
        YamlValue::String(text) => text.as_str().into(),
        YamlValue::List(items) => {
            serde_yaml::Value::Sequence(items.iter().map(|item| theirs(&item.value)).collect())
        }
        YamlValue::Mapping(entries) => {
            let entry = |(key, value): &(PlacedValue, PlacedValue)| {
                (theirs(&key.value), theirs(&value.value))
            };
            serde_yaml::Value::Mapping(entries.iter().map(entry).collect())
        }
    }
}

/// Both readings of `text`; `None` if one reader refuses it.
fn readings(text: &str) -> Option<[serde_yaml::Value; 2]> {
    let ours = parse(&source(text), &mut Vec::new())?;
    let other = match serde_yaml::from_str(text).ok()? {
        serde_yaml::Value::Null => serde_yaml::Value::Mapping(serde_yaml::Mapping::new()),
        other => other,
    };
    Some([theirs(&ours.root.value), other])
}

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn both_readers_agree_on_every_document_that_is_shipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("config.example.yaml")];
    yaml_files(&root.join("rules"), &mut files);
    yaml_files(&root.join("examples"), &mut files);
    assert!(files.len() > 1, "there are rule files beside the example configuration");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file that is shipped");
        let [ours, other] = readings(&text).unwrap_or_else(|| panic!("{} is read", file.display()));
        assert_eq!(ours, other, "{}", file.display());
    }
}

#[test]
fn both_readers_agree_on_every_scalar_of_the_core_schema() {
    for scalar in SCALARS {
        for text in
            [format!("a: {scalar}\n"), format!("a: '{scalar}'\n"), format!("a: !!str {scalar}\n")]
        {
            if let Some([ours, other]) = readings(&text) {
                assert_eq!(ours, other, "{text}");
            }
        }
    }
    for text in [
        "a: !!int 5",
        "a: !!int '5'",
        "a: !!float 5",
        "a: !!float '1.5'",
        "a: !!bool 'true'",
        "a: !!null ~",
        "a: !!int x",
        "a: !!bool yes",
        "a: !!seq [b]",
        "a: !!map {b: c}",
        "a: !!str",
        "a: !!str [b]",
        "1: a\n0x1: b",
        "~: a\nnull: b",
        "a: &x [b, {c: d}]\ne: *x",
        "a: &x {b: c}\nd: {<<: *x, e: f}",
        "a: &x b\nc: [*x, *x]",
        "a: 18446744073709551616",
        "a: |\n  b",
        "a: |+\n  b",
        "a: |-\n  b",
        "a: >\n  b",
        "a: |\n  b\n\n",
        "a: -9223372036854775809",
    ] {
        let ours =
            parse(&source(text), &mut Vec::new()).map(|document| theirs(&document.root.value));
        assert_eq!(ours, serde_yaml::from_str(text).ok(), "{text}");
    }
}

proptest! {
    #[test]
    fn both_readers_agree_on_documents(part in parts()) {
        let mut text = "a: ".to_owned();
        write(&part, 0, false, &mut text);
        text.push('\n');
        let readings = readings(&text);
        prop_assert!(readings.is_some(), "{text}");
        if let Some([ours, other]) = readings {
            prop_assert_eq!(ours, other, "{}", text);
        }
    }

    #[test]
    fn both_readers_agree_on_what_both_accept(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..14)) {
        let text = pieces.concat() + "\n";
        if let Some([ours, other]) = readings(&text) {
            prop_assert_eq!(ours, other, "{}", text);
        }
    }
}
