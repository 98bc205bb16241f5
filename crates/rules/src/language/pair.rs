//! Pairs of operands with a required position to each other: NEAR, ONEAR, EXCEPT.

use super::operand::Operand;

/// The most words between two operands of NEAR.
pub(crate) const FARTHEST: usize = 1000;

/// Two operands and their required position to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) left: Operand,
    pub(crate) link: Proximity,
    pub(crate) right: Operand,
}

/// The required position of two occurrences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Proximity {
    /// At most this many words between them, in any order, in one paragraph, without overlap.
    Near(usize),
    /// The same as `Near`, with the left occurrence first.
    Onear(usize),
    /// The left occurrence overlaps no right occurrence.
    Except,
}

impl Proximity {
    /// The operator in expressions.
    pub(crate) fn written(self) -> String {
        match self {
            Self::Near(most) => format!("NEAR/{most}"),
            Self::Onear(most) => format!("ONEAR/{most}"),
            Self::Except => "EXCEPT".to_owned(),
        }
    }

    /// The operator of a run. Its number may be too large.
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
