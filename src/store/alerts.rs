//! Records the result of matching: alerts, their messages, and the story's status.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{extent_columns, to_json, to_millis};
use super::dialect::row_list;
use super::route::{self, RecordedAlert};
use super::{MatchResult, StoryId, days, event};
use crate::alerts::NewAlert;
use crate::alerts::copies::JoinedEvent;
use tidings_rules::story::Read;

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
    let is_repeated = |one: &NewAlert| alerted.contains(&key_of(one));
    let rows = match_result.alerts.iter().map(|new_alert| {
        let (one, dedup_key) = (&new_alert.rule_match, &new_alert.dedup_key);
        let copy_update = update.as_ref().filter(|_| is_repeated(new_alert));
        (&one.rule, dedup_key, &one.version, one.severity, one, copy_update)
    });
    let rows = to_json(&rows.collect::<Vec<_>>())?;
    let mut ids = insert_alerts(conn, story, rows, &match_result.read, now).await?;
    days::count_alerts(conn, ids.keys().map(|(rule, _)| rule.as_str()), now).await?;
    let inserted = match_result.alerts.iter().filter_map(|new_alert| {
        let (alert, is_update) = (ids.remove(&key_of(new_alert))?, is_repeated(new_alert));
        Some(RecordedAlert { alert, new_alert, is_update })
    });
    let recorded: Vec<_> = inserted.filter(|one| !one.is_update || update.is_some()).collect();
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
    // The stories of the event are read first: a rule may have alerted for many others.
    let alerted = sqlx::query_as(concat!(
        "SELECT wanted.rule, wanted.dedup_key FROM ",
        row_list!("$2", 0 rule TEXT, 1 dedup_key TEXT),
        " AS wanted WHERE EXISTS (SELECT 1 FROM story CROSS JOIN alert WHERE story.event = $1 AND alert.story = story.id
             AND alert.rule = wanted.rule AND alert.dedup_key = wanted.dedup_key)"
    ));
    let alerted = alerted.bind(event).bind(to_json(&keys)?).fetch_all(conn).await?;
    Ok(alerted.into_iter().collect())
}

/// Inserts alerts of a story, each with its match and its update as JSON, without those whose rule
/// and dedup key have an alert of the story. Returns the ids of the inserted.
async fn insert_alerts(
    conn: &mut SqliteConnection,
    story: StoryId,
    alerts: String,
    read: &Read,
    now: Timestamp,
) -> Result<HashMap<(String, String), i64>, sqlx::Error> {
    let (read, read_why) = extent_columns(read);
    let ids: Vec<(String, String, i64)> = sqlx::query_as(concat!(
        "INSERT INTO alert (rule, dedup_key, version, severity, rule_match, copy_update, read, read_why, created, story, revision)
         SELECT given.*, $3, $4, $5, story.id, story.revision FROM ",
        row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 version TEXT, 3 severity TEXT, 4 rule_match TEXT,
            5 copy_update TEXT),
        " AS given JOIN story ON story.id = $2 WHERE TRUE
         ON CONFLICT (story, rule, dedup_key) DO NOTHING RETURNING rule, dedup_key, id"
    ))
    .bind(alerts)
    .bind(story.0)
    .bind(read)
    .bind(read_why)
    .bind(to_millis(now))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(|(rule, dedup_key, id)| ((rule, dedup_key), id)).collect())
}
