//! The hygiene of rules: how often each matches, and which need a look of their owner.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::later;
use crate::store::{Archive, RuleActivity, StoreError, UtcDay};
use tidings_rules::{Carrier, Rule};

/// The time without a match after which a rule is stale, if no other is named.
pub const STALE: Duration = Duration::from_hours(30 * 24);

/// The days before its last day in which a rule expires soon.
const SOON: i64 = 14;

/// Why a rule needs a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMark {
    /// It has had its text for long, and has not matched for as long.
    Stale,
    /// Its last day is today or within two weeks.
    ExpiresSoon,
    /// Its last day is over: it matches nothing.
    Expired,
    /// Nobody is named as its owner.
    NoOwner,
}

impl RuleMark {
    /// The mark for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::ExpiresSoon => "expires soon",
            Self::Expired => "expired",
            Self::NoOwner => "no owner",
        }
    }
}

/// A rule with its matches and its marks.
#[derive(Debug)]
pub struct RuleHygiene<'r> {
    /// The rule. A rule with `each` counts once.
    pub rule: &'r Rule,
    /// Its matches.
    pub activity: RuleActivity,
    /// Its marks, in their order.
    pub marks: Vec<RuleMark>,
}

impl<'r> RuleHygiene<'r> {
    /// The hygiene at `now`. It is stale after the time `stale`. A rule whose present text was
    /// first in force later, or never was, is not.
    #[must_use]
    pub fn new(rule: &'r Rule, activity: RuleActivity, stale: Duration, now: Timestamp) -> Self {
        let today = now.to_zoned_datetime(TimeZone::UTC).date();
        let settings = &rule.settings;
        let expiry = settings.expires.and_then(|last| expiry_mark(last, today));
        let is_past = |at: Option<Timestamp>| at.is_some_and(|at| later(at, stale) <= now);
        let is_stale = is_past(activity.in_force_since)
            && (activity.last_alert.is_none() || is_past(activity.last_alert));
        // A rule that is over is not expected to match.
        let stale = (is_stale && expiry != Some(RuleMark::Expired)).then_some(RuleMark::Stale);
        let no_owner = settings.owner.is_none().then_some(RuleMark::NoOwner);
        Self { rule, activity, marks: [stale, expiry, no_owner].into_iter().flatten().collect() }
    }

    /// The rule as an object. `feeds` are those of the configuration.
    #[must_use]
    pub fn to_json(&self, feeds: &[Carrier]) -> Value {
        let settings = &self.rule.settings;
        json!({
            "rule": self.rule.name(), "severity": settings.severity, "tags": settings.tags,
            "why": settings.why, "owner": settings.owner,
            "expires": settings.expires.map(|day| day.to_string()),
            "feed_count": feeds.iter().filter(|feed| settings.accepts_feed(feed)).count(),
            "alerts_7d": self.activity.alerts_7d, "alerts_30d": self.activity.alerts_30d,
            "held_30d": self.activity.held_30d, "last_alert": self.activity.last_alert, "marks": self.marks,
        })
    }
}

/// The hygiene of these rules at `now`, in their order. No name may stand twice.
pub async fn examine_rules<'r>(
    rules: impl Iterator<Item = &'r Rule>,
    archive: &mut Archive,
    stale: Duration,
    now: Timestamp,
) -> Result<Vec<RuleHygiene<'r>>, StoreError> {
    let shown: Vec<&Rule> = rules.collect();
    let versions = shown.iter().map(|rule| (rule.name().to_owned(), rule.version())).collect();
    let mut activity = archive.rule_activity(&versions, UtcDay::of(now)).await?;
    let examined = shown.into_iter().map(|rule| {
        let activity = activity.remove(rule.name()).unwrap_or_default();
        RuleHygiene::new(rule, activity, stale, now)
    });
    Ok(examined.collect())
}

fn expiry_mark(last: Date, today: Date) -> Option<RuleMark> {
    if last < today {
        return Some(RuleMark::Expired);
    }
    let soon = today.saturating_add(SOON.days());
    (last <= soon).then_some(RuleMark::ExpiresSoon)
}

#[cfg(test)]
mod tests {
    use tidings_rules::Rules;
    use tidings_rules::fault::Source;

    use super::*;

    const NOW: &str = "2026-11-24T09:00:00Z";

    fn marks(keys: &str, in_force_since: Option<&str>, last_alert: Option<&str>) -> Vec<RuleMark> {
        let text = format!("rules:\n  - {{name: arms, when: arms{keys}}}\n");
        let source = Source { name: "arms.yaml".to_owned(), text };
        let texts = tidings_rules::RuleTexts { rules: vec![source.into()], tables: Vec::new() };
        let rules = Rules::load(&texts, None, &mut Vec::new()).expect("a rule");
        let at = |text: &str| text.parse().expect("a time");
        let activity = RuleActivity {
            in_force_since: in_force_since.map(at),
            last_alert: last_alert.map(at),
            ..RuleActivity::default()
        };
        let rule = rules.iter().next().expect("one");
        RuleHygiene::new(rule, activity, STALE, at(NOW)).marks
    }

    #[test]
    fn a_rule_is_stale_if_it_was_long_in_force_and_has_not_matched_as_long() {
        let (long_ago, lately) = (Some("2026-10-25T09:00:00Z"), Some("2026-10-25T09:00:00.001Z"));
        for (since, last, is_stale) in [
            (long_ago, None, true),
            (long_ago, long_ago, true),
            (long_ago, lately, false),
            (lately, long_ago, false),
            (lately, None, false),
            (None, None, false),
        ] {
            let expected = if is_stale { vec![RuleMark::Stale] } else { vec![] };
            assert_eq!(marks(", owner: ana", since, last), expected, "{since:?} {last:?}");
        }
    }

    #[test]
    fn the_last_day_and_a_missing_owner_are_marked() {
        let long_ago = Some("2026-01-01T00:00:00Z");
        for (keys, expected) in [
            (", owner: ana, expires: 2026-12-09", vec![RuleMark::Stale]),
            (", owner: ana, expires: 2026-12-08", vec![RuleMark::Stale, RuleMark::ExpiresSoon]),
            (", owner: ana, expires: 2026-11-24", vec![RuleMark::Stale, RuleMark::ExpiresSoon]),
            (", owner: ana, expires: 2026-11-23", vec![RuleMark::Expired]),
            ("", vec![RuleMark::Stale, RuleMark::NoOwner]),
        ] {
            assert_eq!(marks(keys, long_ago, None), expected, "{keys}");
        }
    }
}
