//! Describes near misses of a clause: another form, other capitals, a word too far away.

use std::sync::Arc;

use crate::engine::naive::occurrences::Occurrence;
use crate::engine::tokenized_story::{StoryView, TokenSpan, TokenizedStory};
use crate::explain::evidence::ClauseScope;
use crate::language::comparison::{Comparison, span_of_time};
use crate::language::operand::Operand;
use crate::language::pair::{Pair, Proximity};
use crate::language::pattern::Pattern;
use crate::language::print;
use crate::language::scope::Scope;
use crate::language::term::{Forms, Term, TermWord};
use crate::language::tree::Tree;
use crate::text::without_marks;

/// The most terms of a list or operand that get notes.
const MOST: usize = 3;

/// The most terms of a list that are tried for notes.
const TERMS: usize = 100;

/// The most words of the story that are compared with a term.
const WORDS: usize = 20_000;

/// The most places of an operand that are compared with those of another.
const PLACES: usize = 500;

/// The notes on `leaf`, which is not found in `clause_scope`. Empty if there is no near miss.
pub(super) fn notes(
    leaf: &Tree,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<String> {
    match leaf {
        Tree::Term(term, _) => misses_of_term(term, clause_scope, tokenized).into_iter().collect(),
        Tree::List(list, _) => {
            misses_of_terms(list.terms.iter().map(Arc::as_ref), clause_scope, tokenized)
        }
        Tree::Pair(pair, _) => misses_of_pair(pair, clause_scope, tokenized),
        Tree::AtLeast(least, operand, _) => {
            let places = operand.places(tokenized, clause_scope.view).len();
            if places == 0 {
                misses_of_operand(operand, clause_scope, tokenized)
            } else {
                vec![format!("{places} of {least} places")]
            }
        }
        Tree::Pattern(pattern, _) => {
            without_case(pattern, clause_scope.view, tokenized).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The measured value of a comparison.
pub(super) fn measured_value(comparison: Comparison, tokenized: &TokenizedStory<'_>) -> String {
    match comparison {
        Comparison::Words(..) => match tokenized.words() {
            Some(1) => "the story has one word".to_owned(),
            Some(words) => format!("the story has {words} words"),
            None => "only a part of the story was read".to_owned(),
        },
        Comparison::Age(..) => match tokenized.age() {
            Some(age) if age < 0 => {
                "its date is later than the time when it was first seen".to_owned()
            }
            Some(age) => {
                format!("it was {} old when it was first seen", span_of_time(age.unsigned_abs()))
            }
            None => "the story has no date".to_owned(),
        },
    }
}

fn misses_of_term(
    term: &Term,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    match clause_scope.view {
        StoryView::Site => Some(
            tokenized
                .host()
                .map_or("it has no address".to_owned(), |host| format!("its host is `{host}`")),
        ),
        StoryView::Lang => {
            let unknown = "its language is not known".to_owned();
            Some(tokenized.lang().map_or(unknown, |lang| format!("its language is `{lang}`")))
        }
        StoryView::Words(_) => elsewhere(term, clause_scope, tokenized)
            .or_else(|| in_other_capitals(term, clause_scope.view, tokenized))
            .or_else(|| in_another_form(term, clause_scope.view, tokenized))
            .or_else(|| apart(term, clause_scope.view, tokenized))
            .or_else(|| spelt_otherwise(term, clause_scope.view, tokenized)),
    }
}

/// Notes that the term is found in another field.
fn elsewhere(
    term: &Term,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    let fields = [(Scope::Title, "the title"), (Scope::Body, "the body")];
    let asked = clause_scope
        .field
        .filter(|field| matches!(field, Scope::Title | Scope::Lead | Scope::Body))?;
    let found = fields
        .into_iter()
        .find(|(field, _)| *field != asked && tokenized.contains(term, &tokenized.view(*field)));
    found.map(|(_, name)| format!("it is in {name}"))
}

fn in_other_capitals(
    term: &Term,
    view: &StoryView,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    let words: Vec<TermWord> = term.words.iter().map(TermWord::in_any_capitals).collect();
    let found =
        shown(&Term { words, capitals: None, respelled: None, ..term.clone() }, view, tokenized)?;
    Some(format!("`{found}` is there, in other capitals"))
}

fn in_another_form(
    term: &Term,
    view: &StoryView,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    let open = |word: &TermWord| match word {
        TermWord::Exact(word) => TermWord::Plain(word.clone()),
        TermWord::Spelled { spellings, .. } => {
            TermWord::Spelled { spellings: spellings.clone(), is_open: true }
        }
        other => other.clone(),
    };
    let opened = Term { words: term.words.iter().map(open).collect(), ..term.clone() };
    if let Some(found) = shown(&opened.clone().with(Forms::Plural), view, tokenized) {
        return Some(format!("`{found}` is there, which `forms: plural` would find"));
    }
    let mut longer = opened;
    if let Some(last) = longer.words.last().and_then(TermWord::written).map(str::to_owned)
        && last.chars().count() >= 3
    {
        longer.words.pop();
        longer.words.push(TermWord::Prefix(last));
    }
    let found = shown(&longer, view, tokenized)?;
    let wildcard = term.text.trim_start_matches('=');
    Some(format!("`{found}` is there, which `{wildcard}*` would find"))
}

/// Notes that each word of the phrase is found, but not as a phrase.
fn apart(term: &Term, view: &StoryView, tokenized: &TokenizedStory<'_>) -> Option<String> {
    let alone = |word: &TermWord| Term {
        words: vec![word.clone()],
        capitals: None,
        respelled: None,
        ..term.clone()
    };
    let all = term.words.len() > 1
        && term.words.iter().all(|word| tokenized.contains(&alone(word), view));
    all.then(|| "its words are there, but not next to each other".to_owned())
}

fn spelt_otherwise(
    term: &Term,
    view: &StoryView,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    let [word] = term.words.as_slice() else { return None };
    let wanted = word.written()?;
    let bare = without_marks(wanted);
    if let Some(found) =
        tokenized.words_in(view).take(WORDS).find(|(word, _)| without_marks(word) == bare)
    {
        return Some(format!("`{}` is there, with other accents or vowel signs", found.1));
    }
    let most = match wanted.chars().count() {
        0..5 => return None,
        5..8 => 1,
        _ => 2,
    };
    let near = |word: &str| {
        word.len().abs_diff(wanted.len()) <= 2 * most && strsim::osa_distance(word, wanted) <= most
    };
    let found = tokenized.words_in(view).take(WORDS).find(|(word, _)| near(word))?;
    Some(format!("`{}` is there: another spelling?", found.1))
}

/// The words that `term` finds in `view`, as they are written in the story.
fn shown(term: &Term, view: &StoryView, tokenized: &TokenizedStory<'_>) -> Option<String> {
    let first = tokenized.occurrences(term, view).next()?;
    Some(tokenized.shown_words(&first))
}

fn misses_of_operand(
    operand: &Operand,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<String> {
    misses_of_terms(operand.terms(), clause_scope, tokenized)
}

fn misses_of_terms<'t>(
    terms: impl Iterator<Item = &'t Term>,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<String> {
    terms
        .take(TERMS)
        .filter_map(|term| misses_of_term(term, clause_scope, tokenized))
        .take(MOST)
        .collect()
}

fn misses_of_pair(
    pair: &Pair,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<String> {
    let left = pair.left.occurrences(tokenized, clause_scope.view);
    let right = pair.right.occurrences(tokenized, clause_scope.view);
    let missing = |operand: &Operand, found: &[Occurrence<'_>]| -> Vec<String> {
        let missing = found.is_empty().then(|| format!("`{}` is missing", print::choices(operand)));
        missing
            .into_iter()
            .chain(if found.is_empty() {
                misses_of_operand(operand, clause_scope, tokenized)
            } else {
                Vec::new()
            })
            .collect()
    };
    if pair.link == Proximity::Except {
        return if left.is_empty() {
            missing(&pair.left, &left)
        } else {
            vec![format!("it is found only as a part of `{}`", print::choices(&pair.right))]
        };
    }
    if left.is_empty() || right.is_empty() {
        return [missing(&pair.left, &left), missing(&pair.right, &right)].concat();
    }
    vec![nearest(pair.link, &left, &right, tokenized)]
}

/// Describes how near the two operands come to each other.
fn nearest(
    link: Proximity,
    left: &[Occurrence<'_>],
    right: &[Occurrence<'_>],
    tokenized: &TokenizedStory<'_>,
) -> String {
    let pairs = left
        .iter()
        .take(PLACES)
        .flat_map(|(_, one)| right.iter().take(PLACES).map(move |(_, other)| (one, other)));
    let apart =
        pairs.filter(|(one, other)| !one.overlaps(other) && tokenized.share_paragraph(one, other));
    let Some((one, other)) =
        apart.min_by_key(|(one, other)| (is_turned(link, one, other), between(one, other)))
    else {
        return "both are there, but never in one paragraph".to_owned();
    };
    let (one_shown, other_shown) = (tokenized.shown_words(one), tokenized.shown_words(other));
    if is_turned(link, one, other) {
        return format!("`{other_shown}` is before `{one_shown}`, not after it");
    }
    format!(
        "nearest: `{one_shown}` and `{other_shown}`, with {} words between",
        between(one, other)
    )
}

fn is_turned(link: Proximity, one: &TokenSpan, other: &TokenSpan) -> bool {
    matches!(link, Proximity::Onear(_)) && other.tokens.start < one.tokens.start
}

/// The number of words between two spans that do not overlap.
fn between(one: &TokenSpan, other: &TokenSpan) -> usize {
    one.tokens.start.max(other.tokens.start) - one.tokens.end.min(other.tokens.end)
}

fn without_case(
    pattern: &Pattern,
    view: &StoryView,
    tokenized: &TokenizedStory<'_>,
) -> Option<String> {
    let caseless = Pattern::new(&format!("(?i){}", pattern.text)).ok()?;
    let (text, span) = tokenized.search(&caseless, view)?;
    Some(format!(
        "`{}` would match if capitals did not count: /(?i){}/",
        tokenized.slice(text, span),
        pattern.text
    ))
}
