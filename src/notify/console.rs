//! Alerts on standard output: for a person, or as JSON Lines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;

use super::view::{Part, View, view};
use super::{Outcome, unreachable};
use crate::alert::Letter;
use crate::config::ConsoleFormat;
use crate::story::Severity;

/// The widest that lines are, in characters.
const WIDTH: usize = 96;

/// What stands before every line but the first.
const INDENT: &str = "  ";

/// Prints a letter, which `frozen` holds as JSON.
pub(super) fn send(format: ConsoleFormat, zone: &TimeZone, frozen: &[u8]) -> Outcome {
    let printed = match format {
        ConsoleFormat::Json => print_json(frozen),
        ConsoleFormat::Text => match serde_json::from_slice::<Letter>(frozen) {
            Ok(letter) => print_text(&letter, zone),
            Err(why) => return Outcome::Refused(format!("the message in the store cannot be read: {why}")),
        },
    };
    match printed {
        Ok(()) => Outcome::Delivered("printed".to_owned()),
        Err(why) => unreachable(format!("standard output cannot be written: {why}")),
    }
}

fn print_json(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// `AutoStream` takes the colours out where standard output is no terminal, or `NO_COLOR` is set.
fn print_text(letter: &Letter, zone: &TimeZone) -> io::Result<()> {
    let mut stdout = anstream::AutoStream::auto(io::stdout().lock());
    let colour = stdout.current_choice() != anstream::ColorChoice::Never;
    stdout.write_all(text(&view(letter, zone), colour).as_bytes())?;
    stdout.flush()
}

/// A letter as a person reads it. Without colour, matched words stand between asterisks.
pub(super) fn text(view: &View, colour: bool) -> String {
    let (bold, dim, loud) = if colour {
        (Style::new().bold(), Style::new().dimmed(), severity_style(view.severity))
    } else {
        (Style::new(), Style::new(), Style::new())
    };
    let severity = view.severity.as_str().to_uppercase();
    let mut lines = vec![
        format!("{loud}{severity}{loud:#}  {bold}{}{bold:#}", view.title),
        format!("{INDENT}{dim}{}{dim:#}", view.source),
    ];
    for rule in &view.rules {
        let about = rule.about.as_ref().map(|about| format!(" — {about}")).unwrap_or_default();
        lines.push(format!("{INDENT}rule: {}{dim}{about}{dim:#}", rule.name));
    }
    for quote in &view.quotes {
        lines.extend(wrapped(quote, if colour { Some(bold) } else { None }));
    }
    lines.extend(view.note.as_ref().map(|note| format!("{INDENT}({note})")));
    lines.extend(view.link.as_ref().map(|link| format!("{INDENT}{link}")));
    lines.join("\n") + "\n\n"
}

fn severity_style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Info | Severity::Low => AnsiColor::Cyan,
        Severity::Medium => AnsiColor::Yellow,
        Severity::High | Severity::Critical => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

/// A quote in lines of at most [`WIDTH`] characters, matched words in `style`, or between asterisks.
fn wrapped(quote: &[Part], style: Option<Style>) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut width) = (format!("{INDENT}> "), 4);
    for (word, glued) in words(quote) {
        let length = word.text.chars().count();
        if !glued && width > 4 {
            if width + 1 + length > WIDTH {
                lines.push(std::mem::replace(&mut line, format!("{INDENT}> ")));
                width = 4;
            } else {
                line.push(' ');
                width += 1;
            }
        }
        let (before, after) = match (word.matched, style) {
            (false, _) => (String::new(), String::new()),
            (true, Some(style)) => (style.render().to_string(), style.render_reset().to_string()),
            (true, None) => ("*".to_owned(), "*".to_owned()),
        };
        line.extend([before, word.text, after]);
        width += length;
    }
    lines.push(line);
    lines
}

/// The words of a quote, and whether each is glued to the one before it: a comma after a matched word.
fn words(quote: &[Part]) -> Vec<(Part, bool)> {
    let mut words = Vec::new();
    let mut open = false;
    for part in quote {
        let pieces: Vec<&str> = if part.matched { vec![part.text.as_str()] } else { part.text.split(' ').collect() };
        for (index, piece) in pieces.iter().enumerate() {
            if !piece.is_empty() {
                words.push((Part { text: (*piece).to_owned(), matched: part.matched }, open && index == 0));
            }
        }
        open = pieces.last().is_some_and(|piece| !piece.is_empty());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::letter;
    use super::*;
    use crate::alert::Content;

    #[test]
    fn an_alert_reads_well_without_colours() {
        insta::assert_snapshot!("console_plain", text(&view(&letter(), &TimeZone::UTC), false));
    }

    #[test]
    fn an_alert_in_colours() {
        insta::assert_snapshot!("console_colour", text(&view(&letter(), &TimeZone::UTC), true));
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        let letter = Letter { content: Content::Test, ..letter() };
        insta::assert_snapshot!("console_test", text(&view(&letter, &TimeZone::UTC), false));
    }

    #[test]
    fn no_line_of_a_quote_is_too_wide_and_no_word_is_lost() {
        let part = |text: &str, matched| Part { text: text.to_owned(), matched };
        let quote = [part(&"word ".repeat(60), false), part("North Korea", true), part(", and more", false)];
        let lines = wrapped(&quote, None);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH + 2), "{lines:#?}");
        assert!(lines.last().expect("a line").contains("*North Korea*, and more"), "{lines:#?}");
        assert_eq!(lines.join(" ").matches("word").count(), 60);
    }
}
