//! `tidings feeds`: the health of feeds, one feed as it is now, discovery of feeds, and lists of
//! feeds.

mod feed_lists;
mod find;
mod gaps;
mod list;
mod poll;
mod poll_now;
mod table;

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::arguments::{ConfigArgument, OptionalConfigArgument};
use crate::cli::examples;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;

#[derive(Debug, Subcommand)]
pub(super) enum FeedsAction {
    /// List the feeds of the configuration with their health, last change and next poll
    #[command(after_help = examples::FEEDS_LIST)]
    List {
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Fetch one feed now, and show the text that rules would read. Stores nothing. If there is a
    /// configuration, its settings for hosts are used
    #[command(after_help = examples::FEEDS_POLL)]
    Poll {
        /// The feed's address or file, or its name in the configuration.
        #[arg(value_name = "URL|FILE|NAME")]
        place: String,
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: OptionalConfigArgument,
    },
    /// Make a running Tidings poll the named feeds now. Without names, it polls all feeds that
    /// fail. Hosts that asked for a pause are not polled
    #[command(after_help = examples::FEEDS_POLL_NOW)]
    PollNow {
        /// Names of feeds, as in the configuration.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Find the feeds of a site: those that its page links, or else those at the usual addresses.
    /// If there is a configuration, its settings for hosts are used
    #[command(after_help = examples::FEEDS_FIND)]
    Find {
        /// The address of a page or of the site.
        url: String,
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: OptionalConfigArgument,
    },
    /// Convert another reader's list (OPML) to lines for the configuration. Folders become tags
    #[command(after_help = examples::FEEDS_IMPORT)]
    Import {
        /// The OPML file.
        file: PathBuf,
    },
    /// Export the feeds of the configuration for other readers (OPML). Addresses contain the values
    /// of variables, which may be secret
    #[command(after_help = examples::FEEDS_EXPORT)]
    Export {
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// List the times in which items of a feed may have been missed
    #[command(after_help = examples::FEEDS_GAPS)]
    Gaps {
        /// Only gaps found since this time: 2026-11-24, "2026-11-24 08:00", or an age: 30d.
        #[arg(long, value_name = "TIME", default_value = "30d")]
        since: String,
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// Does what `action` says.
pub(super) fn feeds(action: FeedsAction) -> Exit {
    let done = match action {
        FeedsAction::List { format, config } => list::list_feeds(format, &config.path),
        FeedsAction::Poll { place, format, config } => {
            poll::show_feed(&place, format, config.path.as_deref())
        }
        FeedsAction::PollNow { names, config } => poll_now::request_polls(&names, &config.path),
        FeedsAction::Find { url, format, config } => {
            find::find_feeds(&url, format, config.path.as_deref())
        }
        FeedsAction::Import { file } => feed_lists::import_list(&file),
        FeedsAction::Export { config } => feed_lists::export_list(&config.path),
        FeedsAction::Gaps { since, format, config } => {
            gaps::list_gaps(&since, format, &config.path)
        }
    };
    done.err().unwrap_or(Exit::Ok)
}
