//! What is explained as people read it.

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::subject::ExplainSubject;
use crate::cli::clauses::{self, Paper, quoted};
use crate::cli::count::count;
use crate::cli::explain::answer::ExplainAnswer;
use crate::cli::moment::long_date;
use crate::lifecycle::story::StoryStatus;
use crate::notify::plain;
use crate::store::StoryRecord;
use tidings_rules::story::Read;
use tidings_rules::text::tokenise;
use tidings_rules::{Explained, Match, Truth};

const TITLE: Style = Style::new().bold();

/// The whole report, ending in a line break.
pub(super) fn report(subject: &ExplainSubject, answer: &ExplainAnswer) -> String {
    let paper = Paper::for_stdout();
    let mut lines = vec![paper.paint(&paper.wrap(&headline(subject), "", 2), TITLE)];
    lines.extend(
        facts(subject)
            .into_iter()
            .map(|(name, text)| paper.wrap(&plain(&text), &format!("  {name:9}  "), 13)),
    );
    lines.push(String::new());
    match answer {
        ExplainAnswer::Matches(matches, rules) => lines.extend(matched(matches, *rules, paper)),
        ExplainAnswer::Rule(explained) => lines.extend(explained_rule(explained, paper)),
        ExplainAnswer::Clause(clause) => lines.extend(clauses::lines(clause, 0, paper)),
    }
    lines.join("\n") + "\n"
}

fn headline(subject: &ExplainSubject) -> String {
    plain(&subject.story.headline())
}

fn facts(subject: &ExplainSubject) -> Vec<(&'static str, String)> {
    let story = &subject.story;
    let words = tokenise(&story.title).len() + tokenise(&story.body).len();
    let read = match &subject.read {
        Read::Full => format!("the whole text, {}", count(words, "word", "words")),
        Read::Teaser(why) => format!("only a teaser of {}: {why}", count(words, "word", "words")),
    };
    let feeds = subject.carriers.as_ref();
    let feeds = feeds
        .map(|feeds| feeds.iter().map(|feed| feed.name.0.as_str()).collect::<Vec<_>>().join(", "));
    let kept = subject.kept.as_ref();
    [
        ("link", story.url.clone()),
        ("language", story.lang.clone()),
        ("published", story.published.map(time)),
        ("feeds", feeds),
        ("source", story.source.clone()),
        ("read", Some(read)),
        ("id", kept.map(|kept| kept.stored.uid.clone())),
        ("seen", kept.map(|_| time(story.first_seen))),
        ("fate", kept.map(story_status)),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, text?)))
    .collect()
}

fn story_status(kept: &StoryRecord) -> String {
    match kept.status.status {
        StoryStatus::AwaitsPage | StoryStatus::AwaitsMatch => "it is yet to be matched".to_owned(),
        StoryStatus::Unmatched => "no rule matched it when it was first read".to_owned(),
        StoryStatus::Purged => "its text is no longer kept".to_owned(),
        StoryStatus::Recorded => {
            format!("only recorded: {}", kept.status.why.as_deref().unwrap_or_default())
        }
        StoryStatus::Matched => {
            let told = kept.alerts.iter().map(|alert| {
                let row = alert.row.as_ref().map_or_else(String::new, |row| format!(", row {row}"));
                format!("{}{row} ({})", alert.rule, time(alert.created))
            });
            format!("alerts by {}", told.collect::<Vec<_>>().join(", "))
        }
    }
}

fn time(at: Timestamp) -> String {
    long_date(at, &TimeZone::system())
}

fn matched(matches: &[Match], rules: usize, paper: Paper) -> Vec<String> {
    let by_name = matches.chunk_by(|one, next| one.rule.name() == next.rule.name()).count();
    let rows = matches.iter().filter(|found| found.rule.row().is_some()).count();
    let rows =
        if rows > 0 { format!(", for {}", count(rows, "row", "rows")) } else { String::new() };
    let mut lines =
        vec![format!("{by_name} of {}{rows}", count(rules, "rule matches it", "rules match it"))];
    if matches.is_empty() {
        lines.push("--rule NAME says why one does not.".to_owned());
    }
    for found in matches {
        lines.push(String::new());
        lines.push(format!(
            "{} {}",
            paper.sign(Truth::True),
            paper.paint(&plain(&found.rule.title()), TITLE)
        ));
        lines.extend(found.evidence.iter().map(|evidence| {
            let term = format!("{} — {}", plain(&evidence.term), quoted(evidence, paper));
            paper.wrap(&term, "    ", 6)
        }));
    }
    lines
}

fn explained_rule(explained: &Explained, paper: Paper) -> Vec<String> {
    let title = if explained.row.is_some() {
        explained.rule.title()
    } else {
        explained.rule.name().to_owned()
    };
    let mut lines = vec![paper.paint(&plain(&title), TITLE)];
    if explained.row.is_none() && explained.rule.row().is_some() {
        lines.push(paper.wrap("for all of its rows at once; --row ID looks at one", "  ", 2));
    }
    if let Some(barred) = &explained.filtered_out {
        let text = format!("does not look at this story: {}", plain(barred));
        lines.push(paper.wrap(&text, &format!("{} ", paper.sign(Truth::False)), 4));
    }
    lines.extend(clauses::lines(&explained.clause, 0, paper));
    lines
}
