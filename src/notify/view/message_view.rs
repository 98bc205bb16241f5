//! The parts of a message, as finished texts.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::notify::quote::QuotePiece;
use tidings_rules::story::Severity;
use tidings_rules::text::visible_line;

/// The stories that one rule matched.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::notify) struct Section {
    /// The rule's name and how many stories it matched.
    pub(in crate::notify) heading: String,
    pub(in crate::notify) severity: Severity,
    /// Newest first.
    pub(in crate::notify) stories: Vec<StoryItem>,
}

/// One story.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::notify) struct StoryItem {
    /// The headline; never empty.
    pub(in crate::notify) title: Vec<QuotePiece>,
    /// The sentence with the most matches, unless the headline holds all matches.
    pub(in crate::notify) quote: Option<Vec<QuotePiece>>,
    /// The feed, and the time when the story was published or seen.
    pub(in crate::notify) place: Option<String>,
    /// The address of the story.
    pub(in crate::notify) link: Option<String>,
}

impl StoryItem {
    /// A line without link and place. `words` must be safe to show.
    pub(in crate::notify::view) fn from_line(words: &str) -> Self {
        Self { title: unmarked_pieces(words), quote: None, place: None, link: None }
    }
}

/// All texts of a message. They are safe to show, and each is one line.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::notify) struct MessageView {
    /// The highest severity of the rules that matched; `None` if the message is no alert or digest.
    pub(in crate::notify) severity: Option<Severity>,
    /// The headline; never empty.
    pub(in crate::notify) title: Vec<QuotePiece>,
    /// Sentences that hold matched words.
    pub(in crate::notify) quotes: Vec<Vec<QuotePiece>>,
    /// A remark below the quotes.
    pub(in crate::notify) note: Option<String>,
    /// The stories of a digest, by rule.
    pub(in crate::notify) sections: Vec<Section>,
    /// Further facts, in the order in which they are shown.
    pub(in crate::notify) facts: Vec<Fact>,
    /// The address of the story.
    pub(in crate::notify) link: Option<String>,
    /// The copies of the story, including the first, if there are several.
    pub(in crate::notify) copies: Vec<StoryItem>,
}

impl MessageView {
    /// `title` with the severity in capitals before it, if the severity is high or critical.
    pub(in crate::notify) fn prefix_severity(&self, title: String) -> String {
        match self.severity.filter(|severity| *severity >= Severity::High) {
            Some(severity) => format!("{}: {title}", severity.as_str().to_uppercase()),
            None => title,
        }
    }

    /// The lists of stories and copies, each with its heading.
    pub(in crate::notify) fn story_lists(&self) -> Vec<(&str, &[StoryItem])> {
        let sections = self
            .sections
            .iter()
            .map(|section| (section.heading.as_str(), section.stories.as_slice()));
        let copies =
            Some(("Copies", self.copies.as_slice())).filter(|(_, copies)| !copies.is_empty());
        sections.chain(copies).collect()
    }
}

/// A named fact of at least one line.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::notify) struct Fact {
    pub(in crate::notify) name: &'static str,
    pub(in crate::notify) lines: Vec<String>,
}

impl Fact {
    pub(in crate::notify) fn with_line(name: &'static str, line: String) -> Self {
        Self { name, lines: vec![line] }
    }
}

/// A rule with its reason and its owner, as far as it has them.
pub(in crate::notify::view) fn described_rule(
    mut line: String,
    why: Option<&str>,
    owner: Option<&str>,
) -> String {
    if let Some(why) = why {
        line = format!("{line}: {why}");
    }
    if let Some(owner) = owner {
        line = format!("{line} ({owner})");
    }
    visible_line(&line)
}

pub(in crate::notify) fn format_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

pub(in crate::notify) fn unmarked_pieces(text: &str) -> Vec<QuotePiece> {
    vec![QuotePiece { text: text.to_owned(), marked: false, label: None }]
}
