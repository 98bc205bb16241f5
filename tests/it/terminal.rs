//! What holds for all commands: closed pipes, full devices, help, rows in pipes, zones of times,
//! one shape of JSON. The commands are those that the help names.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use crate::commands::setup_with_alerts;
use crate::support::tidings::{Folder, Said};

/// A command as it is called, and a command that must run before each call.
struct Call {
    arguments: &'static [&'static str],
    before: Option<&'static [&'static str]>,
}

const fn call(arguments: &'static [&'static str]) -> Call {
    Call { arguments, before: None }
}

/// A call of every command that prints something, by the command's name. `FEED` is an address,
/// `STORY` an id, `NEW` a new file and `COPY` a copy of the store. `health` needs a run with a web
/// listener, and `run` prints what the console notifier writes, which is a delivery.
const CALLS: [(&str, &[Call]); 32] = [
    ("check", &[call(&["check"]), call(&["check", "--canonical"])]),
    ("try", &[call(&["try", "arms", "FEED"])]),
    (
        "explain",
        &[
            call(&["explain", "STORY", "--when", "arms"]),
            call(&["explain", "STORY"]),
            call(&["explain", "STORY", "--text"]),
            call(&["explain", "STORY", "--rule", "arms", "--format", "json"]),
            call(&["explain", "STORY", "--format", "json"]),
        ],
    ),
    (
        "backtest",
        &[
            call(&["backtest"]),
            call(&["backtest", "--format", "json"]),
            call(&["backtest", "--against", "rules", "--format", "json"]),
        ],
    ),
    (
        "ingest",
        &[
            call(&["ingest", "--feed", "telegram"]),
            call(&["ingest", "--feed", "telegram", "--format", "json"]),
        ],
    ),
    (
        "alerts",
        &[
            call(&["alerts"]),
            call(&["alerts", "--format", "json"]),
            call(&["alerts", "--held=false"]),
            call(&["alerts", "--format", "csv"]),
        ],
    ),
    (
        "alerts show",
        &[call(&["alerts", "show", "1"]), call(&["alerts", "show", "1", "--format", "json"])],
    ),
    ("rules", &[call(&["rules"]), call(&["rules", "arms"]), call(&["rules", "--format", "json"])]),
    (
        "alerts event",
        &[
            call(&["alerts", "event", "STORY"]),
            call(&["alerts", "event", "STORY", "--format", "json"]),
        ],
    ),
    (
        "coverage",
        &[
            call(&["coverage"]),
            call(&["coverage", "arms"]),
            call(&["coverage", "--format", "json"]),
        ],
    ),
    ("feeds list", &[call(&["feeds", "list"]), call(&["feeds", "list", "--format", "json"])]),
    (
        "feeds poll",
        &[call(&["feeds", "poll", "FEED"]), call(&["feeds", "poll", "Wire", "--format", "json"])],
    ),
    ("feeds poll-now", &[call(&["feeds", "poll-now", "Wire"])]),
    (
        "feeds find",
        &[call(&["feeds", "find", "FEED"]), call(&["feeds", "find", "FEED", "--format", "json"])],
    ),
    ("feeds import", &[call(&["feeds", "import", "list.opml"])]),
    ("feeds export", &[call(&["feeds", "export"])]),
    ("feeds gaps", &[call(&["feeds", "gaps"]), call(&["feeds", "gaps", "--format", "json"])]),
    (
        "deliveries",
        &[
            call(&["deliveries"]),
            call(&["deliveries", "--format", "json"]),
            call(&["deliveries", "--format", "csv"]),
        ],
    ),
    ("deliveries retry", &[call(&["deliveries", "retry", "--all-dead"])]),
    ("deliveries drop", &[call(&["deliveries", "drop", "--notifier", "console"])]),
    ("silence add", &[call(&["silence", "add", "--rule", "arms", "--until", "1h"])]),
    (
        "silence list",
        &[call(&["silence", "list", "--all"]), call(&["silence", "list", "--format", "json"])],
    ),
    (
        "silence end",
        &[Call {
            arguments: &["silence", "end", "SILENCE"],
            before: Some(&["silence", "add", "--rule", "arms", "--until", "1h"]),
        }],
    ),
    ("backup", &[call(&["backup", "NEW"])]),
    ("restore", &[call(&["restore", "COPY"])]),
    ("store copy", &[call(&["store", "copy", "COPY", "NEW"])]),
    ("notify", &[call(&["notify", "console"])]),
    ("status", &[call(&["status"]), call(&["status", "--format", "json"])]),
    ("health", &[]),
    ("init", &[call(&["init", "NEW"])]),
    ("schema", &[call(&["schema", "config"]), call(&["schema", "rules"])]),
    ("run", &[]),
];

/// Commands that read no configuration.
const WITHOUT_CONFIG: [&str; 4] = ["import", "init", "schema", "store"];

/// A setup with alerts, a silence, messages that wait, a gap, a list of feeds and a copy of the
/// store.
struct Terminal {
    _server: crate::support::http::Server,
    folder: Folder,
    /// What stands for the words in capitals.
    words: BTreeMap<&'static str, String>,
}

impl Terminal {
    async fn new() -> Self {
        let (server, folder) = setup_with_alerts().await;
        folder.write(
            "list.opml",
            "<opml version='2.0'><body><outline xmlUrl='https://listed.example/feed'/></body></opml>",
        );
        folder
            .change(
                "UPDATE message SET status = 'dead', why = '550 no such user' WHERE id < 3;
                 UPDATE message SET status = 'pending', why = 'connection refused' WHERE id = 3;
                 INSERT INTO gap SELECT 'Wire', last_poll - 99999, last_poll, last_poll FROM feed",
            )
            .await;
        let made = folder.command(&["silence", "add", "--tag", "none", "--until", "1h"]).await;
        assert_eq!(made.code, 65, "no rule has the tag");
        let made = folder.command(&["silence", "add", "--feed", "Wire", "--until", "1h"]).await;
        assert_eq!(made.code, 0, "{}", made.errors);
        let copy = folder.place("whole.db");
        assert_eq!(folder.command(&["backup", &copy]).await.code, 0);
        let story = folder.query("SELECT uid FROM story LIMIT 1").await.remove(0);
        let words = [("FEED", server.url("/feed.xml")), ("STORY", story), ("COPY", copy)];
        Self { _server: server, folder, words: words.into() }
    }

    /// The arguments of a call, after what must run before it.
    async fn prepare(&self, call: &Call, number: usize) -> Vec<String> {
        let mut words = self.words.clone();
        words.insert("NEW", self.folder.place(&format!("new-{number}.db")));
        if let Some(before) = call.before {
            let said = self.folder.command(before).await;
            let id = said.output.split([' ', ':']).nth(1).expect("a number").to_owned();
            words.insert("SILENCE", id);
        }
        let word = |word: &&str| words.get(word).cloned().unwrap_or_else(|| (*word).to_owned());
        call.arguments.iter().map(word).collect()
    }

    /// Runs a command with another standard output.
    async fn say_into(&self, arguments: &[&str], output: impl Into<Stdio>) -> Said {
        if WITHOUT_CONFIG.iter().any(|word| arguments.contains(word)) {
            return self.folder.bare_command_into(arguments, output).await;
        }
        self.folder.command_into(arguments, output).await
    }
}

/// The calls of all commands, with a number for each.
fn calls() -> impl Iterator<Item = (usize, &'static Call)> {
    CALLS.iter().flat_map(|(_, calls)| *calls).enumerate()
}

/// The help of every command, by its name. The first is that of `tidings` itself.
pub async fn helps(folder: &Folder) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![String::new()];
    while let Some(name) = open.pop() {
        let arguments: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let help = folder.bare_command(&arguments).await.output;
        let commands = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let lines = commands.lines().take_while(|line| !line.is_empty());
        let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        open.extend(
            names
                .filter(|inner| *inner != "help")
                .map(|inner| format!("{name} {inner}").trim().to_owned()),
        );
        found.insert(name, help);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_a_call_here() {
    let folder = Folder::new("", &[]);
    let helps = helps(&folder).await;
    // A command of which only its subcommands can be called says so.
    let is_called = |name: &str, help: &str| {
        let usage = format!("Usage: tidings {name} <COMMAND>\n").replace("  ", " ");
        !help.contains(&usage)
    };
    let called = helps.iter().filter(|(name, help)| is_called(name, help));
    let called: BTreeSet<&str> = called.map(|(name, _)| name.as_str()).collect();
    assert_eq!(called, CALLS.iter().map(|(name, _)| *name).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_ends_a_command_quietly_and_a_full_device_is_74() {
    let terminal = Terminal::new().await;
    for (number, call) in calls() {
        let arguments = terminal.prepare(call, 2 * number).await;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = terminal.say_into(&arguments, Folder::closed_pipe()).await;
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.errors);
        for word in ["panicked", "error", "Broken pipe"] {
            assert!(!said.errors.contains(word), "{arguments:?}: {}", said.errors);
        }
        let arguments = terminal.prepare(call, 2 * number + 1).await;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = terminal.say_into(&arguments, Folder::full_device()).await;
        let why = "error: standard output cannot be written: ";
        assert!(said.errors.contains(why), "{arguments:?}: {}", said.errors);
        assert_eq!(said.code, 74, "{arguments:?}: {}", said.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_of_every_command_wraps_has_examples_and_survives_its_output() {
    for (columns, widest) in [("", 100), ("60", 60)] {
        let folder = Folder::new("", &[]);
        folder.set("COLUMNS", columns);
        for (name, help) in helps(&folder).await {
            // The line of the usage is not wrapped.
            let lines = help.lines().filter(|line| !line.starts_with("Usage: "));
            let wide: Vec<&str> = lines.filter(|line| line.chars().count() > widest).collect();
            assert!(wide.is_empty(), "{name} in {widest} columns: {wide:#?}");
            assert!(help.lines().any(|line| line.chars().count() > widest / 2), "{help}");
            assert!(help.contains("\nExamples:\n  tidings "), "{help}");
        }
    }
    let folder = Folder::new("", &[]);
    for name in helps(&folder).await.into_keys().chain(["--version".to_owned()]) {
        let help: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let help = if name == "--version" { &help[..1] } else { &help };
        assert_eq!(folder.bare_command_into(help, Folder::closed_pipe()).await.code, 0, "{name}");
        assert_eq!(folder.bare_command_into(help, Folder::full_device()).await.code, 74, "{name}");
    }
    let codes = folder.bare_command(&["--help"]).await.output;
    assert!(codes.contains("  74  an output cannot be written"), "{codes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_pipe_a_row_is_a_line_and_in_a_terminal_it_has_its_width() {
    let terminal = Terminal::new().await;
    let long = "Freight over the bridge doubles, and nobody says why it does so ".repeat(3);
    terminal.folder.change_with("UPDATE story SET title = $1", &long).await;
    for (table, rows) in [
        (&["alerts"][..], 3),
        (&["deliveries"], 3),
        (&["feeds", "list"], 2),
        (&["feeds", "gaps"], 1),
        (&["rules"], 1),
    ] {
        let said = terminal.folder.command(table).await;
        let head: Vec<&str> = said.output.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(head.len(), 1 + rows, "{}", said.output);
        let shown = terminal.folder.in_terminal(table, 70).await;
        let wide = shown.lines().find(|line| line.trim_end().chars().count() > 70);
        assert_eq!(wide, None, "{shown}");
        assert!(shown.lines().any(|line| line.trim_end().chars().count() > 50), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_time_carries_its_zone_and_all_have_the_same() {
    let terminal = Terminal::new().await;
    terminal.folder.change("UPDATE story SET published = first_seen").await;
    let time = Regex::new(r"\d\d:\d\d(:\d\d(\.\d+)?)?").expect("sound");
    let zoned = Regex::new(r"^ (CET|CEST)\b").expect("sound");
    for (number, call) in calls().filter(|(_, call)| !call.arguments.contains(&"json")) {
        // CSV has the times of JSON. `--text` prints the text of a story, which may name a time.
        if ["csv", "--text"].iter().any(|word| call.arguments.contains(word)) {
            continue;
        }
        let arguments = terminal.prepare(call, number).await;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = terminal.folder.command(&arguments).await;
        for found in time.find_iter(&said.output) {
            let after = &said.output[found.end()..];
            assert!(zoned.is_match(after), "{arguments:?}: {}", said.output);
        }
    }
}

/// Keys whose values are times.
const TIMES: [&str; 21] = [
    "created",
    "due",
    "found",
    "first_seen",
    "failing_since",
    "last_alert",
    "last_attempt",
    "last_change",
    "last_backup",
    "last_good",
    "last_poll",
    "next_poll",
    "oldest_due",
    "oldest_since",
    "published",
    "reloaded",
    "seen",
    "since",
    "started",
    "ended",
    "until",
];

/// Fails unless every key of payloads has the form that payloads give it.
fn check_shape(command: &[&str], value: &Value) {
    let has = |value: &Value, keys: &[&str]| keys.iter().all(|key| value.get(key).is_some());
    let Value::Object(object) = value else {
        if let Value::Array(list) = value {
            for inner in list {
                check_shape(command, inner);
            }
        }
        return;
    };
    for (key, inner) in object {
        let list = |keys: &[&str]| {
            inner.as_array().is_some_and(|all| all.iter().all(|one| has(one, keys)))
        };
        let is_sound = match key.as_str() {
            "story" => inner["title"].is_string(),
            "read" => inner["what"].is_string(),
            "rules" => list(&["rule"]),
            "feeds" => list(&["feed"]),
            "evidence" => list(&["term", "field", "sentence", "marks"]),
            "row" => has(inner, &["id", "label"]),
            "rule" | "feed" | "event" | "notifier" | "severity" | "version" | "type" => {
                inner.is_string()
            }
            "recipient" => inner.as_str().is_some_and(|name| !name.is_empty()),
            "tags" | "items" | "messages" | "alerts" => inner.is_array() || key == "alerts",
            key if TIMES.contains(&key) => {
                inner.is_null()
                    || inner.as_str().is_some_and(|time| {
                        time.ends_with('Z') && time.parse::<Timestamp>().is_ok()
                    })
            }
            _ => true,
        };
        assert!(is_sound, "{command:?}: `{key}` has another form: {inner}");
        check_shape(command, inner);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_every_command_has_the_keys_of_payloads() {
    let terminal = Terminal::new().await;
    let helps = helps(&terminal.folder).await;
    let printing = helps.iter().filter(|(_, help)| help.contains("--format <FORMAT>"));
    let mut unseen: BTreeSet<&str> = printing.map(|(name, _)| name.as_str()).collect();
    // It prints faults, which are about files.
    unseen.remove("check");
    for (name, calls) in CALLS {
        for call in calls.iter().filter(|call| call.arguments.contains(&"json")) {
            let arguments = terminal.prepare(call, 0).await;
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let said = terminal.folder.command(&arguments).await;
            assert!(said.output.starts_with('{'), "{arguments:?}: {}", said.output);
            for line in said.output.lines() {
                check_shape(&arguments, &serde_json::from_str(line).expect("an object a line"));
            }
            unseen.remove(name);
        }
    }
    assert_eq!(unseen, BTreeSet::new(), "no call prints their JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_for_spreadsheets_have_the_rows_of_the_json_and_no_formulas() {
    let terminal = Terminal::new().await;
    let title = "=HYPERLINK(\"https://evil.example\",\"Russia, North Korea, arms\")";
    terminal.folder.change_with("UPDATE story SET title = $1", title).await;
    for command in ["alerts", "deliveries"] {
        let said = terminal.folder.command(&[command, "--format", "csv"]).await;
        let mut table = csv::Reader::from_reader(said.output.as_bytes());
        let heads = table.headers().expect("a head").clone();
        let rows: Vec<_> = table.records().map(|row| row.expect("a row")).collect();
        assert_eq!((rows.len(), said.code), (3, 0), "{}", said.output);
        let title_column = if command == "alerts" { "title" } else { "about" };
        let column = heads.iter().position(|head| head == title_column).expect("a column");
        for row in &rows {
            assert_eq!(&row[column], format!("'{title}"));
            assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
        }
        if command == "deliveries" {
            let json = terminal.folder.command(&[command, "--format", "json"]).await.output;
            let rows = json.lines().map(|row| serde_json::from_str(row).expect("an object"));
            let rows: Vec<Value> = rows.collect();
            // `about` is made of several keys. A console has no recipient.
            let is_key = |head: &str| {
                ["about", "recipient"].contains(&head)
                    || rows.iter().any(|row| row.get(head).is_some())
            };
            let other = heads.iter().find(|head| !is_key(head));
            assert_eq!(other, None, "{json}");
        }
    }
}
