//! Two operands and how they must stand to one another: NEAR, ONEAR, EXCEPT.

use super::operand::Operand;

/// Words between two operands of NEAR, at most.
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

    /// The operator that a run writes. Its number may be too great.
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
