//! The properties that hold for any input, with one function for each fuzz target.
//!
//! `tests/it/hostile.rs` runs the same functions as property tests in `cargo test`.

use std::sync::Arc;

use tidings::article;
use tidings::feed::parse::parse;
use tidings_rules::fault::{Level, Source, render};
use tidings_rules::story::Story;
use tidings_rules::{Frequencies, ParsedRules, Query, RuleTexts, Table};
use url::Url;

/// A story with words that rules often use.
fn story() -> Story {
    let body =
        "Russia sells arms to North Korea. The U.S. denied it.\n\nOil, too; 김정은은 말했다.";
    Story::from_words("Arms for Moscow", body)
}

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
}

/// Loads rules: they load, or an error gives the reason. Every fault can be rendered. The engine
/// finds what the plain evaluator finds.
fn load(texts: &RuleTexts) {
    let mut faults = Vec::new();
    let rules = ParsedRules::load(texts, None, &mut faults);
    assert_eq!(faults.is_empty(), render(&faults, true).is_empty());
    let has_error = faults.iter().any(|fault| fault.level == Level::Error);
    assert_eq!(rules.is_none(), has_error, "{}", render(&faults, false));
    if let Some(rules) = rules {
        let expected = rules.matches_naively(&story(), &[]);
        let rules = rules.build(&Frequencies::new([]));
        let found =
            rules.scanner().scan(&story(), &[]).map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(found, expected);
    }
}

/// An expression parses or has an error. If it holds, there is evidence.
pub fn expression(input: &str) {
    let mut faults = Vec::new();
    let query = Query::parse(input, &mut faults);
    let has_error = faults.iter().any(|fault| fault.level == Level::Error);
    assert_eq!(query.is_none(), has_error, "{}", render(&faults, false));
    if let Some(query) = query {
        let story = story();
        let evidence = query.evidence(&story, &[]);
        assert_eq!(query.holds(&story, &[]), evidence.as_ref().is_some_and(|all| !all.is_empty()));
    }
}

/// A rule file loads or has an error.
pub fn rule_file(input: &str) {
    load(&RuleTexts::from(vec![source("rules/input.yaml", input)]));
}

/// A table becomes a watchlist or has an error.
pub fn table(input: &str) {
    let rules = "terms:\n  list: {from: list.csv, term: name, aliases: aka, split: ';', id: id}\n\
                 rules:\n  - {name: listed, each: list, when: $list}\n";
    let table = Table { source: source("rules/list.csv", input), unreadable: None };
    load(&RuleTexts { rules: vec![source("rules/input.yaml", rules)], tables: vec![table] });
}

/// A feed has the same result every time, and its texts have no control characters for terminals.
pub fn feed(input: &[u8]) {
    let base = Url::parse("https://feed.invalid/feed.xml").expect("an address");
    let document = parse(input, None, &base);
    assert_eq!(document, parse(input, None, &base));
    for item in document.iter().flat_map(|document| &document.items) {
        assert!(!item.title.contains('\u{1b}') && !item.text.contains('\u{1b}'));
    }
}

/// A page has the same result every time, and its text has no control characters for terminals.
pub fn page(input: &[u8]) {
    let url = Url::parse("https://page.invalid/story").expect("an address");
    let seen = article::read_page(input, Some("text/html"), &url);
    assert_eq!(seen, article::read_page(input, Some("text/html"), &url));
    assert!(!seen.title.contains('\u{1b}') && !seen.text.is_ok_and(|text| text.contains('\u{1b}')));
}
