//! An earlier method of finding copies, kept as a measure: hashes of 64 bits that differ in at most
//! three, then a Jaccard index of 0.8.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use tidings_rules::text::tokenise;

pub fn joins(one: &str, other: &str) -> bool {
    let (one, other) = (shingles(one), shingles(other));
    let (shared, all) = (one.intersection(&other).count(), one.union(&other).count());
    (simhash(&one) ^ simhash(&other)).count_ones() <= 3 && shared * 5 >= all * 4
}

fn shingles(text: &str) -> HashSet<u64> {
    let words: Vec<String> = tokenise(text).into_iter().map(|token| token.word).collect();
    words.windows(3).map(hash).collect()
}

fn hash(shingle: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    shingle.hash(&mut hasher);
    hasher.finish()
}

/// Each bit is that of the majority of shingles.
fn simhash(shingles: &HashSet<u64>) -> u64 {
    let most = |bit: &u32| {
        shingles.iter().filter(|hash| *hash >> bit & 1 == 1).count() * 2 > shingles.len()
    };
    (0..64).filter(most).fold(0, |bits, bit| bits | 1 << bit)
}
