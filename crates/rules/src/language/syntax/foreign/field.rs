//! Refuses fields with the names of other tools: `intitle:`, `hd=`, `LENGTH > 100`.

use crate::language::syntax::lexeme::{LexemeKind, LexerContext, Refusal};
/// Names before a colon, and the fields that replace them.
const COLON: [(&str, &str); 14] = [
    ("intitle", "title"),
    ("allintitle", "title"),
    ("headline", "title"),
    ("hlead", "lead"),
    ("ingress", "lead"),
    ("inurl", "url"),
    ("allinurl", "url"),
    ("intext", "body"),
    ("allintext", "body"),
    ("inbody", "body"),
    ("language", "lang"),
    ("sourcename", "source"),
    ("byline", "author"),
    ("hashtag", "text"),
];

/// Names before an equals sign, and the fields that replace them.
const EQUALS: [(&str, &str); 9] = [
    ("hd", "title"),
    ("hl", "title"),
    ("hlp", "lead"),
    ("lp", "lead"),
    ("la", "lang"),
    ("rst", "source"),
    ("sn", "source"),
    ("by", "author"),
    ("au", "author"),
];

/// Names of the number of words before a sign.
const LENGTH: [&str; 3] = ["LENGTH", "wc", "words:"];

/// The refusal of a foreign field at the start of a run, if there is any.
pub(super) fn refuse_foreign_field(context: &LexerContext<'_>) -> Option<Refusal> {
    named(context, ':', &COLON)
        .or_else(|| named(context, '=', &EQUALS))
        .or_else(|| date(context))
        .or_else(|| country(context))
        .or_else(|| length(context))
}

fn named(context: &LexerContext<'_>, sign: char, names: &[(&str, &str)]) -> Option<Refusal> {
    let (name, _) = context.run.split_once(sign)?;
    let (_, ours) = names.iter().find(|(theirs, _)| *theirs == name)?;
    Some(Refusal {
        taken: name.len() + 1,
        stands_for: None,
        message: format!("`{name}{sign}` is `{ours}:` here"),
        help: String::new(),
        translation: Some(format!("{ours}:")),
    })
}

/// `before:2026-01-01`
fn date(context: &LexerContext<'_>) -> Option<Refusal> {
    let (name, day) = context.run.split_once(':')?;
    let is_date =
        matches!(name, "before" | "after") && day.starts_with(|c: char| c.is_ascii_digit());
    is_date.then(|| Refusal {
        taken: context.run.len(),
        stands_for: Some(LexemeKind::Refused),
        message: format!(
            "`{name}:` is not a field: an expression is about what a story says, not about a day"
        ),
        help:
            "for fresh stories only, write AND age < 2d; for a rule's last day, its key `expires`"
                .to_owned(),
        translation: None,
    })
}

fn country(context: &LexerContext<'_>) -> Option<Refusal> {
    let behind = context.run.strip_prefix("country:")?;
    Some(Refusal {
        taken: context.run.len(),
        stands_for: (!behind.is_empty()).then_some(LexemeKind::Refused),
        message: "feeds do not state their country".to_owned(),
        help: "name its sites or feeds: site:(rt.com OR tass.ru), source:Yonhap; or its language: lang:ko".to_owned(),
        translation: None,
    })
}

/// `LENGTH > 100`, `wc>100`, `words: >100`
fn length(context: &LexerContext<'_>) -> Option<Refusal> {
    let name = LENGTH.into_iter().find(|name| context.rest.starts_with(name))?;
    let behind = context.rest[name.len()..].trim_start();
    let sign = [">=", "<=", ">", "<"].into_iter().find(|sign| behind.starts_with(sign))?;
    let number = behind[sign.len()..].trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    (digits > 0).then(|| Refusal {
        taken: context.rest.len() - number.len() + digits,
        stands_for: Some(LexemeKind::Refused),
        message: format!("`{name}` is `words` here"),
        help: String::new(),
        translation: Some(format!("words {sign} {}", &number[..digits])),
    })
}
