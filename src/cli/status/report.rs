//! The status of the service on one screen, and what needs attention.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::cli::count::count;
use crate::cli::moment::long_date;
use crate::clock::later;
use crate::config::Config;
use crate::daemon::attention;
use crate::daemon::attention::age;
use crate::store::{FeedState, QueueLength, RunTimes, ServiceStatus};
use tidings_rules::story::{FeedName, NotifierName};
use tidings_rules::text::visible_line;

/// How long ago a run that lives wrote last. It writes every five seconds.
const ALIVE: Duration = Duration::from_mins(1);

/// The status of the service.
#[derive(Debug)]
pub(super) struct StatusReport<'s> {
    config: &'s Config,
    status: &'s ServiceStatus,
    now: Timestamp,
    /// The number of feeds by health.
    feeds: BTreeMap<&'static str, usize>,
    store_bytes: u64,
    /// What needs attention, in sentences.
    pub(super) attention: Vec<String>,
}

/// Whether the last run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Running,
    /// It was stopped.
    Stopped,
    /// It was killed, or it hangs.
    Lost,
}

impl RunState {
    fn of(run: &RunTimes, now: Timestamp) -> Self {
        match run.ended {
            Some(_) => Self::Stopped,
            None if now <= later(run.seen, ALIVE) => Self::Running,
            None => Self::Lost,
        }
    }
}

impl<'s> StatusReport<'s> {
    /// The report at `now`. `feeds` has the stored states.
    pub(super) fn new(
        config: &'s Config,
        status: &'s ServiceStatus,
        feeds: &BTreeMap<FeedName, FeedState>,
        now: Timestamp,
    ) -> Self {
        let mut by_health = BTreeMap::new();
        for feed in &config.feeds {
            let word = FeedState::health_word(feeds.get(&feed.name), now);
            *by_health.entry(word).or_default() += 1;
        }
        let mut needed = run_attention(status, now);
        needed.extend(attention::describe(config, status, feeds, now));
        let store_bytes = std::fs::metadata(&config.store).map_or(0, |about| about.len());
        Self { config, status, now, feeds: by_health, store_bytes, attention: needed }
    }

    /// One screen of text.
    pub(super) fn to_text(&self, zone: &TimeZone) -> String {
        let mut text = String::new();
        let mut line = |what: &str, says: String| {
            let _ = writeln!(text, "{what:<10}{says}");
        };
        line("version", env!("CARGO_PKG_VERSION").to_owned());
        line("run", self.describe_run(zone));
        if let Some(run) = &self.status.run {
            line("reload", long_date(run.reloaded, zone));
        }
        let feeds = self.feeds.iter().map(|(word, number)| format!("{number} {word}"));
        let feeds = feeds.collect::<Vec<_>>().join(", ");
        line("feeds", if feeds.is_empty() { "none".to_owned() } else { feeds });
        line("stories", self.describe_waiting());
        for (name, queue) in &self.status.queues {
            let states = queue.by_status().into_iter().filter(|(_, messages)| *messages > 0);
            let states = states.map(|(status, messages)| format!("{messages} {status}"));
            let states = states.collect::<Vec<_>>().join(", ");
            line("messages", format!("{}: {states}", visible_line(&name.0)));
        }
        if self.status.queues.is_empty() {
            line("messages", "all are sent".to_owned());
        }
        let backup = self.status.last_backup;
        line("backup", backup.map_or_else(|| "never".to_owned(), |at| long_date(at, zone)));
        let size = indicatif::HumanBytes(self.store_bytes);
        line("store", format!("{} ({size})", self.config.store.display()));
        for problem in &self.attention {
            line("attention", problem.clone());
        }
        text
    }

    fn describe_run(&self, zone: &TimeZone) -> String {
        let Some(run) = &self.status.run else { return "never".to_owned() };
        match RunState::of(run, self.now) {
            RunState::Running => {
                format!("since {} ({})", long_date(run.started, zone), age(run.started, self.now))
            }
            RunState::Stopped => format!("stopped at {}", long_date(run.seen, zone)),
            RunState::Lost => format!("no sign since {}", long_date(run.seen, zone)),
        }
    }

    fn describe_waiting(&self) -> String {
        let waiting = usize::try_from(self.status.waiting_stories).unwrap_or(usize::MAX);
        let Some(since) = self.status.oldest_waiting else { return "none waits".to_owned() };
        let waits = if waiting == 1 { "waits" } else { "wait" };
        let stories = count(waiting, "story", "stories");
        format!("{stories} {waits} for a page, the first for {}", age(since, self.now))
    }

    /// One object.
    pub(super) fn to_json(&self) -> Value {
        let status = self.status;
        let run = status.run.as_ref().map(|run| {
            json!({
                "running": RunState::of(run, self.now) == RunState::Running,
                "started": run.started, "seen": run.seen, "ended": run.ended,
                "reloaded": run.reloaded, "reload_error": run.reload_error,
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "run": run,
            "feeds_by_health": self.feeds,
            "stories": { "waiting": status.waiting_stories, "oldest_since": status.oldest_waiting },
            "messages": status.queues.iter().map(queue_to_json).collect::<Vec<_>>(),
            "last_backup": status.last_backup,
            "store": { "file": self.config.store, "bytes": self.store_bytes },
            "attention": self.attention,
        })
    }
}

fn queue_to_json((notifier, queue): (&NotifierName, &QueueLength)) -> Value {
    let counts = queue.by_status().into_iter();
    let mut object: Map<String, Value> =
        counts.map(|(status, messages)| (status.to_string(), messages.into())).collect();
    object.insert("notifier".to_owned(), notifier.0.clone().into());
    object.insert("oldest_due".to_owned(), json!(queue.oldest_due));
    Value::Object(object)
}

fn run_attention(status: &ServiceStatus, now: Timestamp) -> Vec<String> {
    let Some(run) = &status.run else { return vec!["Tidings has not run yet".to_owned()] };
    let mut attention = Vec::new();
    match RunState::of(run, now) {
        RunState::Running => {}
        RunState::Stopped => attention.push("Tidings does not run: it was stopped".to_owned()),
        RunState::Lost => attention
            .push("Tidings does not run: it was killed, or it hangs; its log says more".to_owned()),
    }
    attention
        .extend(run.reload_error.iter().map(|why| format!("the last edit is not in force: {why}")));
    attention
}
