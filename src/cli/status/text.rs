//! The status of the service on one screen.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::title;
use crate::cli::count::count;
use crate::queries::attention::age;
use crate::queries::moment::long_date;
use crate::queries::status::{RunState, StatusReport};
use crate::shares::Share;
use crate::store::{GroupStatus, RunRole, RunningNode};
use tidings_rules::text::visible_line;

/// The most groups that are listed.
const MOST_GROUPS: usize = 10;

/// One screen of text about the status at `now`.
pub(super) fn status_text(report: &StatusReport<'_>, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = String::new();
    let mut line = |what: &str, says: String| {
        let _ = writeln!(text, "{what:<10}{says}");
    };
    let status = report.status;
    line("version", env!("CARGO_PKG_VERSION").to_owned());
    line("run", describe_run(report, now, zone));
    if let Some(run) = &status.run {
        line("reload", long_date(run.reloaded, zone));
    }
    let feeds = report.feeds_by_health.iter().map(|(word, number)| format!("{number} {word}"));
    let feeds = feeds.collect::<Vec<_>>().join(", ");
    line("feeds", if feeds.is_empty() { "none".to_owned() } else { feeds });
    line("stories", describe_waiting(report, now));
    for (name, queue) in &status.queues {
        let counts = queue.by_status().into_iter().filter(|(_, messages)| *messages > 0);
        let counts = counts.map(|(status, messages)| format!("{messages} {status}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        line("messages", format!("{}: {counts}", visible_line(&name.0)));
    }
    if status.queues.is_empty() {
        line("messages", "all are sent".to_owned());
    }
    for said in describe_groups(report.groups, zone) {
        line("rules", said);
    }
    // A server is copied by its own means.
    if report.store.place.file().is_some() {
        let backup = status.last_backup;
        line("backup", backup.map_or_else(|| "never".to_owned(), |at| long_date(at, zone)));
    }
    let size = indicatif::HumanBytes(report.store.bytes);
    line("store", format!("{} ({size})", report.store.place));
    if let Some(nodes) = &report.store.nodes {
        for node in &nodes.running {
            line("node", describe_node(node));
        }
        for node in &nodes.waiting {
            line("waits", visible_line(node));
        }
        let standby = if nodes.waits_for_standby {
            "commits wait for a synchronous standby"
        } else {
            "none; a failover of the database may lose the last commits"
        };
        line("standby", standby.to_owned());
    }
    for problem in &report.attention {
        line("attention", problem.clone());
    }
    text
}

/// A node that runs, and how much of the work it does.
fn describe_node(node: &RunningNode) -> String {
    let work = match node.role {
        RunRole::Alone => "alone".to_owned(),
        RunRole::Joint => format!("does {} of {} shares of the work", node.shares, Share::COUNT),
        RunRole::Leaving => format!("stops, and has {} shares of the work left", node.shares),
    };
    format!("{}: {work}", visible_line(&node.node))
}

/// The groups that hold matches, and those whose absence was told.
fn describe_groups(groups: &GroupStatus, zone: &TimeZone) -> Vec<String> {
    let held = groups.held.iter().map(|group| {
        let rule = visible_line(&title(&group.rule, group.row.as_ref()));
        let progress = visible_line(&group.progress);
        format!(
            "{rule} holds matches: {progress}; the last counts until {}",
            long_date(group.until, zone)
        )
    });
    let absent = groups.absent.iter().map(|group| {
        let rule = visible_line(&title(&group.rule, group.row.as_ref()));
        let since = long_date(group.last, zone);
        if group.has_matched {
            format!("{rule} is absent since {since}")
        } else {
            format!("{rule} has no match yet, in force since {since}")
        }
    });
    let mut lines: Vec<String> = absent.chain(held).collect();
    let more = lines.len().saturating_sub(MOST_GROUPS);
    lines.truncate(MOST_GROUPS);
    lines.extend((more > 0).then(|| format!("and {more} more; `--format json` has all of them")));
    lines
}

fn describe_run(report: &StatusReport<'_>, now: Timestamp, zone: &TimeZone) -> String {
    let Some((run, state)) = report.status.run.as_ref().zip(report.run_state) else {
        return "never".to_owned();
    };
    match state {
        RunState::Running => {
            format!("since {} ({})", long_date(run.started, zone), age(run.started, now))
        }
        RunState::Stopped => format!("stopped at {}", long_date(run.seen, zone)),
        RunState::Hanging | RunState::Killed => {
            format!("no sign since {}", long_date(run.seen, zone))
        }
    }
}

fn describe_waiting(report: &StatusReport<'_>, now: Timestamp) -> String {
    let waiting = usize::try_from(report.status.waiting_stories).unwrap_or(usize::MAX);
    let Some(since) = report.status.oldest_waiting else { return "none waits".to_owned() };
    let waits = if waiting == 1 { "waits" } else { "wait" };
    let stories = count(waiting, "story", "stories");
    format!("{stories} {waits} for a page, the first for {}", age(since, now))
}
