//! The oracle: what must hold of a record of all nodes. It shares no code with the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::sites::HookArrival;

/// How long a share may have no owner.
const LONGEST_WITHOUT_OWNER: Duration = Duration::from_secs(15);

/// How many messages in [`PACE`] the receiver with a limit gets, digests aside.
pub const LIMIT: usize = 5;

/// How many messages of its own the rule with a burst makes, until [`PACE`] has passed without a
/// match.
pub const BURST: usize = 3;

/// The time of both.
const PACE: Duration = Duration::from_mins(1);

/// What all nodes did.
pub struct ClusterRecord {
    /// The addresses of all stories. Each matches both rules, and is for all receivers.
    pub stories: BTreeSet<String>,
    /// The receivers.
    pub hooks: Vec<String>,
    /// All messages that arrived.
    pub arrivals: Vec<HookArrival>,
    /// The hosts and messages with two requests at a time.
    pub overlaps: Vec<String>,
    /// Requests that came too soon after another one to their host.
    pub hurried: Vec<String>,
    /// The messages with an attempt whose outcome is unknown.
    pub unknown: BTreeSet<String>,
    /// Story, rule and key of every alert.
    pub alerts: Vec<String>,
    /// When each message of one story was made for the receiver with a limit.
    pub limited: Vec<Timestamp>,
    /// When each message of one story was made by the rule with a burst.
    pub single: Vec<Timestamp>,
    /// When that rule matched.
    pub matched: Vec<Timestamp>,
    /// Messages that are not sent.
    pub unsent: Vec<String>,
    /// Attempts at one message that overlap, without an unknown one between them.
    pub overlapping_attempts: Vec<String>,
    /// How long not every share had an owner, after each fault.
    pub without_owner: Vec<(String, Duration)>,
    /// Lines of the logs that no fault explains.
    pub complaints: Vec<String>,
}

impl ClusterRecord {
    /// What happened, in one line.
    pub fn summary(&self) -> String {
        let longest = self.without_owner.iter().map(|(_, time)| *time).max().unwrap_or_default();
        format!(
            "stories: {}, alerts: {}, arrivals: {}, of unknown outcome: {}, longest time without an owner: {longest:?}",
            self.stories.len(),
            self.alerts.len(),
            self.arrivals.len(),
            self.unknown.len()
        )
    }
}

/// What does not hold of this record.
pub fn judge(record: &ClusterRecord) -> Vec<String> {
    let mut flaws = Vec::new();
    let mut ids: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for arrival in &record.arrivals {
        for story in &arrival.stories {
            ids.entry((story, &arrival.hook)).or_default().push(&arrival.id);
        }
    }
    for story in &record.stories {
        for hook in &record.hooks {
            let found = ids.remove(&(story.as_str(), hook.as_str())).unwrap_or_default();
            let different: BTreeSet<&str> = found.iter().copied().collect();
            match different.len() {
                0 => flaws.push(format!("{story} was never sent to {hook}")),
                1 => {}
                _ => flaws.push(format!("{story} was sent to {hook} as {different:?}")),
            }
            let id = found.first().copied().unwrap_or_default();
            if found.len() > 1 && !record.unknown.contains(id) {
                flaws.push(format!("{story} was sent {} times to {hook}", found.len()));
            }
        }
    }
    flaws.extend(ids.keys().map(|(story, hook)| format!("{hook} got {story}, which is no story")));
    let mut known = BTreeSet::new();
    flaws.extend(
        record
            .alerts
            .iter()
            .filter(|alert| !known.insert(*alert))
            .map(|alert| format!("two alerts: {alert}")),
    );
    for key in record.overlaps.iter().filter(|key| !record.unknown.contains(*key)) {
        flaws.push(format!("two requests at a time: {key}"));
    }
    flaws.extend(record.hurried.iter().map(|request| format!("asked too soon: {request}")));
    flaws.extend(judge_pace(record));
    flaws.extend(record.unsent.iter().map(|message| format!("not sent: {message}")));
    flaws.extend(record.overlapping_attempts.iter().map(|one| format!("attempts overlap: {one}")));
    for (fault, time) in &record.without_owner {
        if *time > LONGEST_WITHOUT_OWNER {
            flaws.push(format!("after {fault}, a share had no owner for {time:?}"));
        }
    }
    flaws.extend(record.complaints.iter().map(|line| format!("logged: {line}")));
    flaws
}

/// What does not hold of the limit and of the burst.
fn judge_pace(record: &ClusterRecord) -> Vec<String> {
    let mut flaws = Vec::new();
    let windows = record.limited.windows(LIMIT + 1);
    let too_many =
        windows.filter(|window| window[LIMIT].duration_since(window[0]).unsigned_abs() < PACE);
    flaws.extend(too_many.map(|window| format!("over the limit from {} on", window[0])));
    let quiet = record.matched.windows(2);
    let quiet = quiet.filter(|pair| pair[1].duration_since(pair[0]).unsigned_abs() >= PACE).count();
    let most = BURST * (quiet + 1);
    if record.single.len() > most {
        flaws.push(format!("{} messages in bursts, not {most}", record.single.len()));
    }
    flaws
}
