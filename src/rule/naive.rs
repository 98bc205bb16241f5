//! The plain evaluator: slow, obvious, and what every faster one is held to.

use std::ops::Range;

use super::tree::{Term, Tree, Word};
use crate::story::{Field, Story};
use crate::text::{Token, tokenise};

/// A story in words.
#[derive(Debug)]
pub(crate) struct Page<'s> {
    title: FieldText<'s>,
    body: FieldText<'s>,
}

/// One field of a story in words.
#[derive(Debug)]
struct FieldText<'s> {
    field: Field,
    text: &'s str,
    tokens: Vec<Token>,
    /// A title wholly in capitals: its capitals say nothing.
    shouted: bool,
}

/// Where a term stands in a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// In which field.
    pub(crate) field: Field,
    /// The bytes of the field's text from the term's first word to its last.
    pub(crate) span: Range<usize>,
}

impl<'s> Page<'s> {
    /// Tokenises `story`, once for all rules.
    pub(crate) fn new(story: &'s Story) -> Self {
        Self { title: FieldText::new(Field::Title, &story.title), body: FieldText::new(Field::Body, &story.body) }
    }

    /// The text of `field`.
    pub(crate) fn text(&self, field: Field) -> &'s str {
        match field {
            Field::Title => self.title.text,
            Field::Body => self.body.text,
        }
    }
}

impl<'s> FieldText<'s> {
    fn new(field: Field, text: &'s str) -> Self {
        let shouted = field == Field::Title && !text.contains(char::is_lowercase);
        Self { field, text, tokens: tokenise(text), shouted }
    }

    fn find(&self, term: &Term) -> Option<Place> {
        let stands = |tokens: &&[Token]| {
            tokens.iter().zip(&term.words).all(|(token, word)| self.is(token, word))
                && tokens.iter().all(|token| token.paragraph == tokens[0].paragraph)
        };
        let tokens = self.tokens.windows(term.words.len()).find(stands)?;
        let span = tokens.first()?.span.start..tokens.last()?.span.end;
        Some(Place { field: self.field, span })
    }

    fn is(&self, token: &Token, word: &Word) -> bool {
        match word {
            Word::Exact(folded) => token.word == *folded,
            Word::Prefix(folded) => token.word.starts_with(folded.as_str()),
            Word::Initials { dotted, bare } => {
                let in_capitals = || !self.shouted && !self.text[token.span.clone()].contains(char::is_lowercase);
                token.word == *dotted || (token.word == *bare && in_capitals())
            }
        }
    }
}

/// Whether `tree` holds of the story in `page`.
pub(crate) fn holds(tree: &Tree, page: &Page<'_>) -> bool {
    match tree {
        Tree::Term(term, _) => find(term, page).is_some(),
        Tree::List(list, _) => list.terms.iter().any(|term| find(term, page).is_some()),
        Tree::And(branches) => branches.iter().all(|branch| holds(branch, page)),
        Tree::Or(branches) => branches.iter().any(|branch| holds(branch, page)),
        Tree::Not(branch, _) => !holds(branch, page),
    }
}

/// Where `term` stands first: in the title, else in the body. Never across two fields or paragraphs.
pub(crate) fn find(term: &Term, page: &Page<'_>) -> Option<Place> {
    page.title.find(term).or_else(|| page.body.find(term))
}
