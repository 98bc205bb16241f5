//! What belongs to the language but is not available yet: refused by name, with what works today.

use super::lexer::{Context, Kind, Refusal, is_quote};
use crate::fault::nearest;

/// The fields that a rule will be able to look into.
const FIELDS: [&str; 10] = ["title", "lead", "body", "text", "url", "site", "source", "author", "lang", "tag"];

/// What to refuse at the start of a run, if anything.
pub(super) fn look(context: &Context<'_>) -> Option<Refusal> {
    regex(context)
        .or_else(|| between(context))
        .or_else(|| before_parenthesis(context))
        .or_else(|| comparison(context))
        .or_else(|| no_other_forms(context))
        .or_else(|| field(context))
}

fn refusal(taken: usize, stands_for: Option<Kind>, what: &str, today: &str) -> Refusal {
    Refusal {
        taken,
        stands_for,
        message: format!("{what} not available yet"),
        help: today.to_owned(),
        translation: None,
    }
}

fn regex(context: &Context<'_>) -> Option<Refusal> {
    let inside = context.rest.strip_prefix('/').filter(|_| !context.after_operand)?;
    let mut escaped = false;
    let close = inside.find(|c| {
        let closes = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    let taken = close.map_or(context.run.len(), |close| close + 2);
    let today = "write out the words; a phrase that begins with a slash goes in double quotes";
    Some(refusal(taken, Some(Kind::Refused), "regular expressions are", today))
}

fn between(context: &Context<'_>) -> Option<Refusal> {
    let (name, number) = context.run.split_once('/').map_or((context.run, None), |(name, number)| (name, Some(number)));
    let counts = number.is_none_or(|number| number.chars().all(|c| c.is_ascii_digit()));
    let today = match name {
        "NEAR" | "ONEAR" if counts && (number.is_some() || context.after_operand) => {
            "today AND finds both, wherever they stand in the story"
        }
        "EXCEPT" if number.is_none() => "today NOT leaves out every story that has those words",
        _ => return None,
    };
    let what = if number.is_some() { format!("`{name}/` is") } else { format!("`{name}` is") };
    let quoted = format!("{today}; if the word {name} is meant, put it in double quotes");
    Some(refusal(context.run.len(), Some(Kind::Between), &what, &quoted))
}

fn before_parenthesis(context: &Context<'_>) -> Option<Refusal> {
    let run = context.run;
    context.rest[run.len()..].trim_start().strip_prefix('(')?;
    let counted = |name| run.strip_prefix(name).is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
    let (what, today) = if run == "cs" && context.rest.starts_with("cs(") {
        ("`cs()` is", "today capitals make no difference: leave `cs` out")
    } else if matches!(run, "SENT" | "PARA") {
        ("`SENT()` and `PARA()` are", "today AND finds the words wherever they stand in the story")
    } else if counted("ATLEAST/") {
        ("`ATLEAST/` is", "today one place is enough: leave it out")
    } else if counted("ANY/") {
        ("`ANY/` is", "today write the combinations out: (a AND b) OR (a AND c) OR (b AND c)")
    } else {
        return None;
    };
    Some(refusal(run.len(), None, what, today))
}

fn comparison(context: &Context<'_>) -> Option<Refusal> {
    let name = ["words", "age"].into_iter().find(|name| context.rest.starts_with(name))?;
    let sign = context.rest[name.len()..].trim_start();
    let value = sign.strip_prefix(['<', '>'])?.trim_start_matches('=').trim_start();
    let end = value.find(|c: char| c.is_whitespace() || "()".contains(c)).unwrap_or(value.len());
    let taken = context.rest.len() - value.len() + end;
    Some(refusal(
        taken,
        Some(Kind::Refused),
        "comparisons are",
        "today a story's length and age play no part: leave this out",
    ))
}

fn no_other_forms(context: &Context<'_>) -> Option<Refusal> {
    let behind = context.rest.strip_prefix('=')?;
    behind
        .starts_with(|c: char| is_quote(c) || c.is_alphanumeric())
        .then(|| refusal(1, None, "`=` is", "today every word stands for itself alone: leave the `=` out"))
}

fn field(context: &Context<'_>) -> Option<Refusal> {
    let (name, rest) = context.run.split_once(':')?;
    let is_prefix = !name.is_empty() && name.chars().all(char::is_lowercase);
    if !is_prefix || rest.starts_with("//") || rest.starts_with(|c: char| c.is_numeric()) {
        return None;
    }
    let taken = name.len() + 1;
    if FIELDS.contains(&name) {
        let today = format!("today every term is looked for in title and text: leave `{name}:` out");
        return Some(refusal(taken, None, &format!("`{name}:` is"), &today));
    }
    let ours = nearest(name, FIELDS).map_or_else(String::new, |near| format!("did you mean `{near}:`? "));
    Some(Refusal {
        taken,
        stands_for: None,
        message: format!("there is no field `{name}:`"),
        help: format!("{ours}if the colon is part of the text, put the phrase in double quotes"),
        translation: None,
    })
}
