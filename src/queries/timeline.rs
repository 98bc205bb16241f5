//! What happened to an event, in one order of time. Pure.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::lifecycle::message::AttemptOutcome;
use crate::queries::json::add_keys;
use crate::queries::standing::Standing;
use crate::store::{EventRecord, EventStory};

/// Something that happened to an event.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Happening<'a> {
    /// A feed carried a story of it, with the headline of that time.
    Seen {
        /// The feed.
        feed: &'a str,
        /// The headline.
        title: &'a str,
        /// The link that the feed gave.
        url: Option<&'a str>,
    },
    /// The headline or the text of a story changed.
    Revision {
        /// The story's id.
        id: &'a str,
        /// The number of the revision.
        revision: i64,
        /// Whether the headline changed.
        title_changed: bool,
        /// Whether the text changed.
        text_changed: bool,
        /// The headline before.
        previous_title: &'a str,
    },
    /// A rule matched.
    Alert {
        /// The alert's number.
        id: i64,
        /// The rule, with its row.
        rule: String,
        /// Its severity.
        severity: &'static str,
        /// Whether it is held now.
        held: bool,
        /// How it stood to its rule's condition then, in words.
        #[serde(skip_serializing_if = "Option::is_none")]
        standing: Option<String>,
    },
    /// An alert was released that was held until then. Silences may still put its message off.
    Told {
        /// The alert's number.
        id: i64,
        /// The rule, with its row.
        rule: String,
    },
    /// A message was written.
    Message {
        /// The message's number.
        id: i64,
        /// Its receiver.
        receiver: String,
        /// Its status now.
        status: String,
    },
    /// An attempt to deliver a message began.
    Attempt {
        /// Its receiver.
        receiver: String,
        /// Its result; `None` while it is under way.
        outcome: Option<&'static str>,
        /// The receiver's answer, or the error.
        reply: Option<&'a str>,
    },
}

/// When something happened.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry<'a> {
    /// The time.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening<'a>,
}

/// The event as an object, with its timeline.
#[must_use]
pub fn event_json(record: &EventRecord) -> Value {
    let mut object = json!({ "timeline": timeline(record) });
    add_keys(&mut object, record);
    object
}

/// All that is known of the event, oldest first.
#[must_use]
pub fn timeline(record: &EventRecord) -> Vec<TimelineEntry<'_>> {
    let mut entries: Vec<TimelineEntry<'_>> = Vec::new();
    let mut add = |at, happening| entries.push(TimelineEntry { at, happening });
    for story in &record.stories {
        for entry in &story.feeds {
            let title = headline_at(story, entry.seen);
            let (feed, url) = (entry.feed.0.as_str(), entry.url.as_deref());
            add(entry.seen, Happening::Seen { feed, title, url });
        }
        for change in &story.revisions {
            let happening = Happening::Revision {
                id: &story.id,
                revision: change.revision,
                title_changed: change.title_changed,
                text_changed: change.text_changed,
                previous_title: &change.previous_title,
            };
            add(change.at, happening);
        }
    }
    for alert in &record.alerts {
        let (rule, severity) = (alert.rule_match.title(), alert.rule_match.severity.as_str());
        let (id, held) = (alert.id, alert.held);
        let standing = Standing::of(alert).map(Standing::words_at_first);
        add(alert.created, Happening::Alert { id, rule, severity, held, standing });
        if let Some(told) = alert.held_until {
            add(told, Happening::Told { id, rule: alert.rule_match.title() });
        }
    }
    for message in &record.messages {
        let receiver = message.receiver.to_string();
        for attempt in &message.attempts {
            let happening = Happening::Attempt {
                receiver: receiver.clone(),
                outcome: attempt.outcome.map(AttemptOutcome::as_str),
                reply: attempt.reply.as_deref(),
            };
            add(attempt.started, happening);
        }
        let (id, status) = (message.id, message.status.to_string());
        add(message.created, Happening::Message { id, receiver, status });
    }
    // What happens at the same time has an order, too: a match follows what was seen.
    entries.sort_by_key(|entry| (entry.at, entry.happening.order()));
    entries
}

impl Happening<'_> {
    fn order(&self) -> u8 {
        match self {
            Self::Seen { .. } => 0,
            Self::Revision { .. } => 1,
            Self::Alert { .. } => 2,
            Self::Told { .. } => 3,
            Self::Message { .. } => 4,
            Self::Attempt { .. } => 5,
        }
    }
}

/// The headline of a story at a time.
fn headline_at(story: &EventStory, at: Timestamp) -> &str {
    let later = story.revisions.iter().find(|change| change.title_changed && change.at > at);
    later.map_or_else(|| story.story.headline(), |change| &change.previous_title)
}
