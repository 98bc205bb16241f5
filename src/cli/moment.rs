//! The times that arguments name, and the zone of those that are printed.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::Config;
use crate::queries::moment::{Edge, parse_moment};

/// The zone in which times are shown: that of the configuration, or else that of the system.
pub(super) fn shown_zone(config: Option<&Config>) -> TimeZone {
    config.map_or_else(TimeZone::system, |config| config.zone.clone())
}

/// Like [`parse_moment`], but prints the error.
pub(super) fn parse_moment_or_fail(
    text: &str,
    edge: Edge,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, Exit> {
    parse_moment(text, edge, now, zone).map_err(|why| {
        let help =
            "write a day (2026-11-24), a time (\"2026-11-24 08:00\"), or how long ago (30d, 12h)";
        output::fail_with_help(why, help, Exit::Usage)
    })
}
