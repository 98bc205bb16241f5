//! A tree of clauses as people read it: what holds, on which words; what does not, and how near it
//! came.

use anstyle::{AnsiColor, Style};
use textwrap::Options;

use crate::notify::plain;
use tidings_rules::story::Evidence;
use tidings_rules::{Clause, Truth};

/// The narrowest and the widest that lines are made, in columns.
const WIDTHS: (usize, usize) = (40, 100);

/// Clauses of one clause that are shown one by one, at most.
const MOST: usize = 12;

const MARK: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// How text is written on this terminal.
#[derive(Clone, Copy)]
pub(super) struct TextLayout {
    /// In columns.
    pub(super) width: usize,
    pub(super) colour: bool,
}

impl TextLayout {
    /// That of standard output: as wide as the terminal, up to a width that reads well; eighty
    /// columns where there is none.
    pub(super) fn for_stdout() -> Self {
        let colour =
            anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        Self { width: textwrap::termwidth().clamp(WIDTHS.0, WIDTHS.1), colour }
    }

    /// `text` in `style`, where there is colour.
    pub(super) fn paint(self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// `text` in lines, the first after `first`, the others as far to the right as `indent` says.
    pub(super) fn wrap(self, text: &str, first: &str, indent: usize) -> String {
        let next = " ".repeat(indent);
        textwrap::fill(
            text,
            Options::new(self.width).initial_indent(first).subsequent_indent(&next),
        )
    }

    /// The sign for a truth.
    pub(super) fn truth_sign(self, truth: Truth) -> String {
        let (sign, colour) = match truth {
            Truth::True => ("✓", AnsiColor::Green),
            Truth::Unknown => ("?", AnsiColor::Yellow),
            Truth::False => ("✗", AnsiColor::Red),
        };
        self.paint(sign, Style::new().bold().fg_color(Some(colour.into())))
    }
}

/// Lines for `clause` and those it is made of, `depth` levels in.
pub(super) fn clause_lines(clause: &Clause, depth: usize, paper: TextLayout) -> Vec<String> {
    let indent = 2 * depth;
    let first = format!("{:indent$}{} ", "", paper.truth_sign(clause.truth));
    let mut lines = vec![paper.wrap(&plain(&clause.text), &first, indent + 4)];
    lines.extend(clause.notes.iter().map(|note| indented_line(&plain(note), indent, paper)));
    lines.extend(
        clause
            .evidence
            .iter()
            .map(|evidence| indented_line(&quote_evidence(evidence, paper), indent, paper)),
    );
    let (shown, hidden) = clause.clauses.split_at(clause.clauses.len().min(MOST));
    lines.extend(shown.iter().flat_map(|inner| clause_lines(inner, depth + 1, paper)));
    lines.extend(hidden_line(hidden).map(|hidden| indented_line(&hidden, indent, paper)));
    lines
}

fn indented_line(text: &str, indent: usize, paper: TextLayout) -> String {
    paper.wrap(text, &" ".repeat(indent + 4), indent + 6)
}

/// Of clauses that are not shown, how many of them hold.
fn hidden_line(hidden: &[Clause]) -> Option<String> {
    let held = hidden.iter().filter(|clause| clause.truth == Truth::True).count();
    (!hidden.is_empty()).then(|| format!("and {} more, of which {held} hold", hidden.len()))
}

/// Where words were found, and the sentence with the words marked.
pub(super) fn quote_evidence(evidence: &Evidence, paper: TextLayout) -> String {
    let label =
        evidence.label.as_ref().map_or_else(String::new, |label| format!("{}, ", plain(label)));
    if evidence.marks.is_empty() {
        return format!("{label}in {}", plain(&evidence.term));
    }
    let mut shown = String::new();
    let mut done = 0;
    for mark in &evidence.marks {
        let word = plain(&evidence.sentence[mark.clone()]);
        let word = if paper.colour { paper.paint(&word, MARK) } else { format!("*{word}*") };
        shown += &plain(&evidence.sentence[done..mark.start]);
        shown += &word;
        done = mark.end;
    }
    shown += &plain(&evidence.sentence[done..]);
    format!("{label}{}: {shown}", evidence.field.as_str())
}
