//! Prints a tree of clauses: for each clause whether it holds, and the words that decide.

use anstyle::{AnsiColor, Style};
use textwrap::Options;

use tidings_rules::story::Evidence;
use tidings_rules::text::visible_line;
use tidings_rules::{Clause, Truth};

/// The narrowest and the widest lines, in columns.
const WIDTHS: (usize, usize) = (40, 100);

/// The most clauses of one clause that are shown one by one.
const MOST: usize = 12;

const MARK: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// The layout of text on this terminal.
#[derive(Clone, Copy)]
pub(super) struct TextLayout {
    /// In columns.
    pub(super) width: usize,
    pub(super) colour: bool,
}

impl TextLayout {
    /// The layout for standard output: as wide as the terminal, within bounds, or 80 columns
    /// without a terminal.
    pub(super) fn for_stdout() -> Self {
        let colour =
            anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        Self { width: textwrap::termwidth().clamp(WIDTHS.0, WIDTHS.1), colour }
    }

    /// `text` in `style`, if there is colour.
    pub(super) fn paint(self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// `text` in lines. The first begins with `first`, and the others are indented by `indent`.
    pub(super) fn wrap(self, text: &str, first: &str, indent: usize) -> String {
        let next = " ".repeat(indent);
        textwrap::fill(
            text,
            Options::new(self.width).initial_indent(first).subsequent_indent(&next),
        )
    }

    /// A line with the name of a fact and its text.
    pub(super) fn fact(self, name: &str, text: &str) -> String {
        self.wrap(&visible_line(text), &format!("  {name:9}  "), 13)
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

/// The lines of `clause` and its parts, `depth` levels deep.
pub(super) fn clause_lines(clause: &Clause, depth: usize, layout: TextLayout) -> Vec<String> {
    let indent = 2 * depth;
    let first = format!("{:indent$}{} ", "", layout.truth_sign(clause.truth));
    let mut lines = vec![layout.wrap(&visible_line(&clause.text), &first, indent + 4)];
    lines
        .extend(clause.notes.iter().map(|note| indented_line(&visible_line(note), indent, layout)));
    lines.extend(
        clause
            .evidence
            .iter()
            .map(|evidence| indented_line(&quote_evidence(evidence, layout), indent, layout)),
    );
    let (shown, hidden) = clause.clauses.split_at(clause.clauses.len().min(MOST));
    lines.extend(shown.iter().flat_map(|inner| clause_lines(inner, depth + 1, layout)));
    lines.extend(hidden_line(hidden).map(|hidden| indented_line(&hidden, indent, layout)));
    lines
}

fn indented_line(text: &str, indent: usize, layout: TextLayout) -> String {
    layout.wrap(text, &" ".repeat(indent + 4), indent + 6)
}

/// The number of hidden clauses, and how many of them hold.
fn hidden_line(hidden: &[Clause]) -> Option<String> {
    let held = hidden.iter().filter(|clause| clause.truth == Truth::True).count();
    let verb = if held == 1 { "holds" } else { "hold" };
    (!hidden.is_empty()).then(|| format!("and {} more, of which {held} {verb}", hidden.len()))
}

/// The field, and the sentence with the matched words marked.
pub(super) fn quote_evidence(evidence: &Evidence, layout: TextLayout) -> String {
    let label = evidence
        .label
        .as_ref()
        .map_or_else(String::new, |label| format!("{}, ", visible_line(label)));
    if evidence.marks.is_empty() {
        return format!("{label}in {}", visible_line(&evidence.term));
    }
    let mut shown = String::new();
    let mut done = 0;
    for mark in &evidence.marks {
        let word = visible_line(&evidence.sentence[mark.clone()]);
        let word = if layout.colour { layout.paint(&word, MARK) } else { format!("*{word}*") };
        shown += &visible_line(&evidence.sentence[done..mark.start]);
        shown += &word;
        done = mark.end;
    }
    shown += &visible_line(&evidence.sentence[done..]);
    format!("{label}{}: {shown}", evidence.field.as_str())
}
