//! What rules covered in a time: the events behind their alerts, and the feeds that carried them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::column::{read_final_extent, read_optional_time, read_time, to_millis};
use super::dialect::sql;
use super::{Archive, StoreError};
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use tidings_rules::story::{FeedName, Read};

/// The most alerts that are read of one time, the newest first.
pub const MOST_COVERED: usize = 20_000;

/// An alert, as far as its coverage goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredAlert {
    /// The rule.
    pub rule: String,
    /// The event of its story.
    pub event: String,
    /// How much was matched.
    pub read: Read,
    /// The language of its story.
    pub lang: Option<String>,
    /// When its story was published, as its feed says.
    pub published: Option<Timestamp>,
    /// When a poll first saw its story.
    pub first_seen: Timestamp,
    /// When a message with it was first delivered.
    pub sent: Option<Timestamp>,
    /// The feed that had the event first; `None` if its entry was deleted.
    pub first_feed: Option<FeedName>,
}

/// What rules covered in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoveredAlerts {
    /// The alerts, oldest first; at most [`MOST_COVERED`].
    pub alerts: Vec<CoveredAlert>,
    /// The feeds that carried their stories, by rule.
    pub feeds: BTreeMap<String, BTreeSet<FeedName>>,
}

impl Archive {
    /// The alerts of these rules that were recorded from `since` on and before `until`.
    pub async fn covered_alerts(
        &mut self,
        rules: &[&str],
        since: Timestamp,
        until: Timestamp,
    ) -> Result<CoveredAlerts, StoreError> {
        let ids = find_ids(&mut self.conn, rules, since, until).await?;
        let rows = db::query(sql!(
            "SELECT alert.rule, alert.read, alert.read_why, story.event, story.lang, story.published, story.first_seen,
                    (SELECT feed FROM story AS first JOIN feed_entry ON feed_entry.story = first.id
                     WHERE first.uid = story.event ORDER BY seen, feed LIMIT 1) AS first_feed,
                    (SELECT min(attempt.ended) FROM message_alert JOIN attempt ON attempt.message = message_alert.message
                     WHERE message_alert.alert = alert.id AND attempt.outcome = 'sent') AS sent
             FROM alert JOIN story ON story.id = alert.story WHERE alert.id IN ",
            id_list!("$1"),
            " ORDER BY alert.id"
        ));
        let rows = rows.bind(&ids).fetch_all(&mut self.conn).await?;
        let alert = |row: &DbRow| {
            Ok(CoveredAlert {
                rule: row.try_get("rule")?,
                event: row.try_get("event")?,
                read: read_final_extent(row)?,
                lang: row.try_get("lang")?,
                published: read_optional_time(row, "published")?,
                first_seen: read_time(row, "first_seen")?,
                sent: read_optional_time(row, "sent")?,
                first_feed: row.try_get::<Option<String>, _>("first_feed")?.map(FeedName),
            })
        };
        let alerts = rows.iter().map(alert).collect::<Result<_, sqlx::Error>>()?;
        let feeds: Vec<(String, String)> = db::query_as(sql!(
            "SELECT DISTINCT alert.rule, feed_entry.feed
             FROM alert JOIN feed_entry ON feed_entry.story = alert.story WHERE alert.id IN ",
            id_list!("$1")
        ))
        .bind(&ids)
        .fetch_all(&mut self.conn)
        .await?;
        let mut covered = CoveredAlerts { alerts, feeds: BTreeMap::new() };
        for (rule, feed) in feeds {
            covered.feeds.entry(rule).or_default().insert(FeedName(feed));
        }
        Ok(covered)
    }
}

/// The newest alerts of these rules in a time, as a list of ids.
async fn find_ids(
    conn: &mut DbConnection<'_>,
    rules: &[&str],
    since: Timestamp,
    until: Timestamp,
) -> Result<SqlList, sqlx::Error> {
    let span: (Option<i64>, Option<i64>) =
        db::query_as("SELECT min(id), max(id) FROM alert WHERE created >= $1 AND created < $2")
            .bind(to_millis(since))
            .bind(to_millis(until))
            .fetch_one(&mut *conn)
            .await?;
    let (Some(oldest), Some(newest)) = span else { return SqlList::new::<[i64; 0]>(&[]) };
    let ids = db::query_scalar(sql!(
        "SELECT id FROM alert WHERE id >= $1 AND id <= $2 AND rule IN ",
        text_list!("$3"),
        " ORDER BY id DESC LIMIT $4"
    ));
    let ids = ids.bind(oldest).bind(newest).bind(SqlList::new(&rules)?);
    let most = i64::try_from(MOST_COVERED).unwrap_or(i64::MAX);
    let ids: Vec<i64> = ids.bind(most).fetch_all(conn).await?;
    SqlList::new(&ids)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, desk_receiver, item, settle_plan};
    use super::*;
    use crate::alerts::retry::Finish;

    #[tokio::test]
    async fn alerts_come_with_who_was_first_and_when_they_were_sent() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms", "oil"]))]).await;
        bench.poll("paper", 5, vec![item("a", settle_plan(&["arms"]))]).await;
        bench.poll("paper", 90, vec![item("b", settle_plan(&["arms"]))]).await;
        let run = bench.start_run(&[desk_receiver()]).await;
        let lease = bench.lease_at_most(run, "desk", 1, 7, super::super::fixture::render_as_json());
        let lease = lease.await.remove(0);
        assert!(bench.finish_attempt(run, &lease, Finish::Sent("250".to_owned()), 8).await);

        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let covered = archive.covered_alerts(&["arms"], at_second(0), at_second(60)).await.unwrap();
        let [alert] = &covered.alerts[..] else { panic!("{covered:?}") };
        assert_eq!((alert.rule.as_str(), alert.sent), ("arms", Some(at_second(8))));
        assert_eq!(alert.first_feed, Some(FeedName("wire".to_owned())));
        let feeds = ["paper", "wire"].map(|name| FeedName(name.to_owned()));
        assert_eq!(covered.feeds["arms"], feeds.into());
        let later =
            archive.covered_alerts(&["arms", "oil"], at_second(60), at_second(99)).await.unwrap();
        assert_eq!((later.alerts.len(), later.alerts[0].sent), (1, None));
        let none = archive.covered_alerts(&["arms"], at_second(99), at_second(999)).await.unwrap();
        assert_eq!(none, CoveredAlerts::default());
    }
}
