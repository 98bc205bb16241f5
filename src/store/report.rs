//! What a report of the service counts, and its messages.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::column::{read_count, to_millis};
use super::{Store, StoreError};
use crate::alerts::Receiver;
use crate::alerts::notice::{About, RuleCount, ServiceReport};
use crate::store::db;

impl Store {
    /// The number of alerts from `since` until `until`, and the rules that have the most of them.
    pub async fn count_alerts(
        &self,
        since: Timestamp,
        until: Timestamp,
        most_rules: u32,
    ) -> Result<(u64, Vec<RuleCount>), StoreError> {
        let rows = db::query(
            "SELECT rule, count(*) AS alerts FROM alert WHERE created >= $1 AND created < $2
             GROUP BY rule ORDER BY count(*) DESC, rule",
        )
        .bind(to_millis(since))
        .bind(to_millis(until))
        .fetch_all(&self.readers)
        .await?;
        let mut counts = Vec::with_capacity(rows.len());
        for row in &rows {
            let alerts = read_count(row, "alerts")?.into();
            counts.push(RuleCount { rule: row.try_get("rule")?, alerts });
        }
        let alerts = counts.iter().map(|one| one.alerts).sum();
        counts.truncate(most_rules as usize);
        Ok((alerts, counts))
    }

    /// The feeds of which items may have been missed, as was found from `since` until `until`.
    pub async fn feeds_with_gaps(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeSet<String>, StoreError> {
        let feeds = db::query_scalar(
            "SELECT DISTINCT feed FROM gap WHERE found_at >= $1 AND found_at < $2",
        );
        let feeds = feeds.bind(to_millis(since)).bind(to_millis(until));
        Ok(feeds.fetch_all(&self.readers).await?.into_iter().collect())
    }

    /// Creates a message of `report` for each of `audience` that has none of this time.
    pub async fn send_report(
        &self,
        report: ServiceReport,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = ServiceReport::key(report.until);
        self.send_notice(key, About::Report(report), audience, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, desk_receiver, item, settle_plan};
    use super::*;

    #[tokio::test]
    async fn alerts_are_counted_by_rule_within_the_time() {
        let bench = Bench::new().await;
        bench.poll("wire", 5, vec![item("a", settle_plan(&["arms", "oil"]))]).await;
        bench.poll("wire", 6, vec![item("b", settle_plan(&["arms"]))]).await;
        let count = async |since, until, most| {
            let counted = bench.store.count_alerts(at_second(since), at_second(until), most).await;
            let (alerts, rules) = counted.unwrap();
            let rules = rules.into_iter().map(|one| format!("{} {}", one.rule, one.alerts));
            (alerts, rules.collect::<Vec<_>>())
        };
        assert_eq!(count(0, 9, 9).await, (3, vec!["arms 2".to_owned(), "oil 1".to_owned()]));
        assert_eq!(count(0, 9, 1).await, (3, vec!["arms 2".to_owned()]));
        assert_eq!(count(6, 9, 9).await, (1, vec!["arms 1".to_owned()]));
        assert_eq!(count(0, 5, 9).await, (0, vec![]));
    }

    #[tokio::test]
    async fn a_receiver_gets_one_report_for_one_time() {
        let bench = Bench::new().await;
        let report: ServiceReport = serde_json::from_str(
            r#"{"kind": "report", "since": "2026-11-29T08:00:00Z", "until": "2026-11-30T08:00:00Z",
                "feeds": 1, "rules": 1, "alerts": 0, "matched": [], "failing": [], "unseen": []}"#,
        )
        .unwrap();
        for _ in 0..2 {
            let send = bench.store.send_report(report.clone(), vec![desk_receiver()], at_second(1));
            send.await.unwrap();
        }
        assert!(bench.store.was_notified(&ServiceReport::key(report.until)).await.unwrap());
        assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.unwrap(), "1");
    }
}
