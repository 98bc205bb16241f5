//! The words of a text, by whether they may be features.

/// Words are sorted first and looked into later: of which kind the next word is nobody can foresee, no processor either.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    hashes: Vec<u64>,
    /// Those that may be features, so many as `known_count` says.
    known: Vec<u32>,
    known_count: usize,
    others: Vec<u32>,
    others_count: usize,
}

impl Sorted {
    /// Sorts words, which are numbered as they come, by their hashes.
    pub(super) fn sort(&mut self, hashes: impl Iterator<Item = u64>, may_be_known: impl Fn(u64) -> bool) {
        self.hashes.clear();
        self.hashes.extend(hashes);
        self.known.resize(self.hashes.len(), 0);
        self.others.resize(self.hashes.len(), 0);
        (self.known_count, self.others_count) = (0, 0);
        for (number, hash) in (0..).zip(&self.hashes) {
            let is_known = may_be_known(*hash);
            self.known[self.known_count] = number;
            self.known_count += usize::from(is_known);
            self.others[self.others_count] = number;
            self.others_count += usize::from(!is_known);
        }
    }

    /// The numbers and hashes of the words that may be features, ascending.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, u64)> {
        self.known[..self.known_count].iter().map(|number| (*number, self.hashes[*number as usize]))
    }

    /// The same of those that are none.
    pub(super) fn others(&self) -> impl Iterator<Item = (u32, u64)> {
        self.others[..self.others_count].iter().map(|number| (*number, self.hashes[*number as usize]))
    }
}
