//! When feeds were watched.

use jiff::Timestamp;

use super::column;
use super::dialect::sql;
use super::{FeedState, Store, StoreError};
use crate::store::db::{self, DbConnection, Sql};
use tidings_rules::condition::{SLOT, slot_of};

/// The most slots that one poll watched: a day.
const MOST_SLOTS: i64 = 144;

/// Notes what a good poll of a feed watched. Its state before the poll must still be stored. A poll
/// that came when it was due watched the time since the good poll before it. One that came late,
/// after an outage, or after a failure, watched only the slot in which it came.
pub(super) async fn note_poll(
    conn: &mut DbConnection<'_>,
    state: &FeedState,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if state.failures > 0 {
        return Ok(());
    }
    let before = db::query("SELECT last_good, next_poll, failures FROM feed WHERE name = $1");
    let before = before.bind(&state.name.0).fetch_optional(&mut *conn).await?;
    let mut first = slot_of(now);
    if let Some(before) = before {
        let last_good = column::read_optional_time(&before, "last_good")?;
        let due = column::read_optional_time(&before, "next_poll")?;
        let failures: i64 = before.try_get("failures")?;
        let in_time =
            due.and_then(|due| due.checked_add(SLOT).ok()).is_some_and(|last| now <= last);
        if let Some(last_good) = last_good.filter(|_| in_time && failures == 0) {
            first = slot_of(last_good).max(first - MOST_SLOTS).min(first);
        }
    }
    let slots: Vec<i64> = (first..=slot_of(now)).collect();
    column::execute_list(conn, WATCH, &slots).await
}

const WATCH: Sql = sql!(
    "INSERT INTO watched (slot) SELECT value FROM ",
    id_list!("$1"),
    " AS given WHERE TRUE ON CONFLICT (slot) DO NOTHING"
);

impl Store {
    /// Notes that feeds are watched at `now`, though none is polled.
    pub async fn record_watched(&self, now: Timestamp) -> Result<(), StoreError> {
        let slots = [slot_of(now)];
        self.writer
            .write(move |conn| {
                Box::pin(async move { column::execute_list(conn, WATCH, &slots).await })
            })
            .await
    }
}
