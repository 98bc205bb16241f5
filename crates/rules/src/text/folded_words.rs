//! Finds the words of any run of characters: folds the run, and splits the result.

use std::ops::Range;

use super::fold::Folded;
use super::split;

/// Memory for the words of one run at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct FoldedWords {
    folded: Folded,
    words: Vec<Range<usize>>,
}

impl FoldedWords {
    /// The words of `written`, which has no white space and begins at byte `at`: each in its folded
    /// form, with its bytes in the text.
    pub(super) fn find(
        &mut self,
        written: &str,
        at: usize,
    ) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.folded.fold(written);
        split::split(&self.folded.text, &mut self.words);
        let Self { folded, words } = &*self;
        words.iter().map(move |word| {
            let origin = folded.origin(&split::shown(&folded.text, word));
            (&folded.text[word.clone()], at + origin.start..at + origin.end)
        })
    }
}
