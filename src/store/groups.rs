//! What the conditions of rules make of new matches: which are held, and which are told.
//!
//! Everything that a condition looks at is read before the alerts are inserted, in the same
//! transaction. `tidings_rules::condition::step` decides. Statements are few: each is a round trip.

use std::collections::HashMap;

use jiff::Timestamp;

use super::absences::{END_ABSENCES, withdraw_notices};
use super::column::{execute, execute_list, execute_list_with, to_millis};
use super::dialect::sql;
use super::match_time::MatchTime;
use super::route::FiredWindow;
use super::{Store, StoreError};
use crate::alerts::condition_state::ConditionState;
use crate::alerts::digest::DigestReason;
use crate::alerts::{NewAlert, RuleMatch};
use crate::store::db::{self, DbConnection, Sql};
pub(super) use known::{AlertGroup, Earlier, KnownGroup, read_groups};
pub use progress::{GroupProgress, GroupStatus, HeldGroup, ShownAbsence};
use seen::{NewMatches, WantedGroup};
use tidings_rules::condition::{Condition, Decision, FirstKey, GroupState, is_open, slot_of, step};

mod known;
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
            counts_until: self.state.counts_until,
        }
    }
}

/// The matches of one story of rules with conditions, by their places among its alerts.
#[derive(Debug)]
pub(super) struct GroupedMatches {
    pub(super) by_place: HashMap<usize, GroupedMatch>,
    /// The publisher of the event.
    pub(super) publisher: String,
    /// Their time.
    pub(super) time: MatchTime,
}

/// Decides about the alerts of rules with conditions. `known` says what is known of the group of
/// each. The matches are of that time and count for `publisher`.
pub(super) async fn decide(
    conn: &mut DbConnection<'_>,
    alerts: &[NewAlert],
    known: &[KnownGroup],
    publisher: String,
    time: MatchTime,
) -> Result<GroupedMatches, sqlx::Error> {
    let at = time.at;
    let conditional = alerts.iter().zip(known).enumerate().filter_map(|(place, (alert, known))| {
        let condition = alert.condition.as_ref()?;
        let keys = match condition {
            Condition::First { key: FirstKey::Source, .. } => vec![publisher.clone()],
            _ => alert.keys.clone(),
        };
        let AlertGroup { rule, dedup_key, .. } = AlertGroup::of(alert);
        Some(WantedGroup { place, rule, dedup_key, condition, keys, known })
    });
    let (first, repeated): (Vec<_>, Vec<_>) = conditional
        .partition(|one| one.known.earlier == Earlier::Nothing || one.condition.counts_copies());
    let mut by_place = HashMap::new();
    for one in repeated {
        let is_open = is_open(one.condition, one.known.previous, at);
        let held = one.known.earlier == Earlier::Held && !is_open;
        let state = ConditionState::new(one.condition, None, None, at);
        by_place.insert(one.place, GroupedMatch { decision: None, held, state, keys: Vec::new() });
    }
    let new = NewMatches { alerts, known, publisher: &publisher };
    let mut seen = seen::read_seen(conn, &first, Some(new), at).await?;
    for one in first {
        let Some(seen) = seen.remove(&one.place) else { continue };
        let decision = step(one.condition, GroupState { previous: one.known.previous, seen }, at);
        let row = alerts.get(one.place).and_then(|alert| alert.rule_match.row.as_ref());
        let state = ConditionState::new(one.condition, Some(&decision), row, at);
        let held = !decision.is_told();
        by_place.insert(
            one.place,
            GroupedMatch { decision: Some(decision), held, state, keys: one.keys },
        );
    }
    Ok(GroupedMatches { by_place, publisher, time })
}

/// Notes what later matches are compared with: the keys of the matches that were recorded, the
/// tallies, and the ends of absences.
pub(super) async fn count_matches(
    conn: &mut DbConnection<'_>,
    grouped: &GroupedMatches,
    inserted: &[(usize, i64, &NewAlert)],
) -> Result<(), sqlx::Error> {
    let MatchTime { at, is_earlier } = grouped.time;
    let (mut keys, mut tallies, mut present) = (Vec::new(), Vec::new(), Vec::new());
    let mut ended = Vec::new();
    for (place, _, new_alert) in inserted {
        let Some(one) = grouped.by_place.get(place) else { continue };
        if one.decision.is_none() {
            continue;
        }
        let (rule, dedup_key) = (&new_alert.rule_match.rule, &new_alert.dedup_key);
        match new_alert.condition {
            Some(Condition::First { key: kind, .. }) => {
                let stored = one.keys.iter().map(|key| seen::stored_key(kind, key));
                keys.extend(stored.map(|key| (rule, dedup_key, key, to_millis(at))));
            }
            Some(Condition::Spike(_)) => tallies.push((rule, dedup_key, slot_of(at))),
            Some(Condition::Absent(_)) => {
                present.push((rule, dedup_key, to_millis(at)));
                ended.extend(one.is_fired().then_some(&new_alert.rule_match));
            }
            _ => {}
        }
    }
    execute_list_with(conn, SET_KEYS, &keys, is_earlier).await?;
    execute_list_with(conn, END_ABSENCES, &present, is_earlier).await?;
    withdraw_notices(conn, &ended).await?;
    execute_list(conn, COUNT, &tallies).await
}

/// Sets the last match of keys. A match of an earlier time (`$2`) may be earlier than the one that
/// is known.
const SET_KEYS: Sql = sql!(
    "INSERT INTO group_key (rule, dedup_key, key, last) SELECT * FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 key TEXT, 3 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key, key) DO UPDATE
         SET last = CASE WHEN $2 AND group_key.last > excluded.last THEN group_key.last ELSE excluded.last END"
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
    (alert, new_alert): (i64, &NewAlert),
    at: Timestamp,
) -> Result<Option<FiredWindow>, sqlx::Error> {
    let Some(condition) = new_alert.condition.as_ref().filter(|one| one.has_episodes()) else {
        return Ok(None);
    };
    let since = condition.within().and_then(|within| at.checked_sub(within).ok());
    let held: Vec<i64> = db::query_scalar(
        "SELECT id FROM alert WHERE rule = $1 AND dedup_key = $2 AND counted_at > $3 AND counted_at <= $4
             AND held AND purged IS NULL ORDER BY id",
    )
    .bind(&new_alert.rule_match.rule)
    .bind(&new_alert.dedup_key)
    .bind(since.map_or(i64::MIN, to_millis))
    .bind(to_millis(at))
    .fetch_all(&mut *conn)
    .await?;
    // Copies of their events are held, too.
    let tell = sql!(
        "UPDATE alert SET held = FALSE, released_by = $2 FROM alert AS counted
             JOIN story AS first ON first.id = counted.story JOIN story ON story.event = first.event
         WHERE counted.id IN ",
        id_list!("$1"),
        " AND alert.story = story.id
             AND alert.rule = counted.rule AND alert.dedup_key = counted.dedup_key AND alert.held"
    );
    execute_list_with(conn, tell, &held, alert).await?;
    let reason = fired.firing_reason(&new_alert.rule_match, at);
    Ok(Some(FiredWindow { reason, released: held }))
}

impl Store {
    /// Deletes the tallies and the watched slots that end at `tallies` or before, the groups that
    /// have been gone since then, and the keys that last matched before `keys`.
    pub async fn delete_group_counts(
        &self,
        tallies: Timestamp,
        keys: Timestamp,
    ) -> Result<(), StoreError> {
        let (slot, gone, keys) = (slot_of(tallies), to_millis(tallies), to_millis(keys));
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    execute(conn, "DELETE FROM group_tally WHERE slot < $1", &[slot]).await?;
                    execute(conn, "DELETE FROM watched WHERE slot < $1", &[slot]).await?;
                    execute(conn, "DELETE FROM counted_group WHERE gone < $1", &[gone]).await?;
                    execute(conn, "DELETE FROM group_key WHERE last < $1", &[keys]).await.map(drop)
                })
            })
            .await
    }
}
