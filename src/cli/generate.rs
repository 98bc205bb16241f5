//! `tidings generate`: the manual pages and the completions of shells, for packages.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::exit::Exit;
use crate::cli::output::unavailable;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Writes a page for every command that help names into `folder/man`, and a file for every shell
/// into `folder/completions`. The folders are made if they are missing.
pub(super) fn generate(program: Command, folder: &Path) -> Exit {
    match write_all(program, folder) {
        Ok(()) => Exit::Ok,
        Err(why) => unavailable(format_args!("{} cannot be written: {why}", folder.display())),
    }
}

fn write_all(program: Command, folder: &Path) -> io::Result<()> {
    let (pages, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&completions)?;
    let mut completed = without_hidden(&program);
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut completed, "tidings", &completions)?;
    }
    let mut program = program.disable_help_subcommand(true);
    program.build();
    write_pages(&program, &pages)
}

/// The program as help shows it. Completions would offer hidden commands, too.
fn without_hidden(program: &Command) -> Command {
    let shown = program.get_subcommands().filter(|below| !below.is_hide_set());
    Command::new("tidings")
        .version(env!("CARGO_PKG_VERSION"))
        .args(program.get_arguments().cloned())
        .subcommands(shown.cloned())
}

/// Writes the page of `command` and those of all commands below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, folder)?;
    }
    let source = concat!("Tidings ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).manual("Tidings").generate_to(folder)?;
    Ok(())
}
