//! `tidings check`: every fault of the configuration and the rules, at once, each with its place.

use std::path::Path;

use crate::cli::{Exit, load};
use crate::daemon::{self, rule_files};
use crate::fault::{self, Fault, Level};
use crate::rule::{Known, Rules};

/// How faults are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Checks the rules at `path` alone: names of notifiers and feeds are taken on trust.
pub(super) fn rules(path: &Path, format: Format) -> Exit {
    let mut faults = Vec::new();
    let checked = rules_at(path, None, &mut faults);
    report(&faults, format);
    match checked {
        Ok(summary) => done(&[summary], format),
        Err(exit) => exit,
    }
}

/// Checks the configuration at `path` and its rules.
pub(super) fn all(path: &Path, format: Format) -> Exit {
    let mut faults = Vec::new();
    let checked = load::config(path, &mut faults).and_then(|config| {
        let head =
            format!("{}: sound; {} feeds, {} notifiers", path.display(), config.feeds.len(), config.notifiers.len());
        let rules = rules_at(&config.rules, Some(&daemon::known(&config)), &mut faults)?;
        Ok([head, rules])
    });
    report(&faults, format);
    match checked {
        Ok(summary) => done(&summary, format),
        Err(exit) => exit,
    }
}

fn rules_at(path: &Path, known: Option<&Known>, faults: &mut Vec<Fault>) -> Result<String, Exit> {
    let files = rule_files::read(path).map_err(|why| {
        eprintln!("error: {why}");
        Exit::Data
    })?;
    let rules = Rules::load(&files, known, faults).ok_or(Exit::Data)?;
    let number = rules.iter().count();
    Ok(format!("{}: sound; {} files, {number} rules, all examples hold", path.display(), files.len()))
}

fn report(faults: &[Fault], format: Format) {
    match format {
        Format::Text => {
            load::tell(faults);
            let errors = faults.iter().filter(|fault| fault.level == Level::Error).count();
            if errors > 0 {
                eprintln!("{errors} {} to mend", if errors == 1 { "fault" } else { "faults" });
            }
        }
        Format::Json => faults.iter().for_each(|fault| println!("{}", fault::to_json(fault))),
    }
}

fn done(summary: &[String], format: Format) -> Exit {
    if format == Format::Text {
        for line in summary {
            println!("{line}");
        }
    }
    Exit::Ok
}
