//! How near a story came to a clause that it does not hold: another form, other capitals, a word
//! too far.

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

/// Terms of one list or operand of which is said how near the story came, at most.
const MOST: usize = 3;

/// Terms of one list that are looked at for that, and words of the story that are looked at for
/// another spelling, at most.
const TERMS: usize = 100;
const WORDS: usize = 20_000;

/// Places of an operand that are compared with those of another, at most.
const PLACES: usize = 500;

/// What is said of `leaf`, which is not found in `sight`: nothing, if nothing comes near.
pub(super) fn notes(leaf: &Tree, sight: ClauseScope<'_>, page: &TokenizedStory<'_>) -> Vec<String> {
    match leaf {
        Tree::Term(term, _) => of_term(term, sight, page).into_iter().collect(),
        Tree::List(list, _) => of_terms(list.terms.iter().map(Arc::as_ref), sight, page),
        Tree::Pair(pair, _) => of_pair(pair, sight, page),
        Tree::AtLeast(least, operand, _) => {
            let places = operand.places(page, sight.view).len();
            if places == 0 {
                of_operand(operand, sight, page)
            } else {
                vec![format!("{places} of {least} places")]
            }
        }
        Tree::Pattern(pattern, _) => without_case(pattern, sight.view, page).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What a comparison was made with.
pub(super) fn measured(comparison: Comparison, page: &TokenizedStory<'_>) -> String {
    match comparison {
        Comparison::Words(..) => match page.words() {
            Some(1) => "the story has one word".to_owned(),
            Some(words) => format!("the story has {words} words"),
            None => "the story was not read whole".to_owned(),
        },
        Comparison::Age(..) => match page.age() {
            Some(age) if age < 0 => "it is dated later than it was first seen".to_owned(),
            Some(age) => {
                format!("it was {} old when it was first seen", span_of_time(age.unsigned_abs()))
            }
            None => "the story has no date".to_owned(),
        },
    }
}

fn of_term(term: &Term, sight: ClauseScope<'_>, page: &TokenizedStory<'_>) -> Option<String> {
    match sight.view {
        StoryView::Site => Some(
            page.host()
                .map_or("it has no address".to_owned(), |host| format!("its host is `{host}`")),
        ),
        StoryView::Lang => {
            let unknown = "it does not say its language".to_owned();
            Some(page.lang().map_or(unknown, |lang| format!("its language is `{lang}`")))
        }
        StoryView::Words(_) => elsewhere(term, sight, page)
            .or_else(|| in_other_capitals(term, sight.view, page))
            .or_else(|| in_another_form(term, sight.view, page))
            .or_else(|| apart(term, sight.view, page))
            .or_else(|| spelt_otherwise(term, sight.view, page)),
    }
}

/// Found in the other part of the text than the one that was asked for.
fn elsewhere(term: &Term, sight: ClauseScope<'_>, page: &TokenizedStory<'_>) -> Option<String> {
    let fields = [(Scope::Title, "the title"), (Scope::Body, "the body")];
    let asked =
        sight.field.filter(|field| matches!(field, Scope::Title | Scope::Lead | Scope::Body))?;
    let found = fields
        .into_iter()
        .find(|(field, _)| *field != asked && page.contains(term, &page.view(*field)));
    found.map(|(_, name)| format!("it is in {name}"))
}

fn in_other_capitals(term: &Term, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let without = |word: &TermWord| match word {
        TermWord::Initials { dotted, bare } => {
            TermWord::Numbers(bare.clone(), vec![dotted.clone()])
        }
        other => other.clone(),
    };
    let words: Vec<TermWord> = term.words.iter().map(without).collect();
    let found = shown(&Term { words, capitals: None, ..term.clone() }, view, page)?;
    Some(format!("`{found}` is there, in other capitals"))
}

fn in_another_form(term: &Term, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let open = |word: &TermWord| {
        if let TermWord::Exact(word) = word { TermWord::Plain(word.clone()) } else { word.clone() }
    };
    let opened = Term { words: term.words.iter().map(open).collect(), ..term.clone() };
    if let Some(found) = shown(&opened.clone().with(Forms::Plural), view, page) {
        return Some(format!("`{found}` is there, which `forms: plural` would find"));
    }
    let mut longer = opened;
    if let Some(TermWord::Plain(last) | TermWord::Numbers(last, _)) = longer.words.last().cloned()
        && last.chars().count() >= 3
    {
        longer.words.pop();
        longer.words.push(TermWord::Prefix(last));
    }
    let found = shown(&longer, view, page)?;
    let wildcard = term.text.trim_start_matches('=');
    Some(format!("`{found}` is there, which `{wildcard}*` would find"))
}

/// Each word of a phrase stands somewhere.
fn apart(term: &Term, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let alone =
        |word: &TermWord| Term { words: vec![word.clone()], capitals: None, ..term.clone() };
    let all =
        term.words.len() > 1 && term.words.iter().all(|word| page.contains(&alone(word), view));
    all.then(|| "its words are there, but not next to each other".to_owned())
}

fn spelt_otherwise(term: &Term, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let [TermWord::Plain(wanted) | TermWord::Exact(wanted) | TermWord::Numbers(wanted, _)] =
        term.words.as_slice()
    else {
        return None;
    };
    let bare = without_marks(wanted);
    if let Some(found) =
        page.words_in(view).take(WORDS).find(|(word, _)| without_marks(word) == bare)
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
    let found = page.words_in(view).take(WORDS).find(|(word, _)| near(word))?;
    Some(format!("`{}` is there: another spelling?", found.1))
}

/// The words that `term` finds in `view`, as the story has them.
fn shown(term: &Term, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let first = page.occurrences(term, view).next()?;
    Some(page.shown_words(&first))
}

fn of_operand(operand: &Operand, sight: ClauseScope<'_>, page: &TokenizedStory<'_>) -> Vec<String> {
    of_terms(operand.terms(), sight, page)
}

fn of_terms<'t>(
    terms: impl Iterator<Item = &'t Term>,
    sight: ClauseScope<'_>,
    page: &TokenizedStory<'_>,
) -> Vec<String> {
    terms.take(TERMS).filter_map(|term| of_term(term, sight, page)).take(MOST).collect()
}

fn of_pair(pair: &Pair, sight: ClauseScope<'_>, page: &TokenizedStory<'_>) -> Vec<String> {
    let left = pair.left.occurrences(page, sight.view);
    let right = pair.right.occurrences(page, sight.view);
    let missing = |operand: &Operand, found: &[Occurrence<'_>]| -> Vec<String> {
        let missing = found.is_empty().then(|| format!("`{}` is missing", print::choices(operand)));
        missing
            .into_iter()
            .chain(if found.is_empty() { of_operand(operand, sight, page) } else { Vec::new() })
            .collect()
    };
    if pair.link == Proximity::Except {
        return if left.is_empty() {
            missing(&pair.left, &left)
        } else {
            vec![format!("wherever it stands, it is a part of `{}`", print::choices(&pair.right))]
        };
    }
    if left.is_empty() || right.is_empty() {
        return [missing(&pair.left, &left), missing(&pair.right, &right)].concat();
    }
    vec![nearest(pair.link, &left, &right, page)]
}

/// How near two operands come to one another.
fn nearest(
    link: Proximity,
    left: &[Occurrence<'_>],
    right: &[Occurrence<'_>],
    page: &TokenizedStory<'_>,
) -> String {
    let pairs = left
        .iter()
        .take(PLACES)
        .flat_map(|(_, one)| right.iter().take(PLACES).map(move |(_, other)| (one, other)));
    let apart =
        pairs.filter(|(one, other)| !one.overlaps(other) && page.share_paragraph(one, other));
    let Some((one, other)) =
        apart.min_by_key(|(one, other)| (is_turned(link, one, other), between(one, other)))
    else {
        return "both are there, but never in one paragraph".to_owned();
    };
    let (one_shown, other_shown) = (page.shown_words(one), page.shown_words(other));
    if is_turned(link, one, other) {
        return format!("`{other_shown}` stands before `{one_shown}`, not behind it");
    }
    format!(
        "nearest: `{one_shown}` and `{other_shown}`, with {} words between",
        between(one, other)
    )
}

fn is_turned(link: Proximity, one: &TokenSpan, other: &TokenSpan) -> bool {
    matches!(link, Proximity::Onear(_)) && other.tokens.start < one.tokens.start
}

/// Words between two that do not overlap.
fn between(one: &TokenSpan, other: &TokenSpan) -> usize {
    one.tokens.start.max(other.tokens.start) - one.tokens.end.min(other.tokens.end)
}

fn without_case(pattern: &Pattern, view: &StoryView, page: &TokenizedStory<'_>) -> Option<String> {
    let caseless = Pattern::new(&format!("(?i){}", pattern.text)).ok()?;
    let (text, span) = page.search(&caseless, view)?;
    Some(format!(
        "`{}` would match if capitals did not count: /(?i){}/",
        page.slice(text, span),
        pattern.text
    ))
}
