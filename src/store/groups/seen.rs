//! Reads what conditions look at: the window, the baseline, the keys and the other rule's matches.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::optional_time;
use crate::alerts::NewAlert;
use crate::store::column::{read_count, to_json, to_millis};
use crate::store::db::{self, DbConnection, DbRow};
use crate::store::dialect::sql;
use tidings_rules::condition::{
    Condition, PreviousMatch, SeenMatches, Spike, SpikeCounts, SpikeSpan, WatchedTime, is_open,
    slot_of,
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
    /// The places of those that are recorded before.
    pub(super) known: &'a HashSet<usize>,
    /// The publisher of its event.
    pub(super) publisher: &'a str,
}

impl NewMatches<'_> {
    /// Whether the rule `other` matches the story and is recorded before `one`.
    fn has_before(&self, one: &WantedGroup<'_>, other: &str, row: Option<&str>) -> bool {
        let before = self.alerts.iter().take(one.place).enumerate();
        let mut before = before
            .filter(|(place, new)| new.rule_match.rule == other && !self.known.contains(place));
        before.any(|(_, new)| row.is_none_or(|row| row == new.dedup_key))
    }
}

/// What the condition of each group looks at, by place. The matches of `new` are included if there
/// are any; no event is counted of a group with an open episode.
pub(super) async fn read_seen(
    conn: &mut DbConnection<'_>,
    wanted: &[WantedGroup<'_>],
    previous: &HashMap<usize, PreviousMatch>,
    new: Option<NewMatches<'_>>,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    let mut seen = HashMap::with_capacity(wanted.len());
    let (mut publishers, mut events, mut spikes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut before, mut absences) = (Vec::new(), Vec::new(), Vec::new());
    for one in wanted {
        if is_open(one.condition, previous.get(&one.place).copied(), at) {
            // Nothing is counted: the match is told.
            seen.insert(one.place, SeenMatches::Events(0));
            continue;
        }
        match one.condition {
            Condition::Publishers { .. } => publishers.push(one),
            Condition::Events { .. } => events.push(one),
            Condition::Spike(spike) => spikes.push((one, spike)),
            Condition::First { .. } => keys.push(one),
            Condition::After { rule, same_row, .. } => {
                before.push((one, rule.as_str(), same_row.then_some(one.dedup_key)));
            }
            Condition::Absent(_) => absences.push(one),
        }
    }
    seen.extend(read_publishers(conn, &publishers, new, at).await?);
    let counts = count_events(conn, events.iter().copied(), at).await?;
    seen.extend(events.iter().map(|one| {
        let before = counts.get(&one.place).copied().unwrap_or_default();
        (one.place, SeenMatches::Events(before + u32::from(new.is_some())))
    }));
    seen.extend(read_spikes(conn, &spikes, new.is_some(), at).await?);
    seen.extend(read_keys(conn, &keys).await?);
    seen.extend(read_before(conn, &before, new, at).await?);
    seen.extend(read_absences(conn, &absences).await?);
    Ok(seen)
}

/// The place of the alert that a row belongs to.
pub(super) fn read_place(row: &DbRow) -> Result<usize, sqlx::Error> {
    Ok(read_count(row, "place")? as usize)
}

/// Groups as rows of a list: place, rule, dedup key, start and end of the window.
fn windows<'a>(
    groups: impl Iterator<Item = &'a WantedGroup<'a>>,
    at: Timestamp,
) -> Result<String, sqlx::Error> {
    let until = to_millis(at);
    let rows = groups.map(|one| (one.place, one.rule, one.dedup_key, one.since(at), until));
    to_json(&rows.collect::<Vec<_>>())
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
        "SELECT wanted.place, found.publisher, min(found.alert) AS first FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS wanted JOIN group_match AS found ON found.rule = wanted.rule AND found.dedup_key = wanted.dedup_key
             AND found.at > wanted.since AND found.at <= wanted.until
         GROUP BY wanted.place, found.publisher ORDER BY first"
    ))
    .bind(windows(groups.iter().copied(), at)?)
    .fetch_all(conn)
    .await?;
    let mut names: HashMap<usize, Vec<String>> = HashMap::new();
    for row in &rows {
        names.entry(read_place(row)?).or_default().push(row.try_get("publisher")?);
    }
    let with_new = groups.iter().map(|one| {
        let mut names = names.remove(&one.place).unwrap_or_default();
        if let Some(new) = new.filter(|new| !names.iter().any(|name| name == new.publisher)) {
            names.push(new.publisher.to_owned());
        }
        (one.place, SeenMatches::Publishers(names))
    });
    Ok(with_new.collect())
}

/// The number of events in the window of each group, without the new one.
async fn count_events<'a>(
    conn: &mut DbConnection<'_>,
    groups: impl Iterator<Item = &'a WantedGroup<'a>>,
    at: Timestamp,
) -> Result<HashMap<usize, u32>, sqlx::Error> {
    let wanted = windows(groups, at)?;
    if wanted == "[]" {
        return Ok(HashMap::new());
    }
    let rows = db::query(sql!(
        "SELECT wanted.place, count(*) AS events FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS wanted JOIN group_match AS found ON found.rule = wanted.rule AND found.dedup_key = wanted.dedup_key
             AND found.at > wanted.since AND found.at <= wanted.until
         GROUP BY wanted.place"
    ))
    .bind(wanted)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((read_place(row)?, read_count(row, "events")?))).collect()
}

async fn read_spikes(
    conn: &mut DbConnection<'_>,
    groups: &[(&WantedGroup<'_>, &Spike)],
    has_new: bool,
    at: Timestamp,
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let current = count_events(conn, groups.iter().map(|(one, _)| *one), at).await?;
    let spans = read_spans(conn, groups, at).await?;
    let wanted = groups.iter().map(|(one, _)| {
        let span = &spans[&one.place].0.baseline;
        (one.place, one.rule, one.dedup_key, span.start, span.end)
    });
    let rows = db::query(sql!(
        "SELECT wanted.place,
                (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM group_tally WHERE group_tally.rule = wanted.rule
                     AND group_tally.dedup_key = wanted.dedup_key AND slot >= wanted.start AND slot < wanted.stop) AS baseline,
                (SELECT count(*) FROM watched WHERE slot >= wanted.start AND slot < wanted.stop) AS slots
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 start BIGINT, 4 stop BIGINT),
        " AS wanted"
    ))
    .bind(to_json(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let counts = rows.iter().map(|row| {
        let place = read_place(row)?;
        let (span, known) = &spans[&place];
        let counts = SpikeCounts {
            current: current.get(&place).copied().unwrap_or_default() + u32::from(has_new),
            covered: WatchedTime::known_for(span.start, at),
            baseline: u64::from(read_count(row, "baseline")?),
            watched: read_count(row, "slots")?,
            known_for: known
                .map_or(std::time::Duration::ZERO, |known| WatchedTime::known_for(known, at)),
        };
        Ok((place, SeenMatches::Spike(counts)))
    });
    counts.collect()
}

/// The span of each spike, and since when its rule is known.
async fn read_spans(
    conn: &mut DbConnection<'_>,
    groups: &[(&WantedGroup<'_>, &Spike)],
    at: Timestamp,
) -> Result<HashMap<usize, (SpikeSpan, Option<Timestamp>)>, sqlx::Error> {
    let wanted = groups
        .iter()
        .map(|(one, spike)| (one.place, one.rule, slot_of(SpikeSpan::first_start(spike, at))));
    let rows: Vec<(i64, Option<i64>, Option<i64>)> = db::query_as(sql!(
        "SELECT wanted.place, (SELECT max(slot) FROM watched WHERE slot <= wanted.start),
                (SELECT since FROM known_rule WHERE known_rule.rule = wanted.rule)
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 start BIGINT),
        " AS wanted ORDER BY wanted.place"
    ))
    .bind(to_json(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let spans = rows.into_iter().zip(groups).map(|((_, watched, known), (one, spike))| {
        Ok((one.place, (SpikeSpan::new(spike, at, watched), optional_time(known)?)))
    });
    spans.collect()
}

async fn read_keys(
    conn: &mut DbConnection<'_>,
    groups: &[&WantedGroup<'_>],
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = groups
        .iter()
        .flat_map(|one| one.keys.iter().map(|key| (one.place, one.rule, one.dedup_key, key)));
    let rows: Vec<(i64, String, i64)> = db::query_as(sql!(
        "SELECT wanted.place, wanted.key, group_key.last FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 key TEXT),
        " AS wanted JOIN group_key ON group_key.rule = wanted.rule AND group_key.dedup_key = wanted.dedup_key
             AND group_key.key = wanted.key"
    ))
    .bind(to_json(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let mut last: HashMap<(i64, String), i64> = HashMap::new();
    last.extend(rows.into_iter().map(|(place, key, at)| ((place, key), at)));
    let keys = groups.iter().map(|one| {
        let place = i64::try_from(one.place).unwrap_or(i64::MAX);
        let keys = one
            .keys
            .iter()
            .map(|key| Ok((key.clone(), optional_time(last.get(&(place, key.clone())).copied())?)));
        Ok((one.place, SeenMatches::Keys(keys.collect::<Result<_, sqlx::Error>>()?)))
    });
    keys.collect()
}

/// The last match of the rule that each group's condition names, in the window: of the rule, or of
/// the row.
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
    let rows: Vec<(i64, Option<i64>)> = db::query_as(sql!(
        "SELECT wanted.place, (SELECT created FROM alert WHERE alert.rule = wanted.other
                AND created > wanted.since AND created <= wanted.until
                AND (wanted.own_row IS NULL OR alert.dedup_key = wanted.own_row)
                ORDER BY created DESC LIMIT 1)
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 other TEXT, 2 own_row TEXT, 3 since BIGINT, 4 until BIGINT),
        " AS wanted ORDER BY wanted.place"
    ))
    .bind(to_json(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let before = rows.into_iter().zip(groups).map(|((_, last), (one, other, row))| {
        let before = if new.is_some_and(|new| new.has_before(one, other, *row)) {
            Some(at)
        } else {
            optional_time(last)?
        };
        Ok((one.place, SeenMatches::Before(before)))
    });
    before.collect()
}

/// Since when the absence of each group lasts that was told.
async fn read_absences(
    conn: &mut DbConnection<'_>,
    groups: &[&WantedGroup<'_>],
) -> Result<HashMap<usize, SeenMatches>, sqlx::Error> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = groups.iter().map(|one| (one.place, one.rule, one.dedup_key));
    let rows: Vec<(i64, Option<i64>)> = db::query_as(sql!(
        "SELECT wanted.place, (SELECT last FROM absence WHERE absence.rule = wanted.rule
                AND absence.dedup_key = wanted.dedup_key AND told IS NOT NULL)
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT),
        " AS wanted ORDER BY wanted.place"
    ))
    .bind(to_json(&wanted.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let absences = rows
        .into_iter()
        .zip(groups)
        .map(|((_, since), one)| Ok((one.place, SeenMatches::Absence(optional_time(since)?))));
    absences.collect()
}

#[cfg(test)]
mod tests;
