//! `tidings status`: whether Tidings watches, and what needs attention.

mod report;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::store::{Archive, FeedState, ServiceStatus};
use report::StatusReport;
use tidings_rules::story::FeedName;

/// Prints the status. The exit code is 1 if something needs attention, and 69 if there is no store.
pub(super) fn print_status(config: &Path, format: OutputFormat) -> Exit {
    try_print(config, format).unwrap_or_else(|exit| exit)
}

fn try_print(path: &Path, format: OutputFormat) -> Result<Exit, Exit> {
    let config = load::read_config_and_print_faults(path)?;
    if !config.store.exists() {
        let why =
            format!("there is no store at {}: Tidings has not run yet", config.store.display());
        let help = format!("start it with `tidings run --config {}`", path.display());
        return Err(output::fail_with_help(why, help, Exit::Unavailable));
    }
    let (status, feeds) = block_on(read(&config))?;
    let report = StatusReport::new(&config, &status, &feeds, now());
    match format {
        OutputFormat::Text => output::print(&report.to_text(&config.zone))?,
        OutputFormat::Json => output::print_json([report.to_json()])?,
    }
    Ok(if report.attention.is_empty() { Exit::Ok } else { Exit::Attention })
}

async fn read(config: &Config) -> Result<(ServiceStatus, BTreeMap<FeedName, FeedState>), Exit> {
    let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
    let status = archive.service_status().await.map_err(output::unavailable)?;
    let feeds = archive.feed_states().await.map_err(output::unavailable)?;
    Ok((status, feeds.into_iter().map(|state| (state.name.clone(), state)).collect()))
}
