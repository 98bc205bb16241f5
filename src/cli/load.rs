//! The configuration file, read and checked, for every command that needs one.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::{self, Config, Listed};
use crate::feed::opml::{self, Subscription};
use crate::files;
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Source};

/// Reads and checks the configuration at `path`; faults are added to `faults`.
pub(super) fn read_config(path: &Path, faults: &mut Vec<Fault>) -> Result<Config, Exit> {
    let bytes = files::read_file(path, files::CONFIGURATION).map_err(|why| {
        let why = format!("the configuration {} cannot be read: {why}", path.display());
        let help = "name it with --config FILE; config.example.yaml shows how one is written";
        output::fail_with_help(why, help, Exit::Config)
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let list = |bytes: &[u8]| read_feed_list(bytes).map_err(|why| why.to_string());
    config::load_config(&source, folder, &|name| std::env::var(name).ok(), &list, faults)
        .ok_or(Exit::Config)
}

/// The feeds of a list, which is OPML.
pub(super) fn read_feed_list(bytes: &[u8]) -> Result<Vec<Listed>, opml::NoList> {
    let feed = |Subscription { url, title, tags }| Listed { url, title, tags };
    Ok(opml::read_opml(bytes)?.into_iter().map(feed).collect())
}

/// Reads and checks the configuration at `path`; prints its faults on standard error.
pub(super) fn read_config_and_print_faults(path: &Path) -> Result<Config, Exit> {
    let mut faults = Vec::new();
    let config = read_config(path, &mut faults);
    print_faults(&faults);
    config
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
