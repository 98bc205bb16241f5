//! `tidings check`: every fault of the configuration and the rules, at once, each with its place.

use std::path::Path;
use std::sync::Arc;

use crate::cli::{Exit, count, load, unreadable_rules};
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
    let checked = rules_at(path, None, &mut faults).map(|summary| vec![summary]);
    report(&faults, format);
    done(checked, format)
}

/// Checks the configuration at `path` and its rules.
pub(super) fn all(path: &Path, format: Format) -> Exit {
    let mut faults = Vec::new();
    let checked = load::config(path, &mut faults).and_then(|config| {
        let feeds = count(config.feeds.len(), "feed", "feeds");
        let notifiers = count(config.notifiers.len(), "notifier", "notifiers");
        let head = format!("{}: sound; {feeds}, {notifiers}", path.display());
        let rules = rules_at(&config.rules, Some(&daemon::known(&config)), &mut faults)?;
        Ok(vec![head, rules])
    });
    report(&faults, format);
    done(checked, format)
}

fn rules_at(path: &Path, known: Option<&Known>, faults: &mut Vec<Fault>) -> Result<String, Exit> {
    let files = rule_files::read(path).map_err(|why| {
        unreadable_rules(&why);
        Exit::Config
    })?;
    let sources: Vec<_> = files.iter().map(|file| Arc::clone(&file.source)).collect();
    let rules = Rules::load(&sources, known, faults).ok_or(Exit::Data)?;
    let (files, rules) = (count(files.len(), "file", "files"), count(rules.iter().count(), "rule", "rules"));
    Ok(format!("{}: sound; {files}, {rules}, all examples hold", path.display()))
}

fn report(faults: &[Fault], format: Format) {
    match format {
        Format::Text => {
            load::tell(faults);
            let errors = faults.iter().filter(|fault| fault.level == Level::Error).count();
            if errors > 0 {
                eprintln!("{} to mend", count(errors, "fault", "faults"));
            }
        }
        Format::Json => faults.iter().for_each(|fault| println!("{}", fault::to_json(fault))),
    }
}

fn done(checked: Result<Vec<String>, Exit>, format: Format) -> Exit {
    match checked {
        Ok(summary) if format == Format::Text => {
            println!("{}", summary.join("\n"));
            Exit::Ok
        }
        Ok(_) => Exit::Ok,
        Err(exit) => exit,
    }
}
