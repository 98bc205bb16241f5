//! Which stories are copies of one text: the fingerprint that finds them, and the comparison. Pure.

mod alignment;
mod batch;
mod decision;
mod difference;
mod frame;
mod head;
mod headline;
mod joining;
mod mark;
mod numerals;
mod pairing;
mod replacement;
pub mod signature;
mod spelling;
mod vocabulary;
mod word;
mod words;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::difference::{Difference, difference, has_lead};
use self::headline::{HeadlineDifference, headline_difference};
use self::word::{CopyWord, CopyWordKind, hash};
use self::words::CopyWords;
use crate::alerts::copies::signature::MinHashSignature;
use tidings_rules::story::{Evidence, Read};

pub use self::batch::{
    BatchStory, CopyBatch, CopyCandidate, CopyDecisions, JoinedEvent, StoredBy, link_host,
};
pub use self::decision::MOST_COMPARED;
pub use self::joining::{MemberRelation, relation_to_event};
pub use self::mark::CopyMark;
pub use self::replacement::Figure;

/// A text with fewer words than this is a copy only if headline and text are both equal.
const FEWEST_WORDS: usize = 50;

/// The same for a part of an article. What makes it another story may stand in the rest.
const FEWEST_OF_PART: usize = 150;

/// The fewest words of headline and text together that identify a short text.
const FEWEST_OF_BRIEF: usize = 8;

/// The fewest words that must remain of a text without its frame. Shorter remains are copies only
/// if they are equal.
const FEWEST_WITHOUT_FRAME: usize = 20;

/// The words of a shingle.
const SHINGLE: usize = 3;

/// The first sentences of a copy among which the other text's lead is searched.
const LEAD_REACH: usize = 12;

/// The time in which an event takes copies, from when its first story was first seen. A text that
/// is printed every day is news every day.
const OPEN_FOR: Duration = Duration::from_hours(72);

/// A settled story, prepared for comparison. Equal stories have equal fingerprints in every run and
/// build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The headline, without its mark.
    title: Vec<CopyWord>,
    mark: Option<CopyMark>,
    text: ComparedText,
    /// The `MinHash` signature, by which the store finds candidates.
    pub signature: MinHashSignature,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ComparedText {
    /// A hash of headline and text, for a teaser and a text of few words.
    Brief(u64),
    Full(LongText),
}

/// A text that is compared word by word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LongText {
    words: CopyWords,
    /// Hashes of its shingles, ascending, without duplicates.
    shingles: Vec<u64>,
}

/// The relation of a later story to an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Another story.
    Other,
    /// A copy that adds nothing to the earlier story.
    Copy,
    /// An older version of a story that was corrected or updated. It came late, and is only
    /// recorded.
    Older,
    /// A copy with new content.
    Update(CopyUpdate),
}

/// The new content of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyUpdate {
    /// The mark in its headline or text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<CopyMark>,
    /// The figures that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
}

impl fmt::Display for CopyUpdate {
    /// `corrected: 12 where it said 21`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark {
            Some(CopyMark::Corrected) => f.write_str("corrected")?,
            Some(CopyMark::Repeated) => f.write_str("sent again")?,
            Some(CopyMark::Updated(0)) => f.write_str("updated")?,
            Some(CopyMark::Updated(number)) => write!(f, "version {number}")?,
            None => f.write_str("other figures")?,
        }
        for (at, Figure { was, now }) in self.figures.iter().enumerate() {
            write!(f, "{} {now} where it said {was}", if at == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// Events that began before this take no copies at `now`.
#[must_use]
pub fn open_since(now: Timestamp) -> Timestamp {
    now.checked_sub(OPEN_FOR).unwrap_or(Timestamp::MIN)
}

/// Makes the fingerprint of a story. `read`: how much of it was read. `None` if the story has too
/// few words to be identified by them.
#[must_use]
pub fn compute_fingerprint(title: &str, text: &str, read: &Read) -> Option<Fingerprint> {
    let fewest = match read {
        Read::Full => FEWEST_WORDS,
        Read::Partial(_) => FEWEST_OF_PART,
        Read::Teaser(_) => usize::MAX,
    };
    let (mark, title) = mark::split_mark(title);
    let mark = mark.or_else(|| mark::find_in_text(text));
    let title = words::words(title);
    let words = CopyWords::new(text);
    if words.words.len() < fewest {
        let all: Vec<&str> =
            title.iter().chain(&words.words).map(|word| word.text.as_str()).collect();
        let key = hash(&all.join(" "));
        return (all.len() >= FEWEST_OF_BRIEF).then(|| Fingerprint {
            title,
            mark,
            text: ComparedText::Brief(key),
            signature: MinHashSignature::from_whole_text(key),
        });
    }
    let full = LongText::new(words);
    let signature = MinHashSignature::new(&full.shingles, &full.lead_keys(), title_key(&title));
    Some(Fingerprint { title, mark, text: ComparedText::Full(full), signature })
}

impl Fingerprint {
    /// Whether it is compared only by a hash of headline and text.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        matches!(self.text, ComparedText::Brief(_))
    }

    /// The hashes of its sentences. Equal sentences have equal hashes.
    #[must_use]
    pub fn sentences(&self) -> HashSet<u64> {
        match &self.text {
            ComparedText::Brief(_) => HashSet::new(),
            ComparedText::Full(full) => full.words.sentence_hashes().collect(),
        }
    }

    /// Whether the story lacks some of the words that made a rule match, and the rule's `earlier`
    /// evidence lacks them too.
    #[must_use]
    pub fn lacks_evidence<'e>(
        &self,
        new: &[Evidence],
        earlier: impl IntoIterator<Item = &'e Evidence>,
    ) -> bool {
        let known: HashSet<String> = earlier.into_iter().flat_map(matched_words).collect();
        let text: &[CopyWord] = match &self.text {
            ComparedText::Brief(_) => &[],
            ComparedText::Full(full) => &full.words.words,
        };
        let own: HashSet<&str> =
            self.title.iter().chain(text).map(|word| word.text.as_str()).collect();
        new.iter()
            .flat_map(matched_words)
            .any(|word| !known.contains(&word) && !contains_word(&own, &word))
    }
}

impl LongText {
    fn new(words: CopyWords) -> Self {
        let texts: Vec<&str> = words.words.iter().map(|word| word.text.as_str()).collect();
        let shingles = ordered(hashes_of_runs(&texts, SHINGLE).collect());
        Self { words, shingles }
    }

    /// The smallest hashes of longer runs of words at its beginning. A shortened text has the same
    /// ones.
    fn lead_keys(&self) -> Vec<u64> {
        let lead = &self.words.words[..self.words.words.len().min(120)];
        let texts: Vec<&str> = lead.iter().map(|word| word.text.as_str()).collect();
        let mut keys = ordered(hashes_of_runs(&texts, 5).collect());
        keys.truncate(signature::LEAD_KEYS);
        keys
    }

    fn without_sentences(&self, frame: &HashSet<u64>) -> Self {
        Self::new(self.words.without_sentences(frame))
    }
}

/// The relation of `later` to `earlier`. `frame`: the hashes of sentences that a host prints around
/// all of its texts.
///
/// A copy contains nearly all of the shorter text, and has the same names, numbers and rare words
/// in the same places. `docs/benchmarks.md` measures how often that is right.
#[must_use]
#[expect(
    clippy::implicit_hasher,
    reason = "sets of sentences are made here, by `Fingerprint::sentences`"
)]
pub fn relation(earlier: &Fingerprint, later: &Fingerprint, frame: &HashSet<u64>) -> Relation {
    let (one, other) = match (&earlier.text, &later.text) {
        (ComparedText::Brief(one), ComparedText::Brief(other))
            if one == other && earlier.mark == later.mark =>
        {
            return Relation::Copy;
        }
        (ComparedText::Full(one), ComparedText::Full(other)) => (one, other),
        _ => return Relation::Other,
    };
    let headlines = HeadlinePair::new(earlier, later);
    if frame.is_empty() {
        return compare(one, other, &headlines);
    }
    let (one, other) = (one.without_sentences(frame), other.without_sentences(frame));
    if one.words.words.len().min(other.words.words.len()) < FEWEST_WITHOUT_FRAME {
        let is_same = one.words.words == other.words.words
            && headlines.are_alike
            && headlines.difference == HeadlineDifference::Nothing;
        return if is_same { Relation::Copy } else { Relation::Other };
    }
    compare(&one, &other, &headlines)
}

/// A comparison of the headlines of two stories.
struct HeadlinePair {
    /// They have nearly the same words. Figures may differ.
    are_alike: bool,
    difference: HeadlineDifference,
    earlier: Option<CopyMark>,
    later: Option<CopyMark>,
}

impl HeadlinePair {
    fn new(earlier: &Fingerprint, later: &Fingerprint) -> Self {
        Self {
            are_alike: alike(&earlier.title, &later.title),
            difference: headline_difference(&earlier.title, &later.title),
            earlier: earlier.mark,
            later: later.mark,
        }
    }

    /// The mark that makes the later headline a new version.
    fn new_mark(&self) -> Option<CopyMark> {
        self.later.filter(|_| self.later != self.earlier && !self.is_outdated())
    }

    /// Whether the later headline has a lower version number than the earlier one.
    fn is_outdated(&self) -> bool {
        match (self.earlier, self.later) {
            (Some(CopyMark::Updated(was)), Some(CopyMark::Updated(now))) => now > 0 && now <= was,
            _ => false,
        }
    }

    /// Whether the earlier story is marked as corrected or updated, and the later one has no mark.
    fn is_unmarked(&self) -> bool {
        self.later.is_none()
            && matches!(self.earlier, Some(CopyMark::Corrected | CopyMark::Updated(_)))
    }
}

fn compare(one: &LongText, other: &LongText, headlines: &HeadlinePair) -> Relation {
    if headlines.difference == HeadlineDifference::Event {
        return Relation::Other;
    }
    let shared = SharedShingles::new(one, other);
    let mark = headlines.new_mark();
    let is_next_version =
        mark.is_some() && (shared.covers(1, 2) || (headlines.are_alike && shared.covers(3, 10)));
    if !is_next_version && !is_near(one, other, &shared, headlines.are_alike) {
        return Relation::Other;
    }
    let figures = match (difference(&one.words, &other.words), &headlines.difference) {
        (Difference::Nothing, HeadlineDifference::Nothing) => Vec::new(),
        (Difference::Figures(figures), HeadlineDifference::Nothing) => figures,
        (Difference::Figures(figures), HeadlineDifference::Figures(said))
            if said.iter().all(|figure| figures.contains(figure)) =>
        {
            figures
        }
        _ => return Relation::Other,
    };
    if headlines.is_outdated() {
        return Relation::Copy;
    }
    match mark {
        Some(_) if is_next_version => Relation::Update(CopyUpdate { mark, figures }),
        _ if figures.is_empty() => Relation::Copy,
        _ if headlines.is_unmarked() => Relation::Older,
        _ if headlines.are_alike => Relation::Update(CopyUpdate { mark: None, figures }),
        _ => Relation::Other,
    }
}

/// Whether two texts share enough for one to be a copy of the other.
fn is_near(
    earlier: &LongText,
    later: &LongText,
    shared: &SharedShingles,
    same_title: bool,
) -> bool {
    let (short, long) = if shared.is_earlier_shorter {
        (&earlier.words, &later.words)
    } else {
        (&later.words, &earlier.words)
    };
    if shared.covers(4, 5) {
        // A shorter version adds nothing to the longer one.
        let is_within = !shared.is_earlier_shorter && shared.covers(9, 10);
        return shared.index_is(2, 5)
            || same_title
            || is_within
            || (shared.index_is(1, 5) && has_lead(short, long, 3));
    }
    let same_lead = || has_lead(short, long, LEAD_REACH) || has_lead(long, short, LEAD_REACH);
    shared.covers(3, 5) && shared.index_is(1, 4) && (same_title || same_lead())
}

/// The shingles that two texts share.
struct SharedShingles {
    both: usize,
    short: usize,
    all: usize,
    is_earlier_shorter: bool,
}

impl SharedShingles {
    fn new(earlier: &LongText, later: &LongText) -> Self {
        let (one, other) = (&earlier.shingles, &later.shingles);
        let is_earlier_shorter = one.len() <= other.len();
        let (short, long) = if is_earlier_shorter { (one, other) } else { (other, one) };
        let both = count_shared(short, long);
        Self { both, short: short.len(), all: short.len() + long.len() - both, is_earlier_shorter }
    }

    /// Whether they share at least `of`/`parts` of the shorter text's shingles.
    fn covers(&self, of: usize, parts: usize) -> bool {
        self.both * parts >= self.short * of
    }

    /// Whether they share at least `of`/`parts` of all shingles of both.
    fn index_is(&self, of: usize, parts: usize) -> bool {
        self.both * parts >= self.all * of
    }
}

/// Whether two headlines are nearly the same. They share four fifths of their words. Numbers are
/// left out.
fn alike(one: &[CopyWord], other: &[CopyWord]) -> bool {
    let texts = |words: &[CopyWord]| -> HashSet<String> {
        words
            .iter()
            .filter(|word| word.kind != CopyWordKind::Number)
            .map(|word| word.text.clone())
            .collect()
    };
    let (one, other) = (texts(one), texts(other));
    let shared = one.intersection(&other).count();
    let long = one.len().max(other.len());
    long >= 3 && shared * 5 >= long * 4
}

/// Whether `words` contain `word`, with or without the sign of a number or a grade.
fn contains_word(words: &HashSet<&str>, word: &str) -> bool {
    words.contains(word)
        || ["-", "+"].iter().any(|sign| {
            words.contains(format!("{sign}{word}").as_str())
                || words.contains(format!("{word}{sign}").as_str())
        })
}

/// The folded words that `evidence` marks. Number words and signs are left out, because texts write
/// them in several forms.
fn matched_words(evidence: &Evidence) -> Vec<String> {
    let marked = evidence.marks.iter().filter_map(|mark| evidence.sentence.get(mark.clone()));
    let has_digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    marked
        .flat_map(|mark| {
            words::words(mark).into_iter().filter(move |word| {
                word.kind != CopyWordKind::Number || (has_digits(mark) && has_digits(&word.text))
            })
        })
        .map(|word| word.text)
        .collect()
}

/// The key by which a headline is found. `None` if it has fewer than four words besides numbers.
fn title_key(title: &[CopyWord]) -> Option<u64> {
    let words: Vec<&str> = title
        .iter()
        .filter(|word| word.kind != CopyWordKind::Number)
        .map(|word| word.text.as_str())
        .collect();
    (words.len() >= 4).then(|| hash(&words.join(" ")))
}

/// The hashes of all runs of `length` words.
fn hashes_of_runs(words: &[&str], length: usize) -> impl Iterator<Item = u64> {
    let mut run = String::new();
    words.windows(length).map(move |words| {
        run.clear();
        for word in words {
            run.push_str(word);
            run.push(' ');
        }
        hash(&run)
    })
}

fn ordered<T: Ord>(mut hashes: Vec<T>) -> Vec<T> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The number of elements in both lists, which are ascending.
fn count_shared<T: Ord>(short: &[T], long: &[T]) -> usize {
    let mut rest = long.iter().peekable();
    let stands = |hash: &&T| {
        while rest.next_if(|other| other < hash).is_some() {}
        rest.peek() == Some(hash)
    };
    short.iter().filter(stands).count()
}

#[cfg(test)]
mod tests;
