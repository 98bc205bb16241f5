//! Explains syntax errors: the probable cause, and how to write it.

use std::ops::Range;
use std::sync::Arc;

use crate::fault::{Fault, Source};

/// The longest value that a help text repeats, in bytes.
const LONGEST_ADVICE: usize = 200;

const QUOTE_ALL: &str = "put the whole value in single quotes";

const LEFT_OVER: &str = "YAML ends the value at the quote, so that this is left over";

/// The fault for a parser's error at byte offset `at` with the message `said`.
pub(super) fn syntax_error(source: &Arc<Source>, at: usize, said: &str) -> Fault {
    let at = source.text.floor_char_boundary(at.min(source.text.len()));
    advice_for_message(source, at, said)
        .or_else(|| {
            lines_up_to(&source.text, at).into_iter().find_map(|line| by_shape(source, &line))
        })
        .or_else(|| said.contains("mapping values").then(|| new_key(source, at)))
        .or_else(|| said.contains("trailing content after").then(|| left_over(source, at)))
        .unwrap_or_else(|| {
            let said = said.split(" at line ").next().unwrap_or(said);
            Fault::error(source, at..at, format!("this is not YAML: {said}"))
                .help("the indentation, a quote or a bracket is off here or just above")
        })
}

/// Errors whose cause follows from the parser's message.
fn advice_for_message(source: &Arc<Source>, at: usize, said: &str) -> Option<Fault> {
    let fault = |span: Range<usize>, message: &str| Fault::error(source, span, message);
    if said.contains("found a tab") {
        let tab = at + source.text[at..].find('\t')?;
        return Some(tab_at(source, tab));
    }
    if said.contains("unprintable") || said.contains("control character") {
        return Some(fault(at..at, "an invisible character is here").help("delete it"));
    }
    if said.contains("escape") {
        let fault = fault(
            bad_escape(&source.text, at)?,
            "in double quotes, a backslash begins an escape, and this is not a valid one",
        );
        return Some(
            fault.help(
                "put the value in single quotes, where a backslash is a backslash; or write the character itself",
            ),
        );
    }
    if said.contains("recursion limit") {
        return Some(
            fault(at..at, "this is nested too deep").help("write fewer brackets in one another"),
        );
    }
    if said.contains("quoted scalar") && said.contains("end of stream") {
        return Some(
            fault(at..at + 1, "this quote is never closed")
                .help("close it, or put the whole value in single quotes"),
        );
    }
    if said.contains("comment intercepting") {
        let fault = fault(at..at + 1, "a comment stands in the middle of a value");
        return Some(
            fault.help("put the whole value in single quotes, or the comment on a line of its own above the key"),
        );
    }
    None
}

/// The first escape that YAML 1.2 (5.7) does not define, in the double-quoted scalar that begins at
/// `at`.
fn bad_escape(text: &str, at: usize) -> Option<Range<usize>> {
    let mut left = text[at..].char_indices().skip(1);
    while let Some((start, c)) = left.next() {
        if c == '"' {
            return None;
        }
        if c != '\\' {
            continue;
        }
        let (_, kind) = left.next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let code: String = left.by_ref().take(digits).map(|(_, c)| c).collect();
        let sound = match digits {
            0 => "0abt\tnvfre \"/\\N_LP\n\r".contains(kind),
            _ => u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).is_some(),
        };
        if !sound {
            return Some(at + start..at + start + 1 + kind.len_utf8() + code.len());
        }
    }
    None
}

/// A key where none can be: the line above is not a finished key and value, or this line was meant
/// to be part of it.
fn new_key(source: &Arc<Source>, at: usize) -> Fault {
    Fault::error(source, at..at + 1, "this colon begins a new key, but the line above is not finished")
        .help("if this is a key, indent it like the keys above, and see whether a colon is missing there; if it is part of the value above, put the whole value in single quotes")
}

/// `[a, "b" c]`: YAML ends the item at the quote.
fn left_over(source: &Arc<Source>, at: usize) -> Fault {
    let text = source.text[at..].split(['\n', ',', ']', '}']).next().unwrap_or_default().trim_end();
    Fault::error(source, at..at + text.len(), LEFT_OVER).help(QUOTE_ALL)
}

/// The line that contains `at`, and the two lines before it that are not blank, the nearest first.
fn lines_up_to(text: &str, at: usize) -> Vec<Range<usize>> {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let mut lines = Vec::new();
    let mut rest = &text[..end];
    while lines.len() < 3 && !rest.is_empty() {
        let start = rest.rfind('\n').map_or(0, |newline| newline + 1);
        let line = rest[start..].trim_end();
        if !line.is_empty() {
            lines.push(start..start + line.len());
        }
        rest = &rest[..start.saturating_sub(1)];
    }
    lines
}

/// Errors whose cause follows from the shape of a line.
fn by_shape(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    tab(source, line)
        .or_else(|| text_after_quotes(source, line))
        .or_else(|| reserved_start(source, line))
        .or_else(|| list_beside_key(source, line))
        .or_else(|| colon_in_value(source, line))
        .or_else(|| missing_space(source, line))
}

fn tab(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let text = &source.text[line.clone()];
    let indentation = text.len() - text.trim_start().len();
    let tab = line.start + text[..indentation].find('\t')?;
    Some(tab_at(source, tab))
}

fn tab_at(source: &Arc<Source>, tab: usize) -> Fault {
    Fault::error(source, tab..tab + 1, "a tab is where YAML needs spaces")
        .help("indent with spaces only")
}

/// The value of a line, after `key:` or `- `, with its place.
fn value_of<'s>(source: &'s Source, line: &Range<usize>) -> Option<(usize, &'s str)> {
    let text = &source.text[line.clone()];
    let start = match text.find(": ") {
        Some(colon) if !text[..colon].contains(['"', '\'']) => colon + 2,
        _ => text.find("- ")? + 2,
    };
    let value = text[start..].trim_start();
    Some((line.end - value.len(), value))
}

/// `when: "interest rate" AND fed`: YAML ends the value at the quote.
fn text_after_quotes(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let close = value[1..].find(quote)? + 2;
    let rest = value[close..].trim_start();
    if rest.is_empty() || rest.starts_with(['#', ',', ']', '}', ':']) {
        return None;
    }
    let from = start + value.len() - rest.len();
    let fault = Fault::error(source, from..line.end, LEFT_OVER);
    let inner = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if quote == '\'' && has_quoted_words(value) {
        let message = "put the whole value in single quotes, and phrases in double ones";
        return Some(fault.help(quoting(message, &with_double_quotes(value))));
    }
    Some(match inner {
        Some(inner) => {
            fault.help(quoting("inside single quotes, write an apostrophe twice", inner))
        }
        None => fault.help(quoting(QUOTE_ALL, value)),
    })
}

/// Whether single quotes stand around whole words, as in `'Russia' AND 'North Korea'`, and not
/// inside a word.
fn has_quoted_words(value: &str) -> bool {
    value[1..].contains(" '") || value[1..].contains("('") || value.contains("' ")
}

/// `value` with double quotes in place of the single quotes around words. Apostrophes inside words
/// stay.
fn with_double_quotes(value: &str) -> String {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let quote = |(at, c): (usize, char)| {
        let within = is_letter(value[..at].chars().next_back())
            && is_letter(value[at + c.len_utf8()..].chars().next());
        if c == '\'' && !within { '"' } else { c }
    };
    value.char_indices().map(quote).collect()
}

/// `when: *sport`, `when: @x`: characters that YAML reserves at the start of a value.
fn reserved_start(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    let first = value.chars().next().filter(|c| matches!(c, '*' | '&' | '@' | '`' | '%'))?;
    let fault = Fault::error(
        source,
        start..start + 1,
        format!("a value cannot begin with {first} in YAML"),
    );
    Some(fault.help(quoting(QUOTE_ALL, value)))
}

/// `when: - a`: in YAML, a list begins on a line of its own.
fn list_beside_key(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    value.strip_prefix("- ")?;
    let fault =
        Fault::error(source, start..start + 1, "a list cannot begin on the line of its key");
    Some(fault.help("write it [in, brackets], or each item on a line of its own below; a text that begins with a dash needs single quotes"))
}

/// `when: title: Russia`: in YAML, a second key begins.
fn colon_in_value(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let (start, value) = value_of(source, line)?;
    if value.starts_with(['"', '\'', '[', '{', '|', '>']) {
        return None;
    }
    let colon = start + value.find(": ")?;
    let fault = Fault::error(
        source,
        colon..colon + 1,
        "a colon and a space inside a value begin a new key in YAML",
    );
    Some(fault.help(quoting(QUOTE_ALL, value)))
}

/// `when:Russia`: in YAML, this is one word.
fn missing_space(source: &Arc<Source>, line: &Range<usize>) -> Option<Fault> {
    let text = source.text[line.clone()].trim_start().trim_start_matches("- ");
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if !is_key || value.is_empty() || value.starts_with([' ', '/']) {
        return None;
    }
    let colon = line.end - value.len() - 1;
    let fault = Fault::error(source, colon..colon + 1, "a space is missing after the colon");
    let advice = if text.len() < LONGEST_ADVICE {
        format!("write `{key}: {value}`")
    } else {
        "write one".to_owned()
    };
    Some(fault.help(advice))
}

/// The advice, followed by `value` in single quotes.
fn quoting(advice: &str, value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.len() > LONGEST_ADVICE { advice.to_owned() } else { format!("{advice}: '{quoted}'") }
}
