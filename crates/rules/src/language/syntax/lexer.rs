//! Splits an expression into words, quoted phrases, lists, operators and parentheses. Refuses
//! foreign syntax.

use std::ops::Range;

use super::lexeme::{Lexeme, LexemeKind, LexerContext, Refusal, SpecialForm, is_curved, is_quote};
use super::{field, foreign, special};
use crate::explain::excerpt;
use crate::language::pair::Proximity;
use crate::language::syntax::problems::Problems;
use crate::text::{is_hebrew, one_line, shows_nothing};

/// The lexemes of `expression`, in order.
pub(super) fn lex(expression: &str, problems: &mut Problems) -> Vec<Lexeme> {
    let mut lexer = Lexer {
        text: expression,
        at: 0,
        lexemes: Vec::new(),
        edits: Vec::new(),
        listing: Vec::new(),
        problems,
    };
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
    /// The translations: their places and texts, and the problems that wait for them.
    edits: Vec<Edit>,
    /// For every open parenthesis, whether it belongs to ANY, in which commas separate items.
    listing: Vec<bool>,
    problems: &'p mut Problems,
}

struct Edit {
    span: Range<usize>,
    text: String,
    problem: usize,
}

impl Lexer<'_, '_> {
    /// Reads the piece at this place, which is not a space.
    fn next(&mut self) {
        let rest = &self.text[self.at..];
        match rest.chars().next() {
            Some(sign @ ('(' | '（')) => {
                let is_any = self.lexemes.last().is_some_and(|last| last.kind == LexemeKind::AnyOf);
                self.listing.push(is_any || self.lists());
                self.parenthesis(sign, LexemeKind::Open);
            }
            Some(sign @ (')' | '）')) => {
                self.listing.pop();
                self.parenthesis(sign, LexemeKind::Close);
            }
            Some(',') if self.lists() => self.comma(),
            Some(quote) if is_quote(quote) => self.quoted(0, quote),
            Some('=') => match rest[1..].chars().next() {
                Some(quote) if is_quote(quote) => self.quoted(1, quote),
                _ => self.run(),
            },
            _ => self.run(),
        }
    }

    /// Reads a parenthesis. A full-width parenthesis of Chinese and Japanese text is refused.
    fn parenthesis(&mut self, sign: char, kind: LexemeKind) {
        if !sign.is_ascii() {
            let span = self.at..self.at + sign.len_utf8();
            let help = "write ( and ); a phrase that has such a sign in it goes in double quotes";
            self.problems.error(
                span,
                format!("`{sign}` is not a parenthesis of an expression"),
                help,
            );
        }
        self.push(kind, sign.len_utf8());
    }

    /// Whether commas separate items here.
    fn lists(&self) -> bool {
        self.listing.last() == Some(&true)
    }

    /// Reads a comma in ANY. A comma between digits may be part of a number.
    fn comma(&mut self) {
        let (before, behind) = (&self.text[..self.at], &self.text[self.at + 1..]);
        if before.ends_with(|c: char| c.is_ascii_digit())
            && behind.starts_with(|c: char| c.is_ascii_digit())
        {
            let span = self.at..self.at + 1;
            let help = "write a space behind the comma, or the number in double quotes";
            self.problems.error(
                span,
                "this comma may separate two items, or the digits of one number",
                help,
            );
        }
        self.push(LexemeKind::Comma, 1);
    }

    fn push(&mut self, kind: LexemeKind, length: usize) {
        self.lexemes.push(Lexeme { kind, span: self.at..self.at + length });
        self.at += length;
    }

    /// Reads a phrase whose quotation mark `open` is `before` bytes ahead.
    fn quoted(&mut self, before: usize, open: char) {
        let first = before + open.len_utf8();
        let inside = &self.text[self.at + first..];
        if let Some((length, close)) = closing(open, inside) {
            self.push(LexemeKind::Quoted, first + length + close);
        } else {
            let span = self.at..self.at + first;
            self.problems.error(
                span,
                "this quotation mark is never closed",
                "write another where the phrase ends",
            );
            self.push(LexemeKind::Refused, self.text.len() - self.at);
        }
    }

    fn run(&mut self) {
        let rest = &self.text[self.at..];
        let run = &rest[..run_length(rest, self.lists())];
        let after_operand = self.lexemes.last().is_some_and(|last| last.kind.ends_operand());
        let context = LexerContext { rest, run, after_operand };
        match run.trim_matches(shows_nothing) {
            "AND" => self.push(LexemeKind::And, run.len()),
            "OR" => self.push(LexemeKind::Or, run.len()),
            "NOT" => self.push(LexemeKind::Not, run.len()),
            "cs" if rest.starts_with("cs(") => self.push(LexemeKind::Cased, run.len()),
            bare if Proximity::parse(bare).is_some() => self.push(LexemeKind::Link, run.len()),
            _ => match special_or_refused(&context) {
                Some(SpecialForm::Lexeme(kind, length)) => self.push(kind, length),
                Some(SpecialForm::Refused(refusal)) => self.refuse(refusal),
                None => self.operand(run),
            },
        }
    }

    fn operand(&mut self, run: &str) {
        if let Some(name) = list_name(run) {
            self.push(LexemeKind::List, 1 + name.len());
        } else if let Some(length) = field::prefix(run) {
            self.push(LexemeKind::Field, length);
        } else {
            self.push(LexemeKind::Word, run.len());
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

/// The special or refused form at a run; `None` for a plain operand. The operand of a field is read
/// after its colon.
fn special_or_refused(context: &LexerContext<'_>) -> Option<SpecialForm> {
    if field::prefix(context.run).is_some() {
        return None;
    }
    let foreign = || {
        foreign::refuse_foreign(context)
            .or_else(|| field::refuse_field(context))
            .map(SpecialForm::Refused)
    };
    special::special_form(context).or_else(foreign)
}

/// The length of the run at the start of `rest`: up to a space, a parenthesis, a quotation mark, or
/// a comma if commas separate items.
fn run_length(rest: &str, commas: bool) -> usize {
    let mut before = None;
    let end = rest.char_indices().find(|&(at, c)| {
        let behind = || rest[at + c.len_utf8()..].chars().next();
        let ends = c.is_whitespace()
            || "()（）".contains(c)
            || (c == ',' && commas)
            || (is_quote(c) && !is_gershayim(before, behind()));
        before = Some(c);
        ends
    });
    end.map_or(rest.len(), |(at, _)| at)
}

/// The place in `inside` of the quotation mark that closes `open`, and its length.
fn closing(open: char, inside: &str) -> Option<(usize, usize)> {
    let mut before = None;
    inside.char_indices().find_map(|(at, c)| {
        let behind = || inside[at + c.len_utf8()..].chars().next();
        let found =
            (closes(open, c) && !is_gershayim(before, behind())).then_some((at, c.len_utf8()));
        before = Some(c);
        found
    })
}

/// Whether a quotation mark between these characters belongs to a Hebrew abbreviation: `צה"ל`.
fn is_gershayim(before: Option<char>, behind: Option<char>) -> bool {
    before.is_some_and(is_hebrew) && behind.is_some_and(is_hebrew)
}

/// Adds the expression with all translations to every problem that waits for one.
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
            let shown = one_line(&shown);
            problem.help =
                Some(format!("write `{shown}`{}", problem.help.take().unwrap_or_default()));
        }
    }
}

/// The name at the start of `run` after its `$`.
pub(crate) fn list_name(run: &str) -> Option<&str> {
    let name = run.strip_prefix('$')?;
    let end = name.find(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).unwrap_or(name.len());
    name.starts_with(char::is_alphabetic).then_some(&name[..end])
}

/// Whether `c` closes a phrase that `open` opened. Languages pair curved quotation marks in every
/// way.
fn closes(open: char, c: char) -> bool {
    if open == '"' { c == '"' } else { is_curved(c) }
}
