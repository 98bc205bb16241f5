//! `tidings silence`: mutes a rule, a tag, a feed or an event for a while, beside a running Tidings.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Subcommand;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::alert::calendar;
use crate::alert::silence::{Silence, Target};
use crate::cli::format::Format;
use crate::cli::moment::in_full;
use crate::cli::names::unknown_name;
use crate::cli::shown::shown;
use crate::cli::{ConfigArgument, Exit, block_on, count, load, output};
use crate::config::Config;
use crate::daemon::clock::now;
use crate::daemon::rule_files;
use crate::rule::Rules;
use crate::store::{self, DeskError};
use crate::story::FeedName;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Mute something until a time. What it mutes comes as one digest at the end.
    Add {
        #[command(flatten)]
        target: TargetArguments,
        /// Until when: 08:00, "mon 08:00", "2026-12-24 08:00", or for how long: 3h.
        #[arg(long, value_name = "WHEN")]
        until: String,
        /// Why, for whoever reads the list or the digest.
        #[arg(long, default_value = "")]
        why: String,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// The silences in force.
    List {
        /// How they are shown.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// End one now; what it muted is sent.
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
    /// The rule of this name.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Every rule with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// The row of this id, of every rule with `each`.
    #[arg(long, value_name = "ID")]
    row: Option<String>,
    /// Stories that only this feed carries.
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// One event, by the id that its messages carry.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
}

/// Does what `action` says.
pub(super) fn silence(action: Action) -> Exit {
    let done = match action {
        Action::Add { target, until, why, config } => add(target, &until, why, &config.path),
        Action::List { format, config } => list(format, &config.path),
        Action::End { id, config } => end(id, &config.path),
    };
    done.err().unwrap_or(Exit::Ok)
}

fn add(target: TargetArguments, until: &str, why: String, config: &Path) -> Result<(), Exit> {
    let config = load::config_or_tell(config)?;
    let Some(until) = calendar::until(until, now(), &config.zone) else {
        let help = "write 08:00, \"mon 08:00\", \"2026-12-24 08:00\", or for how long: 3h";
        let why = format!("`{}` is no time to come", shown(until));
        return Err(output::fail_with_help(why, help, Exit::Usage));
    };
    let target = known_target(target, &config)?;
    let silence = block_on(async {
        store::mute(&config.store, target, until, why, now()).await.map_err(|why| unavailable(&why))
    })?;
    let (target, until) = (shown(&silence.target.to_string()), in_full(until, &config.zone));
    output::print_line(format_args!("silence {}: {target} is muted until {until}", silence.id))
}

/// The target, which must be one: a slip of the pen would mute nothing.
fn known_target(arguments: TargetArguments, config: &Config) -> Result<Target, Exit> {
    let feeds = || config.feeds.iter().map(|feed| feed.name.0.clone()).collect();
    match arguments {
        TargetArguments { rule: Some(rule), .. } => {
            check("rule", &rule, rules(config).map(|rules| rules.iter().map(|rule| rule.name().to_owned()).collect()))?;
            Ok(Target::Rule(rule))
        }
        TargetArguments { tag: Some(tag), .. } => {
            let tags = |rules: Rules| rules.iter().flat_map(|rule| rule.settings.tags.clone()).collect();
            check("rule with the tag", &tag, rules(config).map(tags))?;
            Ok(Target::Tag(tag))
        }
        TargetArguments { row: Some(row), .. } => {
            let ids = |rules: Rules| rules.watchlists().flat_map(|(_, rows)| rows.map(|row| row.id.clone())).collect();
            check("row with the id", &row, rules(config).map(ids))?;
            Ok(Target::Row(row))
        }
        TargetArguments { feed: Some(feed), .. } => {
            check("feed", &feed, Some(feeds()))?;
            Ok(Target::Feed(FeedName(feed)))
        }
        TargetArguments { event, .. } => Ok(Target::Event(event.unwrap_or_default())),
    }
}

/// The rules, if they load: a broken file must not keep anybody from being quiet.
fn rules(config: &Config) -> Option<Rules> {
    let files = rule_files::read(&config.rules).ok()?;
    Rules::load(&rule_files::texts(&files), None, &mut Vec::new())
}

fn check(kind: &str, name: &str, known: Option<BTreeSet<String>>) -> Result<(), Exit> {
    let Some(known) = known.filter(|known| !known.contains(name)) else { return Ok(()) };
    Err(unknown_name(kind, name, known.iter().map(String::as_str)))
}

fn list(format: Format, config: &Path) -> Result<(), Exit> {
    let config = load::config_or_tell(config)?;
    let silences = block_on(async { store::silences(&config.store, now()).await.map_err(|why| unavailable(&why)) })?;
    if silences.is_empty() && format == Format::Text {
        return output::print_line("nothing is muted");
    }
    output::print_lines(silences.iter().map(|(silence, muted)| match format {
        Format::Text => line(silence, *muted, &config.zone),
        Format::Json => to_json(silence, *muted).to_string(),
    }))
}

fn to_json(silence: &Silence, muted: u32) -> Value {
    json!({
        "id": silence.id, "target": silence.target, "since": silence.since, "until": silence.until,
        "why": silence.why, "muted": muted,
    })
}

fn line(silence: &Silence, muted: u32, zone: &TimeZone) -> String {
    let why = if silence.why.is_empty() { String::new() } else { format!(": {}", shown(&silence.why)) };
    let muted = count(muted as usize, "alert", "alerts");
    let (target, until) = (shown(&silence.target.to_string()), in_full(silence.until, zone));
    format!("{}  {target}, until {until}, {muted} muted{why}", silence.id)
}

fn end(id: i64, config: &Path) -> Result<(), Exit> {
    let config = load::config_or_tell(config)?;
    let ended = block_on(async { store::unmute(&config.store, id, now()).await.map_err(|why| unavailable(&why)) })?;
    let Some(silence) = ended else {
        let why = format!("no silence {id} is in force");
        return Err(output::fail_with_help(why, "`tidings silence list` shows those that are", Exit::Data));
    };
    let target = shown(&silence.target.to_string());
    output::print_line(format_args!("silence {id} has ended: {target} is told again, and what was muted is sent"))
}

fn unavailable(why: &DeskError) -> Exit {
    output::fail_with_help(why, "silences are kept in the store, which `tidings run` makes", Exit::Unavailable)
}
