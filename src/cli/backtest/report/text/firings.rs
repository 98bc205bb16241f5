//! The firings of rules with conditions, as text.

use indicatif::HumanCount;
use jiff::Timestamp;

use super::{ReportLayout, grouped_count, more};
use crate::backtest::firings::{ConditionCount, FiringCount, RuleFiring};
use tidings_rules::text::visible_line;

impl ReportLayout {
    /// A rule with a condition: how often it fires, what becomes of its matches, and the newest
    /// firings with their stories.
    pub(super) fn format_condition(&self, matches: &str, condition: &ConditionCount) -> String {
        let ConditionCount { told, held, learning, copies, no_news, firings } = condition;
        let grouped = |count: &usize| HumanCount(*count as u64);
        let mut parts = vec![
            grouped_count(firings.count, "firing", "firings"),
            format!("{} told", grouped(told)),
            format!("{} held", grouped(held)),
        ];
        let ends = firings.ends;
        let counted = [
            (ends, grouped_count(ends, "end of an absence", "ends of absences")),
            (*copies, grouped_count(*copies, "copy", "copies")),
            (*no_news, format!("{} no news", grouped(no_news))),
            (*learning, format!("{} while it learned", grouped(learning))),
        ];
        parts.extend(counted.into_iter().filter(|(count, _)| *count > 0).map(|(_, said)| said));
        let heading = format!("{matches}, {}", parts.join(", "));
        self.wrapped(&heading) + &self.format_firings(' ', firings) + "\n"
    }

    /// The newest firings, newest first, each with the newest stories of its message.
    pub(super) fn format_firings(&self, mark: char, firings: &FiringCount) -> String {
        let mut text = String::new();
        for firing in firings.newest.iter().rev().map(RuleFiring::shown) {
            let said = match &firing.progress {
                Ok(progress) => visible_line(progress),
                Err(since) => format!("nothing since {}", self.moment(*since)),
            };
            text += &self.line(&format!("  {mark} {}  {said}", self.moment(firing.at)));
            for headline in &firing.stories {
                let at = headline.date.map(|at| self.moment(at)).unwrap_or_default();
                text += &self.line(&format!("        {at}  {}", visible_line(&headline.title)));
            }
            text += &more("        ", firing.more);
        }
        text + &more(&format!("  {mark} "), firings.count + firings.ends - firings.newest.len())
    }

    fn moment(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}
