//! Reads the notification of a message: its alerts, and every copy of its event.

use std::collections::HashMap;

use jiff::Timestamp;

use super::dialect::sql;
use super::outbox::OpenContent;
use super::{column, digest};
use crate::alerts::copies::CopyUpdate;
use crate::alerts::digest::Digest;
use crate::alerts::{Content, Notification};
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use crate::store::feed_entries;
use tidings_rules::story::{FeedEntry, Read};

/// The contents of the messages in these rows, which are first sent at `now`.
pub(super) async fn read_contents(
    conn: &mut DbConnection<'_>,
    rows: &[DbRow],
    now: Timestamp,
) -> Result<Vec<OpenContent>, sqlx::Error> {
    let mut events = read_event_contents(conn, rows).await?;
    let digests = rows.iter().filter(|row| !matches!(column::is_null(row, "digest"), Ok(true)));
    let digests: Vec<i64> = digests.map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let mut digests = digest::read_stories(conn, &digests).await?;
    let mut contents = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.try_get("id")?;
        let content = match (events.remove(&id), column::read_optional_json(row, "digest")?) {
            (Some(content), _) => content,
            (None, Some(reason)) => {
                let part = column::read_optional_json(row, "part")?;
                let stories = digests.remove(&id).unwrap_or_default();
                // A digest that is not split yet is divided if it is too large.
                let parts = if part.is_none() { stories.divide() } else { Vec::new() };
                if parts.len() > 1 {
                    contents.push(OpenContent::Parts(parts));
                    continue;
                }
                Content::Digest(Digest::new(reason, part, stories.into_groups()))
            }
            (None, None) => column::read_json(row, "notification")?,
        };
        contents.push(OpenContent::Whole(Box::new(Notification {
            id: row.try_get("uid")?,
            created: column::read_time(row, "created")?,
            sent: now,
            desk: None,
            content,
        })));
    }
    Ok(contents)
}

/// The contents of those messages that are about an event, by their ids.
async fn read_event_contents(
    conn: &mut DbConnection<'_>,
    rows: &[DbRow],
) -> Result<HashMap<i64, Content>, sqlx::Error> {
    let mut events: Vec<(i64, String)> = Vec::new();
    for row in rows {
        if let Some(event) = row.try_get("event")? {
            events.push((row.try_get("id")?, event));
        }
    }
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let messages: Vec<i64> = events.iter().map(|(message, _)| *message).collect();
    let alerts = db::query(
        sql!("SELECT message_alert.message, alert.id, alert.rule_match, alert.read, alert.read_why, alert.copy_update,
                story.title, story.opening, story.url, story.published, story.first_seen, story.lang
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message IN ", id_list!("$1"), " ORDER BY alert.rule, alert.dedup_key"),
    )
    .bind(SqlList::new(&messages)?)
    .fetch_all(&mut *conn)
    .await?;
    let mut alerts_of: HashMap<i64, Vec<&DbRow>> = HashMap::new();
    for alert in &alerts {
        alerts_of.entry(alert.try_get("message")?).or_default().push(alert);
    }
    let names: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
    let copies = feed_entries::read_entries_of_events(conn, &names).await?;
    let contents = events.into_iter().map(|(id, event)| {
        let copies = copies.get(&event).cloned().unwrap_or_default();
        let alerts = alerts_of.remove(&id).unwrap_or_default();
        Ok((id, alert_content(event, &alerts, copies)?))
    });
    contents.collect()
}

/// The content of a message with these alerts.
fn alert_content(
    event: String,
    alerts: &[&DbRow],
    feeds: Vec<FeedEntry>,
) -> Result<Content, sqlx::Error> {
    let first = alerts
        .iter()
        .min_by_key(|row| row.try_get::<i64, _>("id").unwrap_or(i64::MAX))
        .ok_or(sqlx::Error::RowNotFound)?;
    Ok(Content::Alert {
        story: column::summary_from_row(first)?,
        read: find_widest_extent(alerts)?,
        feeds,
        update: read_update(alerts)?,
        rules: alerts
            .iter()
            .map(|row| column::read_json(row, "rule_match"))
            .collect::<Result<_, _>>()?,
        event,
    })
}

/// The addition of the message's story to its event, if it is an update.
fn read_update(alerts: &[&DbRow]) -> Result<Option<CopyUpdate>, sqlx::Error> {
    let mut updates =
        alerts.iter().map(|row| column::read_optional_json(row, "copy_update").transpose());
    updates.find_map(|update| update).transpose()
}

/// The most that was read for one of the alerts. One feed may have a whole text, and another a
/// teaser.
fn find_widest_extent(alerts: &[&DbRow]) -> Result<Read, sqlx::Error> {
    let extents = alerts.iter().map(|row| column::read_final_extent(row));
    let extents: Vec<Read> = extents.collect::<Result<_, _>>()?;
    let lack = |read: &Read| match read {
        Read::Full => 0,
        Read::Partial(_) => 1,
        Read::Teaser(_) => 2,
    };
    extents.into_iter().min_by_key(lack).ok_or(sqlx::Error::RowNotFound)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification,
        settle_plan,
    };
    use super::super::{ItemRecord, MatchResult, StoryPlan};
    use super::*;
    use crate::alerts::StorySummary;

    async fn only_notification(bench: &Bench) -> Notification {
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 100).await;
        assert_eq!(leases.len(), 1);
        let notification = parse_notification(&leases[0].payload);
        assert_eq!(notification.id, leases[0].id);
        let created = bench.query_text("SELECT created || '' FROM message").await.unwrap();
        assert_eq!(notification.created.as_millisecond().to_string(), created);
        notification
    }

    #[tokio::test]
    async fn it_holds_the_story_the_rules_by_name_and_the_feeds_by_age() {
        let bench = Bench::new().await;
        bench.poll("wire", 3, vec![item("a", settle_plan(&["oil", "arms"]))]).await;
        // The same story twice in one feed is one copy.
        let again = ItemRecord {
            key: crate::feed::identity::ItemKey("a2".to_owned()),
            ..item("a", settle_plan(&[]))
        };
        bench.poll("paper", 4, vec![item("a", settle_plan(&[])), again]).await;
        let notification = only_notification(&bench).await;
        assert_eq!(notification.created, at_second(3));
        let Content::Alert { event, story, read, feeds, rules, update } = notification.content
        else {
            panic!("not an alert")
        };
        assert_eq!(event, bench.query_text("SELECT uid FROM story").await.unwrap());
        let url = Some("https://example.org/arms".to_owned());
        let (published, lang) = (Some(at_second(-60)), Some("en-GB".to_owned()));
        assert_eq!(
            story,
            StorySummary {
                title: "a".to_owned(),
                opening: None,
                url,
                published,
                first_seen: at_second(0),
                lang
            }
        );
        assert_eq!((read, update), (Read::Full, None));
        assert_eq!(rules, ["arms", "oil"].map(|rule| new_alert(rule, &[]).rule_match));
        let feeds: Vec<_> = feeds.iter().map(|seen| (seen.feed.0.as_str(), seen.seen)).collect();
        assert_eq!(feeds, [("wire", at_second(3)), ("paper", at_second(4))]);
    }

    #[tokio::test]
    async fn it_says_the_most_that_any_of_its_matches_read() {
        let teaser = || Read::Teaser("the page answered 403 Forbidden".to_owned());
        let partial = || Read::Partial("the page is behind a paywall".to_owned());
        for (first, second, expected) in [
            (teaser(), teaser(), teaser()),
            (teaser(), Read::Full, Read::Full),
            (Read::Full, teaser(), Read::Full),
            (teaser(), partial(), partial()),
            (partial(), teaser(), partial()),
            (partial(), Read::Full, Read::Full),
            (Read::Full, partial(), Read::Full),
        ] {
            let bench = Bench::new().await;
            let plan =
                |rule, read| StoryPlan::Settle(MatchResult { read, ..match_result(&[rule]) });
            bench.poll("wire", 0, vec![item("a", plan("arms", first))]).await;
            bench.poll("paper", 1, vec![item("a", plan("oil", second))]).await;
            let Content::Alert { read, .. } = only_notification(&bench).await.content else {
                panic!("not an alert")
            };
            assert_eq!(read, expected);
        }
    }
}
