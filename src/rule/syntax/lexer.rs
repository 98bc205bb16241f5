//! Cuts an expression into words, quoted phrases, lists, operators and parentheses; refuses what is not of this language, or not yet.

use std::ops::Range;

use super::{Problems, field, foreign, later};
use crate::rule::excerpt;
use crate::rule::pair::Link;
use crate::text::shows_nothing;

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `NOT`
    Not,
    /// `NEAR/5`, `ONEAR/5`, `EXCEPT`
    Link,
    /// An operator between two operands that was refused.
    Between,
    /// Characters between spaces that are nothing else.
    Word,
    /// A phrase with its quotation marks.
    Quoted,
    /// `$name`
    List,
    /// `title:`
    Field,
    /// An operand that was refused.
    Refused,
}

/// A piece of an expression.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) kind: Kind,
    /// Bytes of the expression.
    pub(super) span: Range<usize>,
}

impl Kind {
    /// Whether an operand ends with such a lexeme.
    fn ends_operand(self) -> bool {
        matches!(self, Self::Close | Self::Word | Self::Quoted | Self::List | Self::Refused)
    }
}

/// What stands before and after some characters that are looked at.
pub(super) struct Context<'t> {
    /// The expression from there on.
    pub(super) rest: &'t str,
    /// The characters up to the next space, parenthesis or quotation mark.
    pub(super) run: &'t str,
    /// Whether an operand stands just before.
    pub(super) after_operand: bool,
}

/// What a look at the start of a run found to refuse.
pub(super) struct Refusal {
    /// How many bytes it concerns; lexing goes on behind them. More than none.
    pub(super) taken: usize,
    /// What the parser is to take it for, so that one mistake makes one fault.
    pub(super) stands_for: Option<Kind>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// What these bytes are written as here, where that can be said; `help` then goes on after it.
    pub(super) translation: Option<String>,
}

/// The lexemes of `expression`, in order.
pub(super) fn lex(expression: &str, problems: &mut Problems) -> Vec<Lexeme> {
    let mut lexer = Lexer { text: expression, at: 0, lexemes: Vec::new(), edits: Vec::new(), problems };
    while let Some(offset) = expression[lexer.at..].find(|c: char| !c.is_whitespace()) {
        lexer.at += offset;
        lexer.next();
    }
    let Lexer { lexemes, edits, .. } = lexer;
    translate(expression, &edits, problems);
    lexemes
}

struct Lexer<'t, 'p> {
    text: &'t str,
    at: usize,
    lexemes: Vec<Lexeme>,
    /// Translations: what to put where, and which problem waits for it.
    edits: Vec<Edit>,
    problems: &'p mut Problems,
}

struct Edit {
    span: Range<usize>,
    text: String,
    problem: usize,
}

impl Lexer<'_, '_> {
    /// Takes what begins here, which is no space.
    fn next(&mut self) {
        let rest = &self.text[self.at..];
        match rest.chars().next() {
            Some('(') => self.push(Kind::Open, 1),
            Some(')') => self.push(Kind::Close, 1),
            Some(quote) if is_quote(quote) => self.quoted(quote),
            _ => self.run(),
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.lexemes.push(Lexeme { kind, span: self.at..self.at + length });
        self.at += length;
    }

    fn quoted(&mut self, open: char) {
        let inside = &self.text[self.at + open.len_utf8()..];
        if let Some(length) = inside.find(|c| closes(open, c)) {
            let close = inside[length..].chars().next().map_or(0, char::len_utf8);
            self.push(Kind::Quoted, open.len_utf8() + length + close);
        } else {
            let span = self.at..self.at + open.len_utf8();
            self.problems.error(span, "this quotation mark is never closed", "write another where the phrase ends");
            self.push(Kind::Refused, self.text.len() - self.at);
        }
    }

    fn run(&mut self) {
        let rest = &self.text[self.at..];
        let run =
            &rest[..rest.find(|c: char| c.is_whitespace() || is_quote(c) || "()".contains(c)).unwrap_or(rest.len())];
        let after_operand = self.lexemes.last().is_some_and(|last| last.kind.ends_operand());
        let context = Context { rest, run, after_operand };
        match run.trim_matches(shows_nothing) {
            "AND" => self.push(Kind::And, run.len()),
            "OR" => self.push(Kind::Or, run.len()),
            "NOT" => self.push(Kind::Not, run.len()),
            bare if Link::read(bare).is_some() => self.push(Kind::Link, run.len()),
            _ => match refusal(&context) {
                Some(refusal) => self.refuse(refusal),
                None => self.operand(run),
            },
        }
    }

    fn operand(&mut self, run: &str) {
        if let Some(name) = list_name(run) {
            self.push(Kind::List, 1 + name.len());
        } else if let Some(length) = field::prefix(run) {
            self.push(Kind::Field, length);
        } else {
            self.push(Kind::Word, run.len());
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        let span = self.at..self.at + refusal.taken;
        if let Some(text) = refusal.translation {
            self.edits.push(Edit { span: span.clone(), text, problem: self.problems.found.len() });
        }
        self.problems.error(span, refusal.message, refusal.help);
        match refusal.stands_for {
            Some(kind) => self.push(kind, refusal.taken),
            None => self.at += refusal.taken,
        }
    }
}

fn refusal(context: &Context<'_>) -> Option<Refusal> {
    foreign::look(context).or_else(|| later::look(context)).or_else(|| field::look(context))
}

/// Gives every problem that waits for a translation the expression with all translations in place.
fn translate(expression: &str, edits: &[Edit], problems: &mut Problems) {
    let mut translated = String::new();
    let mut places = Vec::new();
    let mut at = 0;
    for edit in edits {
        translated.push_str(&expression[at..edit.span.start]);
        places.push(translated.len()..translated.len() + edit.text.len());
        translated.push_str(&edit.text);
        at = edit.span.end;
    }
    translated.push_str(&expression[at..]);
    for (edit, place) in edits.iter().zip(places) {
        if let Some(problem) = problems.found.get_mut(edit.problem) {
            let (shown, _) = excerpt::around(&translated, &place, 120);
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            problem.help = Some(format!("write `{shown}`{}", problem.help.take().unwrap_or_default()));
        }
    }
}

/// The name in `$name…`.
pub(crate) fn list_name(run: &str) -> Option<&str> {
    let name = run.strip_prefix('$')?;
    let end = name.find(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).unwrap_or(name.len());
    name.starts_with(char::is_alphabetic).then_some(&name[..end])
}

pub(super) fn is_quote(c: char) -> bool {
    c == '"' || is_curved(c)
}

fn is_curved(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '«' | '»')
}

/// Whether `c` closes what `open` opened: languages pair the curved ones in every way.
fn closes(open: char, c: char) -> bool {
    if open == '"' { c == '"' } else { is_curved(c) }
}
