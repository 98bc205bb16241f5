//! Parses primaries: groups, phrases, lists, fields, and operators that look like functions.

use std::ops::Range;
use std::sync::Arc;

use super::{Inside, Parser};
use crate::explain::excerpt;
use crate::fault::nearest;
use crate::language::scope::Scope;
use crate::language::syntax::lexeme::{Lexeme, LexemeKind, is_quote};
use crate::language::syntax::parser::DEEPEST;
use crate::language::syntax::phrase::operator_in_lower_case;
use crate::language::syntax::{doubts, field, phrase, special};
use crate::language::term::Term;
use crate::language::tree::{TextUnit, Tree};

/// The largest number of ATLEAST and ANY.
const MOST: usize = 1000;

impl Parser<'_, '_> {
    pub(super) fn primary(&mut self) -> Option<Tree> {
        match self.peek_kind()? {
            LexemeKind::Open => self.group(),
            LexemeKind::Quoted => self.quoted(),
            LexemeKind::List => self.list(),
            LexemeKind::Cased => self.cased(),
            LexemeKind::Within(unit) => self.within(unit),
            LexemeKind::AtLeast => self.at_least(),
            LexemeKind::AnyOf => self.any_of(),
            LexemeKind::Pattern => self.pattern(),
            LexemeKind::Compare => self.comparison(),
            LexemeKind::Field => self.field(),
            _ => self.phrase(),
        }
    }

    fn cased(&mut self) -> Option<Tree> {
        let start = self.peek()?.span.start;
        self.at += 1;
        let inside = self.group()?;
        let span = start..self.lexemes[self.at - 1].span.end;
        if let Tree::Term(term, _) = inside {
            return Some(Tree::Term(Arc::new(Term::clone(&term).cased()), span));
        }
        let help = "write it for each: (cs(US) OR cs(ICE))";
        self.problems.error(inside.span(), "`cs()` takes one word or phrase", help);
        None
    }

    fn field(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let name = &self.text[span.clone()];
        let nested = self.skip_nested_fields();
        if !self.at_operand() {
            let help = format!(
                "write a word or phrase there, or several in parentheses: {name}(a OR b); NOT goes before"
            );
            self.problems.error(span, format!("nothing to look for follows `{name}`"), help);
            return None;
        }
        let outer = self.inside;
        self.inside = Inside { field: true, ..outer };
        // A field in a field is refused. Only its primary is parsed, so that `a NEAR/5 title:a
        // NEAR/5 title:…` does not recurse.
        let branch = if outer.field { self.primary() } else { self.near() };
        self.inside = outer;
        if outer.field {
            self.report_field_in_field(span);
            return None;
        }
        if let Some(unit) = outer.unit {
            let help = format!("write the field before it: {name}{}(a AND b)", unit.operator());
            self.problems.error(
                span,
                format!("`{name}` stands inside {}()", unit.operator()),
                help,
            );
            return None;
        }
        let (scope, branch) =
            (Scope::named(name.trim_end_matches(':'))?, branch.filter(|_| !nested)?);
        field::check_field(scope, &branch, self.problems);
        let end = self.lexemes[self.at - 1].span.end;
        Some(Tree::In(scope, Box::new(branch), span.start..end))
    }

    /// Passes over the fields directly after a field, each of which is a fault. It is a loop, so
    /// any number of fields needs no stack.
    fn skip_nested_fields(&mut self) -> bool {
        let first = self.at;
        while let Some(next) = self.peek().filter(|next| next.kind == LexemeKind::Field) {
            self.report_field_in_field(next.span.clone());
            self.at += 1;
        }
        self.at > first
    }

    fn report_field_in_field(&mut self, span: Range<usize>) {
        let message = format!("`{}` stands inside another field", &self.text[span.clone()]);
        self.problems.error(
            span,
            message,
            "close the parentheses before it: title:(a OR b) AND body:c",
        );
    }

    /// `SENT(…)`, `PARA(…)`.
    fn within(&mut self, unit: TextUnit) -> Option<Tree> {
        let start = self.peek()?.span.start;
        self.at += 1;
        let outer = self.inside;
        self.inside = Inside { unit: Some(unit), ..outer };
        let branch = self.group();
        self.inside = outer;
        Some(Tree::Within(unit, Box::new(branch?), start..self.end()))
    }

    /// `ATLEAST/n(…)`.
    fn at_least(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let (least, inside) = (self.number(&span), self.group());
        let example = format!("{}(a OR b)", &self.text[span.clone()]);
        let operand = self.operand(inside?, &span, &example)?;
        Some(Tree::AtLeast(least?, operand, span.start..self.end()))
    }

    /// `ANY/n(…, …)`.
    fn any_of(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let (least, items) = (self.number(&span), self.items());
        let (least, items) = (least?, items?);
        let count: usize = items.iter().map(Tree::weight).sum();
        if least > count && !self.lists.partial {
            let message =
                format!("this can never hold: `{}` lists {count}", &self.text[span.clone()]);
            let help = "list more, separated by commas, or ask for fewer of them";
            self.problems.error(span, message, help);
            return None;
        }
        Some(Tree::AnyOf(least, items, span.start..self.end()))
    }

    /// The number of the operator at `span`.
    fn number(&mut self, span: &Range<usize>) -> Option<usize> {
        let operator = &self.text[span.clone()];
        let number = operator
            .split_once('/')
            .and_then(|(_, number)| number.parse().ok())
            .filter(|&n| n <= MOST);
        match number {
            Some(0) => self.problems.error(
                span.clone(),
                "this would hold for every story",
                "ask for one at least",
            ),
            None => self.problems.error(
                span.clone(),
                format!("at most {MOST} can be asked for"),
                "ask for fewer",
            ),
            Some(number) => return Some(number),
        }
        None
    }

    /// Parses the items of `ANY` with their parentheses. Every item is parsed, so that all faults
    /// are reported.
    fn items(&mut self) -> Option<Vec<Tree>> {
        let open = self.enter_group()?;
        let outer = self.inside;
        self.inside = Inside { listing: Some(self.depth), ..outer };
        let mut items = vec![self.level(open.clone())];
        while let Some(comma) = self.peek().filter(|next| next.kind == LexemeKind::Comma) {
            let comma = comma.span.clone();
            self.at += 1;
            items.push(self.level(comma));
        }
        self.inside = outer;
        self.close(open);
        items.into_iter().collect()
    }

    fn pattern(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let pattern = special::read_pattern(self.text, &span, self.problems)?;
        Some(Tree::Pattern(Arc::new(pattern), span))
    }

    fn comparison(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let comparison = special::read_comparison(self.text, &span, self.problems)?;
        if self.inside.field || self.inside.unit.is_some() {
            let name = comparison.measure().as_str();
            let help = format!("close the parentheses before it: … AND {}", comparison.written());
            self.problems.error(
                span,
                format!("`{name}` is about the whole story, not about a part of it"),
                help,
            );
            return None;
        }
        Some(Tree::Compare(comparison, span))
    }

    fn group(&mut self) -> Option<Tree> {
        let open = self.enter_group()?;
        let tree = self.level(open.clone());
        self.close(open);
        tree
    }

    /// Enters a group. A group that is too deep is passed over.
    fn enter_group(&mut self) -> Option<Range<usize>> {
        let open = self.peek()?.span.clone();
        if self.depth == DEEPEST {
            self.problems.error(
                open,
                format!("parentheses are nested more than {DEEPEST} deep here"),
                "make term lists of the parts",
            );
            self.skip_group();
            return None;
        }
        self.at += 1;
        self.depth += 1;
        Some(open)
    }

    /// Leaves the group that begins at `open`.
    fn close(&mut self, open: Range<usize>) {
        self.depth -= 1;
        if self.peek_kind() == Some(LexemeKind::Close) {
            self.at += 1;
        } else if !self.ends_in_open_quote() {
            self.problems.error(
                open,
                "this parenthesis is never closed",
                "write the `)` that belongs to it",
            );
        }
    }

    /// The end of the previous lexeme.
    fn end(&self) -> usize {
        self.lexemes[self.at - 1].span.end
    }

    /// Passes over a group of any depth without parsing it.
    fn skip_group(&mut self) {
        let mut open = 0_usize;
        while let Some(kind) = self.peek_kind() {
            match kind {
                LexemeKind::Open => open += 1,
                LexemeKind::Close => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// Whether the expression ends in an open quotation mark.
    fn ends_in_open_quote(&self) -> bool {
        let last = self.lexemes.last().filter(|last| last.kind == LexemeKind::Refused);
        last.is_some_and(|last| self.text[last.span.clone()].starts_with(is_quote))
    }

    fn phrase(&mut self) -> Option<Tree> {
        let first = self.at;
        while matches!(self.peek_kind(), Some(LexemeKind::Word | LexemeKind::Refused))
            && !(self.at > first && self.at_operator_in_lower_case())
        {
            self.at += 1;
        }
        let words = &self.lexemes[first..self.at];
        let (Some(start), Some(end)) = (words.first(), words.last()) else { return None };
        if words.iter().any(|word| word.kind == LexemeKind::Refused) {
            return None;
        }
        let span = start.span.start..end.span.end;
        self.ask_about_operators(words, &self.text[span.clone()]);
        doubts::warn_of_doubts(self.text, words, self.problems);
        self.term(span)
    }

    /// Whether an `and` is here that joins no words: `arms and (a OR b)`.
    fn at_operator_in_lower_case(&self) -> bool {
        let is_operator =
            |lexeme: &Lexeme| operator_in_lower_case(&self.text[lexeme.span.clone()]).is_some();
        let joins = self.lexemes.get(self.at + 1).map(|next| next.kind);
        self.peek().is_some_and(is_operator)
            && matches!(joins, Some(LexemeKind::Open | LexemeKind::Quoted | LexemeKind::List))
    }

    fn ask_about_operators(&mut self, words: &[Lexeme], phrase: &str) {
        for (at, word) in words.iter().enumerate() {
            let written = &self.text[word.span.clone()];
            let first_or_last = at == 0 || at + 1 == words.len();
            match operator_in_lower_case(written) {
                Some(LexemeKind::Not) if words.len() > 1 => {}
                Some(_) if !first_or_last => {}
                _ => continue,
            }
            let shown = excerpt::head(phrase, 60).split_whitespace().collect::<Vec<_>>().join(" ");
            let upper = written.to_uppercase();
            self.problems.warning(
                word.span.clone(),
                format!("`{written}` is a word of the phrase `{shown}` here: is the operator {upper} meant?"),
                format!("write {upper} for the operator, or \"{shown}\" for the phrase"),
            );
        }
    }

    fn quoted(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        self.term(span)
    }

    fn term(&mut self, span: Range<usize>) -> Option<Tree> {
        let term = phrase::term(self.text, span.clone(), self.lists.forms, None, self.problems)?;
        Some(Tree::Term(Arc::new(term), span))
    }

    fn list(&mut self) -> Option<Tree> {
        let span = self.peek()?.span.clone();
        self.at += 1;
        let name = &self.text[span.start + 1..span.end];
        if let Some(list) = self.lists.by_name.get(name) {
            return Some(Tree::List(Arc::clone(list), span));
        }
        if self.lists.partial {
            return None;
        }
        let help = match nearest(name, self.lists.by_name.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `${near}`?"),
            None => {
                "term lists stand under `terms` in any rule file; a price goes in double quotes"
                    .to_owned()
            }
        };
        self.problems.error(span, format!("there is no term list `${name}`"), help);
        None
    }
}
