//! The pages of feeds: all with their health, and one with its days and gaps.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chart;
use super::desk::{AnswerForm, Asker, Desk, json as json_answer};
use super::list_page::{ListPage, cut_to};
use super::problem::Problem;
use crate::clock::now;
use crate::config::Config;
use crate::queries::json::{ShownFeed, add_keys, gap_json};
use crate::queries::names::unknown_name;
use crate::store::{self, FeedDay, FeedState, UtcDay};
use tidings_rules::story::FeedName;

/// The feeds of one page.
const PAGE: usize = 100;

/// The days that a page of a feed shows.
const DAYS: i64 = 30;

/// Which feeds are listed. An empty parameter counts as absent.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedQuery {
    /// Only feeds with this health.
    health: String,
    /// Only feeds after the one with this name, in the order of the configuration.
    after: String,
}

/// The page of feeds.
#[derive(Serialize)]
struct FeedsPage {
    #[serde(flatten)]
    list: ListPage<Value>,
    health: String,
    by_health: BTreeMap<&'static str, usize>,
}

/// `GET /feeds` and `GET /api/v1/feeds`.
pub(super) async fn list(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let (config, at) = (desk.config(), now());
    let states = desk.archive().await?.feed_states().await?;
    let states: BTreeMap<&FeedName, &FeedState> =
        states.iter().map(|state| (&state.name, state)).collect();
    let state_of = |feed: ShownFeed<'_>| states.get(feed.name()).copied();
    let health_of = |feed: ShownFeed<'_>| feed.health(state_of(feed), at);
    let mut by_health = BTreeMap::new();
    for feed in ShownFeed::all(&config) {
        *by_health.entry(health_of(feed)).or_default() += 1;
    }
    let past = ShownFeed::all(&config).position(|feed| feed.name().0 == query.after);
    let rest = ShownFeed::all(&config).skip(past.map_or(0, |place| place + 1));
    let is_wanted =
        |feed: &ShownFeed<'_>| query.health.is_empty() || health_of(*feed) == query.health;
    let mut shown: Vec<_> = rest.filter(is_wanted).take(PAGE + 1).collect();
    let has_more = cut_to(PAGE, &mut shown);
    let next = shown.last().filter(|_| has_more).map(|last| {
        let path = asker.form.path("feeds");
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("health", &query.health).append_pair("after", &last.name().0);
        format!("{path}?{}", pairs.finish())
    });
    let items = shown.into_iter().map(|feed| feed.to_json(state_of(feed), at)).collect();
    let list = ListPage { items, next };
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&list));
    }
    desk.answer(&asker, "feeds.html", &FeedsPage { list, health: query.health, by_health })
}

/// The page of a feed.
#[derive(Serialize)]
struct FeedPage {
    #[serde(flatten)]
    feed: Value,
    items: Vec<chart::Bar>,
    failed: Vec<chart::Bar>,
}

/// `GET /feeds/{name}` and `GET /api/v1/feeds/{name}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (config, at) = (desk.config(), now());
    let feed = find(&config, &name)?;
    let (today, first) = (UtcDay::of(at), UtcDay::of(at).minus(DAYS - 1));
    let mut archive = desk.archive().await?;
    let states = archive.feed_states().await?;
    let state = states.iter().find(|state| state.name == *feed.name());
    let days = archive.feed_days(feed.name(), first).await?;
    let gaps = archive.gaps_since(first.start()).await?;
    drop(archive);
    let gaps: Vec<Value> =
        gaps.iter().filter(|gap| gap.feed == *feed.name()).map(gap_json).collect();
    let mut answer = feed.to_json(state, at);
    add_keys(
        &mut answer,
        &json!({ "days": days.iter().map(day_json).collect::<Vec<_>>(), "gaps": gaps }),
    );
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&answer));
    }
    let counts = |of: fn(&FeedDay) -> u32| days.iter().map(|(day, on)| (*day, of(on))).collect();
    let items = chart::bars(&counts(|on| on.items), today, DAYS);
    let failed = chart::bars(&counts(|on| on.failures), today, DAYS);
    desk.answer(&asker, "feed.html", &FeedPage { feed: answer, items, failed })
}

fn day_json((day, on): (&UtcDay, &FeedDay)) -> Value {
    let date = day.start().strftime("%Y-%m-%d").to_string();
    json!({ "day": date, "items": on.items, "failures": on.failures })
}

/// `POST /feeds/{name}/poll` and `POST /api/v1/feeds/{name}/poll`: the feed is polled at once.
pub(super) async fn poll(
    State(desk): State<Desk>,
    asker: Asker,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let config = desk.config();
    let names = [find(&config, &name)?.name().clone()];
    let requested = store::request_polls(desk.archives.store(), &names, false, now()).await?;
    if asker.form == AnswerForm::Json {
        return Ok(json_answer(&json!({ "feed": names[0], "is_asked": !requested.is_empty() })));
    }
    let path = format!("/feeds/{}", super::templates::segment(&name));
    Ok(Redirect::to(&path).into_response())
}

fn find<'c>(config: &'c Config, name: &str) -> Result<ShownFeed<'c>, Problem> {
    let names = || config.feed_names().map(|name| name.0.as_str());
    let found = ShownFeed::all(config).find(|feed| feed.name().0 == name);
    found.ok_or_else(|| Problem::not_found(unknown_name("feed", name, names())))
}
