//! The output of a backtest: JSON Lines while it runs, or one text at its end.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use crate::alerts::StorySummary;

use crate::backtest::batch::{Batch, SourceStory};
use crate::backtest::matching::{Hits, Matcher};
use crate::backtest::tally::{Differences, Tally, find_differences};
use crate::cli::backtest::rule_sets::{BatchMatches, RuleSets};
use crate::cli::count::count;
use crate::cli::format::OutputFormat;
use crate::cli::{load, output};
use crate::queries::json::add_keys;
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::story::headline;

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
}

impl<'s> Printer<'s> {
    /// A printer that has printed nothing.
    pub(super) fn new(format: OutputFormat, zone: TimeZone, sides: &'s RuleSets) -> Self {
        let tally = Tally::new(sides.base.names.len());
        Self { format, zone, sides, output: BufWriter::new(io::stdout()), tally }
    }

    /// Counts a batch, and prints its faults and, as JSON, its matches.
    pub(super) fn print_batch(&mut self, batch: &Batch, matched: &BatchMatches) -> io::Result<()> {
        // Each fault has a source of its own, so several at once would be sorted wrongly.
        for fault in &batch.faults {
            print_faults(std::slice::from_ref(fault), self.format);
        }
        self.tally.faulty += batch.faulty;
        self.tally.matching += matched.took;
        for (index, (entry, hits)) in batch.stories.iter().zip(&matched.base).enumerate() {
            let other = matched.other.as_ref().map(|other| &other[index]);
            self.print_story(entry, hits, other)?;
        }
        Ok(())
    }

    fn print_story(
        &mut self,
        entry: &SourceStory,
        hits: &Hits,
        other: Option<&Hits>,
    ) -> io::Result<()> {
        self.tally.add_story(entry, hits);
        let now = rule_names(&self.sides.base, hits);
        let then = self.sides.other.as_ref().zip(other).map(|(side, hits)| rule_names(side, hits));
        let changes = then.map(|then| find_differences(&now, &then));
        if let Some(changes) = &changes {
            self.tally.add_changes(entry, changes);
        }
        let worth_a_line =
            !now.is_empty() || changes.as_ref().is_some_and(|changes| !changes.adds.is_empty());
        if self.format == OutputFormat::Json && worth_a_line {
            let line = match_line(entry, &now, changes.as_ref(), self.sides);
            writeln!(self.output, "{}", output::json_line(&line))?;
        }
        Ok(())
    }

    /// Prints the totals.
    pub(super) fn print_end(&mut self, threads: u16) -> io::Result<()> {
        match self.format {
            OutputFormat::Json => {
                self.output.flush()?;
                output::print_error_line(output::json_line(&summary(&self.tally, self.sides)));
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
        Ok(())
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

/// A story that matched, with the keys of payloads.
fn match_line(
    entry: &SourceStory,
    rules: &[&str],
    changes: Option<&Differences<'_>>,
    sides: &RuleSets,
) -> Value {
    let story = &entry.story;
    let story = StorySummary {
        title: story.title.clone(),
        opening: headline::made_headline(&story.title, &story.body),
        url: story.url.clone(),
        published: story.published,
        first_seen: story.first_seen,
        lang: story.lang.clone(),
    };
    let list = |names: &[&str]| names.iter().map(|name| rule_json(name, sides)).collect::<Vec<_>>();
    let mut line = json!({"id": entry.id, "story": story, "rules": list(rules)});
    if let Some(changes) = changes {
        let changes = json!({"adds": list(&changes.adds), "drops": list(&changes.drops)});
        add_keys(&mut line, &changes);
    }
    line
}

/// The rule, and the row if it has one.
fn rule_json(name: &str, sides: &RuleSets) -> Value {
    let found = |side: &'_ Matcher| side.rows.get(name).cloned();
    match found(&sides.base).or_else(|| sides.other.as_ref().and_then(found)) {
        Some((rule, row)) => json!({"rule": rule, "row": row}),
        None => json!({"rule": name}),
    }
}

/// The totals, as a line of JSON.
#[derive(Debug, Serialize)]
struct Summary {
    rules_tried: usize,
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

fn summary(tally: &Tally, sides: &RuleSets) -> Summary {
    let changes = sides.other.as_ref().map(|_| tally.change_counts());
    Summary {
        rules_tried: sides.base.names.len(),
        stories: tally.stories,
        matches: tally.match_count(),
        faults: tally.faulty,
        load_seconds: sides.loading.as_secs_f64(),
        match_microseconds_per_story: tally.micros_per_story(),
        adds: changes.map(|(adds, _)| adds),
        drops: changes.map(|(_, drops)| drops),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tidings_rules::story::Story;

    #[test]
    fn a_line_has_changes_only_where_there_is_something_to_compare_with() {
        let matcher = Matcher::from_expression("a", None, &mut Vec::new()).ok().expect("sound");
        let sides = RuleSets { base: matcher, other: None, loading: Duration::ZERO };
        let story = Story::from_words("A headline", "A text.");
        let entry = SourceStory { id: "7".to_owned(), story, carriers: None };
        let line = match_line(&entry, &["a", "b"], None, &sides);
        assert_eq!((&line["id"], &line["story"]["title"]), (&json!("7"), &json!("A headline")));
        assert_eq!(line["rules"], json!([{"rule": "a"}, {"rule": "b"}]));
        assert!(line.get("adds").is_none());
        let changes = Differences { adds: vec!["c"], drops: vec![] };
        let line = match_line(&entry, &[], Some(&changes), &sides);
        assert_eq!((&line["adds"], &line["drops"]), (&json!([{"rule": "c"}]), &json!([])));
    }
}
