//! The truth values of Kleene's three-valued logic.

use serde::Serialize;

/// Whether a clause holds, in Kleene's three-valued logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// It does not hold.
    False,
    /// It is unknown: the story has no date for its age, or its words were not all read.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// The conjunction of `truths`; true if there are none.
    pub(crate) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().min().unwrap_or(Self::True)
    }

    /// The disjunction of `truths`; false if there are none.
    pub(crate) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().max().unwrap_or(Self::False)
    }

    /// Whether at least `least` of `truths` hold. Each counts as many times as its number.
    pub(crate) fn at_least(least: usize, truths: impl IntoIterator<Item = (Self, usize)>) -> Self {
        let (mut sure, mut possible) = (0, 0);
        for (truth, weight) in truths {
            sure += if truth == Self::True { weight } else { 0 };
            possible += if truth == Self::False { 0 } else { weight };
        }
        match least {
            least if sure >= least => Self::True,
            least if possible >= least => Self::Unknown,
            _ => Self::False,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    #[test]
    fn what_is_not_known_stays_so_only_where_it_matters() {
        assert_eq!(Truth::all([True, Unknown]), Unknown);
        assert_eq!(Truth::all([False, Unknown]), False);
        assert_eq!(Truth::any([True, Unknown]), True);
        assert_eq!(Truth::any([False, Unknown]), Unknown);
        assert_eq!(!Unknown, Unknown);
        assert_eq!((Truth::all([]), Truth::any([])), (True, False));
    }

    #[test]
    fn so_many_hold_or_might() {
        assert_eq!(Truth::at_least(2, [(True, 1), (Unknown, 1), (False, 1)]), Unknown);
        assert_eq!(Truth::at_least(2, [(True, 2), (False, 1)]), True);
        assert_eq!(Truth::at_least(3, [(True, 2), (False, 1)]), False);
    }
}
