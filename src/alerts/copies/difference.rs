//! Whether two alike texts differ in a name, a number or a rare word. Pure.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::spelling::{is_number_mistyped, is_variant};
use super::words::{CopyWord, CopyWordKind, CopyWords};

/// The most sentences of a text that are compared with those of the other.
const MOST_SENTENCES: usize = 60;

/// Words before the number of a thing.
const NUMBERED: [&str; 10] =
    ["no", "number", "case", "flight", "round", "week", "day", "article", "chapter", "version"];

/// Words behind the number of a day or an hour.
const TIMES: [&str; 17] = [
    "am",
    "pm",
    "gmt",
    "utc",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "oclock",
];

/// A figure of the earlier text, and the one that the later has in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Figure {
    /// What the earlier text said.
    pub was: String,
    /// What the later text says.
    pub now: String,
}

/// How two texts differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Words were added, cut, moved or spelled otherwise, and whole paragraphs may be others.
    Nothing,
    /// These figures, and nothing else that tells one event from another.
    Figures(Vec<Figure>),
    /// A name, an identifier or a rare word was replaced.
    Event,
}

/// How `later` differs from `earlier`.
pub(super) fn difference(earlier: &CopyWords, later: &CopyWords) -> Difference {
    let known = [earlier, later]
        .map(|text| text.words.iter().map(|word| word.text.as_str()).collect::<HashSet<_>>());
    let (mut was, mut now) = unmatched(earlier, later);
    let mut figures = Vec::new();
    for (one, other) in pairs(earlier, &mut was, later, &mut now) {
        let (one, other) = (earlier.sentence(one), later.sentence(other));
        let gone = lacking(one, other, Some(&known[1]));
        let new = lacking(other, one, Some(&known[0]));
        // What is in no other place of the other text, where that has something else here.
        let is_replaced = (!gone.is_empty() && !lacking(other, one, None).is_empty())
            || (!new.is_empty() && !lacking(one, other, None).is_empty());
        if !is_replaced {
            continue;
        }
        let are_figures =
            |words: &[CopyWord], at: &[usize]| at.iter().all(|at| is_figure(words, *at));
        if gone.len() != new.len() || !are_figures(one, &gone) || !are_figures(other, &new) {
            return Difference::Event;
        }
        let both = gone.iter().zip(&new);
        figures.extend(both.map(|(was, now)| Figure {
            was: one[*was].text.clone(),
            now: other[*now].text.clone(),
        }));
    }
    if is_replaced(earlier, &was, &known[1]) && is_replaced(later, &now, &known[0]) {
        return Difference::Event;
    }
    let mut seen = HashSet::new();
    figures.retain(|figure: &Figure| seen.insert(figure.clone()));
    if figures.is_empty() { Difference::Nothing } else { Difference::Figures(figures) }
}

/// Whether the first sentence of `short` stands in `long`, perhaps in other words: among its first
/// `reach` sentences.
pub(super) fn has_lead(short: &CopyWords, long: &CopyWords, reach: usize) -> bool {
    let Some(lead) = short.sentences.first() else { return false };
    let lead = &short.words[lead.clone()];
    (0..long.sentences.len().min(reach))
        .any(|at| likeness(lead, long.sentence(at)) >= lead.len().max(4) / 2)
}

/// The sentences of each text that the other has not, word for word.
fn unmatched(one: &CopyWords, other: &CopyWords) -> (Vec<usize>, Vec<usize>) {
    let mut count: HashMap<u64, usize> = HashMap::new();
    for hash in other.sentence_hashes() {
        *count.entry(hash).or_default() += 1;
    }
    let mut take = |hash: u64| match count.get_mut(&hash) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let rest: Vec<usize> = one
        .sentence_hashes()
        .enumerate()
        .filter(|(_, hash)| !take(*hash))
        .map(|(at, _)| at)
        .collect();
    // What was not taken of the other text, the last of equal sentences first.
    let mut left: Vec<usize> = Vec::new();
    for (at, hash) in other.sentence_hashes().enumerate() {
        if take(hash) {
            left.push(at);
        }
    }
    (rest, left)
}

/// Sentences that are alike, each of `was` with the likest of `now`; both keep what is like none.
fn pairs(
    earlier: &CopyWords,
    was: &mut Vec<usize>,
    later: &CopyWords,
    now: &mut Vec<usize>,
) -> Vec<(usize, usize)> {
    was.truncate(MOST_SENTENCES);
    now.truncate(MOST_SENTENCES);
    let mut likes: Vec<(usize, usize, usize)> = Vec::new();
    for &one in was.iter() {
        for &other in now.iter() {
            let like = likeness(earlier.sentence(one), later.sentence(other))
                .max(usize::from(fills_slot(earlier, one, later, other)));
            if like > 0 {
                likes.push((like, one, other));
            }
        }
    }
    likes.sort_by_key(|(like, one, other)| (std::cmp::Reverse(*like), *one, *other));
    let mut found = Vec::new();
    for (_, one, other) in likes {
        if was.contains(&one) && now.contains(&other) {
            was.retain(|at| *at != one);
            now.retain(|at| *at != other);
            found.push((one, other));
        }
    }
    found
}

/// Whether a sentence stands where the other does, and both begin or end with the same word that is
/// not common: an entry in a form.
fn fills_slot(earlier: &CopyWords, one: usize, later: &CopyWords, other: usize) -> bool {
    let same_before = match (one.checked_sub(1), other.checked_sub(1)) {
        (None, None) => true,
        (Some(one), Some(other)) => earlier.sentence(one) == later.sentence(other),
        _ => false,
    };
    let (one, other) = (earlier.sentence(one), later.sentence(other));
    let telling =
        |(a, b): (&CopyWord, &CopyWord)| a.text == b.text && a.kind != CopyWordKind::Common;
    same_before
        && (one.iter().zip(other).next().is_some_and(telling)
            || one.iter().rev().zip(other.iter().rev()).next().is_some_and(telling))
}

/// How alike two sentences are: the pairs of neighbours that they share, and what they begin and
/// end with. 0 if that may be chance.
fn likeness(one: &[CopyWord], other: &[CopyWord]) -> usize {
    let same = |(a, b): &(&CopyWord, &CopyWord)| a.text == b.text;
    let start = one.iter().zip(other).take_while(same).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(same).count();
    let pairs: HashSet<(&str, &str)> =
        one.windows(2).map(|two| (two[0].text.as_str(), two[1].text.as_str())).collect();
    let is_shared: Vec<bool> = other
        .windows(2)
        .map(|two| pairs.contains(&(two[0].text.as_str(), two[1].text.as_str())))
        .collect();
    let shared = is_shared.iter().filter(|is_shared| **is_shared).count();
    let stretches = is_shared.chunk_by(|a, b| a == b).filter(|chunk| chunk[0]).count();
    let short = one.len().min(other.len());
    let framed = (start + end).min(short);
    // A phrase that any text may hold is one stretch in the middle.
    let spread = if stretches > 1 || framed > 1 { shared } else { shared / 2 };
    if framed.max(spread) * 5 >= short * 2 { shared.max(framed).max(1) } else { 0 }
}

/// Where the words of `one` stand that tell an event from others and that the sentence `other`
/// lacks. Of names and rare words, only those that all of the other text (`known`) lacks, where it
/// is given; else a name with a typo is no other.
fn lacking(one: &[CopyWord], other: &[CopyWord], known: Option<&HashSet<&str>>) -> Vec<usize> {
    let stands = |word: &CopyWord| match word.kind {
        CopyWordKind::Common => true,
        CopyWordKind::Number => other.iter().any(|two| two.text == word.text),
        CopyWordKind::Name | CopyWordKind::Rare => {
            let strict = known.is_some() && word.kind == CopyWordKind::Name;
            known.is_some_and(|known| known.contains(word.text.as_str()))
                || other.iter().any(|two| is_variant(&word.text, &two.text, strict))
                || is_number_mistyped(&word.text)
        }
    };
    (0..one.len()).filter(|at| !stands(&one[*at])).collect()
}

/// Whether the word at `at` is a figure that reports correct: no identifier, no date, no time of
/// day.
fn is_figure(words: &[CopyWord], at: usize) -> bool {
    let number = &words[at];
    let plain = number.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let year =
        number.text.len() == 4 && (number.text.starts_with("19") || number.text.starts_with("20"));
    let before = at.checked_sub(1).map(|at| &words[at]);
    let behind = words.get(at + 1);
    let numbers = |word: &CopyWord| {
        matches!(word.kind, CopyWordKind::Name | CopyWordKind::Number)
            || NUMBERED.contains(&word.text.as_str())
    };
    let timed =
        |word: &CopyWord| word.kind == CopyWordKind::Number || TIMES.contains(&word.text.as_str());
    number.kind == CopyWordKind::Number
        && plain
        && !year
        && !before.is_some_and(numbers)
        && !behind.is_some_and(timed)
}

/// Whether the sentences `rest` of a text, which are like none of the other, tell of an event of
/// their own: they hold names or numbers, hardly any of which the other text (`known`) has.
fn is_replaced(text: &CopyWords, rest: &[usize], known: &HashSet<&str>) -> bool {
    let words = || rest.iter().flat_map(|at| text.sentence(*at));
    let of = |kind| {
        words()
            .filter(|word| word.kind == kind)
            .map(|word| word.text.as_str())
            .collect::<HashSet<_>>()
    };
    let (names, numbers) = (of(CopyWordKind::Name), of(CopyWordKind::Number));
    let telling = if names.len() < 2 { &names | &numbers } else { names };
    let shared = telling.iter().filter(|word| known.contains(*word)).count();
    !telling.is_empty() && shared * 6 <= telling.len()
}
