//! How far groups are: those that hold matches now, and one that is asked for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::known::AlertGroup;
use super::seen::{self, WantedGroup};
use crate::alerts::RuleMatch;
use crate::store::column::{read_json, read_time};
use crate::store::db::{self, DbConnection};
use crate::store::match_time::{MatchTime, MatchedBy};
use crate::store::{AbsentGroup, Archive, StoreError, StoryId, absences};
use tidings_rules::condition::{Condition, Decision, GroupState, step};
use tidings_rules::story::WatchlistRow;

/// The most held alerts that are read to find the groups that hold matches.
const MOST_READ: i64 = 500;

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
    pub absent: Vec<AbsentGroup>,
}

/// How far the condition of a group is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupProgress {
    /// It is met, and the window has not passed without a match since: matches are told one by one.
    Open,
    /// So far, in words.
    Counted(String),
}

impl Archive {
    /// The groups of all rules with `absent`, in the order of the rules.
    pub async fn absent_groups(&mut self) -> Result<Vec<AbsentGroup>, StoreError> {
        Ok(absences::read_groups(&mut self.conn).await?)
    }

    /// What the groups of a rule do at `now`. `None`: those of all rules.
    pub async fn group_status(
        &mut self,
        rule: Option<&str>,
        now: Timestamp,
    ) -> Result<GroupStatus, StoreError> {
        let held = read_held_groups(&mut self.conn, rule, now).await?;
        let mut absent = absences::read_groups(&mut self.conn).await?;
        absent.retain(|group| group.told.is_some() && rule.is_none_or(|rule| group.rule == rule));
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
    let time = MatchTime { at, by: MatchedBy::Change };
    // No story is asked about.
    let mut known = super::read_groups(conn, "", StoryId(0), &[group], time).await?;
    let Some(mut known) = known.pop() else { return Ok(GroupProgress::Open) };
    // What stands in the window is counted, also in an open episode.
    let previous = known.previous.take();
    let wanted = [WantedGroup { place: 0, group, condition, keys, known: &known }];
    let mut seen = seen::read_seen(conn, &wanted, None, at).await?;
    let Some(seen) = seen.remove(&0) else { return Ok(GroupProgress::Open) };
    Ok(match step(condition, GroupState { previous, seen }, at) {
        Decision::Told => GroupProgress::Open,
        Decision::Held(progress) | Decision::Fired(progress) => {
            GroupProgress::Counted(progress.to_string())
        }
    })
}

/// The groups of a rule, or of all, that hold matches at `now`, the last match first. Of very many
/// held matches, the newest are read.
async fn read_held_groups(
    conn: &mut DbConnection<'_>,
    rule: Option<&str>,
    now: Timestamp,
) -> Result<Vec<HeldGroup>, sqlx::Error> {
    let rows = db::query(
        "SELECT rule_match, created FROM alert WHERE held = TRUE AND purged IS NULL AND (CAST($1 AS TEXT) IS NULL OR rule = $1)
         ORDER BY id DESC LIMIT $2",
    )
    .bind(rule)
    .bind(MOST_READ)
    .fetch_all(conn)
    .await?;
    let mut seen: BTreeSet<(String, Option<String>)> = BTreeSet::new();
    let mut groups = Vec::new();
    for row in &rows {
        let (found, since): (RuleMatch, _) =
            (read_json(row, "rule_match")?, read_time(row, "created")?);
        let Some(state) = found.condition else { continue };
        let Some((progress, until)) = state.progress.zip(state.counts_until) else { continue };
        let group = (found.rule.clone(), found.row.as_ref().map(|row| row.id.clone()));
        if until > now && seen.insert(group) {
            let (rule, row, condition) = (found.rule, found.row, state.condition);
            groups.push(HeldGroup { rule, row, condition, progress, since, until });
        }
    }
    Ok(groups)
}
