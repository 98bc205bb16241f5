//! Numbered values. Equal values have one number.

use std::hash::{BuildHasher, Hash};
use std::ops::Index;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::features::number;

/// Values in the order of their first addition.
#[derive(Debug)]
pub(super) struct Interned<T> {
    all: Vec<T>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { all: Vec::new(), numbers: HashTable::new(), hasher: RandomState::default() }
    }
}

impl<T: Eq + Hash> Interned<T> {
    /// The number of `thing`, and whether it is new.
    pub(super) fn intern(&mut self, thing: T) -> (u32, bool) {
        let hash = self.hasher.hash_one(&thing);
        if let Some(known) = self.numbers.find(hash, |known| self.all[*known as usize] == thing) {
            return (*known, false);
        }
        let new = number(self.all.len());
        self.numbers
            .insert_unique(hash, new, |known| self.hasher.hash_one(&self.all[*known as usize]));
        self.all.push(thing);
        (new, true)
    }

    /// The number of values.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// All values.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }
}

impl<T> Index<u32> for Interned<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        &self.all[number as usize]
    }
}
