//! What arrived, as the sinks saw it: every message that came whole, and what its sink made of it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tidings::clock::now;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::script::To;

/// All arrivals so far, in their order.
#[derive(Clone)]
pub struct Ledger(watch::Sender<Vec<Arrival>>);

/// A message that came whole.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// `webhook-id`, or what stands before the @ of the Message-ID.
    pub id: String,
    pub to: To,
    pub content: MessageContent,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
    pub outcome: SinkOutcome,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageContent {
    /// That these rules matched a story.
    Tale { tale: String, rules: BTreeSet<String> },
    /// Something of a receiver: in words that name it.
    Notice(String),
}

/// What a sink made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkOutcome {
    /// It kept it and said so.
    Taken,
    /// It kept it and did not say so.
    Unanswered,
    /// It did not keep it, and may later.
    PutOff,
    /// The same, and it said how long it wants to be left alone.
    Rest(Duration),
    /// It never will.
    Refused,
}

impl SinkOutcome {
    /// Whether somebody has the message now.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Taken | Self::Unanswered)
    }
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    /// Writes down an arrival; `outcome` gets the number of earlier arrivals of its message.
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

    /// All of them.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.0.borrow().clone()
    }

    /// Waits for so many more, but not for longer than `most`.
    pub async fn wait_for_more(&self, more: usize, most: Duration) {
        let mut arrivals = self.0.subscribe();
        let wanted = arrivals.borrow().len() + more;
        timeout(most, arrivals.wait_for(|arrivals| arrivals.len() >= wanted)).await.ok();
    }
}

impl MessageContent {
    /// What the body of a webhook says.
    pub fn by_hook(body: &[u8]) -> Self {
        let payload: Value = serde_json::from_slice(body).expect("a webhook's body is JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if payload["type"] == "alert" {
            let rules = payload["rules"].as_array().expect("a list of rules");
            let rules = rules.iter().map(|rule| text(&rule["rule"])).collect();
            return Self::Tale { tale: mark(&text(&payload["story"]["title"])), rules };
        }
        let to =
            To { notifier: text(&payload["notifier"]), recipient: text(&payload["recipient"]) };
        Self::Notice(format!("{to} {}", text(&payload["kind"])))
    }

    /// What a mail says.
    pub fn by_mail(data: &[u8]) -> Self {
        let mail = mailparse::parse_mail(data).expect("a mail");
        let subject = header(&mail, "Subject");
        let Some(tale) = subject.find("Tale ").map(|at| mark(&subject[at..])) else {
            return Self::Notice(subject);
        };
        let plain = mail.subparts[0].get_body().expect("a plain part");
        let names = plain.split_whitespace().filter(|word| word.starts_with("Rule"));
        Self::Tale { tale, rules: names.map(str::to_owned).collect() }
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

/// The beginning of a title that only one story has.
fn mark(title: &str) -> String {
    title.chars().take("Tale 0000".len()).collect()
}
