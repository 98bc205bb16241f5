//! Syntax errors in words that help: what the person probably meant, and how YAML wants it written.

use std::ops::Range;
use std::sync::Arc;

use crate::fault::{Fault, Source};

/// The fault for a parser's error at byte offset `at`; `said` is what the parser said.
pub(super) fn syntax_error(source: &Arc<Source>, at: usize, said: &str) -> Fault {
    let at = source.text.floor_char_boundary(at.min(source.text.len()));
    let suspects = lines_up_to(&source.text, at, 2);
    let explained = suspects.iter().find_map(|line| {
        tab(source, line)
            .or_else(|| text_after_quotes(source, line))
            .or_else(|| reserved_start(source, line))
            .or_else(|| colon_in_value(source, line))
            .or_else(|| missing_space(source, line))
    });
    explained.unwrap_or_else(|| {
        let said = said.split(" at line ").next().unwrap_or(said);
        Fault::error(source, at..at, format!("this is not YAML: {said}"))
            .help("the indentation, a quote or a bracket is off here or just above")
    })
}

/// The line that holds `at`, and as many that are not blank before it, nearest first.
fn lines_up_to(text: &str, at: usize, before: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if start <= at && !line.trim().is_empty() {
            lines.push(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    lines.reverse();
    lines.truncate(before + 1);
    lines
}

fn tab(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let text = &source.text[line.clone()];
    let indentation = text.len() - text.trim_start().len();
    let tab = line.start + text[..indentation].find('\t')?;
    let fault = Fault::error(source, tab..tab + 1, "a tab stands where YAML wants spaces");
    Some(fault.help("indent with spaces only"))
}

/// A line's value, after `key:` or `- `, with its place.
fn value_of<'s>(source: &'s Source, line: &Range<usize>) -> Option<(usize, &'s str)> {
    let text = &source.text[line.clone()];
    let start = match text.find(": ") {
        Some(colon) if !text[..colon].contains(['"', '\'']) => colon + 2,
        _ => text.find("- ")? + 2,
    };
    let value = text[start..].trim_start();
    Some((line.end - value.len(), value))
}

/// `when: "interest rate" AND fed`: to YAML, the value ends with the quote.
fn text_after_quotes(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let close = value[1..].find(quote)? + 2;
    let rest = value[close..].trim_start();
    if rest.is_empty() || rest.starts_with(['#', ',', ']', '}', ':']) {
        return None;
    }
    let from = start + value.len() - rest.len();
    let fault = Fault::error(source, from..line.end, "YAML ends the value at the quote, so that this is left over");
    Some(fault.help(format!("put the whole value in single quotes: {}", single_quoted(value))))
}

/// `when: *sport`, `when: @x`: characters that mean something to YAML at the start of a value.
fn reserved_start(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    let first = value.chars().next().filter(|c| matches!(c, '*' | '&' | '@' | '`' | '%'))?;
    let fault = Fault::error(source, start..start + 1, format!("a value cannot begin with `{first}` in YAML"));
    Some(fault.help(format!("put the whole value in single quotes: {}", single_quoted(value))))
}

/// `when: title: Russia`: to YAML, a second key begins.
fn colon_in_value(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    if value.starts_with(['"', '\'', '[', '{', '|', '>']) {
        return None;
    }
    let colon = start + value.find(": ")?;
    let fault = Fault::error(source, colon..colon + 1, "a colon and a space inside a value begin a new key in YAML");
    Some(fault.help(format!("put the whole value in single quotes: {}", single_quoted(value))))
}

/// `when:Russia`: to YAML, all of it is one word.
fn missing_space(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let text = source.text[line.clone()].trim_start().trim_start_matches("- ");
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if !is_key || value.is_empty() || value.starts_with([' ', '/']) {
        return None;
    }
    let colon = line.end - value.len() - 1;
    let fault = Fault::error(source, colon..colon + 1, "a space is missing after the colon");
    Some(fault.help(format!("write `{key}: {value}`")))
}

fn single_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
