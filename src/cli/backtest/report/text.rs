//! The report as text: matches or changes by rule, with headlines, then totals and speed.

mod firings;

use std::collections::BTreeSet;

use indicatif::HumanCount;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;

use crate::backtest::firings::FiringChange;
use crate::backtest::headline::Headline;
use crate::backtest::tally::{Change, StoryCount, Tally};
use crate::cli::backtest::rule_sets::RuleSets;
use crate::cli::count::count;
use tidings_rules::text::visible_line;

/// The width without a terminal. It shows every headline in full.
pub(super) const UNBOUNDED: usize = 400;

/// The most names that are listed. The others are counted.
const MOST_NAMES: usize = 20;

/// The width of the report and the zone of its dates.
pub(super) struct ReportLayout {
    /// Columns of the terminal.
    pub(super) width: usize,
    /// The zone of its dates.
    pub(super) zone: TimeZone,
}

impl ReportLayout {
    /// The whole report, ending in a line break.
    pub(super) fn format_report(&self, tally: &Tally, sides: &RuleSets, threads: u16) -> String {
        let mut text = match &sides.other {
            None => self.format_matches(tally, &sides.base.names),
            Some(other) => self.format_changes(tally, &sides.base.names, &other.names),
        };
        text += &totals_line(tally);
        text += &speed_line(tally, sides, threads);
        text
    }

    /// Every rule that matched or fired, most matches first, then those that matched nothing. A
    /// rule with a condition has its firings.
    fn format_matches(&self, tally: &Tally, names: &[String]) -> String {
        let mut rules: Vec<(usize, &StoryCount)> = tally.rules.iter().enumerate().collect();
        rules.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
        let mut text = String::new();
        let mut idle = Vec::new();
        for (place, found) in rules {
            let condition = tally.conditions.get(&place);
            let firings = condition.map_or(0, |condition| condition.firings.count);
            if found.count == 0 && firings == 0 {
                idle.push(names[place].as_str());
                continue;
            }
            let matches = grouped_count(found.count, "match", "matches");
            let heading = format!("{}: {matches}", visible_line(&names[place]));
            text += &match condition {
                None => self.format_section(&heading, &[(' ', found)]),
                Some(condition) => self.format_condition(&heading, condition),
            };
        }
        text + &self.format_names("matched nothing", &idle)
    }

    /// Every rule with changed matches or firings, then those without changes.
    fn format_changes(&self, tally: &Tally, names: &[String], others: &[String]) -> String {
        let mut text = String::new();
        let changed: BTreeSet<&String> =
            tally.changes.keys().chain(tally.firing_changes.keys()).collect();
        let (no_change, no_firing_change) = (Change::default(), FiringChange::default());
        for name in &changed {
            let change = tally.changes.get(*name).unwrap_or(&no_change);
            let firings = tally.firing_changes.get(*name).unwrap_or(&no_firing_change);
            let is_there = |names: &[String]| names.binary_search(name).is_ok();
            let note = match (is_there(names), is_there(others)) {
                (false, _) => " (a new rule)",
                (_, false) => " (the rule is gone)",
                _ => "",
            };
            let matches = changed_count(change.adds.count, change.drops.count);
            let fired = changed_count(firings.adds.count, firings.drops.count);
            let fired = fired.map(|fired| format!("firings: {fired}"));
            let ended = changed_count(firings.adds.ends, firings.drops.ends);
            let ended = ended.map(|ended| format!("ends of absences: {ended}"));
            let what: Vec<String> = matches.into_iter().chain(fired).chain(ended).collect();
            let heading = format!("{}: {}{note}", visible_line(name), what.join("; "));
            text += &self.wrapped(&heading);
            text += &self.format_stories(&[('+', &change.adds), ('-', &change.drops)]);
            text += &self.format_firings('+', &firings.adds);
            text += &self.format_firings('-', &firings.drops);
            text.push('\n');
        }
        let unchanged: Vec<&str> =
            names.iter().filter(|name| !changed.contains(name)).map(String::as_str).collect();
        text + &self.format_names("would match the same stories", &unchanged)
    }

    fn format_section(&self, heading: &str, parts: &[(char, &StoryCount)]) -> String {
        self.wrapped(heading) + &self.format_stories(parts) + "\n"
    }

    /// A heading, which may need several lines.
    fn wrapped(&self, heading: &str) -> String {
        textwrap::fill(heading, textwrap::Options::new(self.width).subsequent_indent("  ")) + "\n"
    }

    fn format_stories(&self, parts: &[(char, &StoryCount)]) -> String {
        let mut text = String::new();
        for (mark, found) in parts {
            for headline in &found.newest {
                let line = format!(
                    "  {mark} {}{}",
                    self.date_prefix(headline),
                    visible_line(&headline.title)
                );
                text += &self.line(&line);
            }
            text += &more(&format!("  {mark} "), found.count - found.newest.len());
        }
        text
    }

    /// `line` in the width of the report.
    fn line(&self, line: &str) -> String {
        cut_to_width(line.trim_end(), self.width) + "\n"
    }

    fn date_prefix(&self, headline: &Headline) -> String {
        headline
            .date
            .map(|time| format!("{}  ", time.to_zoned_datetime(self.zone.clone()).date()))
            .unwrap_or_default()
    }

    /// A list of rule names under a heading. Empty if there are none.
    fn format_names(&self, what: &str, names: &[&str]) -> String {
        if names.is_empty() {
            return String::new();
        }
        let mut text = format!("{} {what}:\n", grouped_count(names.len(), "rule", "rules"));
        for name in names.iter().take(MOST_NAMES) {
            text += &cut_to_width(&format!("    {}", visible_line(name)), self.width);
            text.push('\n');
        }
        text += &more("    ", names.len().saturating_sub(MOST_NAMES));
        text + "\n"
    }
}

/// `adds 2, drops 1`; nothing if neither.
fn changed_count(adds: usize, drops: usize) -> Option<String> {
    let [added, dropped] = [adds, drops].map(|count| HumanCount(count as u64));
    match (adds, drops) {
        (0, 0) => None,
        (_, 0) => Some(format!("adds {added}")),
        (0, _) => Some(format!("drops {dropped}")),
        _ => Some(format!("adds {added}, drops {dropped}")),
    }
}

/// A line that says how many more there are. Empty if there are none.
fn more(indent: &str, count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!("{indent}… and {} more\n", HumanCount(count as u64))
}

fn totals_line(tally: &Tally) -> String {
    let stories = grouped_count(tally.stories, "story", "stories");
    let found = grouped_count(tally.match_count(), "match", "matches");
    format!(
        "{found} in {} of {stories}, by {}\n",
        HumanCount(tally.matched as u64),
        grouped_count(tally.rules.len(), "rule", "rules")
    )
}

fn speed_line(tally: &Tally, sides: &RuleSets, threads: u16) -> String {
    let threads = count(threads.into(), "thread", "threads");
    let micros = tally.micros_per_story();
    let micros = if micros < 10.0 { format!("{micros:.1}") } else { format!("{micros:.0}") };
    let loading = sides.loading;
    format!("loading the rules took {loading:.1?}, matching {micros} µs a story on {threads}\n")
}

fn grouped_count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(number as u64), if number == 1 { one } else { many })
}

/// `line` cut to `width` columns, between graphemes (Unicode annex 29).
fn cut_to_width(line: &str, width: usize) -> String {
    if textwrap::core::display_width(line) <= width {
        return line.to_owned();
    }
    let mut kept = String::new();
    let mut columns = 1;
    for cluster in line.graphemes(true) {
        columns += textwrap::core::display_width(cluster);
        if columns > width {
            break;
        }
        kept += cluster;
    }
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::backtest::matching::Matcher;

    fn found(count: usize, titles: &[&str]) -> StoryCount {
        let date = Some("2026-11-24T10:30:00Z".parse().unwrap());
        let newest =
            titles.iter().map(|title| Headline { date, title: (*title).to_owned() }).collect();
        StoryCount { count, newest }
    }

    fn load_rule_sets(other: bool) -> RuleSets {
        let matcher =
            || Matcher::from_expression("arms OR missiles", None, &mut Vec::new()).ok().unwrap();
        RuleSets { base: matcher(), other: other.then(matcher), loading: Duration::from_millis(20) }
    }

    fn tally() -> Tally {
        let rules = vec![found(
            1234,
            &[
                "Moscow and Pyongyang discuss arms in a long meeting behind closed doors, twice",
                "北朝鮮 arms",
            ],
        )];
        Tally {
            stories: 5000,
            matched: 1234,
            rules,
            matching: Duration::from_millis(65),
            ..Tally::default()
        }
    }

    fn report(width: usize, tally: &Tally, other: bool) -> String {
        ReportLayout { width, zone: TimeZone::UTC }.format_report(tally, &load_rule_sets(other), 1)
    }

    #[test]
    fn matches_read_well_in_a_narrow_terminal() {
        insta::assert_snapshot!("matches", report(60, &tally(), false));
    }

    #[test]
    fn changes_are_marked_and_named() {
        let change = Change {
            adds: found(2, &["New arms", "More arms"]),
            drops: found(1, &["Farms\u{1b}[2J"]),
        };
        let mut tally = tally();
        tally.changes.insert("arms OR missiles".to_owned(), change);
        tally.changes.insert(
            "new".to_owned(),
            Change { adds: found(9, &["Oil"]), drops: StoryCount::default() },
        );
        insta::assert_snapshot!("changes", report(60, &tally, true));
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = (0..500).map(|number| format!("rule {number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let list =
            ReportLayout { width: 80, zone: TimeZone::UTC }.format_names("matched nothing", &names);
        assert!(
            list.contains("500 rules matched nothing:") && list.contains("… and 480 more"),
            "{list}"
        );
    }

    proptest! {
        #[test]
        fn a_line_stays_within_its_width_and_is_whole_where_it_fits(line in "\\PC{0,60}", width in 2..60_usize) {
            let shown = cut_to_width(&line, width);
            prop_assert!(textwrap::core::display_width(&shown) <= width, "{shown}");
            prop_assert!(line.starts_with(shown.trim_end_matches('…')));
            prop_assert!(shown == line || textwrap::core::display_width(&line) > width);
        }
    }
}
