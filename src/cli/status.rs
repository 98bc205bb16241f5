//! `tidings status`: whether Tidings watches, and what needs attention.

mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::arguments::DEFAULT_CONFIG;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::runtime::block_on;
use crate::cli::store::named_store;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::StorePlace;
use crate::queries::status::StatusReport;
use crate::store::{Archive, FeedState, GroupStatus, ServiceStatus, StoreFacts};
use tidings_rules::story::FeedName;

/// Which store is asked.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    /// The configuration file.
    #[arg(long, short = 'c', value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Ask this store, a file or `postgres://USER@HOST/DATABASE`, and read no configuration
    #[arg(long, value_name = "STORE", conflicts_with = "config")]
    store: Option<String>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// What the report is about.
struct Subject {
    store: StorePlace,
    zone: TimeZone,
    /// The feeds of the configuration; `None`: all that the store knows.
    feeds: Option<Vec<FeedName>>,
}

/// Prints the status. The exit code is 1 if something needs attention, and 69 if there is no store.
pub(super) fn print_status(arguments: &StatusArguments) -> Exit {
    try_print(arguments).unwrap_or_else(|exit| exit)
}

fn try_print(arguments: &StatusArguments) -> Result<Exit, Exit> {
    let subject = find_subject(arguments)?;
    let now = now();
    let Some(answer) = block_on(read(&subject.store, now))? else {
        let why = format!("there is no store at {}: Tidings has not run yet", subject.store);
        let help = format!("start it with `tidings run --config {}`", arguments.config.display());
        return Err(output::fail_with_help(why, help, Exit::Unavailable));
    };
    let StoredAnswer { status, groups, feeds, facts } = answer;
    let names = subject.feeds.unwrap_or_else(|| feeds.keys().cloned().collect());
    let report = StatusReport::new(&facts, names.iter(), &status, &groups, &feeds, now);
    match arguments.format {
        OutputFormat::Text => output::print(&text::status_text(&report, now, &subject.zone))?,
        OutputFormat::Json => output::print_json([report.to_json()])?,
    }
    Ok(if report.attention.is_empty() { Exit::Ok } else { Exit::Attention })
}

fn find_subject(arguments: &StatusArguments) -> Result<Subject, Exit> {
    if let Some(store) = &arguments.store {
        let store = named_store("--store", store)?;
        return Ok(Subject { store, zone: TimeZone::system(), feeds: None });
    }
    let config = load::read_config_and_print_faults(&arguments.config).inspect_err(|_| {
        output::print_error_line("  help: `tidings status --store STORE` needs no configuration");
    })?;
    let feeds = config.feeds.into_iter().map(|feed| feed.name).collect();
    Ok(Subject { store: config.store, zone: config.zone, feeds: Some(feeds) })
}

/// What a store says.
struct StoredAnswer {
    status: ServiceStatus,
    groups: GroupStatus,
    feeds: BTreeMap<FeedName, FeedState>,
    facts: StoreFacts,
}

/// The answer of the store, if there is one.
async fn read(store: &StorePlace, now: Timestamp) -> Result<Option<StoredAnswer>, Exit> {
    let archive = Archive::open_if_any(store).await.map_err(output::unavailable)?;
    let Some(mut archive) = archive else { return Ok(None) };
    let status = archive.service_status().await.map_err(output::unavailable)?;
    let groups = archive.group_status(None, now).await.map_err(output::unavailable)?;
    let feeds = archive.feed_states().await.map_err(output::unavailable)?;
    let feeds = feeds.into_iter().map(|state| (state.name.clone(), state)).collect();
    let facts = archive.store_facts(store).await.map_err(output::unavailable)?;
    Ok(Some(StoredAnswer { status, groups, feeds, facts }))
}
