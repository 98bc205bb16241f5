//! How far groups are: those that hold matches now, and one that is asked for.

use jiff::Timestamp;

use super::known::AlertGroup;
use super::seen::{self, WantedGroup};
use crate::alerts::RuleMatch;
use crate::store::column::{read_json, read_time, to_millis};
use crate::store::db::{self, DbConnection, Sql, SqlList};
use crate::store::dialect::sql;
use crate::store::match_time::MatchTime;
use crate::store::rules::read_conditional_rules;
use crate::store::{AbsentGroup, Archive, StoreError, StoryId, absences};
use tidings_rules::condition::{Condition, Decision, GroupState, SeenMatches, step};
use tidings_rules::story::WatchlistRow;

/// A group that holds matches.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldGroup {
    /// The rule.
    pub rule: String,
    /// The row, of a rule with `each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<WatchlistRow>,
    /// The condition in words.
    pub condition: String,
    /// How far it was met at the last match, in words.
    pub progress: String,
    /// When the last match was recorded.
    pub since: Timestamp,
    /// When the last match leaves the window.
    pub until: Timestamp,
}

/// What groups do at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// Those that hold matches, the last match first.
    pub held: Vec<HeldGroup>,
    /// Those whose absence was told, in the order of their rules.
    pub absent: Vec<ShownAbsence>,
}

/// A group whose absence was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAbsence {
    /// The rule.
    pub rule: String,
    /// The row as it is in force, of a rule with `each`.
    pub row: Option<WatchlistRow>,
    /// The last match. Before the first: when the rule came into force.
    pub last: Timestamp,
    /// Whether there was a match: `last` is its time.
    pub has_matched: bool,
    /// When the absence was told.
    pub told: Timestamp,
}

/// How far the condition of a group is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupProgress {
    /// It is met, and the window has not passed without a match since: matches are told one by one.
    Open,
    /// So far, in words.
    Counted(String),
    /// The keys that `first` looks for, each with its last match.
    Keys {
        /// Those with which a match would be told.
        new: Vec<(String, Option<Timestamp>)>,
        /// The others.
        known: Vec<(String, Option<Timestamp>)>,
    },
}

impl Archive {
    /// The groups of all rules with `absent`, in the order of the rules.
    pub async fn absent_groups(&mut self) -> Result<Vec<AbsentGroup>, StoreError> {
        Ok(absences::read_groups(&mut self.conn).await?)
    }

    /// What the groups of a rule in force do at `now`. `None`: those of all rules in force. A group
    /// that is held for another condition than its rule has now is none of them.
    pub async fn group_status(
        &mut self,
        rule: Option<&str>,
        now: Timestamp,
    ) -> Result<GroupStatus, StoreError> {
        let mut held = read_held_groups(&mut self.conn, rule, now).await?;
        let mut absent = absences::read_groups(&mut self.conn).await?;
        absent.retain(|group| group.told.is_some() && rule.is_none_or(|rule| group.rule == rule));
        let names = held.iter().map(|group| group.rule.as_str());
        let names = names.chain(absent.iter().map(|group| group.rule.as_str())).collect();
        let in_force = read_conditional_rules(&mut self.conn, &names).await?;
        held.retain(|group| {
            let row = group.row.as_ref().map_or("", |row| row.id.as_str());
            in_force
                .get(&group.rule)
                .is_some_and(|one| one.has(row, now) && one.condition == group.condition)
        });
        let told = absent.into_iter().filter_map(|group| {
            let AbsentGroup { rule, dedup_key, last, has_matched, told } = group;
            let of_rule = in_force.get(&rule)?;
            let is_in_force = of_rule.has(&dedup_key, now) && of_rule.is_absent;
            let row = of_rule.row(&dedup_key);
            Some(ShownAbsence { rule, row, last, has_matched, told: told.filter(|_| is_in_force)? })
        });
        let absent = told.collect();
        Ok(GroupStatus { held, absent })
    }

    /// How far the condition of a group is met at `at`. For `first`, `keys` are those of the story
    /// that is asked about.
    pub async fn group_progress(
        &mut self,
        rule: &str,
        dedup_key: &str,
        condition: &Condition,
        keys: Vec<String>,
        at: Timestamp,
    ) -> Result<GroupProgress, StoreError> {
        Ok(read_progress(&mut self.conn, (rule, dedup_key), condition, keys, at).await?)
    }
}

async fn read_progress(
    conn: &mut DbConnection<'_>,
    (rule, dedup_key): (&str, &str),
    condition: &Condition,
    keys: Vec<String>,
    at: Timestamp,
) -> Result<GroupProgress, sqlx::Error> {
    let group = AlertGroup { rule, dedup_key, condition: Some(condition) };
    let time = MatchTime::of_now(at);
    // No story is asked about.
    let mut known = super::read_groups(conn, "", StoryId(0), &[group], time).await?;
    let Some(mut known) = known.pop() else { return Ok(GroupProgress::Open) };
    // What stands in the window is counted, also in an open episode.
    let previous = known.previous.take();
    let wanted = [WantedGroup { place: 0, rule, dedup_key, condition, keys, known: &known }];
    let mut seen = seen::read_seen(conn, &wanted, None, at).await?;
    let Some(seen) = seen.remove(&0) else { return Ok(GroupProgress::Open) };
    if let SeenMatches::Keys(keys) = seen {
        let (new, known) = keys.into_iter().partition(|key| {
            let seen = SeenMatches::Keys(vec![key.clone()]);
            step(condition, GroupState { previous, seen }, at).is_told()
        });
        return Ok(GroupProgress::Keys { new, known });
    }
    Ok(match step(condition, GroupState { previous, seen }, at) {
        Decision::Told => GroupProgress::Open,
        Decision::Held(progress) | Decision::Fired(progress) => {
            GroupProgress::Counted(progress.to_string())
        }
    })
}

/// The rules with matches that count for a condition. The index is read once for each rule.
const COUNTING_RULES: &str = "WITH RECURSIVE step (rule) AS (
         SELECT min(rule) FROM alert WHERE counted_at IS NOT NULL
         UNION ALL
         SELECT (SELECT min(alert.rule) FROM alert WHERE alert.rule > step.rule AND counted_at IS NOT NULL)
         FROM step WHERE step.rule IS NOT NULL)
     SELECT rule FROM step WHERE rule IS NOT NULL";

/// The last match of each group of some rules that counts now, if it is held. The index is read
/// once for each group, however many matches it has.
const LAST_HELD: Sql = sql!(
    "WITH RECURSIVE step (rule, dedup_key) AS (
         SELECT given.value, (SELECT min(dedup_key) FROM alert WHERE alert.rule = given.value AND counted_at IS NOT NULL)
         FROM ",
    text_list!("$1"),
    " AS given
         UNION ALL
         SELECT step.rule, (SELECT min(alert.dedup_key) FROM alert WHERE alert.rule = step.rule
             AND alert.dedup_key > step.dedup_key AND counted_at IS NOT NULL)
         FROM step WHERE step.dedup_key IS NOT NULL)
     SELECT last.rule_match, last.created FROM step JOIN alert AS last ON last.id =
         (SELECT counted.id FROM alert AS counted WHERE counted.rule = step.rule AND counted.dedup_key = step.dedup_key
              AND counted.counted_at <= $2 ORDER BY counted.counted_at DESC, counted.id DESC LIMIT 1)
     WHERE last.held AND last.purged IS NULL ORDER BY last.id DESC"
);

/// The groups of a rule, or of all, that hold matches at `now`, the last match first.
async fn read_held_groups(
    conn: &mut DbConnection<'_>,
    rule: Option<&str>,
    now: Timestamp,
) -> Result<Vec<HeldGroup>, sqlx::Error> {
    let rules = match rule {
        Some(rule) => vec![rule.to_owned()],
        None => db::query_scalar(COUNTING_RULES).fetch_all(&mut *conn).await?,
    };
    let last = db::query(LAST_HELD).bind(SqlList::new(&rules)?).bind(to_millis(now));
    let rows = last.fetch_all(conn).await?;
    let mut groups = Vec::new();
    for row in &rows {
        let (found, since): (RuleMatch, _) =
            (read_json(row, "rule_match")?, read_time(row, "created")?);
        let Some(state) = found.condition else { continue };
        let Some((progress, until)) = state.progress.zip(state.counts_until) else { continue };
        if until > now {
            let (rule, row, condition) = (found.rule, found.row, state.condition);
            groups.push(HeldGroup { rule, row, condition, progress, since, until });
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{by, conditional, in_row, matching, publishers};
    use super::*;
    use crate::alerts::NewAlert;
    use crate::store::fixture::{Bench, at_second};
    use crate::store::{ConditionalGroups, NewRuleSet};
    use std::collections::BTreeMap;
    use std::time::Duration;
    use tidings_rules::condition::{Absent, FirstKey};

    const HOUR: Duration = Duration::from_hours(1);

    /// The rules and rows that hold matches at this second, with how far they are.
    async fn held(bench: &Bench, rule: Option<&str>, now: i64) -> Vec<String> {
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let status = archive.group_status(rule, at_second(now)).await.unwrap();
        let shown = status.held.into_iter().map(|group| {
            let row = group.row.map_or_else(String::new, |row| format!(" {}", row.id));
            format!("{}{row}: {}", group.rule, group.progress)
        });
        shown.collect()
    }

    /// Puts rules in force, each with its condition and its rows.
    async fn put_in_force(bench: &Bench, rules: &[(&str, &Condition, &[&str])]) {
        let rule = |(name, condition, rows): &(&str, &Condition, &[&str])| {
            let rows = rows.iter().map(|row| (*row).to_owned());
            let groups = ConditionalGroups {
                condition: condition.to_string(),
                is_absent: matches!(condition, Condition::Absent(_)),
                rows: (rows.len() > 0).then(|| rows.map(|id| (id.clone(), id)).collect()),
                until: name.starts_with("old").then(|| at_second(50)),
            };
            ((*name).to_owned(), groups)
        };
        let conditional: BTreeMap<_, _> = rules.iter().map(rule).collect();
        let new = NewRuleSet { conditional, ..NewRuleSet::default() };
        bench.store.replace_rule_set(0, new, at_second(0)).await.unwrap();
    }

    #[tokio::test]
    async fn groups_of_rules_that_are_not_in_force_are_not_listed() {
        let bench = Bench::new().await;
        let two = publishers(2, HOUR);
        let matched = || {
            matching(vec![
                conditional("blast", two.clone()),
                conditional("gone", two.clone()),
                conditional("old", two.clone()),
                conditional("edited", two.clone()),
                in_row("1", conditional("rows", two.clone())),
                in_row("2", conditional("rows", two.clone())),
            ])
        };
        bench.poll("wire", 0, vec![by("afp", "a", matched())]).await;
        let days = tidings_rules::story::delivery::Day::all();
        let absent = Condition::Absent(Absent { longest: HOUR, hours: None, days });
        let names = ["silent", "silent and gone"].map(str::to_owned).to_vec();
        bench.store.watch_absences(names, Vec::new(), at_second(0)).await.unwrap();
        let told = "UPDATE absence SET told = 1000000060000";
        bench
            .store
            .writer
            .write(move |conn| Box::pin(crate::store::column::execute(conn, told, &[])))
            .await
            .unwrap();

        let three = publishers(3, HOUR);
        put_in_force(
            &bench,
            &[
                ("blast", &two, &[]),
                ("old", &two, &[]),
                ("edited", &three, &[]),
                ("rows", &two, &["2", "3"]),
                ("silent", &absent, &[]),
            ],
        )
        .await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let status = archive.group_status(None, at_second(60)).await.unwrap();
        let row = |group: &HeldGroup| group.row.as_ref().map(|row| row.id.clone());
        let listed: Vec<_> = status.held.iter().map(|one| (one.rule.as_str(), row(one))).collect();
        assert_eq!(listed, [("rows", Some("2".to_owned())), ("blast", None)]);
        let absent: Vec<&str> = status.absent.iter().map(|group| group.rule.as_str()).collect();
        assert_eq!(absent, ["silent"]);
    }

    #[tokio::test]
    async fn every_group_that_holds_matches_is_found_among_many_matches() {
        let bench = Bench::new().await;
        let blast = || conditional("blast", publishers(3, HOUR));
        let row = |id: &str| in_row(id, conditional("rows", publishers(2, HOUR)));
        let quakes = || conditional("quakes", Condition::Events { least: 2, within: HOUR });
        let early = vec![
            by("afp", "a", matching(vec![blast(), row("1"), quakes()])),
            by("afp", "b", matching(vec![row("2"), quakes()])),
        ];
        bench.poll("wire", 0, early).await;
        let first = Condition::First { key: FirstKey::Tag, within: HOUR };
        let known = || NewAlert { keys: vec!["x".to_owned()], ..conditional("new", first.clone()) };
        let many = (0..600).map(|one| by("afp", &one.to_string(), matching(vec![known()])));
        bench.poll("wire", 60, many.collect()).await;

        put_in_force(
            &bench,
            &[
                ("blast", &publishers(3, HOUR), &[]),
                ("rows", &publishers(2, HOUR), &["1", "2"]),
                ("quakes", &Condition::Events { least: 2, within: HOUR }, &[]),
                ("new", &first, &[]),
            ],
        )
        .await;
        let rows = ["rows 2: 1 of 2 publishers: afp", "rows 1: 1 of 2 publishers: afp"];
        let blast = "blast: 1 of 3 publishers: afp";
        assert_eq!(held(&bench, None, 61).await, [rows[0], rows[1], blast]);
        assert_eq!(held(&bench, Some("rows"), 61).await, rows);
        assert_eq!(held(&bench, Some("new"), 61).await, [""; 0]);
        assert_eq!(held(&bench, Some("quakes"), 61).await, [""; 0], "it fired");
        assert_eq!(held(&bench, None, 3600).await, [""; 0], "the window is over");
    }

    #[tokio::test]
    async fn a_match_in_the_future_hides_no_match_that_counts_now() {
        let bench = Bench::new().await;
        let blast = |publisher: &str, key: &str| {
            by(publisher, key, matching(vec![conditional("blast", publishers(3, HOUR))]))
        };
        put_in_force(&bench, &[("blast", &publishers(3, HOUR), &[])]).await;
        bench.poll("wire", 7200, vec![blast("afp", "a")]).await;
        // The clock is set back.
        bench.poll("wire", 600, vec![blast("bbc", "b")]).await;
        assert_eq!(held(&bench, None, 660).await, ["blast: 1 of 3 publishers: bbc"]);
        assert_eq!(held(&bench, None, 7260).await, ["blast: 1 of 3 publishers: afp"]);
    }

    #[tokio::test]
    async fn a_key_is_new_or_known_since_its_last_match() {
        let bench = Bench::new().await;
        let condition = Condition::First { key: FirstKey::Tag, within: HOUR };
        let alert =
            NewAlert { keys: vec!["x".to_owned()], ..conditional("new", condition.clone()) };
        bench.poll("wire", 60, vec![by("afp", "a", matching(vec![alert]))]).await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let (x, y) = (("x".to_owned(), Some(at_second(60))), ("y".to_owned(), None));
        for (second, new, known) in
            [(3660, vec![y.clone()], vec![x.clone()]), (3661, vec![x.clone(), y.clone()], vec![])]
        {
            let keys = vec![x.0.clone(), y.0.clone()];
            let asked = archive.group_progress("new", "", &condition, keys, at_second(second));
            assert_eq!(asked.await.unwrap(), GroupProgress::Keys { new, known });
        }
    }
}
