//! Finds the occurrences of operands and pairs in a story, for the plain evaluator.

use crate::engine::tokenized_story::{StoryView, TokenSpan, TokenizedStory};
use crate::language::operand::Operand;
use crate::language::pair::{Pair, Proximity};
use crate::language::term::Term;

/// A term and its place.
pub(crate) type Occurrence<'t> = (&'t Term, TokenSpan);

impl Operand {
    /// The occurrences of its terms in `view`, sorted by text and first word.
    pub(crate) fn occurrences<'t>(
        &'t self,
        tokenized: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Vec<Occurrence<'t>> {
        let mut found: Vec<Occurrence<'t>> = Vec::new();
        for term in self.terms() {
            found.extend(tokenized.occurrences(term, view).map(|token_span| (term, token_span)));
        }
        found.sort_by_key(|(_, token_span)| (token_span.text, token_span.tokens.start));
        found
    }

    /// The largest set of occurrences in `view` that do not overlap, in order.
    pub(crate) fn places<'t>(
        &'t self,
        tokenized: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Vec<Occurrence<'t>> {
        let mut found = self.occurrences(tokenized, view);
        found.sort_by_key(|(_, token_span)| (token_span.text, token_span.tokens.end));
        let mut places: Vec<Occurrence<'t>> = Vec::new();
        for occurrence in found {
            if places.last().is_none_or(|(_, last)| !last.overlaps(&occurrence.1)) {
                places.push(occurrence);
            }
        }
        places
    }
}

impl Pair {
    /// The first place in `view` where it holds: a term of each operand, or only the left one for
    /// EXCEPT.
    pub(crate) fn find(
        &self,
        tokenized: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Option<Vec<Occurrence<'_>>> {
        let right = self.right.occurrences(tokenized, view);
        self.left.occurrences(tokenized, view).into_iter().find_map(|left| {
            let around = self.around(&left.1, &right);
            if self.link == Proximity::Except {
                let is_outside = !around.iter().any(|(_, right)| left.1.overlaps(right));
                return is_outside.then(|| vec![left]);
            }
            let other = around
                .iter()
                .find(|(_, right)| self.link.joins(&left.1, right, tokenized))?
                .clone();
            Some(vec![left, other])
        })
    }

    /// The occurrences of `right` that are near enough to `left`, in order.
    fn around<'r, 't>(
        &self,
        left: &TokenSpan,
        right: &'r [Occurrence<'t>],
    ) -> &'r [Occurrence<'t>] {
        let reach = match self.link {
            Proximity::Near(most) | Proximity::Onear(most) => most,
            Proximity::Except => 0,
        };
        let first = (left.text, left.tokens.start.saturating_sub(reach + self.right.longest()));
        let last = (left.text, left.tokens.end + reach);
        let at = |found: &Occurrence<'_>| (found.1.text, found.1.tokens.start);
        let from = right.partition_point(|found| at(found) < first);
        &right[from..right.partition_point(|found| at(found) <= last)]
    }
}

impl Proximity {
    fn joins(self, left: &TokenSpan, right: &TokenSpan, tokenized: &TokenizedStory<'_>) -> bool {
        let (Self::Near(most) | Self::Onear(most)) = self else { return false };
        let in_order = left.tokens.start < right.tokens.start;
        let (first, second) = if in_order { (left, right) } else { (right, left) };
        (in_order || matches!(self, Self::Near(_)))
            && !left.overlaps(right)
            && second.tokens.start - first.tokens.end <= most
            && tokenized.share_paragraph(left, right)
    }
}
