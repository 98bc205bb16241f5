//! Counts by day of UTC: the new items and failed polls of a feed, and the alerts of a rule.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::column::{execute, execute_list, read_count, read_optional_time, read_time, to_millis};
use super::dialect::sql;
use super::{Archive, Store, StoreError};
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::FeedName;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A day: the number of days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcDay(i64);

impl UtcDay {
    /// The day of `at` in UTC.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(to_millis(at).div_euclid(DAY))
    }

    /// The day that is this number of days earlier.
    #[must_use]
    pub fn minus(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Its first moment in UTC; the latest time, if it is beyond the calendar.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let millis = self.0.saturating_mul(DAY);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

/// What polls of a feed brought on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedDay {
    /// New items.
    pub items: u32,
    /// Polls that failed.
    pub failures: u32,
}

/// The alerts of a rule on single days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDays {
    /// The number of alerts of each day that has any.
    pub alerts: BTreeMap<UtcDay, u32>,
    /// The time of the last alert.
    pub last: Timestamp,
}

/// How often a rule alerted lately. By default it never did, and never was in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleActivity {
    /// Its alerts in 7 days, today included.
    pub alerts_7d: u32,
    /// Its alerts in 30 days, today included.
    pub alerts_30d: u32,
    /// Those of the 30 days that its condition holds.
    pub held_30d: u32,
    /// Its last alert, of those in the days that are kept.
    pub last_alert: Option<Timestamp>,
    /// When its present text was first in force.
    pub in_force_since: Option<Timestamp>,
}

/// Counts new items of `feed` and a failed poll at `now`.
pub(super) async fn count_poll(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: usize,
    is_failure: bool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if items == 0 && !is_failure {
        return Ok(());
    }
    let count = db::query(
        "INSERT INTO feed_day (day, feed, items, failures) VALUES ($1, $2, $3, $4)
         ON CONFLICT (feed, day) DO UPDATE SET items = feed_day.items + excluded.items,
             failures = feed_day.failures + excluded.failures",
    );
    let count = count.bind(UtcDay::of(now).0).bind(&feed.0);
    let items = i64::try_from(items).unwrap_or(i64::MAX);
    count.bind(items).bind(i64::from(is_failure)).execute(conn).await.map(drop)
}

/// Counts alerts of these rules at `now`, one for each name.
pub(super) async fn count_alerts<'r>(
    conn: &mut DbConnection<'_>,
    rules: impl Iterator<Item = &'r str>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in rules {
        *counts.entry(rule).or_default() += 1;
    }
    let (day, last) = (UtcDay::of(now).0, to_millis(now));
    let rows: Vec<_> = counts.iter().map(|(rule, alerts)| (day, rule, alerts, last)).collect();
    let count = sql!(
        "INSERT INTO rule_day (day, rule, alerts, last) SELECT * FROM ",
        row_list!("$1", 0 day BIGINT, 1 rule TEXT, 2 alerts BIGINT, 3 last BIGINT),
        " AS given WHERE TRUE ON CONFLICT (rule, day) DO UPDATE SET
             alerts = rule_day.alerts + excluded.alerts, last = excluded.last"
    );
    execute_list(conn, count, &rows).await
}

impl Store {
    /// Deletes the counts of days before `before`.
    pub async fn delete_days_before(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = UtcDay::of(before).0;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    execute(conn, "DELETE FROM feed_day WHERE day < $1", &[before]).await?;
                    execute(conn, "DELETE FROM rule_day WHERE day < $1", &[before]).await?;
                    Ok(())
                })
            })
            .await
    }
}

impl Archive {
    /// The days of `feed` since `since` with new items or failures.
    pub async fn feed_days(
        &mut self,
        feed: &FeedName,
        since: UtcDay,
    ) -> Result<BTreeMap<UtcDay, FeedDay>, StoreError> {
        let days = db::query("SELECT * FROM feed_day WHERE feed = $1 AND day >= $2");
        let rows = days.bind(&feed.0).bind(since.0).fetch_all(&mut self.conn).await?;
        let days = rows.iter().map(|row| {
            let (items, failures) = (read_count(row, "items")?, read_count(row, "failures")?);
            Ok((UtcDay(row.try_get("day")?), FeedDay { items, failures }))
        });
        Ok(days.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The days of these rules since `since`, by their names. A rule without an alert is left out.
    pub async fn rule_days(
        &mut self,
        rules: &[&str],
        since: UtcDay,
    ) -> Result<BTreeMap<String, RuleDays>, StoreError> {
        let days = db::query(sql!(
            "SELECT * FROM rule_day WHERE rule IN ",
            text_list!("$1"),
            " AND day >= $2 ORDER BY day"
        ));
        let rows = days.bind(SqlList::new(&rules)?).bind(since.0).fetch_all(&mut self.conn).await?;
        let mut found: BTreeMap<String, RuleDays> = BTreeMap::new();
        for row in &rows {
            let (day, last) = (UtcDay(row.try_get("day")?), read_time(row, "last")?);
            let empty = RuleDays { alerts: BTreeMap::new(), last };
            let days = found.entry(row.try_get("rule")?).or_insert(empty);
            days.alerts.insert(day, read_count(row, "alerts")?);
            days.last = last;
        }
        Ok(found)
    }

    /// How often each of these rules alerted until `today`, by its name. `rules` are names, each
    /// with the version of its present text.
    pub async fn rule_activity(
        &mut self,
        rules: &BTreeMap<String, String>,
        today: UtcDay,
    ) -> Result<BTreeMap<String, RuleActivity>, StoreError> {
        let rows = db::query(sql!(
            "SELECT given.rule, min(rule_version.stored_at) AS stored_at, max(rule_day.last) AS last,
                    CAST(coalesce(sum(CASE WHEN day > $2 THEN alerts END), 0) AS BIGINT) AS week,
                    CAST(coalesce(sum(CASE WHEN day > $3 THEN alerts END), 0) AS BIGINT) AS month
             FROM ",
            row_list!("$1", 0 rule TEXT, 1 version TEXT),
            " AS given LEFT JOIN rule_day ON rule_day.rule = given.rule
             LEFT JOIN rule_version ON rule_version.hash = given.version GROUP BY given.rule"
        ));
        let rows = rows.bind(SqlList::new(&rules.iter().collect::<Vec<_>>())?);
        let rows = rows.bind(today.minus(7).0).bind(today.minus(30).0);
        let rows = rows.fetch_all(&mut self.conn).await?;
        let activity = rows.iter().map(|row| {
            let activity = RuleActivity {
                alerts_7d: read_count(row, "week")?,
                alerts_30d: read_count(row, "month")?,
                held_30d: 0,
                last_alert: read_optional_time(row, "last")?,
                in_force_since: read_optional_time(row, "stored_at")?,
            };
            Ok((row.try_get("rule")?, activity))
        });
        let mut activity: BTreeMap<String, RuleActivity> =
            activity.collect::<Result<_, sqlx::Error>>()?;
        let held = db::query(
            "SELECT rule, count(*) AS alerts FROM alert WHERE held = TRUE AND created >= $1 GROUP BY rule",
        );
        let held = held.bind(to_millis(today.minus(29).start()));
        for row in held.fetch_all(&mut self.conn).await? {
            if let Some(activity) = activity.get_mut(row.try_get::<&str, _>("rule")?) {
                activity.held_30d = read_count(&row, "alerts")?;
            }
        }
        Ok(activity)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, item, settle_plan};
    use super::*;

    /// A midnight in UTC, in seconds of [`at_second`].
    const MIDNIGHT: i64 = 36_800;

    #[tokio::test]
    async fn items_and_alerts_are_counted_on_their_days_and_deleted_with_them() {
        let bench = Bench::new().await;
        let (midnight, day) = (MIDNIGHT, MIDNIGHT + 86_400);
        bench.poll("wire", midnight + 5, vec![item("a", settle_plan(&["arms", "oil"]))]).await;
        bench.poll("wire", day - 1, vec![item("b", settle_plan(&["arms"]))]).await;
        bench.poll("wire", day, vec![item("c", settle_plan(&["arms"]))]).await;
        // The same items again, and a copy in another feed.
        bench.poll("wire", day + 1, vec![item("c", settle_plan(&["arms"]))]).await;
        bench.poll("paper", day + 2, vec![item("c", settle_plan(&["arms"]))]).await;
        bench.fail_poll("wire", day + 3).await;

        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let (first, second) = (UtcDay::of(at_second(midnight)), UtcDay::of(at_second(day)));
        let wire = FeedName("wire".to_owned());
        let days = archive.feed_days(&wire, first).await.unwrap();
        let found: Vec<_> = days.iter().map(|(day, on)| (*day, on.items, on.failures)).collect();
        assert_eq!(found, [(first, 2, 0), (second, 1, 1)]);
        let rules = archive.rule_days(&["arms", "oil", "coal"], first).await.unwrap();
        let counts = |rule: &str| rules[rule].alerts.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(counts("arms"), [(first, 2), (second, 1)]);
        assert_eq!((counts("oil"), rules["oil"].last), (vec![(first, 1)], at_second(midnight + 5)));
        assert_eq!(rules.len(), 2, "a rule without alerts is left out");

        bench.store.delete_days_before(at_second(day + 5)).await.unwrap();
        assert_eq!(archive.feed_days(&wire, first).await.unwrap().len(), 1);
        let rules = archive.rule_days(&["arms", "oil"], first).await.unwrap();
        assert_eq!(rules.keys().collect::<Vec<_>>(), ["arms"]);
    }

    #[tokio::test]
    async fn the_alerts_of_a_rule_are_summed_by_week_and_month() {
        let bench = Bench::new().await;
        let day = |days: i64| MIDNIGHT + days * 86_400;
        for (key, days) in [("a", 0), ("b", 23), ("c", 24), ("d", 30)] {
            bench.poll("wire", day(days), vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let versions = vec![("hash".to_owned(), "when: arms".to_owned())];
        bench.store.record_rule_versions(versions, at_second(day(1))).await.unwrap();
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let names = |version: &str| {
            ["arms", "oil"].map(|rule| (rule.to_owned(), version.to_owned())).into()
        };
        let today = UtcDay::of(at_second(day(30)));
        let found = archive.rule_activity(&names("hash"), today).await.unwrap();
        let expected = RuleActivity {
            alerts_7d: 2,
            alerts_30d: 3,
            held_30d: 0,
            last_alert: Some(at_second(day(30))),
            in_force_since: Some(at_second(day(1))),
        };
        assert_eq!(found["arms"], expected);
        assert_eq!((found["oil"].alerts_30d, found["oil"].last_alert), (0, None));
        let found = archive.rule_activity(&names("other"), today).await.unwrap();
        assert_eq!(found["oil"], RuleActivity::default());
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        for (at, start) in [(0, 0), (86_399, 0), (86_400, 86_400), (-1, -86_400)] {
            let (at, start) = (at_second(MIDNIGHT + at), at_second(MIDNIGHT + start));
            assert_eq!(UtcDay::of(at).start(), start, "{at}");
        }
        let day = UtcDay::of(at_second(MIDNIGHT));
        assert_eq!(
            (day.minus(1).start(), UtcDay(i64::MAX).start()),
            (at_second(MIDNIGHT - 86_400), Timestamp::MAX)
        );
    }
}
