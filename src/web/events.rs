//! The page of an event, in order of time.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::desk::{AnswerForm, Asker, Desk, json};
use super::problem::Problem;
use crate::queries::timeline::{TimelineEntry, event_json, timeline};
use tidings_rules::story::Story;

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
        return Ok(json(&event_json(&record)));
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
