//! Whether two similar texts report two events: compares what stands in the same places. Pure.

use std::collections::HashSet;

use tidings_rules::is_common_word;

use super::numerals::is_unit;
use super::pairing::{Pairing, likeness};
use super::replacement::{Figure, KnownWords, Replacements, is_fact, known_words};
use super::vocabulary::is_function_word;
use super::word::{CopyWord, CopyWordKind};
use super::words::CopyWords;

/// Shared text identifies its event if it has at least one name or number in this many words.
const WORDS_A_FACT: usize = 12;

/// A text with fewer than one name or number in this many words is a form.
const WORDS_A_FACT_OF_FORM: usize = 18;

/// The most different names and numbers that are required for a text to identify its event.
const MOST_ASKED: usize = 12;

/// With this many equal sentences, in texts that identify their event, the first sentences may
/// differ.
const SENTENCES_WITHOUT_LEAD: usize = 8;

/// The most words of an entry of a list.
const ENTRY_WORDS: usize = 8;

/// How two texts differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Words were added, cut, moved or spelled otherwise. Whole paragraphs may differ.
    Nothing,
    /// These figures differ, and nothing else that distinguishes two events. There are several only
    /// if the texts share enough names and numbers to identify their event.
    Figures(Vec<Figure>),
    /// A name, an identifier or a word was replaced, or a sentence by one of another event.
    Event,
}

/// How `later` differs from `earlier`.
pub(super) fn difference(earlier: &CopyWords, later: &CopyWords) -> Difference {
    let pairing = Pairing::new(earlier, later);
    let known = [earlier, later].map(known_words);
    let facts = Facts::new(earlier, &pairing);
    let mut found = Replacements::default();
    for &(one, other) in &pairing.alike {
        let (one, other) = (earlier.sentence(one), later.sentence(other));
        found.add([one, other], [&known[0], &known[1]], facts.are_few);
        if found.is_event {
            return Difference::Event;
        }
    }
    if found.mistyped_names_are_others(earlier, later)
        || found.words_are_others(facts.identify_event)
        || is_entry_added(&pairing, later, &known[0], facts)
        || are_sentences_replaced(&pairing, earlier, later, &known, facts)
    {
        return Difference::Event;
    }
    let mut seen = HashSet::new();
    found.figures.retain(|figure: &Figure| seen.insert(figure.clone()));
    match found.figures.len() {
        0 => Difference::Nothing,
        1 => Difference::Figures(found.figures),
        _ if facts.identify_event => Difference::Figures(found.figures),
        _ => Difference::Event,
    }
}

/// Whether the first `reach` sentences of `long` contain the first sentence of `short`, even in
/// other words.
pub(super) fn has_lead(short: &CopyWords, long: &CopyWords, reach: usize) -> bool {
    let Some(lead) = short.sentences.first() else { return false };
    let lead = &short.words[lead.clone()];
    (0..long.sentences.len().min(reach))
        .any(|at| likeness(lead, long.sentence(at)) >= lead.len().max(4) / 2)
}

/// The names and numbers in the sentences that two texts share.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// They are enough to identify one event.
    identify_event: bool,
    /// There are so few that the shared text is a form. Always `false` in languages whose names
    /// look like other words.
    are_few: bool,
    /// The number of equal sentences.
    sentences: usize,
}

impl Facts {
    fn new(earlier: &CopyWords, pairing: &Pairing) -> Self {
        let words = || pairing.same.iter().flat_map(|at| earlier.sentence(*at));
        let all = words().count();
        let names = words().filter(|word| word.kind == CopyWordKind::Name).count();
        // An office repeats names that are common words in all of its texts.
        let is_distinctive =
            |word: &&CopyWord| is_fact(word) && !is_common_word(&word.text) && !is_unit(&word.text);
        let facts: Vec<&str> =
            words().filter(is_distinctive).map(|word| word.text.as_str()).collect();
        let different = facts.iter().collect::<HashSet<_>>().len();
        // In German, Chinese and Arabic, the form of a word does not show that it is a name.
        let are_names_known = names * 10 < all * 3;
        Self {
            identify_event: are_names_known
                && different >= MOST_ASKED.min(7 + all / 40)
                && facts.len() * WORDS_A_FACT >= all,
            are_few: are_names_known && facts.len() * WORDS_A_FACT_OF_FORM < all,
            sentences: pairing.same.len(),
        }
    }
}

/// Whether a form has an inserted entry that the earlier text lacks.
fn is_entry_added(pairing: &Pairing, later: &CopyWords, known: &KnownWords, facts: Facts) -> bool {
    let last = later.sentences.len();
    let is_new = |word: &CopyWord| is_fact(word) && !known.contains(word.text.as_str());
    let is_entry = |at: &usize| {
        let words = later.sentence(*at);
        *at > 0 && at + 1 < last && words.len() <= ENTRY_WORDS && words.iter().any(is_new)
    };
    facts.are_few && pairing.now.iter().any(is_entry)
}

/// Whether unpaired sentences of one text replace unpaired sentences of the other, and neither
/// belong to the event of the other text.
fn are_sentences_replaced(
    pairing: &Pairing,
    earlier: &CopyWords,
    later: &CopyWords,
    known: &[KnownWords; 2],
    facts: Facts,
) -> bool {
    let (was, now) = (
        Belonging::new(earlier, &pairing.was, &known[1]),
        Belonging::new(later, &pairing.now, &known[0]),
    );
    if was == Belonging::Foreign && now == Belonging::Foreign {
        return true;
    }
    let is_replaced = |(was, now): &(Vec<usize>, Vec<usize>)| {
        let is_lead = was[0] < 2 && now[0] < 2;
        let (one, other) =
            (Belonging::new(earlier, was, &known[1]), Belonging::new(later, now, &known[0]));
        // In a form, a shared name proves nothing.
        let may_belong = one == Belonging::Same || other == Belonging::Same;
        let is_asked =
            !facts.identify_event || (is_lead && facts.sentences < SENTENCES_WITHOUT_LEAD);
        facts.are_few || (is_asked && !may_belong)
    };
    pairing.unpaired_slots(earlier, later).iter().any(is_replaced)
}

/// Whether sentences belong to the event of another text, judged by their names and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belonging {
    /// They have no names and no numbers.
    Unknown,
    /// The other text has hardly any of their names and numbers.
    Foreign,
    Same,
}

impl Belonging {
    fn new(text: &CopyWords, sentences: &[usize], known: &KnownWords) -> Self {
        let words = || sentences.iter().flat_map(|at| text.sentence(*at));
        let of = |kind| {
            words()
                .filter(|word| word.kind == kind)
                .map(|word| word.text.as_str())
                .collect::<HashSet<_>>()
        };
        let (names, numbers) = (of(CopyWordKind::Name), of(CopyWordKind::Number));
        let event_words = if names.len() < 2 { &names | &numbers } else { names };
        // A common word with a capital, as after a dash, proves nothing.
        let is_proof = |word: &&&str| {
            known.contains(**word) && !is_common_word(word) && !is_function_word(word)
        };
        let shared = event_words.iter().filter(is_proof).count();
        match event_words.len() {
            0 => Self::Unknown,
            all if shared * 6 <= all => Self::Foreign,
            _ => Self::Same,
        }
    }
}
