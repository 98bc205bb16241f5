//! Reads special forms: SENT(, ATLEAST/3(, ANY/2(, comparisons, regular expressions.

use std::ops::Range;

use crate::language::comparison::{Comparison, Measure, Sign};
use crate::language::pattern::Pattern;
use crate::language::syntax::lexeme::{LexemeKind, LexerContext, Refusal, SpecialForm};
use crate::language::syntax::problems::Problems;
use crate::language::tree::TextUnit;

/// The special form at the start of a run, if there is one.
pub(super) fn special_form(context: &LexerContext<'_>) -> Option<SpecialForm> {
    before_parenthesis(context).or_else(|| comparison(context)).or_else(|| regex(context))
}

fn before_parenthesis(context: &LexerContext<'_>) -> Option<SpecialForm> {
    let run = context.run;
    context.rest[run.len()..].trim_start().strip_prefix('(')?;
    let counted = |name| {
        run.strip_prefix(name)
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
    };
    let kind = match run {
        "SENT" => LexemeKind::Within(TextUnit::Sentence),
        "PARA" => LexemeKind::Within(TextUnit::Paragraph),
        _ if counted("ATLEAST/") => LexemeKind::AtLeast,
        _ if counted("ANY/") => LexemeKind::AnyOf,
        _ => return None,
    };
    Some(SpecialForm::Lexeme(kind, run.len()))
}

fn comparison(context: &LexerContext<'_>) -> Option<SpecialForm> {
    let measure =
        Measure::ALL.into_iter().find(|measure| context.rest.starts_with(measure.as_str()))?;
    let sign = context.rest[measure.as_str().len()..].trim_start();
    let (_, value) = split_sign(sign)?;
    let end = value.find(|c: char| c.is_whitespace() || "(),".contains(c)).unwrap_or(value.len());
    let taken = context.rest.len() - value.len() + end;
    if sign.starts_with('=') {
        // `words =deal` is a phrase.
        value.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        let name = measure.as_str();
        return Some(SpecialForm::Refused(Refusal {
            taken,
            stands_for: Some(LexemeKind::Refused),
            message: format!("`{name}` is compared with `>=`, `<=`, `>` or `<`"),
            help: format!("for one value only, write {name} >= N AND {name} <= N"),
            translation: None,
        }));
    }
    Some(SpecialForm::Lexeme(LexemeKind::Compare, taken))
}

/// The sign at the start of `text`, which may be an equals sign, and the text after it.
fn split_sign(text: &str) -> Option<(&str, &str)> {
    let mut signs = Sign::ALL.map(Sign::as_str).into_iter().chain(["==", "="]);
    let sign = signs.find(|sign| text.starts_with(sign))?;
    Some((sign, text[sign.len()..].trim_start()))
}

/// The comparison in the lexeme at `span`.
pub(super) fn read_comparison(
    text: &str,
    span: &Range<usize>,
    problems: &mut Problems,
) -> Option<Comparison> {
    let written = &text[span.clone()];
    let measure = Measure::ALL.into_iter().find(|measure| written.starts_with(measure.as_str()))?;
    let (sign, value) = split_sign(written[measure.as_str().len()..].trim_start())?;
    let sign = Sign::ALL.into_iter().find(|known| known.as_str() == sign)?;
    let read = Comparison::parse(measure, sign, value);
    if read.is_none() {
        let (what, help) = match measure {
            Measure::Words => {
                ("a number of words", "write a whole number without commas: words >= 100")
            }
            Measure::Age => ("an age", "write a number and a unit, m, h, d or w: age < 36h"),
        };
        let place = if value.is_empty() { span.clone() } else { span.end - value.len()..span.end };
        let message = if value.is_empty() {
            format!("{what} is missing here")
        } else {
            format!("`{value}` is not {what}")
        };
        problems.error(place, message, help);
    }
    read
}

/// `/…/` in the place of an operand.
fn regex(context: &LexerContext<'_>) -> Option<SpecialForm> {
    let inside = context.rest.strip_prefix('/')?;
    if context.after_operand {
        return beside_operand(context).map(SpecialForm::Refused);
    }
    let mut escaped = false;
    let close = inside.find(|c| {
        let closes = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    let Some(close) = close else {
        return Some(refused(
            context.run.len(),
            "this regular expression is never closed",
            "write another `/` where it ends; a phrase that begins with a slash goes in double quotes",
        ));
    };
    if close == 0 {
        let help = "write what to look for between the slashes; a phrase that begins with one goes in double quotes";
        return Some(refused(2, "there is nothing in this regular expression", help));
    }
    let taken = close + 2;
    let behind = &context.rest[taken..];
    let flags = &behind[..behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len())];
    match flags {
        "" => Some(SpecialForm::Lexeme(LexemeKind::Pattern, taken)),
        "i" => Some(SpecialForm::Refused(Refusal {
            taken: taken + flags.len(),
            stands_for: Some(LexemeKind::Refused),
            message: "`i` stands inside of a regular expression here".to_owned(),
            help: String::new(),
            translation: Some(format!("/(?i){}/", &inside[..close])),
        })),
        _ => Some(refused(
            taken + flags.len(),
            "a regular expression stands alone, and a word follows its last `/`",
            "escape a `/` that belongs to it as \\/; a phrase that begins with a slash goes in double quotes",
        )),
    }
}

/// `Russia /arms/`, which would otherwise be a phrase.
fn beside_operand(context: &LexerContext<'_>) -> Option<Refusal> {
    let inside = context.run.strip_prefix('/')?.strip_suffix('/')?;
    let is_pattern = !inside.is_empty() && !inside.contains('/');
    is_pattern.then(|| Refusal {
        taken: context.run.len(),
        stands_for: Some(LexemeKind::Refused),
        message: "a regular expression stands beside another term, and no operator joins them"
            .to_owned(),
        help: " if both must be there".to_owned(),
        translation: Some(format!("AND {}", context.run)),
    })
}

fn refused(taken: usize, message: &str, help: &str) -> SpecialForm {
    SpecialForm::Refused(Refusal {
        taken,
        stands_for: Some(LexemeKind::Refused),
        message: message.to_owned(),
        help: help.to_owned(),
        translation: None,
    })
}

/// The pattern in the lexeme at `span`, which has its slashes.
pub(super) fn read_pattern(
    text: &str,
    span: &Range<usize>,
    problems: &mut Problems,
) -> Option<Pattern> {
    let start = span.start + 1;
    match Pattern::new(&text[start..span.end - 1]) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            problems.error(start + why.span.start..start + why.span.end, why.message, why.help);
            None
        }
    }
}
