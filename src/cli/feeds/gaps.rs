//! `tidings feeds gaps`: lists the times in which items of a feed may have been missed.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::cli::columns::{columns, table_width};
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::moment::parse_moment_or_fail;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::queries::json::gap_json;
use crate::queries::moment::{self, Edge};
use crate::store::{Archive, PastGap};
use tidings_rules::text::visible_line;

/// What a gap means.
const NOTE: &str = "Items that appeared and disappeared in a gap were missed. Items that were still there after it were matched.";

/// Lists the gaps that were found since a time: 64 if that is none, 69 if the store cannot be read.
pub(super) fn list_gaps(since: &str, format: OutputFormat, config: &Path) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let since = parse_moment_or_fail(since, Edge::Start, now(), &config.zone)?;
    let found = block_on(async {
        let mut archive = Archive::open(&config.store).await.map_err(output::unavailable)?;
        archive.gaps_since(since).await.map_err(output::unavailable)
    })?;
    match format {
        OutputFormat::Text => output::print(&gaps_table(&found, &config.zone, table_width())),
        OutputFormat::Json => output::print_json(found.iter().map(gap_json)),
    }
}

fn gaps_table(gaps: &[PastGap], zone: &TimeZone, width: Option<usize>) -> String {
    if gaps.is_empty() {
        return "no gap was found in this time\n".to_owned();
    }
    let time = |at| moment::day_and_minute(at, zone);
    let row =
        |past: &PastGap| [visible_line(&past.feed.0), time(past.gap.since), time(past.gap.until)];
    let rows = gaps.iter().map(row).collect();
    let note = width.map_or_else(|| NOTE.to_owned(), |width| textwrap::fill(NOTE, width));
    columns(["FEED", "GAP FROM", "TO"], rows, &[1, 2], width) + "\n" + &note + "\n"
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::FeedGap;
    use tidings_rules::story::FeedName;

    #[test]
    fn gaps_are_shown_with_their_feed_and_times() {
        let at = |hours: i64| Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap();
        let gap = FeedGap { since: at(0), until: at(7) };
        let shown = gaps_table(
            &[PastGap { feed: FeedName("Yonhap".to_owned()), gap, found_at: at(9) }],
            &TimeZone::UTC,
            Some(80),
        );
        insta::assert_snapshot!(shown);
        assert!(gaps_table(&[], &TimeZone::UTC, None).starts_with("no gap was found"));
    }
}
