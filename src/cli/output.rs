//! Printing: results on standard output, problems on standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::notify::escape_unprintable;

/// Prints `text` as it is. An `Err` ends the command with its exit code.
pub(super) fn print(text: &str) -> Result<(), Exit> {
    write_and_flush(io::stdout().lock(), |out| out.write_all(text.as_bytes()))
}

/// Prints one line.
pub(super) fn print_line(line: impl Display) -> Result<(), Exit> {
    print_lines([line])
}

/// Prints values as JSON, one per line. Control characters are escaped.
pub(super) fn print_json<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<(), Exit> {
    print_lines(values.into_iter().map(|value| json_line(&value)))
}

/// A value as one line of JSON. Control characters are escaped.
pub(super) fn json_line(value: &impl Serialize) -> String {
    escape_unprintable(
        &serde_json::to_string(value).expect("texts, numbers and string keys are always JSON"),
    )
}

/// Prints lines.
pub(super) fn print_lines<T: Display>(lines: impl IntoIterator<Item = T>) -> Result<(), Exit> {
    let print =
        |out: &mut dyn Write| lines.into_iter().try_for_each(|line| writeln!(out, "{line}"));
    write_and_flush(BufWriter::new(io::stdout().lock()), print)
}

fn write_and_flush(
    mut out: impl Write,
    print: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Exit> {
    print(&mut out).and_then(|()| out.flush()).map_err(|why| exit_for_write_error(&why))
}

/// The exit code after a failed write to standard output. A closed pipe is no error.
pub(super) fn exit_for_write_error(why: &io::Error) -> Exit {
    match why.kind() {
        ErrorKind::BrokenPipe => Exit::Ok,
        _ => fail(format_args!("standard output cannot be written: {why}"), Exit::Output),
    }
}

/// Prints a line on standard error. A failure to write is ignored.
pub(super) fn print_error_line(line: impl Display) {
    writeln!(io::stderr().lock(), "{line}").ok();
}

/// Prints a text with its own line breaks on standard error.
pub(super) fn print_error_text(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Prints why the command fails.
pub(super) fn fail(why: impl Display, exit: Exit) -> Exit {
    print_error_line(format_args!("error: {why}"));
    exit
}

/// Prints why the store, a feed or a receiver is unavailable.
pub(super) fn unavailable(why: impl Display) -> Exit {
    fail(why, Exit::Unavailable)
}

/// Prints why the command fails, and what to do.
pub(super) fn fail_with_help(why: impl Display, help: impl Display, exit: Exit) -> Exit {
    print_error_line(format_args!("error: {why}\n  help: {help}"));
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        assert_eq!(exit_for_write_error(&ErrorKind::BrokenPipe.into()), Exit::Ok);
        assert_eq!(exit_for_write_error(&ErrorKind::StorageFull.into()), Exit::Output);
    }
}
