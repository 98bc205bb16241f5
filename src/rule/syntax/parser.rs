//! Puts lexemes together to a tree; goes on after a fault, so that all of them are told.

use std::ops::Range;
use std::sync::Arc;

use super::lexer::{Kind, Lexeme, is_quote};
use super::phrase::operator_in_lower_case;
use super::{DEEPEST, Lists, Problems, mixed, phrase};
use crate::fault::nearest;
use crate::rule::excerpt;
use crate::rule::tree::Tree;

/// What joins an operand to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// It is the first.
    First,
    And,
    /// `a NOT b`
    AndNot,
    Or,
    /// Nothing, and that is yet to be told.
    Missing,
    /// Something that was refused.
    Refused,
}

/// An operand with its negations, and what joins it to the one before.
pub(super) struct Item {
    pub(super) joint: Joint,
    /// Whether `NOT` stands before it, the one of [`Joint::AndNot`] not counted.
    pub(super) negated: bool,
    /// As it was written, in short, with its negations.
    pub(super) text: String,
    /// The same without them.
    pub(super) bare: String,
    pub(super) joint_span: Range<usize>,
    pub(super) span: Range<usize>,
    tree: Option<Tree>,
}

/// The tree of `lexemes`, or `None` where a fault leaves no meaning.
pub(super) fn parse(text: &str, lexemes: &[Lexeme], lists: &Lists, problems: &mut Problems) -> Option<Tree> {
    let mut parser = Parser { text, lexemes, lists, problems, at: 0, depth: 0 };
    parser.level(0..text.len())
}

struct Parser<'t, 'p> {
    text: &'t str,
    lexemes: &'t [Lexeme],
    lists: &'t Lists,
    problems: &'p mut Problems,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t, '_> {
    fn peek(&self) -> Option<&'t Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_kind(&self) -> Option<Kind> {
        self.peek().map(|lexeme| lexeme.kind)
    }

    /// Everything up to the parenthesis that closes it, or the end. `whole` is to blame if that is nothing.
    fn level(&mut self, whole: Range<usize>) -> Option<Tree> {
        let is_empty = if self.depth > 0 { Some(Kind::Close) == self.peek_kind() } else { self.lexemes.is_empty() };
        if is_empty {
            self.tell_nothing(whole);
            return None;
        }
        let mut items = Vec::new();
        let (mut joint, mut joint_span) = (Joint::First, 0..0);
        loop {
            let item = self.item(joint, joint_span);
            if joint == Joint::Missing {
                self.tell_neighbours(items.last(), &item);
            }
            items.push(item);
            match self.joint() {
                Some(found) => (joint, joint_span) = found,
                None => break,
            }
        }
        if let Some(mixture) = mixed::find(&items) {
            let help = format!("write `{}` or `{}`", mixture.readings.0, mixture.readings.1);
            self.problems.error(mixture.span, mixture.message, help);
        }
        build(items)
    }

    fn tell_nothing(&mut self, whole: Range<usize>) {
        if !self.problems.broken {
            self.problems.error(whole, "there is nothing to look for here", "write a word or phrase");
        }
    }

    /// What joins the operand before to the next; `None` where the level ends.
    fn joint(&mut self) -> Option<(Joint, Range<usize>)> {
        let mut stray = false;
        while self.depth == 0 && self.peek_kind() == Some(Kind::Close) {
            let span = self.peek()?.span.clone();
            self.problems.error(
                span,
                "this parenthesis closes nothing",
                "remove it, or write the `(` that it belongs to",
            );
            stray = true;
            self.at += 1;
        }
        let next = self.peek()?;
        let joint = match next.kind {
            Kind::Close => return None,
            Kind::And => Joint::And,
            Kind::Or => Joint::Or,
            Kind::Not => Joint::AndNot,
            Kind::Between => Joint::Refused,
            _ => match operator_in_lower_case(&self.text[next.span.clone()]) {
                Some(operator) if next.kind == Kind::Word && !stray => self.tell_lower_case(operator, next),
                _ => {
                    let joint = if stray { Joint::Refused } else { Joint::Missing };
                    return Some((joint, next.span.start..next.span.start));
                }
            },
        };
        self.at += 1;
        Some((joint, next.span.clone()))
    }

    fn tell_lower_case(&mut self, operator: Kind, at: &Lexeme) -> Joint {
        let word = &self.text[at.span.clone()];
        let message = format!("`{word}` is no operator: operators are written in capitals");
        self.problems.error(at.span.clone(), message, format!("write {}", word.to_uppercase()));
        match operator {
            Kind::Or => Joint::Or,
            Kind::Not => Joint::AndNot,
            _ => Joint::And,
        }
    }

    /// An operand with its negations. What is missing is told, and stands as an item without a tree.
    fn item(&mut self, joint: Joint, joint_span: Range<usize>) -> Item {
        let first = self.at;
        let start = self.peek().map_or(self.text.len(), |lexeme| lexeme.span.start);
        while self.peek_kind() == Some(Kind::Not) {
            self.at += 1;
        }
        let nots = self.at - first;
        let bare_start = self.peek().map_or(self.text.len(), |lexeme| lexeme.span.start);
        let tree = match self.peek_kind() {
            Some(Kind::Open) => self.group(),
            Some(Kind::Word | Kind::Refused) => self.phrase(),
            Some(Kind::Quoted) => self.quoted(),
            Some(Kind::List) => self.list(),
            _ => {
                let not = nots.checked_sub(1).map(|last| self.lexemes[first + last].span.clone());
                self.tell_missing(not, joint, joint_span.clone());
                None
            }
        };
        let end = self.at.checked_sub(1).map_or(0, |last| self.lexemes[last].span.end).max(start);
        let tree = match nots % 2 {
            1 => tree.map(|tree| Tree::negated(tree, start..end)),
            _ => tree,
        };
        let short = |start: usize| excerpt::around(&self.text[start.min(end)..end], &(0..0), 40).0;
        let on_one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Item {
            joint,
            negated: nots > 0,
            text: on_one_line(short(start)),
            bare: on_one_line(short(bare_start)),
            joint_span,
            span: start..end,
            tree,
        }
    }

    fn tell_missing(&mut self, not: Option<Range<usize>>, joint: Joint, joint_span: Range<usize>) {
        let operator = |span: &Range<usize>| format!("`{}`", &self.text[span.clone()]);
        let (span, message) = match (not, joint, self.peek()) {
            (_, Joint::Refused, _) => return,
            (Some(not), _, _) => (not.clone(), format!("nothing follows {}", operator(&not))),
            (None, Joint::First, Some(next)) if next.kind != Kind::Close => {
                (next.span.clone(), format!("nothing stands before {}", operator(&next.span)))
            }
            (None, Joint::First, next) => {
                let span = next.map_or(0..self.text.len(), |next| next.span.clone());
                (span, "there is nothing to look for here".to_owned())
            }
            (None, _, _) => (joint_span.clone(), format!("nothing follows {}", operator(&joint_span))),
        };
        self.problems.error(
            span,
            message,
            "write a word or phrase there; if the operator is meant as a word, put it in double quotes",
        );
    }

    fn tell_neighbours(&mut self, left: Option<&Item>, right: &Item) {
        let left = left.map_or("", |item| item.text.as_str());
        let bare = |text: &str| text.trim_matches(is_quote).to_owned();
        let phrases = !left.ends_with(')')
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
            "two terms stand side by side, and nothing says how they belong together",
            help,
        );
    }

    fn group(&mut self) -> Option<Tree> {
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
        let tree = self.level(open.clone());
        self.depth -= 1;
        if self.peek_kind() == Some(Kind::Close) {
            self.at += 1;
        } else if !self.ends_in_open_quote() {
            self.problems.error(open, "this parenthesis is never closed", "write the `)` that belongs to it");
        }
        tree
    }

    /// Passes over a group without a look into it, however deep it is.
    fn skip_group(&mut self) {
        let mut open = 0_usize;
        while let Some(kind) = self.peek_kind() {
            match kind {
                Kind::Open => open += 1,
                Kind::Close => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// Whether an open quotation mark has swallowed what follows.
    fn ends_in_open_quote(&self) -> bool {
        let last = self.lexemes.last().filter(|last| last.kind == Kind::Refused);
        last.is_some_and(|last| self.text[last.span.clone()].starts_with(is_quote))
    }

    fn phrase(&mut self) -> Option<Tree> {
        let first = self.at;
        while matches!(self.peek_kind(), Some(Kind::Word | Kind::Refused))
            && !(self.at > first && self.at_operator_in_lower_case())
        {
            self.at += 1;
        }
        let words = &self.lexemes[first..self.at];
        let (Some(start), Some(end)) = (words.first(), words.last()) else { return None };
        if words.iter().any(|word| word.kind == Kind::Refused) {
            return None;
        }
        let span = start.span.start..end.span.end;
        self.ask_about_operators(words, &self.text[span.clone()]);
        self.term(span)
    }

    /// Whether an `and` is here that joins no words: `arms and (a OR b)`.
    fn at_operator_in_lower_case(&self) -> bool {
        let is_operator = |lexeme: &Lexeme| operator_in_lower_case(&self.text[lexeme.span.clone()]).is_some();
        let joins = self.lexemes.get(self.at + 1).map(|next| next.kind);
        self.peek().is_some_and(is_operator) && matches!(joins, Some(Kind::Open | Kind::Quoted | Kind::List))
    }

    fn ask_about_operators(&mut self, words: &[Lexeme], phrase: &str) {
        for (at, word) in words.iter().enumerate() {
            let written = &self.text[word.span.clone()];
            let first_or_last = at == 0 || at + 1 == words.len();
            match operator_in_lower_case(written) {
                Some(Kind::Not) if words.len() > 1 => {}
                Some(_) if !first_or_last => {}
                _ => continue,
            }
            let shown = excerpt::around(phrase, &(0..0), 60).0.split_whitespace().collect::<Vec<_>>().join(" ");
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
        let term = phrase::term(self.text, span.clone(), None, self.problems)?;
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
            None => "term lists stand under `terms` in any rule file; a price goes in double quotes".to_owned(),
        };
        self.problems.error(span, format!("there is no term list `${name}`"), help);
        None
    }
}

fn build(items: Vec<Item>) -> Option<Tree> {
    let any = items.get(1).is_some_and(|item| item.joint == Joint::Or);
    let branch = |item: Item| {
        let span = item.joint_span.start..item.span.end;
        item.tree.map(|tree| if item.joint == Joint::AndNot { Tree::negated(tree, span) } else { tree })
    };
    let branches: Vec<Tree> = items.into_iter().map(branch).collect::<Option<_>>()?;
    Some(if any { Tree::any(branches) } else { Tree::all(branches) })
}
