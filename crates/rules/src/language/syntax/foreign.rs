//! Refuses the syntax of Lexis, Factiva, Google and Lucene, with its translation.

use crate::language::syntax::lexeme::{LexemeKind, LexerContext, Refusal, is_number, is_quote};
mod field;
mod function;

/// The refusal of foreign syntax at the start of a run, if there is any.
pub(super) fn refuse_foreign(context: &LexerContext<'_>) -> Option<Refusal> {
    signs(context)
        .or_else(|| prefix(context))
        .or_else(|| truncation(context))
        .or_else(|| proximity(context))
        .or_else(|| unnumbered(context))
        .or_else(|| around(context))
        .or_else(|| function::refuse_foreign_function(context))
        .or_else(|| field::refuse_foreign_field(context))
        .or_else(|| fuzzy(context))
        .or_else(|| synonyms(context))
        .or_else(|| range(context))
}

/// Google's `~word`
fn synonyms(context: &LexerContext<'_>) -> Option<Refusal> {
    let word =
        context.run.strip_prefix('~').filter(|word| word.starts_with(char::is_alphabetic))?;
    Some(Refusal {
        taken: context.run.len(),
        stands_for: Some(LexemeKind::Refused),
        message: "`~` finds no other words here".to_owned(),
        help: ", and the words that mean the same: (arms OR weapons)".to_owned(),
        translation: Some(word.to_owned()),
    })
}

/// Lucene's `[100 TO 200]`
fn range(context: &LexerContext<'_>) -> Option<Refusal> {
    let inside = context.rest.strip_prefix(['[', '{'])?;
    let end = inside.char_indices().take(RANGE).find(|(_, c)| matches!(c, ']' | '}'))?.0;
    inside[..end].contains(" TO ").then(|| Refusal {
        taken: end + 2,
        stands_for: Some(LexemeKind::Refused),
        message: "a range means nothing here".to_owned(),
        help: "numbers are compared: words >= 100 AND words <= 200; of words, write out those that are meant: (a OR b)"
            .to_owned(),
        translation: None,
    })
}

/// The longest range that is recognised, in characters.
const RANGE: usize = 100;

/// `&&`, `||`
fn signs(context: &LexerContext<'_>) -> Option<Refusal> {
    let (kind, word) = match context.run {
        "&&" | "&" => (LexemeKind::And, "AND"),
        "||" | "|" => (LexemeKind::Or, "OR"),
        _ => return None,
    };
    Some(Refusal {
        taken: context.run.len(),
        stands_for: Some(kind),
        message: format!("`{}` is not an operator here: it is `{word}`", context.run),
        help: String::new(),
        translation: Some(word.to_owned()),
    })
}

/// `-recipe`, `!recipe`, `+arms`, `&arms`
fn prefix(context: &LexerContext<'_>) -> Option<Refusal> {
    let sign = context.rest.chars().next()?;
    let behind = context.rest[sign.len_utf8()..].chars().next()?;
    if !(behind.is_alphabetic() || behind == '(' || behind == '$' || is_quote(behind)) {
        return None;
    }
    let (kind, word, message) = match sign {
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '!' => (
            Some(LexemeKind::Not),
            "NOT ",
            format!("`{sign}` before a term is not an operator here: it is `NOT`"),
        ),
        '+' | '&' => {
            let and = context.after_operand.then_some(LexemeKind::And);
            let word = if context.after_operand { "AND " } else { "" };
            (
                and,
                word,
                format!("`{sign}` is not an operator here: terms joined by `AND` are all required"),
            )
        }
        _ => return None,
    };
    Some(Refusal {
        taken: sign.len_utf8(),
        stands_for: kind,
        message,
        help: "; a phrase that begins with the sign goes in double quotes".to_owned(),
        translation: Some(word.to_owned()),
    })
}

/// `missil!`, `missil$`, `missil$3`, `wom?n`
fn truncation(context: &LexerContext<'_>) -> Option<Refusal> {
    let run = context.run;
    if let Some(stem) = run.strip_suffix('!').filter(|stem| stem.ends_with(char::is_alphabetic)) {
        return Some(Refusal {
            taken: run.len(),
            stands_for: Some(LexemeKind::Refused),
            message: "`!` is not a wildcard here: the wildcard is `*`".to_owned(),
            help: String::new(),
            translation: Some(format!("{stem}*")),
        });
    }
    if let Some((stem, most)) = run.split_once('$')
        && stem.len() >= 4
        && stem.chars().all(char::is_lowercase)
        && (most.is_empty() || is_number(most))
    {
        return Some(Refusal {
            taken: run.len(),
            stands_for: Some(LexemeKind::Refused),
            message: "`$` is not a wildcard here: the wildcard is `*`".to_owned(),
            help: String::new(),
            translation: Some(format!("{stem}*")),
        });
    }
    let (before, after) = run.split_once('?').filter(|_| !run.contains('/'))?;
    let inside =
        before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric);
    inside.then(|| Refusal {
        taken: run.len(),
        stands_for: Some(LexemeKind::Refused),
        message: "`?` is not a wildcard here".to_owned(),
        help: "write out the forms: (woman OR women)".to_owned(),
        translation: None,
    })
}

/// `w/5`, `pre/3`, `near5`, `/s`
fn proximity(context: &LexerContext<'_>) -> Option<Refusal> {
    if !context.after_operand {
        return None;
    }
    let lower = context.run.to_ascii_lowercase();
    let (ours, translation) = match lower.as_str() {
        "w/s" | "w/sent" | "/s" => ("SENT(one AND other)".to_owned(), None),
        "w/p" | "w/para" | "/p" => ("PARA(one AND other)".to_owned(), None),
        "w/seg" => ("title:(one AND other)".to_owned(), None),
        _ => within_words(&lower).map(|ours| (ours.clone(), Some(ours)))?,
    };
    Some(between(context.run.len(), format!("`{}` is `{ours}` here", context.run), translation))
}

/// `NEAR` without a number, or with an invalid one: `NEAR/x`, `NEAR/-1`; `NEAR /5`
fn unnumbered(context: &LexerContext<'_>) -> Option<Refusal> {
    let (name, number) = context.run.split_once('/').unwrap_or((context.run, ""));
    if !matches!(name, "NEAR" | "ONEAR") {
        return None;
    }
    if !number.is_empty() {
        return Some(Refusal {
            taken: context.run.len(),
            stands_for: Some(LexemeKind::Between),
            message: format!("`{number}` is not a number of words"),
            help: format!(
                "write a whole number: {name}/5; if these are words, put them in double quotes"
            ),
            translation: None,
        });
    }
    let behind =
        context.rest[context.run.len()..].trim_start().trim_start_matches('/').trim_start();
    let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let (taken, number) = (context.rest.len() - behind.len() + digits, &behind[..digits]);
    if context.after_operand
        && !number.is_empty()
        && !behind[digits..].starts_with(char::is_alphanumeric)
    {
        let message = format!("`{}` is `{name}/{number}` here", &context.rest[..taken]);
        return Some(between(taken, message, Some(format!("{name}/{number}"))));
    }
    context.after_operand.then(|| Refusal {
        taken: context.run.len(),
        stands_for: Some(LexemeKind::Between),
        message: format!("`{}` does not say how near", context.run),
        help: format!(
            " for at most ten words between; if the word {name} is meant, put it in double quotes"
        ),
        translation: Some(format!("{name}/10")),
    })
}

/// `NEAR/5` for `w/5`, `ONEAR/5` for `pre/5`.
fn within_words(run: &str) -> Option<String> {
    let near = ["w/", "within/", "near/", "near", "n/", "/"].map(|prefix| (prefix, "NEAR"));
    let ordered = ["pre/", "adj/", "adj", "onear/", "onear"].map(|prefix| (prefix, "ONEAR"));
    near.into_iter().chain(ordered).find_map(|(prefix, ours)| {
        let number = run.strip_prefix(prefix).filter(|number| is_number(number))?;
        Some(format!("{ours}/{number}"))
    })
}

fn between(taken: usize, message: String, translation: Option<String>) -> Refusal {
    let (message, help) = match translation {
        Some(_) => (message, String::new()),
        None => (message, "put both into the parentheses, AND between them".to_owned()),
    };
    Refusal { taken, stands_for: Some(LexemeKind::Between), message, help, translation }
}

/// Google's `AROUND(5)`
fn around(context: &LexerContext<'_>) -> Option<Refusal> {
    let (number, _) =
        context.rest.strip_prefix("AROUND(").filter(|_| context.after_operand)?.split_once(')')?;
    is_number(number).then(|| {
        let message = format!("`AROUND({number})` is `NEAR/{number}` here");
        between("AROUND()".len() + number.len(), message, Some(format!("NEAR/{number}")))
    })
}

/// Lucene's `roam~2`, `"a b"~5` and `arms^4`
fn fuzzy(context: &LexerContext<'_>) -> Option<Refusal> {
    let at = context.run.find(['~', '^'])?;
    let (before, behind) = (&context.run[..at], &context.run[at + 1..]);
    let is_lucene = (before.ends_with(char::is_alphanumeric)
        || before.is_empty() && context.after_operand)
        && behind.chars().all(|c| c.is_ascii_digit() || c == '.');
    let near = "for words near one another, write one NEAR/5 other";
    let (help, translation) = if before.is_empty() {
        (near.to_owned(), None)
    } else {
        (
            format!(", and the spellings that it may have: (Gaddafi OR Qaddafi); {near}"),
            Some(before.to_owned()),
        )
    };
    is_lucene.then(|| Refusal {
        taken: context.run.len(),
        stands_for: (!before.is_empty()).then_some(LexemeKind::Refused),
        message: format!(
            "`{}` means nothing here: a term is there or it is not",
            &context.run[at..]
        ),
        help,
        translation,
    })
}
