//! What a backtest prints: JSON Lines as it goes, or one text for people at its end.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::backtest::batch::{Batch, SourceStory};
use crate::backtest::matching::{Hits, Matcher};
use crate::backtest::tally::{Differences, Tally, differences};
use crate::cli::backtest::sides::{Matched, Sides};
use crate::cli::count::count;
use crate::cli::format::OutputFormat;
use crate::cli::{load, output};
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};

mod text;

/// Prints what is found, and counts it.
pub(super) struct Printer<'s> {
    format: OutputFormat,
    sides: &'s Sides,
    output: BufWriter<Stdout>,
    /// So far.
    pub(super) tally: Tally,
}

impl<'s> Printer<'s> {
    /// Nothing is printed yet.
    pub(super) fn new(format: OutputFormat, sides: &'s Sides) -> Self {
        let tally = Tally::of(sides.base.names.len());
        Self { format, sides, output: BufWriter::new(io::stdout()), tally }
    }

    /// Counts a batch, and prints its faults and, as JSON, its matches.
    pub(super) fn batch(&mut self, batch: &Batch, matched: &Matched) -> io::Result<()> {
        // One by one: each has a source of its own, so that several would be sorted wrongly.
        for fault in &batch.faults {
            faults(std::slice::from_ref(fault), self.format);
        }
        self.tally.faulty += batch.faulty;
        self.tally.matching += matched.took;
        for (index, (entry, hits)) in batch.stories.iter().zip(&matched.base).enumerate() {
            let other = matched.other.as_ref().map(|other| &other[index]);
            self.story(entry, hits, other)?;
        }
        Ok(())
    }

    fn story(&mut self, entry: &SourceStory, hits: &Hits, other: Option<&Hits>) -> io::Result<()> {
        self.tally.story(entry, hits);
        let now = names(&self.sides.base, hits);
        let then = self.sides.other.as_ref().zip(other).map(|(side, hits)| names(side, hits));
        let changes = then.map(|then| differences(&now, &then));
        if let Some(changes) = &changes {
            self.tally.change(entry, changes);
        }
        let worth_a_line =
            !now.is_empty() || changes.as_ref().is_some_and(|changes| !changes.adds.is_empty());
        if self.format == OutputFormat::Json && worth_a_line {
            let line = MatchLine { story: &entry.id, rules: &now, changes: changes.as_ref() };
            writeln!(self.output, "{}", to_json(&line)?)?;
        }
        Ok(())
    }

    /// Prints what the whole came to.
    pub(super) fn end(&mut self, threads: u16) -> io::Result<()> {
        match self.format {
            OutputFormat::Json => {
                self.output.flush()?;
                output::note(to_json(&summary(&self.tally, self.sides))?);
            }
            OutputFormat::Text => {
                let width = if io::stdout().is_terminal() {
                    textwrap::termwidth()
                } else {
                    text::UNBOUNDED
                };
                let page = text::ReportLayout { width, zone: TimeZone::system() };
                self.output.write_all(page.report(&self.tally, self.sides, threads).as_bytes())?;
                self.output.flush()?;
                if self.tally.faulty > 0 {
                    let lines = count(
                        self.tally.faulty,
                        "line is no story and was",
                        "lines are no stories and were",
                    );
                    output::note(format_args!("error: {lines} passed over"));
                }
            }
        }
        Ok(())
    }
}

/// Shows faults on standard error; as JSON, one a line.
pub(super) fn faults(faults: &[Fault], format: OutputFormat) {
    match format {
        OutputFormat::Text => load::print_faults(faults),
        // Warnings are for `check`: whatever reads this waits for a summary.
        OutputFormat::Json => faults
            .iter()
            .filter(|fault| fault.level == Level::Error)
            .for_each(|fault| output::note(fault::to_json(fault))),
    }
}

fn names<'m>(side: &'m Matcher, hits: &Hits) -> Vec<&'m str> {
    hits.iter().map(|place| side.names[*place].as_str()).collect()
}

/// A story that matched, as a line of JSON.
#[derive(Debug, Serialize)]
struct MatchLine<'l> {
    story: &'l str,
    rules: &'l [&'l str],
    #[serde(flatten)]
    changes: Option<&'l Differences<'l>>,
}

/// What it all came to, as a line of JSON.
#[derive(Debug, Serialize)]
struct Summary {
    rules: usize,
    stories: usize,
    matches: usize,
    faults: usize,
    load_seconds: f64,
    match_microseconds_per_story: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    adds: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drops: Option<usize>,
}

fn summary(tally: &Tally, sides: &Sides) -> Summary {
    let changes = sides.other.as_ref().map(|_| tally.added_and_dropped());
    Summary {
        rules: sides.base.names.len(),
        stories: tally.stories,
        matches: tally.matches(),
        faults: tally.faulty,
        load_seconds: sides.loading.as_secs_f64(),
        match_microseconds_per_story: tally.micros_a_story(),
        adds: changes.map(|(adds, _)| adds),
        drops: changes.map(|(_, drops)| drops),
    }
}

fn to_json(line: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_changes_only_where_there_is_something_to_compare_with() {
        let line = MatchLine { story: "7", rules: &["a", "b"], changes: None };
        assert_eq!(to_json(&line).unwrap(), r#"{"story":"7","rules":["a","b"]}"#);
        let changes = Differences { adds: vec!["c"], drops: vec![] };
        let line = MatchLine { story: "7", rules: &[], changes: Some(&changes) };
        assert_eq!(to_json(&line).unwrap(), r#"{"story":"7","rules":[],"adds":["c"],"drops":[]}"#);
    }
}
