//! Decides since when the events of groups with a `spike` are counted. Pure.
//!
//! A baseline that lacks events makes the usual rate too low, and a spike of what is usual. So a
//! group learns anew when no rule in force had it for a while.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::store::CountedGroup;
use tidings_rules::Rules;
use tidings_rules::condition::Condition;

/// What changes for the groups in `stored` when `rules` come into force at `now`. The backfill of
/// the rules in `backfilled` is done: it adds nothing to a group that is new.
pub(super) fn changed_groups(
    rules: &Rules,
    stored: Vec<CountedGroup>,
    backfilled: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<CountedGroup> {
    let mut stored: HashMap<(String, String), CountedGroup> = stored
        .into_iter()
        .map(|group| ((group.rule.clone(), group.dedup_key.clone()), group))
        .collect();
    let mut changed = Vec::new();
    for rule in rules.iter() {
        let Some(Condition::Spike(spike)) = &rule.settings.condition else { continue };
        let key =
            (rule.name().to_owned(), rule.row().map_or_else(String::new, |row| row.id.clone()));
        if let Some(group) = stored.remove(&key) {
            changed.extend(came_into_force(group, spike.within, now));
            continue;
        }
        let reach = rule.settings.backfill.filter(|_| !backfilled.contains(&key.0));
        let since = now.checked_sub(reach.unwrap_or_default()).unwrap_or(now);
        changed.push(CountedGroup { rule: key.0, dedup_key: key.1, since, gone: None });
    }
    let left = stored.into_values().filter(|group| group.gone.is_none());
    changed.extend(left.map(|group| CountedGroup { gone: Some(now), ..group }));
    changed
}

/// What changes for a group that a rule in force has. It was gone for no longer than the window:
/// its baseline stands. Times in the future are of a clock that was ahead.
fn came_into_force(group: CountedGroup, within: Duration, now: Timestamp) -> Option<CountedGroup> {
    let is_short = |gone: Timestamp| {
        let was_gone = now.duration_since(gone);
        was_gone <= SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
    };
    let is_known = group.since <= now && group.gone.is_none_or(is_short);
    let since = if is_known { group.since } else { now };
    (group.gone.is_some() || !is_known).then_some(CountedGroup { since, gone: None, ..group })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;
    use tidings_rules::fault::Source;
    use tidings_rules::{RuleTexts, Table};

    const SPIKE: &str = "when: kelvaun, tell: {spike: 5, within: 2h, against: 14d}";

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    fn load(yaml: &str, rows: &str) -> Rules {
        let source = |name: &str, text: &str| {
            Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
        };
        let table = Table { source: source("rows.csv", rows), unreadable: None };
        let texts = RuleTexts { rules: vec![source("a.yaml", yaml)], tables: vec![table] };
        let mut faults = Vec::new();
        Rules::load(&texts, None, &mut faults).unwrap_or_else(|| panic!("{faults:?}"))
    }

    fn group(dedup_key: &str, since: i64, gone: Option<i64>) -> CountedGroup {
        CountedGroup {
            rule: "Interest".to_owned(),
            dedup_key: dedup_key.to_owned(),
            since: at(since),
            gone: gone.map(at),
        }
    }

    const NONE: &[(i64, Option<i64>)] = &[];

    #[rstest]
    #[case::a_new_rule(SPIKE, NONE, &[(600, None)])]
    #[case::a_backfill_knows_the_time_before("backfill: 5h, ", NONE, &[(300, None)])]
    #[case::a_known_rule(SPIKE, &[(7, None)], NONE)]
    #[case::back_within_the_window(SPIKE, &[(7, Some(480))], &[(7, None)])]
    #[case::back_after_the_window(SPIKE, &[(7, Some(479))], &[(600, None)])]
    #[case::a_clock_that_was_ahead(SPIKE, &[(601, None)], &[(600, None)])]
    #[case::another_condition("tell: {events: 5, within: 2h}, when: kelvaun", &[(7, None)], &[(7, Some(600))])]
    #[case::still_gone("enabled: false, ", &[(7, Some(8))], NONE)]
    fn a_group_learns_anew_that_was_gone_for_longer_than_its_window(
        #[case] keys: &str,
        #[case] stored: &[(i64, Option<i64>)],
        #[case] expected: &[(i64, Option<i64>)],
    ) {
        let keys = if keys.ends_with(' ') { format!("{keys}{SPIKE}") } else { keys.to_owned() };
        let rules = load(&format!("rules:\n  - {{name: Interest, {keys}}}\n"), "");
        let groups = |all: &[(i64, Option<i64>)]| -> Vec<CountedGroup> {
            all.iter().map(|(since, gone)| group("", *since, *gone)).collect()
        };
        let changed = changed_groups(&rules, groups(stored), &BTreeSet::new(), at(600));
        assert_eq!(changed, groups(expected));
    }

    #[test]
    fn a_rule_whose_backfill_is_done_learns_from_now_on() {
        let rules = load(&format!("rules:\n  - {{name: Interest, backfill: 5h, {SPIKE}}}\n"), "");
        let done = BTreeSet::from(["Interest".to_owned()]);
        assert_eq!(changed_groups(&rules, Vec::new(), &done, at(600)), [group("", 600, None)]);
    }

    #[test]
    fn each_row_learns_by_itself() {
        let yaml = format!(
            "terms:\n  rows: {{from: rows.csv, term: name, id: id}}\nrules:\n  \
             - {{name: Interest, each: rows, {}}}\n",
            SPIKE.replace("kelvaun", "$rows")
        );
        let rules = load(&yaml, "id,name\n1,Quorvane\n3,Blixtar\n");
        let stored = vec![group("1", 7, None), group("2", 7, None)];
        let changed = changed_groups(&rules, stored, &BTreeSet::new(), at(600));
        assert_eq!(changed, [group("3", 600, None), group("2", 7, Some(600))]);
    }
}
