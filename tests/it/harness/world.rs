//! Feeds, sinks and the real process. Runs end in kill -9, and their record is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;
use tidings::clock::now;
use tokio::time::sleep;

use crate::harness::hook::Hooks;
use crate::harness::ledger::Ledger;
use crate::harness::mail::MailSink;
use crate::harness::oracle::{ListedDelivery, RunRecord, StoredAttempt, StoredMessage};
use crate::harness::script::{DESK, FEEDS, GONE, LIMITED, NewsScript, To};
use crate::support::http::{Response, Server};
use crate::support::tidings::{Folder, RunningTidings};

/// The longest run before a kill.
const LONGEST_RUN: Duration = Duration::from_millis(1500);

/// After this time without an arrival, open messages wait for their due times.
const QUIET: Duration = Duration::from_millis(1200);

/// The most runs in a row that may change nothing, besides [`MOST_REFUSALS`] for each open message.
/// Every sink may ask for a pause at once.
const IDLE_ROUNDS: usize = 10;

/// How often a sink fails to take a message. A receiver that fails gets one message in a run, each
/// time another.
const MOST_REFUSALS: usize = 3;

/// The open messages, without those for the hook that is gone, and the number of items that were
/// read.
const STANDING: &str =
    "SELECT ((SELECT count(*) FROM message WHERE status NOT IN ('sent', 'dead') AND notifier != 'gone')
    + (SELECT count(*) FROM story WHERE status IN ('awaits_page', 'awaits_match'))) || ' open, ' || (SELECT count(*) FROM feed_entry) || ' items'";

/// What is open, and why: messages with their last attempts, receivers that rest, and stories.
const OPEN: &str = "SELECT message.id || ' to ' || notifier || ' ' || recipient || ' ' || status || ', due in '
    || (due / 1000 - unixepoch()) || ' s, ' || counted_attempts || ' counted: ' || ifnull(message.why, '') || '; last: '
    || ifnull((SELECT outcome || ' ' || ifnull(attempt.why, '') FROM attempt WHERE attempt.message = message.id ORDER BY id DESC LIMIT 1), 'no attempt')
        FROM message WHERE status NOT IN ('sent', 'dead') AND notifier != 'gone'
    UNION ALL SELECT 'rest of ' || notifier || ' ' || recipient || ' for ' || (rests_until / 1000 - unixepoch()) || ' s, '
        || failures || ' failures: ' || why FROM health
    UNION ALL SELECT 'story ' || id || ' ' || status || ', due in ' || (due / 1000 - unixepoch()) || ' s' FROM story
        WHERE status IN ('awaits_page', 'awaits_match')";

/// The most edits of the configuration in one run.
const MOST_EDITS: usize = 3;

/// How far a wrong clock is ahead. It is shorter than any time after which notices or late digests
/// are due.
const AHEAD: Duration = Duration::from_mins(30);

/// Moves the attempts of the last run back by half an hour.
const ATTEMPTS_IN_REAL_TIME: &str = "UPDATE attempt SET started = started - 1800000, ended = ended - 1800000 WHERE started > (unixepoch() + 60) * 1000";

/// Messages that wait longer than a quarter of an hour, and receivers that rest longer than a
/// minute. Nothing here may.
const HELD: &str = "SELECT uid FROM message WHERE status = 'pending' AND notifier != 'gone' AND due > (unixepoch() + 900) * 1000
    UNION SELECT 'the rest of ' || notifier FROM health WHERE notifier != 'gone' AND rests_until > (unixepoch() + 90) * 1000";

/// Feeds of the configuration that wait longer than a quarter of an hour.
const HELD_FEEDS: &str =
    "SELECT name FROM feed WHERE name LIKE 'wire-%' AND next_poll > (unixepoch() + 900) * 1000";

pub struct World {
    pub script: NewsScript,
    pub folder: Folder,
    config: String,
    rng: Rng,
    server: Server,
    _hooks: Hooks,
    mail: MailSink,
    ledger: Ledger,
    /// The number of stories that have appeared.
    published: usize,
    /// The number of runs.
    runs: usize,
    /// The number of edits of the configuration.
    edits: usize,
    /// The times at which time was let pass.
    passed: Vec<Timestamp>,
    /// Messages, rests and feeds that waited too long.
    held: BTreeSet<String>,
}

impl World {
    /// A world before its first run.
    pub async fn new(seed: u64, stories: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let script = NewsScript::new(&mut rng, stories);
        let (server, ledger) = (Server::start().await, Ledger::new());
        let hooks = Hooks::start(seed, ledger.clone()).await;
        let mail = MailSink::start(seed, ledger.clone()).await;
        let config = config(&server, &hooks, &mail);
        let folder = Folder::new(&config, &[("rules.yaml", &script.rules_as_yaml())]);
        for (path, page) in script.pages() {
            server.serve(&path, Response::html(&page));
        }
        let (runs, edits, passed, held) = (0, 0, Vec::new(), BTreeSet::new());
        let world = Self {
            script,
            folder,
            config,
            rng,
            server,
            _hooks: hooks,
            mail,
            ledger,
            published: 0,
            runs,
            edits,
            passed,
            held,
        };
        world.serve();
        world
    }

    /// Lets this number of further stories appear.
    pub fn publish(&mut self, more: usize) {
        self.published = self.script.stories.len().min(self.published + more);
        self.serve();
    }

    /// Lets no further story appear.
    pub fn publish_no_more(&mut self) {
        self.script.stories.truncate(self.published);
    }

    fn serve(&self) {
        for feed in 0..FEEDS {
            let document = self.script.feed(feed, self.published, |path| self.server.url(path));
            let etag = format!("\"{}\"", self.published);
            self.server.serve(&format!("/wire-{feed}.xml"), Response::feed(&document).etag(&etag));
        }
    }

    /// A run that is killed at a moment that the seed chose: after some milliseconds, or at some
    /// number of arrivals.
    pub async fn run_and_kill(&mut self) {
        let is_ahead = self.rng.u8(0..4) == 0;
        let mut tidings = self.start(is_ahead);
        for _ in 0..self.rng.usize(0..=MOST_EDITS) {
            self.ledger.wait_for_more(1, Duration::from_millis(self.rng.u64(10..400))).await;
            self.edit_config();
        }
        if self.rng.bool() {
            sleep(Duration::from_millis(self.rng.u64(10..1200))).await;
        } else {
            self.ledger.wait_for_more(self.rng.usize(1..25), LONGEST_RUN).await;
            sleep(Duration::from_micros(self.rng.u64(0..4000))).await;
        }
        tidings.kill9().await;
        sound(&tidings);
        if is_ahead {
            self.set_back().await;
        }
        // Not after every kill, because a process that opens the store repairs it. The daemon must
        // do that itself, too.
        if self.rng.u8(0..3) == 0 {
            self.let_time_pass().await;
        }
    }

    /// Writes another configuration. None of them takes a message from anybody: a feed that leaves
    /// still has its items when it is back, and the notifiers stay, with other settings.
    fn edit_config(&mut self) {
        self.edits += 1;
        let sound = &self.config;
        let feed = format!("name: wire-{}, every", self.rng.usize(0..FEEDS));
        let line = sound.lines().find(|line| line.contains(&feed)).expect("a feed").to_owned();
        let edited = match self.rng.u8(0..7) {
            0 => sound.replace(&format!("{line}\n"), ""),
            1 => {
                sound.replace("feeds:\n", &format!("feeds:\n{}\n", line.replace("wire-", "none-")))
            }
            2 => sound.replace("type: webhook,", "type: webhook, headers: {x-edit: a},"),
            3 => sound.replace("poll: {", "poll: {per_host: 2, gap: 2s, "),
            4 => sound.replace("network:", "hosts: {\"127.0.0.1\": {http1: true}}\nnetwork:"),
            5 => sound.replace("every: 1s", "evry: 1s"),
            _ => sound.clone(),
        };
        self.folder.write("config.yaml", &edited);
    }

    /// The number of edits of the configuration.
    pub fn edits(&self) -> usize {
        self.edits
    }

    /// Starts a run, with its clock [`AHEAD`] or right.
    fn start(&mut self, is_ahead: bool) -> RunningTidings {
        self.runs += 1;
        self.folder.write("config.yaml", &self.config);
        if is_ahead {
            // With a clock that is ahead, every rest is over.
            self.passed.push(now());
            self.folder.run_ahead(AHEAD)
        } else {
            self.folder.run(&[])
        }
    }

    /// Sets the clock right. The attempts of the last run get their real times, and its waits stay
    /// as they are.
    async fn set_back(&self) {
        if self.has_outbox().await {
            self.folder.change(ATTEMPTS_IN_REAL_TIME).await;
        }
    }

    /// A run that makes some progress before it is killed.
    pub async fn run_long_and_kill(&mut self) {
        let mut tidings = self.start(false);
        self.ledger.wait_for_more(60, 2 * LONGEST_RUN).await;
        tidings.kill9().await;
        sound(&tidings);
    }

    /// A run whose clock is ahead, and which makes some progress before it is killed.
    pub async fn run_ahead_and_kill(&mut self) {
        let mut tidings = self.start(true);
        self.ledger.wait_for_more(30, 2 * LONGEST_RUN).await;
        tidings.kill9().await;
        sound(&tidings);
        self.set_back().await;
    }

    /// A run whose store is copied beside it, and which is killed then. All following runs use the
    /// copy, in a new folder. They send again what the killed run sent after the copy was made.
    pub async fn run_and_go_on_with_a_copy(&mut self) {
        let mut tidings = self.start(false);
        self.ledger.wait_for_more(30, 2 * LONGEST_RUN).await;
        let (copy, began) = (self.folder.place("copy.db"), now());
        let said = self.folder.command(&["backup", &copy]).await;
        assert_eq!(said.code, 0, "{}", said.errors);
        assert_eq!(said.errors, "", "the store knows of it");
        tidings.kill9().await;
        sound(&tidings);
        // Bytes of the killed process may still arrive.
        while self.is_something_arriving().await {}
        let fresh = Folder::new(&self.config, &[("rules.yaml", &self.script.rules_as_yaml())]);
        let said = fresh.command(&["restore", &copy]).await;
        assert_eq!(said.code, 0, "{}", said.errors);
        assert_eq!(fresh.names(), ["config.yaml", "rules", "tidings.db", "tidings.db.lock"]);
        self.folder = fresh;
        let known = self.messages().await;
        let is_ended = |id: &str| {
            known.get(id).is_some_and(|message| ["sent", "dead"].contains(&&*message.state))
        };
        self.ledger.forget(|arrival| arrival.at >= began && !is_ended(&arrival.id));
        assert!(!known.is_empty(), "the copy has no message");
    }

    async fn is_something_arriving(&self) -> bool {
        let before = self.ledger.arrivals().len();
        self.ledger.wait_for_more(1, QUIET).await;
        self.ledger.arrivals().len() > before
    }

    /// Whether a run lived long enough to create the tables.
    async fn has_outbox(&self) -> bool {
        let health = "SELECT count(*) FROM sqlite_master WHERE name = 'health'";
        self.folder.store().exists() && self.folder.query(health).await == ["1"]
    }

    /// Makes everything due, as if a day had passed.
    async fn let_time_pass(&mut self) {
        if !self.has_outbox().await {
            return;
        }
        self.passed.push(now());
        self.folder
            .change(
                "UPDATE message SET due = min(due, unixepoch() * 1000) WHERE status = 'pending'",
            )
            .await;
        self.folder.change("UPDATE health SET rests_until = 0").await;
    }

    /// Runs without kills until everything is sent. Then runs once more, to check that nothing more
    /// is sent. In each run every feed is polled twice.
    pub async fn run_to_the_end(&mut self) {
        self.publish(self.script.stories.len());
        let over = format!("0 open, {} items", self.script.items());
        let mut was_over = false;
        let (mut standing, mut idle) = (String::new(), 0);
        while idle < IDLE_ROUNDS + MOST_REFUSALS * open_messages(&standing) {
            let polled = self.polls();
            let mut tidings = self.start(false);
            let is_over = self.come_to_rest(&over).await;
            self.held.extend(self.folder.query(HELD).await);
            // A run stores a feed's shortened wait with its first poll. That poll is recorded when
            // the second one begins.
            for (path, before) in polled {
                self.server.wait_for(&path, before + 2).await;
            }
            self.held.extend(self.folder.query(HELD_FEEDS).await);
            assert_eq!(tidings.terminate().await, 0);
            sound(&tidings);
            if is_over && was_over && self.folder.query(STANDING).await == [&*over] {
                return;
            }
            was_over = is_over;
            let standing_now = self.folder.query(STANDING).await.concat();
            idle = if standing_now == standing { idle + 1 } else { 0 };
            standing = standing_now;
            self.let_time_pass().await;
        }
        let open = self.folder.query(OPEN).await.join("\n  ");
        panic!("it does not come to an end: {standing}\n  {open}");
    }

    /// The number of polls of each feed.
    fn polls(&self) -> Vec<(String, usize)> {
        let paths = (0..FEEDS).map(|feed| format!("/wire-{feed}.xml"));
        paths.map(|path| (path.clone(), self.server.requests(&path).len())).collect()
    }

    /// Waits until the state is as wanted, or until nothing arrives any more. Returns whether it
    /// is.
    async fn come_to_rest(&self, wanted: &str) -> bool {
        loop {
            let before = self.ledger.arrivals().len();
            self.ledger.wait_for_more(1, QUIET).await;
            let stands_so = self.folder.query(STANDING).await == [wanted];
            if stands_so || self.ledger.arrivals().len() == before {
                return stands_so;
            }
        }
    }

    /// The messages that arrived, and the notifiers that they are for.
    pub fn seen(&self) -> BTreeSet<String> {
        let arrivals = self.ledger.arrivals().into_iter();
        arrivals.flat_map(|arrival| [arrival.id, arrival.to.notifier]).collect()
    }

    /// The record of all runs.
    pub async fn record(&self) -> RunRecord {
        let said = self.folder.command(&["deliveries", "--format", "json"]).await;
        let listed = said.output.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let (id, state, about) =
                (text(&line["message"]), text(&line["status"]), text(&line["story"]["title"]));
            ListedDelivery { id, state, to: to(&line), about }
        });
        RunRecord {
            expected: self.script.expected(),
            arrivals: self.ledger.arrivals(),
            messages: self.messages().await,
            listed: listed.collect(),
            passed: self.passed.clone(),
            held: self.held.clone(),
            connections: (self.mail.connections(), self.mail.connections_needed(self.runs)),
        }
    }

    async fn messages(&self) -> BTreeMap<String, StoredMessage> {
        let rows = self.rows("SELECT json_object('id', uid, 'notifier', notifier, 'recipient', recipient, 'state', status) FROM message").await;
        let message = |row: &Value| StoredMessage {
            to: to(row),
            state: text(&row["state"]),
            attempts: Vec::new(),
        };
        let mut messages: BTreeMap<_, _> =
            rows.iter().map(|row| (text(&row["id"]), message(row))).collect();
        let attempts =
            "SELECT json_object('id', uid, 'started', started, 'ended', ended, 'outcome', outcome)
            FROM attempt JOIN message ON message.id = attempt.message ORDER BY attempt.id";
        for row in self.rows(attempts).await {
            let time = |key: &str| {
                row[key].as_i64().map(|time| Timestamp::from_millisecond(time).expect("in range"))
            };
            let started = time("started").expect("every attempt began");
            let attempt =
                StoredAttempt { started, ended: time("ended"), outcome: text(&row["outcome"]) };
            messages
                .get_mut(&text(&row["id"]))
                .expect("an attempt has a message")
                .attempts
                .push(attempt);
        }
        messages
    }

    async fn rows(&self, sql: &'static str) -> Vec<Value> {
        let rows = self.folder.query(sql).await;
        rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    }
}

fn config(server: &Server, hooks: &Hooks, mail: &MailSink) -> String {
    let feed = |feed| {
        format!(
            "  - {{url: \"{}\", name: wire-{feed}, every: 1s}}\n",
            server.url(&format!("/wire-{feed}.xml"))
        )
    };
    let hook = |name: &str| format!("  {name}: {{type: webhook, url: \"{}\"}}\n", hooks.url(name));
    format!(
        "store: sqlite:tidings.db\nrules: rules\nzone: UTC\nnotify: [hook]\nfeeds:\n{}notifiers:\n{}  \
         desk: {{type: email, smtp: \"smtp://127.0.0.1:{}\", from: Tidings <tidings@example.org>, to: [{}]}}\n\
         poll: {{first_poll: all}}\nnetwork: {{allow: [127.0.0.0/8]}}\n",
        (0..FEEDS).map(feed).collect::<String>(),
        ["hook", LIMITED, GONE].map(hook).concat(),
        mail.port(),
        DESK.join(", "),
    )
}

/// The number at the start of what [`STANDING`] returned.
fn open_messages(standing: &str) -> usize {
    standing.split(' ').next().and_then(|open| open.parse().ok()).unwrap_or_default()
}

/// Fails if a run's log reports a bug in Tidings.
fn sound(tidings: &RunningTidings) {
    let log = tidings.log();
    let faults =
        log.iter().filter(|line| line.contains("panicked") || line.contains("bug in Tidings"));
    assert_eq!(faults.count(), 0, "{log:#?}");
}

fn to(row: &Value) -> To {
    To { notifier: text(&row["notifier"]), recipient: text(&row["recipient"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
