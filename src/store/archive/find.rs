//! One story of the store, with its status and its alerts.

use jiff::Timestamp;

use super::{Archive, StoredStory};
use crate::alerts::RuleMatch;
use crate::alerts::condition_state::ConditionState;
use crate::store::column::{self, read_optional_time, read_time};
use crate::store::db::{self, DbRow};
use crate::store::status::story_status_from_row;
use crate::store::{StoreError, StoredStatus};
use tidings_rules::story::WatchlistRow;

/// A story of the store with its status and its alerts.
#[derive(Debug)]
pub struct StoryRecord {
    /// The story, with the text that rules read.
    pub stored: StoredStory,
    /// The id of its event.
    pub event: String,
    /// When its texts were deleted because of `retain`; `None` if they are kept.
    pub purged: Option<Timestamp>,
    /// Its status.
    pub status: StoredStatus,
    /// The rules that alerted, in order of time.
    pub alerts: Vec<Alerted>,
}

/// A rule that alerted for a story.
#[derive(Debug)]
pub struct Alerted {
    /// Its name.
    pub rule: String,
    /// The row, of a rule with `each`. If its label is no longer kept, its id stands for it.
    pub row: Option<WatchlistRow>,
    /// SHA-256 of the rule's text at that time, in hex.
    pub version: String,
    /// The time of the alert.
    pub created: Timestamp,
    /// Whether its rule's condition holds it.
    pub held: bool,
    /// How far its rule's condition was met then, of a rule with one. `None` if it is not kept.
    pub condition: Option<ConditionState>,
}

impl Archive {
    /// The newest story with the id `name`, or with the address `name` or its normal form `link`.
    pub async fn find_story(
        &mut self,
        name: &str,
        link: Option<&str>,
    ) -> Result<Option<StoryRecord>, StoreError> {
        let row = db::query(
            "SELECT *, coalesce(body, feed_text) AS text FROM story WHERE id IN (
                 SELECT id FROM story WHERE uid = $1
                 UNION ALL SELECT story FROM feed_entry WHERE link = $2
                 UNION ALL SELECT story FROM feed_entry WHERE url = $1 AND link IS NULL)
             ORDER BY id DESC LIMIT 1",
        )
        .bind(name)
        .bind(link)
        .fetch_optional(&mut self.conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let stored = super::stories_from_rows(&mut self.conn, std::slice::from_ref(&row)).await?;
        let Some(stored) = stored.into_iter().next() else { return Ok(None) };
        let alerts = db::query(
            "SELECT rule, dedup_key, version, created, held, rule_match, purged FROM alert WHERE story = $1 ORDER BY id",
        )
        .bind(stored.id.0)
        .fetch_all(&mut self.conn)
        .await?;
        let alerts = alerts.iter().map(|alert| {
            let rule_match = read_match(alert)?;
            Ok(Alerted {
                rule: alert.try_get("rule")?,
                row: read_row(alert, rule_match.as_ref())?,
                version: alert.try_get("version")?,
                created: read_time(alert, "created")?,
                held: alert.try_get("held")?,
                condition: rule_match.and_then(|one| one.condition),
            })
        });
        Ok(Some(StoryRecord {
            event: row.try_get("event")?,
            stored,
            purged: read_optional_time(&row, "purged")?,
            status: StoredStatus {
                status: story_status_from_row(&row)?,
                why: row.try_get("status_why")?,
            },
            alerts: alerts.collect::<Result<_, sqlx::Error>>()?,
        }))
    }
}

/// The match of an alert, if it is kept.
fn read_match(alert: &DbRow) -> Result<Option<RuleMatch>, sqlx::Error> {
    let is_kept = read_optional_time(alert, "purged")?.is_none();
    is_kept.then(|| column::read_json(alert, "rule_match")).transpose()
}

/// The row that an alert is about.
fn read_row(
    alert: &DbRow,
    rule_match: Option<&RuleMatch>,
) -> Result<Option<WatchlistRow>, sqlx::Error> {
    let id: String = alert.try_get("dedup_key")?;
    if id.is_empty() {
        return Ok(None);
    }
    Ok(match rule_match {
        Some(rule_match) => rule_match.row.clone(),
        None => Some(WatchlistRow { label: id.clone(), id }),
    })
}

#[cfg(test)]
mod tests {
    use crate::store::fixture::{Bench, item, match_result, settle_plan};
    use crate::store::{Archive, ItemRecord, StoryPlan};

    use super::*;
    use crate::lifecycle::story::StoryStatus;

    fn stored(status: StoryStatus, why: Option<&str>) -> StoredStatus {
        StoredStatus { status, why: why.map(str::to_owned) }
    }

    #[tokio::test]
    async fn a_story_is_found_by_its_id_and_its_links_with_what_became_of_it() {
        let bench = Bench::new().await;
        let too_old = StoryPlan::Record("too old".to_owned());
        let items = vec![
            item("a", settle_plan(&["r", "s"])),
            item("b", too_old),
            item("c", StoryPlan::ReadPage),
        ];
        bench.poll("wire", 0, items).await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let (name, link) = ("https://example.org/a?utm_source=feed", "http://example.org/a");
        let kept = archive.find_story(name, Some(link)).await.unwrap().expect("it is kept");
        let rules: Vec<&str> = kept.alerts.iter().map(|alert| alert.rule.as_str()).collect();
        assert_eq!(
            (kept.status, kept.stored.read.clone(), rules),
            (stored(StoryStatus::Matched, None), Some(match_result(&[]).read), vec!["r", "s"])
        );
        let again = archive.find_story(&kept.stored.uid, None).await.unwrap().expect("it is kept");
        assert_eq!(again.stored, kept.stored);
        for (link, status) in [
            ("b", stored(StoryStatus::Recorded, Some("too old"))),
            ("c", stored(StoryStatus::AwaitsPage, None)),
        ] {
            let link = format!("http://example.org/{link}");
            let kept = archive
                .find_story("another spelling", Some(&link))
                .await
                .unwrap()
                .expect("it is kept");
            assert_eq!(kept.status, status);
        }
        assert!(
            archive
                .find_story("https://example.org/z", Some("http://example.org/z"))
                .await
                .unwrap()
                .is_none()
        );

        let file = ItemRecord {
            link: None,
            url: Some("file:///news/1".to_owned()),
            ..item("d", settle_plan(&[]))
        };
        bench.poll("wire", 1, vec![file]).await;
        assert!(archive.find_story("file:///news/1", None).await.unwrap().is_some());
    }
}
