//! Reads phrases: plain words, quoted words, and words that look like operators.

use std::ops::Range;

use super::doubts;
use super::lexer::lex;
use crate::language::syntax::lexeme::{Lexeme, LexemeKind, is_quote};
use crate::language::syntax::problems::Problems;
use crate::language::term::{Forms, NoTerm, Term};

/// The term of `lexemes`, if they are a single term.
pub(super) fn only_term(
    text: &str,
    lexemes: &[Lexeme],
    forms: Forms,
    label: Option<&str>,
    problems: &mut Problems,
) -> Option<Term> {
    let (Some(first), Some(last)) = (lexemes.first(), lexemes.last()) else {
        problems.error(0..text.len(), "there is no word in this", A_TERM);
        return None;
    };
    if let [cased, open, inner @ .., close] = lexemes
        && (cased.kind, open.kind, close.kind)
            == (LexemeKind::Cased, LexemeKind::Open, LexemeKind::Close)
    {
        let inner = only_term(text, inner, forms, label, problems);
        return inner.filter(|term| term.capitals.is_none()).map(Term::cased);
    }
    let alone = lexemes.len() == 1;
    let is_word = |lexeme: &Lexeme| matches!(lexeme.kind, LexemeKind::Word | LexemeKind::Refused);
    if alone && first.kind == LexemeKind::Quoted {
        return term(text, first.span.clone(), forms, label, problems);
    }
    if let Some(stranger) = lexemes.iter().find(|lexeme| !is_word(lexeme)) {
        let help = if alone {
            "an operator alone is not a term; if the word is meant, put it in double quotes"
        } else {
            "operators belong in `when`; a phrase with such signs in it goes in double quotes"
        };
        problems.error(
            stranger.span.clone(),
            "an entry of a term list is one word or phrase",
            help,
        );
        return None;
    }
    if lexemes.iter().any(|lexeme| lexeme.kind == LexemeKind::Refused) {
        return None;
    }
    term(text, first.span.start..last.span.end, forms, label, problems)
}

const A_TERM: &str = "a term has at least one letter or digit";

/// The term of the words, or of the quoted phrase, at the bytes `span` of `text`.
pub(super) fn term(
    text: &str,
    span: Range<usize>,
    forms: Forms,
    label: Option<&str>,
    problems: &mut Problems,
) -> Option<Term> {
    let (literal, phrase) = unquoted(text, &span);
    let in_text = |part: Range<usize>| phrase.start + part.start..phrase.start + part.end;
    match Term::new(&text[phrase.clone()], literal, forms, label) {
        Ok(term) => return Some(term),
        Err(NoTerm::Wordless) => problems.error(span, "there is no word in this", A_TERM),
        Err(NoTerm::StrayWildcard(part)) => {
            let help = "a wildcard stands right behind the beginning of a word: missile*; other signs have no effect";
            problems.error(in_text(part), "this `*` does not end a word", help);
        }
        Err(NoTerm::ShortWildcard(part)) => {
            let help = "three letters or digits stand before a `*`, two in Cyrillic, one in Han: write more of the word";
            problems.error(in_text(part), "this wildcard would find far too many words", help);
        }
    }
    None
}

/// The operator that `word` would be in capitals; `None` if it is in capitals.
pub(super) fn operator_in_lower_case(word: &str) -> Option<LexemeKind> {
    match word.to_ascii_uppercase().as_str() {
        upper if upper == word => None,
        "AND" => Some(LexemeKind::And),
        "OR" => Some(LexemeKind::Or),
        "NOT" => Some(LexemeKind::Not),
        _ => None,
    }
}

/// Whether the phrase at `span` is in quotes after a `=`, and its bytes without them.
fn unquoted(text: &str, span: &Range<usize>) -> (bool, Range<usize>) {
    let written = &text[span.clone()];
    let quoted = written.strip_prefix('=').unwrap_or(written);
    let Some(open) = quoted.chars().next().filter(|&c| is_quote(c)) else {
        return (false, span.clone());
    };
    let before = written.len() - quoted.len();
    let close = quoted.chars().next_back().map_or(0, char::len_utf8);
    (before > 0, span.start + before + open.len_utf8()..span.end - close)
}

/// Whether `text` without quotes is one phrase everywhere, also in ANY, and gets no warning.
pub(crate) fn is_bare_phrase(text: &str) -> bool {
    let mut problems = Problems::default();
    let lexemes = lex(text, &mut problems);
    let is_word = |lexeme: &Lexeme| {
        lexeme.kind == LexemeKind::Word
            && operator_in_lower_case(&text[lexeme.span.clone()]).is_none()
    };
    if problems.broken || text.contains(',') || !lexemes.iter().all(is_word) {
        return false;
    }
    doubts::warn_of_doubts(text, &lexemes, &mut problems);
    problems.found.is_empty()
}
