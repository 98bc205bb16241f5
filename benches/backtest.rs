//! Compares backtests of rules with conditions with those of the same rules without: the processor
//! time of the real binary, by turns. `docs/benchmarks.md` states how to run it.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use procfs::process::Process;
use serde_json::json;

use workload::{Script, Wanted, WeightedWords};

#[expect(dead_code, reason = "other benches use the rest")]
#[path = "common/workload.rs"]
mod workload;

/// The rules.
const RULES: usize = 1000;

/// The stories, if no number is given.
const STORIES: usize = 100_000;

/// The stories with different bodies. The others have a headline of their own.
const BODIES: usize = 10_000;

/// The time between two stories.
const PACE: SignedDuration = SignedDuration::from_secs(30);

/// Runs of each kind.
const TURNS: usize = 3;

fn main() {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(STORIES);
    let folder = tempfile::tempdir().expect("a folder");
    let words = WeightedWords::new();
    let rules = workload::rules(&words, RULES);
    for (name, with_conditions) in [("plain", false), ("conditions", true)] {
        let file = folder.path().join(name).with_extension("yaml");
        std::fs::write(file, rule_file(&rules, with_conditions)).expect("a rule file");
    }
    write_stories(&folder.path().join("stories.jsonl"), &words, count);
    for _ in 0..TURNS {
        let [plain, conditions] = ["plain", "conditions"].map(|name| measure(folder.path(), name));
        println!(
            "plain {plain:.1} s, with conditions {conditions:.1} s, {:.3} times",
            conditions / plain
        );
    }
}

/// The rules, each with a condition of another kind than the one before.
fn rule_file(rules: &[Wanted], with_conditions: bool) -> String {
    let mut text = String::from("rules:\n");
    for (number, rule) in rules.iter().enumerate() {
        let condition = if with_conditions { condition(number, rule) } else { String::new() };
        writeln!(text, "  - name: r{number:06}\n    when: {}{condition}", rule.expression)
            .expect("memory for a rule");
    }
    text
}

fn condition(number: usize, rule: &Wanted) -> String {
    let key = match number / 6 % 3 {
        _ if rule.expression.contains('*') => "match",
        0 => "source",
        1 => "tag",
        _ => "author",
    };
    match number % 6 {
        0 => "\n    tell: {publishers: 3, within: 6h}".to_owned(),
        1 => "\n    tell: {events: 5, within: 2h}".to_owned(),
        2 => "\n    tell: {spike: 5, within: 2h, against: 14d, least: 4}".to_owned(),
        3 => format!("\n    tell: {{first: {key}, in: 7d}}"),
        4 => format!("\n    tell: {{after: r{:06}, within: 24h}}", number - 1),
        _ => "\n    absent: {for: 1d}".to_owned(),
    }
}

fn write_stories(file: &Path, words: &WeightedWords, count: usize) {
    let bodies = workload::stories(words, BODIES.min(count), Script::Ascii);
    let mut file = BufWriter::new(File::create(file).expect("a file"));
    let mut at: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    for (number, story) in bodies.iter().cycle().take(count).enumerate() {
        let line = json!({
            "title": format!("{} {number}", story.title), "body": story.body, "published": at,
            "source": format!("Paper {}", number % 50), "authors": format!("Author {}", number % 70),
            "tags": format!("Tag {}", number % 90),
        });
        writeln!(file, "{line}").expect("space on the disk");
        at = at.checked_add(PACE).expect("a time");
    }
    file.flush().expect("space on the disk");
}

/// The processor time of a backtest with the rules of that name, in seconds.
fn measure(folder: &Path, rules: &str) -> f64 {
    let before = time_of_children();
    let status = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["backtest", "--rules"])
        .arg(folder.join(rules).with_extension("yaml"))
        .arg("--stories")
        .arg(folder.join("stories.jsonl"))
        .stdout(Stdio::null())
        .status()
        .expect("the binary");
    assert!(status.success(), "{status}");
    time_of_children() - before
}

/// The user time of the processes that have ended, in seconds.
fn time_of_children() -> f64 {
    let stat = Process::myself().and_then(|process| process.stat()).expect("a process");
    let ticks = u32::try_from(stat.cutime).expect("a short time");
    f64::from(ticks) / f64::from(u32::try_from(procfs::ticks_per_second()).expect("a rate"))
}
