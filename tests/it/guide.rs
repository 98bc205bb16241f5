//! The guide's examples: every `rule` block of docs/rules.md does what it says.

use std::path::Path;

use tidings::fault::render;
use tidings::rule::Query;
use tidings::story::Story;

/// An expression and what the guide says of it.
struct Example {
    line: usize,
    expression: String,
    claims: Vec<(char, String)>,
}

fn examples(guide: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    let mut lines = guide.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        match line {
            "```rule" => {
                let expression = lines.next().expect("an expression").1.to_owned();
                examples.push(Example { line: at + 2, expression, claims: Vec::new() });
                inside = true;
            }
            "```" => inside = false,
            line if inside => claim(&mut examples.last_mut().expect("begun").claims, line),
            _ => {}
        }
    }
    examples
}

/// A line that begins with `+`, `-` or `!`, or goes on with the one before.
fn claim(claims: &mut Vec<(char, String)>, line: &str) {
    match line.split_at_checked(2) {
        Some(("+ " | "- " | "! ", rest)) => claims.push((line.as_bytes()[0].into(), rest.to_owned())),
        Some(("  ", rest)) => {
            let (_, text) = claims.last_mut().expect("a line to go on with");
            *text += "\n";
            *text += rest;
        }
        _ => panic!("not a line of an example: {line:?}"),
    }
}

fn story(body: &str) -> Story {
    Story::of_words("", body)
}

#[test]
fn every_example_of_the_guide_does_what_it_says() {
    let guide =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).expect("the guide");
    let examples = examples(&guide);
    assert!(examples.len() > 15, "the examples were not found");
    for Example { line, expression, claims } in examples {
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
