//! The rules of polite polling, against a scripted publisher that records every request.

mod clock;
mod conditional;
mod cut;
mod damage;
mod first_minutes;
mod hints;
mod hostile;
mod moves;
mod publisher;
mod redirects;
mod refusals;
mod restraint;
mod turns;

use crate::support::setup::RULE;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// A folder that polls `feeds`, each a line of YAML, and notifies the console.
fn watching(feeds: &[String]) -> Folder {
    let feeds: Vec<_> =
        feeds.iter().map(|feed| format!("  - {{{feed}, full_text: never}}\n")).collect();
    let feeds = feeds.concat();
    let config = format!(
        "store: sqlite:tidings.db\nrules: rules\nzone: UTC\nnotify: [console]\nfeeds:\n{feeds}\
         notifiers:\n  console: {{type: console}}\nnetwork: {{allow: [127.0.0.0/8], contact: ana@example.org}}\n"
    );
    Folder::new(&config, &[("arms.yaml", RULE)])
}

/// Polls every feed that may be polled once, and returns the log.
async fn round(folder: &Folder) -> Vec<String> {
    let mut tidings = folder.run(&["--once"]);
    assert_eq!(tidings.wait().await, 0, "{:#?}", tidings.log());
    tidings.log()
}

/// Polls as if a day had passed since the last poll.
async fn round_a_day_later(folder: &Folder) -> Vec<String> {
    a_day_passes(folder).await;
    round(folder).await
}

async fn a_day_passes(folder: &Folder) {
    folder
        .change(
            "UPDATE feed SET last_poll = last_poll - 86400000, last_good = last_good - 86400000,
                 next_poll = next_poll - 86400000, moved_since = moved_since - 86400000",
        )
        .await;
    folder.change("UPDATE host SET rests_until = rests_until - 86400000").await;
}

/// A feed with one story that matches.
fn story() -> String {
    wire::feed(&[Entry::full(
        "Russia and North Korea trade arms",
        "https://wire.example/1",
        wire::LONG,
    )])
}
