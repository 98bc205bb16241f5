//! `tidings feeds list`: every feed of the configuration, and its health.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::table::{self, FeedRow};
use crate::cli::columns::table_width;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::json::{feed_json, receiving_feed_json};
use crate::store::{Archive, FeedState};
use tidings_rules::story::FeedName;

/// Lists the feeds; before the first run, none of them was polled.
pub(super) fn list_feeds(format: OutputFormat, config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let mut states = block_on(feed_states(&config))?;
    let at = now();
    let polled = config
        .feeds
        .iter()
        .map(|feed| FeedRow::Polled(feed, states.remove(&feed.name).map(Box::new)));
    let mut rows: Vec<FeedRow<'_>> = polled.collect();
    rows.extend(config.receiving.iter().map(|feed| {
        let state = states.remove(&feed.name);
        FeedRow::Receiving(feed, state.and_then(|state| state.health_history.last_news))
    }));
    match format {
        OutputFormat::Text => {
            output::print(&table::feeds_table(&rows, &config.zone, at, table_width()))
        }
        OutputFormat::Json => output::print_json(rows.iter().map(|row| row_json(row, at))),
    }
}

fn row_json(row: &FeedRow<'_>, at: Timestamp) -> Value {
    match row {
        FeedRow::Polled(feed, state) => feed_json(feed, state.as_deref(), at),
        FeedRow::Receiving(feed, last_news) => receiving_feed_json(feed, *last_news),
    }
}

async fn feed_states(config: &Config) -> Result<HashMap<FeedName, FeedState>, Exit> {
    let archive = Archive::open_if_any(&config.store).await.map_err(output::unavailable)?;
    let Some(mut archive) = archive else { return Ok(HashMap::new()) };
    let states = archive.feed_states().await.map_err(output::unavailable)?;
    Ok(states.into_iter().map(|state| (state.name.clone(), state)).collect())
}
