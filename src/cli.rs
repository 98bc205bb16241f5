//! Subcommands and what they print.

mod alerts;
mod arguments;
mod backtest;
mod backup;
mod check;
mod clauses;
mod columns;
mod count;
mod coverage;
mod csv_table;
mod deliveries;
mod examples;
mod exit;
mod explain;
mod feeds;
mod format;
mod generate;
mod health;
mod ingest;
mod init;
mod load;
mod logs;
mod moment;
mod names;
mod notify;
mod output;
mod pages;
mod place;
mod restore;
mod rules;
mod run;
mod runtime;
mod schema;
mod silence;
mod status;
mod store;
mod try_it;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::format::OutputFormat;
use crate::cli::pages::ReadDepth;
use arguments::{ConfigArgument, OptionalConfigArgument};
use exit::{EXIT_CODES, Exit};

/// Polls news feeds, matches every story against your rules, and sends an alert for each match.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    arg_required_else_help = true,
    after_help = format!("{}\n\n{EXIT_CODES}", examples::TIDINGS),
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration and a first rule into a new folder, and say what to do next.
    #[command(after_help = examples::INIT)]
    Init {
        /// The folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Another reader's list of feeds. It is copied beside the configuration.
        #[arg(long, value_name = "FILE")]
        opml: Option<PathBuf>,
    },
    /// Poll, match and deliver until stopped.
    #[command(after_help = examples::RUN)]
    Run {
        #[command(flatten)]
        config: ConfigArgument,
        /// Poll every feed once, deliver what is due, and exit. The exit code is 69 if a message
        /// stays undelivered.
        #[arg(long)]
        once: bool,
        /// The format of the log, which is written to standard error.
        #[arg(long, value_enum, default_value_t)]
        log: OutputFormat,
    },
    /// Check the configuration, the rules and their examples. With RULES, check only those rules.
    #[command(after_help = examples::CHECK)]
    Check {
        /// A rule file or a folder of rule files. The configuration is not read.
        rules: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArgument,
        /// The format of faults: text on standard error, or JSON Lines on standard output.
        #[arg(long, value_enum, default_value_t)]
        format: format::OutputFormat,
        /// Print every rule in canonical form, with the terms of its lists.
        #[arg(long)]
        canonical: bool,
    },
    /// Match an expression against a feed or page, and show the words that decide. If there is a
    /// configuration, its settings for hosts are used.
    #[command(after_help = examples::TRY)]
    Try {
        /// The expression, as in a rule's `when`.
        expression: String,
        /// The address or file of a feed or article, or the name of a feed in the configuration.
        place: String,
        /// Match only the text that the feed gives. Do not read the pages behind teasers.
        #[arg(long)]
        teaser: bool,
        #[command(flatten)]
        config: OptionalConfigArgument,
    },
    /// Explain why a story matches or does not. Shows the text that the rules read, and the words
    /// that decide.
    #[command(after_help = examples::EXPLAIN)]
    Explain(explain::ExplainArguments),
    /// Match rules against stories of the past, from the store or from a file.
    #[command(after_help = examples::BACKTEST)]
    Backtest(backtest::BacktestArguments),
    /// Record stories from elsewhere, given as JSON Lines. A running Tidings matches them within
    /// seconds, or else the next run does.
    #[command(after_help = examples::INGEST)]
    Ingest(ingest::IngestArguments),
    /// List alerts by rule, tag, feed, time or words. `alerts show ID` shows one in full, and
    /// `alerts event ID` what happened to an event.
    #[command(after_help = examples::ALERTS)]
    Alerts(alerts::AlertsArguments),
    /// Show what rules covered: events, who had them first, how fast, and which sources were lost.
    #[command(after_help = examples::COVERAGE)]
    Coverage(coverage::CoverageArguments),
    /// List rules with their matches, and mark those that are stale, expire or have no owner.
    #[command(after_help = examples::RULES)]
    Rules(rules::RulesArguments),
    /// List feeds with their health, poll them, find new ones, and import and export lists.
    #[command(after_help = examples::FEEDS)]
    Feeds {
        #[command(subcommand)]
        action: feeds::FeedsAction,
    },
    /// List messages that are not delivered, and why. `deliveries retry` sends dead-lettered
    /// messages again, and `deliveries drop` drops them.
    #[command(after_help = examples::DELIVERIES)]
    Deliveries(deliveries::DeliveriesArguments),
    /// Mute rules, tags, rows, feeds or events for a while.
    #[command(after_help = examples::SILENCE)]
    Silence {
        #[command(subcommand)]
        action: silence::SilenceAction,
    },
    /// Show whether Tidings runs, and what needs attention. The exit code is 1 if something does.
    #[command(after_help = examples::STATUS)]
    Status(status::StatusArguments),
    /// Ask a running Tidings through its web listener whether it is alive. The exit code is 69 if
    /// it is not.
    #[command(after_help = examples::HEALTH)]
    Health(health::HealthArguments),
    /// Copy the store to a new file, also while Tidings runs.
    #[command(after_help = examples::BACKUP)]
    Backup {
        /// The new file. It appears when the copy is whole.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Put a copy in the place of the store, while Tidings does not run. The store that is there is
    /// kept beside it.
    #[command(after_help = examples::RESTORE)]
    Restore {
        /// The copy, as `tidings backup` makes it. It is only read.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Copy the store to another place: from a file to a database of a server, or back.
    #[command(after_help = examples::STORE)]
    Store {
        #[command(subcommand)]
        action: store::StoreAction,
    },
    /// Send a test message through one notifier.
    #[command(after_help = examples::NOTIFY)]
    Notify {
        /// The notifier's name in the configuration.
        name: String,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Print the JSON Schema of the configuration or of rule files, for editors.
    #[command(after_help = examples::SCHEMA)]
    Schema {
        /// The file that the schema describes.
        #[arg(value_name = "config|rules", value_enum)]
        file: schema::DescribedFile,
    },
    /// Write the manual pages and the completions of shells, for packages.
    #[command(hide = true)]
    Generate {
        /// The folder. It gets `man` and `completions`.
        folder: PathBuf,
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
        Command::Init { folder, opml } => init::init(&folder, opml.as_deref()),
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
        Command::Ingest(arguments) => ingest::ingest(&arguments),
        Command::Alerts(arguments) => alerts::alerts(&arguments),
        Command::Coverage(arguments) => coverage::coverage(&arguments),
        Command::Rules(arguments) => rules::rules(&arguments),
        Command::Feeds { action } => feeds::feeds(action),
        Command::Deliveries(arguments) => deliveries::deliveries(&arguments),
        Command::Silence { action } => silence::silence(action),
        Command::Status(arguments) => status::print_status(&arguments),
        Command::Health(arguments) => health::ask_health(&arguments),
        Command::Backup { file, config } => backup::make_backup(&file, &config.path),
        Command::Restore { file, config } => restore::restore_store(&file, &config.path),
        Command::Store { action } => store::store(action),
        Command::Notify { name, config } => notify::send_test_messages(&config.path, &name),
        Command::Schema { file } => schema::print_schema(file),
        Command::Generate { folder } => generate::generate(CommandLine::command(), &folder),
    }
}
