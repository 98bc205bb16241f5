//! Subcommands and what they print.

mod alerts;
mod backtest;
mod check;
mod clauses;
mod columns;
mod deliveries;
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
mod silence;
mod try_it;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::format::OutputFormat;
use crate::cli::pages::Depth;

/// What the help says of [`Exit`].
const EXIT_CODES: &str = "\
Exit codes:
   0  all is well
  64  the command line is wrong
  65  rules, names or data are wrong
  69  something is unavailable: the store, a feed, a receiver
  70  a bug in Tidings
  74  standard output cannot be written
  78  the configuration is wrong";

/// How the program ended, as the exit codes of sysexits.h have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    /// All is well.
    Ok = 0,
    /// The command line is wrong.
    Usage = 64,
    /// Rules, expressions, names or feeds are wrong.
    Data = 65,
    /// Something that is needed is not to be had now: the store, a receiver.
    Unavailable = 69,
    /// A bug in Tidings.
    Bug = 70,
    /// Standard output cannot be written.
    Output = 74,
    /// The configuration is wrong.
    Config = 78,
}

/// Watches the news and tells you: polls feeds, matches every story against your rules, sends what
/// matched.
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
        /// How faults are shown: for people on standard error, or as JSON Lines on standard output.
        #[arg(long, value_enum, default_value_t)]
        format: format::OutputFormat,
        /// Print every rule as it is understood: in canonical form, with the terms of its lists.
        #[arg(long)]
        canonical: bool,
    },
    /// Does this expression match that feed or page, where, and why? Needs no files, and asks as
    /// the configuration says if there is one.
    Try {
        /// The expression, as in a rule's `when`.
        expression: String,
        /// The address or file of a feed or of an article page, or the name of a feed of the
        /// configuration.
        place: String,
        /// Take teasers as they are: do not read the pages behind them.
        #[arg(long)]
        teaser: bool,
        #[command(flatten)]
        config: ConfigAtHand,
    },
    /// Why does this story match, or not? What the rules saw of it, and which words decided.
    Explain(explain::ExplainArguments),
    /// What would these rules have matched? Over stories from a file, or the store's.
    Backtest(backtest::BacktestArguments),
    /// What was told: by rule, tag, feed, time, words; `alerts show ID` tells all of one alert.
    Alerts(alerts::AlertsArguments),
    /// What is polled: how it fares and when it is polled next; one feed as the rules would see it;
    /// lists of feeds, in and out.
    Feeds {
        #[command(subcommand)]
        action: feeds::FeedsAction,
    },
    /// What is not delivered, and why; `deliveries retry` sends the dead again.
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

/// The configuration where none is named.
const CONFIG: &str = "config.yaml";

#[derive(Debug, clap::Args)]
struct ConfigArgument {
    /// The configuration file.
    #[arg(long = "config", short = 'c', value_name = "FILE", default_value = CONFIG)]
    path: PathBuf,
}

/// For commands that need none.
#[derive(Debug, clap::Args)]
struct ConfigAtHand {
    /// The configuration that says how hosts are asked [default: config.yaml, if it is there]
    #[arg(long = "config", short = 'c', value_name = "FILE")]
    path: Option<PathBuf>,
}

/// Runs the command that `arguments` (with the program's name first) ask for.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match CommandLine::try_parse_from(arguments) {
        Ok(arguments) => dispatch(arguments.command),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit as u8)
}

/// Prints the help that was asked for, or what is wrong with the command line.
fn usage(error: &clap::Error) -> Exit {
    match error.print() {
        _ if error.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Ok,
        Err(why) => output::unwritable(&why),
    }
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Run { config, once, log } => run::run(&config.path, once, log),
        Command::Check { rules: Some(rules), format, canonical, .. } => {
            check::rules(&rules, format, canonical)
        }
        Command::Check { rules: None, config, format, canonical } => {
            check::all(&config.path, format, canonical)
        }
        Command::Try { expression, place, teaser, config } => {
            let depth = if teaser { Depth::Teaser } else { Depth::Page };
            try_it::try_it(&expression, &place, depth, config.path.as_deref())
        }
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Backtest(arguments) => backtest::backtest(&arguments),
        Command::Alerts(arguments) => alerts::alerts(&arguments),
        Command::Feeds { action } => feeds::feeds(action),
        Command::Deliveries(arguments) => deliveries::deliveries(&arguments),
        Command::Silence { action } => silence::silence(action),
        Command::Notify { name, config } => notify::notify(&config.path, &name),
    }
}

/// A number and what it counts: `1 rule`, `2 rules`.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Says that the rules cannot be read; `why` names the path.
fn unreadable_rules(why: &str, exit: Exit) -> Exit {
    let help = "the rules are a folder of *.yaml files, which `rules:` in the configuration names";
    output::fail_with_help(why, help, exit)
}

/// Says that no runtime can be started.
fn no_threads(why: &std::io::Error) -> Exit {
    output::fail(format_args!("the system gives no threads or sockets: {why}"), Exit::Unavailable)
}

/// Runs a future to its end on a new runtime.
fn block_on<T>(future: impl Future<Output = Result<T, Exit>>) -> Result<T, Exit> {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(why) => Err(no_threads(&why)),
    }
}
