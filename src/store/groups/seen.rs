//! Reads what conditions look at: the window, the baseline, the keys and the other rule's matches.

use std::collections::HashMap;

use jiff::Timestamp;

use super::known::KnownGroup;
use crate::alerts::NewAlert;
use crate::store::column::{from_millis, read_count, to_millis};
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use crate::store::dialect::sql;
use tidings_rules::condition::{
    Condition, FirstKey, SeenMatches, Spike, SpikeCounts, SpikeSpan, WatchedTime, is_open,
};

/// A group of which something is asked.
pub(super) struct WantedGroup<'a> {
    /// What the answer is found by: the place of the alert among those of its story.
    pub(super) place: usize,
    pub(super) rule: &'a str,
    pub(super) dedup_key: &'a str,
    pub(super) condition: &'a Condition,
    /// What `first` looks for.
    pub(super) keys: Vec<String>,
    pub(super) known: &'a KnownGroup,
}

impl WantedGroup<'_> {
    /// The start of the window that ends at `at`; matches after it count.
    fn since(&self, at: Timestamp) -> i64 {
        let since = self.condition.within().and_then(|within| at.checked_sub(within).ok());
        since.map_or(i64::MIN, to_millis)
    }
}

/// The matches of the story that is recorded.
#[derive(Clone, Copy)]
pub(super) struct NewMatches<'a> {
    /// Its alerts.
    pub(super) alerts: &'a [NewAlert],
    /// What is known of the group of each.
    pub(super) known: &'a [KnownGroup],
    /// The publisher of its event.
    pub(super) publisher: &'a str,
}

impl NewMatches<'_> {
    /// Whether the rule `other` matches the story and is recorded before `one`.
    fn has_before(&self, one: &WantedGroup<'_>, other: &str, row: Option<&str>) -> bool {
        let before = self.alerts.iter().zip(self.known).take(one.place);
        let mut before =
            before.filter(|(new, known)| new.rule_match.rule == other && !known.of_story);
        before.any(|(new, _)| row.is_none_or(|row| row == new.dedup_key))
    }
}

/// What the condition of each group looks at, by place. The matches of `new` are included if there
/// are any; no event is counted of a group with an open episode.
pub(super) async fn read_seen(
    conn: &mut DbConnection<'_>,
    wanted: &[WantedGroup<'_>],
    new: Option<NewMatches<'_>>,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    let mut seen = HashMap::with_capacity(wanted.len());
    let (mut publishers, mut events, mut spikes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut before) = (Vec::new(), Vec::new());
    for one in wanted {
        if is_open(one.condition, one.known.previous, at) {
            // Nothing is counted: the match is told.
            seen.insert(one.place, SeenMatches::Events(0));
            continue;
        }
        match one.condition {
            Condition::Publishers { .. } => publishers.push(one),
            Condition::Events { .. } => events.push(one),
            Condition::Spike(spike) => spikes.push((one, spike)),
            Condition::First { key, .. } => keys.push((one, *key)),
            Condition::After { rule, same_row, .. } => {
                before.push((one, rule.as_str(), same_row.then_some(one.dedup_key)));
            }
            Condition::Absent(_) => {
                seen.insert(one.place, SeenMatches::Absence(one.known.absent_since));
            }
        }
    }
    seen.extend(read_publishers(conn, &publishers, new, at).await?);
    seen.extend(count_events(conn, &events, new.is_some(), at).await?);
    seen.extend(count_spikes(conn, &spikes, new.is_some(), at).await?);
    seen.extend(read_keys(conn, &keys).await?);
    seen.extend(read_before(conn, &before, new, at).await?);
    Ok(seen)
}

/// The place of the alert that a row belongs to.
fn read_place(row: &DbRow) -> Result<usize, sqlx::Error> {
    Ok(read_count(row, "place")? as usize)
}

/// Groups as rows of a list: place, rule, dedup key, start and end of the window. Statements
/// materialise the list: else its JSON is read for each match of the window.
fn windows(groups: &[&WantedGroup<'_>], at: Timestamp) -> Result<SqlList, sqlx::Error> {
    let until = to_millis(at);
    let rows = groups.iter().map(|one| (one.place, one.rule, one.dedup_key, one.since(at), until));
    SqlList::new(&rows.collect::<Vec<_>>())
}

async fn read_publishers(
    conn: &mut DbConnection<'_>,
    groups: &[&WantedGroup<'_>],
    new: Option<NewMatches<'_>>,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db::query(sql!(
        "WITH wanted AS MATERIALIZED (SELECT * FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS given)
         SELECT wanted.place, found.publisher FROM wanted
         JOIN alert AS found ON found.rule = wanted.rule AND found.dedup_key = wanted.dedup_key
             AND found.counted_at > wanted.since AND found.counted_at <= wanted.until
         GROUP BY wanted.place, found.publisher ORDER BY min(found.counted_at), found.publisher"
    ))
    .bind(windows(groups, at)?)
    .fetch_all(conn)
    .await?;
    let mut names: HashMap<usize, Vec<String>> = HashMap::new();
    for row in &rows {
        names.entry(read_place(row)?).or_default().push(row.try_get("publisher")?);
    }
    let with_new = groups.iter().map(|one| {
        let mut names = names.remove(&one.place).unwrap_or_default();
        names.extend(new.map(|new| new.publisher.to_owned()));
        (one.place, SeenMatches::Publishers(names))
    });
    Ok(with_new.collect())
}

/// The number of events in the window of each group.
async fn count_events(
    conn: &mut DbConnection<'_>,
    groups: &[&WantedGroup<'_>],
    has_new: bool,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db::query(sql!(
        "WITH wanted AS MATERIALIZED (SELECT * FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS given)
         SELECT wanted.place, (SELECT count(*) FROM alert AS found
                WHERE found.rule = wanted.rule AND found.dedup_key = wanted.dedup_key
                  AND found.counted_at > wanted.since AND found.counted_at <= wanted.until) AS events
         FROM wanted"
    ))
    .bind(windows(groups, at)?)
    .fetch_all(conn)
    .await?;
    let counts = rows.iter().map(|row| {
        let events = read_count(row, "events")? + u32::from(has_new);
        Ok((read_place(row)?, SeenMatches::Events(events)))
    });
    counts.collect()
}

/// What is counted for spikes: in the window, and in the baseline.
async fn count_spikes(
    conn: &mut DbConnection<'_>,
    groups: &[(&WantedGroup<'_>, &Spike)],
    has_new: bool,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let spans = groups.iter().map(|(one, spike)| SpikeSpan::new(spike, at, one.known.watched));
    let spans: Vec<SpikeSpan> = spans.collect();
    let wanted = groups.iter().zip(&spans).map(|((one, _), SpikeSpan { baseline, .. })| {
        let (since, until) = (one.since(at), to_millis(at));
        (one.place, one.rule, one.dedup_key, since, until, baseline.start, baseline.end)
    });
    let rows = db::query(sql!(
        "WITH wanted AS MATERIALIZED (SELECT * FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 since BIGINT, 4 until BIGINT,
            5 start BIGINT, 6 stop BIGINT),
        " AS given)
         SELECT (SELECT count(*) FROM alert AS found
                 WHERE found.rule = wanted.rule AND found.dedup_key = wanted.dedup_key
                   AND found.counted_at > wanted.since AND found.counted_at <= wanted.until) AS events,
                (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM group_tally WHERE group_tally.rule = wanted.rule
                   AND group_tally.dedup_key = wanted.dedup_key AND slot >= wanted.start AND slot < wanted.stop) AS baseline,
                (SELECT count(*) FROM watched WHERE slot >= wanted.start AND slot < wanted.stop) AS slots
         FROM wanted ORDER BY wanted.place"
    ))
    .bind(SqlList::new(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let counts = rows.iter().zip(groups).zip(&spans).map(|((row, (one, _)), span)| {
        let known_for = one.known.counted_since.map(|since| WatchedTime::known_for(since, at));
        let counts = SpikeCounts {
            current: read_count(row, "events")? + u32::from(has_new),
            covered: WatchedTime::known_for(span.start, at),
            baseline: u64::from(read_count(row, "baseline")?),
            watched: read_count(row, "slots")?,
            known_for: known_for.unwrap_or_default(),
        };
        Ok((one.place, SeenMatches::Spike(counts)))
    });
    counts.collect()
}

/// A key as the store has it: one of another kind is another key.
pub(super) fn stored_key(kind: FirstKey, key: &str) -> String {
    format!("{} {}", kind.as_str(), kind.compared(key))
}

async fn read_keys(
    conn: &mut DbConnection<'_>,
    groups: &[(&WantedGroup<'_>, FirstKey)],
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = groups.iter().flat_map(|(one, kind)| {
        let stored = one.keys.iter().map(|key| stored_key(*kind, key));
        stored.map(|key| (one.place, one.rule, one.dedup_key, key))
    });
    let rows: Vec<(i64, String, i64)> = db::query_as(sql!(
        "SELECT wanted.place, wanted.key, group_key.last FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 key TEXT),
        " AS wanted JOIN group_key ON group_key.rule = wanted.rule AND group_key.dedup_key = wanted.dedup_key
             AND group_key.key = wanted.key"
    ))
    .bind(SqlList::new(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let mut last: HashMap<(i64, String), i64> = HashMap::new();
    last.extend(rows.into_iter().map(|(place, key, at)| ((place, key), at)));
    let keys = groups.iter().map(|(one, kind)| {
        let place = i64::try_from(one.place).unwrap_or(i64::MAX);
        let keys = one.keys.iter().map(|key| {
            let last = last.get(&(place, stored_key(*kind, key))).copied();
            Ok((key.clone(), last.map(from_millis).transpose()?))
        });
        Ok((one.place, SeenMatches::Keys(keys.collect::<Result<_, sqlx::Error>>()?)))
    });
    keys.collect()
}

/// The last match of the rule that each group's condition names, in the window: of the rule, or of
/// the row. A match of an earlier time than it was recorded has that time in `backfill_at`.
async fn read_before(
    conn: &mut DbConnection<'_>,
    groups: &[(&WantedGroup<'_>, &str, Option<&str>)],
    new: Option<NewMatches<'_>>,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let until = to_millis(at);
    let wanted =
        groups.iter().map(|(one, other, row)| (one.place, other, row, one.since(at), until));
    let rows: Vec<(Option<i64>, Option<i64>)> = db::query_as(sql!(
        "SELECT (SELECT created FROM alert WHERE alert.rule = wanted.other AND backfill_at IS NULL
                AND created > wanted.since AND created <= wanted.until
                AND (wanted.own_row IS NULL OR alert.dedup_key = wanted.own_row)
                ORDER BY created DESC LIMIT 1),
                (SELECT backfill_at FROM alert WHERE alert.rule = wanted.other
                AND backfill_at > wanted.since AND backfill_at <= wanted.until
                AND (wanted.own_row IS NULL OR alert.dedup_key = wanted.own_row)
                ORDER BY backfill_at DESC LIMIT 1)
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 other TEXT, 2 own_row TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS wanted ORDER BY wanted.place"
    ))
    .bind(SqlList::new(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let before = rows.into_iter().zip(groups).map(|((recorded, backfilled), (one, other, row))| {
        let before = if new.is_some_and(|new| new.has_before(one, other, *row)) {
            Some(at)
        } else {
            recorded.max(backfilled).map(from_millis).transpose()?
        };
        Ok((one.place, SeenMatches::Before(before)))
    });
    before.collect()
}

#[cfg(test)]
mod tests;
