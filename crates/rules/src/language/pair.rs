//! Two operands and how they must stand to one another: NEAR, ONEAR, EXCEPT.

use super::operand::{Occurrence, Operand};
use crate::engine::tokenized_story::{StoryView, TokenSpan, TokenizedStory};

/// Words between two operands of NEAR, at most: who wants more wants AND.
pub(crate) const FARTHEST: usize = 1000;

/// Two operands and how they must stand to one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) left: Operand,
    pub(crate) link: Proximity,
    pub(crate) right: Operand,
}

/// How two occurrences must stand to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Proximity {
    /// At most that many words between them, in either order, in one paragraph, not overlapping.
    Near(usize),
    /// The same, the left one first.
    Onear(usize),
    /// The left one overlaps no right one.
    Except,
}

impl Proximity {
    /// How expressions write it.
    pub(crate) fn written(self) -> String {
        match self {
            Self::Near(most) => format!("NEAR/{most}"),
            Self::Onear(most) => format!("ONEAR/{most}"),
            Self::Except => "EXCEPT".to_owned(),
        }
    }

    /// The operator that a run writes; the number in it may be too great to be one.
    pub(crate) fn parse(run: &str) -> Option<Self> {
        let number = |prefix| {
            let digits: &str = run.strip_prefix(prefix)?;
            let is_number = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
            is_number.then(|| digits.parse().unwrap_or(usize::MAX))
        };
        let except = || (run == "EXCEPT").then_some(Self::Except);
        number("NEAR/")
            .map(Self::Near)
            .or_else(|| number("ONEAR/").map(Self::Onear))
            .or_else(except)
    }
}

impl Pair {
    /// The first place in `view` where it holds: a term of each operand, or of the left alone for
    /// EXCEPT.
    pub(crate) fn find(
        &self,
        page: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Option<Vec<Occurrence<'_>>> {
        let right = self.right.occurrences(page, view);
        self.left.occurrences(page, view).into_iter().find_map(|left| {
            let around = self.around(&left.1, &right);
            if self.link == Proximity::Except {
                let is_outside = !around.iter().any(|(_, right)| left.1.overlaps(right));
                return is_outside.then(|| vec![left]);
            }
            let other =
                around.iter().find(|(_, right)| self.link.joins(&left.1, right, page))?.clone();
            Some(vec![left, other])
        })
    }

    /// Those of `right`, in order, that are near enough to `left` to matter.
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
    fn joins(self, left: &TokenSpan, right: &TokenSpan, page: &TokenizedStory<'_>) -> bool {
        let (Self::Near(most) | Self::Onear(most)) = self else { return false };
        let in_order = left.tokens.start < right.tokens.start;
        let (first, second) = if in_order { (left, right) } else { (right, left) };
        (in_order || matches!(self, Self::Near(_)))
            && !left.overlaps(right)
            && second.tokens.start - first.tokens.end <= most
            && page.share_paragraph(left, right)
    }
}
