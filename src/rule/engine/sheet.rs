//! A story as the engine sees it: which features it has, and where.

use std::ops::Range;

use url::Url;

use super::Engine;
use super::features::Feature;
use super::memo::Memo;
use super::text::{Text, Texts};
use crate::rule::Carrier;
use crate::rule::scope::Scope;
use crate::story::Story;
use crate::text::Words;

/// No feature.
const NONE: u32 = u32::MAX;

/// One story, in memory that the next story uses again.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) words: Words,
    pub(super) texts: Texts,
    /// By feature, its place in `found`, if that has it there.
    slots: Vec<u32>,
    /// The features that were found, each once.
    found: Vec<Feature>,
    /// By feature, a bit that says whether headline or text have it.
    in_text: Vec<u64>,
    /// By word of the story, the place of its feature in `found`.
    at: Vec<u32>,
    /// Features that words have besides themselves: place in `found`, number of the word.
    more: Vec<(u32, u32)>,
    places: Places,
    memo: Memo,
    /// The hashes of the words of a text.
    hashes: Vec<u64>,
}

/// The numbers of the words that have each feature, made when first asked for.
#[derive(Debug, Default)]
struct Places {
    made: bool,
    /// By place in `found`, where its words begin.
    starts: Vec<u32>,
    words: Vec<u32>,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self {
            words: Words::default(),
            texts: Texts::default(),
            slots: Vec::new(),
            found: Vec::new(),
            in_text: Vec::new(),
            at: Vec::new(),
            more: Vec::new(),
            places: Places::default(),
            memo: Memo::default(),
            hashes: Vec::new(),
        }
    }

    /// Reads `story`, seen in `carriers`.
    pub(super) fn read(&mut self, engine: &Engine, story: &Story, carriers: &[Carrier]) {
        self.clear(engine);
        let of_text = self.texts.read(&mut self.words, engine, story, carriers);
        for number in 0..self.texts.all().len() {
            let text = self.texts.all()[number].clone();
            self.look_up(engine, &text, text.raw(story, carriers), number < of_text);
        }
        self.look_for_literals(engine, story, carriers, of_text);
        self.look_for_sites(engine, story);
    }

    fn clear(&mut self, engine: &Engine) {
        for feature in self.found.drain(..) {
            if let Some(bits) = self.in_text.get_mut(feature as usize / 64) {
                *bits = 0;
            }
        }
        self.slots.resize(engine.features.count(), 0);
        self.in_text.resize(engine.features.count().div_ceil(64), 0);
        self.words.clear();
        self.at.clear();
        self.more.clear();
        self.places.made = false;
        self.memo.refresh();
    }

    /// Finds the features of the words of `text`.
    fn look_up(&mut self, engine: &Engine, text: &Text, raw: &str, in_text: bool) {
        let features = &engine.features;
        let places = &self.words.places()[text.words.start as usize..text.words.end as usize];
        self.hashes.clear();
        self.hashes.extend(places.iter().map(|place| features.hash(self.words.padded(place), place.length())));
        for ((number, place), &hash) in text.words.clone().zip(places).zip(&self.hashes) {
            let word = self.words.folded(place);
            match features.word(hash, word) {
                None => {
                    self.at.push(NONE);
                    if features.may_derive(word) {
                        let memo = self.memo.of(hash, word, features);
                        for feature in memo {
                            let slot = mark(&mut self.slots, &mut self.found, &mut self.in_text, *feature, in_text);
                            self.more.push((slot, number));
                        }
                    }
                }
                Some((feature, has_more)) => {
                    let slot = mark(&mut self.slots, &mut self.found, &mut self.in_text, feature, in_text);
                    self.at.push(slot);
                    if has_more {
                        let written = &raw[place.start as usize..place.end as usize];
                        let in_capitals = || !text.shouted && !written.contains(char::is_lowercase);
                        for (feature, only_in_capitals) in features.more(feature) {
                            if !only_in_capitals || in_capitals() {
                                let slot = mark(&mut self.slots, &mut self.found, &mut self.in_text, feature, in_text);
                                self.more.push((slot, number));
                            }
                        }
                    }
                }
            }
        }
    }

    fn look_for_literals(&mut self, engine: &Engine, story: &Story, carriers: &[Carrier], of_text: usize) {
        let Some((literals, features)) = &engine.literals else { return };
        for (number, text) in self.texts.all().iter().enumerate() {
            let raw = text.raw(story, carriers);
            for found in literals.find_overlapping_iter(raw) {
                let feature = features[found.pattern().as_usize()];
                mark(&mut self.slots, &mut self.found, &mut self.in_text, feature, number < of_text);
            }
        }
    }

    fn look_for_sites(&mut self, engine: &Engine, story: &Story) {
        if !engine.features.has_sites() {
            return;
        }
        let url = story.url.as_ref().and_then(|url| Url::parse(url).ok());
        if let Some(host) = url.as_ref().and_then(Url::host_str) {
            let (slots, found, in_text) = (&mut self.slots, &mut self.found, &mut self.in_text);
            engine.features.sites_of(host, |feature| _ = mark(slots, found, in_text, feature, false));
        }
    }

    /// Marks what many rules share as found.
    pub(super) fn mark_group(&mut self, feature: Feature) {
        mark(&mut self.slots, &mut self.found, &mut self.in_text, feature, false);
    }

    /// The feature that was found as the one of that number; more are found while rules are called up.
    pub(super) fn found(&self, number: usize) -> Option<Feature> {
        self.found.get(number).copied()
    }

    /// Whether headline or text have `feature`.
    pub(super) fn in_text(&self, feature: Feature) -> bool {
        self.in_text[feature as usize / 64] & (1 << (feature % 64)) != 0
    }

    /// Whether `feature` was found anywhere.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.slot(feature).is_some()
    }

    fn slot(&self, feature: Feature) -> Option<usize> {
        let slot = self.slots[feature as usize] as usize;
        (self.found.get(slot) == Some(&feature)).then_some(slot)
    }

    /// The numbers of the words in `within` that have `feature`, ascending. Wants [`Sheet::place`].
    pub(super) fn places(&self, feature: Feature, within: &Range<u32>) -> &[u32] {
        let Some(slot) = self.slot(feature) else { return &[] };
        let Some(&[start, end]) = self.places.starts.get(slot..slot + 2) else { return &[] };
        let words = &self.places.words[start as usize..end as usize];
        let from = words.partition_point(|word| *word < within.start);
        let to = words.partition_point(|word| *word < within.end);
        &words[from..to.max(from)]
    }

    /// Whether the word of that number has `feature`. Wants [`Sheet::place`].
    pub(super) fn is(&self, engine: &Engine, word: u32, feature: Feature) -> bool {
        if engine.features.is_word(feature) {
            return self.found.get(self.at[word as usize] as usize) == Some(&feature);
        }
        !self.places(feature, &(word..word + 1)).is_empty()
    }

    /// Finds out which words have which features, unless that is known.
    pub(super) fn place(&mut self) {
        let Places { made, starts, words } = &mut self.places;
        if *made {
            return;
        }
        *made = true;
        starts.clear();
        starts.resize(self.found.len() + 2, 0);
        let slots =
            || self.at.iter().copied().filter(|slot| *slot != NONE).chain(self.more.iter().map(|(slot, _)| *slot));
        // Two places further: the next pass leaves each start where it belongs.
        slots().for_each(|slot| starts[slot as usize + 2] += 1);
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        words.clear();
        words.resize(starts.last().copied().unwrap_or_default() as usize, 0);
        let mut put = |slot: u32, word: u32| {
            let next = &mut starts[slot as usize + 1];
            words[*next as usize] = word;
            *next += 1;
        };
        for (word, slot) in (0_u32..).zip(&self.at).filter(|(_, slot)| **slot != NONE) {
            put(*slot, word);
        }
        for (slot, word) in &self.more {
            put(*slot, *word);
        }
    }

    /// Whether the words stand in one paragraph.
    pub(super) fn share_paragraph(&self, one: u32, other: u32) -> bool {
        let places = self.words.places();
        places[one as usize].paragraph == places[other as usize].paragraph
    }

    /// The paragraph behind `last`, or the first if that is empty, of a text with those words and so many bytes: up to the
    /// first word of the next.
    pub(super) fn paragraph_behind(
        &self,
        words: &Range<u32>,
        last: &Range<usize>,
        length: usize,
    ) -> Option<Range<usize>> {
        let places = &self.words.places()[words.start as usize..words.end as usize];
        let first = places.partition_point(|place| (place.start as usize) < last.end);
        let paragraph = places.get(first)?.paragraph;
        let next = places.partition_point(|place| place.paragraph <= paragraph);
        Some(last.end..places.get(next).map_or(length, |next| next.start as usize))
    }

    /// The words and bytes of a segment of a text with those `words`, as far as they are in `bytes`; `None` if there is no word.
    pub(super) fn part_of(
        &self,
        words: &Range<u32>,
        (segment_words, segment_bytes): (&Range<u32>, &Range<usize>),
        bytes: &Range<usize>,
    ) -> Option<(Range<u32>, Range<usize>)> {
        let places = &self.words.places()[words.start as usize..words.end as usize];
        let (first, last) = (segment_bytes.start.max(bytes.start), segment_bytes.end.min(bytes.end));
        let before = |at: usize| {
            let count = places.partition_point(|place| (place.start as usize) < at);
            words.start + u32::try_from(count).unwrap_or(u32::MAX)
        };
        let words = before(first).max(segment_words.start)..before(last).min(segment_words.end);
        (!words.is_empty()).then_some((words, first..last))
    }

    /// The words that `scope` looks at.
    pub(super) fn view(&self, scope: Scope) -> Range<u32> {
        self.texts.view(scope, &self.words)
    }
}

/// Marks `feature` as found; its place among what was found.
fn mark(slots: &mut [u32], found: &mut Vec<Feature>, bits: &mut [u64], feature: Feature, in_text: bool) -> u32 {
    let slot = slots[feature as usize];
    if in_text {
        bits[feature as usize / 64] |= 1 << (feature % 64);
    }
    if found.get(slot as usize) == Some(&feature) {
        return slot;
    }
    let slot = u32::try_from(found.len()).expect("there are at most as many features as numbers");
    slots[feature as usize] = slot;
    found.push(feature);
    slot
}
