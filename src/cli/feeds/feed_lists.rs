//! `tidings feeds import` and `export`: lists of feeds in OPML.

use std::fmt::Write;
use std::path::Path;

use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::output;
use crate::config::{self, FeedConfig};
use crate::feed::opml::{self, Subscription};

/// Prints the feeds of a list as the configuration has them: 65 if it is no list, 69 if it cannot
/// be read.
pub(super) fn import_list(file: &Path) -> Result<(), Exit> {
    let name = file.display();
    let (_, listed) = load::read_list(file)?;
    let feeds = config::named(listed, &[], &[]);
    output::print(&feeds_yaml(&feeds))?;
    let feeds = count(feeds.len(), "feed", "feeds");
    output::print_error_line(format_args!(
        "{feeds}: put these lines into the configuration, or let it follow the list:"
    ));
    output::print_error_line(format_args!(
        "  feeds: [{{opml: {}}}]",
        yaml_string(&name.to_string())
    ));
    Ok(())
}

/// `feeds` as the configuration has them, a line each.
fn feeds_yaml(feeds: &[FeedConfig]) -> String {
    let mut text = "feeds:\n".to_owned();
    for feed in feeds {
        writeln!(text, "  - {{{}}}", feed_keys(feed).join(", ")).expect("strings grow");
    }
    text
}

fn feed_keys(feed: &FeedConfig) -> Vec<String> {
    let mut keys = vec![format!("url: {}", yaml_string(&feed.url.as_str().replace('$', "$$")))];
    keys.extend(
        (feed.name.0 != feed.url.as_str()).then(|| format!("name: {}", yaml_string(&feed.name.0))),
    );
    let tags: Vec<String> = feed.tags.iter().map(|tag| yaml_string(tag)).collect();
    keys.extend((!tags.is_empty()).then(|| format!("tags: [{}]", tags.join(", "))));
    keys
}

/// A text as a string of YAML. A string of JSON is one.
fn yaml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Prints the feeds of the configuration as a list.
pub(super) fn export_list(config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let (mut feeds, files): (Vec<&FeedConfig>, Vec<&FeedConfig>) =
        config.feeds.iter().partition(|feed| matches!(feed.url.scheme(), "http" | "https"));
    // The first tag becomes the folder, so feeds of one folder are put together.
    feeds.sort_by_key(|feed| feed.tags.first());
    let subscription = |feed: &&FeedConfig| Subscription {
        url: feed.url.clone(),
        title: Some(feed.name.0.clone()),
        tags: feed.tags.iter().cloned().collect(),
    };
    output::print(&opml::write_opml(
        "Feeds of Tidings",
        &feeds.iter().map(subscription).collect::<Vec<_>>(),
    ))?;
    if feeds.iter().any(|feed| feed.is_secret) {
        output::print_error_line(
            "some addresses contain values of ${NAME}, which may be secret: keep the list private",
        );
    }
    if !files.is_empty() {
        let files = count(files.len(), "feed", "feeds");
        output::print_error_line(format_args!(
            "left out, because other readers cannot read the files of this machine: {files}"
        ));
    }
    Ok(())
}
