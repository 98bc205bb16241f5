//! The numbers of a chart of days, which a template draws as SVG.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::store::UtcDay;

/// The height of the highest bar, in pixels.
const HEIGHT: u64 = 48;

/// A bar of a chart.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Bar {
    /// The day, as in 2026-11-24.
    day: String,
    count: u32,
    /// In pixels. A count above zero has at least one.
    height: u64,
}

/// The bars of the last `days` days until `today`, one for each day.
pub(super) fn bars(counts: &BTreeMap<UtcDay, u32>, today: UtcDay, days: i64) -> Vec<Bar> {
    let shown = (0..days).rev().map(|days| today.minus(days));
    let counted: Vec<_> =
        shown.map(|day| (day, counts.get(&day).copied().unwrap_or_default())).collect();
    let most = counted.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    let bar = |(day, count): (UtcDay, u32)| Bar {
        day: day.start().strftime("%Y-%m-%d").to_string(),
        count,
        height: (u64::from(count) * HEIGHT).div_ceil(most.into()),
    };
    counted.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn each_day_has_a_bar_and_the_highest_is_full() {
        let today = UtcDay::of("2026-11-24T10:00:00Z".parse::<Timestamp>().unwrap());
        let counts = BTreeMap::from([(today, 4), (today.minus(2), 1), (today.minus(9), 7)]);
        let bars = bars(&counts, today, 3);
        let bar = |day: &str, count, height| Bar { day: day.to_owned(), count, height };
        assert_eq!(
            bars,
            [bar("2026-11-22", 1, 12), bar("2026-11-23", 0, 0), bar("2026-11-24", 4, 48)]
        );
        assert_eq!(super::bars(&BTreeMap::new(), today, 1), [bar("2026-11-24", 0, 0)]);
    }
}
