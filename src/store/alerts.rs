//! Records the result of matching: alerts, their messages, and the story's status.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::column::{extent_columns, to_json, to_millis};
use super::dialect::alert_key_list;
use super::new_items::MOST_ROWS;
use super::route::{self, RecordedAlert};
use super::{MatchResult, StoryId, event};
use crate::alerts::NewAlert;
use crate::alerts::copies::JoinedEvent;

/// Records the alerts of `match_result` and adds them to messages. A rule adds to messages once per
/// event and dedup key. A later alert, of a copy, is only recorded, unless the copy is an update.
pub(super) async fn record_alerts(
    conn: &mut SqliteConnection,
    story: StoryId,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let JoinedEvent { event, update } =
        event::find_or_join_event(conn, story, match_result).await?;
    if match_result.alerts.is_empty() {
        return Ok(());
    }
    let alerted = find_alerted(conn, &event, &match_result.alerts).await?;
    let update = update.as_ref().map(to_json).transpose()?;
    let is_repeated = |one: &NewAlert| alerted.contains(&key_of(one));
    let mut recorded = Vec::with_capacity(match_result.alerts.len());
    for alerts in match_result.alerts.chunks(MOST_ROWS) {
        let mut rows = Vec::with_capacity(alerts.len());
        for new_alert in alerts {
            let copy_update = update.as_deref().filter(|_| is_repeated(new_alert));
            rows.push((new_alert, to_json(&new_alert.rule_match)?, copy_update));
        }
        let mut ids = insert_alerts(conn, story, rows, match_result, now).await?;
        let inserted = alerts.iter().filter_map(|one| Some((ids.remove(&key_of(one))?, one)));
        let inserted = inserted.map(|(alert, new_alert)| {
            let is_update = is_repeated(new_alert);
            RecordedAlert { alert, new_alert, is_update }
        });
        recorded.extend(inserted.filter(|one| !one.is_update || update.is_some()));
    }
    route::route_alerts(conn, &event, &recorded, match_result, now).await
}

/// What distinguishes the alerts of a story: the rule and the dedup key.
fn key_of(new_alert: &NewAlert) -> (String, String) {
    (new_alert.rule_match.rule.clone(), new_alert.dedup_key.clone())
}

/// The rules and dedup keys of these alerts that have an alert of any story of the event.
async fn find_alerted(
    conn: &mut SqliteConnection,
    event: &str,
    alerts: &[NewAlert],
) -> Result<HashSet<(String, String)>, sqlx::Error> {
    let keys: Vec<_> = alerts.iter().map(key_of).collect();
    let alerted = sqlx::query_as(concat!(
        "SELECT wanted.rule, wanted.dedup_key FROM ",
        alert_key_list!("$2"),
        " AS wanted WHERE EXISTS (SELECT 1 FROM story JOIN alert ON alert.story = story.id
             WHERE story.event = $1 AND alert.rule = wanted.rule AND alert.dedup_key = wanted.dedup_key)"
    ));
    let alerted = alerted.bind(event).bind(to_json(&keys)?).fetch_all(conn).await?;
    Ok(alerted.into_iter().collect())
}

/// Inserts alerts of a story, each with its match and its update as JSON, without those whose rule
/// and dedup key have an alert of the story. Returns the ids of the inserted.
async fn insert_alerts(
    conn: &mut SqliteConnection,
    story: StoryId,
    rows: Vec<(&NewAlert, String, Option<&str>)>,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<HashMap<(String, String), i64>, sqlx::Error> {
    let revision = sqlx::query_scalar("SELECT revision FROM story WHERE id = $1").bind(story.0);
    let revision: i64 = revision.fetch_one(&mut *conn).await?;
    let (read, read_why) = extent_columns(&match_result.read);
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO alert (story, rule, dedup_key, version, severity, read, read_why, rule_match, copy_update, created, revision) ",
    );
    insert.push_values(rows, |mut values, (new_alert, rule_match, copy_update)| {
        let one = &new_alert.rule_match;
        values.push_bind(story.0).push_bind(&one.rule).push_bind(&new_alert.dedup_key);
        values.push_bind(&one.version).push_bind(one.severity.as_str());
        values.push_bind(read).push_bind(read_why).push_bind(rule_match).push_bind(copy_update);
        values.push_bind(to_millis(now)).push_bind(revision);
    });
    insert.push(" ON CONFLICT (story, rule, dedup_key) DO NOTHING RETURNING rule, dedup_key, id");
    let ids: Vec<(String, String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(rule, dedup_key, id)| ((rule, dedup_key), id)).collect())
}
