//! Reads a folder of feeds and says how many give at least as many items as its `expected.tsv`
//! says: `cargo run --release --example corpus FOLDER`.
//!
//! A line of `expected.tsv` is: entries, whether malformed, version, path. One line of JSON a feed
//! goes to standard output, the sum to standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use std::path::Path;

use serde_json::{Value, json};
use tidings::feed::document::Item;
use tidings::feed::parse::parse;
use url::Url;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder that holds expected.tsv")?;
    let folder = Path::new(&folder);
    let (mut files, mut with_entries, mut passed) = (0, 0, 0);
    for line in std::fs::read_to_string(folder.join("expected.tsv"))?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [expected, _, _, path] = fields[..] else {
            return Err(format!("not four fields: {line}").into());
        };
        // It is -1 where feedparser itself breaks.
        let expected = expected.parse().unwrap_or(0);
        let line = read(&std::fs::read(folder.join(path))?, path, expected)?;
        println!("{line}");
        files += 1;
        with_entries += usize::from(expected > 0);
        passed += usize::from(
            expected > 0 && line["items"].as_array().is_some_and(|items| items.len() >= expected),
        );
    }
    eprintln!(
        "{passed} of {with_entries} feeds with entries give at least as many; {files} files read"
    );
    Ok(())
}

fn read(bytes: &[u8], path: &str, expected: usize) -> Result<Value, url::ParseError> {
    let document = parse(bytes, None, &Url::parse("http://feed.invalid/folder/feed.xml")?);
    Ok(match document {
        Ok(document) => json!({
            "path": path,
            "expected": expected,
            "title": document.title,
            "items": document.items.iter().map(item).collect::<Vec<_>>(),
        }),
        Err(why) => json!({"path": path, "expected": expected, "error": why.to_string()}),
    })
}

fn item(item: &Item) -> Value {
    json!({
        "guid": item.guid,
        "link": item.link.as_ref().map(Url::as_str),
        "title": item.title,
        "text": item.text,
        "published": item.published.map(|time| time.to_string()),
        "lang": item.lang,
        "authors": item.authors,
        "tags": item.tags,
    })
}
