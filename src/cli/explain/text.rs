//! What is explained as people read it.

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Answer;
use super::subject::Subject;
use crate::cli::clauses::{self, Paper, quoted};
use crate::cli::count;
use crate::notify::plain;
use crate::rule::{Explained, Match, Truth};
use crate::store::{Fate, Kept};
use crate::story::Read;
use crate::text::tokenise;

const TITLE: Style = Style::new().bold();

/// The whole report, ending in a line break.
pub(super) fn report(subject: &Subject, answer: &Answer) -> String {
    let paper = Paper::of_output();
    let mut lines = vec![paper.paint(&paper.wrap(&headline(subject), "", 2), TITLE)];
    lines
        .extend(facts(subject).into_iter().map(|(name, text)| paper.wrap(&plain(&text), &format!("  {name:9}  "), 13)));
    lines.push(String::new());
    match answer {
        Answer::Matches(matches, rules) => lines.extend(matched(matches, *rules, paper)),
        Answer::Rule(explained) => lines.extend(explained_rule(explained, paper)),
        Answer::Clause(clause) => lines.extend(clauses::lines(clause, 0, paper)),
    }
    lines.join("\n") + "\n"
}

fn headline(subject: &Subject) -> String {
    let title = plain(&subject.story.title);
    if title.trim().is_empty() { "(no headline)".to_owned() } else { title }
}

fn facts(subject: &Subject) -> Vec<(&'static str, String)> {
    let story = &subject.story;
    let words = tokenise(&story.title).len() + tokenise(&story.body).len();
    let read = match &subject.read {
        Read::Full => format!("the whole text, {}", count(words, "word", "words")),
        Read::Teaser(why) => format!("only a teaser of {}: {why}", count(words, "word", "words")),
    };
    let feeds = subject.carriers.as_ref();
    let feeds = feeds.map(|feeds| feeds.iter().map(|feed| feed.name.0.as_str()).collect::<Vec<_>>().join(", "));
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
        ("fate", kept.map(fate)),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, text?)))
    .collect()
}

fn fate(kept: &Kept) -> String {
    match &kept.fate {
        Fate::Waits => "it is yet to be matched".to_owned(),
        Fate::Unmatched => "no rule matched it when it was looked at".to_owned(),
        Fate::Recorded(why) => format!("only recorded: {why}"),
        Fate::Matched => {
            let told = kept.alerts.iter().map(|alert| format!("{} ({})", alert.rule, time(alert.at)));
            format!("alerts by {}", told.collect::<Vec<_>>().join(", "))
        }
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

fn matched(matches: &[Match], rules: usize, paper: Paper) -> Vec<String> {
    let mut lines = vec![format!("{} of {}", matches.len(), count(rules, "rule matches it", "rules match it"))];
    if matches.is_empty() {
        lines.push("--rule NAME says why one does not.".to_owned());
    }
    for found in matches {
        lines.push(String::new());
        lines.push(format!("{} {}", paper.sign(Truth::True), paper.paint(&plain(found.rule.name()), TITLE)));
        lines.extend(found.evidence.iter().map(|evidence| {
            let term = format!("{} — {}", plain(&evidence.term), quoted(evidence, paper));
            paper.wrap(&term, "    ", 6)
        }));
    }
    lines
}

fn explained_rule(explained: &Explained, paper: Paper) -> Vec<String> {
    let mut lines = vec![paper.paint(&plain(explained.rule.name()), TITLE)];
    if let Some(barred) = &explained.barred {
        let text = format!("does not look at this story: {}", plain(barred));
        lines.push(paper.wrap(&text, &format!("{} ", paper.sign(Truth::False)), 4));
    }
    lines.extend(clauses::lines(&explained.clause, 0, paper));
    lines
}
