//! Renders faults for people and machines.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use serde_json::json;

use super::{Fault, Level};

/// The most faults that are shown. The others are counted.
const MOST_SHOWN: usize = 100;

/// The most bytes of a line that are shown on each side of a fault.
const MOST_CONTEXT: usize = 120;

/// The most characters of a message, or of its help, that are shown.
const LONGEST_MESSAGE: usize = 600;

/// Renders faults with file, line, column, a caret under the word, and help. They are sorted by
/// file and place. The first hundred are shown, and the others are counted. With `colour`, the text
/// has ANSI escape sequences.
#[must_use]
pub fn render(faults: &[Fault], colour: bool) -> String {
    let mut sorted: Vec<&Fault> = faults.iter().collect();
    sorted.sort_by_key(|fault| (&fault.source.name, fault.span.start));
    let mut text: String =
        sorted.iter().take(MOST_SHOWN).map(|fault| render_fault(fault, colour)).collect();
    if sorted.len() > MOST_SHOWN {
        writeln!(text, "… and {} more", sorted.len() - MOST_SHOWN).expect("strings grow");
    }
    text
}

fn render_fault(fault: &Fault, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let title = match fault.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let excerpt = excerpt(fault);
    let snippet = Snippet::source(excerpt.text.as_str())
        .path(fault.source.name.as_str())
        .line_start(excerpt.line)
        .annotation(AnnotationKind::Primary.span(excerpt.span.clone()));
    let mut group = title.primary_title(readable(&fault.message)).element(snippet);
    if let Some(help) = &fault.help {
        group = group.element(Title::HELP.message(readable(help)));
    }
    let shown = renderer.render(&[group]);
    format!("{}\n\n", exact_column(fault, &shown, &excerpt))
}

/// A message without control characters, cut after [`LONGEST_MESSAGE`] characters.
fn readable(message: &str) -> String {
    let shown = message
        .chars()
        .map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c });
    let mut text: String = shown.take(LONGEST_MESSAGE).collect();
    if message.chars().nth(LONGEST_MESSAGE).is_some() {
        text.push('…');
    }
    text
}

/// The part of a source that is shown for one fault.
struct Excerpt {
    text: String,
    line: usize,
    span: Range<usize>,
    /// The column in the excerpt. It is too small if the start of the line is cut.
    column: usize,
}

/// The first line of the fault, cut around it to a readable length, because a rule of a megabyte
/// must not fill the screen.
fn excerpt(fault: &Fault) -> Excerpt {
    let text = fault.source.text.as_str();
    let start = text.floor_char_boundary(fault.span.start.min(text.len()));
    let (line, _) = fault.source.line_and_column(start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |at| start + at);
    let end = text.ceil_char_boundary(fault.span.end.clamp(start, line_end)).min(line_end);
    let from = text.ceil_char_boundary(line_start.max(start.saturating_sub(MOST_CONTEXT)));
    let to = text
        .floor_char_boundary(line_end.min(end.min(start + MOST_CONTEXT) + MOST_CONTEXT))
        .max(start);
    let end = end.min(to);
    let before = if from > line_start { "…" } else { "" };
    let after = if to < line_end { "…" } else { "" };
    let shift = before.len();
    let column = text[from..start].chars().count() + before.chars().count() + 1;
    let span = start - from + shift..end - from + shift;
    Excerpt { text: format!("{before}{}{after}", &text[from..to]), line, span, column }
}

/// Replaces the column in the excerpt by the true column.
fn exact_column(fault: &Fault, shown: &str, excerpt: &Excerpt) -> String {
    let (line, column) = fault.source.line_and_column(fault.span.start);
    let name = &fault.source.name;
    let counted = format!("{name}:{line}:{}", excerpt.column);
    shown.replacen(&counted, &format!("{name}:{line}:{column}"), 1)
}

/// A fault as JSON: `level`, `file`, `line`, `column`, `end_line`, `end_column`, `message`, `help`.
/// Lines and columns are from 1, columns count characters, and the end is exclusive.
#[must_use]
pub fn to_json(fault: &Fault) -> serde_json::Value {
    let (line, column) = fault.source.line_and_column(fault.span.start);
    let (end_line, end_column) = fault.source.line_and_column(fault.span.end);
    json!({
        "level": match fault.level { Level::Error => "error", Level::Warning => "warning" },
        "file": fault.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": fault.message,
        "help": fault.help,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Source;
    use super::*;

    fn fault(text: &str, word: &str) -> Fault {
        let source = Arc::new(Source { name: "rules/a.yaml".to_owned(), text: text.to_owned() });
        let start = text.find(word).expect("it is there");
        Fault::error(&source, start..start + word.len(), "this is wrong")
            .help("write something else")
    }

    #[test]
    fn the_caret_stands_under_the_very_word() {
        insta::assert_snapshot!(
            "caret",
            render(&[fault("rules:\n  - when: Rússia 北朝鮮 armz\n", "armz")], false)
        );
    }

    #[test]
    fn a_long_line_is_cut_and_its_column_is_the_true_one() {
        let text = format!("a: {} armz {}", "word ".repeat(1000), "word ".repeat(1000));
        let shown = render(&[fault(&text, "armz")], false);
        assert!(shown.contains("rules/a.yaml:1:5005"), "{shown}");
        assert!(shown.len() < 1000, "{}", shown.len());
    }

    #[test]
    fn a_message_is_cut_and_holds_nothing_that_moves_the_cursor() {
        let mut fault = fault("a: b", "b");
        fault.message = format!("\u{1b}[2J{}", "x".repeat(100_000));
        let shown = render(&[fault], false);
        assert!(!shown.contains('\u{1b}') && shown.len() < 1000, "{shown}");
    }

    #[test]
    fn a_tab_and_a_wide_character_keep_the_caret_under_the_word() {
        for (text, indent) in [("a:\tb \tarmz", 12), ("北朝鮮 é armz", 9), ("a\u{301}: armz", 3)]
        {
            let shown = render(&[fault(text, "armz")], false);
            let caret = shown.lines().find(|line| line.contains('^')).expect("a caret");
            assert_eq!(caret, format!("  | {}^^^^", " ".repeat(indent)), "{shown}");
        }
    }

    #[test]
    fn faults_are_sorted_by_file_and_place_and_machines_get_ends() {
        let (mut late, early) = (fault("a: b\nc: d", "d"), fault("a: b\nc: d", "b"));
        let shown = render(&[late.clone(), early], false);
        assert!(shown.find(":1:4") < shown.find(":2:4"), "{shown}");
        late.span.end = 100;
        let json = to_json(&late);
        assert_eq!(json["line"], 2);
        assert_eq!((&json["end_line"], &json["end_column"]), (&2.into(), &5.into()));
        assert_eq!(
            (&json["level"], &json["help"]),
            (&"error".into(), &"write something else".into())
        );
    }

    #[test]
    fn a_flood_of_faults_is_counted() {
        let faults = vec![fault("a: b", "b"); 100_000];
        let shown = render(&faults, false);
        assert!(shown.ends_with("… and 99900 more\n"), "{}", &shown[shown.len() - 100..]);
    }

    #[test]
    fn faults_at_the_end_of_a_text_and_of_nothing_are_shown() {
        let source = Arc::new(Source { name: "a".to_owned(), text: "a:\n".to_owned() });
        for offset in 0..=3 {
            assert!(render(&[Fault::error(&source, offset..offset, "odd")], false).contains("odd"));
        }
        let empty = Arc::new(Source { name: "a".to_owned(), text: String::new() });
        assert!(render(&[Fault::error(&empty, 0..0, "odd")], true).contains("odd"));
    }
}
