//! Counts the stories in which each of many trees holds.

use rayon::prelude::*;

use crate::engine::{Engine, Frequencies, Scratch};
use crate::language::tree::Tree;
use crate::story::Story;

/// The number of stories that one thread reads at a time.
const STORIES_OF_A_TASK: usize = 64;

/// The number of stories in which each of some trees holds.
pub(super) struct StoryCounts {
    engine: Engine,
    /// By the number of the tree.
    counts: Vec<usize>,
}

impl StoryCounts {
    /// No stories yet.
    pub(super) fn new(trees: &[Tree]) -> Self {
        Self { engine: Engine::new(trees, &Frequencies::default()), counts: vec![0; trees.len()] }
    }

    /// Adds `stories`.
    pub(super) fn count(&mut self, stories: &[&Story]) {
        let engine = &self.engine;
        let found = stories.par_chunks(STORIES_OF_A_TASK).map(|some| {
            let mut scratch = Scratch::new();
            let mut found = Vec::new();
            for story in some {
                found.extend_from_slice(engine.matches(story, &[], &mut scratch));
            }
            found
        });
        for number in found.collect::<Vec<Vec<u32>>>().into_iter().flatten() {
            self.counts[number as usize] += 1;
        }
    }

    /// The number of stories in which the tree `number` holds.
    pub(super) fn stories_with(&self, number: usize) -> usize {
        self.counts[number]
    }
}
