//! Settled stories whose page is due for a recheck, and the results of rechecks.

use jiff::Timestamp;

use super::column;
use super::dialect::sql;
use super::story_changes::EventData;
use super::{RecheckDue, RecheckResult, Store, StoreError, StoryId};
use crate::shares::OwnShares;
use crate::store::db::DbRow;
use tidings_rules::story::FeedEntry;

impl Store {
    /// Stories of these shares whose recheck is due at `now`, without those in `in_flight`; longest
    /// due first, at most `limit`. None of them waits.
    pub async fn due_rechecks(
        &self,
        now: Timestamp,
        in_flight: &[StoryId],
        shares: &OwnShares,
        limit: u32,
    ) -> Result<Vec<RecheckDue>, StoreError> {
        let due = sql!(
            "SELECT *, coalesce(body, feed_text) AS text FROM story
             WHERE recheck_at <= $1 AND status IN ('matched', 'unmatched') AND purged IS NULL AND id NOT IN ",
            id_list!("$2"),
            " AND (CAST($4 AS TEXT) IS NULL OR share IN ",
            id_list!("$4"),
            ") ORDER BY recheck_at, id LIMIT $3"
        );
        self.find_due_stories(due, now, in_flight, shares, limit, recheck_from_row).await
    }

    /// When the next recheck of these shares is due, without those in `in_flight`.
    pub async fn next_recheck(
        &self,
        in_flight: &[StoryId],
        shares: &OwnShares,
    ) -> Result<Option<Timestamp>, StoreError> {
        let due = sql!(
            "SELECT recheck_at FROM story
             WHERE recheck_at IS NOT NULL AND status IN ('matched', 'unmatched') AND purged IS NULL AND id NOT IN ",
            id_list!("$1"),
            " AND (CAST($2 AS TEXT) IS NULL OR share IN ",
            id_list!("$2"),
            ") ORDER BY recheck_at LIMIT 1"
        );
        self.find_next_due(due, in_flight, shares).await
    }

    /// Records the result of a recheck in one transaction. A changed text is a new revision: only
    /// rules that have not alerted yet alert. Writes nothing and returns `false` if the story has a
    /// newer revision by now, or waits.
    pub async fn record_recheck(
        &self,
        story: StoryId,
        revision: i64,
        result: RecheckResult,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_revision(story, revision, EventData::Rechecked(result), now).await
    }
}

fn recheck_from_row(
    id: StoryId,
    row: &DbRow,
    feed_entries: Vec<FeedEntry>,
) -> Result<RecheckDue, sqlx::Error> {
    Ok(RecheckDue {
        id,
        revision: row.try_get("revision")?,
        story: column::story_from_row(row)?,
        feed_text: row.try_get("feed_text")?,
        feed_entries,
        fetches: column::read_count(row, "page_fetches")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, final_text, item, match_result};
    use super::super::{FinalText, StoryPlan};
    use super::*;

    /// A story that matched `rules` on its page at 1, which is due for a recheck at 60.
    async fn settled(bench: &Bench, rules: &[&str]) -> RecheckDue {
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let waiting = bench.waiting_stories(0).await.remove(0);
        let settled = FinalText {
            recheck_at: Some(at_second(60)),
            ..final_text("The page.", match_result(rules))
        };
        assert!(
            bench
                .store
                .settle_story(waiting.id, waiting.revision, settled, at_second(1))
                .await
                .unwrap()
        );
        bench.store.due_rechecks(at_second(60), &[], &OwnShares::All, 9).await.unwrap().remove(0)
    }

    fn changed(body: &str, rules: &[&str], next: Option<i64>) -> RecheckResult {
        RecheckResult {
            change: Some((body.to_owned(), match_result(rules))),
            fetches: 1,
            next_recheck: next.map(at_second),
        }
    }

    #[tokio::test]
    async fn a_page_is_due_again_when_it_was_said_and_not_before() {
        let bench = Bench::new().await;
        let due = settled(&bench, &[]).await;
        assert_eq!(
            (due.story.body.as_str(), due.feed_text.as_str(), due.fetches),
            ("The page.", "Teaser.", 1)
        );
        assert_eq!(due.feed_entries.len(), 1);
        assert_eq!(
            bench.store.due_rechecks(at_second(59), &[], &OwnShares::All, 9).await.unwrap(),
            []
        );
        assert_eq!(
            bench.store.due_rechecks(at_second(60), &[due.id], &OwnShares::All, 9).await.unwrap(),
            []
        );
        assert_eq!(
            bench.store.next_recheck(&[], &OwnShares::All).await.unwrap(),
            Some(at_second(60))
        );
        assert_eq!(bench.store.next_recheck(&[due.id], &OwnShares::All).await.unwrap(), None);

        let unchanged =
            RecheckResult { change: None, fetches: 1, next_recheck: Some(at_second(90)) };
        assert!(
            bench
                .store
                .record_recheck(due.id, due.revision, unchanged, at_second(61))
                .await
                .unwrap()
        );
        assert_eq!(
            bench.store.due_rechecks(at_second(89), &[], &OwnShares::All, 9).await.unwrap(),
            []
        );
        let again = bench
            .store
            .due_rechecks(at_second(90), &[], &OwnShares::All, 9)
            .await
            .unwrap()
            .remove(0);
        assert_eq!((again.fetches, again.revision), (2, due.revision));
    }

    #[tokio::test]
    async fn an_edit_behind_an_unchanged_item_alerts_only_for_rules_that_have_not_alerted() {
        let bench = Bench::new().await;
        let due = settled(&bench, &["arms"]).await;
        let edit = changed("The page, edited.", &["arms", "oil"], None);
        assert!(
            bench.store.record_recheck(due.id, due.revision, edit, at_second(61)).await.unwrap()
        );
        let rule_revisions = "SELECT group_concat(rule || ' ' || revision, ', ') FROM (SELECT * FROM alert ORDER BY id) AS one";
        assert_eq!(bench.query_text(rule_revisions).await.as_deref(), Some("arms 1, oil 2"));
        let row =
            "SELECT status || ', ' || body || ', ' || revision || ', ' || page_fetches FROM story";
        assert_eq!(
            bench.query_text(row).await.as_deref(),
            Some("matched, The page, edited., 2, 2")
        );
        assert_eq!(bench.store.next_recheck(&[], &OwnShares::All).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_edit_of_the_item_overtakes_a_recheck_in_flight() {
        let bench = Bench::new().await;
        let due = settled(&bench, &[]).await;
        bench.poll("wire", 61, vec![item("a", StoryPlan::ReadPage)]).await;
        let late = changed("Old.", &["arms"], None);
        assert!(
            !bench.store.record_recheck(due.id, due.revision, late, at_second(62)).await.unwrap()
        );
        assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 0);
        assert_eq!(
            bench.store.due_rechecks(at_second(99), &[], &OwnShares::All, 9).await.unwrap(),
            [],
            "what waits for its page is fetched anyway"
        );
    }
}
