//! Refuses functions of other tools before a parenthesis, and operators in small letters or without
//! a number.

use crate::language::syntax::lexeme::{LexemeKind, LexerContext, Refusal, is_number};

/// Names before a parenthesis, the names that replace them, and the end of the help.
const NAMES: [(&str, &str, &str); 13] = [
    ("HEADLINE", "title:", ""),
    ("HLEAD", "lead:", ""),
    ("LEAD", "lead:", ""),
    ("BODY", "body:", ""),
    ("BYLINE", "author:", ""),
    ("PUBLICATION", "source:", ""),
    ("ALLCAPS", "cs", ", which asks for the capitals as they are written"),
    ("CAPS", "cs", ", which asks for the capitals as they are written"),
    ("sent", "SENT", ""),
    ("para", "PARA", ""),
    ("ANY", "ANY/2", ", or another number of them"),
    ("ATLEAST", "ATLEAST/3", ", or another number of places"),
    ("CS", "cs", ""),
];

/// Names before a parenthesis that are not needed, and why.
const NEEDLESS: [(&str, &str); 3] = [
    ("NOCAPS", ": capitals have no effect outside cs()"),
    ("PLURAL", " for this form only; for both, say `forms: plural` in the rule"),
    ("SINGULAR", " for this form only; for both, say `forms: plural` in the rule"),
];

/// The refusal of a foreign function at the start of a run, if there is any.
pub(super) fn refuse_foreign_function(context: &LexerContext<'_>) -> Option<Refusal> {
    counted_word(context).or_else(|| misnumbered(context)).or_else(|| {
        let behind = &context.rest[context.run.len()..];
        let name = context.run;
        if name == "cs"
            && behind.starts_with(char::is_whitespace)
            && behind.trim_start().starts_with('(')
        {
            let taken = context.rest.len() - behind.trim_start().len();
            return Some(refusal(taken, name, "cs", " without the space".to_owned()));
        }
        if !behind.starts_with('(') {
            return None;
        }
        let named = NAMES.iter().find(|(theirs, ..)| *theirs == name);
        let needless =
            || NEEDLESS.iter().find(|(theirs, _)| *theirs == name).map(|(_, why)| ("", *why));
        let (ours, why) = named.map(|(_, ours, why)| (*ours, *why)).or_else(needless)?;
        Some(refusal(name.len(), name, ours, why.to_owned()))
    })
}

/// `ATLEAST5(arms)`, `atl5(arms)`, `any/2(…)`, and Factiva's `atleast3 arms`
fn counted_word(context: &LexerContext<'_>) -> Option<Refusal> {
    let name = context.run;
    let lower = name.to_ascii_lowercase();
    let number = |start: &str| lower.strip_prefix(start).filter(|number| is_number(number));
    let least = ["atleast/", "atleast", "atl"]
        .into_iter()
        .find_map(number)
        .map(|number| ("ATLEAST", number));
    let (ours, number) = least.or_else(|| Some(("ANY", number("any/")?)))?;
    let behind = &context.rest[name.len()..];
    let ours = format!("{ours}/{number}");
    if behind.starts_with('(') {
        return Some(refusal(name.len(), name, &ours, String::new()));
    }
    let word =
        behind.split_whitespace().next().filter(|word| word.chars().all(char::is_alphanumeric))?;
    let end = name.len() + behind.find(word)? + word.len();
    lower.starts_with("atleast").then(|| Refusal {
        message: format!("`{name}` needs parentheses around its words"),
        stands_for: Some(LexemeKind::Refused),
        translation: Some(format!("{ours}({word})")),
        ..refusal(end, name, &ours, String::new())
    })
}

/// `ATLEAST/x(arms)`, `ANY/-1(a, b)`, `SENT/5(arms)`
fn misnumbered(context: &LexerContext<'_>) -> Option<Refusal> {
    let (name, number) = context.run.split_once('/')?;
    let behind = &context.rest[context.run.len()..];
    behind.trim_start().starts_with('(').then_some(())?;
    let is_number = is_number(number);
    let (ours, message, help) = match name {
        "ATLEAST" if !is_number => {
            ("ATLEAST/3", "`ATLEAST` does not say in how many places", ", or another whole number")
        }
        "ANY" if !is_number => {
            ("ANY/2", "`ANY` does not say how many", ", or another whole number")
        }
        "SENT" | "PARA" => (name, "this operator takes no number", ""),
        _ => return None,
    };
    let (message, help) = (message.to_owned(), help.to_owned());
    Some(Refusal { message, ..refusal(context.run.len(), name, ours, help) })
}

fn refusal(taken: usize, name: &str, ours: &str, help: String) -> Refusal {
    let message = if ours.is_empty() {
        format!("`{name}()` is not needed here")
    } else {
        format!("`{name}` is `{ours}` here")
    };
    Refusal { taken, stands_for: None, message, help, translation: Some(ours.to_owned()) }
}
