//! Objects of the store as JSON. Commands print them, and the API answers with them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::alerts::silence::Silence;
use crate::config::{Config, FeedConfig, ReceivingFeed};
use crate::store::{Delivery, DeliverySubject, FeedState, PastGap};
use tidings_rules::story::FeedName;

/// The health of a feed that receives stories.
const RECEIVES: &str = "receives";

/// Adds the keys of `more`, which is an object, to those of `object`.
///
/// # Panics
/// `more` has keys that are not strings.
pub fn add_keys(object: &mut Value, more: &impl Serialize) {
    let more = serde_json::to_value(more).expect("texts, numbers and string keys are always JSON");
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// A feed of the configuration.
#[derive(Clone, Copy, Debug)]
pub enum ShownFeed<'c> {
    /// It is polled.
    Polled(&'c FeedConfig),
    /// It receives stories.
    Receiving(&'c ReceivingFeed),
}

impl<'c> ShownFeed<'c> {
    /// All feeds of `config`: first those that are polled.
    pub fn all(config: &'c Config) -> impl Iterator<Item = Self> {
        let receiving = config.receiving.iter().map(Self::Receiving);
        config.feeds.iter().map(Self::Polled).chain(receiving)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'c FeedName {
        match self {
            Self::Polled(feed) => &feed.name,
            Self::Receiving(feed) => &feed.name,
        }
    }

    /// Its health in one word, with what is stored of it.
    #[must_use]
    pub fn health(self, state: Option<&FeedState>, at: Timestamp) -> &'static str {
        match self {
            Self::Polled(_) => FeedState::health_word(state, at),
            Self::Receiving(_) => RECEIVES,
        }
    }

    /// The feed as JSON, with what is stored of it.
    #[must_use]
    pub fn to_json(self, state: Option<&FeedState>, at: Timestamp) -> Value {
        match self {
            Self::Polled(feed) => feed_json(feed, state, at),
            Self::Receiving(feed) => {
                let last_news = state.and_then(|state| state.health_history.last_news);
                receiving_feed_json(feed, last_news)
            }
        }
    }
}

/// A feed of the configuration at a time, with what is stored of it; `None` before its first poll.
#[must_use]
pub fn feed_json(feed: &FeedConfig, state: Option<&FeedState>, at: Timestamp) -> Value {
    json!({
        "feed": feed.name, "tags": feed.tags, "health": FeedState::health_word(state, at),
        "last_poll": state.and_then(|state| state.last_poll), "last_good": state.and_then(|state| state.last_good),
        "last_change": state.and_then(|state| state.health_history.last_news),
        "next_poll": state.and_then(|state| state.next_poll), "next_why": state.map(|state| &state.next_why),
        "failures": state.map_or(0, |state| state.failures),
        "failing_since": state.and_then(|state| state.health_history.failing_since),
        "why": state.and_then(|state| state.error.as_ref()),
        "usual_gap_seconds": state.and_then(|state| state.mean_gap).map(|gap| gap.as_secs()),
    })
}

/// A feed of the configuration that receives stories, and when the last new or edited one came.
#[must_use]
pub fn receiving_feed_json(feed: &ReceivingFeed, last_news: Option<Timestamp>) -> Value {
    let nothing = Value::Null;
    json!({
        "feed": feed.name, "tags": feed.tags, "health": RECEIVES,
        "last_poll": nothing, "last_good": nothing, "last_change": last_news, "next_poll": nothing,
        "next_why": nothing, "failures": 0, "failing_since": nothing, "why": nothing,
        "usual_gap_seconds": nothing,
    })
}

/// A gap of a feed.
#[must_use]
pub fn gap_json(past: &PastGap) -> Value {
    let PastGap { feed, gap, found_at } = past;
    json!({ "feed": feed, "since": gap.since, "until": gap.until, "found": found_at })
}

/// A message that is not delivered.
#[must_use]
pub fn delivery_json(delivery: &Delivery) -> Value {
    let mut object = json!({
        "id": delivery.id, "message": delivery.uid, "status": delivery.status,
        "created": delivery.created, "due": delivery.due, "tries": delivery.attempts,
        "last_attempt": delivery.last_attempt, "why": delivery.why,
    });
    let subject = match &delivery.subject {
        DeliverySubject::Story(title) => json!({ "type": "alert", "story": { "title": title } }),
        DeliverySubject::Digest(alerts) => json!({ "type": "digest", "alerts": alerts }),
        DeliverySubject::Notice(about) => json!({ "type": "notice", "about": about }),
    };
    add_keys(&mut object, &delivery.receiver);
    add_keys(&mut object, &subject);
    object
}

/// A silence with the number of alerts that it mutes or muted.
#[must_use]
pub fn silence_json(silence: &Silence, muted: u32) -> Value {
    json!({
        "id": silence.id, "target": silence.target, "since": silence.since, "until": silence.until,
        "why": silence.why, "muted": muted,
    })
}
