//! The explanation as one JSON object.

use serde::Serialize;
use serde_json::{Value, json};

use super::conditions::ExplainConditions;
use super::subject::ExplainSubject;
use crate::cli::explain::answer::ExplainAnswer;
use crate::queries::json::add_keys;
use crate::store::StoryRecord;
use tidings_rules::story::{Read, Story, WatchlistRow};
use tidings_rules::{Match, Rule};

/// The story, and what the rules find in it.
#[derive(Serialize)]
pub(super) struct ExplainReport<'s> {
    story: &'s Story,
    read: &'s Read,
    #[serde(skip_serializing_if = "Option::is_none")]
    feeds: Option<Vec<Value>>,
    #[serde(flatten)]
    kept: Option<Value>,
    #[serde(flatten)]
    answer: Option<Value>,
}

/// The JSON object of a story, with the answer if there is one.
pub(super) fn json_report<'s>(
    subject: &'s ExplainSubject,
    answer: Option<&ExplainAnswer>,
    conditions: &ExplainConditions,
) -> ExplainReport<'s> {
    let feeds = subject.carriers.as_ref();
    ExplainReport {
        story: &subject.story,
        read: &subject.read,
        feeds: feeds.map(|feeds| feeds.iter().map(|feed| json!({ "feed": feed.name })).collect()),
        kept: subject.kept.as_ref().map(record_json),
        answer: answer.map(|answer| answer_json(answer, conditions)),
    }
}

fn record_json(kept: &StoryRecord) -> Value {
    let alerts: Vec<Value> = kept
        .alerts
        .iter()
        .map(|alert| {
            rule_json(
                &alert.rule,
                alert.row.as_ref(),
                &json!({"version": alert.version, "created": alert.created, "held": alert.held}),
            )
        })
        .collect();
    json!({
        "id": kept.stored.uid, "event": kept.event, "status": kept.status.status,
        "status_why": kept.status.why, "alerts": alerts,
    })
}

fn answer_json(answer: &ExplainAnswer, conditions: &ExplainConditions) -> Value {
    match answer {
        ExplainAnswer::Matches(matches, rules) => {
            let matches = matches.iter().map(|Match { rule, evidence, .. }| {
                let mut more = json!({"version": rule.version(), "evidence": evidence});
                add_keys(&mut more, &condition_json(rule, conditions));
                rule_json(rule.name(), rule.row(), &more)
            });
            json!({"rules": matches.collect::<Vec<_>>(), "rules_tried": rules})
        }
        ExplainAnswer::Rule(explained) => {
            let mut more =
                json!({"filtered_out": explained.filtered_out, "clause": explained.clause});
            add_keys(&mut more, &condition_json(&explained.rule, conditions));
            // Each row has a version of its own.
            if explained.row.as_ref() == explained.rule.row() {
                add_keys(&mut more, &json!({"version": explained.rule.version()}));
            }
            rule_json(explained.rule.name(), explained.row.as_ref(), &more)
        }
        ExplainAnswer::Clause(clause) => json!({"clause": clause}),
    }
}

/// The key `condition` of a rule with one.
fn condition_json(rule: &Rule, conditions: &ExplainConditions) -> Value {
    conditions.of(rule).map_or_else(|| json!({}), |found| json!({"condition": found}))
}

/// A rule as payloads name it, with `more` keys.
fn rule_json(rule: &str, row: Option<&WatchlistRow>, more: &Value) -> Value {
    let mut line = json!({"rule": rule});
    if let Some(row) = row {
        add_keys(&mut line, &json!({"row": row}));
    }
    add_keys(&mut line, more);
    line
}
