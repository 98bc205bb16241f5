//! Subcommands and what they print.

mod alerts;
mod arguments;
mod backtest;
mod check;
mod clauses;
mod columns;
mod count;
mod deliveries;
mod exit;
mod explain;
mod feeds;
mod format;
mod load;
mod logs;
mod moment;
mod names;
mod notify;
mod output;
mod pages;
mod place;
mod run;
mod runtime;
mod silence;
mod try_it;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::format::OutputFormat;
use crate::cli::pages::ReadDepth;
use arguments::{ConfigArgument, OptionalConfigArgument};
use exit::{EXIT_CODES, Exit};

/// Polls news feeds, matches every story against your rules, and sends an alert for each match.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Poll, match and deliver until stopped.
    Run {
        #[command(flatten)]
        config: ConfigArgument,
        /// Poll every feed once, deliver what is due, and end: 69 if a message stays undelivered.
        #[arg(long)]
        once: bool,
        /// How the log on standard error is written.
        #[arg(long, value_enum, default_value_t)]
        log: OutputFormat,
    },
    /// Check the configuration and every rule with its examples; or rules alone, without a
    /// configuration.
    Check {
        /// A rule file or a folder of them, to be checked alone.
        rules: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArgument,
        /// How faults are printed: as text on standard error, or as JSON Lines on standard output.
        #[arg(long, value_enum, default_value_t)]
        format: format::OutputFormat,
        /// Print every rule in canonical form, with the terms of its lists.
        #[arg(long)]
        canonical: bool,
    },
    /// Match an expression against a feed or page, and show where it matches and why. Needs no
    /// files; uses the configuration's settings for hosts if there is one.
    Try {
        /// The expression, as in a rule's `when`.
        expression: String,
        /// The address or file of a feed or of an article page, or the name of a feed of the
        /// configuration.
        place: String,
        /// Use teasers as they are: do not read the pages behind them.
        #[arg(long)]
        teaser: bool,
        #[command(flatten)]
        config: OptionalConfigArgument,
    },
    /// Explain why a story matches or does not: the text that the rules saw, and the words that
    /// decided.
    Explain(explain::ExplainArguments),
    /// Show what rules would have matched, over stories from a file or from the store.
    Backtest(backtest::BacktestArguments),
    /// List alerts: by rule, tag, feed, time or words; `alerts show ID` shows one in full.
    Alerts(alerts::AlertsArguments),
    /// List feeds with their health and next poll; show one feed as the rules see it; import and
    /// export lists of feeds.
    Feeds {
        #[command(subcommand)]
        action: feeds::FeedsAction,
    },
    /// List messages that are not delivered, and why; `deliveries retry` sends dead-lettered ones
    /// again.
    Deliveries(deliveries::DeliveriesArguments),
    /// Mute a rule, a tag, a feed or an event for a while.
    Silence {
        #[command(subcommand)]
        action: silence::SilenceAction,
    },
    /// Send a test message through one notifier.
    Notify {
        /// The notifier's name in the configuration.
        name: String,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// Runs the command of `arguments`, which begin with the program's name.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match CommandLine::try_parse_from(arguments) {
        Ok(arguments) => dispatch(arguments.command),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit as u8)
}

/// Prints the requested help, or the error in the command line.
fn usage(error: &clap::Error) -> Exit {
    match error.print() {
        _ if error.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Ok,
        Err(why) => output::exit_for_write_error(&why),
    }
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Run { config, once, log } => run::run_daemon(&config.path, once, log),
        Command::Check { rules: Some(rules), format, canonical, .. } => {
            check::check_rules(&rules, format, canonical)
        }
        Command::Check { rules: None, config, format, canonical } => {
            check::check_config(&config.path, format, canonical)
        }
        Command::Try { expression, place, teaser, config } => {
            let depth = if teaser { ReadDepth::Teaser } else { ReadDepth::Page };
            try_it::try_it(&expression, &place, depth, config.path.as_deref())
        }
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Backtest(arguments) => backtest::backtest(&arguments),
        Command::Alerts(arguments) => alerts::alerts(&arguments),
        Command::Feeds { action } => feeds::feeds(action),
        Command::Deliveries(arguments) => deliveries::deliveries(&arguments),
        Command::Silence { action } => silence::silence(action),
        Command::Notify { name, config } => notify::send_test_messages(&config.path, &name),
    }
}
