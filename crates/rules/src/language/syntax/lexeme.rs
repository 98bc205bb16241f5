//! The pieces of an expression, and the inputs and results of the readers of special forms.

use std::ops::Range;

use crate::language::tree::TextUnit;

/// The kind of a lexeme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LexemeKind {
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
    /// Characters between spaces that have no other meaning.
    Word,
    /// A phrase with its quotation marks, and with a `=` before them if there is one.
    Quoted,
    /// `$name`
    List,
    /// `cs` before a parenthesis
    Cased,
    /// `SENT` or `PARA` before a parenthesis
    Within(TextUnit),
    /// `ATLEAST/3` before a parenthesis
    AtLeast,
    /// `ANY/2` before a parenthesis
    AnyOf,
    /// `,` between the items of ANY
    Comma,
    /// `/arms? deals?/`
    Pattern,
    /// `words >= 100`
    Compare,
    /// `title:`
    Field,
    /// An operand that was refused.
    Refused,
}

/// A piece of an expression.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) kind: LexemeKind,
    /// Its bytes of the expression.
    pub(super) span: Range<usize>,
}

impl LexemeKind {
    /// Whether an operand can end with it.
    pub(super) fn ends_operand(self) -> bool {
        matches!(
            self,
            Self::Close
                | Self::Word
                | Self::Quoted
                | Self::List
                | Self::Pattern
                | Self::Compare
                | Self::Refused
        )
    }
}

/// The surroundings of a place in the expression.
pub(super) struct LexerContext<'t> {
    /// The expression from the place on.
    pub(super) rest: &'t str,
    /// The characters up to the next space, parenthesis, quotation mark or, in ANY, comma.
    pub(super) run: &'t str,
    /// Whether an operand ends just before the place.
    pub(super) after_operand: bool,
}

/// A refused form at the start of a run.
pub(super) struct Refusal {
    /// The number of bytes that it has, at least one. The lexer continues after them.
    pub(super) taken: usize,
    /// The kind of lexeme that replaces it for the parser, so that one mistake is one fault.
    pub(super) stands_for: Option<LexemeKind>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// The translation of these bytes, if there is one. `help` then follows it.
    pub(super) translation: Option<String>,
}

/// A special form at the start of a run.
pub(super) enum SpecialForm {
    /// A lexeme with this number of bytes.
    Lexeme(LexemeKind, usize),
    /// A refused form.
    Refused(Refusal),
}

/// Whether `c` is a quotation mark of a phrase.
pub(super) fn is_quote(c: char) -> bool {
    c == '"' || is_curved(c)
}

/// Whether `c` is a curved or angled quotation mark.
pub(super) fn is_curved(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '«' | '»')
}

/// Whether `text` has only digits.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}
