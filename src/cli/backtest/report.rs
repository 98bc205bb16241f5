//! The output of a backtest: JSON Lines while it runs, or one text at its end.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use jiff::tz::TimeZone;

use crate::backtest::batch::{Batch, SourceStory};
use crate::backtest::firings::{ConditionCount, NamedFirings, RuleFiring, firings, only_in};
use crate::backtest::groups::StoryResults;
use crate::backtest::matching::{Hits, Matcher};
use crate::backtest::tally::{Tally, find_differences};
use crate::cli::backtest::rule_sets::{BatchMatches, RuleSets};
use crate::cli::count::count;
use crate::cli::format::OutputFormat;
use crate::cli::{load, output};
use json::StoryChanges;
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};

mod json;
mod text;

/// Prints and counts the matches.
pub(super) struct Printer<'s> {
    format: OutputFormat,
    /// The zone of its dates.
    zone: TimeZone,
    sides: &'s RuleSets,
    output: BufWriter<Stdout>,
    /// The counts so far.
    pub(super) tally: Tally,
    /// The stories that are older than the one before them. They matter to conditions only.
    pub(super) late_stories: usize,
}

/// What one set of rules makes of a story.
#[derive(Clone, Copy)]
struct Found<'m> {
    hits: &'m Hits,
    results: Option<&'m StoryResults>,
}

impl<'s> Printer<'s> {
    /// A printer that has printed nothing.
    pub(super) fn new(format: OutputFormat, zone: TimeZone, sides: &'s RuleSets) -> Self {
        let mut tally = Tally::new(sides.base.names.len());
        let with = sides.base.places_with_conditions();
        tally.conditions = with.map(|place| (place, ConditionCount::default())).collect();
        let output = BufWriter::new(io::stdout());
        Self { format, zone, sides, output, tally, late_stories: 0 }
    }

    /// Counts a batch, and prints its faults and, as JSON, its matches.
    pub(super) fn print_batch(&mut self, batch: &Batch, matched: &BatchMatches) -> io::Result<()> {
        // Each fault has a source of its own, so several at once would be sorted wrongly.
        for fault in &batch.faults {
            print_faults(std::slice::from_ref(fault), self.format);
        }
        self.tally.faulty += batch.faulty;
        self.tally.matching += matched.took;
        let (base, other) = match &matched.results {
            Some((base, other)) => (Some(base), other.as_ref()),
            None => (None, None),
        };
        for (index, (entry, matches)) in batch.stories.iter().zip(&matched.base).enumerate() {
            let found = Found { hits: &matches.hits, results: base.map(|results| &results[index]) };
            let compared = matched.other.as_ref().map(|matches| Found {
                hits: &matches[index].hits,
                results: other.map(|results| &results[index]),
            });
            if let Some(results) = found.results {
                self.print_results(results, compared.and_then(|other| other.results))?;
            }
            self.print_story(entry, found, compared)?;
        }
        Ok(())
    }

    /// Counts what conditions make of a story, or of the time after the last. Prints its absences,
    /// as JSON.
    pub(super) fn print_results(
        &mut self,
        results: &StoryResults,
        other: Option<&StoryResults>,
    ) -> io::Result<()> {
        self.tally.add_results(results);
        let (adds, drops) = self.firing_changes(Some(results), other).unwrap_or_default();
        self.tally.add_firing_changes(&adds, &drops);
        if self.format == OutputFormat::Text {
            return Ok(());
        }
        let sides = self.sides;
        let own = firings(results, &sides.base.names);
        let is_dropped = |one: &(&str, RuleFiring)| drops.contains(one).then_some("drops");
        let own = own.iter().map(|one| (one, is_dropped(one)));
        for ((name, firing), change) in own.chain(adds.iter().map(|one| (one, Some("adds")))) {
            if let RuleFiring::Absence(absence) = firing {
                let line = json::absence_line(name, absence, change, sides);
                writeln!(self.output, "{}", output::json_line(&line))?;
            }
        }
        Ok(())
    }

    /// The firings that only the other rules have, and those that they lack. `None` without
    /// conditions or other rules.
    fn firing_changes<'r>(
        &self,
        results: Option<&'r StoryResults>,
        other: Option<&'r StoryResults>,
    ) -> Option<(NamedFirings<'r>, NamedFirings<'r>)>
    where
        's: 'r,
    {
        let sides = self.sides;
        let (results, other) = results.zip(other)?;
        let now = firings(results, &sides.base.names);
        let then = firings(other, &sides.other.as_ref()?.names);
        Some((only_in(&then, &now), only_in(&now, &then)))
    }

    fn print_story(
        &mut self,
        entry: &SourceStory,
        found: Found<'_>,
        other: Option<Found<'_>>,
    ) -> io::Result<()> {
        self.tally.add_story(entry, found.hits);
        let now = rule_names(&self.sides.base, found.hits);
        let then = self.sides.other.as_ref().zip(other);
        let changes = then.map(|(side, other)| StoryChanges {
            matches: find_differences(&now, &rule_names(side, other.hits)),
            firings: self.firing_changes(found.results, other.results),
        });
        if let Some(changes) = &changes {
            self.tally.add_changes(entry, &changes.matches);
        }
        let worth_a_line = !now.is_empty()
            || changes.as_ref().is_some_and(|changes| !changes.matches.adds.is_empty());
        if self.format == OutputFormat::Json && worth_a_line {
            let line =
                json::match_line(entry, found.hits, found.results, changes.as_ref(), self.sides);
            writeln!(self.output, "{}", output::json_line(&line))?;
        }
        Ok(())
    }

    /// Prints the totals.
    pub(super) fn print_end(&mut self, threads: u16) -> io::Result<()> {
        match self.format {
            OutputFormat::Json => {
                self.output.flush()?;
                let summary = json::summary(&self.tally, self.late_stories, self.sides);
                output::print_error_line(output::json_line(&summary));
            }
            OutputFormat::Text => {
                let width = if io::stdout().is_terminal() {
                    textwrap::termwidth()
                } else {
                    text::UNBOUNDED
                };
                let layout = text::ReportLayout { width, zone: self.zone.clone() };
                self.output
                    .write_all(layout.format_report(&self.tally, self.sides, threads).as_bytes())?;
                self.output.flush()?;
                self.print_warnings();
            }
        }
        Ok(())
    }

    fn print_warnings(&self) {
        if self.late_stories > 0 {
            let late = count(self.late_stories, "story", "stories");
            output::print_error_line(format_args!(
                "warning: {late} without a date, or older than the story before, counted at its \
                 time: sort the stories by `published`"
            ));
        }
        if self.tally.faulty > 0 {
            let lines = count(
                self.tally.faulty,
                "line is not a story and was",
                "lines are not stories and were",
            );
            output::print_error_line(format_args!("error: {lines} skipped"));
        }
    }
}

/// Prints faults on standard error. As JSON, one per line.
pub(super) fn print_faults(faults: &[Fault], format: OutputFormat) {
    match format {
        OutputFormat::Text => load::print_faults(faults),
        // Warnings are left out, because a reader of JSON waits for the summary.
        OutputFormat::Json => faults
            .iter()
            .filter(|fault| fault.level == Level::Error)
            .for_each(|fault| output::print_error_line(fault::to_json(fault))),
    }
}

fn rule_names<'m>(side: &'m Matcher, hits: &Hits) -> Vec<&'m str> {
    hits.iter().map(|place| side.names[*place].as_str()).collect()
}
