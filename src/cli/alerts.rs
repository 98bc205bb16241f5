//! `tidings alerts`: lists alerts, shows one alert with its deliveries, or one event.

mod event;
#[cfg(test)]
mod fixture;
mod show;
mod table;

use std::collections::BTreeSet;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::arguments::ConfigArgument;
use crate::cli::clauses::TextLayout;
use crate::cli::columns::table_width;
use crate::cli::examples;
use crate::cli::exit::Exit;
use crate::cli::format::{ListFormat, OutputFormat};
use crate::cli::names::{self, unknown_name};
use crate::cli::runtime::block_on;
use crate::cli::{load, moment, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::moment::Edge;
use crate::store::{AlertFilter, Archive};
use tidings_rules::story::{FeedName, Severity};
use tidings_rules::text::tokenise;

/// Which alerts to list, or which one to show.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AlertsArguments {
    #[command(subcommand)]
    action: Option<AlertsAction>,
    /// Only alerts of this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only alerts of rules with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only alerts of stories that this feed carried
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// Only alerts of rules with this severity
    #[arg(long, value_parser = severity_parser())]
    severity: Option<Severity>,
    /// Only alerts that are held, or with `--held=false` only the others
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    held: Option<bool>,
    /// Only alerts since this time: 2026-11-24, "2026-11-24 08:00", or an age: 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only alerts until this time; a day counts to its end
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only alerts with all of these words in the headline or the matched sentences
    #[arg(long, value_name = "TEXT")]
    words: Option<String>,
    /// The number of alerts, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, Subcommand)]
enum AlertsAction {
    /// Show one alert: the rule's text at that time, the words that matched, and every message with
    /// its attempts and replies.
    #[command(after_help = examples::ALERTS_SHOW)]
    Show {
        /// The number that `tidings alerts` shows.
        id: i64,
        /// The format of the output
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Show one event in order of time: feeds that carried it, revisions of its stories, alerts,
    /// messages and attempts.
    #[command(after_help = examples::ALERTS_EVENT)]
    Event {
        /// The id of the event or of one of its stories.
        id: String,
        /// The format of the output
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)).map(|word| {
        let named = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
        named.expect("clap lets no other word pass")
    })
}

/// Lists alerts, or shows one: 65 if there is no such alert, 69 if the store cannot be read.
pub(super) fn alerts(arguments: &AlertsArguments) -> Exit {
    let done = match &arguments.action {
        None => list_alerts(arguments),
        Some(AlertsAction::Show { id, format, config }) => {
            load::read_config_and_print_faults(&config.path)
                .and_then(|config| show_alert(*id, *format, &config))
        }
        Some(AlertsAction::Event { id, format, config }) => {
            load::read_config_and_print_faults(&config.path)
                .and_then(|config| event::show_event(id, *format, &config))
        }
    };
    done.unwrap_or_else(|exit| exit)
}

fn list_alerts(arguments: &AlertsArguments) -> Result<Exit, Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let wanted = alert_filter(arguments, &config)?;
    let found = block_on(async {
        let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
        let found =
            archive.find_alerts(&wanted, arguments.limit).await.map_err(output::unavailable)?;
        if found.is_empty() {
            check_names(arguments, &config, &mut archive).await?;
        }
        Ok(found)
    })?;
    match arguments.format {
        ListFormat::Json => output::print_json(&found)?,
        ListFormat::Csv => table::print_alerts_csv(&found)?,
        ListFormat::Text => {
            output::print(&table::alerts_table(&found, &config.zone, table_width()))?;
        }
    }
    Ok(Exit::Ok)
}

/// Fails if a filter's name is neither a current one nor that of any alert.
async fn check_names(
    arguments: &AlertsArguments,
    config: &Config,
    archive: &mut Archive,
) -> Result<(), Exit> {
    let AlertsArguments { rule, tag, feed, .. } = arguments;
    if let Some(name) = rule {
        let filter = AlertFilter { rule: rule.clone(), ..AlertFilter::default() };
        check_name("rule", name, names::rule_names(config), &filter, archive).await?;
    }
    if let Some(name) = tag {
        let filter = AlertFilter { tag: tag.clone(), ..AlertFilter::default() };
        check_name("rule with the tag", name, names::rule_tags(config), &filter, archive).await?;
    }
    if let Some(name) = feed {
        let filter = AlertFilter { feed: Some(FeedName(name.clone())), ..AlertFilter::default() };
        let known = config.feed_names().map(|name| name.0.clone()).collect();
        check_name("feed", name, Some(known), &filter, archive).await?;
    }
    Ok(())
}

/// Fails if `name` is neither `known` nor used by an alert that passes `filter`.
async fn check_name(
    kind: &str,
    name: &str,
    known: Option<BTreeSet<String>>,
    filter: &AlertFilter,
    archive: &mut Archive,
) -> Result<(), Exit> {
    let Some(known) = known.filter(|known| !known.contains(name)) else { return Ok(()) };
    let past = archive.find_alerts(filter, 1).await.map_err(output::unavailable)?;
    if past.is_empty() {
        Err(unknown_name(kind, name, known.iter().map(String::as_str)))
    } else {
        Ok(())
    }
}

fn alert_filter(arguments: &AlertsArguments, config: &Config) -> Result<AlertFilter, Exit> {
    let read = |text: &Option<String>, edge| {
        text.as_deref()
            .map(|text| moment::parse_moment_or_fail(text, edge, now(), &config.zone))
            .transpose()
    };
    Ok(AlertFilter {
        rule: arguments.rule.clone(),
        tag: arguments.tag.clone(),
        feed: arguments.feed.clone().map(FeedName),
        since: read(&arguments.since, Edge::Start)?,
        until: read(&arguments.until, Edge::End)?,
        words: tokenise(arguments.words.as_deref().unwrap_or_default())
            .into_iter()
            .map(|token| token.word)
            .collect(),
        severity: arguments.severity,
        held: arguments.held,
        after: None,
        before: None,
    })
}

fn show_alert(id: i64, format: OutputFormat, config: &Config) -> Result<Exit, Exit> {
    let found = block_on(async {
        let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
        archive.alert_record(id).await.map_err(output::unavailable)
    })?;
    let Some(record) = found else {
        let why = format!("no alert has the number {id}, or it is no longer kept");
        let help = "`tidings alerts` lists the alerts that are kept; `retain` in the configuration sets for how long";
        return Err(output::fail_with_help(why, help, Exit::Data));
    };
    match format {
        OutputFormat::Json => output::print_json([&record])?,
        OutputFormat::Text => {
            output::print(&show::format_alert(&record, &config.zone, TextLayout::for_stdout()))?;
        }
    }
    Ok(Exit::Ok)
}
