//! `tidings coverage`: what rules covered in a time, who was first, how fast, and what was lost.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::arguments::ConfigArgument;
use crate::cli::clauses::TextLayout;
use crate::cli::columns::{columns, table_width};
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::moment::parse_moment_or_fail;
use crate::cli::names::named_rules;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::coverage::{Coverage, cover};
use crate::queries::json::{ShownFeed, add_keys};
use crate::queries::moment::{Edge, short_date};
use crate::queries::names::known_names;
use crate::store::{Archive, CoveredAlerts, FeedState, MOST_COVERED};
use tidings_rules::story::FeedName;
use tidings_rules::text::visible_line;
use tidings_rules::{Carrier, Rule};

/// Which rules, and since when.
#[derive(Debug, clap::Args)]
pub(super) struct CoverageArguments {
    /// Only this rule, in full
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// Since this time: 2026-11-24, "2026-11-24 08:00", or an age
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: String,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

/// What was read of a time, and of the time before it.
struct CoverageReport {
    since: Timestamp,
    until: Timestamp,
    /// Whether there were more alerts than are read.
    is_cut: bool,
    rules: Vec<Coverage>,
}

/// Prints the coverage: 65 if the rules do not load or the rule is not there, 69 if the store
/// cannot be read.
pub(super) fn coverage(arguments: &CoverageArguments) -> Exit {
    print_coverage(arguments).err().unwrap_or(Exit::Ok)
}

fn print_coverage(arguments: &CoverageArguments) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let until = now();
    let since = parse_moment_or_fail(&arguments.since, Edge::Start, until, &config.zone)?;
    let all = load::read_rules(&config)?;
    let rules = named_rules(&all, arguments.rule.as_slice())?;
    let answer = block_on(read(&rules, since, until, &config))?;
    if arguments.format == OutputFormat::Json {
        return output::print_json(answer.rules.iter().map(|one| answer.to_json(one)));
    }
    let head = format!("Since {}", short_date(since, &config.zone));
    let cut = if answer.is_cut {
        format!(", of the newest {MOST_COVERED} alerts of each time")
    } else {
        String::new()
    };
    let text = match (&arguments.rule, answer.rules.first()) {
        (Some(_), Some(one)) => rule_text(one, TextLayout::for_stdout()),
        _ => table(&answer.rules, table_width()),
    };
    output::print(&format!("{head}{cut}\n\n{text}"))
}

async fn read(
    rules: &[&Rule],
    since: Timestamp,
    until: Timestamp,
    config: &Config,
) -> Result<CoverageReport, Exit> {
    let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
    let states = archive.feed_states().await.map_err(output::unavailable)?;
    let names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
    let length = Duration::try_from(until.duration_since(since)).unwrap_or_default();
    let earlier = since.checked_sub(length).unwrap_or(Timestamp::MIN);
    let covered = archive.covered_alerts(&names, since, until).await;
    let covered = covered.map_err(output::unavailable)?;
    let before = archive.covered_alerts(&names, earlier, since).await;
    let before = before.map_err(output::unavailable)?;
    let is_full = |read: &CoveredAlerts| read.alerts.len() >= MOST_COVERED;
    let is_cut = is_full(&covered) || is_full(&before);
    let carriers = known_names(config).feeds;
    let health = feed_health(config, &states, until);
    let rules = rules.iter().map(|rule| {
        let scope = scope_of(rule, &carriers, &health);
        cover(rule.name(), &scope, &covered, &before)
    });
    Ok(CoverageReport { since, until, is_cut, rules: rules.collect() })
}

fn feed_health(
    config: &Config,
    states: &[FeedState],
    at: Timestamp,
) -> BTreeMap<FeedName, &'static str> {
    let states: BTreeMap<_, _> = states.iter().map(|state| (&state.name, state)).collect();
    let feeds = ShownFeed::all(config);
    feeds
        .map(|feed| (feed.name().clone(), feed.health(states.get(feed.name()).copied(), at)))
        .collect()
}

/// The feeds that a rule reads, with their health.
fn scope_of(
    rule: &Rule,
    carriers: &[Carrier],
    health: &BTreeMap<FeedName, &'static str>,
) -> BTreeMap<FeedName, &'static str> {
    let read = carriers.iter().filter(|feed| rule.settings.accepts_feed(feed));
    read.filter_map(|feed| Some((feed.name.clone(), *health.get(&feed.name)?))).collect()
}

impl CoverageReport {
    fn to_json(&self, one: &Coverage) -> Value {
        let mut object = json!({ "since": self.since, "until": self.until, "is_cut": self.is_cut });
        add_keys(&mut object, one);
        object
    }
}

fn span(seconds: Option<u64>) -> String {
    seconds.map_or_else(
        || "-".to_owned(),
        |seconds| humantime::format_duration(Duration::from_secs(seconds)).to_string(),
    )
}

fn lost(one: &Coverage) -> String {
    if one.sources == 0 {
        return "-".to_owned();
    }
    format!("{} of {}", one.lost.len(), one.sources)
}

/// One row per rule, at most `width` columns wide or one line.
fn table(rules: &[Coverage], width: Option<usize>) -> String {
    if rules.is_empty() {
        return "no rule is in force\n".to_owned();
    }
    let row = |one: &Coverage| {
        let first = one.first.first();
        let first = first.map(|first| format!("{} ({})", visible_line(&first.feed), first.events));
        [
            visible_line(&one.rule),
            one.events.to_string(),
            first.unwrap_or_else(|| "-".to_owned()),
            span(one.published_to_seen_seconds),
            span(one.seen_to_sent_seconds),
            one.teasers.to_string(),
            lost(one),
        ]
    };
    let heads =
        ["RULE", "EVENTS", "MOST OFTEN FIRST", "SEEN AFTER", "SENT AFTER", "TEASERS", "LOST"];
    columns(heads, rules.iter().map(row).collect(), &[1, 5, 6], width)
}

/// One rule in full.
fn rule_text(one: &Coverage, layout: TextLayout) -> String {
    let list = |parts: Vec<String>| {
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let first = one.first.iter().map(|first| format!("{} {}", first.feed, first.events));
    let languages = one.languages.iter().map(|(lang, events)| format!("{lang} {events}"));
    let lost_feeds = one.lost.iter().map(|lost| match lost.health {
        Some(health) => format!("{} ({health})", lost.feed.0),
        None => format!("{} (not read any more)", lost.feed.0),
    });
    let sources = count(one.sources, "source", "sources");
    let lost_feeds = list(lost_feeds.collect());
    let without = one.feeds_without_match.iter().map(|feed| feed.0.clone());
    let lines = [
        visible_line(&one.rule),
        layout.fact("events", &one.events.to_string()),
        layout.fact("first", &list(first.collect())),
        layout.fact(
            "seen",
            &format!("{} after publication (median)", span(one.published_to_seen_seconds)),
        ),
        layout.fact(
            "sent",
            &format!("{} after it was seen (median)", span(one.seen_to_sent_seconds)),
        ),
        layout.fact("languages", &list(languages.collect())),
        layout.fact(
            "teasers",
            &format!("{} of {}", one.teasers, count(one.events, "event", "events")),
        ),
        layout.fact("no match", &list(without.collect())),
        layout.fact("lost", &format!("{} of {sources}: {lost_feeds}", one.lost.len())),
    ];
    lines.join("\n") + "\n"
}
