//! The configuration file, read and checked, for every command that needs one.

use std::io::ErrorKind;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::{Config, Listed};
use crate::daemon::config_file;
use crate::files;
use crate::queries::names::any_names;
use crate::rule_files;
use tidings_rules::Rules;
use tidings_rules::fault;
use tidings_rules::fault::Fault;

/// Reads and checks the configuration at `path`; faults are added to `faults`.
pub(super) fn read_config(path: &Path, faults: &mut Vec<Fault>) -> Result<Config, Exit> {
    let read = config_file::read(path).map_err(|why| {
        let help = "name it with --config FILE, or make a first one with `tidings init`";
        output::fail_with_help(why, help, Exit::Config)
    })?;
    faults.extend(read.faults);
    read.config.ok_or(Exit::Config)
}

/// The bytes of another reader's list, and its feeds: 65 if it is no list, 69 if it cannot be read.
pub(super) fn read_list(list: &Path) -> Result<(Vec<u8>, Vec<Listed>), Exit> {
    let name = list.display();
    let bytes = files::read_file(list, files::FEED_LIST)
        .map_err(|why| output::unavailable(format_args!("{name} cannot be read: {why}")))?;
    let feeds = config_file::read_feed_list(&bytes)
        .map_err(|why| output::fail(format_args!("{name}: {why}"), Exit::Data))?;
    Ok((bytes, feeds))
}

/// Reads and checks the configuration at `path`; prints its faults on standard error.
pub(super) fn read_config_and_print_faults(path: &Path) -> Result<Config, Exit> {
    let mut faults = Vec::new();
    let config = read_config(path, &mut faults);
    print_faults(&faults);
    config
}

/// Reads the rules of the configuration, and prints their faults on standard error: 65 if they do
/// not load.
pub(super) fn read_rules(config: &Config) -> Result<Rules, Exit> {
    let files = rule_files::read_rule_files(&config.rules)
        .map_err(|why| unreadable_rules(&why, Exit::Data))?;
    let mut faults = Vec::new();
    let rules = Rules::load(&rule_files::rule_texts(&files), Some(&any_names(config)), &mut faults);
    print_faults(&faults);
    rules.ok_or(Exit::Data)
}

/// Prints faults for people on standard error.
pub(super) fn print_faults(faults: &[Fault]) {
    if !faults.is_empty() {
        let colour =
            anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        output::print_error_text(&fault::render(faults, colour));
    }
}

/// Says that the rules of the configuration cannot be read; `why` names the path.
pub(super) fn unreadable_rules(why: &str, exit: Exit) -> Exit {
    let help = "the rules are a folder of *.yaml files, which `rules:` in the configuration names";
    output::fail_with_help(why, help, exit)
}

/// Says that the rules at `path`, which the command line names, cannot be read; `why` names the
/// path.
pub(super) fn unreadable_named_rules(path: &Path, why: &str, exit: Exit) -> Exit {
    let help = "name a rule file, or a folder of *.yaml files";
    if path.symlink_metadata().is_err_and(|why| why.kind() == ErrorKind::NotFound) {
        return output::fail_with_help(
            format_args!("{} does not exist", path.display()),
            help,
            exit,
        );
    }
    output::fail_with_help(why, help, exit)
}
