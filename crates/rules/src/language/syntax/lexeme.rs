//! The pieces of an expression, and what the readers of special forms are given and give back.

use std::ops::Range;

use crate::language::tree::TextUnit;

/// What a lexeme is.
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
    /// Characters between spaces that are nothing else.
    Word,
    /// A phrase with its quotation marks, and a `=` before them if there is one.
    Quoted,
    /// `$name`
    List,
    /// `cs`, with its parenthesis behind it
    Cased,
    /// `SENT`, `PARA`, with a parenthesis behind it
    Within(TextUnit),
    /// `ATLEAST/3`, with a parenthesis behind it
    AtLeast,
    /// `ANY/2`, with a parenthesis behind it
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
    /// Bytes of the expression.
    pub(super) span: Range<usize>,
}

impl LexemeKind {
    /// Whether an operand ends with such a lexeme.
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

/// What stands before and after some characters that are checked.
pub(super) struct LexerContext<'t> {
    /// The expression from there on.
    pub(super) rest: &'t str,
    /// The characters up to the next space, parenthesis, quotation mark or, in ANY, comma.
    pub(super) run: &'t str,
    /// Whether an operand stands just before.
    pub(super) after_operand: bool,
}

/// What is refused at the start of a run.
pub(super) struct Refusal {
    /// How many bytes it concerns; lexing goes on behind them. More than none.
    pub(super) taken: usize,
    /// What the parser is to take it for, so that one mistake makes one fault.
    pub(super) stands_for: Option<LexemeKind>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// What these bytes are written as here, where that can be said; `help` then goes on after it.
    pub(super) translation: Option<String>,
}

/// What stands at the start of a run.
pub(super) enum SpecialForm {
    /// A lexeme of so many bytes.
    Lexeme(LexemeKind, usize),
    /// Something to refuse.
    Refused(Refusal),
}

/// Whether `c` opens or closes a quoted phrase.
pub(super) fn is_quote(c: char) -> bool {
    c == '"' || is_curved(c)
}

/// Whether `c` is a curved or angled quotation mark.
pub(super) fn is_curved(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '«' | '»')
}

/// Whether `text` is digits alone.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}
