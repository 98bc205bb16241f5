//! The page of an event, in order of time.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::desk::{AnswerForm, Asker, Desk, json};
use super::problem::Problem;
use crate::store::EventRecord;
use tidings_rules::story::Story;

/// Something that happened to an event.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Happening<'a> {
    /// A feed carried a story of it.
    Seen { feed: &'a str, title: &'a str, url: Option<&'a str>, is_edited: bool },
    /// A rule matched.
    Alert { id: i64, rule: String, severity: &'static str },
    /// A message was written.
    Message { receiver: String, status: String },
    /// An attempt to deliver a message.
    Attempt { receiver: String, outcome: Option<String>, reply: Option<&'a str> },
}

/// When something happened.
#[derive(Serialize)]
struct TimelineEntry<'a> {
    at: Timestamp,
    #[serde(flatten)]
    happening: Happening<'a>,
}

/// The page of an event.
#[derive(Serialize)]
struct EventPage<'a> {
    event: &'a str,
    title: &'a str,
    timeline: Vec<TimelineEntry<'a>>,
    /// The story as an example that a rule must ignore, in YAML; `None` if its text is not kept.
    example: Option<String>,
}

/// `GET /events/{uid}` and `GET /api/v1/events/{uid}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    asker: Asker,
    Path(uid): Path<String>,
) -> Result<Response, Problem> {
    let mut archive = desk.archive().await?;
    let record = archive.event_record(&uid).await?;
    let record = record
        .ok_or_else(|| Problem::not_found("No event has this id, or it is no longer kept."))?;
    if asker.form == AnswerForm::Json {
        return Ok(json(&record));
    }
    let title = record.stories.first().map_or("", |story| story.story.headline());
    let first = archive.find_story(&record.event, None).await?;
    drop(archive);
    let kept = first.filter(|first| first.purged.is_none());
    let example = kept.map(|first| ignored_example(&first.stored.story));
    let page = EventPage { event: &record.event, title, timeline: timeline(&record), example };
    desk.answer(&asker, "event.html", &page)
}

/// The story under the key `ignores` of a rule.
fn ignored_example(story: &Story) -> String {
    let text = format!("{}\n\n{}", story.title, story.body);
    let lines = text.trim().lines();
    let indented =
        lines.map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n    {line}") });
    format!("ignores:\n  - |{}\n", indented.collect::<String>())
}

fn timeline(record: &EventRecord) -> Vec<TimelineEntry<'_>> {
    let mut entries: Vec<TimelineEntry<'_>> = Vec::new();
    let mut add = |at, happening| entries.push(TimelineEntry { at, happening });
    for story in &record.stories {
        for entry in &story.feeds {
            let happening = Happening::Seen {
                feed: &entry.feed.0,
                title: story.story.headline(),
                url: entry.url.as_deref(),
                is_edited: story.revision > 1,
            };
            add(entry.seen, happening);
        }
    }
    for alert in &record.alerts {
        let (rule, severity) = (alert.rule_match.title(), alert.rule_match.severity.as_str());
        add(alert.created, Happening::Alert { id: alert.id, rule, severity });
    }
    for message in &record.messages {
        let receiver = message.receiver.to_string();
        let status = message.status.to_string();
        add(message.created, Happening::Message { receiver: receiver.clone(), status });
        for attempt in &message.attempts {
            let happening = Happening::Attempt {
                receiver: receiver.clone(),
                outcome: attempt.outcome.map(|outcome| outcome.as_str().to_owned()),
                reply: attempt.reply.as_deref(),
            };
            add(attempt.started, happening);
        }
    }
    entries.sort_by_key(|entry| entry.at);
    entries
}
