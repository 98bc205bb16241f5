//! `tidings feeds list`: every feed of the configuration, and its health.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::{self, FeedRow, FeedSource};
use crate::cli::columns::table_width;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::store::{Archive, FeedState};
use tidings_rules::story::FeedName;

/// Lists the feeds; before the first run, none of them was polled.
pub(super) fn list_feeds(format: OutputFormat, config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let mut states = block_on(feed_states(&config))?;
    let at = now();
    let polled = config.feeds.iter().map(|feed| (&feed.name, &feed.tags, true));
    let receiving = config.receiving.iter().map(|feed| (&feed.name, &feed.tags, false));
    let rows: Vec<FeedRow<'_>> = polled
        .chain(receiving)
        .map(|(name, tags, is_polled)| {
            let state = states.remove(name);
            FeedRow { name, tags, source: FeedSource::new(is_polled, state) }
        })
        .collect();
    match format {
        OutputFormat::Text => {
            output::print(&table::feeds_table(&rows, &config.zone, at, table_width()))
        }
        OutputFormat::Json => output::print_json(rows.iter().map(|row| to_json(row, at))),
    }
}

async fn feed_states(config: &Config) -> Result<HashMap<FeedName, FeedState>, Exit> {
    if !config.store.exists() {
        return Ok(HashMap::new());
    }
    let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
    let states = archive.feed_states().await.map_err(output::unavailable)?;
    Ok(states.into_iter().map(|state| (state.name.clone(), state)).collect())
}

fn to_json(row: &FeedRow<'_>, at: Timestamp) -> Value {
    let state = row.source.polled_state();
    json!({
        "feed": row.name, "tags": row.tags, "health": row.source.health_word(at),
        "last_poll": state.and_then(|state| state.last_poll), "last_good": state.and_then(|state| state.last_good),
        "last_change": row.source.last_news(),
        "next_poll": state.and_then(|state| state.next_poll), "next_why": state.map(|state| &state.next_why),
        "failures": state.map_or(0, |state| state.failures),
        "failing_since": state.and_then(|state| state.health_history.failing_since),
        "why": state.and_then(|state| state.error.as_ref()),
        "usual_gap_seconds": state.and_then(|state| state.mean_gap).map(|gap| gap.as_secs()),
    })
}
