//! Reads what is known of groups before a match is recorded, in one statement.

use jiff::Timestamp;

use crate::alerts::NewAlert;
use crate::store::StoryId;
use crate::store::column::{read_optional_time, to_millis};
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use crate::store::dialect::sql;
use crate::store::match_time::MatchTime;
use tidings_rules::condition::{Condition, PreviousMatch, SpikeSpan, slot_of};

/// The group of an alert: its rule and row, and the rule's condition, if it has one.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct AlertGroup<'a> {
    pub(in crate::store) rule: &'a str,
    pub(in crate::store) dedup_key: &'a str,
    pub(in crate::store) condition: Option<&'a Condition>,
}

impl<'a> AlertGroup<'a> {
    /// The group of a new alert.
    pub(in crate::store) fn of(new_alert: &'a NewAlert) -> Self {
        Self {
            rule: &new_alert.rule_match.rule,
            dedup_key: &new_alert.dedup_key,
            condition: new_alert.condition.as_ref(),
        }
    }

    /// The slot at which the window of a spike starts that ends at `at`.
    fn first_slot(&self, at: Timestamp) -> Option<i64> {
        match self.condition {
            Some(Condition::Spike(spike)) => Some(slot_of(SpikeSpan::first_start(spike, at))),
            _ => None,
        }
    }
}

/// The first alert of an event in a group before: none, one that was held, or one that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Earlier {
    Nothing,
    Held,
    Told,
}

/// What is known of a group, and of an event in it, before a match is recorded.
#[derive(Clone, Debug)]
pub(in crate::store) struct KnownGroup {
    /// What became of the event.
    pub(in crate::store) earlier: Earlier,
    /// Whether the story itself has an alert: it is not recorded again.
    pub(in crate::store) of_story: bool,
    /// The match before that counts for the condition. An edit of the condition ends an episode: a
    /// match that was told for another condition was not told for this one.
    pub(super) previous: Option<PreviousMatch>,
    /// The last watched slot at or before the start of the window of a spike.
    pub(super) watched: Option<i64>,
    /// Since when the events of the group are counted for a spike.
    pub(super) counted_since: Option<Timestamp>,
    /// Since when an absence that was told lasts.
    pub(super) absent_since: Option<Timestamp>,
}

/// What is known of these groups, in their order. `event` and `story` are those of the match.
///
/// The match before is the one that was recorded before, also where the clock was set back since.
/// Matches of earlier times, which have `backfill_at`, are put in their place by their times.
pub(in crate::store) async fn read_groups(
    conn: &mut DbConnection<'_>,
    event: &str,
    story: StoryId,
    groups: &[AlertGroup<'_>],
    MatchTime { at, is_earlier }: MatchTime,
) -> Result<Vec<KnownGroup>, sqlx::Error> {
    let wanted = groups.iter().enumerate().map(|(place, group)| {
        let condition = group.condition.map(ToString::to_string);
        (place, group.rule, group.dedup_key, condition, group.first_slot(at))
    });
    // The stories of the event are read first: a rule may have alerted for many others.
    let rows = db::query(sql!(
        "SELECT (SELECT min(CASE WHEN alert.held THEN 1 ELSE 0 END) FROM story CROSS JOIN alert
                 WHERE story.event = $2 AND alert.story = story.id
                   AND alert.rule = wanted.rule AND alert.dedup_key = wanted.dedup_key) = 1 AS held,
                EXISTS (SELECT 1 FROM alert WHERE alert.story = $3
                   AND alert.rule = wanted.rule AND alert.dedup_key = wanted.dedup_key) AS of_story,
                recorded.counted_at AS recorded_at, recorded.told_for = wanted.condition AS recorded_told,
                earlier.counted_at AS earlier_at, earlier.told_for = wanted.condition AS earlier_told,
                (SELECT max(slot) FROM watched WHERE slot <= wanted.start) AS watched,
                (SELECT since FROM counted_group WHERE counted_group.rule = wanted.rule
                   AND counted_group.dedup_key = wanted.dedup_key) AS counted_since,
                (SELECT last FROM absence WHERE absence.rule = wanted.rule AND absence.dedup_key = wanted.dedup_key
                   AND told IS NOT NULL AND (NOT $4 OR last < $5)) AS absent_since
         FROM ",
        row_list!("$1", 0 place BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 condition TEXT, 4 start BIGINT),
        " AS wanted
         LEFT JOIN alert AS recorded ON wanted.condition IS NOT NULL AND NOT $4 AND recorded.id =
             (SELECT max(counted.id) FROM alert AS counted WHERE counted.rule = wanted.rule
                  AND counted.dedup_key = wanted.dedup_key AND counted.counted_at IS NOT NULL
                  AND counted.backfill_at IS NULL)
         LEFT JOIN alert AS earlier ON wanted.condition IS NOT NULL AND earlier.id = coalesce(
             (SELECT counted.id FROM alert AS counted WHERE $4 AND counted.rule = wanted.rule
                  AND counted.dedup_key = wanted.dedup_key AND counted.counted_at <= $5
                  ORDER BY counted.counted_at DESC, counted.id DESC LIMIT 1),
             (SELECT counted.id FROM alert AS counted WHERE NOT $4 AND counted.rule = wanted.rule
                  AND counted.dedup_key = wanted.dedup_key AND counted.counted_at <= $5
                  AND counted.backfill_at IS NOT NULL
                  ORDER BY counted.counted_at DESC, counted.id DESC LIMIT 1))
         ORDER BY wanted.place"
    ))
    .bind(SqlList::new(&wanted.collect::<Vec<_>>())?)
    .bind(event)
    .bind(story.0)
    .bind(is_earlier)
    .bind(to_millis(at))
    .fetch_all(conn)
    .await?;
    rows.iter().map(known_group).collect()
}

fn known_group(row: &DbRow) -> Result<KnownGroup, sqlx::Error> {
    let earlier = match row.try_get("held")? {
        None => Earlier::Nothing,
        Some(true) => Earlier::Held,
        Some(false) => Earlier::Told,
    };
    let recorded = previous_match(row, "recorded_at", "recorded_told")?;
    let earlier_match = previous_match(row, "earlier_at", "earlier_told")?;
    Ok(KnownGroup {
        earlier,
        of_story: row.try_get("of_story")?,
        previous: earlier_match.into_iter().chain(recorded).max_by_key(|previous| previous.at),
        watched: row.try_get("watched")?,
        counted_since: read_optional_time(row, "counted_since")?,
        absent_since: read_optional_time(row, "absent_since")?,
    })
}

fn previous_match(row: &DbRow, at: &str, told: &str) -> Result<Option<PreviousMatch>, sqlx::Error> {
    let told = row.try_get::<Option<bool>, _>(told)?.unwrap_or_default();
    Ok(read_optional_time(row, at)?.map(|at| PreviousMatch { at, told }))
}
