//! `tidings check`: reports every fault of the configuration and the rules, each with its place.

use std::io::IsTerminal;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::backtest::phrases;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load::{unreadable_named_rules, unreadable_rules};
use crate::cli::{load, output};
use crate::clock::now;
use crate::queries::names::rule_config;
use crate::rule_files::{self, RuleFile};
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::{CheckedRules, Rule, RuleConfig};

/// The summary of a check without errors, and the rules.
struct CheckReport {
    summary: Vec<String>,
    rules: CheckedRules,
}

/// Checks the rules at `path` alone. Names of notifiers and feeds are not checked. With
/// `canonical`, prints the rules in canonical form.
pub(super) fn check_rules(path: &Path, format: OutputFormat, canonical: bool) -> Exit {
    let mut faults = Vec::new();
    let checked = rule_files::read_rule_files(path)
        .map_err(|why| unreadable_named_rules(path, &why, Exit::Config))
        .and_then(|files| load_checked_rules(path, &files, None, &mut faults));
    finish_check(checked, &faults, format, canonical)
}

/// Checks the configuration at `path` and its rules.
pub(super) fn check_config(path: &Path, format: OutputFormat, canonical: bool) -> Exit {
    let mut faults = Vec::new();
    let checked = load::read_config(path, &mut faults).and_then(|config| {
        let feeds = count(config.feed_names().count(), "feed", "feeds");
        let notifiers = count(config.notifiers.len(), "notifier", "notifiers");
        let head = format!("{}: valid; {feeds}, {notifiers}", path.display());
        let files = rule_files::read_rule_files(&config.rules)
            .map_err(|why| unreadable_rules(&why, Exit::Config))?;
        let read_by_rules = rule_config(&config);
        let mut report =
            load_checked_rules(&config.rules, &files, Some(&read_by_rules), &mut faults)?;
        report.summary.insert(0, head);
        match phrases::warn_of_absent_phrases(&report.rules, &config.store, &faults) {
            Ok(found) => faults.extend(found),
            Err(why) => report.summary.push(format!("  phrases: not searched, because {why}")),
        }
        Ok(report)
    });
    finish_check(checked, &faults, format, canonical)
}

fn load_checked_rules(
    path: &Path,
    files: &[RuleFile],
    config: Option<&RuleConfig>,
    faults: &mut Vec<Fault>,
) -> Result<CheckReport, Exit> {
    if let Some(said) = rule_files::size_notice(files).filter(|_| std::io::stderr().is_terminal()) {
        output::print_error_line(format_args!("{said} …"));
    }
    let rules =
        CheckedRules::load(&rule_files::rule_texts(files), config, faults).ok_or(Exit::Data)?;
    faults.extend(rules.warn_of_expired(now().to_zoned_datetime(TimeZone::UTC).date()));
    faults.extend(rule_files::no_rules_warning(path, files, rules.rules().len()));
    let result = if files.is_empty() {
        "no rule files".to_owned()
    } else {
        let number = count(rules.rules().len(), "rule", "rules");
        format!("valid; {}, {number}, all examples hold", count(files.len(), "file", "files"))
    };
    let mut summary = vec![format!("{}: {result}", path.display())];
    summary.extend(
        rules.watchlists().map(|(list, rows)| format!("  ${list}: {}", count(rows, "row", "rows"))),
    );
    Ok(CheckReport { summary, rules })
}

/// Prints the result. A failure to print does not change the exit code of a failed check.
fn finish_check(
    checked: Result<CheckReport, Exit>,
    faults: &[Fault],
    format: OutputFormat,
    canonical: bool,
) -> Exit {
    let reported = print_faults(faults, format);
    let done = checked
        .and_then(|report| reported.and_then(|()| print_summary(&report, format, canonical)));
    done.err().unwrap_or(Exit::Ok)
}

fn print_faults(faults: &[Fault], format: OutputFormat) -> Result<(), Exit> {
    match format {
        OutputFormat::Text => {
            load::print_faults(faults);
            let errors = faults.iter().filter(|fault| fault.level == Level::Error).count();
            if errors > 0 {
                output::print_error_line(format_args!(
                    "{} to correct",
                    count(errors, "fault", "faults")
                ));
            }
        }
        OutputFormat::Json => output::print_lines(faults.iter().map(fault::to_json))?,
    }
    Ok(())
}

fn print_summary(report: &CheckReport, format: OutputFormat, canonical: bool) -> Result<(), Exit> {
    if canonical {
        let texts: Vec<String> = report.rules.rules().map(Rule::text_of_all_rows).collect();
        output::print(&texts.join("---\n"))?;
    } else if format == OutputFormat::Text {
        output::print_lines(&report.summary)?;
    }
    Ok(())
}
