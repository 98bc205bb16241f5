//! The guide's examples: every `rule` block of docs/rules.md does what it says, every `yaml` block
//! is a sound rule file whose own examples hold, and the expressions of its tables can be written.

use std::path::Path;
use std::sync::Arc;

use tidings_rules::fault::{Source, render};
use tidings_rules::story::Story;
use tidings_rules::{Query, RuleTexts, Rules, Table};

/// An expression with the guide's statement about it.
struct GuideExample {
    line: usize,
    expression: String,
    claims: Vec<(char, String)>,
}

/// The text of docs/rules.md.
fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md"))
        .expect("the guide")
}

fn examples(guide: &str) -> Vec<GuideExample> {
    let mut examples: Vec<GuideExample> = Vec::new();
    let mut inside = false;
    let mut lines = guide.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        match line {
            "```rule" => {
                let expression = lines.next().expect("an expression").1.to_owned();
                examples.push(GuideExample { line: at + 2, expression, claims: Vec::new() });
                inside = true;
            }
            "```" => inside = false,
            line if inside => claim(&mut examples.last_mut().expect("begun").claims, line),
            _ => {}
        }
    }
    examples
}

/// A line that begins with `+`, `-` or `!`, or continues the line before.
fn claim(claims: &mut Vec<(char, String)>, line: &str) {
    match line.split_at_checked(2) {
        Some(("+ " | "- " | "! ", rest)) => {
            claims.push((line.as_bytes()[0].into(), rest.to_owned()));
        }
        Some(("  ", rest)) => go_on(claims, rest),
        None if line.is_empty() => go_on(claims, ""),
        _ => panic!("not a line of an example: {line:?}"),
    }
}

fn go_on(claims: &mut [(char, String)], line: &str) {
    let (_, text) = claims.last_mut().expect("a line to go on with");
    *text += "\n";
    *text += line;
}

fn story(body: &str) -> Story {
    Story::from_words("", body)
}

#[test]
fn every_example_of_the_guide_does_what_it_says() {
    let examples = examples(&guide());
    assert!(examples.len() > 40, "the examples were not found");
    for GuideExample { line, expression, claims } in examples {
        assert!(!claims.is_empty(), "docs/rules.md:{line}: `{expression}` shows nothing");
        let mut faults = Vec::new();
        let query = Query::parse(&expression, &mut faults);
        let said = render(&faults, false);
        for (kind, text) in claims {
            let holds = match (&query, kind) {
                (None, '!') => said.contains(&text),
                (Some(query), '+') => query.evidence(&story(&text), &[]).is_some(),
                (Some(query), '-') => query.evidence(&story(&text), &[]).is_none(),
                _ => false,
            };
            assert!(holds, "docs/rules.md:{line}: `{expression}` {kind} {text}\n{said}");
        }
    }
}

/// Every block that begins with three backquotes, `csv` and a name.
fn tables(guide: &str) -> Vec<Table> {
    let blocks =
        guide.split("```csv ").skip(1).map(|rest| rest.split_once("```").expect("an end").0);
    let tables: Vec<Table> = blocks
        .map(|block| {
            let (name, text) = block.split_once('\n').expect("a name");
            let source = Source { name: format!("docs/{name}"), text: text.to_owned() };
            Table { source: Arc::new(source), unreadable: None }
        })
        .collect();
    assert!(!tables.is_empty(), "the tables were not found");
    tables
}

#[test]
fn every_rule_file_of_the_guide_is_sound_and_its_examples_hold() {
    let guide = guide();
    let blocks =
        guide.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").expect("an end").0);
    let tables = tables(&guide);
    let mut count = 0;
    for text in blocks {
        count += 1;
        let mut faults = Vec::new();
        let source = Source { name: "docs/rules.md".to_owned(), text: text.to_owned() };
        let texts = RuleTexts { rules: vec![Arc::new(source)], tables: tables.clone() };
        let rules = Rules::load(&texts, None, &mut faults);
        assert!(rules.is_some() && faults.is_empty(), "{text}\n{}", render(&faults, false));
    }
    assert!(count > 5, "the rule files were not found");
}

/// Expressions in column `column` of the tables in that section of the guide.
fn in_tables(section: &str, column: usize) -> Vec<String> {
    let guide = guide();
    let section = guide.split(&format!("\n## {section}\n")).nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("text");
    let mut expressions = Vec::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let row = row.replace("\\|", "\u{0}");
        let cell = row.split('|').nth(column).expect("a column").replace('\u{0}', "|");
        expressions.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    expressions
}

fn assert_sound(expression: &str) {
    let mut faults = Vec::new();
    let query = Query::parse(expression, &mut faults);
    let said = render(&faults, false);
    assert!(query.is_some() && faults.is_empty(), "{expression}\n{said}");
}

#[test]
fn what_users_of_other_tools_should_write_can_be_written() {
    let expressions = in_tables("If you come from elsewhere", 2);
    assert!(expressions.len() > 40, "the tables were not found");
    for expression in &expressions {
        assert_sound(expression);
    }
}

#[test]
fn the_expressions_at_a_glance_can_be_written() {
    let expressions = in_tables("At a glance", 1);
    assert!(expressions.len() > 20, "the table was not found");
    for expression in &expressions {
        assert_sound(expression);
    }
}
