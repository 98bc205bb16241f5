//! The report as JSON: a line for each story that matched and for each absence, and the totals.

use serde::Serialize;
use serde_json::{Value, json};

use crate::alerts::StorySummary;
use crate::backtest::batch::SourceStory;
use crate::backtest::firings::{NamedFirings, RuleFiring};
use crate::backtest::groups::{
    GroupMatchResult, GroupResult, PastFiring, StoryResults, ToldAbsence,
};
use crate::backtest::matching::{Hits, Matcher};
use crate::backtest::tally::{Differences, Tally};
use crate::cli::backtest::rule_sets::RuleSets;
use crate::queries::json::add_keys;
use tidings_rules::story::headline;

/// The changes by other rules at one story.
pub(super) struct StoryChanges<'r> {
    pub(super) matches: Differences<'r>,
    /// The firings that only the other rules have, and those that they lack. `None`: there are no
    /// conditions.
    pub(super) firings: Option<(NamedFirings<'r>, NamedFirings<'r>)>,
}

/// A story that matched, with the keys of payloads.
pub(super) fn match_line(
    entry: &SourceStory,
    hits: &Hits,
    results: Option<&StoryResults>,
    changes: Option<&StoryChanges<'_>>,
    sides: &RuleSets,
) -> Value {
    let story = &entry.story;
    let story = StorySummary {
        title: story.title.clone(),
        opening: headline::made_headline(&story.title, &story.body),
        url: story.url.clone(),
        published: story.published,
        first_seen: story.first_seen,
        lang: story.lang.clone(),
    };
    let rules = hits.iter().map(|place| {
        let mut rule = rule_json(&sides.base.names[*place], sides);
        let result = results.and_then(|results| result_of(*place, &results.matches));
        if let Some(result) = result {
            add_keys(&mut rule, &json!({"condition": result_json(result)}));
        }
        rule
    });
    let mut line = json!({"id": entry.id, "story": story, "rules": rules.collect::<Vec<_>>()});
    let Some(changes) = changes else { return line };
    let list = |names: &[&str]| names.iter().map(|name| rule_json(name, sides)).collect::<Vec<_>>();
    let matches = &changes.matches;
    add_keys(&mut line, &json!({"adds": list(&matches.adds), "drops": list(&matches.drops)}));
    if let Some((adds, drops)) = &changes.firings {
        let (adds, drops) = (fired_names(adds), fired_names(drops));
        add_keys(&mut line, &json!({"adds_firings": list(&adds), "drops_firings": list(&drops)}));
    }
    line
}

fn result_of(place: usize, results: &[GroupMatchResult]) -> Option<&GroupResult> {
    results.iter().find(|one| one.place == place).map(|one| &one.result)
}

/// The names of the rules that a match fires.
fn fired_names<'r>(firings: &NamedFirings<'r>) -> Vec<&'r str> {
    let matches = firings.iter().filter(|(_, firing)| matches!(firing, RuleFiring::Match(_)));
    matches.map(|(name, _)| *name).collect()
}

fn result_json(result: &GroupResult) -> Value {
    match result {
        GroupResult::Held(progress) => {
            json!({"result": "held", "progress": progress.to_string()})
        }
        GroupResult::Fired(firing) => {
            let PastFiring { progress, count, stories, .. } = &**firing;
            let ids: Vec<&str> = stories.iter().map(|story| story.id.as_str()).collect();
            json!({"result": "fired", "progress": progress.to_string(),
                   "stories": ids, "more": count - ids.len()})
        }
        GroupResult::Told => json!({"result": "told"}),
        GroupResult::Copy => json!({"result": "copy"}),
        GroupResult::NoNews => json!({"result": "no_news"}),
    }
}

/// An absence of the rule `name`. `change`: whether other rules add or drop it.
pub(super) fn absence_line(
    name: &str,
    absence: &ToldAbsence,
    change: Option<&str>,
    sides: &RuleSets,
) -> Value {
    let mut rule = rule_json(name, sides);
    add_keys(&mut rule, &json!({"since": absence.since, "due": absence.due}));
    let mut line = json!({"absence": rule});
    if let Some(change) = change {
        add_keys(&mut line, &json!({"change": change}));
    }
    line
}

/// The rule, and the row if it has one.
fn rule_json(name: &str, sides: &RuleSets) -> Value {
    let found = |side: &'_ Matcher| side.rows.get(name).cloned();
    match found(&sides.base).or_else(|| sides.other.as_ref().and_then(found)) {
        Some((rule, row)) => json!({"rule": rule, "row": row}),
        None => json!({"rule": name}),
    }
}

/// The totals, as a line of JSON.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    rules_tried: usize,
    stories: usize,
    matches: usize,
    faults: usize,
    load_seconds: f64,
    match_microseconds_per_story: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    adds: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drops: Option<usize>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    conditions: Option<ConditionSummary>,
}

/// What conditions made of the matches of all rules.
#[derive(Debug, Serialize)]
struct ConditionSummary {
    firings: usize,
    told: usize,
    held: usize,
    /// Stories that have no date, or are older than the one before them.
    late_stories: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    adds_firings: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drops_firings: Option<usize>,
}

/// The totals. `late_stories`: those that have no date, or are older than the one before them.
pub(super) fn summary(tally: &Tally, late_stories: usize, sides: &RuleSets) -> Summary {
    let changes = sides.other.as_ref().map(|_| tally.change_counts());
    Summary {
        rules_tried: sides.base.names.len(),
        stories: tally.stories,
        matches: tally.match_count(),
        faults: tally.faulty,
        load_seconds: sides.loading.as_secs_f64(),
        match_microseconds_per_story: tally.micros_per_story(),
        adds: changes.map(|(adds, _)| adds),
        drops: changes.map(|(_, drops)| drops),
        conditions: sides.have_conditions().then(|| conditions(tally, late_stories, sides)),
    }
}

fn conditions(tally: &Tally, late_stories: usize, sides: &RuleSets) -> ConditionSummary {
    let counts = || tally.conditions.values();
    let changes = sides.other.as_ref().map(|_| tally.firing_change_counts());
    ConditionSummary {
        firings: counts().map(|count| count.firings.count).sum(),
        told: counts().map(|count| count.told).sum(),
        held: counts().map(|count| count.held).sum(),
        late_stories,
        adds_firings: changes.map(|(adds, _)| adds),
        drops_firings: changes.map(|(_, drops)| drops),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tidings_rules::story::Story;

    #[test]
    fn a_line_has_changes_only_where_there_is_something_to_compare_with() {
        let matcher = Matcher::from_expression("a", None, &mut Vec::new()).ok().expect("sound");
        let sides = RuleSets { base: matcher, other: None, loading: Duration::ZERO };
        let story = Story::from_words("A headline", "A text.");
        let entry = SourceStory { id: "7".to_owned(), story, carriers: None };
        let line = match_line(&entry, &vec![0], None, None, &sides);
        assert_eq!((&line["id"], &line["story"]["title"]), (&json!("7"), &json!("A headline")));
        assert_eq!(line["rules"], json!([{"rule": "a"}]));
        assert!(line.get("adds").is_none());
        let differences = Differences { adds: vec!["c"], drops: vec![] };
        let changes = StoryChanges { matches: differences, firings: None };
        let line = match_line(&entry, &vec![], None, Some(&changes), &sides);
        assert_eq!((&line["adds"], &line["drops"]), (&json!([{"rule": "c"}]), &json!([])));
        assert!(line.get("adds_firings").is_none());
    }
}
