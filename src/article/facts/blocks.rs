//! The blocks of a page: which of its paragraphs are links, or stand between links as the teasers
//! of other stories do.

use std::collections::HashMap;

/// The most words of a teaser in a list of stories, headline included.
const LONGEST_TEASER: u32 = 70;

/// The fewest words of a link that is a headline. Links of menus have fewer.
const SHORTEST_HEADLINE: u32 = 3;

/// A text between two limits of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RawBlock {
    /// Identifies its letters and digits.
    print: u64,
    words: u32,
    link_words: u32,
}

impl RawBlock {
    /// Whether it is a link, but for a word or two around it.
    fn is_link(&self) -> bool {
        self.link_words * 5 >= self.words * 4
    }
}

/// The blocks of a page, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::article) struct RawBlocks(Vec<RawBlock>);

/// How much of a text belongs to a list of stories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::article) struct ListShare {
    /// The words of the text.
    pub(in crate::article) words: u32,
    /// Its words in links and between them.
    pub(in crate::article) in_list: u32,
    /// The number of links and teasers that these are.
    pub(in crate::article) items: usize,
}

impl RawBlocks {
    /// For each block, the number of the teaser or link that it is part of, if it is part of one. A
    /// teaser is all that stands between two links, if it is short.
    fn list_items(&self) -> Vec<Option<usize>> {
        let mut items = Vec::with_capacity(self.0.len());
        for (number, run) in
            self.0.chunk_by(|one, other| !one.is_link() && !other.is_link()).enumerate()
        {
            let is_link = run.iter().all(RawBlock::is_link);
            let words: u32 = run.iter().map(|block| block.words).sum();
            let item = (is_link || words <= LONGEST_TEASER).then_some(number);
            items.extend(run.iter().map(|_| item));
        }
        items
    }

    /// How much of `text`, which was extracted from the page, belongs to lists.
    pub(in crate::article) fn listed(&self, text: &str) -> ListShare {
        let mut places: HashMap<u64, Option<usize>> = HashMap::new();
        for (block, item) in self.0.iter().zip(self.list_items()) {
            // A text that stands in the article, too, is no item.
            let place = places.entry(block.print).or_insert(item);
            *place = place.and(item);
        }
        let (mut listed, mut items) = (ListShare::default(), Vec::new());
        for line in text.lines() {
            let mut block = RawBlockBuilder::default();
            block.push(line, false);
            let Some(block) = block.finish() else { continue };
            listed.words += block.words;
            if let Some(item) = places.get(&block.print).copied().flatten() {
                listed.in_list += block.words;
                items.push(item);
            }
        }
        items.dedup();
        ListShare { items: items.len(), ..listed }
    }

    /// The number of links on the page that are headlines and have a teaser after them.
    pub(in crate::article) fn count_teasers(&self) -> usize {
        let items = self.list_items();
        let pairs = self.0.windows(2).zip(&items[1.min(items.len())..]);
        let is_teaser = |(pair, item): &(&[RawBlock], &Option<usize>)| {
            pair[0].is_link()
                && pair[0].words >= SHORTEST_HEADLINE
                && !pair[1].is_link()
                && pair[1].words >= SHORTEST_HEADLINE
                && item.is_some()
        };
        pairs.filter(is_teaser).count()
    }
}

/// Collects the blocks of a page.
#[derive(Debug, Default)]
pub(super) struct RawBlockCollector {
    blocks: Vec<RawBlock>,
    current: RawBlockBuilder,
}

impl RawBlockCollector {
    /// Adds a text to the current block.
    pub(super) fn push(&mut self, text: &str, is_link: bool) {
        self.current.push(text, is_link);
    }

    /// Ends the current block.
    pub(super) fn end_block(&mut self) {
        self.blocks.extend(std::mem::take(&mut self.current).finish());
    }

    /// All blocks.
    pub(super) fn finish(mut self) -> RawBlocks {
        self.end_block();
        RawBlocks(self.blocks)
    }
}

#[derive(Debug)]
struct RawBlockBuilder {
    print: u64,
    /// Half words: a character of Han or kana is half a word.
    halves: u32,
    link_halves: u32,
    is_in_word: bool,
}

impl Default for RawBlockBuilder {
    fn default() -> Self {
        // FNV-1a with 64 bits.
        Self { print: 0xcbf2_9ce4_8422_2325, halves: 0, link_halves: 0, is_in_word: false }
    }
}

impl RawBlockBuilder {
    fn push(&mut self, text: &str, is_link: bool) {
        for c in text.chars() {
            if !c.is_alphanumeric() {
                self.is_in_word = false;
                continue;
            }
            self.print = (self.print ^ u64::from(u32::from(c))).wrapping_mul(0x100_0000_01b3);
            let is_ideograph = matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
            let halves = if is_ideograph { 1 } else { 2 * u32::from(!self.is_in_word) };
            self.halves = self.halves.saturating_add(halves);
            self.link_halves = self.link_halves.saturating_add(if is_link { halves } else { 0 });
            self.is_in_word = !is_ideograph;
        }
    }

    fn finish(self) -> Option<RawBlock> {
        let words = |halves: u32| halves.div_ceil(2);
        (self.halves > 0).then(|| RawBlock {
            print: self.print,
            words: words(self.halves),
            link_words: words(self.link_halves),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEASER: &str = "Repairs of the northern quay take several weeks, the office said.";

    fn blocks(parts: &[(&str, bool)]) -> RawBlocks {
        let mut blocks = RawBlockCollector::default();
        for (text, is_link) in parts {
            blocks.push(text, *is_link);
            blocks.end_block();
        }
        blocks.finish()
    }

    #[test]
    fn teasers_between_links_are_a_list() {
        let page = blocks(&[
            ("Harbour closes after storm", true),
            (TEASER, false),
            ("Budget passes after debate", true),
            ("The parliament sat all night.", false),
            ("Imprint", true),
        ]);
        let text =
            format!("Harbour closes after storm\n\n{TEASER}\n\nThe parliament sat all night!");
        let listed = page.listed(&text);
        assert_eq!((listed.words, listed.in_list, listed.items), (20, 20, 3));
        assert_eq!(page.count_teasers(), 2);
    }

    #[test]
    fn paragraphs_that_follow_one_another_are_an_article() {
        let long = format!("{TEASER} ").repeat(4);
        let page = blocks(&[
            ("Home", true),
            ("World", true),
            (&long, false),
            (&long.replace("Repairs", "Crews"), false),
            ("Budget passes after debate", true),
            ("The parliament sat all night.", false),
            ("Imprint", true),
        ]);
        let text = format!("{long}\n\n{}", long.replace("Repairs", "Crews"));
        assert_eq!(page.listed(&text).in_list, 0);
        assert_eq!(page.count_teasers(), 1);
    }

    #[test]
    fn what_the_page_does_not_have_is_no_list() {
        let page = blocks(&[("Home", true), (TEASER, false), ("World", true)]);
        assert_eq!(page.listed("Another text.").in_list, 0);
        assert_eq!(RawBlocks::default().listed("Another text.").words, 2);
        assert_eq!(RawBlocks::default().count_teasers(), 0);
    }

    #[test]
    fn a_link_with_a_word_around_it_is_a_link() {
        let mut page = RawBlockCollector::default();
        page.push("More: ", false);
        page.push("Budget passes after a long debate", true);
        assert!(page.finish().0[0].is_link());
    }
}
