//! The explanation as text.

use anstyle::Style;
use jiff::tz::TimeZone;

use super::conditions::{ExplainCondition, ExplainConditions};
use super::subject::ExplainSubject;
use crate::cli::clauses::{self, TextLayout, quote_evidence};
use crate::cli::count::count;
use crate::cli::explain::answer::ExplainAnswer;
use crate::lifecycle::story::StoryStatus;
use crate::queries::moment::long_date;
use crate::store::StoryRecord;
use tidings_rules::text::{tokenise, visible, visible_line};
use tidings_rules::{Explained, Match, Truth};

const TITLE: Style = Style::new().bold();

/// The story alone, for `grep` and other programs: the headline, how much was read, an empty line,
/// the text. Lines are not wrapped.
pub(super) fn format_story(subject: &ExplainSubject) -> String {
    let headline = visible_line(&subject.story.title);
    format!("{headline}\nread: {}\n\n{}", visible_line(&read_text(subject)), story_text(subject))
}

/// The text that rules see, ending in a line break.
fn story_text(subject: &ExplainSubject) -> String {
    visible(subject.story.body.trim_end()).into_owned() + "\n"
}

/// What a report says.
pub(super) struct ExplainText<'e> {
    pub(super) subject: &'e ExplainSubject,
    pub(super) answer: &'e ExplainAnswer,
    pub(super) conditions: &'e ExplainConditions,
}

impl ExplainText<'_> {
    /// The whole report, ending in a line break. The text of the story follows if it is wanted.
    pub(super) fn format(&self, wants_text: bool, zone: &TimeZone) -> String {
        let Self { subject, answer, conditions } = *self;
        let layout = TextLayout::for_stdout();
        let mut lines = vec![layout.paint(&layout.wrap(&headline(subject), "", 2), TITLE)];
        lines.extend(
            story_facts(subject, zone).into_iter().map(|(name, text)| layout.fact(name, &text)),
        );
        lines.push(String::new());
        match answer {
            ExplainAnswer::Matches(matches, rules) => {
                lines.extend(match_lines(matches, *rules, conditions, layout));
            }
            ExplainAnswer::Rule(explained) => {
                lines.extend(rule_lines(explained, conditions, layout));
            }
            ExplainAnswer::Clause(clause) => lines.extend(clauses::clause_lines(clause, 0, layout)),
        }
        if wants_text {
            lines.push(String::new());
            return lines.join("\n") + "\n" + &story_text(subject);
        }
        lines.join("\n") + "\n"
    }
}

/// The condition of a rule, and how far it is met.
fn condition_lines(found: Option<&ExplainCondition>, layout: TextLayout) -> Vec<String> {
    let Some(ExplainCondition { condition, progress }) = found else { return Vec::new() };
    let progress = progress.as_ref().map(|progress| ("now", progress));
    let facts = std::iter::once(("condition", condition)).chain(progress);
    facts
        .map(|(name, text)| layout.wrap(&format!("{name}: {}", visible_line(text)), "    ", 6))
        .collect()
}

/// How many words were read, and of what.
fn read_text(subject: &ExplainSubject) -> String {
    let story = &subject.story;
    let words = tokenise(&story.title).len() + tokenise(&story.body).len();
    format!("{}, {}", count(words, "word", "words"), subject.read)
}

fn headline(subject: &ExplainSubject) -> String {
    visible_line(&subject.story.headline())
}

fn story_facts(subject: &ExplainSubject, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let story = &subject.story;
    let feeds = subject.carriers.as_ref();
    let feeds = feeds
        .map(|feeds| feeds.iter().map(|feed| feed.name.0.as_str()).collect::<Vec<_>>().join(", "));
    let kept = subject.kept.as_ref();
    [
        ("link", story.url.clone()),
        ("language", story.lang.clone()),
        ("published", story.published.map(|at| long_date(at, zone))),
        ("feeds", feeds),
        ("source", story.source.clone()),
        ("read", Some(read_text(subject))),
        ("id", kept.map(|kept| kept.stored.uid.clone())),
        ("seen", kept.map(|_| long_date(story.first_seen, zone))),
        ("status", kept.map(|kept| status_text(kept, zone))),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, text?)))
    .collect()
}

fn status_text(kept: &StoryRecord, zone: &TimeZone) -> String {
    match kept.status.status {
        StoryStatus::AwaitsPage | StoryStatus::AwaitsMatch => {
            "waiting: it is not matched yet".to_owned()
        }
        StoryStatus::Unmatched => "no rule matched it when it was read".to_owned(),
        StoryStatus::Purged => "its text is no longer kept".to_owned(),
        StoryStatus::Recorded => {
            format!("only recorded: {}", kept.status.why.as_deref().unwrap_or_default())
        }
        StoryStatus::Matched => {
            let alerts = kept.alerts.iter().map(|alert| {
                let row = alert.row.as_ref().map_or_else(String::new, |row| format!(", row {row}"));
                let held = if alert.held { ", held" } else { "" };
                format!("{}{row} ({}{held})", alert.rule, long_date(alert.created, zone))
            });
            format!("alerts by {}", alerts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn match_lines(
    matches: &[Match],
    rules: usize,
    conditions: &ExplainConditions,
    layout: TextLayout,
) -> Vec<String> {
    let by_name = matches.chunk_by(|one, next| one.rule.name() == next.rule.name()).count();
    let rows = matches.iter().filter(|found| found.rule.row().is_some()).count();
    let rows =
        if rows > 0 { format!(", for {}", count(rows, "row", "rows")) } else { String::new() };
    let mut lines =
        vec![format!("{by_name} of {}{rows}", count(rules, "rule matches it", "rules match it"))];
    if matches.is_empty() {
        lines.push("`--rule NAME` explains why a rule does not match.".to_owned());
    }
    for found in matches {
        lines.push(String::new());
        lines.push(format!(
            "{} {}",
            layout.truth_sign(Truth::True),
            layout.paint(&visible_line(&found.rule.title()), TITLE)
        ));
        lines.extend(condition_lines(conditions.of(&found.rule), layout));
        lines.extend(found.evidence.iter().map(|evidence| {
            let term =
                format!("{} — {}", visible_line(&evidence.term), quote_evidence(evidence, layout));
            layout.wrap(&term, "    ", 6)
        }));
    }
    lines
}

fn rule_lines(
    explained: &Explained,
    conditions: &ExplainConditions,
    layout: TextLayout,
) -> Vec<String> {
    let title = if explained.row.is_some() {
        explained.rule.title()
    } else {
        explained.rule.name().to_owned()
    };
    let mut lines = vec![layout.paint(&visible_line(&title), TITLE)];
    if explained.row.is_none() && explained.rule.row().is_some() {
        lines.push(layout.wrap("for all rows at once; --row ID explains one row", "  ", 2));
    }
    lines.extend(condition_lines(conditions.of(&explained.rule), layout));
    if let Some(reason) = &explained.filtered_out {
        let text = format!("skips this story: {}", visible_line(reason));
        lines.push(layout.wrap(&text, &format!("{} ", layout.truth_sign(Truth::False)), 4));
    }
    lines.extend(clauses::clause_lines(&explained.clause, 0, layout));
    lines
}
