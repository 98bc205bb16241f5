//! Gathers what a message says: every rule that it tells of its event, and every copy of it.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{column, digest};
use crate::alert::{Content, Head, Letter};
use crate::story::{Read, Sighting};

/// What the message of this row says now.
pub(super) async fn gather(conn: &mut SqliteConnection, row: &SqliteRow) -> Result<Letter, sqlx::Error> {
    let id = row.try_get("id")?;
    let content = if let Some(event) = row.try_get("event")? {
        alert(conn, id, event).await?
    } else if row.try_get::<Option<&str>, _>("digest")?.is_some() {
        Content::Digest(digest::gather(conn, id, column::json(row, "digest")?).await?)
    } else {
        column::json(row, "said")?
    };
    Ok(Letter { id: row.try_get("uid")?, created: column::time(row, "created")?, content })
}

async fn alert(conn: &mut SqliteConnection, message: i64, event: String) -> Result<Content, sqlx::Error> {
    let alerts = sqlx::query(
        "SELECT alert.told, alert.read, alert.read_why FROM message_alert JOIN alert ON alert.id = message_alert.alert
         WHERE message_alert.message = $1 ORDER BY alert.rule, alert.occasion",
    )
    .bind(message)
    .fetch_all(&mut *conn)
    .await?;
    Ok(Content::Alert {
        story: head(conn, message).await?,
        read: most_read(&alerts)?,
        feeds: feeds(conn, &event).await?,
        rules: alerts.iter().map(|row| column::json(row, "told")).collect::<Result<_, _>>()?,
        event,
    })
}

/// The head of the story that the message's first alert is about.
async fn head(conn: &mut SqliteConnection, message: i64) -> Result<Head, sqlx::Error> {
    let row = sqlx::query(
        "SELECT story.title, story.url, story.published, story.first_seen, story.lang
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message = $1 ORDER BY alert.id LIMIT 1",
    )
    .bind(message)
    .fetch_one(conn)
    .await?;
    column::head(&row)
}

/// The copies of the event's stories, first seen first.
async fn feeds(conn: &mut SqliteConnection, event: &str) -> Result<Vec<Sighting>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT sighting.feed, sighting.url, sighting.seen, sighting.story FROM sighting JOIN story ON story.id = sighting.story
         WHERE story.event = $1 ORDER BY sighting.seen, sighting.feed, sighting.key",
    )
    .bind(event)
    .fetch_all(conn)
    .await?;
    column::sightings(&rows)
}

/// The whole text, if any of the alerts saw it: one feed may give in full what another only hints at.
fn most_read(alerts: &[SqliteRow]) -> Result<Read, sqlx::Error> {
    let mut most = None;
    for row in alerts {
        match column::read(row)? {
            Some(Read::Full) => return Ok(Read::Full),
            teaser => most = most.or(teaser),
        }
    }
    most.ok_or(sqlx::Error::RowNotFound)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at, desk, draft, item, letter, settle, verdict};
    use super::super::{ItemRecord, Plan, Verdict};
    use super::*;

    async fn only_letter(bench: &Bench) -> Letter {
        let run = bench.run(&[desk()]).await;
        let leases = bench.lease(run, "desk", 100).await;
        assert_eq!(leases.len(), 1);
        let letter = letter(&leases[0].payload);
        assert_eq!((&letter.id, letter.created), (&leases[0].id, leases[0].created));
        letter
    }

    #[tokio::test]
    async fn it_holds_the_story_the_rules_by_name_and_the_feeds_by_age() {
        let bench = Bench::new().await;
        bench.poll("wire", 3, vec![item("a", settle(&["oil", "arms"]))]).await;
        // The same story twice in one feed is one copy.
        let again = ItemRecord { key: crate::feed::identity::ItemKey("a2".to_owned()), ..item("a", settle(&[])) };
        bench.poll("paper", 4, vec![item("a", settle(&[])), again]).await;
        let told = only_letter(&bench).await;
        assert_eq!(told.created, at(3));
        let Content::Alert { event, story, read, feeds, rules } = told.content else { panic!("not an alert") };
        assert_eq!(event, bench.ask("SELECT uid FROM story").await.unwrap());
        let url = Some("https://example.org/arms".to_owned());
        let (published, lang) = (Some(at(-60)), Some("en-GB".to_owned()));
        assert_eq!(story, Head { title: "a".to_owned(), url, published, first_seen: at(0), lang });
        assert_eq!(read, Read::Full);
        assert_eq!(rules, ["arms", "oil"].map(|rule| draft(rule, &[]).told));
        let feeds: Vec<_> = feeds.iter().map(|seen| (seen.feed.0.as_str(), seen.seen)).collect();
        assert_eq!(feeds, [("wire", at(3)), ("paper", at(4))]);
    }

    #[tokio::test]
    async fn the_whole_text_was_read_if_any_of_its_matches_read_it() {
        let teaser = || Read::Teaser("behind a paywall".to_owned());
        for (first, second, expected) in
            [(teaser(), teaser(), teaser()), (teaser(), Read::Full, Read::Full), (Read::Full, teaser(), Read::Full)]
        {
            let bench = Bench::new().await;
            let plan = |rule, read| Plan::Settle(Verdict { read, ..verdict(&[rule]) });
            bench.poll("wire", 0, vec![item("a", plan("arms", first))]).await;
            bench.poll("paper", 1, vec![item("a", plan("oil", second))]).await;
            let Content::Alert { read, .. } = only_letter(&bench).await.content else { panic!("not an alert") };
            assert_eq!(read, expected);
        }
    }
}
