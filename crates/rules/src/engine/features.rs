//! The numbered features that rules need: words, and features derived from words, such as plurals
//! and prefixes.

use foldhash::{HashMap, HashMapExt};

use super::frequency::{Frequencies, UNKNOWN};
use super::vocabulary::{Key, Seed, Vocabulary};
use crate::language::spelling::SpellingCondition;
use crate::language::term::TermWord;
use crate::text::{Stemmer, attached};

/// The number of a feature. Words come before derived features. During collection, [`DERIVED`]
/// marks derived features.
pub(super) type Feature = u32;

/// Marks a derived feature during collection.
const DERIVED: u32 = 1 << 31;

/// Marks a word of the vocabulary that has derived features.
const HAS_MORE: u32 = 1 << 31;

/// A word, a derived feature that it has, and under which condition.
type DerivedPair = (Feature, Feature, SpellingCondition);

/// A feature that is not a word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Derived {
    /// One of these words where its condition is true.
    Any(Vec<(Feature, SpellingCondition)>),
    /// This word, alone or behind the prefixes of its script.
    Attached(Feature, String),
    /// A word with this prefix.
    Prefix(String),
    /// A word with this stem.
    Stem(Stemmer, String),
    /// A text that contains these bytes.
    Literal(Vec<u8>),
    /// An address whose host is in this site.
    Site(String),
    /// A node of several rules that holds.
    Group(u32),
}

/// Collects the features of rules.
#[derive(Debug, Default)]
pub(super) struct Collector {
    words: HashMap<Box<str>, Feature>,
    /// The number of rules that use each word.
    uses: Vec<u32>,
    derived: HashMap<Derived, Feature>,
}

/// The features of all rules.
#[derive(Debug, Default)]
pub(super) struct Features {
    seed: Seed,
    words: Vocabulary,
    /// The number of features that are words.
    plain: u32,
    /// The number of features.
    count: u32,
    /// For each word, the start of its derived features in `more`.
    starts: Box<[u32]>,
    more: Box<[(Feature, SpellingCondition)]>,
    prefixes: WordPrefixes,
    attached: AttachedWords,
    stems: Vec<(Stemmer, HashMap<String, Feature>)>,
    sites: HashMap<String, Feature>,
}

/// Words that are found behind prefixes of their script.
#[derive(Debug, Default)]
struct AttachedWords {
    words: HashMap<String, Feature>,
    /// Those with an Arabic article, without it. The article is not written after `ل`.
    definite: HashMap<String, Feature>,
}

/// Prefixes of words.
#[derive(Debug, Default)]
struct WordPrefixes {
    /// Their lengths, ascending.
    lengths: Vec<usize>,
    /// A bit for each [`beginning`] of a prefix.
    beginnings: Box<[u64]>,
    table: Vocabulary,
}

/// The estimated share of stories that have each feature.
#[derive(Debug)]
pub(super) struct DocumentFrequencies(Vec<f32>);

impl Collector {
    /// The feature of a term's word.
    pub(super) fn word(&mut self, word: &TermWord) -> Feature {
        match word {
            TermWord::Plain(folded) | TermWord::Exact(folded) => self.plain(folded),
            TermWord::Attached(folded) => {
                let word = self.plain(folded);
                self.derived(Derived::Attached(word, folded.clone()))
            }
            TermWord::Spelled { spellings, .. } => {
                let mut members: Vec<(Feature, SpellingCondition)> = spellings
                    .iter()
                    .map(|spelling| (self.plain(&spelling.word), spelling.condition))
                    .collect();
                members.sort_unstable();
                self.derived(Derived::Any(members))
            }
            TermWord::Stem(stemmer, stem) => self.derived(Derived::Stem(*stemmer, stem.clone())),
            TermWord::Prefix(folded) => self.derived(Derived::Prefix(folded.clone())),
        }
    }

    fn plain(&mut self, folded: &str) -> Feature {
        let next = number(self.words.len());
        let feature = match self.words.get(folded) {
            Some(feature) => *feature,
            None => *self.words.entry(folded.into()).or_insert(next),
        };
        if feature == next {
            self.uses.push(0);
        }
        self.uses[feature as usize] += 1;
        feature
    }

    /// The number of a derived feature.
    pub(super) fn derived(&mut self, derived: Derived) -> Feature {
        let next = number(self.derived.len()) | DERIVED;
        *self.derived.entry(derived).or_insert(next)
    }

    /// The finished number of `feature`, which was collected here.
    pub(super) fn finished(&self, feature: Feature) -> Feature {
        if feature & DERIVED == 0 {
            feature
        } else {
            number(self.words.len()) + (feature & !DERIVED)
        }
    }

    /// The literals of patterns, with their finished numbers.
    pub(super) fn literals(&self) -> impl Iterator<Item = (&[u8], Feature)> {
        self.derived.iter().filter_map(|(derived, feature)| match derived {
            Derived::Literal(bytes) => Some((bytes.as_slice(), self.finished(*feature))),
            _ => None,
        })
    }

    /// The features and their frequencies for this number of `rules`, by their finished numbers.
    pub(super) fn finish(
        &self,
        frequencies: &Frequencies,
        rules: usize,
    ) -> (Features, DocumentFrequencies) {
        let mut features = Features {
            seed: Seed::new(),
            plain: number(self.words.len()),
            count: number(self.words.len() + self.derived.len()),
            ..Features::default()
        };
        let derived: Vec<(&Derived, Feature)> = self
            .derived
            .iter()
            .map(|(derived, feature)| (derived, self.finished(*feature)))
            .collect();
        features.prefixes = WordPrefixes::new(features.seed, &derived);
        for (derived, feature) in &derived {
            match derived {
                Derived::Stem(stemmer, stem) => {
                    features.stems_of(*stemmer).insert(stem.clone(), *feature)
                }
                Derived::Site(site) => features.sites.insert(site.clone(), *feature),
                Derived::Attached(_, word) => features.attached.insert(word, *feature),
                _ => None,
            };
        }
        let pairs = self.pairs(&features, &derived);
        features.link(&self.words, &pairs);
        let document_frequencies = self.document_frequencies(&features, frequencies, rules, &pairs);
        (features, document_frequencies)
    }

    /// The words with their derived features, sorted.
    fn pairs(&self, features: &Features, derived: &[(&Derived, Feature)]) -> Vec<DerivedPair> {
        let mut pairs = Vec::new();
        for (derived, feature) in derived {
            match derived {
                Derived::Any(words) => {
                    pairs.extend(words.iter().map(|(word, when)| (*word, *feature, *when)));
                }
                Derived::Attached(word, _) => {
                    pairs.push((*word, *feature, SpellingCondition::Always));
                }
                _ => {}
            }
        }
        if features.has_derived_features() {
            for (word, feature) in &self.words {
                features.derive(word.as_bytes(), |more| {
                    pairs.push((*feature, more, SpellingCondition::Always));
                });
            }
        }
        pairs.sort_unstable();
        pairs
    }

    fn document_frequencies(
        &self,
        features: &Features,
        frequencies: &Frequencies,
        rules: usize,
        pairs: &[DerivedPair],
    ) -> DocumentFrequencies {
        let mut document_frequencies = vec![UNKNOWN; features.count as usize];
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        for (word, feature) in &self.words {
            let in_rules = self.uses[*feature as usize] as f32 / rules.max(1) as f32;
            document_frequencies[*feature as usize] = frequencies.share_of_stories(word, in_rules);
        }
        for (word, derived, condition) in pairs {
            let part = if *condition == SpellingCondition::Always { 1.0 } else { 0.1 };
            document_frequencies[*derived as usize] += document_frequencies[*word as usize] * part;
        }
        for (derived, feature) in &self.derived {
            if matches!(derived, Derived::Literal(_) | Derived::Site(_) | Derived::Group(_)) {
                document_frequencies[self.finished(*feature) as usize] = 0.01;
            }
        }
        DocumentFrequencies(document_frequencies)
    }
}

impl Features {
    /// The number of features.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// Whether `feature` is a word.
    pub(super) fn is_word(&self, feature: Feature) -> bool {
        feature < self.plain
    }

    /// The hash of `word`, whether it may be a feature, and whether it may have a derived feature
    /// if it is none. Both are `false` for most words.
    #[inline]
    pub(super) fn look_at(&self, word: Key<'_>) -> (u64, bool, bool) {
        if let Some(code) = word.character() {
            // No prefix is shorter than it, and no script with attached words has such characters.
            let may_derive = !self.stems.is_empty() | self.prefixes.table.holds_character(code);
            return (code as u64, self.words.holds_character(code), may_derive);
        }
        let hash = word.hash(self.seed);
        (hash, self.words.may_hold(hash), self.may_derive(word))
    }

    /// The feature of `word` with the hash `hash`, and whether the word has derived features.
    #[inline]
    pub(super) fn word(&self, hash: u64, word: Key<'_>) -> Option<(Feature, bool)> {
        let found = self.words.get(hash, word)?;
        Some((found & !HAS_MORE, found & HAS_MORE != 0))
    }

    /// The derived features of a rule's word, each with the condition under which it has it.
    pub(super) fn derived_features(&self, word: Feature) -> &[(Feature, SpellingCondition)] {
        let (start, end) = (self.starts[word as usize], self.starts[word as usize + 1]);
        &self.more[start as usize..end as usize]
    }

    /// Whether words that are not features can have derived features.
    fn has_derived_features(&self) -> bool {
        !self.prefixes.lengths.is_empty() || !self.stems.is_empty() || !self.attached.is_empty()
    }

    /// Whether `word`, which is not a feature, may have a derived feature. It is `false` for most
    /// words.
    #[inline]
    pub(super) fn may_derive(&self, word: Key<'_>) -> bool {
        !self.stems.is_empty() | self.prefixes.may_begin(word) | self.attached.may_end(word)
    }

    /// Calls `found` with the features of the prefixes and stems of `word`, and of the words that
    /// it is without prefixes of its script.
    pub(super) fn derive(&self, word: &[u8], mut found: impl FnMut(Feature)) {
        for &length in self.prefixes.lengths.iter().take_while(|length| **length <= word.len()) {
            let prefix = &word[..length];
            self.prefixes.get(self.seed, prefix).into_iter().for_each(&mut found);
        }
        let Ok(word) = std::str::from_utf8(word) else { return };
        for (stemmer, stems) in &self.stems {
            stemmer
                .each_stem(word, |stem| stems.get(&stem).copied().into_iter().for_each(&mut found));
        }
        if !self.attached.is_empty() {
            attached::each_rest(word, |rest, lost| self.attached.get(rest, lost, &mut found));
        }
    }

    /// Whether a rule has a site.
    pub(super) fn has_sites(&self) -> bool {
        !self.sites.is_empty()
    }

    /// Calls `found` with every site that contains `host`.
    pub(super) fn sites_of(&self, host: &str, found: impl FnMut(Feature)) {
        let ends = host.match_indices('.').map(|(at, _)| at + 1);
        [0].into_iter()
            .chain(ends)
            .filter_map(|at| self.sites.get(&host[at..]).copied())
            .for_each(found);
    }

    /// Their memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        let stems = self.stems.iter().flat_map(|(_, stems)| stems.keys()).chain(self.sites.keys());
        let tables = self.words.bytes()
            + self.prefixes.table.bytes()
            + size_of_val(&*self.prefixes.beginnings);
        tables
            + size_of_val(&*self.starts)
            + size_of_val(&*self.more)
            + stems.map(|stem| stem.len() + 40).sum::<usize>()
    }

    fn stems_of(&mut self, stemmer: Stemmer) -> &mut HashMap<String, Feature> {
        let at = self.stems.iter().position(|(known, _)| *known == stemmer).unwrap_or_else(|| {
            self.stems.push((stemmer, HashMap::new()));
            self.stems.len() - 1
        });
        &mut self.stems[at].1
    }

    /// Adds `words` and their derived features.
    fn link(&mut self, words: &HashMap<Box<str>, Feature>, pairs: &[DerivedPair]) {
        let mut starts = vec![0_u32; words.len() + 1];
        for (word, ..) in pairs {
            starts[*word as usize + 1] += 1;
        }
        let has_more =
            |feature: Feature| if starts[feature as usize + 1] > 0 { HAS_MORE } else { 0 };
        self.words = Vocabulary::new(
            self.seed,
            words.iter().map(|(word, feature)| (word.as_bytes(), feature | has_more(*feature))),
        );
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        self.starts = starts.into();
        self.more = pairs.iter().map(|(_, derived, condition)| (*derived, *condition)).collect();
    }
}

impl AttachedWords {
    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn insert(&mut self, word: &str, feature: Feature) -> Option<Feature> {
        if let Some(bare) = attached::without_article(word) {
            self.definite.insert(bare.to_owned(), feature);
        }
        self.words.insert(word.to_owned(), feature)
    }

    /// Whether a word may be at the end of `word`, behind prefixes.
    #[inline]
    fn may_end(&self, word: Key<'_>) -> bool {
        !self.words.is_empty()
            && word.word().first().is_some_and(|byte| attached::may_have_prefixes(*byte))
    }

    /// Calls `found` with the features of `rest`. `lost`: its article may not be written.
    fn get(&self, rest: &str, lost: bool, found: &mut impl FnMut(Feature)) {
        let definite = self.definite.get(rest).filter(|_| lost);
        self.words.get(rest).into_iter().chain(definite).copied().for_each(found);
    }
}

/// The number of values of [`beginning`].
const BEGINNINGS: usize = 1 << 15;

/// A number for the first three bytes of a word. Other bytes may have the same number.
#[inline]
fn beginning(word: Key<'_>) -> usize {
    let start = word.start();
    let five_bits = |byte: u32| (start >> (8 * byte) & 31) << (5 * byte);
    usize::try_from(five_bits(0) | five_bits(1) | five_bits(2)).expect("fifteen bits")
}

impl WordPrefixes {
    fn new(seed: Seed, derived: &[(&Derived, Feature)]) -> Self {
        let prefix = |(derived, feature): &(&'_ Derived, Feature)| match derived {
            Derived::Prefix(prefix) => Some((prefix.clone(), *feature)),
            _ => None,
        };
        let prefixes: Vec<(String, Feature)> = derived.iter().filter_map(prefix).collect();
        let mut lengths: Vec<usize> = prefixes.iter().map(|(prefix, _)| prefix.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut beginnings = vec![0; BEGINNINGS / 64];
        for (prefix, _) in &prefixes {
            if prefix.len() < 3 {
                beginnings.fill(u64::MAX);
            }
            let at = beginning(Key::from_word(prefix.as_bytes()));
            beginnings[at / 64] |= 1 << (at % 64);
        }
        Self {
            lengths,
            beginnings: beginnings.into(),
            table: Vocabulary::new(
                seed,
                prefixes.iter().map(|(prefix, feature)| (prefix.as_bytes(), *feature)),
            ),
        }
    }

    /// Whether a prefix may begin `word`.
    #[inline]
    fn may_begin(&self, word: Key<'_>) -> bool {
        let at = beginning(word);
        self.beginnings.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 != 0)
    }

    /// The feature of `prefix`, if it is one of them.
    fn get(&self, seed: Seed, prefix: &[u8]) -> Option<Feature> {
        let key = Key::from_word(prefix);
        self.table.get(key.hash(seed), key)
    }
}

impl DocumentFrequencies {
    /// The frequency of a feature.
    pub(super) fn frequency_of(&self, feature: Feature) -> f32 {
        self.0[feature as usize]
    }
}

/// `number` as a `u32`.
pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number)
        .ok()
        .filter(|number| *number < DERIVED)
        .expect("rules have at most two thousand million parts")
}
