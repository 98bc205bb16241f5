//! What the conditions of rules make of new matches: which are held, and which are told.
//!
//! Everything that a condition looks at is read before the alerts are inserted, in the same
//! transaction. `tidings_rules::condition::step` decides.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::absences::END_ABSENCES;
use super::column::{self, execute, execute_list, from_millis, to_json, to_millis};
use super::dialect::sql;
use super::route::FiredWindow;
use super::{Store, StoreError};
use crate::alerts::condition_state::ConditionState;
use crate::alerts::digest::DigestReason;
use crate::alerts::{NewAlert, RuleMatch};
use crate::store::db::{self, DbConnection, Sql};
pub use progress::{GroupProgress, GroupStatus, HeldGroup};
use seen::{NewMatches, WantedGroup};
use tidings_rules::condition::{
    Condition, Decision, FirstKey, GroupState, PreviousMatch, Publishers, Sighting, is_open,
    slot_of, step,
};

mod progress;
mod seen;
#[cfg(test)]
mod tests;

/// What becomes of a match of a rule with a condition.
#[derive(Debug)]
pub(super) struct GroupedMatch {
    /// What its rule's condition makes of it. `None`: its event was counted before.
    pub(super) decision: Option<Decision>,
    /// Whether nobody is told.
    pub(super) held: bool,
    /// What the alert shows of the condition.
    pub(super) state: ConditionState,
    /// What `first` looks for.
    keys: Vec<String>,
}

impl GroupedMatch {
    /// Whether it meets its rule's condition.
    pub(super) fn is_fired(&self) -> bool {
        matches!(self.decision, Some(Decision::Fired(_)))
    }

    /// Why the matches of the window are told in one message.
    fn firing_reason(&self, rule_match: &RuleMatch, at: Timestamp) -> DigestReason {
        DigestReason::Fired {
            rule: rule_match.rule.clone(),
            row: rule_match.row.clone(),
            condition: self.state.condition.clone(),
            progress: self.state.progress.clone().unwrap_or_default(),
            at,
        }
    }
}

/// The matches of one story of rules with conditions, by their places among its alerts.
#[derive(Debug, Default)]
pub(super) struct GroupedMatches {
    pub(super) by_place: HashMap<usize, GroupedMatch>,
    publisher: String,
    at: Timestamp,
}

/// The first alert of an event in a group before: none, one that was held, or one that was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Earlier {
    #[default]
    Nothing,
    Held,
    Told,
}

/// The alerts of an event in a group before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EarlierAlerts {
    pub(super) earlier: Earlier,
    /// Whether one is of the story itself: it is not recorded again.
    pub(super) of_story: bool,
}

/// Decides about the alerts of rules with conditions. `found` says what became of the event in
/// each alert's group before. The matches count at the time `at`.
pub(super) async fn decide(
    conn: &mut DbConnection<'_>,
    event: &str,
    alerts: &[NewAlert],
    found: impl Fn(&NewAlert) -> EarlierAlerts,
    publishers: &Publishers,
    at: Timestamp,
) -> Result<GroupedMatches, sqlx::Error> {
    let conditional = alerts
        .iter()
        .enumerate()
        .filter_map(|(place, new_alert)| Some((place, new_alert, new_alert.condition.as_ref()?)));
    let conditional: Vec<_> = conditional.collect();
    if conditional.is_empty() {
        return Ok(GroupedMatches::default());
    }
    // LOCK: a second writer needs the latch before this: two matches of one group are decided one
    // after the other.
    let publisher = read_publisher(conn, event, publishers).await?;
    let mut wanted: Vec<WantedGroup<'_>> = Vec::with_capacity(conditional.len());
    for (place, new_alert, condition) in conditional {
        let keys = match condition {
            Condition::First { key: FirstKey::Source, .. } => vec![publisher.clone()],
            _ => new_alert.keys.clone(),
        };
        let (rule, dedup_key) = (&*new_alert.rule_match.rule, &*new_alert.dedup_key);
        wanted.push(WantedGroup { place, rule, dedup_key, condition, keys });
    }
    let earlier = |one: &WantedGroup<'_>| found(&alerts[one.place]).earlier;
    let previous = read_previous(conn, &wanted).await?;
    let (first, repeated): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .partition(|one| earlier(one) == Earlier::Nothing || one.condition.counts_copies());
    let mut by_place = HashMap::new();
    for one in repeated {
        let is_open = is_open(one.condition, previous.get(&one.place).copied(), at);
        let held = earlier(&one) == Earlier::Held && !is_open;
        let state = ConditionState::new(one.condition, None, at);
        by_place.insert(one.place, GroupedMatch { decision: None, held, state, keys: Vec::new() });
    }
    let known = alerts.iter().enumerate().filter(|(_, one)| found(one).of_story);
    let known: HashSet<usize> = known.map(|(place, _)| place).collect();
    let new = NewMatches { alerts, known: &known, publisher: &publisher };
    let mut seen = seen::read_seen(conn, &first, &previous, Some(new), at).await?;
    for one in first {
        let previous = previous.get(&one.place).copied();
        let Some(seen) = seen.remove(&one.place) else { continue };
        let decision = step(one.condition, GroupState { previous, seen }, at);
        let state = ConditionState::new(one.condition, Some(&decision), at);
        let held = !decision.is_told();
        by_place.insert(
            one.place,
            GroupedMatch { decision: Some(decision), held, state, keys: one.keys },
        );
    }
    Ok(GroupedMatches { by_place, publisher, at })
}

/// The publisher of the event's first sighting.
async fn read_publisher(
    conn: &mut DbConnection<'_>,
    event: &str,
    publishers: &Publishers,
) -> Result<String, sqlx::Error> {
    let first: Option<(Option<String>, Option<String>, Option<String>)> = db::query_as(
        "SELECT source, url, (SELECT feed FROM feed_entry WHERE feed_entry.story = story.id ORDER BY seen, id LIMIT 1)
         FROM story WHERE event = $1 ORDER BY id LIMIT 1",
    )
    .bind(event)
    .fetch_optional(conn)
    .await?;
    let (source, url, feed) = first.unwrap_or_default();
    let feed = feed.unwrap_or_default();
    let sighting = Sighting { source: source.as_deref(), url: url.as_deref(), feed: feed.as_str() };
    Ok(publishers.publisher(sighting))
}

/// The last match of each group, by the places of the alerts. An edit of the condition ends an
/// episode: a match that was told for another condition was not told for this one.
async fn read_previous(
    conn: &mut DbConnection<'_>,
    wanted: &[WantedGroup<'_>],
) -> Result<HashMap<usize, PreviousMatch>, sqlx::Error> {
    let groups =
        wanted.iter().map(|one| (one.place, one.rule, one.dedup_key, one.condition.to_string()));
    let rows = db::query(sql!(
        "SELECT wanted.place, group_match.at,
                group_match.told AND group_match.condition = wanted.condition AS told FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 condition TEXT),
        " AS wanted JOIN group_match ON group_match.alert = (SELECT max(alert) FROM group_match AS last
              WHERE last.rule = wanted.rule AND last.dedup_key = wanted.dedup_key)"
    ))
    .bind(to_json(&groups.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let previous = rows.iter().map(|row| {
        let at = column::read_time(row, "at")?;
        Ok((seen::read_place(row)?, PreviousMatch { at, told: row.try_get("told")? }))
    });
    previous.collect()
}

/// Records the matches that count, each with the id of its alert.
pub(super) async fn record(
    conn: &mut DbConnection<'_>,
    grouped: &GroupedMatches,
    inserted: &[(usize, i64, &NewAlert)],
) -> Result<(), sqlx::Error> {
    let at = to_millis(grouped.at);
    let (mut matches, mut keys, mut tallies) = (Vec::new(), Vec::new(), Vec::new());
    let mut present = Vec::new();
    for (place, alert, new_alert) in inserted {
        let Some(one) = grouped.by_place.get(place) else { continue };
        if one.decision.is_none() {
            continue;
        }
        let (rule, dedup_key) = (&new_alert.rule_match.rule, &new_alert.dedup_key);
        let condition = &one.state.condition;
        matches.push((alert, rule, dedup_key, at, &grouped.publisher, !one.held, condition));
        keys.extend(one.keys.iter().map(|key| (rule, dedup_key, key, at)));
        match new_alert.condition {
            Some(Condition::Spike(_)) => tallies.push((rule, dedup_key, slot_of(grouped.at))),
            Some(Condition::Absent(_)) => present.push((rule, dedup_key, at)),
            _ => {}
        }
    }
    for (sql, rows) in [
        (INSERT_MATCHES, to_json(&matches)?),
        (SET_KEYS, to_json(&keys)?),
        (COUNT, to_json(&tallies)?),
        (END_ABSENCES, to_json(&present)?),
    ] {
        if rows != "[]" {
            db::query(sql).bind(rows).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

const INSERT_MATCHES: Sql = sql!(
    "INSERT INTO group_match (alert, rule, dedup_key, at, publisher, told, condition) SELECT * FROM ",
    row_list!("$1", 0 alert BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 at BIGINT, 4 publisher TEXT, 5 told BOOLEAN,
        6 condition TEXT),
    " AS given"
);

const SET_KEYS: Sql = sql!(
    "INSERT INTO group_key (rule, dedup_key, key, last) SELECT * FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 key TEXT, 3 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key, key) DO UPDATE SET last = excluded.last"
);

const COUNT: Sql = sql!(
    "INSERT INTO group_tally (rule, dedup_key, slot, events) SELECT given.*, 1 FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 slot BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key, slot) DO UPDATE SET events = group_tally.events + 1"
);

/// Releases the matches that are held in the window of one that met its rule's condition. `None` if
/// the condition has no episodes: the match is told by itself.
pub(super) async fn release(
    conn: &mut DbConnection<'_>,
    fired: &GroupedMatch,
    new_alert: &NewAlert,
    at: Timestamp,
) -> Result<Option<FiredWindow>, sqlx::Error> {
    let Some(condition) = new_alert.condition.as_ref().filter(|one| one.has_episodes()) else {
        return Ok(None);
    };
    let since = condition.within().and_then(|within| at.checked_sub(within).ok());
    let held: Vec<i64> = db::query_scalar(
        "SELECT alert.id FROM group_match JOIN alert ON alert.id = group_match.alert
         WHERE group_match.rule = $1 AND group_match.dedup_key = $2 AND group_match.at > $3 AND group_match.at <= $4
           AND alert.held AND alert.purged IS NULL ORDER BY alert.id",
    )
    .bind(&new_alert.rule_match.rule)
    .bind(&new_alert.dedup_key)
    .bind(since.map_or(i64::MIN, to_millis))
    .bind(to_millis(at))
    .fetch_all(&mut *conn)
    .await?;
    // Copies of their events are held, too.
    let tell = sql!(
        "UPDATE alert SET held = FALSE FROM alert AS counted
             JOIN story AS first ON first.id = counted.story JOIN story ON story.event = first.event
         WHERE counted.id IN ",
        id_list!("$1"),
        " AND alert.story = story.id
             AND alert.rule = counted.rule AND alert.dedup_key = counted.dedup_key"
    );
    execute_list(conn, tell, &held).await?;
    let reason = fired.firing_reason(&new_alert.rule_match, at);
    Ok(Some(FiredWindow { reason, released: held }))
}

impl Store {
    /// Deletes the tallies and the watched slots that end at `tallies` or before, and the keys that
    /// last matched before `keys`.
    pub async fn delete_group_counts(
        &self,
        tallies: Timestamp,
        keys: Timestamp,
    ) -> Result<(), StoreError> {
        let (slot, keys) = (slot_of(tallies), to_millis(keys));
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    execute(conn, "DELETE FROM group_tally WHERE slot < $1", &[slot]).await?;
                    execute(conn, "DELETE FROM watched WHERE slot < $1", &[slot]).await?;
                    execute(conn, "DELETE FROM group_key WHERE last < $1", &[keys]).await.map(drop)
                })
            })
            .await
    }
}

/// The time of a number in the store.
pub(super) fn optional_time(millis: Option<i64>) -> Result<Option<Timestamp>, sqlx::Error> {
    millis.map(from_millis).transpose()
}
