//! Notices about receivers, feeds, the store and rules, and their receivers. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::{Receiver, title};
use crate::polling::health::FeedNotice;
use tidings_rules::story::{NotifierName, Severity, WatchlistRow};

/// A message that is about no story. One about a feed names it as `feed`, one about a receiver its
/// `notifier`, one about the store its file as `store`, one about a rule its `rule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum About {
    /// A receiver.
    Receiver(Notice),
    /// A feed.
    Feed(FeedNotice),
    /// The store.
    Store(StoreNotice),
    /// The service, at the time that the configuration sets.
    Report(ServiceReport),
    /// A rule with `absent`.
    Rule(RuleNotice),
}

impl About {
    /// What it is about, as people call it.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Receiver(notice) => notice.subject().to_string(),
            Self::Feed(notice) => notice.feed.to_string(),
            Self::Store(notice) => notice.store.clone(),
            Self::Report(_) => "Tidings".to_owned(),
            Self::Rule(notice) => notice.subject(),
        }
    }
}

/// A message about the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreNotice {
    /// What happened.
    pub kind: StoreKind,
    /// Its file.
    pub store: String,
    /// When it was found.
    pub since: Timestamp,
    /// What was found.
    pub why: String,
}

/// What happened to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Pages of it cannot be read as they were written.
    Damaged,
}

impl StoreNotice {
    /// That the store is damaged, as was found at `since`.
    #[must_use]
    pub fn damaged(store: String, why: String, since: Timestamp) -> Self {
        Self { kind: StoreKind::Damaged, store, since, why }
    }

    /// The prefix of its messages' dedup keys: a receiver gets it once a day, whatever the number
    /// of starts.
    #[must_use]
    pub fn key(&self) -> String {
        format!("notice:damaged:{}:", self.since.strftime("%Y-%m-%d"))
    }
}

/// A message about a rule with `absent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleNotice {
    /// What happened.
    pub kind: RuleNoticeKind,
    /// The rule.
    pub rule: String,
    /// The row, of a rule with `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<WatchlistRow>,
    /// Its condition in words.
    pub condition: String,
    /// Its severity.
    pub severity: Severity,
    /// Its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The last match, or since when the rule is in force. Of a blind rule: since when a feed
    /// fails.
    pub since: Timestamp,
    /// The feeds of the rule that fail.
    pub failing: Vec<String>,
}

/// What happened to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleNoticeKind {
    /// Nothing matched for as long as its condition says.
    Absent,
    /// Feeds that it reads fail, so that it cannot tell an absence.
    Blind,
}

impl RuleNotice {
    /// The rule, with its row.
    #[must_use]
    pub fn subject(&self) -> String {
        title(&self.rule, self.row.as_ref())
    }

    /// The prefix of its messages' dedup keys: a receiver gets one for one time since which it
    /// holds.
    #[must_use]
    pub fn key(&self) -> String {
        let group = Self::group_key(self.kind, &self.rule, self.row.as_ref());
        format!("{group}{}:", self.since.as_millisecond())
    }

    /// The prefix of the dedup keys of all messages of that kind about a rule, or a row of it.
    #[must_use]
    pub fn group_key(kind: RuleNoticeKind, rule: &str, row: Option<&WatchlistRow>) -> String {
        let kind = match kind {
            RuleNoticeKind::Absent => "absent",
            RuleNoticeKind::Blind => "blind",
        };
        let subject = serde_json::json!([rule, row.map(|row| row.id.as_str())]);
        format!("notice:{kind}:{subject}:")
    }
}

/// What was watched, what matched, what fails and what was not seen since the last report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// The kind of message.
    pub kind: ReportKind,
    /// The time since which it counts: the last time at which a report was due.
    pub since: Timestamp,
    /// The time until which it counts.
    pub until: Timestamp,
    /// The number of feeds that are watched.
    pub feeds: usize,
    /// The number of rules in force.
    pub rules: usize,
    /// The number of alerts.
    pub alerts: u64,
    /// The rules with alerts, those with the most first.
    pub matched: Vec<RuleCount>,
    /// What fails at its end, in sentences.
    pub failing: Vec<String>,
    /// The feeds of which items may have come and gone unseen.
    pub unseen: Vec<String>,
}

/// The number of alerts of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The rule's name.
    pub rule: String,
    /// The number of its alerts.
    pub alerts: u64,
}

/// The kind of a [`ServiceReport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportKind {
    /// A report.
    Report,
}

impl ServiceReport {
    /// The prefix of its messages' dedup keys: a receiver gets one report for one due time.
    #[must_use]
    pub fn key(until: Timestamp) -> String {
        format!("notice:report:{}:", until.as_millisecond())
    }
}

/// A message about a receiver that is away, is back or refuses what it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// Whom it happened to.
    pub notifier: NotifierName,
    /// Which of its recipients, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// What the receiver, or the way to it, said.
    pub why: String,
}

/// What happened to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// It has taken nothing for an hour. All that is for it is kept.
    Down,
    /// It takes messages again.
    Back,
    /// A message for it was given up, or is refused for an hour for what it says.
    Refused,
}

impl NoticeKind {
    /// The word that keys and payloads use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Back => "back",
            Self::Refused => "refused",
        }
    }
}

impl Notice {
    /// A notice about `receiver`, or about a whole notifier if it has no recipient.
    #[must_use]
    pub fn new(kind: NoticeKind, receiver: &Receiver, since: Timestamp, why: String) -> Self {
        let recipient = Some(receiver.recipient.clone()).filter(|recipient| !recipient.is_empty());
        Self { kind, notifier: receiver.notifier.clone(), recipient, since, why }
    }

    /// What it is about, as people call it.
    #[must_use]
    pub fn subject(&self) -> Receiver {
        Receiver {
            notifier: self.notifier.clone(),
            recipient: self.recipient.clone().unwrap_or_default(),
        }
    }

    /// The prefix of its messages' dedup keys, which end in the receiver: each receiver gets one.
    #[must_use]
    pub fn key(&self) -> String {
        let subject = match &self.recipient {
            None => self.notifier.0.clone(),
            Some(recipient) => format!("{}/{recipient}", self.notifier),
        };
        format!("notice:{}:{subject}:{}:", self.kind.as_str(), self.since.as_millisecond())
    }

    /// The receivers in `all` that it is not about.
    #[must_use]
    pub fn audience(&self, all: &[Receiver]) -> Vec<Receiver> {
        let concerns = |receiver: &Receiver| {
            receiver.notifier == self.notifier
                && self.recipient.as_ref().is_none_or(|one| *one == receiver.recipient)
        };
        all.iter().filter(|receiver| !concerns(receiver)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(notifier: &str, recipient: &str) -> Receiver {
        Receiver { notifier: NotifierName(notifier.to_owned()), recipient: recipient.to_owned() }
    }

    fn notice(recipient: Option<&str>) -> Notice {
        let since = Timestamp::from_second(1_800_000_000).expect("in range");
        let notifier = NotifierName("mail".to_owned());
        Notice {
            kind: NoticeKind::Down,
            notifier,
            recipient: recipient.map(str::to_owned),
            since,
            why: "421".to_owned(),
        }
    }

    #[test]
    fn its_subject_gets_no_notice() {
        let all = [receiver("hook", ""), receiver("mail", "ana"), receiver("mail", "bob")];
        assert_eq!(notice(None).audience(&all), [receiver("hook", "")]);
        assert_eq!(
            notice(Some("ana")).audience(&all),
            [receiver("hook", ""), receiver("mail", "bob")]
        );
        assert_eq!(notice(None).audience(&all[1..]), []);
    }

    #[test]
    fn its_key_says_what_happened_to_whom_and_since_when() {
        assert_eq!(notice(None).key(), "notice:down:mail:1800000000000:");
        assert_eq!(notice(Some("ana")).key(), "notice:down:mail/ana:1800000000000:");
    }
}
