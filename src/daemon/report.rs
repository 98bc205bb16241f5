//! Sends a report of the service at the times that the configuration sets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::alerts::Receiver;
use crate::alerts::notice::{ReportKind, ServiceReport};
use crate::clock::{later, now};
use crate::config::{Config, ReportTimes};
use crate::daemon::feed_health;
use crate::daemon::in_force::{InForce, Shared};
use crate::daemon::scheduler::Chore;
use crate::daemon::wakeups::Wakeups;
use crate::queries::attention;
use crate::store::{Store, StoreError};

/// How late a report may be, because nothing ran when it was due.
const LATEST: Duration = Duration::from_hours(12);

/// The most rules that are named.
const MOST_RULES: u32 = 20;

/// The days of two weeks: a report may be weekly.
const DAYS: i32 = 14;

/// The reports of a run.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    pub(super) store: Store,
    pub(super) in_force: Shared,
    pub(super) wakeups: Arc<Wakeups>,
}

impl Chore for Reports {
    const FAILED: &'static str = "the report cannot be made";
    const EVERY: Option<Duration> = Some(Duration::from_secs(20));

    async fn run(self) -> Result<(), StoreError> {
        let in_force = self.in_force.load_full();
        let Some(times) = &in_force.config.report else { return Ok(()) };
        let at = now();
        let Some((since, until)) = due_times(times, &in_force.config.zone, at) else {
            return Ok(());
        };
        let key = ServiceReport::key(until);
        if later(until, LATEST) < at || self.store.was_notified(&key).await? {
            return Ok(());
        }
        let report = make_report(&self.store, &in_force, since, until).await?;
        self.store.send_report(report, receivers(&in_force.config, times), at).await?;
        self.wakeups.message_due.notify_one();
        Ok(())
    }
}

/// The last time at which a report was due until `now`, and the one before it.
fn due_times(
    times: &ReportTimes,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let is_reported = |weekday: Weekday| times.days.iter().any(|day| day.is_weekday(weekday));
    let due = |date: Date| {
        let at = date.to_datetime(times.at).to_zoned_datetime(zone.clone()).ok()?;
        Some(at.timestamp()).filter(|_| is_reported(date.weekday()))
    };
    let mut due = (0..=DAYS)
        .filter_map(|days| due(today.checked_sub(days.days()).ok()?))
        .filter(|due| *due <= now);
    let until = due.next()?;
    Some((due.next()?, until))
}

async fn make_report(
    store: &Store,
    in_force: &InForce,
    since: Timestamp,
    until: Timestamp,
) -> Result<ServiceReport, StoreError> {
    let status = store.service_status().await?;
    let stored = store.feed_states().await?;
    let config = &in_force.config;
    let names: BTreeSet<_> = config.feeds.iter().map(|feed| &feed.name).collect();
    let watched = stored.iter().filter(|state| names.contains(&state.name));
    let (alerts, matched) = store.count_alerts(since, until, MOST_RULES).await?;
    let gaps: BTreeSet<String> = store.feeds_with_gaps(since, until).await?;
    Ok(ServiceReport {
        kind: ReportKind::Report,
        since,
        until,
        feeds: config.feeds.len(),
        rules: in_force.rules.count(),
        alerts,
        matched,
        failing: attention::describe(watched, &status, now()),
        unseen: gaps.into_iter().collect(),
    })
}

/// The receivers of the report.
fn receivers(config: &Config, times: &ReportTimes) -> Vec<Receiver> {
    match &times.to {
        Some(names) => feed_health::receivers_of(config, names),
        None => feed_health::default_receivers(config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_rules::story::delivery::{Day, time_of_day};

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn a_report_is_due_at_its_time_on_its_days_in_the_zone() {
        let times = ReportTimes {
            at: time_of_day("08:00").expect("a time"),
            days: Day::span("mon-fri").expect("days"),
            to: None,
        };
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        // 2026-11-30 is a Monday.
        for (now, since, until) in [
            ("2026-11-30T06:59:59Z", "2026-11-26T07:00:00Z", "2026-11-27T07:00:00Z"),
            ("2026-11-30T07:00:00Z", "2026-11-27T07:00:00Z", "2026-11-30T07:00:00Z"),
            ("2026-12-01T09:00:00Z", "2026-11-30T07:00:00Z", "2026-12-01T07:00:00Z"),
            // The clock is put back on 2026-10-25.
            ("2026-10-26T12:00:00Z", "2026-10-23T06:00:00Z", "2026-10-26T07:00:00Z"),
        ] {
            assert_eq!(due_times(&times, &zone, at(now)), Some((at(since), at(until))), "{now}");
        }
        let weekly = ReportTimes { days: Day::span("mon").expect("a day"), ..times };
        assert_eq!(
            due_times(&weekly, &zone, at("2026-12-06T00:00:00Z")),
            Some((at("2026-11-23T07:00:00Z"), at("2026-11-30T07:00:00Z")))
        );
    }
}
