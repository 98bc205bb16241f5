//! `tidings check`: every fault of the configuration and the rules, at once, each with its place.

use std::io::IsTerminal;
use std::path::Path;

use crate::cli::format::Format;
use crate::cli::{Exit, count, load, unreadable_rules};
use crate::daemon::{self, rule_files};
use crate::fault::{self, Fault, Level};
use crate::rule::{Checked, Known, Rule};

/// What was found sound: said of it, and the rules.
struct Sound {
    summary: Vec<String>,
    rules: Checked,
}

/// Checks the rules at `path` alone: names of notifiers and feeds are taken on trust. Prints them if they are to be shown in `canonical` form.
pub(super) fn rules(path: &Path, format: Format, canonical: bool) -> Exit {
    let mut faults = Vec::new();
    let checked = rules_at(path, None, &mut faults);
    report(&faults, format);
    done(checked, format, canonical)
}

/// Checks the configuration at `path` and its rules.
pub(super) fn all(path: &Path, format: Format, canonical: bool) -> Exit {
    let mut faults = Vec::new();
    let checked = load::config(path, &mut faults).and_then(|config| {
        let feeds = count(config.feeds.len(), "feed", "feeds");
        let notifiers = count(config.notifiers.len(), "notifier", "notifiers");
        let head = format!("{}: sound; {feeds}, {notifiers}", path.display());
        let mut sound = rules_at(&config.rules, Some(&daemon::known(&config)), &mut faults)?;
        sound.summary.insert(0, head);
        Ok(sound)
    });
    report(&faults, format);
    done(checked, format, canonical)
}

fn rules_at(path: &Path, known: Option<&Known>, faults: &mut Vec<Fault>) -> Result<Sound, Exit> {
    let files = rule_files::read(path).map_err(|why| {
        unreadable_rules(&why);
        Exit::Config
    })?;
    if let Some(said) = rule_files::large(&files).filter(|_| std::io::stderr().is_terminal()) {
        eprintln!("{said} …");
    }
    let rules = Checked::load(&rule_files::texts(&files), known, faults).ok_or(Exit::Data)?;
    faults.extend(rule_files::without_rules(path, &files, rules.rules().len()));
    let (files, number) = (count(files.len(), "file", "files"), count(rules.rules().len(), "rule", "rules"));
    let mut summary = vec![format!("{}: sound; {files}, {number}, all examples hold", path.display())];
    summary.extend(rules.watchlists().map(|(list, rows)| format!("  ${list}: {}", count(rows, "row", "rows"))));
    Ok(Sound { summary, rules })
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

fn done(checked: Result<Sound, Exit>, format: Format, canonical: bool) -> Exit {
    let sound = match checked {
        Ok(sound) => sound,
        Err(exit) => return exit,
    };
    if canonical {
        let texts: Vec<String> = sound.rules.rules().map(Rule::text_of_all_rows).collect();
        print!("{}", texts.join("---\n"));
    } else if format == Format::Text {
        println!("{}", sound.summary.join("\n"));
    }
    Exit::Ok
}
