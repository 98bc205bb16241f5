//! How far the conditions of the rules are met that the answer is about: what the store counts now.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::answer::ExplainAnswer;
use super::subject::ExplainSubject;
use crate::alerts::condition_state::ConditionState;
use crate::backtest::sightings::StorySighting;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::Config;
use crate::queries::moment::long_date;
use crate::store::{Archive, GroupProgress};
use tidings_rules::condition::{Absent, Condition, FirstKey, Sighting};
use tidings_rules::story::{Evidence, WatchlistRow};
use tidings_rules::text::folded;
use tidings_rules::{Clause, Rule};

/// A rule that is asked about, with what it found in the story.
struct AskedRule<'a> {
    rule: &'a Rule,
    /// What `first` looks for, folded.
    keys: Vec<String>,
    evidence: Vec<&'a Evidence>,
}

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
    let asked = asked_rules(answer).into_iter();
    let conditional = asked.filter_map(|one| Some((one.rule.settings.condition.as_ref()?, one)));
    let conditional: Vec<_> = conditional.collect();
    let rule_of_rows = rule_of_rows(answer);
    let asks_store = !conditional.is_empty() || rule_of_rows.is_some();
    let mut archive = match config.filter(|_| asks_store) {
        Some(config) => Archive::open_if_any(&config.store).await.map_err(output::unavailable)?,
        None => None,
    };
    let mut answers = HashMap::new();
    for (condition, asked) in conditional {
        let progress = match (&mut archive, config) {
            (Some(archive), Some(config)) => {
                read_progress(archive, config, condition, &asked, subject, now).await?
            }
            _ => None,
        };
        let condition = condition.to_string();
        answers.insert(group_id(asked.rule), ExplainCondition { condition, progress });
    }
    if let Some((rule, condition)) = rule_of_rows {
        let progress = match (&mut archive, config) {
            (Some(archive), Some(config)) => read_rows(archive, &config.zone, rule, now).await?,
            _ => None,
        };
        let condition = condition.to_string();
        answers.insert(group_id(rule), ExplainCondition { condition, progress });
    }
    Ok(ExplainConditions(answers))
}

/// The rules that the answer is about.
fn asked_rules(answer: &ExplainAnswer) -> Vec<AskedRule<'_>> {
    match answer {
        ExplainAnswer::Matches(matches, _) => {
            let asked = matches.iter().map(|found| AskedRule {
                rule: &found.rule,
                keys: found.keys.clone(),
                evidence: found.evidence.iter().collect(),
            });
            asked.collect()
        }
        // All rows at once are no group.
        ExplainAnswer::Rule(explained) if explained.row.as_ref() == explained.rule.row() => {
            let mut evidence = Vec::new();
            gather_evidence(&explained.clause, &mut evidence);
            vec![AskedRule { rule: &explained.rule, keys: explained.keys.clone(), evidence }]
        }
        ExplainAnswer::Rule(_) | ExplainAnswer::Clause(_) => Vec::new(),
    }
}

/// The rule with a condition that is explained for all its rows at once, if one is.
fn rule_of_rows(answer: &ExplainAnswer) -> Option<(&Rule, &Condition)> {
    let ExplainAnswer::Rule(explained) = answer else { return None };
    let is_of_rows = explained.row.is_none() && explained.rule.row().is_some();
    let condition = explained.rule.settings.condition.as_ref().filter(|_| is_of_rows)?;
    Some((&explained.rule, condition))
}

/// The rows of a rule that hold matches or are absent, each with how far it is. `None`: none is.
async fn read_rows(
    archive: &mut Archive,
    zone: &TimeZone,
    rule: &Rule,
    now: Timestamp,
) -> Result<Option<String>, Exit> {
    let found = archive.group_status(Some(rule.name()), now).await.map_err(output::unavailable)?;
    let held = found.held.iter().filter_map(|group| {
        let row = group.row.as_ref()?;
        Some(format!("{row} holds matches: {}", group.progress))
    });
    let absent = found.absent.iter().filter_map(|group| {
        let row = group.row.as_ref()?;
        Some(format!("{row} is absent since {}", long_date(group.last, zone)))
    });
    let mut rows: Vec<String> = held.chain(absent).collect();
    let more = rows.len().saturating_sub(MOST_KEYS);
    rows.truncate(MOST_KEYS);
    rows.extend((more > 0).then(|| format!("{more} more")));
    Ok(Some(rows.join("; ")).filter(|rows| !rows.is_empty()))
}

fn gather_evidence<'c>(clause: &'c Clause, evidence: &mut Vec<&'c Evidence>) {
    evidence.extend(&clause.evidence);
    clause.clauses.iter().for_each(|inner| gather_evidence(inner, evidence));
}

/// How far the condition of a rule is met. `None`: nothing is known of it.
async fn read_progress(
    archive: &mut Archive,
    config: &Config,
    condition: &Condition,
    asked: &AskedRule<'_>,
    subject: &ExplainSubject,
    now: Timestamp,
) -> Result<Option<String>, Exit> {
    let (rule, mut keys) = (asked.rule, asked.keys.clone());
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
        (GroupProgress::Counted(now), Condition::After { .. }) => {
            let then = recorded_state(subject, rule, condition);
            match then.and_then(|state| state.progress.as_deref()) {
                Some(then) if then != now => format!("{now}; when this story matched: {then}"),
                _ => now,
            }
        }
        (GroupProgress::Counted(progress), _) => progress,
        (GroupProgress::Keys { new, known }, Condition::First { key, .. }) => {
            let brought = brought_by(subject, rule, condition).unwrap_or_default();
            let all: Vec<&str> = new.iter().chain(&known).map(|(key, _)| key.as_str()).collect();
            let brought = listed_keys(brought, &all);
            let is_own = |(one, _): &(String, _)| brought.contains(&one.as_str());
            let (own, known): (Vec<_>, Vec<_>) = known.iter().cloned().partition(is_own);
            let kind = key.as_str();
            let of_kind = [
                (format!("new {kind}"), new.clone()),
                (format!("{kind} that was new with this story"), own),
                (format!("known {kind}"), known),
            ];
            let of_kind = of_kind.into_iter().filter(|(_, keys)| !keys.is_empty());
            let said = of_kind.map(|(kind, mut keys)| {
                for (one, _) in &mut keys {
                    *one = written_key(one, *key, asked, subject);
                }
                format!("{kind}: {}", shown_keys(&keys, &config.zone))
            });
            said.collect::<Vec<_>>().join("; ")
        }
        (GroupProgress::Keys { .. }, _) => return Ok(None),
    }))
}

/// The keys among `keys` that a list in words has whole, such as `new tag: rain, train`. Of two
/// that begin alike, the longer is meant.
fn listed_keys<'k>(words: &str, keys: &[&'k str]) -> Vec<&'k str> {
    let mut left = words.split_once(": ").map_or("", |(_, list)| list);
    let mut listed = Vec::new();
    while !left.is_empty() {
        let ends = |rest: &str| rest.is_empty() || rest.starts_with([',', ' ']);
        let begins = |key: &&&str| left.strip_prefix(**key).is_some_and(ends);
        let found = keys.iter().filter(begins).max_by_key(|key| key.len());
        listed.extend(found);
        let rest = found.map_or(left, |key| &left[key.len()..]);
        left = rest.split_once(", ").map_or("", |(_, rest)| rest);
    }
    listed
}

/// What was new with the story when it was recorded, in words. `None`: nothing was, or it is not
/// known.
fn brought_by<'s>(
    subject: &'s ExplainSubject,
    rule: &Rule,
    condition: &Condition,
) -> Option<&'s str> {
    let state = recorded_state(subject, rule, condition)?;
    state.progress.as_deref().filter(|_| state.is_met_by_it())
}

/// What the condition of a rule made of the story when it was recorded. `None`: the rule did not
/// match it, or had another condition.
fn recorded_state<'s>(
    subject: &'s ExplainSubject,
    rule: &Rule,
    condition: &Condition,
) -> Option<&'s ConditionState> {
    let row = |row: Option<&WatchlistRow>| row.map(|row| row.id.clone());
    let mut alerts = subject.kept.as_ref()?.alerts.iter();
    let own =
        alerts.find(|one| one.rule == rule.name() && row(one.row.as_ref()) == row(rule.row()));
    own?.condition.as_ref().filter(|state| state.condition == condition.to_string())
}

/// A key as people read it: the row with its name, or the words as the story writes them.
fn written_key(
    key: &str,
    kind: FirstKey,
    asked: &AskedRule<'_>,
    subject: &ExplainSubject,
) -> String {
    let is_it = |written: &&str| folded(written) == key;
    let story = &subject.story;
    let marked = asked
        .evidence
        .iter()
        .flat_map(|one| one.marks.iter().filter_map(|mark| one.sentence.get(mark.clone())));
    let written = match kind {
        FirstKey::Row => {
            return asked.rule.row().map_or_else(|| key.to_owned(), ToString::to_string);
        }
        FirstKey::Source => None,
        FirstKey::Author => story.authors.iter().map(String::as_str).find(is_it),
        FirstKey::Tag => story.tags.iter().map(String::as_str).find(is_it),
        FirstKey::Match => marked.into_iter().find(is_it),
    };
    written.unwrap_or(key).to_owned()
}

/// The most keys or rows that are shown.
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::parts_of_words("new tag: train", &["rain", "train"], &["train"])]
    #[case::several("new tag: rain, train", &["rain", "train", "in"], &["rain", "train"])]
    #[case::one_begins_another("new author: alan", &["al", "alan", "alan smith"], &["alan"])]
    #[case::with_blanks("new match: cve 1, cve 12", &["cve 1", "cve 12"], &["cve 1", "cve 12"])]
    #[case::more_than_are_shown("new tag: rain and 2 more", &["rain", "more"], &["rain"])]
    #[case::unknown_ones("new tag: gone, rain", &["rain"], &["rain"])]
    #[case::nothing("", &["rain"], &[])]
    fn keys_are_compared_whole(
        #[case] words: &str,
        #[case] keys: &[&str],
        #[case] expected: &[&str],
    ) {
        assert_eq!(listed_keys(words, keys), expected);
    }
}
