//! The status of the service: whether it runs, what it does, and what needs attention.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::attention;
use super::json::add_keys;
use super::node_attention::describe_nodes;
use crate::clock::later;
use crate::store::{
    FeedState, GroupStatus, QueueLength, RunTimes, RunningNode, ServiceStatus, ShownAbsence,
    StoreFacts,
};
use tidings_rules::story::{FeedName, NotifierName};

/// How long ago a run that works wrote last. It writes every five seconds.
const ALIVE: Duration = Duration::from_mins(1);

/// The status of the service at one time.
#[derive(Debug)]
pub struct StatusReport<'s> {
    /// What the store says.
    pub status: &'s ServiceStatus,
    /// What groups of rules with conditions do.
    pub groups: &'s GroupStatus,
    /// The state of the last run; `None` before the first.
    pub run_state: Option<RunState>,
    /// The number of feeds by health.
    pub feeds_by_health: BTreeMap<&'static str, usize>,
    /// Where the store is, and its size.
    pub store: &'s StoreFacts,
    /// What needs attention, in sentences.
    pub attention: Vec<String>,
}

/// The state of the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It runs.
    Running,
    /// Its process lives, and has not written for a minute.
    Hanging,
    /// It was stopped.
    Stopped,
    /// Its process has ended without a stop.
    Killed,
}

impl RunState {
    /// The state at `now` of `run`. `is_locked` says whether a process holds the store's lock; if
    /// it is not known, the time of the last writing decides.
    fn of(run: &RunTimes, is_locked: Option<bool>, now: Timestamp) -> Self {
        let has_written = now <= later(run.seen, ALIVE);
        match (run.ended, is_locked) {
            (Some(_), _) => Self::Stopped,
            (None, Some(false)) => Self::Killed,
            (None, None) if !has_written => Self::Killed,
            (None, Some(true)) if !has_written => Self::Hanging,
            (None, _) => Self::Running,
        }
    }

    /// What is the matter with a run in this state, if anything is.
    fn problem(self) -> Option<&'static str> {
        match self {
            Self::Running => None,
            Self::Hanging => Some("Tidings hangs: its store has not been written for a minute"),
            Self::Stopped => Some("Tidings does not run: it was stopped"),
            Self::Killed => Some("Tidings does not run: it was killed; its log says more"),
        }
    }
}

impl<'s> StatusReport<'s> {
    /// The report at `now`. `names` has the feeds to report, and `feeds` what is stored of them.
    #[must_use]
    pub fn new<'f>(
        store: &'s StoreFacts,
        names: impl Iterator<Item = &'f FeedName> + Clone,
        status: &'s ServiceStatus,
        groups: &'s GroupStatus,
        feeds: &BTreeMap<FeedName, FeedState>,
        now: Timestamp,
    ) -> Self {
        let mut feeds_by_health = BTreeMap::new();
        for name in names.clone() {
            let word = FeedState::health_word(feeds.get(name), now);
            *feeds_by_health.entry(word).or_default() += 1;
        }
        let run_state = status.run.as_ref().map(|run| RunState::of(run, store.is_locked, now));
        let mut needed = run_attention(status, run_state);
        let watched = names.filter_map(|name| feeds.get(name));
        needed.extend(attention::describe(watched, status, now));
        let nodes = store.nodes.as_ref().map_or(&[][..], |nodes| &nodes.running);
        needed.extend(describe_nodes(nodes));
        Self { status, groups, run_state, feeds_by_health, store, attention: needed }
    }

    /// One object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let status = self.status;
        let run = status.run.as_ref().map(|run| {
            json!({
                "running": self.run_state == Some(RunState::Running),
                "started": run.started, "seen": run.seen, "ended": run.ended,
                "reloaded": run.reloaded, "reload_error": run.reload_error,
            })
        });
        let mut answer = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "run": run,
            "feeds_by_health": self.feeds_by_health,
            "stories": { "waiting": status.waiting_stories, "oldest_since": status.oldest_waiting },
            "messages": status.queues.iter().map(queue_to_json).collect::<Vec<_>>(),
            "last_backup": status.last_backup,
            "store": store_to_json(self.store),
            "attention": self.attention,
        });
        add_keys(&mut answer, &groups_to_json(self.groups));
        answer
    }
}

fn store_to_json(store: &StoreFacts) -> Value {
    if let Some(file) = store.place.file() {
        return json!({ "file": file, "bytes": store.bytes });
    }
    let nodes = store.nodes.clone().unwrap_or_default();
    json!({
        "server": store.place.to_string(), "bytes": store.bytes,
        "nodes": nodes.running.iter().map(node_to_json).collect::<Vec<_>>(),
        "waiting_nodes": nodes.waiting,
        "waits_for_standby": nodes.waits_for_standby,
        "oldest_snapshot_seconds": nodes.oldest_snapshot.as_secs(),
    })
}

fn node_to_json(node: &RunningNode) -> Value {
    json!({
        "node": node.node, "run": node.run, "role": node.role.as_str(), "shares": node.shares,
        "lease_until": node.until,
    })
}

/// What groups do, as the keys `held_groups` and `absent_groups`.
#[must_use]
pub fn groups_to_json(groups: &GroupStatus) -> Value {
    json!({
        "held_groups": groups.held,
        "absent_groups": groups.absent.iter().map(absence_to_json).collect::<Vec<_>>(),
    })
}

fn queue_to_json((notifier, queue): (&NotifierName, &QueueLength)) -> Value {
    let counts = queue.by_status().into_iter();
    let mut object: Map<String, Value> =
        counts.map(|(status, messages)| (status.to_string(), messages.into())).collect();
    object.insert("notifier".to_owned(), notifier.0.clone().into());
    object.insert("oldest_due".to_owned(), json!(queue.oldest_due));
    Value::Object(object)
}

fn absence_to_json(group: &ShownAbsence) -> Value {
    let last_match = group.has_matched.then_some(group.last);
    let mut absence = json!({
        "rule": group.rule, "since": group.last, "last_match": last_match, "told": group.told,
    });
    if let Some(row) = &group.row {
        add_keys(&mut absence, &json!({"row": row}));
    }
    absence
}

fn run_attention(status: &ServiceStatus, run_state: Option<RunState>) -> Vec<String> {
    let Some(run) = &status.run else { return vec!["Tidings has not run yet".to_owned()] };
    let problem = run_state.and_then(RunState::problem).map(str::to_owned);
    let reload = run.reload_error.as_ref();
    problem
        .into_iter()
        .chain(reload.map(|why| format!("the last edit is not in force: {why}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_and_the_last_writing_tell_the_state_of_a_run() {
        let now = Timestamp::from_second(1000).unwrap();
        let (recent, long_ago) = (Timestamp::from_second(990).unwrap(), Timestamp::UNIX_EPOCH);
        for (seen, ended, is_locked, expected) in [
            (recent, None, Some(true), RunState::Running),
            (recent, None, None, RunState::Running),
            (recent, None, Some(false), RunState::Killed),
            (long_ago, None, Some(true), RunState::Hanging),
            (long_ago, None, None, RunState::Killed),
            (long_ago, Some(long_ago), Some(false), RunState::Stopped),
            (recent, Some(recent), Some(true), RunState::Stopped),
        ] {
            let (started, reloaded) = (long_ago, long_ago);
            let run = RunTimes { started, seen, ended, reloaded, reload_error: None };
            assert_eq!(RunState::of(&run, is_locked, now), expected, "{seen} {is_locked:?}");
        }
    }
}
