//! `tidings backtest`: rules over many stories of the past, and what an edit of the rules would
//! change.

mod progress;
mod report;
mod sides;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rayon::ThreadPool;

use crate::backtest::batch::Batch;
use crate::backtest::lines::StoryLines;
use crate::backtest::matching::{LoadError, Matcher};
use crate::backtest::source::StorySource;
use crate::backtest::stored::{StoredError, StoredStories};
use crate::cli::arguments::ConfigArgument;
use crate::cli::backtest::sides::{Matched, Sides};
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load::unreadable_rules;
use crate::cli::runtime::no_threads;
use crate::cli::{load, output};
use crate::clock::{now, timed};
use crate::config::Config;
use crate::daemon;
use progress::Progress;
use report::Printer;
use tidings_rules::fault::Fault;

pub(super) use crate::backtest::lines::story_of_line;

/// The arguments of `tidings backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct BacktestArguments {
    /// A rule file or a folder of them [default: the configuration's rules]
    #[arg(long, value_name = "FOLDER", conflicts_with = "when")]
    rules: Option<PathBuf>,
    /// One expression, as in a rule's `when`, in place of rules
    #[arg(long, value_name = "EXPR")]
    when: Option<String>,
    /// Stories from a file (`-`: standard input) in place of the store's
    ///
    /// One JSON object a line, with `title` and `body`, and if known
    /// `id` (else the number of the line), `url`, `published`, `lang`.
    /// A rule with a `feeds` filter looks at all of them, as if every
    /// feed carried them.
    #[arg(long, value_name = "FILE", conflicts_with = "since", verbatim_doc_comment)]
    stories: Option<PathBuf>,
    /// Without --stories: how far back to look in the store
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// Show instead what the rules in this folder would add and drop
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
    /// How matches are shown
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// How many threads match
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Matches every story and prints the result: 65 if rules do not load, or a line is not a story.
pub(super) fn backtest(arguments: &BacktestArguments) -> Exit {
    match prepare(arguments).and_then(|(sides, source)| run(arguments, &sides, source)) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// Loads the rules and opens the stories. A configuration is needed only for what the command line
/// does not name.
fn prepare(arguments: &BacktestArguments) -> Result<(Sides, StorySource), Exit> {
    let is_named =
        arguments.stories.is_some() && (arguments.rules.is_some() || arguments.when.is_some());
    let config = if is_named { None } else { Some(load::load_config(&arguments.config.path)?) };
    let sides = sides(arguments, config.as_ref())?;
    let source = match (&arguments.stories, &config) {
        (None, Some(config)) => StorySource::Stored(open_store(config, arguments.since)?),
        (stories, _) => StorySource::Lines(open(stories.as_deref().unwrap_or(Path::new("-")))?),
    };
    Ok((sides, source))
}

fn sides(arguments: &BacktestArguments, config: Option<&Config>) -> Result<Sides, Exit> {
    let of_config = config.map_or(Path::new("rules"), |config| &config.rules);
    let format = arguments.format;
    let (base, loading) = timed(|| match &arguments.when {
        Some(expression) => loaded(format, |faults| Matcher::expression(expression, faults)),
        None => loaded(format, |faults| {
            Matcher::rules(arguments.rules.as_deref().unwrap_or(of_config), faults)
        }),
    });
    let other = arguments
        .against
        .as_ref()
        .map(|folder| loaded(format, |faults| Matcher::rules(folder, faults)));
    Ok(Sides { base: base?, other: other.transpose()?, loading })
}

/// What `load` makes, its faults shown.
fn loaded(
    format: OutputFormat,
    load: impl FnOnce(&mut Vec<Fault>) -> Result<Matcher, LoadError>,
) -> Result<Matcher, Exit> {
    let mut faults = Vec::new();
    let loaded = load(&mut faults);
    report::faults(&faults, format);
    loaded.map_err(|why| match why {
        LoadError::Broken => Exit::Data,
        LoadError::Unreadable(why) => unreadable_rules(&why, Exit::Data),
    })
}

fn open_store(config: &Config, age: Duration) -> Result<StoredStories, Exit> {
    let since = now().checked_sub(age).unwrap_or(Timestamp::MIN);
    StoredStories::open(&config.store, since, daemon::known(config).feeds).map_err(
        |why| match why {
            StoredError::Threads(why) => no_threads(&why),
            StoredError::Store(why) => {
                let help = "`tidings run --once` fills a store; --stories FILE needs none";
                output::fail_with_help(why, help, Exit::Unavailable)
            }
        },
    )
}

fn open(stories: &Path) -> Result<StoryLines, Exit> {
    StoryLines::open(stories, now()).map_err(|why| {
        let why = format!("{} cannot be read: {why}", stories.display());
        let help = "--stories takes a file of JSON objects, one a line, or - for standard input";
        output::fail_with_help(why, help, Exit::Unavailable)
    })
}

fn run(
    arguments: &BacktestArguments,
    sides: &Sides,
    mut source: StorySource,
) -> Result<Exit, Exit> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.into())
        .build()
        .map_err(|why| {
            output::fail(format_args!("the system gives no threads: {why}"), Exit::Unavailable)
        })?;
    let mut printer = Printer::new(arguments.format, sides);
    let mut progress = Progress::start(source.size());
    while let Some(batch) = source.next().map_err(|why| output::fail(why, Exit::Unavailable))? {
        let matched = matched(&pool, sides, &batch);
        progress
            .hidden(|| printer.batch(&batch, &matched))
            .map_err(|why| output::unwritable(&why))?;
        progress.advance(&batch);
    }
    progress.end();
    printer.end(arguments.threads).map_err(|why| output::unwritable(&why))?;
    Ok(if printer.tally.faulty == 0 { Exit::Ok } else { Exit::Data })
}

/// What both sides find; only the first is timed.
fn matched(pool: &ThreadPool, sides: &Sides, batch: &Batch) -> Matched {
    pool.install(|| {
        let (base, took) = timed(|| sides.base.matches_all(&batch.stories));
        let other = sides.other.as_ref().map(|other| other.matches_all(&batch.stories));
        Matched { base, other, took }
    })
}
