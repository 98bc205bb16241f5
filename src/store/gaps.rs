//! Times in which a feed may have had items that no poll saw.

use jiff::Timestamp;

use super::column::{execute, read_time, to_millis};
use super::{Archive, Store, StoreError};
use crate::store::db::{self, DbConnection};
use tidings_rules::story::FeedName;

/// A time in which a feed was not read. The next document after it had no known item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedGap {
    /// The last good poll before it.
    pub since: Timestamp,
    /// The oldest item of the document after it.
    pub until: Timestamp,
}

/// A gap that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastGap {
    /// The feed.
    pub feed: FeedName,
    /// The gap.
    pub gap: FeedGap,
    /// When it was found.
    pub found_at: Timestamp,
}

impl Store {
    /// Deletes gaps that were found before a time. Returns their number.
    pub async fn delete_gaps_before(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    execute(conn, "DELETE FROM gap WHERE found_at < $1", &[to_millis(before)]).await
                })
            })
            .await
    }
}

impl Archive {
    /// The gaps that were found at `since` or later, the latest first.
    pub async fn gaps_since(&mut self, since: Timestamp) -> Result<Vec<PastGap>, StoreError> {
        let rows = db::query(
            "SELECT * FROM gap WHERE found_at >= $1 ORDER BY found_at DESC, feed, since DESC",
        )
        .bind(to_millis(since))
        .fetch_all(&mut self.conn)
        .await?;
        let past = rows.iter().map(|row| {
            Ok(PastGap {
                feed: FeedName(row.try_get("feed")?),
                gap: FeedGap { since: read_time(row, "since")?, until: read_time(row, "until")? },
                found_at: read_time(row, "found_at")?,
            })
        });
        Ok(past.collect::<Result<_, sqlx::Error>>()?)
    }
}

/// Records a gap that a poll at `now` found.
pub(super) async fn record_gap(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    gap: FeedGap,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    db::query(
        "INSERT INTO gap (feed, since, until, found_at) VALUES ($1, $2, $3, $4) ON CONFLICT (feed, since) DO NOTHING",
    )
    .bind(&feed.0)
    .bind(to_millis(gap.since))
    .bind(to_millis(gap.until))
    .bind(to_millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, poll_record};
    use super::super::{Archive, PollRecord};
    use super::*;

    #[tokio::test]
    async fn gaps_are_kept_with_their_polls_and_listed_from_a_time_on() {
        let bench = Bench::new().await;
        for (feed, found, since, until) in
            [("wire", 10, 1, 8), ("paper", 20, 2, 19), ("wire", 20, 12, 20)]
        {
            let gap = Some(FeedGap { since: at_second(since), until: at_second(until) });
            bench
                .store
                .record_poll(PollRecord { gap, ..poll_record(feed, found, vec![]) })
                .await
                .unwrap();
        }
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let found = archive.gaps_since(at_second(11)).await.unwrap();
        let found_values: Vec<_> = found
            .iter()
            .map(|past| (past.feed.0.as_str(), past.gap.since, past.gap.until))
            .collect();
        assert_eq!(
            found_values,
            [("paper", at_second(2), at_second(19)), ("wire", at_second(12), at_second(20))]
        );
        assert_eq!(archive.gaps_since(at_second(0)).await.unwrap().len(), 3);

        assert_eq!(bench.store.delete_gaps_before(at_second(20)).await.unwrap(), 1);
        assert_eq!(archive.gaps_since(at_second(0)).await.unwrap(), found);
    }
}
