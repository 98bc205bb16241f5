//! Pairs the sentences of two texts: equal sentences, sentences that are alike, and unpaired
//! sentences in the same place. Pure.

use std::collections::{HashMap, HashSet};

use super::word::{CopyWord, CopyWordKind};
use super::words::CopyWords;

/// The most unequal sentences of a text that are compared with those of the other.
const MOST_SENTENCES: usize = 60;

/// The most words of a row of a table or an entry of a list.
const ENTRY_WORDS: usize = 10;

/// The sentences of two texts, by their positions.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// Sentences of the earlier text that the later contains word for word.
    pub(super) same: Vec<usize>,
    /// Sentences that are alike: earlier, later.
    pub(super) alike: Vec<(usize, usize)>,
    /// Unpaired sentences of the earlier text.
    pub(super) was: Vec<usize>,
    /// Unpaired sentences of the later text.
    pub(super) now: Vec<usize>,
    /// For each paired sentence of the earlier text, its partner in the later.
    links: HashMap<usize, usize>,
}

impl Pairing {
    pub(super) fn new(earlier: &CopyWords, later: &CopyWords) -> Self {
        let mut found = Self::default();
        found.match_same(earlier, later);
        found.was.truncate(MOST_SENTENCES);
        found.now.truncate(MOST_SENTENCES);
        found.pair_alike(earlier, later);
        found.links.extend(found.alike.iter().copied());
        found
    }

    /// Pairs equal sentences. Of several equal ones, the first is paired with the first.
    fn match_same(&mut self, earlier: &CopyWords, later: &CopyWords) {
        let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, hash) in later.sentence_hashes().enumerate() {
            places.entry(hash).or_default().push(at);
        }
        for places in places.values_mut() {
            places.reverse();
        }
        for (at, hash) in earlier.sentence_hashes().enumerate() {
            match places.get_mut(&hash).and_then(Vec::pop) {
                Some(place) => {
                    self.same.push(at);
                    self.links.insert(at, place);
                }
                None => self.was.push(at),
            }
        }
        self.now = places.into_values().flatten().collect();
        self.now.sort_unstable();
    }

    /// Pairs sentences that are alike. The likest are paired first.
    fn pair_alike(&mut self, earlier: &CopyWords, later: &CopyWords) {
        let mut likes: Vec<(usize, usize, usize)> = Vec::new();
        for &one in &self.was {
            for &other in &self.now {
                let like = likeness(earlier.sentence(one), later.sentence(other))
                    .max(usize::from(fills_same_slot(earlier, one, later, other)));
                if like > 0 {
                    likes.push((like, one, other));
                }
            }
        }
        likes.sort_by_key(|(like, one, other)| (std::cmp::Reverse(*like), *one, *other));
        for (_, one, other) in likes {
            if self.was.contains(&one) && self.now.contains(&other) {
                self.was.retain(|at| *at != one);
                self.now.retain(|at| *at != other);
                self.alike.push((one, other));
            }
        }
        self.alike.sort_unstable();
    }

    /// Unpaired sentences of both texts in the same place: next to the same pair, or at the
    /// beginning or end of both.
    pub(super) fn unpaired_slots(
        &self,
        earlier: &CopyWords,
        later: &CopyWords,
    ) -> Vec<(Vec<usize>, Vec<usize>)> {
        let now: HashSet<usize> = self.now.iter().copied().collect();
        let last = later.sentences.len();
        let behind = |at: usize| (at..last).take_while(|at| now.contains(at)).collect::<Vec<_>>();
        let before = |at: usize| {
            let mut found: Vec<_> = (0..at).rev().take_while(|at| now.contains(at)).collect();
            found.reverse();
            found
        };
        let mut found = Vec::new();
        for run in self.was.chunk_by(|one, other| one + 1 == *other) {
            let (first, end) = (run[0], run[run.len() - 1] + 1);
            let start = match first.checked_sub(1) {
                None => Some(0),
                Some(at) => self.links.get(&at).map(|place| place + 1),
            };
            let stop = if end == earlier.sentences.len() {
                Some(last)
            } else {
                self.links.get(&end).copied()
            };
            let places = [start.map(behind), stop.map(before)];
            for place in places.into_iter().flatten().filter(|place| !place.is_empty()) {
                found.push((run.to_vec(), place));
            }
        }
        found
    }
}

/// Whether two sentences are entries in the same place of a form. The sentences before them are
/// equal, and both begin or end with the same word, which is not common.
fn fills_same_slot(earlier: &CopyWords, one: usize, later: &CopyWords, other: usize) -> bool {
    let same_before = match (one.checked_sub(1), other.checked_sub(1)) {
        (None, None) => true,
        (Some(one), Some(other)) => earlier.sentence(one) == later.sentence(other),
        _ => false,
    };
    let (one, other) = (earlier.sentence(one), later.sentence(other));
    let is_event_word =
        |(a, b): (&CopyWord, &CopyWord)| a.text == b.text && a.kind != CopyWordKind::Common;
    same_before
        && (one.iter().zip(other).next().is_some_and(is_event_word)
            || one.iter().rev().zip(other.iter().rev()).next().is_some_and(is_event_word))
}

/// How alike two sentences are: by shared pairs of neighbours, by their beginning and end, or by
/// nearly all of their words. 0 if the likeness may be chance.
pub(super) fn likeness(one: &[CopyWord], other: &[CopyWord]) -> usize {
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
    // A phrase that occurs in many texts is one stretch in the middle.
    let spread = if stretches > 1 || framed > 1 { shared } else { shared / 2 };
    if framed.max(spread) * 5 >= short * 2 {
        return shared.max(framed).max(1);
    }
    let long = one.len().max(other.len());
    if long > short * 2 || long > ENTRY_WORDS {
        return 0;
    }
    let words: HashSet<&str> = one.iter().map(|word| word.text.as_str()).collect();
    let both = other.iter().filter(|word| words.contains(word.text.as_str())).count();
    if both * 3 >= long * 2 { both / 2 + 1 } else { 0 }
}
