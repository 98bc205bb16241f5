//! Comparisons of a story's length or age with a number: `words >= 100`, `age < 2d`.

use std::time::Duration;

use crate::language::truth::Truth;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    /// The number of words of headline and text.
    Words(Sign, u32),
    /// The time from publication to first seen, in seconds.
    Age(Sign, u64),
}

/// The compared property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The number of words of headline and text.
    Words,
    /// The time from publication to first seen.
    Age,
}

/// The operator of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sign {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `<`
    Less,
}

impl Measure {
    /// Every property that can be compared.
    pub(crate) const ALL: [Self; 2] = [Self::Words, Self::Age];

    /// The name in expressions.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Age => "age",
        }
    }
}

impl Sign {
    /// Every sign. A sign comes before the signs that it begins with.
    pub(crate) const ALL: [Self; 4] = [Self::AtLeast, Self::AtMost, Self::More, Self::Less];

    /// The sign in expressions.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::Less => "<",
        }
    }

    fn holds<N: PartialOrd + Copy>(self, found: N, wanted: N) -> bool {
        match self {
            Self::AtLeast => found >= wanted,
            Self::AtMost => found <= wanted,
            Self::More => found > wanted,
            Self::Less => found < wanted,
        }
    }
}

impl Comparison {
    /// Parses `measure sign value`. The value of an age is a duration of whole seconds (`36h`), and
    /// of words a number. `None` for any other value.
    pub(crate) fn parse(measure: Measure, sign: Sign, value: &str) -> Option<Self> {
        match measure {
            Measure::Words => value.parse().ok().map(|words| Self::Words(sign, words)),
            Measure::Age => {
                let age: Duration = humantime::parse_duration(value).ok()?;
                (age.subsec_nanos() == 0).then_some(Self::Age(sign, age.as_secs()))
            }
        }
    }

    /// The compared property.
    pub(crate) fn measure(self) -> Measure {
        match self {
            Self::Words(..) => Measure::Words,
            Self::Age(..) => Measure::Age,
        }
    }

    /// The comparison as an expression.
    pub(crate) fn written(self) -> String {
        let (sign, value) = match self {
            Self::Words(sign, words) => (sign, words.to_string()),
            Self::Age(sign, seconds) => (sign, span_of_time(seconds)),
        };
        format!("{} {} {value}", self.measure().as_str(), sign.as_str())
    }

    /// Whether it holds for a story with this number of words and this age in seconds.
    pub(crate) fn truth(self, words: Option<usize>, age: Option<i64>) -> Truth {
        let held = match self {
            Self::Words(sign, wanted) => words.map(|words| sign.holds(words, wanted as usize)),
            Self::Age(sign, wanted) => {
                age.map(|age| sign.holds(i128::from(age), i128::from(wanted)))
            }
        };
        held.map_or(Truth::Unknown, Truth::from)
    }
}

/// `seconds` in the largest unit in which they are a whole number: `36h`.
pub(crate) fn span_of_time(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let unit =
        units.into_iter().find(|(length, _)| seconds != 0 && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, 's'));
    format!("{}{name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_written_as_they_are_read() {
        for (written, canonical) in [
            ("2d", "2d"),
            ("48h", "2d"),
            ("36h", "36h"),
            ("90m", "90m"),
            ("1w", "7d"),
            ("0s", "0s"),
            ("61s", "61s"),
        ] {
            let age = Comparison::parse(Measure::Age, Sign::Less, written).expect("a duration");
            assert_eq!(age.written(), format!("age < {canonical}"));
            assert_eq!(Comparison::parse(Measure::Age, Sign::Less, canonical), Some(age));
        }
        for nonsense in ["", "2", "2x", "-1d", "10ms"] {
            assert_eq!(Comparison::parse(Measure::Age, Sign::Less, nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn numbers_are_compared_as_their_sign_says() {
        let held = |sign| {
            [1, 2, 3]
                .map(|words| Comparison::Words(sign, 2).truth(Some(words), None) == Truth::True)
        };
        assert_eq!(held(Sign::AtLeast), [false, true, true]);
        assert_eq!(held(Sign::AtMost), [true, true, false]);
        assert_eq!(held(Sign::More), [false, false, true]);
        assert_eq!(held(Sign::Less), [true, false, false]);
        assert_eq!(Comparison::Age(Sign::Less, 60).truth(None, Some(-5)), Truth::True);
        assert_eq!(Comparison::Age(Sign::Less, 60).truth(None, None), Truth::Unknown);
    }
}
