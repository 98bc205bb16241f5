//! `tidings rules`: the rules of the configuration with their matches, and which need a look.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::cli::arguments::ConfigArgument;
use crate::cli::columns::{columns, table_width};
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::names::named_rules;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::moment::short_date;
use crate::queries::names::known_names;
use crate::queries::rule_hygiene::{RuleHygiene, RuleMark, examine_rules};
use crate::store::{Archive, RuleActivity};
use tidings_rules::Rule;
use tidings_rules::text::visible_line;

/// Which rules to list.
#[derive(Debug, clap::Args)]
pub(super) struct RulesArguments {
    /// Only the rules with these names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Mark rules without a match for this long as stale
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration)]
    stale: Duration,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Lists the rules: 65 if they do not load or one is not there, 69 if the store cannot be read.
pub(super) fn rules(arguments: &RulesArguments) -> Exit {
    list_rules(arguments).err().unwrap_or(Exit::Ok)
}

fn list_rules(arguments: &RulesArguments) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let all = load::read_rules(&config)?;
    let wanted = named_rules(&all, &arguments.names)?;
    let examined = block_on(examine(wanted, arguments.stale, &config))?;
    match arguments.format {
        OutputFormat::Text => output::print(&rules_table(&examined, &config.zone, table_width())),
        OutputFormat::Json => {
            let feeds = known_names(&config).feeds;
            output::print_json(examined.iter().map(|one| one.to_json(&feeds)))
        }
    }
}

/// Before the first run, no rule has matched.
async fn examine<'r>(
    rules: Vec<&'r Rule>,
    stale: Duration,
    config: &Config,
) -> Result<Vec<RuleHygiene<'r>>, Exit> {
    let (rules, now) = (rules.into_iter(), now());
    let archive = Archive::open_if_any(&config.store).await.map_err(output::unavailable)?;
    let Some(mut archive) = archive else {
        let never = |rule| RuleHygiene::new(rule, RuleActivity::default(), stale, now);
        return Ok(rules.map(never).collect());
    };
    examine_rules(rules, &mut archive, stale, now).await.map_err(output::unavailable)
}

/// One row per rule, at most `width` columns wide or one line, and how many rules have each mark.
fn rules_table(rules: &[RuleHygiene<'_>], zone: &TimeZone, width: Option<usize>) -> String {
    if rules.is_empty() {
        return "no rule is in force\n".to_owned();
    }
    let cells = rules.iter().map(|one| rule_cells(one, zone)).collect();
    let heads = ["RULE", "LAST MATCH", "7 DAYS", "30 DAYS", "HELD", "OWNER", "LAST DAY", "MARKS"];
    let all = [RuleMark::Stale, RuleMark::ExpiresSoon, RuleMark::Expired, RuleMark::NoOwner];
    let marked = all.into_iter().filter_map(|mark| {
        let number = rules.iter().filter(|one| one.marks.contains(&mark)).count();
        (number > 0).then(|| format!("{number} {}", mark.as_str()))
    });
    let marked = marked.collect::<Vec<_>>().join(", ");
    let marked = if marked.is_empty() { "none needs a look".to_owned() } else { marked };
    let summary = format!("{}: {marked}", count(rules.len(), "rule", "rules"));
    columns(heads, cells, &[1, 2, 3, 4, 6], width) + "\n" + &summary + "\n"
}

fn rule_cells(one: &RuleHygiene<'_>, zone: &TimeZone) -> [String; 8] {
    let RuleHygiene { rule, activity, marks } = one;
    let none = || "-".to_owned();
    let marks: Vec<&str> = marks.iter().map(|mark| mark.as_str()).collect();
    [
        visible_line(rule.name()),
        activity.last_alert.map_or_else(|| "never".to_owned(), |at| short_date(at, zone)),
        activity.alerts_7d.to_string(),
        activity.alerts_30d.to_string(),
        rule.settings.condition.as_ref().map_or_else(none, |_| activity.held_30d.to_string()),
        rule.settings.owner.as_deref().map_or_else(none, visible_line),
        rule.settings.expires.map_or_else(none, |day| day.to_string()),
        marks.join(", "),
    ]
}
