//! `tidings backtest`: rules over many stories of the past, and what an edit of the rules would
//! change.

mod progress;
mod report;
mod rule_sets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::backtest::batch::Batch;
use crate::backtest::conditions::{BatchResults, ConditionSetting, ConditionTrial};
use crate::backtest::lines::StoryLines;
use crate::backtest::matching::{LoadError, Matcher};
use crate::backtest::source::{SourceError, StorySource};
use crate::backtest::stored::{StoredError, StoredStories};
use crate::cli::arguments::ConfigArgument;
use crate::cli::backtest::rule_sets::{BatchMatches, RuleSets};
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load::{unreadable_named_rules, unreadable_rules};
use crate::cli::moment::shown_zone;
use crate::cli::runtime::no_threads;
use crate::cli::{load, output};
use crate::clock::{now, timed};
use crate::config::Config;
use crate::queries::names::{any_names, known_names};
use crate::rule_files;
use progress::Progress;
use report::Printer;
use tidings_rules::condition::Publishers;
use tidings_rules::fault::Fault;

pub(super) use crate::backtest::lines::story_of_line;

/// The arguments of `tidings backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct BacktestArguments {
    /// A rule file or a folder of them [default: the configuration's rules]
    #[arg(long, value_name = "FOLDER")]
    rules: Option<PathBuf>,
    /// An expression, as in a rule's `when`. It replaces the rules, and may name their term lists
    #[arg(long, value_name = "EXPR")]
    when: Option<String>,
    /// A file of stories, which replaces the store. `-` is standard input
    ///
    /// Each line is a JSON object with `title` and `body`. It may have `id` (default: the number of
    /// the line), `url`, `published`, `lang`, `authors`, `tags` and `source`. A rule with a `feeds`
    /// filter reads all of these stories, as if every feed carried them. For rules with `tell` or
    /// `absent` they must be in the order of `published`, when they count. Stories of the store
    /// count when they were first seen.
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    stories: Option<PathBuf>,
    /// The age of the oldest stories that are read from the store
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// Compare with the rules in this folder: show the matches that they would add and drop
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// The number of threads that match stories
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    #[command(flatten)]
    config: ConfigArgument,
}

/// What a backtest is made of.
struct PreparedBacktest {
    sides: RuleSets,
    source: StorySource,
    zone: TimeZone,
    publishers: Publishers,
}

/// Matches every story and prints the result: 65 if rules do not load, or a line is not a story.
pub(super) fn backtest(arguments: &BacktestArguments) -> Exit {
    match prepare(arguments).and_then(|prepared| run_in_pool(arguments, prepared)) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// Reading and printing are work of the pool, too: a thread that frees the memory of another takes
/// longer.
fn run_in_pool(arguments: &BacktestArguments, prepared: PreparedBacktest) -> Result<Exit, Exit> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.into()).build();
    let pool = pool.map_err(|why| {
        output::fail(format_args!("threads cannot be started: {why}"), Exit::Unavailable)
    })?;
    pool.install(|| run_backtest(arguments, prepared))
}

/// Loads the rules and opens the stories. A configuration is needed only for what the command line
/// does not name. Term lists of an expression come from it if it exists.
fn prepare(arguments: &BacktestArguments) -> Result<PreparedBacktest, Exit> {
    let has_rules = arguments.rules.is_some()
        || arguments.when.as_ref().is_some_and(|expression| {
            !rule_files::may_name_lists(expression) || !arguments.config.path.exists()
        });
    let config = if arguments.stories.is_some() && has_rules {
        None
    } else {
        Some(load::read_config_and_print_faults(&arguments.config.path)?)
    };
    let sides = load_rule_sets(arguments, config.as_ref())?;
    let source = match (&arguments.stories, &config) {
        (None, Some(config)) => StorySource::Stored(open_store(config, arguments.since)?),
        (stories, _) => {
            StorySource::Lines(open_lines(stories.as_deref().unwrap_or(Path::new("-")))?)
        }
    };
    let zone = shown_zone(config.as_ref());
    let publishers = config.map(|config| config.publishers).unwrap_or_default();
    Ok(PreparedBacktest { sides, source, zone, publishers })
}

fn load_rule_sets(
    arguments: &BacktestArguments,
    config: Option<&Config>,
) -> Result<RuleSets, Exit> {
    let (format, named) = (arguments.format, arguments.rules.as_deref());
    let rules = named.or(config.map(|config| config.rules.as_path()));
    let read_by_rules = config.map(any_names);
    let load = |path: &Path, faults: &mut Vec<Fault>| {
        Matcher::from_rule_files(path, read_by_rules.as_ref(), faults)
    };
    let (base, loading) = timed(|| match &arguments.when {
        Some(expression) => load_matcher(format, named, |faults| {
            Matcher::from_expression(expression, rules, faults)
        }),
        None => {
            load_matcher(format, named, |faults| load(rules.unwrap_or(Path::new("rules")), faults))
        }
    });
    let other = arguments
        .against
        .as_deref()
        .map(|folder| load_matcher(format, Some(folder), |faults| load(folder, faults)));
    Ok(RuleSets { base: base?, other: other.transpose()?, loading })
}

/// What `load` makes, its faults shown. `named`: the rules that the command line names.
fn load_matcher(
    format: OutputFormat,
    named: Option<&Path>,
    load: impl FnOnce(&mut Vec<Fault>) -> Result<Matcher, LoadError>,
) -> Result<Matcher, Exit> {
    let mut faults = Vec::new();
    let loaded = load(&mut faults);
    report::print_faults(&faults, format);
    loaded.map_err(|why| match why {
        LoadError::Broken => Exit::Data,
        LoadError::Unreadable(why) => match named {
            Some(path) => unreadable_named_rules(path, &why, Exit::Data),
            None => unreadable_rules(&why, Exit::Data),
        },
    })
}

fn open_store(config: &Config, age: Duration) -> Result<StoredStories, Exit> {
    let since = now().checked_sub(age).unwrap_or(Timestamp::MIN);
    StoredStories::open(&config.store, since, known_names(config).feeds).map_err(|why| {
        if let StoredError::Threads(why) = &why {
            return no_threads(why);
        }
        let help = "`tidings run --once` fills a store; --stories FILE needs none";
        output::fail_with_help(why, help, Exit::Unavailable)
    })
}

fn open_lines(stories: &Path) -> Result<StoryLines, Exit> {
    StoryLines::open(stories, now()).map_err(|why| {
        let why = format!("{} cannot be read: {why}", stories.display());
        let help = "--stories takes a file of JSON objects, one a line, or - for standard input";
        output::fail_with_help(why, help, Exit::Unavailable)
    })
}

fn run_backtest(arguments: &BacktestArguments, prepared: PreparedBacktest) -> Result<Exit, Exit> {
    let PreparedBacktest { sides, mut source, zone, publishers } = prepared;
    let watch = source.watch().map_err(unreadable_source)?;
    let setting = ConditionSetting { zone: zone.clone(), publishers, watch };
    let mut trial = ConditionTrial::new(&sides.base, sides.other.as_ref(), setting);
    let mut printer = Printer::new(arguments.format, zone, &sides);
    let mut progress = Progress::start(source.size_in_bytes());
    while let Some(batch) = source.next_batch().map_err(unreadable_source)? {
        let mut matched = match_batch(&sides, &batch);
        if let Some(trial) = &mut trial {
            matched.results = Some(decide_batch(trial, &mut source, &batch, &matched)?);
        }
        progress
            .hidden(|| printer.print_batch(&batch, &matched))
            .map_err(|why| output::exit_for_write_error(&why))?;
        progress.advance(&batch);
    }
    progress.end();
    if let Some(trial) = &mut trial {
        let until = arguments.stories.is_none().then(now);
        let (base, other) = trial.finish(until);
        printer
            .print_results(&base, other.as_ref())
            .map_err(|why| output::exit_for_write_error(&why))?;
        printer.late_stories = trial.late_stories();
    }
    printer.print_end(arguments.threads).map_err(|why| output::exit_for_write_error(&why))?;
    Ok(if printer.tally.faulty == 0 { Exit::Ok } else { Exit::Data })
}

fn unreadable_source(why: SourceError) -> Exit {
    output::fail(why, Exit::Unavailable)
}

/// What both sides find; only the first is timed.
fn match_batch(sides: &RuleSets, batch: &Batch) -> BatchMatches {
    let (base, took) = timed(|| sides.base.match_stories(&batch.stories));
    let other = sides.other.as_ref().map(|other| other.match_stories(&batch.stories));
    BatchMatches { base, other, results: None, took }
}

fn decide_batch(
    trial: &mut ConditionTrial<'_>,
    source: &mut StorySource,
    batch: &Batch,
    matched: &BatchMatches,
) -> Result<BatchResults, Exit> {
    let results = trial.decide(source, &batch.stories, &matched.base, matched.other.as_deref());
    results.map_err(unreadable_source)
}
