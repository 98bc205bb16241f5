//! Records the result of matching: alerts, their messages, and the story's status.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::column::{extent_columns, to_millis};
use super::dialect::sql;
use super::groups::{self, AlertGroup, Earlier, GroupedMatch, GroupedMatches, KnownGroup};
use super::match_time::{MatchTime, MatchedBy};
use super::route::{self, RecordedAlert};
use super::{MatchResult, StoryId, days, event};
use crate::alerts::copies::CopyUpdate;
use crate::alerts::{NewAlert, RuleMatch};
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::Read;

/// The most time by which a match that is recorded later may have been made earlier.
const MOST_BESIDE: Duration = Duration::from_mins(1);

/// Records the alerts of `match_result` and adds them to messages. A rule adds to messages once per
/// event and dedup key. A later alert, of a copy, is only recorded, unless the copy is an update.
/// An alert that its rule's condition holds is only recorded, too.
pub(super) async fn record_alerts(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    match_result: &MatchResult,
    by: MatchedBy,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let update = event::join_event(conn, story, match_result).await?;
    let alerts = &match_result.alerts;
    if alerts.is_empty() {
        return Ok(());
    }
    let lead = event::read_lead(conn, story).await?;
    let event = lead.event.as_str();
    let now = in_order(now, lead.last_alert);
    let time = MatchTime::read(conn, story, by, now).await?;
    let groups: Vec<AlertGroup<'_>> = alerts.iter().map(AlertGroup::of).collect();
    let known = groups::read_groups(conn, event, story, &groups, time).await?;
    let publisher = lead.publisher(&match_result.policy.publishers);
    let grouped = groups::decide(conn, alerts, &known, publisher, time).await?;
    let rows = alert_rows(alerts, &known, &grouped, update.as_ref())?;
    let mut ids = insert_alerts(conn, story, rows, &match_result.read, time, now).await?;
    days::count_alerts(conn, ids.keys().map(|(rule, _)| rule.as_str()), now).await?;
    let inserted = alerts
        .iter()
        .enumerate()
        .filter_map(|(place, new_alert)| Some((place, ids.remove(&key_of(new_alert))?, new_alert)));
    let inserted: Vec<_> = inserted.collect();
    groups::count_matches(conn, &grouped, &inserted).await?;
    let mut recorded = Vec::with_capacity(inserted.len());
    for (place, alert, new_alert) in inserted {
        let group = grouped.by_place.get(&place);
        let fired = group.is_some_and(GroupedMatch::is_fired);
        let is_update = known[place].earlier == Earlier::Told && !fired;
        if group.is_some_and(|one| one.held) || (is_update && update.is_none()) {
            continue;
        }
        let firing = match group.filter(|_| fired) {
            Some(one) => groups::release(conn, one, (alert, new_alert), time.at).await?,
            None => None,
        };
        recorded.push(RecordedAlert { alert, new_alert, is_update, firing });
    }
    route::route_alerts(conn, event, &recorded, match_result, now).await
}

/// The alerts as a list of rows, with what their conditions make of them.
fn alert_rows(
    alerts: &[NewAlert],
    known: &[KnownGroup],
    grouped: &GroupedMatches,
    update: Option<&CopyUpdate>,
) -> Result<SqlList, sqlx::Error> {
    let rows = alerts.iter().zip(known).enumerate().map(|(place, (new_alert, known))| {
        let group = grouped.by_place.get(&place);
        let RuleMatch { rule, version, severity, .. } = &new_alert.rule_match;
        let rule_match = RuleMatch {
            condition: group.map(|one| one.state.clone()),
            ..new_alert.rule_match.clone()
        };
        let copy_update = update.filter(|_| known.earlier != Earlier::Nothing);
        let held = group.is_some_and(|one| one.held);
        let counted = group.filter(|one| one.decision.is_some());
        let counted_at = counted.map(|_| to_millis(grouped.time.at));
        let publisher = counted.map(|_| &grouped.publisher);
        let told_for = counted.filter(|one| !one.held).map(|one| &one.state.condition);
        (
            rule,
            &new_alert.dedup_key,
            version,
            severity,
            rule_match,
            copy_update,
            held,
            counted_at,
            publisher,
            told_for,
        )
    });
    SqlList::new(&rows.collect::<Vec<_>>())
}

/// The time of a match, not before that of the last alert, which was recorded before it. Stories
/// are matched side by side, so that a time is older than its place in the order by some seconds. A
/// clock that was set back by more is believed.
fn in_order(now: Timestamp, last: Option<Timestamp>) -> Timestamp {
    let is_beside =
        |last: &Timestamp| *last > now && last.duration_since(now).unsigned_abs() <= MOST_BESIDE;
    last.filter(is_beside).unwrap_or(now)
}

/// What distinguishes the alerts of a story: the rule and the dedup key.
fn key_of(new_alert: &NewAlert) -> (String, String) {
    (new_alert.rule_match.rule.clone(), new_alert.dedup_key.clone())
}

/// Inserts alerts of a story, each with its match and its update as JSON, without those whose rule
/// and dedup key have an alert of the story. Returns the ids of the inserted.
async fn insert_alerts(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    alerts: SqlList,
    read: &Read,
    time: MatchTime,
    now: Timestamp,
) -> Result<HashMap<(String, String), i64>, sqlx::Error> {
    let (read, read_why) = extent_columns(read);
    let ids: Vec<(String, String, i64)> = db::query_as(sql!(
        "INSERT INTO alert (rule, dedup_key, version, severity, rule_match, copy_update, held,
             counted_at, publisher, told_for, read, read_why, created, backfill_at, story, revision)
         SELECT given.*, $3, $4, $5, $6, story.id, story.revision FROM ",
        row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 version TEXT, 3 severity TEXT, 4 rule_match TEXT,
            5 copy_update TEXT, 6 held BOOLEAN, 7 counted_at BIGINT, 8 publisher TEXT, 9 told_for TEXT),
        " AS given JOIN story ON story.id = $2 WHERE TRUE
         ON CONFLICT (story, rule, dedup_key) DO NOTHING RETURNING rule, dedup_key, id"
    ))
    .bind(alerts)
    .bind(story.0)
    .bind(read)
    .bind(read_why)
    .bind(to_millis(now))
    .bind(time.earlier_at().map(to_millis))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(|(rule, dedup_key, id)| ((rule, dedup_key), id)).collect())
}
