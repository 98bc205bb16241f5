//! The nodes, their lines and their server, and what befalls them.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use sqlx::{Executor, PgConnection};
use tidings::clock::now;
use tokio::time::sleep;

use super::fault::{ClusterFault, NODES};
use super::oracle::{BURST, ClusterRecord, LIMIT};
use super::sites::{HOOKS, SITES, Sites};
use crate::support::own_server::{OwnServer, PASSWORD, ServerLine};
use crate::support::tidings::{Folder, RunningTidings};
use crate::support::tls::Ca;

/// The receiver with a limit, and the one of the rule with a burst.
const PACED: [&str; 2] = ["limited", "bursting"];

/// How long the owners of all shares are waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long the last messages may take: waits that a wrong clock made are shortened once a minute.
const LAST_MESSAGES: Duration = Duration::from_mins(4);

/// The shares of each node that has a lease. The name of a node ends with its process.
const OWNED: &str =
    "SELECT node, count(share.id) FROM run_lease JOIN share ON share.run = run_lease.run
     WHERE until > extract(epoch FROM clock_timestamp()) * 1000 GROUP BY node";

/// A message that was tried again after an attempt of known outcome. Every receiver takes all.
const TRIED_AGAIN: &str = "SELECT message.uid FROM attempt JOIN message ON message.id = attempt.message
     WHERE attempt.outcome <> 'unknown'
       AND EXISTS (SELECT 1 FROM attempt AS later WHERE later.message = message.id AND later.id > attempt.id)";

/// Words in a log that no fault explains.
const COMPLAINTS: [&str; 4] = ["panicked", "a bug", "deadlock", "40P01"];

struct ClusterNode {
    folder: Folder,
    line: ServerLine,
    running: Option<RunningTidings>,
    /// The logs of its earlier processes.
    logs: Vec<String>,
}

/// The newest message and alert of nodes whose clocks were right.
#[derive(Clone, Copy)]
struct Timely {
    message: i64,
    alert: i64,
}

pub struct Cluster {
    rng: Rng,
    sites: Sites,
    server: OwnServer,
    nodes: Vec<ClusterNode>,
    published: usize,
    edits: usize,
    without_owner: Vec<(String, Duration)>,
    /// What was there before a clock was wrong.
    timely: Option<Timely>,
    /// A node that knows nothing of the others.
    stranger: Option<(Folder, RunningTidings)>,
}

fn since(start: Timestamp) -> Duration {
    now().duration_since(start).unsigned_abs()
}

impl ClusterNode {
    fn start(&mut self, ahead: i64) {
        self.running = Some(self.folder.run_with_clock(ahead));
    }

    fn running(&mut self) -> &mut RunningTidings {
        self.running.as_mut().expect("it runs")
    }

    /// Keeps the log of the process that has ended.
    fn keep_log(&mut self) {
        self.logs.extend(self.running.take().map(|running| running.log()).unwrap_or_default());
    }

    fn process(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        Some(format!("process {}", running.process().as_raw_nonzero()))
    }
}

impl Cluster {
    /// Three nodes that work; `None` if the tests are not about servers.
    pub async fn new(seed: u64) -> Option<Self> {
        let server = OwnServer::start(&Ca::new()).await?;
        let sites = Sites::start().await;
        let mut nodes = Vec::new();
        for node in 0..NODES {
            let line = ServerLine::to(server.port()).await;
            let config = config(&sites, line.port(), &format!("node-{node}"));
            let folder = Folder::new(&config, &[("arms.yaml", &rules())]);
            folder.set("DB_PASSWORD", PASSWORD);
            nodes.push(ClusterNode { folder, line, running: None, logs: Vec::new() });
        }
        let mut cluster = Self {
            rng: Rng::with_seed(seed),
            sites,
            server,
            nodes,
            published: 0,
            edits: 0,
            without_owner: Vec::new(),
            timely: None,
            stranger: None,
        };
        for node in &mut cluster.nodes {
            node.start(0);
            node.running().wait_for_log(is_started).await;
        }
        cluster.wait_for_owners("the start", &[0, 1, 2], now()).await;
        Some(cluster)
    }

    /// Lets further stories appear.
    pub fn publish(&mut self, more: usize) {
        self.published = self.sites.publish(more);
    }

    /// The fault with this number.
    pub fn choose_fault(&mut self, number: usize) -> ClusterFault {
        ClusterFault::choose(&mut self.rng, number)
    }

    /// Waits until so many messages arrived.
    pub async fn wait_for_arrivals(&self, number: usize) {
        self.sites.wait_for_arrivals(number, LAST_MESSAGES).await;
    }

    /// Lets a fault happen, and its end. All nodes work then.
    pub async fn suffer(&mut self, fault: ClusterFault) {
        sleep(Duration::from_millis(self.rng.u64(0..1500))).await;
        let start = now();
        let name = format!("{fault:?}");
        match fault {
            ClusterFault::Kill(node) => {
                self.nodes[node].running().kill9().await;
                self.nodes[node].keep_log();
                let restart = Duration::from_millis(self.rng.u64(0..3000));
                sleep(restart).await;
                self.restart(node, 0).await;
            }
            ClusterFault::StandStill(node) => {
                self.nodes[node].running().stop();
                self.wait_for_owners(&name, &others(node), start).await;
                let begun = self.nodes[node].running().log().len();
                self.nodes[node].running().go_on();
                self.nodes[node].running().wait_for_log_after(begun, is_started).await;
            }
            ClusterFault::Stop(node) => {
                self.stop(node).await;
                self.wait_for_owners(&name, &others(node), now()).await;
                self.restart(node, 0).await;
            }
            ClusterFault::CutLine(node) => {
                let begun = self.nodes[node].running().log().len();
                self.nodes[node].line.cut();
                self.wait_for_owners(&name, &others(node), start).await;
                self.nodes[node].line.mend();
                self.nodes[node].running().wait_for_log_after(begun, is_started).await;
            }
            ClusterFault::WrongClock(node, ahead) => {
                self.stop(node).await;
                self.wait_for_owners(&name, &others(node), now()).await;
                if self.timely.is_none() {
                    self.timely = Some(self.read_timely().await);
                }
                self.restart(node, ahead).await;
            }
            ClusterFault::EditRules(node) => self.edit_rules(node).await,
            ClusterFault::RestartServer => {
                self.server.order("immediate");
                self.server.order("start");
            }
            ClusterFault::KillServer => {
                self.server.order("kill");
                self.server.order("start");
            }
        }
        let healed = if matches!(fault, ClusterFault::Kill(_)) { start } else { now() };
        self.wait_for_owners(&name, &[0, 1, 2], healed).await;
    }

    /// Stops a node. It owns a share until its last write for it.
    async fn stop(&mut self, node: usize) {
        let code = self.nodes[node].running().terminate().await;
        assert_eq!(code, 0, "{:#?}", self.nodes[node].running().log());
        self.nodes[node].keep_log();
    }

    async fn restart(&mut self, node: usize, ahead: i64) {
        self.nodes[node].start(ahead);
        self.nodes[node].running().wait_for_log(is_started).await;
    }

    /// Adds a rule that matches nothing.
    async fn edit_rules(&mut self, node: usize) {
        self.edits += 1;
        let rules = format!("rules:\n  - name: none-{0}\n    when: nothing{0}\n", self.edits);
        let begun = self.nodes[node].running().log().len();
        self.nodes[node].folder.write(&format!("rules/none-{}.yaml", self.edits), &rules);
        let in_force = |line: &str| line.contains("rules in force");
        self.nodes[node].running().wait_for_log_after(begun, in_force).await;
    }

    /// Waits until these nodes own all shares, and notes how long that took.
    async fn wait_for_owners(&mut self, fault: &str, nodes: &[usize], start: Timestamp) {
        let processes: Vec<_> =
            nodes.iter().filter_map(|node| self.nodes[*node].process()).collect();
        while self.count_owned(&processes).await < 256 {
            if since(start) > PATIENCE {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.without_owner.push((fault.to_owned(), since(start)));
    }

    async fn count_owned(&self, processes: &[String]) -> i64 {
        let mut admin = self.server.connect("tidings").await;
        let rows: Vec<(String, i64)> =
            sqlx::query_as(OWNED).fetch_all(&mut admin).await.unwrap_or_default();
        let own = rows.iter().filter(|(node, _)| processes.iter().any(|one| node.ends_with(one)));
        own.map(|(_, shares)| *shares).sum()
    }

    /// Waits until everything is sent, and stops all nodes.
    pub async fn run_to_the_end(&mut self) {
        let start = now();
        self.wait_for_arrivals(self.published * HOOKS.len()).await;
        let open = "SELECT count(*) || '' FROM message WHERE status <> 'sent'";
        while self.texts(open).await != ["0"] && since(start) < LAST_MESSAGES {
            sleep(Duration::from_millis(100)).await;
        }
        for node in 0..NODES {
            self.stop(node).await;
        }
    }

    /// Starts a node with a store of its own, and lets stories appear until two nodes have asked
    /// one host at a time, and one too soon after the other.
    pub async fn plant_two_owners(&mut self) {
        let config = config(&self.sites, self.server.port(), "stranger");
        let folder =
            Folder::new(&config.replace("/tidings\"", "/stranger\""), &[("arms.yaml", &rules())]);
        folder.set("DB_PASSWORD", PASSWORD);
        self.admin().await.execute("CREATE DATABASE stranger").await.expect("a database");
        let node = folder.run(&[]);
        self.stranger = Some((folder, node));
        let start = now();
        let found = |sites: &Sites| !sites.overlaps().is_empty() && !sites.hurried().is_empty();
        while !found(&self.sites) && since(start) < LAST_MESSAGES {
            self.publish(1);
            sleep(Duration::from_millis(500)).await;
        }
        self.stranger = None;
    }

    /// Lets stories appear while no node knows of a limit or a burst.
    pub async fn plant_no_limits(&mut self, stories: usize) {
        for node in &mut self.nodes {
            let begun = node.running().log().len();
            let config = node.folder.read("config.yaml");
            node.folder.write("config.yaml", &config.replace(&limit(), ""));
            node.running().wait_for_log_after(begun, |line| line.contains("in force")).await;
        }
        let begun = self.nodes[0].running().log().len();
        let rules = rules().replace(&burst(), "");
        self.nodes[0].folder.write("rules/arms.yaml", &rules);
        for node in &mut self.nodes {
            node.running().wait_for_log_after(begun, |line| line.contains("rules in force")).await;
        }
        self.publish(stories);
        self.wait_for_arrivals(self.published * HOOKS.len()).await;
    }

    /// Loses the messages for one receiver that a further story makes.
    pub async fn plant_a_lost_message(&mut self) {
        let lose = "CREATE FUNCTION lose() RETURNS TRIGGER LANGUAGE plpgsql AS
                 $$ BEGIN NEW.status := 'dropped'; RETURN NEW; END $$;
             CREATE TRIGGER lose BEFORE INSERT ON message FOR EACH ROW
                 WHEN (NEW.notifier = 'hook-b') EXECUTE FUNCTION lose();";
        self.admin().await.execute(lose).await.expect("a trigger");
        self.publish(1);
        let dropped = "SELECT count(*) || '' FROM message WHERE status = 'dropped'";
        let start = now();
        while self.texts(dropped).await == ["0"] && since(start) < LAST_MESSAGES {
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Kills a node whose lease does not end.
    pub async fn plant_a_share_without_an_owner(&mut self) {
        let process = self.nodes[0].process().expect("it runs");
        self.nodes[0].running().kill9().await;
        let mut admin = self.admin().await;
        let prolong = "UPDATE run_lease SET until = until + 3600000 WHERE node LIKE '%' || $1";
        sqlx::query(prolong).bind(process).execute(&mut admin).await.expect("a lease");
        self.wait_for_owners("a lease without end", &[1, 2], now()).await;
        if let Some((fault, time)) = self.without_owner.last_mut() {
            *fault = format!("{fault}: no owner for {time:?}");
        }
    }

    async fn admin(&self) -> PgConnection {
        self.server.connect("tidings").await
    }

    async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&mut self.admin().await).await.expect("texts")
    }

    async fn read_timely(&self) -> Timely {
        let newest = "SELECT coalesce((SELECT max(id) FROM message), 0), coalesce((SELECT max(id) FROM alert), 0)";
        let newest = sqlx::query_as(newest).fetch_one(&mut self.admin().await).await;
        let (message, alert) = newest.expect("a row");
        Timely { message, alert }
    }

    /// The times of what `sql` lists up to an id.
    async fn times(&self, sql: &'static str, last: i64) -> Vec<Timestamp> {
        let times = sqlx::query_scalar(sql).bind(last).fetch_all(&mut self.admin().await).await;
        let times: Vec<i64> = times.expect("times");
        let times = times.into_iter().map(Timestamp::from_millisecond);
        times.map(|time| time.expect("a time")).collect()
    }

    /// The record of all nodes.
    pub async fn record(&mut self) -> ClusterRecord {
        for node in &mut self.nodes {
            node.keep_log();
        }
        let unknown = "SELECT DISTINCT uid FROM attempt JOIN message ON message.id = attempt.message WHERE outcome = 'unknown'";
        let alerts = "SELECT story.url || ' ' || rule || ' ' || dedup_key FROM alert JOIN story ON story.id = alert.story";
        let limited = "SELECT created FROM message
             WHERE notifier = 'limited' AND digest IS NULL AND id <= $1 ORDER BY created";
        let single = "SELECT created FROM message
             WHERE notifier = 'bursting' AND digest IS NULL AND id <= $1 ORDER BY created";
        let matched =
            "SELECT created FROM alert WHERE rule = 'bursts' AND id <= $1 ORDER BY created";
        let timely = self.timely.unwrap_or(Timely { message: i64::MAX, alert: i64::MAX });
        let unsent = "SELECT uid || ' ' || status FROM message WHERE status <> 'sent'";
        let complains = |line: &&String| COMPLAINTS.iter().any(|words| line.contains(words));
        ClusterRecord {
            stories: (0..self.published).map(|story| self.sites.story(story)).collect(),
            hooks: HOOKS.iter().chain(&PACED).map(|hook| format!("/hook/{hook}")).collect(),
            arrivals: self.sites.arrivals(),
            overlaps: self.sites.overlaps(),
            hurried: self.sites.hurried(),
            unknown: self.texts(unknown).await.into_iter().collect(),
            alerts: self.texts(alerts).await,
            limited: self.times(limited, timely.message).await,
            single: self.times(single, timely.message).await,
            matched: self.times(matched, timely.alert).await,
            unsent: self.texts(unsent).await,
            overlapping_attempts: self.texts(TRIED_AGAIN).await,
            without_owner: self.without_owner.clone(),
            complaints: self
                .nodes
                .iter()
                .flat_map(|node| &node.logs)
                .filter(complains)
                .cloned()
                .collect(),
        }
    }
}

fn is_started(line: &str) -> bool {
    line.contains("started with the store")
}

fn others(node: usize) -> Vec<usize> {
    (0..NODES).filter(|other| *other != node).collect()
}

/// The key of the receiver with a limit, after others.
fn limit() -> String {
    format!(", limit: {LIMIT}/m")
}

/// The key of the rule with a burst, after others.
fn burst() -> String {
    format!(", burst: {{first: {BURST}, then: 1m}}")
}

/// Every story matches both rules.
fn rules() -> String {
    let when = "Russia AND North Korea AND arms";
    format!(
        "rules:\n  - {{name: arms, when: {when}, notify: [{}, limited]}}\n  \
           - {{name: bursts, when: {when}, notify: bursting{}}}\n",
        HOOKS.join(", "),
        burst()
    )
}

/// The configuration of a node. The sites see its name.
fn config(sites: &Sites, port: u16, node: &str) -> String {
    let feed =
        |site| format!("  - {{url: \"{}\", name: wire-{site}, every: 1s}}\n", sites.feed(site));
    let hook = |name: &str, more: &str| {
        format!("  {name}: {{type: webhook, url: \"{}\"{more}}}\n", sites.hook(name))
    };
    let hooks = HOOKS.map(|name| hook(name, "")).concat();
    format!(
        "store: {{url: \"postgres://tidings@127.0.0.1:{port}/tidings\", password: \"${{DB_PASSWORD}}\"}}\n\
         rules: rules\nzone: UTC\nnotify: [{}]\nfeeds:\n{}notifiers:\n{hooks}{}{}\
         poll: {{first_poll: all}}\nnetwork: {{allow: [127.0.0.0/8], proxy: \"{}\", contact: {node}@arms.example}}\n",
        HOOKS.join(", "),
        (0..SITES).map(feed).collect::<String>(),
        hook("limited", &limit()),
        hook("bursting", ""),
        sites.proxy(),
    )
}
