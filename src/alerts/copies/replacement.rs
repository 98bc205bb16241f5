//! The words that replace others in sentences that are alike. Pure.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::alignment::{Alignment, Hunk, align, may_be_slip};
use super::numerals::is_unit;
use super::spelling::{is_abbreviated, is_known_mistyped};
use super::vocabulary::{is_function_word, is_negation};
use super::word::{CopyWord, CopyWordKind};
use super::words::CopyWords;

/// Words before the number of a thing.
const NUMBERED: [&str; 10] =
    ["no", "number", "case", "flight", "round", "week", "day", "article", "chapter", "version"];

/// Words after the number of a day or an hour.
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

/// The most inserted or removed words that count as a denial. A longer insertion is a part of the
/// sentence.
const WORDS_OF_DENIAL: usize = 4;

/// A figure of the earlier text, and the figure of the later text in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Figure {
    /// What the earlier text said.
    pub was: String,
    /// What the later text says.
    pub now: String,
}

/// The distinct words of a text.
pub(super) type KnownWords<'t> = HashSet<&'t str>;

pub(super) fn known_words(text: &CopyWords) -> KnownWords<'_> {
    text.words.iter().map(|word| word.text.as_str()).collect()
}

/// Two sentences that are alike.
struct AlikeSentences<'t> {
    was: &'t [CopyWord],
    now: &'t [CopyWord],
    /// The distinct words of each text.
    known: [&'t KnownWords<'t>; 2],
    /// They share so few words that their positions cannot be compared.
    are_loose: bool,
}

/// The differences that were found in sentences that are alike.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    /// Replaced figures.
    pub(super) figures: Vec<Figure>,
    /// Whether a difference distinguishes two events.
    pub(super) is_event: bool,
    /// Names and number words that differ by what may be a typo: earlier, later.
    mistyped: HashSet<(String, String)>,
    /// The number of mistyped words in lower case.
    typos: usize,
    /// Replaced words of content, and whether a single word replaces a single word.
    of_content: HashMap<(String, String), bool>,
    /// All replaced words, except function words that replace function words.
    edits: HashSet<(String, String)>,
    /// The number of sentences with replaced words.
    sentences: usize,
    /// Whether a word that denies is replaced.
    is_denial_replaced: bool,
}

impl Replacements {
    /// Adds two sentences that are alike. In a form, a name that the later sentence adds makes
    /// another event.
    pub(super) fn add(
        &mut self,
        [was, now]: [&[CopyWord]; 2],
        known: [&KnownWords; 2],
        are_of_form: bool,
    ) {
        let alignment = align(was, now);
        let are_loose = alignment.same * 2 < was.len().max(now.len());
        let sentences = AlikeSentences { was, now, known, are_loose };
        self.typos += alignment.typos;
        self.is_event |= is_reordered(was, now, &alignment);
        let before = self.edits.len();
        for hunk in &alignment.hunks {
            if hunk.was.is_empty() || hunk.now.is_empty() {
                self.is_event |= sentences.adds_event_words(hunk, are_of_form);
            } else {
                self.add_hunk(&sentences, hunk);
            }
        }
        self.sentences += usize::from(self.edits.len() > before);
    }

    /// Adds a hunk with words on both sides.
    fn add_hunk(&mut self, sentences: &AlikeSentences, hunk: &Hunk) {
        let (was, now) = sentences.words(hunk);
        if is_abbreviated(&joined(was), &joined(now)) {
            return;
        }
        self.is_denial_replaced |= denials(was) != denials(now);
        if !are_small(was) || !are_small(now) {
            self.edits.insert((joined(was), joined(now)));
        }
        if was.len() == now.len() && was.iter().zip(now).all(|(was, now)| may_be_slip(was, now)) {
            let pairs = was.iter().zip(now).map(|(was, now)| (was.text.clone(), now.text.clone()));
            self.mistyped.extend(pairs);
            return;
        }
        let [gone, new] = sentences.event_words(hunk);
        if gone.is_empty() || new.is_empty() {
            self.is_event |= sentences.has_unknown_fact(hunk, [&gone, &new]);
            self.add_content(was, now);
        } else if gone.len() == new.len()
            && gone.iter().all(|at| is_figure(sentences.was, *at))
            && new.iter().all(|at| is_figure(sentences.now, *at))
        {
            self.figures.extend(gone.iter().zip(&new).map(|(gone, new)| Figure {
                was: sentences.was[*gone].text.clone(),
                now: sentences.now[*new].text.clone(),
            }));
            self.add_content(was, now);
        } else {
            self.is_event = true;
        }
    }

    fn add_content(&mut self, was: &[CopyWord], now: &[CopyWord]) {
        let of_content = |words: &[CopyWord]| -> Vec<String> {
            let is_content = |word: &&CopyWord| {
                word.kind != CopyWordKind::Number
                    && word.text.chars().count() >= 2
                    && !is_function_word(&word.text)
            };
            words.iter().filter(is_content).map(|word| word.text.clone()).collect()
        };
        let (was, now) = (of_content(was), of_content(now));
        if !was.is_empty() && !now.is_empty() {
            let is_one = was.len() == 1 && now.len() == 1;
            self.of_content.insert((was.join(" "), now.join(" ")), is_one);
        }
    }

    /// Whether names that differ by a typo are different names. They are the same only if one text
    /// has both spellings, or another word is mistyped, too.
    pub(super) fn mistyped_names_are_others(&self, earlier: &CopyWords, later: &CopyWords) -> bool {
        let has = |text: &CopyWords, name: &str| text.words.iter().any(|word| word.text == name);
        let are_others = |(was, now): &(String, String)| {
            has(earlier, now) == has(later, was) && !is_known_mistyped(was, now)
        };
        self.typos + self.mistyped.len() < 2 && self.mistyped.iter().any(are_others)
    }

    /// Whether replaced words make another event. They do if nothing else differs. In texts that
    /// both identify their event, only a single replaced word does.
    pub(super) fn words_are_others(&self, texts_identify_event: bool) -> bool {
        let are_few = |most: usize| self.edits.len() <= most && self.sentences <= 2;
        let is_one_for_one = self.edits.len() == self.of_content.len()
            && self.of_content.values().any(|is_one| *is_one);
        (are_few(2) && is_one_for_one)
            || (are_few(4) && self.is_denial_replaced)
            || (are_few(4) && !texts_identify_event && !self.of_content.is_empty())
    }
}

impl<'t> AlikeSentences<'t> {
    fn words(&self, hunk: &Hunk) -> (&'t [CopyWord], &'t [CopyWord]) {
        (&self.was[hunk.was.clone()], &self.now[hunk.now.clone()])
    }

    /// Whether inserted or removed words make another event: they deny, or add a name to a form. A
    /// form with fewer names adds nothing.
    fn adds_event_words(&self, hunk: &Hunk, are_of_form: bool) -> bool {
        let (was, now) = self.words(hunk);
        let is_new = |word: &CopyWord| {
            word.kind == CopyWordKind::Name && !self.known[0].contains(word.text.as_str())
        };
        (denials(was) != denials(now) && was.len().max(now.len()) <= WORDS_OF_DENIAL)
            || (are_of_form && now.iter().any(is_new))
    }

    /// The positions, on each side of a hunk, of words that distinguish events. In loose sentences,
    /// a name or a rare word counts only if the other text does not contain it.
    fn event_words(&self, hunk: &Hunk) -> [Vec<usize>; 2] {
        let counts = |word: &CopyWord, known: &KnownWords| match word.kind {
            CopyWordKind::Common => false,
            CopyWordKind::Number => true,
            CopyWordKind::Name | CopyWordKind::Rare => {
                !self.are_loose || !known.contains(word.text.as_str())
            }
        };
        [
            hunk.was.clone().filter(|at| counts(&self.was[*at], self.known[1])).collect(),
            hunk.now.clone().filter(|at| counts(&self.now[*at], self.known[0])).collect(),
        ]
    }

    /// Whether a name replaces common words, or a number replaces words of content, and the other
    /// text does not contain it.
    fn has_unknown_fact(&self, hunk: &Hunk, [gone, new]: [&[usize]; 2]) -> bool {
        let (was, now) = self.words(hunk);
        let is_unknown = |word: &CopyWord, known: &KnownWords, by: &[CopyWord]| {
            let counts = match word.kind {
                CopyWordKind::Name => true,
                CopyWordKind::Number => word.text != "1" && !are_small(by),
                CopyWordKind::Rare | CopyWordKind::Common => false,
            };
            counts && !known.contains(word.text.as_str())
        };
        !self.are_loose
            && (gone.iter().any(|at| is_unknown(&self.was[*at], self.known[1], now))
                || new.iter().any(|at| is_unknown(&self.now[*at], self.known[0], was)))
    }
}

fn joined(words: &[CopyWord]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Whether all words are function words.
fn are_small(words: &[CopyWord]) -> bool {
    words.iter().all(|word| is_function_word(&word.text))
}

pub(super) fn is_fact(word: &CopyWord) -> bool {
    matches!(word.kind, CopyWordKind::Name | CopyWordKind::Number)
}

fn denials(words: &[CopyWord]) -> usize {
    words.iter().filter(|word| is_negation(&word.text)).count()
}

/// Whether two sentences of nearly the same words have their shared names or numbers in another
/// order.
fn is_reordered(was: &[CopyWord], now: &[CopyWord], alignment: &Alignment) -> bool {
    alignment.hunks.len() >= 2
        && common(was, now).count() * 5 >= was.len().max(now.len()) * 3
        && facts_of_both(was, now) != facts_of_both(now, was)
}

/// The names and numbers of one sentence that the other contains too, in order.
pub(super) fn facts_of_both<'t>(one: &'t [CopyWord], other: &[CopyWord]) -> Vec<&'t str> {
    common(one, other).filter(|word| is_fact(word)).map(|word| word.text.as_str()).collect()
}

/// The words of one sentence that the other contains too. A word occurs as often as in both.
pub(super) fn common<'t>(
    one: &'t [CopyWord],
    other: &[CopyWord],
) -> impl Iterator<Item = &'t CopyWord> {
    let mut left: HashMap<String, usize> = HashMap::new();
    for word in other {
        *left.entry(word.text.clone()).or_default() += 1;
    }
    one.iter().filter(move |word| match left.get_mut(&word.text) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    })
}

/// Whether the word at `at` is a figure that reports may correct. Identifiers, dates and times of
/// day are none.
pub(super) fn is_figure(words: &[CopyWord], at: usize) -> bool {
    let number = &words[at];
    let plain = number.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let year =
        number.text.len() == 4 && (number.text.starts_with("19") || number.text.starts_with("20"));
    let before = at.checked_sub(1).map(|at| &words[at]);
    let behind = words.get(at + 1);
    let has_digits = |word: &CopyWord| word.text.bytes().any(|byte| byte.is_ascii_digit());
    let numbers = |word: &CopyWord| {
        word.kind == CopyWordKind::Name
            || has_digits(word)
            || NUMBERED.contains(&word.text.as_str())
    };
    let timed = |word: &CopyWord| {
        (has_digits(word) && !is_unit(&word.text)) || TIMES.contains(&word.text.as_str())
    };
    number.kind == CopyWordKind::Number
        && plain
        && !year
        && !before.is_some_and(numbers)
        && !behind.is_some_and(timed)
}
