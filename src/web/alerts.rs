//! The pages of alerts: live, past, one, and as a feed.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::alert_query::AlertQuery;
use super::desk::{AnswerForm, Asker, Desk, json};
use super::list_page::{ListPage, cut_to};
use super::problem::Problem;
use crate::clock::now;
use crate::config::Config;
use crate::notify::{Quotes, quotes_from_rules};
use crate::queries::standing::{Standing, StandingParts};
use crate::store::{AlertRecord, PastAlert};
use tidings_rules::story::{FeedName, Severity, WatchlistRow};

/// The alerts of one page. Each is written with a template, so a page has fewer than other lists.
const ROWS: usize = 50;

/// The alerts of one answer of the API, and of the feed.
const MOST: usize = 100;

/// The most alerts after a certain one.
const MOST_AFTER: usize = 500;

/// The most feeds of an alert that a row shows.
const FEEDS_OF_A_ROW: usize = 5;

/// An alert as a row of a page: only what a row shows, because a page has many.
#[derive(Serialize)]
struct AlertRow<'a> {
    id: i64,
    created: Timestamp,
    event: &'a str,
    url: Option<&'a str>,
    published: Option<Timestamp>,
    severity: Severity,
    rule: &'a str,
    row: Option<&'a WatchlistRow>,
    tags: &'a [String],
    /// The first feeds that carried the event.
    feeds: Vec<&'a FeedName>,
    /// How many more feeds did.
    more_feeds: usize,
    held: bool,
    standing: Option<StandingParts<'a>>,
    quotes: Quotes,
}

impl<'a> AlertRow<'a> {
    fn new(alert: &'a PastAlert) -> Self {
        let PastAlert { id, created, event, story, feeds, rule_match, .. } = alert;
        Self {
            id: *id,
            created: *created,
            event,
            url: story.url.as_deref(),
            published: story.published,
            severity: rule_match.severity,
            rule: &rule_match.rule,
            row: rule_match.row.as_ref(),
            tags: &rule_match.tags,
            feeds: feeds.iter().take(FEEDS_OF_A_ROW).map(|entry| &entry.feed).collect(),
            more_feeds: feeds.len().saturating_sub(FEEDS_OF_A_ROW),
            held: alert.held,
            standing: Standing::of(alert).map(Standing::parts),
            quotes: quotes_from_rules(story.headline(), std::slice::from_ref(rule_match)),
        }
    }
}

/// One alert with its quotes, its standing, the rule's text and its messages.
#[derive(Serialize)]
struct RecordView<'a> {
    #[serde(flatten)]
    record: &'a AlertRecord,
    standing: Option<StandingParts<'a>>,
    quotes: Quotes,
}

/// The page of alerts, with the parameters by which they were asked for.
#[derive(Serialize)]
struct AlertsPage<'a> {
    #[serde(flatten)]
    list: ListPage<AlertRow<'a>>,
    query: &'a AlertQuery,
    query_text: String,
    newest: i64,
    /// Whether new alerts are added while the page is open.
    live: bool,
}

/// `GET /`: the alerts of this moment.
pub(super) async fn live(
    state: State<Desk>,
    asker: Asker,
    query: Result<Query<AlertQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    list_page(&state, &asker, &query?.0, true).await
}

/// `GET /alerts` and `GET /api/v1/alerts`: the alerts of the past, newest first.
pub(super) async fn list(
    state: State<Desk>,
    asker: Asker,
    query: Result<Query<AlertQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    list_page(&state, &asker, &query?.0, false).await
}

async fn list_page(
    desk: &Desk,
    asker: &Asker,
    query: &AlertQuery,
    live: bool,
) -> Result<Response, Problem> {
    let filter = query.filter(now(), &desk.config().zone)?;
    let most = match asker.form {
        _ if query.is_after() => MOST_AFTER,
        AnswerForm::Page => ROWS,
        AnswerForm::Json => MOST,
    };
    let mut archive = desk.archive().await?;
    // The stream begins behind what was recorded before the list was read.
    let newest = archive.newest_alert().await?;
    let mut found = archive.find_alerts(&filter, most + 1).await?;
    drop(archive);
    let has_more = cut_to(most, &mut found);
    let path = asker.form.path("alerts");
    let last = found.last().filter(|_| has_more);
    let next = last.map(|last| query.next_page(&path, last.id));
    if asker.form == AnswerForm::Json {
        return Ok(json(&ListPage { items: found, next }));
    }
    let shown = ListPage { items: found.iter().map(AlertRow::new).collect(), next };
    let page = AlertsPage { list: shown, query, query_text: query.to_query(), newest, live };
    desk.answer(asker, "alerts.html", &page)
}

/// `GET /alerts/{id}` and `GET /api/v1/alerts/{id}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let missing =
        || Problem::not_found(format!("No alert has the number {id}, or it is no longer kept."));
    let number = id.parse().map_err(|_| missing())?;
    let record = desk.archive().await?.alert_record(number).await?.ok_or_else(missing)?;
    if asker.form == AnswerForm::Json {
        return Ok(json(&record));
    }
    let matches = std::slice::from_ref(&record.past.rule_match);
    let quotes = quotes_from_rules(record.past.story.headline(), matches);
    let standing = Standing::of(&record.past).map(Standing::parts);
    desk.answer(&asker, "alert.html", &RecordView { record: &record, standing, quotes })
}

/// The alerts as a feed.
#[derive(Serialize)]
struct AtomFeed<'a> {
    /// The address of the desk.
    base: String,
    /// When one of the alerts was last told, or the feed was made.
    updated: Timestamp,
    query_text: String,
    entries: Vec<AtomEntry<'a>>,
}

/// An alert as an entry of a feed.
#[derive(Serialize)]
struct AtomEntry<'a> {
    /// A UUID of version 8 (RFC 9562), the same in every answer.
    uid: String,
    /// When it was told.
    told: Timestamp,
    #[serde(flatten)]
    row: AlertRow<'a>,
}

/// `GET /alerts.atom`: the newest alerts that were told, as an Atom feed (RFC 4287). A feed tells
/// people, so it has no alerts that are held.
pub(super) async fn atom(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<AlertQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let mut filter = query.filter(now(), &desk.config().zone)?;
    let most = if filter.held == Some(true) { 0 } else { MOST };
    filter.held = Some(false);
    let found = desk.archive().await?.find_alerts(&filter, most).await?;
    let told = |alert: &PastAlert| alert.held_until.unwrap_or(alert.created);
    let entry =
        |alert| AtomEntry { uid: entry_uid(alert), told: told(alert), row: AlertRow::new(alert) };
    let feed = AtomFeed {
        base: base_address(&desk.config(), &headers),
        updated: found.iter().map(told).max().unwrap_or_else(now),
        query_text: query.to_query(),
        entries: found.iter().map(entry).collect(),
    };
    let text = desk.render(&asker, "alerts.atom.xml", &feed)?;
    Ok(([(CONTENT_TYPE, "application/atom+xml; charset=utf-8")], text).into_response())
}

fn entry_uid(alert: &PastAlert) -> String {
    let row = alert.rule_match.row.as_ref().map_or("", |row| &row.id);
    let key = format!("{}\0{}\0{row}\0{}", alert.event, alert.rule_match.rule, alert.created);
    let hash: [u8; 32] = Sha256::digest(key).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The public address of the desk, or else the one under which the request reached it. It has no
/// slash at its end.
fn base_address(config: &Config, headers: &HeaderMap) -> String {
    if let Some(public) = config.web.as_ref().and_then(|web| web.public.as_ref()) {
        return public.as_str().trim_end_matches('/').to_owned();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}
