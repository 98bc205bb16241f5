//! The index of one story: its features and their places.

use std::ops::Range;

use url::Url;

use super::compiled::Engine;
use super::features::Feature;
use super::found_features::FoundFeatures;
use super::indexed_texts::{IndexedText, IndexedTexts};
use super::sorted::Sorted;
use super::stem_cache::StemCache;
use super::vocabulary::Key;
use crate::language::scope::Scope;
use crate::story::{Carrier, Story};
use crate::text::{WordPlace, Words};

/// The slot of a word without a feature.
const NONE: u32 = u32::MAX;

/// The index of one story. The next story reuses its memory.
#[derive(Debug)]
pub(super) struct DocumentIndex {
    pub(super) words: Words,
    pub(super) texts: IndexedTexts,
    pub(super) found_features: FoundFeatures,
    /// The slot of the feature of each word, or [`NONE`].
    feature_slots: Vec<u32>,
    /// The words that are features, as the slot of the feature and the number of the word,
    /// ascending by word.
    word_features: Vec<(u32, u32)>,
    /// The other features of words (`features::Derived`), in the same form, not sorted.
    derived_features: Vec<(u32, u32)>,
    places: FeaturePlaces,
    stem_cache: StemCache,
    sorted: Sorted,
    /// The words that are not features but may have derived ones: index in the text, and hash.
    unknown: Vec<(u32, u64)>,
}

/// The words that have each feature, located on first use.
#[derive(Debug, Default)]
struct FeaturePlaces {
    made: bool,
    /// For each slot, the start of its words.
    starts: Vec<u32>,
    words: Vec<u32>,
}

impl DocumentIndex {
    pub(super) fn new() -> Self {
        Self {
            words: Words::default(),
            texts: IndexedTexts::default(),
            found_features: FoundFeatures::default(),
            feature_slots: Vec::new(),
            word_features: Vec::new(),
            derived_features: Vec::new(),
            places: FeaturePlaces::default(),
            stem_cache: StemCache::default(),
            sorted: Sorted::default(),
            unknown: Vec::new(),
        }
    }

    /// Indexes `story`, which `carriers` carried.
    pub(super) fn index(&mut self, engine: &Engine, story: &Story, carriers: &[Carrier]) {
        self.clear(engine);
        let of_text = self.texts.index(&mut self.words, engine, story, carriers);
        for number in 0..self.texts.all().len() {
            let text = self.texts.all()[number].clone();
            self.index_words(engine, &text, &text.text(story, carriers), number < of_text);
        }
        self.index_literals(engine, story, carriers, of_text);
        self.index_sites(engine, story);
    }

    fn clear(&mut self, engine: &Engine) {
        self.found_features.clear(engine.features.count());
        self.words.clear();
        self.feature_slots.clear();
        self.word_features.clear();
        self.derived_features.clear();
        self.places.made = false;
        self.stem_cache.refresh();
    }

    /// Finds the features of the words of `text`.
    fn index_words(&mut self, engine: &Engine, text: &IndexedText, raw: &str, in_text: bool) {
        let features = &engine.features;
        let places = &self.words.places()[text.words.start as usize..text.words.end as usize];
        let key = |place: &WordPlace| Key::padded(self.words.padded(place), place.length());
        self.feature_slots.resize(self.feature_slots.len() + places.len(), NONE);
        self.sorted.sort(places.iter().map(key), features);
        self.unknown.clear();
        for (index, hash) in self.sorted.known() {
            let (place, number) = (&places[index as usize], text.words.start + index);
            let Some((feature, has_more)) = features.word(hash, key(place)) else {
                if features.may_derive(key(place)) {
                    self.unknown.push((index, hash));
                }
                continue;
            };
            let slot = self.found_features.insert(feature, in_text);
            self.feature_slots[number as usize] = slot;
            self.word_features.push((slot, number));
            if has_more {
                for (feature, condition) in features.derived_features(feature) {
                    if condition.holds(raw, &place.span(), text.all_caps) {
                        self.derived_features
                            .push((self.found_features.insert(*feature, in_text), number));
                    }
                }
            }
        }
        for (index, hash) in self.sorted.others().chain(self.unknown.iter().copied()) {
            for feature in self.stem_cache.features_of_word(
                hash,
                key(&places[index as usize]).word(),
                features,
            ) {
                self.derived_features.push((
                    self.found_features.insert(*feature, in_text),
                    text.words.start + index,
                ));
            }
        }
    }

    fn index_literals(
        &mut self,
        engine: &Engine,
        story: &Story,
        carriers: &[Carrier],
        of_text: usize,
    ) {
        let Some((literals, features)) = &engine.literals else { return };
        for (number, text) in self.texts.all().iter().enumerate() {
            let raw = text.text(story, carriers);
            for found in literals.find_overlapping_iter(&*raw) {
                let feature = features[found.pattern().as_usize()];
                self.found_features.insert(feature, number < of_text);
            }
        }
    }

    fn index_sites(&mut self, engine: &Engine, story: &Story) {
        if !engine.features.has_sites() {
            return;
        }
        let url = story.url.as_ref().and_then(|url| Url::parse(url).ok());
        if let Some(host) = url.as_ref().and_then(Url::host_str) {
            engine
                .features
                .sites_of(host, |feature| _ = self.found_features.insert(feature, false));
        }
    }

    /// The ascending numbers of the words in `within` that have `feature`.
    /// [`DocumentIndex::locate_features`] must be called before.
    pub(super) fn words_with_feature(&self, feature: Feature, within: &Range<u32>) -> &[u32] {
        let Some(slot) = self.found_features.slot(feature) else { return &[] };
        let Some(&[start, end]) = self.places.starts.get(slot..slot + 2) else { return &[] };
        let words = &self.places.words[start as usize..end as usize];
        let from = words.partition_point(|word| *word < within.start);
        let to = words.partition_point(|word| *word < within.end);
        &words[from..to.max(from)]
    }

    /// Whether the word with the number `word` has `feature`. [`DocumentIndex::locate_features`]
    /// must be called before.
    pub(super) fn word_has_feature(&self, engine: &Engine, word: u32, feature: Feature) -> bool {
        if engine.features.is_word(feature) {
            return self
                .found_features
                .slot(feature)
                .is_some_and(|slot| slot == self.feature_slots[word as usize] as usize);
        }
        !self.words_with_feature(feature, &(word..word + 1)).is_empty()
    }

    /// Sorts the words by their features, once for each story.
    pub(super) fn locate_features(&mut self) {
        let FeaturePlaces { made, starts, words } = &mut self.places;
        if *made {
            return;
        }
        *made = true;
        starts.clear();
        starts.resize(self.found_features.count() + 2, 0);
        // Two passes found the derived features, so they are not in order.
        self.derived_features.sort_unstable_by_key(|(_, word)| *word);
        let all = || self.word_features.iter().chain(&self.derived_features).copied();
        // Counts are stored two slots further, so that the next pass leaves the start of each slot
        // at its index.
        all().for_each(|(slot, _)| starts[slot as usize + 2] += 1);
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        words.clear();
        words.resize(starts.last().copied().unwrap_or_default() as usize, 0);
        for (slot, word) in all() {
            let next = &mut starts[slot as usize + 1];
            words[*next as usize] = word;
            *next += 1;
        }
    }

    /// Whether the two words are in one paragraph.
    pub(super) fn share_paragraph(&self, one: u32, other: u32) -> bool {
        let places = self.words.places();
        places[one as usize].paragraph == places[other as usize].paragraph
    }

    /// The paragraph after `last`, or the first if `last` is empty. `words` and `length` are those
    /// of the text. A paragraph ends at the first word of the next.
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

    /// The words and bytes of a segment that are in `bytes`. `words` are those of the text. `None`
    /// if there is no word.
    pub(super) fn part_of(
        &self,
        words: &Range<u32>,
        (segment_words, segment_bytes): (&Range<u32>, &Range<usize>),
        bytes: &Range<usize>,
    ) -> Option<(Range<u32>, Range<usize>)> {
        let places = &self.words.places()[words.start as usize..words.end as usize];
        let (first, last) =
            (segment_bytes.start.max(bytes.start), segment_bytes.end.min(bytes.end));
        let before = |at: usize| {
            let count = places.partition_point(|place| (place.start as usize) < at);
            words.start + u32::try_from(count).unwrap_or(u32::MAX)
        };
        let words = before(first).max(segment_words.start)..before(last).min(segment_words.end);
        (!words.is_empty()).then_some((words, first..last))
    }

    /// The words of `scope`.
    pub(super) fn view(&self, scope: Scope) -> Range<u32> {
        self.texts.view(scope, &self.words)
    }
}
