//! `tidings ingest`: records stories from elsewhere, beside a running Tidings or without one.

use std::path::{Path, PathBuf};

use tokio::io::AsyncRead;

use crate::cli::arguments::ConfigArgument;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load;
use crate::cli::output::{self, fail_with_help};
use crate::cli::runtime::block_on;
use crate::files;
use crate::ingest::{self, IngestError, IngestFailure, IngestReport, LineFault, ReceivingFeeds};
use crate::store::{IngestTarget, StoreCommandError};

/// The most faults that are shown to a person.
const MOST_SHOWN: u64 = 20;

/// The arguments of `tidings ingest`.
#[derive(Debug, clap::Args)]
pub(super) struct IngestArguments {
    /// A file of stories. `-` is standard input
    ///
    /// Each line is a JSON object with `title` and `body`. It may have `feed`, `id`, `url`,
    /// `published`, `lang`, `authors`, `tags` and `source`. A story with a known id of its feed is
    /// known, or an edit if its words differ. Without an id, the url counts, or else the words.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The feed that receives the stories of lines without `feed`. The configuration has it as
    /// `{name: NAME, from: ingest}`
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// The format of the answer
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Records the stories: 65 if lines were refused, 69 if the store cannot be written, 74 if the
/// stories cannot be read.
pub(super) fn ingest(arguments: &IngestArguments) -> Exit {
    record_stories(arguments).unwrap_or_else(|exit| exit)
}

fn record_stories(arguments: &IngestArguments) -> Result<Exit, Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let name = arguments.feed.as_deref();
    let feeds = ReceivingFeeds::new(&config, name).map_err(|why| output::fail(why, Exit::Data))?;
    let target = IngestTarget::At(config.store);
    let mut shown = 0;
    let tell = |faults: &[LineFault]| {
        if arguments.format == OutputFormat::Text {
            shown = print_faults(&arguments.file, faults, shown);
        }
    };
    let ended = block_on(async {
        let input = open_input(&arguments.file)?;
        Ok(ingest::ingest(input, &feeds, &target, tell).await)
    })?;
    let (report, exit) = match ended {
        Ok(report) => {
            let exit = if report.refused == 0 { Exit::Ok } else { Exit::Data };
            (report, exit)
        }
        Err(IngestError { report, cause }) => (report, exit_for_failure(&cause)),
    };
    match arguments.format {
        OutputFormat::Json => output::print_json([&report])?,
        OutputFormat::Text => output::print_line(describe(&report))?,
    }
    Ok(exit)
}

fn open_input(file: &Path) -> Result<Box<dyn AsyncRead + Unpin>, Exit> {
    if file == Path::new("-") {
        return Ok(Box::new(tokio::io::stdin()));
    }
    let file = files::open_stream(file).map_err(|why| {
        output::fail(format_args!("{} cannot be read: {why}", file.display()), Exit::Output)
    })?;
    Ok(Box::new(file))
}

fn exit_for_failure(cause: &IngestFailure) -> Exit {
    match cause {
        IngestFailure::Input(_) => output::fail(cause, Exit::Output),
        IngestFailure::Store(StoreCommandError::Open(_)) => {
            let help = "stories are kept in the store, which `tidings run` makes";
            fail_with_help(cause, help, Exit::Unavailable)
        }
        IngestFailure::Store(StoreCommandError::Store(_)) => {
            let help = "what was recorded before stays: give the same lines again later";
            fail_with_help(cause, help, Exit::Unavailable)
        }
    }
}

/// Prints the faults, unless enough are `shown` already. Returns how many are.
fn print_faults(file: &Path, faults: &[LineFault], shown: u64) -> u64 {
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let mut shown = shown;
    for LineFault { line, column, message } in faults {
        shown += 1;
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        if shown <= MOST_SHOWN {
            output::print_error_line(format_args!("error: {name}:{line}{column}: {message}"));
        } else if shown == MOST_SHOWN + 1 {
            output::print_error_line("more lines are refused; `--format json` says why");
        }
    }
    shown
}

fn describe(report: &IngestReport) -> String {
    let IngestReport { new, edited, known, refused, .. } = report;
    let taken = format!("{new} new, {edited} edited, {known} known");
    match usize::try_from(*refused).unwrap_or(usize::MAX) {
        0 => taken,
        refused => format!("{taken}; refused: {}", count(refused, "line", "lines")),
    }
}
