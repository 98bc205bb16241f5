//! Builds a tree from lexemes. It continues after a fault, so that all faults are reported.

use std::ops::Range;

use super::mixed;
use super::phrase::operator_in_lower_case;
use crate::explain::excerpt;
use crate::language::lists::Lists;
use crate::language::operand::Operand;
use crate::language::pair::{FARTHEST, Pair, Proximity};
use crate::language::syntax::joint::{Joint, ParsedOperand};
use crate::language::syntax::lexeme::{Lexeme, LexemeKind, is_quote};
use crate::language::syntax::problems::Problems;
use crate::language::tree::{TextUnit, Tree};
use crate::text::{one_line, shows_nothing};

mod primary;

/// The most levels of parentheses.
const DEEPEST: usize = 100;

/// The smallest distance that is too large.
const FARTHER: usize = FARTHEST + 1;

/// The tree of `lexemes`, or `None` if a fault leaves no meaning.
pub(super) fn parse(
    text: &str,
    lexemes: &[Lexeme],
    lists: &Lists,
    problems: &mut Problems,
) -> Option<Tree> {
    let mut parser =
        Parser { text, lexemes, lists, problems, at: 0, depth: 0, inside: Inside::default() };
    parser.level(0..text.len())
}

struct Parser<'t, 'p> {
    text: &'t str,
    lexemes: &'t [Lexeme],
    lists: &'t Lists,
    problems: &'p mut Problems,
    at: usize,
    depth: usize,
    inside: Inside,
}

/// The constructs around the place of the parser.
#[derive(Clone, Copy, Default)]
struct Inside {
    /// Whether it is in a field.
    field: bool,
    /// The unit, if it is in SENT or PARA.
    unit: Option<TextUnit>,
    /// The depth at which commas separate the items of ANY.
    listing: Option<usize>,
}

impl<'t> Parser<'t, '_> {
    fn peek(&self) -> Option<&'t Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_kind(&self) -> Option<LexemeKind> {
        self.peek().map(|lexeme| lexeme.kind)
    }

    /// Parses everything up to the closing parenthesis, or to the end. If there is nothing, the
    /// fault is at `whole`.
    fn level(&mut self, whole: Range<usize>) -> Option<Tree> {
        let is_empty = if self.depth > 0 { self.at_end_of_item() } else { self.lexemes.is_empty() };
        if is_empty {
            self.report_nothing(whole);
            return None;
        }
        let mut items = Vec::new();
        let (mut joint, mut joint_span) = (Joint::First, 0..0);
        loop {
            let item = self.item(joint, joint_span);
            if joint == Joint::Missing {
                self.report_neighbours(items.last(), &item);
            }
            items.push(item);
            match self.joint() {
                Some(found) => (joint, joint_span) = found,
                None => break,
            }
        }
        if let Some(mixture) = mixed::find_mixture(&items) {
            let help = format!("write `{}` or `{}`", mixture.readings.0, mixture.readings.1);
            self.problems.error(mixture.span, mixture.message, help);
        }
        build(items)
    }

    /// Whether the level ends here, at its parenthesis or at a comma of ANY.
    fn at_end_of_item(&self) -> bool {
        match self.peek_kind() {
            Some(LexemeKind::Comma) => self.inside.listing == Some(self.depth),
            kind => kind == Some(LexemeKind::Close),
        }
    }

    fn report_nothing(&mut self, whole: Range<usize>) {
        if !self.problems.broken {
            self.problems.error(
                whole,
                "there is nothing to look for here",
                "write a word or phrase",
            );
        }
    }

    /// The joint before the next operand; `None` at the end of the level.
    fn joint(&mut self) -> Option<(Joint, Range<usize>)> {
        let mut stray = false;
        while self.depth == 0 && self.peek_kind() == Some(LexemeKind::Close) {
            let span = self.peek()?.span.clone();
            self.problems.error(
                span,
                "this parenthesis closes nothing",
                "remove it, or write the `(` that it belongs to",
            );
            stray = true;
            self.at += 1;
        }
        let next = self.peek().filter(|_| self.depth == 0 || !self.at_end_of_item())?;
        let joint = match next.kind {
            LexemeKind::Close => return None,
            LexemeKind::Comma => self.report_comma(next),
            LexemeKind::And => Joint::And,
            LexemeKind::Or => Joint::Or,
            LexemeKind::Not => Joint::AndNot,
            LexemeKind::Between | LexemeKind::Link => Joint::Refused,
            _ => match operator_in_lower_case(&self.text[next.span.clone()]) {
                Some(operator) if next.kind == LexemeKind::Word && !stray => {
                    self.report_lower_case(operator, next)
                }
                _ => {
                    let joint = if stray { Joint::Refused } else { Joint::Missing };
                    return Some((joint, next.span.start..next.span.start));
                }
            },
        };
        self.at += 1;
        Some((joint, next.span.clone()))
    }

    fn report_comma(&mut self, at: &Lexeme) -> Joint {
        let help = "a comma separates the items of ANY; in parentheses within, write OR; in a phrase, put it in double quotes";
        self.problems.error(at.span.clone(), "this comma separates nothing", help);
        Joint::Refused
    }

    fn report_lower_case(&mut self, operator: LexemeKind, at: &Lexeme) -> Joint {
        let word = &self.text[at.span.clone()];
        let message = format!("`{word}` is not an operator: operators are written in capitals");
        self.problems.error(at.span.clone(), message, format!("write {}", word.to_uppercase()));
        match operator {
            LexemeKind::Or => Joint::Or,
            LexemeKind::Not => Joint::AndNot,
            _ => Joint::And,
        }
    }

    /// Parses an operand with its negations. A missing operand is reported, and becomes an item
    /// without a tree.
    fn item(&mut self, joint: Joint, joint_span: Range<usize>) -> ParsedOperand {
        let first = self.at;
        let start = self.peek().map_or(self.text.len(), |lexeme| lexeme.span.start);
        while self.peek_kind() == Some(LexemeKind::Not) {
            self.at += 1;
        }
        let nots = self.at - first;
        let bare_start = self.peek().map_or(self.text.len(), |lexeme| lexeme.span.start);
        let tree = if self.at_operand() || self.peek_kind() == Some(LexemeKind::Field) {
            self.near()
        } else {
            let not = nots.checked_sub(1).map(|last| self.lexemes[first + last].span.clone());
            self.report_missing(not, joint, joint_span.clone());
            None
        };
        let end = self.at.checked_sub(1).map_or(0, |last| self.lexemes[last].span.end).max(start);
        let tree = match nots % 2 {
            1 => tree.map(|tree| Tree::negated(tree, start..end)),
            _ => tree,
        };
        let short = |start: usize| one_line(&excerpt::head(&self.text[start.min(end)..end], 40));
        ParsedOperand {
            joint,
            negated: nots > 0,
            text: short(start),
            bare: short(bare_start),
            joint_span,
            span: start..end,
            tree,
        }
    }

    /// Parses a primary, or two of them with NEAR, ONEAR or EXCEPT.
    fn near(&mut self) -> Option<Tree> {
        let start = self.peek()?.span.start;
        let left = self.primary();
        let Some(link) = self.link() else { return left };
        let right = self.parse_right_of(&link);
        let mut chained = false;
        while let Some(next) = self.link() {
            if !chained {
                let help = "write one after the other: (a NEAR/5 b) AND (b NEAR/5 c)";
                let message = format!(
                    "`{}` stands between two operands, not in a chain",
                    &self.text[next.clone()]
                );
                self.problems.error(next.clone(), message, help);
            }
            chained = true;
            self.parse_right_of(&next);
        }
        let kind = Proximity::parse(self.text[link.clone()].trim_matches(shows_nothing))?;
        if let Proximity::Near(FARTHER..) | Proximity::Onear(FARTHER..) = kind {
            let help = "write AND if it does not matter how near they stand";
            self.problems.error(
                link,
                format!("at most {FARTHEST} words can lie between two operands"),
                help,
            );
            return None;
        }
        let (left, right) = (left?, right?);
        let example = format!("a {} (b OR c)", &self.text[link.clone()]);
        let operands = (self.operand(left, &link, &example), self.operand(right, &link, &example));
        let end = self.lexemes[self.at - 1].span.end;
        let pair = Pair { left: operands.0?, link: kind, right: operands.1? };
        (!chained).then(|| Tree::Pair(Box::new(pair), start..end))
    }

    /// Passes over a NEAR, ONEAR or EXCEPT at this place, and returns its place.
    fn link(&mut self) -> Option<Range<usize>> {
        let link = self.peek().filter(|next| next.kind == LexemeKind::Link)?;
        self.at += 1;
        Some(link.span.clone())
    }

    fn parse_right_of(&mut self, link: &Range<usize>) -> Option<Tree> {
        if self.at_operand() || self.peek_kind() == Some(LexemeKind::Field) {
            return self.primary();
        }
        self.report_missing(None, Joint::And, link.clone());
        None
    }

    /// `tree` as an operand of `operator`, which `example` shows.
    fn operand(&mut self, tree: Tree, operator: &Range<usize>, example: &str) -> Option<Operand> {
        let span = tree.span();
        let operand = tree.into_operand();
        if operand.is_none() {
            let operator = &self.text[operator.clone()];
            let message = format!(
                "`{operator}` takes words, phrases and lists, or several of them joined by OR"
            );
            let help = format!(
                "take the rest out: ({example}) AND d; a field goes before: title:({example})"
            );
            self.problems.error(span, message, help);
        }
        operand
    }

    /// Whether a primary other than a field begins here.
    fn at_operand(&self) -> bool {
        matches!(
            self.peek_kind(),
            Some(
                LexemeKind::Open
                    | LexemeKind::Word
                    | LexemeKind::Refused
                    | LexemeKind::Quoted
                    | LexemeKind::List
                    | LexemeKind::Cased
                    | LexemeKind::Within(_)
                    | LexemeKind::AtLeast
                    | LexemeKind::AnyOf
                    | LexemeKind::Pattern
                    | LexemeKind::Compare
            )
        )
    }

    fn report_missing(
        &mut self,
        not: Option<Range<usize>>,
        joint: Joint,
        joint_span: Range<usize>,
    ) {
        let operator = |span: &Range<usize>| format!("`{}`", &self.text[span.clone()]);
        let (span, message) = match (not, joint, self.peek()) {
            (_, Joint::Refused, _) => return,
            (Some(not), _, _) => (not.clone(), format!("nothing follows {}", operator(&not))),
            (None, Joint::First, Some(next)) if next.kind != LexemeKind::Close => {
                (next.span.clone(), format!("nothing stands before {}", operator(&next.span)))
            }
            (None, Joint::First, next) => {
                let span = next.map_or(0..self.text.len(), |next| next.span.clone());
                (span, "there is nothing to look for here".to_owned())
            }
            (None, _, _) => {
                (joint_span.clone(), format!("nothing follows {}", operator(&joint_span)))
            }
        };
        self.problems.error(
            span,
            message,
            "write a word or phrase there; if the operator is meant as a word, put it in double quotes",
        );
    }

    fn report_neighbours(&mut self, left: Option<&ParsedOperand>, right: &ParsedOperand) {
        let is_field = |item: &ParsedOperand| matches!(item.tree, Some(Tree::In(..)));
        let fields = is_field(right) || left.is_some_and(is_field);
        let left = left.map_or("", |item| item.text.as_str());
        let bare = |text: &str| text.trim_matches(is_quote).to_owned();
        let phrases = !fields
            && !left.ends_with(')')
            && !right.text.ends_with(')')
            && !left.starts_with('$')
            && !right.text.starts_with('$');
        let phrase = if phrases {
            format!(", or `\"{} {}\"` if one follows the other", bare(left), bare(&right.text))
        } else {
            String::new()
        };
        let help = format!("write `{left} AND {}` if both must be there{phrase}", right.text);
        self.problems.error(
            right.span.clone(),
            "two terms stand side by side, and no operator joins them",
            help,
        );
    }
}

fn build(items: Vec<ParsedOperand>) -> Option<Tree> {
    let any = items.get(1).is_some_and(|item| item.joint == Joint::Or);
    let branch = |item: ParsedOperand| {
        let span = item.joint_span.start..item.span.end;
        item.tree
            .map(|tree| if item.joint == Joint::AndNot { Tree::negated(tree, span) } else { tree })
    };
    let branches: Vec<Tree> = items.into_iter().map(branch).collect::<Option<_>>()?;
    Some(if any { Tree::any(branches) } else { Tree::all(branches) })
}
