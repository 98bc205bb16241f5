//! The parts of a message, in finished words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::notify::quote::QuotePiece;
use tidings_rules::story::Severity;

/// What one rule matched.
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
    /// The sentence that proves most, where the headline does not.
    pub(in crate::notify) quote: Option<Vec<QuotePiece>>,
    /// Who carries it, and when that was seen or published.
    pub(in crate::notify) place: Option<String>,
    /// Where to read it.
    pub(in crate::notify) link: Option<String>,
}

impl StoryItem {
    /// A line of words, safe to show.
    pub(in crate::notify::view) fn from_line(words: &str) -> Self {
        Self { title: unmarked_pieces(words), quote: None, place: None, link: None }
    }
}

/// What a message shows. All texts are safe to show, and on one line.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::notify) struct MessageView {
    /// The gravest of the rules that matched; none in what is no alert.
    pub(in crate::notify) severity: Option<Severity>,
    /// The headline; never empty.
    pub(in crate::notify) title: Vec<QuotePiece>,
    /// Sentences that hold what matched.
    pub(in crate::notify) quotes: Vec<Vec<QuotePiece>>,
    /// A remark below the quotes.
    pub(in crate::notify) note: Option<String>,
    /// Of a digest: its stories, rule by rule.
    pub(in crate::notify) sections: Vec<Section>,
    /// What else is to be known, in this order.
    pub(in crate::notify) facts: Vec<Fact>,
    /// Where to read it.
    pub(in crate::notify) link: Option<String>,
    /// Its copies, where there are several: the first that was seen is one of them.
    pub(in crate::notify) copies: Vec<StoryItem>,
}

impl MessageView {
    /// The stories and copies that it lists, each list with its heading.
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

/// A few words under a name; at least one line.
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

pub(in crate::notify) fn format_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

pub(in crate::notify) fn unmarked_pieces(text: &str) -> Vec<QuotePiece> {
    vec![QuotePiece { text: text.to_owned(), marked: false, label: None }]
}
