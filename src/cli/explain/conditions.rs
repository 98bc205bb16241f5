//! How far the conditions of the rules are met that the answer is about: what the store counts now.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::answer::ExplainAnswer;
use super::subject::ExplainSubject;
use crate::backtest::sightings::StorySighting;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::Config;
use crate::queries::moment::long_date;
use crate::store::{Archive, GroupProgress};
use tidings_rules::Rule;
use tidings_rules::condition::{Absent, Condition, FirstKey, Sighting};

/// A group by the name of its rule and the id of its row.
type GroupId = (String, Option<String>);

/// The conditions of rules, each with what the store says.
#[derive(Debug, Default)]
pub(super) struct ExplainConditions(HashMap<GroupId, ExplainCondition>);

/// A condition, and how far it is met.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ExplainCondition {
    /// The condition in words.
    pub(super) condition: String,
    /// How far it is met now, in words. `None`: no store says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<String>,
}

impl ExplainConditions {
    pub(super) fn of(&self, rule: &Rule) -> Option<&ExplainCondition> {
        self.0.get(&group_id(rule))
    }
}

fn group_id(rule: &Rule) -> GroupId {
    (rule.name().to_owned(), rule.row().map(|row| row.id.clone()))
}

/// Reads how far the conditions are met at `now`, from the store of `config` if it is there.
pub(super) async fn read_conditions(
    answer: &ExplainAnswer,
    subject: &ExplainSubject,
    config: Option<&Config>,
    now: Timestamp,
) -> Result<ExplainConditions, Exit> {
    let groups: Vec<(&Rule, Vec<String>)> = match answer {
        ExplainAnswer::Matches(matches, _) => {
            matches.iter().map(|found| (&*found.rule, found.keys.clone())).collect()
        }
        // All rows at once are no group.
        ExplainAnswer::Rule(explained) if explained.row.as_ref() == explained.rule.row() => {
            vec![(&*explained.rule, explained.keys.clone())]
        }
        ExplainAnswer::Rule(_) | ExplainAnswer::Clause(_) => Vec::new(),
    };
    let conditional = groups
        .into_iter()
        .filter_map(|(rule, keys)| Some((rule, rule.settings.condition.as_ref()?, keys)));
    let conditional: Vec<_> = conditional.collect();
    let mut archive = match config.filter(|_| !conditional.is_empty()) {
        Some(config) => Archive::open_if_any(&config.store).await.map_err(output::unavailable)?,
        None => None,
    };
    let mut answers = HashMap::new();
    for (rule, condition, keys) in conditional {
        let progress = match (&mut archive, config) {
            (Some(archive), Some(config)) => {
                read_progress(archive, config, (rule, condition), keys, subject, now).await?
            }
            _ => None,
        };
        let condition = condition.to_string();
        answers.insert(group_id(rule), ExplainCondition { condition, progress });
    }
    Ok(ExplainConditions(answers))
}

/// How far the condition of a rule is met. `None`: nothing is known of it.
async fn read_progress(
    archive: &mut Archive,
    config: &Config,
    (rule, condition): (&Rule, &Condition),
    mut keys: Vec<String>,
    subject: &ExplainSubject,
    now: Timestamp,
) -> Result<Option<String>, Exit> {
    let dedup_key = rule.row().map_or("", |row| row.id.as_str());
    if let Condition::Absent(absent) = condition {
        return read_absence(archive, &config.zone, (rule.name(), dedup_key), absent).await;
    }
    if let Condition::First { key, .. } = condition {
        if *key == FirstKey::Source {
            keys = vec![publisher(archive, config, subject).await?];
            keys.retain(|publisher| !publisher.is_empty());
        }
        if keys.is_empty() {
            return Ok(Some(format!("the story has no {}, and would be held", key.as_str())));
        }
    }
    let found = archive.group_progress(rule.name(), dedup_key, condition, keys, now).await;
    Ok(Some(match (found.map_err(output::unavailable)?, condition) {
        (GroupProgress::Open, _) => "it is met, and matches are told one by one".to_owned(),
        (GroupProgress::Counted(progress), _) => progress,
        (GroupProgress::Keys { new, known }, Condition::First { key, .. }) => {
            let of_kind = [("new", new), ("known", known)];
            let of_kind = of_kind.into_iter().filter(|(_, keys)| !keys.is_empty());
            let said = of_kind.map(|(kind, keys)| {
                format!("{kind} {}: {}", key.as_str(), shown_keys(&keys, &config.zone))
            });
            said.collect::<Vec<_>>().join("; ")
        }
        (GroupProgress::Keys { .. }, _) => return Ok(None),
    }))
}

/// The most keys that are shown.
const MOST_KEYS: usize = 10;

/// Keys, each with its last match: `AFP, Yonhap (last match 2026-11-20 13:59)`.
fn shown_keys(keys: &[(String, Option<Timestamp>)], zone: &TimeZone) -> String {
    let shown = keys.iter().take(MOST_KEYS).map(|(key, last)| match last {
        Some(last) => format!("{key} (last match {})", long_date(*last, zone)),
        None => key.clone(),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match keys.len().saturating_sub(MOST_KEYS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

async fn read_absence(
    archive: &mut Archive,
    zone: &TimeZone,
    (rule, dedup_key): (&str, &str),
    absent: &Absent,
) -> Result<Option<String>, Exit> {
    let groups = archive.absent_groups().await.map_err(output::unavailable)?;
    let group = groups.into_iter().find(|one| one.rule == rule && one.dedup_key == dedup_key);
    let Some(group) = group else { return Ok(None) };
    if group.told.is_some() {
        let since = long_date(group.last, zone);
        return Ok(Some(if group.has_matched {
            format!("it is absent since {since}")
        } else {
            format!("it has no match yet, in force since {since}")
        }));
    }
    let due = absent.due(group.last, zone);
    let due = due.map_or_else(|| "never".to_owned(), |due| long_date(due, zone));
    let last = long_date(group.last, zone);
    Ok(Some(format!("nothing matched since {last}; the absence is due {due}")))
}

/// The publisher of the story's event, or of the story if the store does not have it. Empty: it is
/// not known.
async fn publisher(
    archive: &mut Archive,
    config: &Config,
    subject: &ExplainSubject,
) -> Result<String, Exit> {
    if let Some(kept) = &subject.kept {
        let uid = kept.stored.uid.as_str();
        let found = archive.sightings(&[uid]).await.map_err(output::unavailable)?;
        if let Some(first) = found.get(uid) {
            return Ok(StorySighting::of_stored(first, &config.publishers).publisher.to_string());
        }
    }
    let story = &subject.story;
    let (source, url) = (story.source.as_deref(), story.url.as_deref());
    Ok(config.publishers.publisher(Sighting { source, url, feed: "" }))
}
