//! The pages of rules: all with their matches, and one with its text and its days.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chart;
use super::desk::{AnswerForm, Asker, Desk, json as json_answer};
use super::list_page::{ListPage, cut_to};
use super::problem::Problem;
use crate::clock::now;
use crate::queries::json::add_keys;
use crate::queries::names::{known_names, unknown_name};
use crate::queries::rule_hygiene::{STALE, examine_rules};
use crate::queries::status::groups_to_json;
use crate::store::UtcDay;
use tidings_rules::{Rule, Rules};

/// The rules of one page.
const PAGE: usize = 100;

/// The days of a chart.
const DAYS: i64 = 30;

/// Which rules are listed. An empty parameter counts as absent.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RuleQuery {
    /// Only rules with this tag.
    tag: String,
    /// Only rules after the one with this name.
    after: String,
}

/// The page of rules.
#[derive(Serialize)]
struct RulesPage<'a> {
    #[serde(flatten)]
    list: ListPage<Value>,
    tag: String,
    rules: usize,
    reload_error: Option<String>,
    /// As `tidings check` prints them.
    faults: &'a [String],
}

/// `GET /rules` and `GET /api/v1/rules`: the rules in force, in the order of their names.
pub(super) async fn list(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<RuleQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let (rules, now) = (desk.rules(), now());
    let feeds = known_names(&desk.config()).feeds;
    let mut shown = page_of(&rules, &query);
    let has_more = cut_to(PAGE, &mut shown);
    let mut archive = desk.archive().await?;
    let examined = examine_rules(shown.iter().copied(), &mut archive, STALE, now).await?;
    let status = archive.service_status().await?;
    drop(archive);
    let items = examined.iter().map(|one| one.to_json(&feeds)).collect();
    let next = shown.last().filter(|_| has_more).map(|last| {
        let path = asker.form.path("rules");
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("tag", &query.tag).append_pair("after", last.name());
        format!("{path}?{}", pairs.finish())
    });
    let list = ListPage { items, next };
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&list));
    }
    let reload_error = status.run.and_then(|run| run.reload_error);
    let faults = (desk.parts.in_force)().rule_faults;
    let page =
        RulesPage { list, tag: query.tag, rules: rules.count(), reload_error, faults: &faults };
    desk.answer(&asker, "rules.html", &page)
}

/// The rules that `query` asks for, one more than a page has. A rule with `each` counts once.
fn page_of<'r>(rules: &'r Rules, query: &RuleQuery) -> Vec<&'r Rule> {
    let is_wanted = |rule: &&Rule| {
        rule.name() > query.after.as_str()
            && (query.tag.is_empty() || rule.settings.tags.contains(&query.tag))
    };
    let mut shown: Vec<&Rule> = Vec::new();
    for rule in rules.iter().map(AsRef::as_ref).filter(is_wanted) {
        if shown.last().is_none_or(|last| last.name() != rule.name()) {
            shown.push(rule);
        }
        if shown.len() > PAGE {
            break;
        }
    }
    shown
}

/// The page of a rule.
#[derive(Serialize)]
struct RulePage {
    #[serde(flatten)]
    rule: Value,
    chart: Vec<chart::Bar>,
}

/// `GET /rules/{name}` and `GET /api/v1/rules/{name}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (rules, now) = (desk.rules(), now());
    let today = UtcDay::of(now);
    let names = || rules.iter().map(|rule| rule.name());
    let rule = rules.iter().find(|rule| rule.name() == name);
    let rule = rule.ok_or_else(|| Problem::not_found(unknown_name("rule", &name, names())))?;
    let first = today.minus(DAYS - 1);
    let mut archive = desk.archive().await?;
    let days = archive.rule_days(&[&name], first).await?.remove(&name);
    let examined = examine_rules(std::iter::once(rule.as_ref()), &mut archive, STALE, now).await?;
    let groups = archive.group_status(Some(&name), now).await?;
    drop(archive);
    let feeds = known_names(&desk.config()).feeds;
    let mut answer = examined.first().map_or(Value::Null, |one| one.to_json(&feeds));
    let condition = rule.settings.condition.as_ref().map(ToString::to_string);
    add_keys(&mut answer, &json!({ "text": rule.text_of_all_rows(), "condition": condition }));
    add_keys(&mut answer, &groups_to_json(&groups));
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&answer));
    }
    let counts = days.map(|days| days.alerts).unwrap_or_default();
    let chart = chart::bars(&counts, today, DAYS);
    desk.answer(&asker, "rule.html", &RulePage { rule: answer, chart })
}
