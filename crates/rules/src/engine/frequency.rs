//! Estimates the share of stories that contain a word. The engine looks up rare words first.
//! Estimates never change what matches.

use foldhash::{HashMap, HashMapExt};

/// The share of stories that contain a word, by the word folded as
/// [`tokenise`](crate::text::tokenise) does. It decides only the order of look-ups.
#[derive(Clone, Debug)]
pub struct Frequencies {
    document_frequencies: HashMap<Box<str>, f32>,
}

/// The share of an unknown word.
pub(super) const UNKNOWN: f32 = 0.0002;

/// The largest share of a word that is not in the table. A word with a larger share would be in the
/// table.
const MOST_BY_RULES: f32 = 0.02;

/// Words of the news with the share of stories that contain them.
const SHIPPED: &str = include_str!("frequency.txt");

impl Default for Frequencies {
    /// The table that is part of this crate.
    fn default() -> Self {
        let lines = SHIPPED.lines().filter_map(|line| line.split_once(':'));
        let document_frequencies = lines.flat_map(|(percent, words)| {
            let share = percent.trim().parse().map_or(UNKNOWN, |percent: f32| percent / 100.0);
            words.split_whitespace().map(move |word| (word.into(), share))
        });
        Self { document_frequencies: document_frequencies.collect() }
    }
}

impl Frequencies {
    /// No words.
    pub(crate) fn empty() -> Self {
        Self { document_frequencies: HashMap::new() }
    }

    /// The frequencies of `words`, which must be folded as [`tokenise`](crate::text::tokenise)
    /// does. Each has the share of stories that contain it, from 0 to 1.
    pub fn new(words: impl IntoIterator<Item = (String, f32)>) -> Self {
        Self {
            document_frequencies: words
                .into_iter()
                .map(|(word, share)| (word.into(), share))
                .collect(),
        }
    }

    /// The share of stories that contain `word`. For an unknown word it is estimated from
    /// `in_rules`, the share of rules that use it.
    pub(super) fn share_of_stories(&self, word: &str, in_rules: f32) -> f32 {
        self.document_frequencies
            .get(word)
            .copied()
            .unwrap_or_else(|| in_rules.clamp(UNKNOWN, MOST_BY_RULES))
    }
}

#[cfg(test)]
mod tests {
    use super::{Frequencies, SHIPPED, UNKNOWN};
    use crate::text::tokenise;

    #[test]
    fn the_shipped_table_has_folded_words_none_of_them_twice() {
        let words: Vec<&str> = SHIPPED
            .lines()
            .filter_map(|line| Some(line.split_once(':')?.1))
            .flat_map(str::split_whitespace)
            .collect();
        for word in &words {
            assert_eq!(
                tokenise(word).iter().map(|token| token.word.as_str()).collect::<Vec<_>>(),
                [*word]
            );
        }
        let table = Frequencies::default();
        let mut twice: Vec<&str> = words.clone();
        twice.sort_unstable();
        twice.dedup();
        assert_eq!((twice.len(), table.document_frequencies.len()), (words.len(), words.len()));
        assert!(
            words.len() > 900
                && table.document_frequencies.values().all(|share| (UNKNOWN..=1.0).contains(share))
        );
        assert!(
            table.share_of_stories("the", 0.0) > table.share_of_stories("russia", 0.0)
                && table.share_of_stories("russia", 0.0) > table.share_of_stories("zzyzx", 0.0)
        );
    }
}
