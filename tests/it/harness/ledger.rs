//! The ledger of the sinks: every message that arrived whole, and the sink's reaction.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tidings::clock::now;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::script::To;

/// All arrivals so far, in order.
#[derive(Clone)]
pub struct Ledger(watch::Sender<Vec<Arrival>>);

/// A message that arrived whole.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// `webhook-id`, or the part of the Message-ID before the @.
    pub id: String,
    pub to: To,
    pub content: MessageContent,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
    pub outcome: SinkOutcome,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageContent {
    /// These rules matched a story.
    Match { story: String, rules: BTreeSet<String> },
    /// A notice about a receiver, with its text.
    Notice(String),
}

/// The sink's reaction to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkOutcome {
    /// It kept the message and confirmed it.
    Taken,
    /// It kept the message without a confirmation.
    Unanswered,
    /// It did not keep the message, and may keep it later.
    PutOff,
    /// It did not keep the message, and asked for a pause of this length.
    Rest(Duration),
    /// It refuses the message for good.
    Refused,
}

impl SinkOutcome {
    /// Whether the sink has the message now.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Taken | Self::Unanswered)
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    /// Records an arrival. `outcome` gets the number of earlier arrivals of its message.
    pub fn keep(
        &self,
        id: &str,
        to: To,
        content: MessageContent,
        bytes: &[u8],
        outcome: impl FnOnce(usize) -> SinkOutcome,
    ) {
        self.0.send_modify(|arrivals| {
            let before = arrivals.iter().filter(|arrival| arrival.id == id).count();
            let (id, bytes) = (id.to_owned(), bytes.to_vec());
            arrivals.push(Arrival { id, to, content, bytes, at: now(), outcome: outcome(before) });
        });
    }

    /// All arrivals.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.0.borrow().clone()
    }

    /// Forgets the arrivals that `is_forgotten` accepts.
    pub fn forget(&self, is_forgotten: impl Fn(&Arrival) -> bool) {
        self.0.send_modify(|arrivals| arrivals.retain(|arrival| !is_forgotten(arrival)));
    }

    /// Waits for this number of further arrivals, for `most` at the longest.
    pub async fn wait_for_more(&self, more: usize, most: Duration) {
        let mut arrivals = self.0.subscribe();
        let wanted = arrivals.borrow().len() + more;
        timeout(most, arrivals.wait_for(|arrivals| arrivals.len() >= wanted)).await.ok();
    }
}

impl MessageContent {
    /// The content of a webhook's body.
    pub fn by_hook(body: &[u8]) -> Self {
        let payload: Value = serde_json::from_slice(body).expect("a webhook's body is JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if payload["type"] == "alert" {
            let rules = payload["rules"].as_array().expect("a list of rules");
            let rules = rules.iter().map(|rule| text(&rule["rule"])).collect();
            return Self::Match { story: mark(&text(&payload["story"]["title"])), rules };
        }
        let to =
            To { notifier: text(&payload["notifier"]), recipient: text(&payload["recipient"]) };
        Self::Notice(format!("{to} {}", text(&payload["kind"])))
    }

    /// The content of a mail.
    pub fn by_mail(data: &[u8]) -> Self {
        let mail = mailparse::parse_mail(data).expect("a mail");
        let subject = header(&mail, "Subject");
        let Some(story) = subject.find("Story ").map(|at| mark(&subject[at..])) else {
            return Self::Notice(subject);
        };
        let plain = mail.subparts[0].get_body().expect("a plain part");
        let names = plain.split_whitespace().filter(|word| word.starts_with("Rule"));
        Self::Match { story, rules: names.map(str::to_owned).collect() }
    }
}

/// A mail's id.
pub fn id_of_mail(data: &[u8]) -> String {
    let mail = mailparse::parse_mail(data).expect("a mail");
    header(&mail, "Message-ID")
        .trim_start_matches('<')
        .split('@')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn header(mail: &mailparse::ParsedMail<'_>, name: &str) -> String {
    use mailparse::MailHeaderMap;
    mail.headers.get_first_value(name).unwrap_or_else(|| panic!("a mail without {name}"))
}

/// The beginning of a title, which only one story has.
fn mark(title: &str) -> String {
    title.chars().take("Story 0000".len()).collect()
}
