//! The explanation as one JSON object.

use serde::Serialize;
use serde_json::{Value, json};

use super::subject::ExplainSubject;
use crate::cli::explain::answer::ExplainAnswer;
use crate::lifecycle::story::StoryStatus;
use crate::store::StoryRecord;
use tidings_rules::story::{FeedName, Read, Story};

/// The story, and what the rules find in it.
#[derive(Serialize)]
pub(super) struct ExplainReport<'s> {
    story: &'s Story,
    read: &'s Read,
    #[serde(skip_serializing_if = "Option::is_none")]
    feeds: Option<Vec<&'s FeedName>>,
    #[serde(flatten)]
    kept: Option<Value>,
    #[serde(flatten)]
    answer: Option<Value>,
}

/// The JSON object of a story, with the answer if there is one.
pub(super) fn json_report<'s>(
    subject: &'s ExplainSubject,
    answer: Option<&ExplainAnswer>,
) -> ExplainReport<'s> {
    let feeds = subject.carriers.as_ref();
    ExplainReport {
        story: &subject.story,
        read: &subject.read,
        feeds: feeds.map(|feeds| feeds.iter().map(|feed| &feed.name).collect()),
        kept: subject.kept.as_ref().map(record_json),
        answer: answer.map(answer_json),
    }
}

fn record_json(kept: &StoryRecord) -> Value {
    let status = match kept.status.status {
        StoryStatus::AwaitsPage | StoryStatus::AwaitsMatch => "waiting",
        status => status.as_str(),
    };
    let alerts: Vec<Value> = kept
        .alerts
        .iter()
        .map(|alert| json!({"rule": alert.rule, "row": alert.row, "version": alert.version, "at": alert.created}))
        .collect();
    json!({"id": kept.stored.uid, "status": status, "status_why": kept.status.why, "alerts": alerts})
}

fn answer_json(answer: &ExplainAnswer) -> Value {
    match answer {
        ExplainAnswer::Matches(matches, rules) => {
            let matches = matches.iter().map(
                |found| json!({"rule": found.rule.name(), "row": found.rule.row(), "version": found.rule.version(), "evidence": found.evidence}),
            );
            json!({"rules": rules, "matches": matches.collect::<Vec<_>>()})
        }
        ExplainAnswer::Rule(explained) => json!({
            "rule": explained.rule.name(),
            "row": explained.row,
            // Each row has a version of its own.
            "version": (explained.row.as_ref() == explained.rule.row()).then(|| explained.rule.version()),
            "filtered_out": explained.filtered_out,
            "clause": explained.clause,
        }),
        ExplainAnswer::Clause(clause) => json!({"clause": clause}),
    }
}
