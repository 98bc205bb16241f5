//! Numbers with what they count.

use crate::store::Holdings;

/// A number and what it counts: `1 rule`, `2 rules`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What a store holds: `3 stories, 2 alerts, 1 message to send`.
pub(super) fn count_holdings(holdings: &Holdings) -> String {
    let count = |number: i64, one, many| count(usize::try_from(number).unwrap_or(0), one, many);
    let Holdings { stories, alerts, waiting, .. } = *holdings;
    format!(
        "{}, {}, {} to send",
        count(stories, "story", "stories"),
        count(alerts, "alert", "alerts"),
        count(waiting, "message", "messages"),
    )
}
