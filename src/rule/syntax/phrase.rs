//! Phrases: one by itself, what stands in quotes, and words that look like operators.

use super::Problems;
use super::lexer::{Kind, Lexeme, lex};

/// The only phrase in `lexemes`, without its quotes.
pub(super) fn only_phrase<'t>(text: &'t str, lexemes: &[Lexeme], problems: &mut Problems) -> Option<&'t str> {
    let [first, .., last] = lexemes else {
        return lexemes.first().and_then(|only| phrase_of(text, only, only, problems));
    };
    let stranger = lexemes.iter().find(|lexeme| !matches!(lexeme.kind, Kind::Word | Kind::Refused));
    if let Some(stranger) = stranger {
        let help = "operators belong into `when`; a phrase with such signs in it goes in double quotes";
        problems.error(stranger.span.clone(), "an entry of a term list is one word or phrase", help);
        return None;
    }
    phrase_of(text, first, last, problems)
}

fn phrase_of<'t>(text: &'t str, first: &Lexeme, last: &Lexeme, problems: &mut Problems) -> Option<&'t str> {
    match first.kind {
        Kind::Quoted => Some(unquoted(&text[first.span.clone()])),
        Kind::Word | Kind::Refused => Some(&text[first.span.start..last.span.end]),
        _ => {
            let help = "an operator alone is none; if the word is meant, put it in double quotes";
            problems.error(first.span.clone(), "an entry of a term list is one word or phrase", help);
            None
        }
    }
}

/// The operator that `word` would be in capitals, unless it is in capitals.
pub(super) fn operator_in_lower_case(word: &str) -> Option<Kind> {
    match word.to_ascii_uppercase().as_str() {
        upper if upper == word => None,
        "AND" => Some(Kind::And),
        "OR" => Some(Kind::Or),
        "NOT" => Some(Kind::Not),
        _ => None,
    }
}

/// A quoted phrase without its two quotation marks.
pub(super) fn unquoted(quoted: &str) -> &str {
    let mut characters = quoted.chars();
    characters.next();
    characters.next_back();
    characters.as_str()
}

/// Whether `text` as it is means one phrase and asks no question.
pub(crate) fn is_bare_phrase(text: &str) -> bool {
    let mut problems = Problems::default();
    let lexemes = lex(text, &mut problems);
    let is_word =
        |lexeme: &Lexeme| lexeme.kind == Kind::Word && operator_in_lower_case(&text[lexeme.span.clone()]).is_none();
    !problems.broken && lexemes.iter().all(is_word)
}
