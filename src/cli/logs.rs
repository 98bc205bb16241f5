//! The log on standard error: for people or as JSON Lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::format::Format;

/// Starts the log. `TIDINGS_LOG` sets what is logged (`debug`, `tidings=trace`); by default what a person who runs it wants to know.
pub(super) fn start(format: Format) {
    let filter = EnvFilter::try_from_env("TIDINGS_LOG").unwrap_or_else(|_| EnvFilter::new("warn,tidings=info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        Format::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => log.json().init(),
    }
}
