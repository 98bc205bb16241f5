//! `tidings feeds poll-now`: makes a running Tidings poll feeds now.

use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::names::unknown_name;
use crate::cli::output::{self, fail};
use crate::cli::runtime::block_on;
use crate::clock::now;
use crate::config::Config;
use crate::store;
use tidings_rules::story::FeedName;
use tidings_rules::text::visible_line;

/// Has the feeds of these names polled now, or, without any, those that fail: 65 if the
/// configuration has no feed of a name, 69 if the store cannot be written.
pub(super) fn request_polls(names: &[String], config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    check_feed_names(names, &config)?;
    let wanted: Vec<FeedName> = if names.is_empty() {
        config.feeds.iter().map(|feed| feed.name.clone()).collect()
    } else {
        names.iter().cloned().map(FeedName).collect()
    };
    let requested = block_on(async {
        let requested = store::request_polls(&config.store, &wanted, names.is_empty(), now()).await;
        requested.map_err(|why| fail(why, Exit::Unavailable))
    })?;
    if requested.is_empty() && names.is_empty() {
        output::print_line(
            "no feed fails, so no poll was requested; name the feeds to poll them anyway",
        )?;
    }
    for feed in &requested {
        output::print_line(format_args!(
            "{}: requested; a running Tidings polls it within seconds, unless its host asked for a pause",
            visible_line(&feed.0)
        ))?;
    }
    for feed in wanted.iter().filter(|feed| !names.is_empty() && !requested.contains(feed)) {
        output::print_line(format_args!(
            "{}: was never polled; `tidings run` polls it at once",
            visible_line(&feed.0)
        ))?;
    }
    Ok(())
}

/// Says which of `names` are of no polled feed, each with the name that is near.
fn check_feed_names(names: &[String], config: &Config) -> Result<(), Exit> {
    let known = || config.feeds.iter().map(|feed| feed.name.0.as_str());
    let unknown = names.iter().filter(|name| !known().any(|known| known == name.as_str()));
    let is_receiving = |name: &str| config.receiving.iter().any(|feed| feed.name.0 == name);
    let tell = |name: &String| {
        if is_receiving(name) {
            let name = visible_line(name);
            return fail(format_args!("{name}: receives stories, and is not polled"), Exit::Data);
        }
        unknown_name("feed", name, known())
    };
    let told: Vec<Exit> = unknown.map(tell).collect();
    told.first().map_or(Ok(()), |exit| Err(*exit))
}
