//! The playground: an expression or a rule against the newest stored stories.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection, QueryRejection};
use axum::extract::{Form, FromRequest, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::desk::{AnswerForm, Asker, Desk, json};
use super::problem::Problem;
use crate::alerts::StorySummary;
use crate::clock::{Stopwatch, now};
use crate::notify::{Quotes, quotes_from_evidence};
use crate::queries::names::{known_names, rule_config};
use crate::queries::trial;
use crate::queries::trial::{Trial, TrialResult};
use crate::queries::trial_conditions::{ConditionMatches, ConditionOutcome};
use crate::store::StoredStory;
use tidings_rules::fault;
use tidings_rules::story::{Evidence, FeedName, Read};

/// The most stories that are tried.
const MOST_STORIES: u32 = 2000;

/// How long a trial may take.
const TIME: Duration = Duration::from_secs(2);

/// The stories that are read at once.
const BATCH: u32 = 50;

/// The most matches, and the most near misses, that are shown.
const MOST_SHOWN: usize = 50;

/// What is tried.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TrialText {
    /// An expression, a rule, or a rule file.
    text: String,
}

impl FromRequest<Desk> for TrialText {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        if AnswerForm::of(request.extensions().get(), request.uri()) == AnswerForm::Json {
            let read: Result<Json<Self>, JsonRejection> = Json::from_request(request, desk).await;
            return Ok(read?.0);
        }
        let read: Result<Form<Self>, FormRejection> = Form::from_request(request, desk).await;
        Ok(read?.0)
    }
}

/// The result of a trial.
#[derive(Debug, Default, Serialize)]
struct TrialReport {
    /// The number of stories that were tried.
    tried: usize,
    /// Whether the time was over before all stories were tried.
    is_cut: bool,
    /// The number of stories that match.
    matched: usize,
    /// The newest of them, newest first.
    matches: Vec<TriedStory>,
    /// Stories that lack one condition, newest first.
    near_misses: Vec<TriedStory>,
    /// What conditions would make of the matches. `None`: there are no conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<ConditionOutcome>,
    /// Warnings, as `tidings check` prints them.
    warnings: Option<String>,
}

/// A story that was tried.
#[derive(Debug, Serialize)]
struct TriedStory {
    id: String,
    story: StorySummary,
    read: Option<Read>,
    feeds: Vec<FeedName>,
    /// What is missing, of a near miss.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    evidence: Vec<Evidence>,
    /// The headline and the sentences with the words that were found.
    quotes: Quotes,
}

/// The page of the playground.
#[derive(Serialize)]
struct TrialPage<'a> {
    text: &'a str,
    /// Why the text cannot be tried.
    faults: Option<String>,
    report: Option<&'a TrialReport>,
}

/// `GET /try`: the form, with the text of the address in it.
pub(super) async fn form(
    State(desk): State<Desk>,
    asker: Asker,
    query: Result<Query<TrialText>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(TrialText { text }) = query?;
    show(&desk, &asker, &text, None, None)
}

/// `POST /try` and `POST /api/v1/try`.
pub(super) async fn run(
    State(desk): State<Desk>,
    asker: Asker,
    TrialText { text }: TrialText,
) -> Result<Response, Problem> {
    let running = desk.trials.begin(asker.name.as_deref().unwrap_or_default())?;
    let mut faults = Vec::new();
    let parsed = parse(&desk, &text, &mut faults)?;
    let said = (!faults.is_empty()).then(|| fault::render(&faults, false));
    let Some(trial) = parsed else {
        return match asker.form {
            AnswerForm::Json => {
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, said.unwrap_or_default()))
            }
            AnswerForm::Page => show(&desk, &asker, &text, said, None),
        };
    };
    let mut report = try_stories(&desk, &trial).await?;
    report.warnings = said;
    drop(running);
    match asker.form {
        AnswerForm::Json => Ok(json(&report)),
        AnswerForm::Page => show(&desk, &asker, &text, None, Some(&report)),
    }
}

fn parse(
    desk: &Desk,
    text: &str,
    faults: &mut Vec<fault::Fault>,
) -> Result<Option<Trial>, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::bad_request(
            "There is nothing to try: write an expression or a rule.",
        ));
    }
    let config = desk.config();
    // Term lists are read from files.
    let parsed = tokio::task::block_in_place(|| {
        Trial::parse(text, &config.rules, &rule_config(&config), faults)
    });
    parsed.map_err(|why| Problem::unavailable(&why))
}

/// Tries the newest stories, newest first, until the time is over.
async fn try_stories(desk: &Desk, tried: &Trial) -> Result<TrialReport, Problem> {
    let begun = Stopwatch::start();
    let known = known_names(&desk.config()).feeds;
    let mut report = TrialReport::default();
    let mut conditional = ConditionMatches::default();
    let mut before = None;
    while report.tried < MOST_STORIES as usize {
        let batch = desk.archive().await?.stories_before(before, BATCH).await?;
        let Some(oldest) = batch.last() else { break };
        before = Some(oldest.id);
        tokio::task::block_in_place(|| {
            for stored in batch {
                report.is_cut |= begun.elapsed() > TIME;
                if report.is_cut {
                    break;
                }
                let feeds = trial::carriers(&stored.feeds, &known);
                let read = stored.read.as_ref().unwrap_or(&Read::Full);
                let result = tried.examine(&stored.story, &feeds, read);
                conditional.add(tried, &stored.uid, &stored.story, &feeds);
                report.add(stored, result);
            }
        });
        if report.is_cut {
            break;
        }
    }
    let (mut archive, config) = (desk.archive().await?, desk.config());
    report.conditions = conditional.decide(tried, &mut archive, &config, now()).await?;
    drop(archive);
    Ok(report)
}

impl TrialReport {
    fn add(&mut self, stored: StoredStory, result: TrialResult) {
        self.tried += 1;
        let (list, missing, evidence) = match result {
            TrialResult::Match(evidence) => {
                self.matched += 1;
                (&mut self.matches, None, evidence)
            }
            TrialResult::Near(missing, evidence) => {
                (&mut self.near_misses, Some(missing), evidence)
            }
            TrialResult::Miss => return,
        };
        if list.len() < MOST_SHOWN {
            list.push(TriedStory::new(stored, missing, evidence));
        }
    }
}

impl TriedStory {
    fn new(stored: StoredStory, missing: Option<String>, evidence: Vec<Evidence>) -> Self {
        let StoredStory { uid, story, read, feeds, .. } = stored;
        let quotes = quotes_from_evidence(&story.headline(), &evidence);
        let story = StorySummary::of(&story);
        Self { id: uid, story, read, feeds, missing, evidence, quotes }
    }
}

fn show(
    desk: &Desk,
    asker: &Asker,
    text: &str,
    faults: Option<String>,
    report: Option<&TrialReport>,
) -> Result<Response, Problem> {
    let page = TrialPage { text, faults, report };
    desk.answer(asker, "try.html", &page)
}
