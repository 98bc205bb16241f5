//! The oracle. Compares what the script expects, what the sinks saw and the attempts in the store,
//! and reports every violation.
//!
//! It shares no code with the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::harness::ledger::{Arrival, MessageContent, SinkOutcome};
use crate::harness::script::{DESK, ExpectedMatch, GONE, To};

/// The record of all runs.
pub struct RunRecord {
    pub expected: BTreeSet<ExpectedMatch>,
    pub arrivals: Vec<Arrival>,
    /// The messages of the store, by their ids.
    pub messages: BTreeMap<String, StoredMessage>,
    /// The messages that `tidings deliveries` lists.
    pub listed: Vec<ListedDelivery>,
    /// The times at which the harness let time pass. They end every rest that began before.
    pub passed: Vec<Timestamp>,
    /// Messages, rests and feeds that waited longer than any schedule allows, after a run began.
    pub held: BTreeSet<String>,
    /// The connections that the mail server saw, and the most that were needed.
    pub connections: (usize, usize),
}

/// A message that is not delivered, as `tidings deliveries` lists it.
pub struct ListedDelivery {
    pub id: String,
    pub state: String,
    pub to: To,
    /// Its headline.
    pub about: String,
}

/// A message of the store.
pub struct StoredMessage {
    pub to: To,
    pub state: String,
    /// Its attempts, in order.
    pub attempts: Vec<StoredAttempt>,
}

/// An attempt of the store.
#[derive(Clone)]
pub struct StoredAttempt {
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub outcome: String,
}

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// It never arrived. It is not listed as dead because of a refusal, or as waiting because its
    /// hook is gone.
    Lost(ExpectedMatch),
    /// It arrived in more than one message.
    SentTwice(ExpectedMatch, Vec<String>),
    /// It arrived, and no rule matched.
    Unasked(String),
    /// A retry sent other bytes, or to another receiver.
    OtherBytes(String),
    /// It was sent again after an attempt with a known outcome.
    SentAgain(String, String),
    /// It arrived more often than it was attempted.
    Unattempted(String),
    /// It is sent in the store, and no sink accepted it.
    NeverTaken(String),
    /// A sink refused it for good, and it is not dead and listed.
    NotDead(String),
    /// It is dead, and no sink refused it.
    DeadWithoutRefusal(String),
    /// It is neither sent nor dead at the end, and its hook is not gone.
    Stuck(String, String),
    /// It was attempted during a pause that its receiver asked for.
    RestBroken(String),
    /// It waited longer than its schedule allows, after a clock was set back.
    Held(String),
    /// The mail server saw more connections than were needed: the two numbers.
    Connections(usize, usize),
}

/// Messages that arrived more than once, by the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// The process was killed before it recorded the outcome of an attempt.
    pub killed: usize,
    /// The sink kept a message and did not answer.
    pub unanswered: usize,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(ExpectedMatch { story, rule, to }) => {
                write!(f, "lost: that {rule} matched {story}, for {to}")
            }
            Self::SentTwice(ExpectedMatch { story, rule, to }, ids) => {
                write!(
                    f,
                    "sent twice: that {rule} matched {story}, to {to}, as {}",
                    ids.join(" and ")
                )
            }
            Self::Unasked(what) => write!(f, "nobody asked for: {what}"),
            Self::OtherBytes(id) => {
                write!(f, "{id} was sent again with other bytes or to somebody else")
            }
            Self::SentAgain(id, outcome) => {
                write!(f, "{id} was sent again though its last attempt came to `{outcome}`")
            }
            Self::Unattempted(id) => write!(f, "{id} came more often than it was attempted"),
            Self::NeverTaken(id) => write!(f, "{id} counts as sent, and no sink took it"),
            Self::NotDead(id) => write!(f, "{id} was refused for good and is not dead and listed"),
            Self::DeadWithoutRefusal(id) => write!(f, "{id} is dead, and nobody refused it"),
            Self::Stuck(id, state) => write!(f, "{id} is still {state}"),
            Self::RestBroken(id) => write!(f, "{id} was attempted while its receiver wanted rest"),
            Self::Held(what) => write!(f, "{what} waits longer than any schedule allows"),
            Self::Connections(seen, needed) => {
                write!(f, "{seen} connections for mail, and {needed} were needed")
            }
        }
    }
}

/// All violations, and the duplicates that are permitted.
pub fn judge(record: &RunRecord) -> (Vec<Flaw>, Duplicates) {
    let mut flaws = Vec::new();
    check_matches(record, &mut flaws);
    check_notices(record, &mut flaws);
    check_states(record, &mut flaws);
    check_rests(record, &mut flaws);
    flaws.extend(record.held.iter().cloned().map(Flaw::Held));
    let (seen, needed) = record.connections;
    if seen > needed {
        flaws.push(Flaw::Connections(seen, needed));
    }
    let mut duplicates = Duplicates::default();
    for (id, arrivals) in by_id(&record.arrivals) {
        if arrivals.iter().any(|one| (&one.bytes, &one.to) != (&arrivals[0].bytes, &arrivals[0].to))
        {
            flaws.push(Flaw::OtherBytes(id.to_owned()));
        }
        let attempts = record.messages.get(id).map_or(&[][..], |message| &message.attempts);
        match pair(&arrivals, attempts) {
            Some(pairs) => check_repeats(id, &pairs, &mut duplicates, &mut flaws),
            None => flaws.push(Flaw::Unattempted(id.to_owned())),
        }
    }
    flaws.sort();
    flaws.dedup();
    (flaws, duplicates)
}

/// Every expected message arrived once, or is listed with the right status. Nothing else arrived.
fn check_matches(record: &RunRecord, flaws: &mut Vec<Flaw>) {
    let (mut kept, mut refused): (
        BTreeMap<ExpectedMatch, BTreeSet<&str>>,
        BTreeSet<ExpectedMatch>,
    ) = Default::default();
    for arrival in &record.arrivals {
        for arrived in matches_of(arrival) {
            if !record.expected.contains(&arrived) {
                flaws.push(Flaw::Unasked(format!(
                    "{} about {}, to {}",
                    arrived.rule, arrived.story, arrived.to
                )));
            } else if arrival.outcome.is_kept() {
                kept.entry(arrived).or_default().insert(&arrival.id);
            } else if arrival.outcome == SinkOutcome::Refused {
                refused.insert(arrived);
            }
        }
    }
    for expected in &record.expected {
        let ids = kept.get(expected).map_or(0, BTreeSet::len);
        let excused = match expected.to.notifier.as_str() {
            GONE => Some("pending"),
            _ if refused.contains(expected) || expected.to.recipient == DESK[2] => Some("dead"),
            _ => None,
        };
        let is_listed = |state: &str| {
            let mut listed =
                record.listed.iter().filter(|one| one.state == state && one.to == expected.to);
            listed.any(|one| one.about.starts_with(&expected.story))
        };
        if ids > 1 {
            let ids = kept[expected].iter().map(ToString::to_string).collect();
            flaws.push(Flaw::SentTwice(expected.clone(), ids));
        } else if ids == 0 && !excused.is_some_and(is_listed) {
            flaws.push(Flaw::Lost(expected.clone()));
        }
    }
}

/// Notices are only about receivers that refused a message, and the one that is gone.
fn check_notices(record: &RunRecord, flaws: &mut Vec<Flaw>) {
    let refusers = record
        .arrivals
        .iter()
        .filter(|arrival| arrival.outcome == SinkOutcome::Refused)
        .map(|one| one.to.clone());
    let eve = To { notifier: "desk".to_owned(), recipient: DESK[2].to_owned() };
    let refusers: BTreeSet<String> = refusers.chain([eve]).map(|to| to.to_string()).collect();
    for arrival in &record.arrivals {
        let MessageContent::Notice(words) = &arrival.content else { continue };
        let is_true = refusers.iter().any(|to| words.starts_with(&format!("{to} refused")))
            || [format!("{GONE} down"), format!("{GONE} takes no messages")].contains(words);
        if !is_true {
            flaws.push(Flaw::Unasked(format!("a notice to {}: {words}", arrival.to)));
        }
    }
}

/// The status of each message in the store agrees with its sink.
fn check_states(record: &RunRecord, flaws: &mut Vec<Flaw>) {
    let with = |outcome: SinkOutcome| -> BTreeSet<&str> {
        record
            .arrivals
            .iter()
            .filter(|one| one.outcome == outcome)
            .map(|one| one.id.as_str())
            .collect()
    };
    let (taken, refused) = (with(SinkOutcome::Taken), with(SinkOutcome::Refused));
    let dead = record.listed.iter().filter(|one| one.state == "dead");
    let listed: BTreeSet<&str> = dead.map(|one| one.id.as_str()).collect();
    for (id, message) in &record.messages {
        let may_be_dead = refused.contains(id.as_str()) || message.to.recipient == DESK[2];
        match message.state.as_str() {
            "sent" if !taken.contains(id.as_str()) => flaws.push(Flaw::NeverTaken(id.clone())),
            "dead" if !may_be_dead => flaws.push(Flaw::DeadWithoutRefusal(id.clone())),
            "sent" | "dead" => {}
            "pending" if message.to.notifier == GONE => {}
            other => flaws.push(Flaw::Stuck(id.clone(), other.to_owned())),
        }
    }
    for id in refused {
        let is_dead = record.messages.get(id).is_some_and(|message| message.state == "dead");
        if !is_dead || !listed.contains(id) {
            flaws.push(Flaw::NotDead(id.to_owned()));
        }
    }
}

/// No receiver was sent anything between the record of a pause and the end of the pause.
fn check_rests(record: &RunRecord, flaws: &mut Vec<Flaw>) {
    for (id, arrivals) in by_id(&record.arrivals) {
        let Some(message) = record.messages.get(id) else { continue };
        for (arrival, attempt) in pair(&arrivals, &message.attempts).unwrap_or_default() {
            let (SinkOutcome::Rest(rest), Some(known), "again") =
                (arrival.outcome, attempt.ended, attempt.outcome.as_str())
            else {
                continue;
            };
            let passed = record.passed.iter().find(|passed| **passed > arrival.at);
            let end = arrival.at + rest;
            let end = passed.map_or(end, |passed| end.min(*passed));
            let others = record
                .messages
                .iter()
                .filter(|(_, other)| other.to.notifier == message.to.notifier);
            let broken = others.filter(|(_, other)| {
                other.attempts.iter().any(|one| known < one.started && one.started < end)
            });
            flaws.extend(broken.map(|(id, _)| Flaw::RestBroken(id.clone())));
        }
    }
}

/// Which attempt caused which arrival. From the last to the first, each arrival belongs to the
/// latest attempt that began before it. (Bytes of a killed process may arrive after the next
/// attempt has begun.)
fn pair<'e>(
    arrivals: &[&'e Arrival],
    attempts: &'e [StoredAttempt],
) -> Option<Vec<(&'e Arrival, &'e StoredAttempt)>> {
    let mut left = attempts;
    let mut pairs = Vec::new();
    for arrival in arrivals.iter().rev() {
        let before = left.iter().rposition(|attempt| attempt.started <= arrival.at)?;
        pairs.push((*arrival, &left[before]));
        left = &left[..before];
    }
    pairs.reverse();
    Some(pairs)
}

/// A message that was kept and arrived again had an attempt without a known outcome.
fn check_repeats(
    id: &str,
    pairs: &[(&Arrival, &StoredAttempt)],
    duplicates: &mut Duplicates,
    flaws: &mut Vec<Flaw>,
) {
    let kept: Vec<_> = pairs.iter().filter(|(arrival, _)| arrival.outcome.is_kept()).collect();
    for (arrival, attempt) in kept.iter().rev().skip(1) {
        match (attempt.outcome.as_str(), arrival.outcome) {
            ("unknown", _) => duplicates.killed += 1,
            ("again" | "unreached", SinkOutcome::Unanswered) => duplicates.unanswered += 1,
            (outcome, _) => flaws.push(Flaw::SentAgain(id.to_owned(), outcome.to_owned())),
        }
    }
}

fn matches_of(arrival: &Arrival) -> Vec<ExpectedMatch> {
    let MessageContent::Match { story, rules } = &arrival.content else { return Vec::new() };
    let expected = |rule: &String| ExpectedMatch {
        story: story.clone(),
        rule: rule.clone(),
        to: arrival.to.clone(),
    };
    rules.iter().map(expected).collect()
}

fn by_id(arrivals: &[Arrival]) -> BTreeMap<&str, Vec<&Arrival>> {
    let mut by_id: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        by_id.entry(&arrival.id).or_default().push(arrival);
    }
    by_id
}
