//! A table from characters of three bytes to numbers, read without a hash.

/// Characters and their numbers.
#[derive(Debug, Default)]
pub(super) struct Characters {
    /// For each [`PAGE`] characters, the index of their page plus one, or 0. Empty without pages.
    index: Vec<u16>,
    /// The numbers of the characters of a page, each plus one, or 0.
    pages: Vec<[u32; PAGE]>,
}

/// The number of characters on a page.
const PAGE: usize = 64;

/// The number of characters of at most three bytes.
const COUNT: usize = 1 << 16;

impl Characters {
    /// Adds the character with that code.
    pub(super) fn insert(&mut self, code: usize, number: u32) {
        self.index.resize(COUNT / PAGE, 0);
        let page = &mut self.index[code / PAGE];
        if *page == 0 {
            self.pages.push([0; PAGE]);
            *page = u16::try_from(self.pages.len()).expect("there are a thousand pages");
        }
        self.pages[usize::from(*page) - 1][code % PAGE] = number + 1;
    }

    /// The number of the character with that code.
    #[inline]
    pub(super) fn get(&self, code: usize) -> Option<u32> {
        let page = usize::from(*self.index.get(code / PAGE)?).checked_sub(1)?;
        self.pages.get(page)?[code % PAGE].checked_sub(1)
    }

    /// Its memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.index) + size_of_val(&*self.pages)
    }
}
