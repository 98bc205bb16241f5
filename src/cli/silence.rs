//! `tidings silence`: mutes a rule, a tag, a feed or an event for a while, beside a running
//! Tidings.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::calendar;
use crate::alerts::silence::{Silence, SilenceTarget};
use crate::cli::arguments::ConfigArgument;
use crate::cli::count::count;
use crate::cli::examples;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::names::{self, unknown_name};
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::json::silence_json;
use crate::queries::moment::long_date;
use crate::store::{self, Archive};
use tidings_rules::story::FeedName;
use tidings_rules::text::visible_line;

#[derive(Debug, Subcommand)]
pub(super) enum SilenceAction {
    /// Mute a rule, a tag, a row, a feed or an event. Its alerts are sent as one digest at the end.
    #[command(after_help = examples::SILENCE_ADD)]
    Add {
        #[command(flatten)]
        target: TargetArguments,
        /// The end: 08:00, "mon 08:00", "2026-12-24 08:00", or a duration: 3h.
        #[arg(long, value_name = "WHEN")]
        until: String,
        /// The reason, shown in the list and the digest
        #[arg(long, default_value = "")]
        why: String,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// List the silences in force
    #[command(after_help = examples::SILENCE_LIST)]
    List {
        /// List the silences that have ended, too
        #[arg(long)]
        all: bool,
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// End a silence now, and send the muted alerts
    #[command(after_help = examples::SILENCE_END)]
    End {
        /// The number that `silence list` shows.
        id: i64,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// What is muted.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct TargetArguments {
    /// The rule with this name.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Every rule with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// The row with this id, in every rule with `each`.
    #[arg(long, value_name = "ID")]
    row: Option<String>,
    /// Stories that only this feed carries.
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// One event, by the id that its messages carry.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
}

/// Adds, lists or ends silences.
pub(super) fn silence(action: SilenceAction) -> Exit {
    let done = match action {
        SilenceAction::Add { target, until, why, config } => {
            add_silence(target, &until, why, &config.path)
        }
        SilenceAction::List { all, format, config } => list_silences(all, format, &config.path),
        SilenceAction::End { id, config } => end_silence(id, &config.path),
    };
    done.err().unwrap_or(Exit::Ok)
}

fn add_silence(
    target: TargetArguments,
    until: &str,
    why: String,
    config: &Path,
) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let Some(until) = calendar::until(until, now(), &config.zone) else {
        let help = "write 08:00, \"mon 08:00\", \"2026-12-24 08:00\", or a duration: 3h";
        let why = format!("`{}` is not a time in the future", visible_line(until));
        return Err(output::fail_with_help(why, help, Exit::Usage));
    };
    let target = known_target(target, &config)?;
    let silence = block_on(async {
        store::add_silence(&config.store, target, until, why, now())
            .await
            .map_err(|why| unavailable(&why))
    })?;
    let (target, until) =
        (visible_line(&silence.target.to_string()), long_date(until, &config.zone));
    output::print_line(format_args!("silence {}: {target} is muted until {until}", silence.id))
}

/// The target. Fails if there is no such rule, tag, row, feed or event, because a typing error
/// would mute nothing.
fn known_target(arguments: TargetArguments, config: &Config) -> Result<SilenceTarget, Exit> {
    let feeds = || config.feed_names().map(|name| name.0.clone()).collect();
    match arguments {
        TargetArguments { rule: Some(rule), .. } => {
            check_name("rule", &rule, names::rule_names(config))?;
            Ok(SilenceTarget::Rule(rule))
        }
        TargetArguments { tag: Some(tag), .. } => {
            check_name("rule with the tag", &tag, names::rule_tags(config))?;
            Ok(SilenceTarget::Tag(tag))
        }
        TargetArguments { row: Some(row), .. } => {
            check_name("row with the id", &row, names::row_ids(config))?;
            Ok(SilenceTarget::Row(row))
        }
        TargetArguments { feed: Some(feed), .. } => {
            check_name("feed", &feed, Some(feeds()))?;
            Ok(SilenceTarget::Feed(FeedName(feed)))
        }
        TargetArguments { event, .. } => {
            let event = event.unwrap_or_default();
            block_on(check_event(&event, config))?;
            Ok(SilenceTarget::Event(event))
        }
    }
}

/// Fails if the store has no event `id`.
async fn check_event(id: &str, config: &Config) -> Result<(), Exit> {
    let mut archive = Archive::open(&config.store).await.map_err(|why| unavailable(&why))?;
    let found = archive.find_story(id, None).await.map_err(|why| unavailable(&why))?;
    if found.is_some() {
        return Ok(());
    }
    let help = "messages carry it as `event`, and `tidings alerts show` prints it";
    Err(output::fail_with_help(
        format_args!("there is no event `{}`", visible_line(id)),
        help,
        Exit::Data,
    ))
}

fn check_name(kind: &str, name: &str, known: Option<BTreeSet<String>>) -> Result<(), Exit> {
    let Some(known) = known.filter(|known| !known.contains(name)) else { return Ok(()) };
    Err(unknown_name(kind, name, known.iter().map(String::as_str)))
}

fn list_silences(all: bool, format: OutputFormat, config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let at = now();
    let since = if all { Timestamp::MIN } else { at };
    let silences = block_on(async {
        store::list_silences(&config.store, since).await.map_err(|why| unavailable(&why))
    })?;
    match format {
        OutputFormat::Text if silences.is_empty() => {
            output::print_line(if all { "nothing was ever muted" } else { "nothing is muted" })
        }
        OutputFormat::Text => output::print_lines(
            silences.iter().map(|(silence, muted)| silence_line(silence, *muted, at, &config.zone)),
        ),
        OutputFormat::Json => {
            output::print_json(silences.iter().map(|(one, muted)| silence_json(one, *muted)))
        }
    }
}

fn silence_line(silence: &Silence, muted: u32, at: Timestamp, zone: &TimeZone) -> String {
    let why = if silence.why.is_empty() {
        String::new()
    } else {
        format!(": {}", visible_line(&silence.why))
    };
    let muted = count(muted as usize, "alert", "alerts");
    let (target, until) =
        (visible_line(&silence.target.to_string()), long_date(silence.until, zone));
    let end = if silence.until > at { "until" } else { "ended" };
    format!("{}  {target}, {end} {until}, {muted} muted{why}", silence.id)
}

fn end_silence(id: i64, config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let ended = block_on(async {
        store::end_silence(&config.store, id, now()).await.map_err(|why| unavailable(&why))
    })?;
    let Some(silence) = ended else {
        let why = format!("no silence {id} is in force");
        return Err(output::fail_with_help(
            why,
            "`tidings silence list` shows the silences in force",
            Exit::Data,
        ));
    };
    let target = visible_line(&silence.target.to_string());
    output::print_line(format_args!(
        "silence {id} has ended: {target} is no longer muted, and the muted alerts are sent"
    ))
}

fn unavailable(why: &impl std::fmt::Display) -> Exit {
    output::fail_with_help(
        why,
        "silences are kept in the store, which `tidings run` makes",
        Exit::Unavailable,
    )
}
