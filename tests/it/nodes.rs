//! Nodes that share the work of one database of a `PostgreSQL` server. The time in these tests is
//! real, because that of a lease is.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tidings::clock::now;
use tidings::shares::{Share, ShareMoves, ShareOwners};
use tidings_rules::story::NotifierName;

use crate::support::http::{Recorded, Response, Server};
use crate::support::service_manager::{wait_for_notice, with_service_manager};
use crate::support::setup::{RULE, SECRET, Setup, free_address, matching_stories};
use crate::support::tidings::{Folder, RunningTidings};

/// How long the feeds of a node that was killed may wait for their next poll.
const AFTER_A_KILL: Duration = Duration::from_secs(12);

/// How long the feeds of a node that was stopped may wait, beyond the time at which they are due.
const AFTER_A_STOP: Duration = Duration::from_secs(1);

/// How often each feed is polled.
const EVERY: Duration = Duration::from_secs(1);

/// A server with many sites, and a folder for nodes whose first two runs share their work.
struct TwoNodes {
    server: Server,
    folder: Folder,
    /// The host of a feed of each run.
    hosts: [String; 2],
    /// A notifier of each run.
    notifiers: [String; 2],
}

/// The shares of one of the runs 1 and 2 that share the work.
fn shares_of(run: i64) -> BTreeSet<Share> {
    ShareMoves::of_run(run, &BTreeSet::from([1, 2]), &ShareOwners::new()).take
}

fn site(host: &str) -> Share {
    Share::of_site(&format!("http://{host}/").parse().expect("an address"))
}

impl TwoNodes {
    /// `None` if the tests are not about servers.
    async fn new() -> Option<Self> {
        let server = Server::start_with_sites().await;
        let [hosts, notifiers] = [("127.0.0.", 1), ("hook-", 1)].map(|(prefix, first)| {
            [1, 2].map(|run| {
                let names = (first..255).map(|number| format!("{prefix}{number}"));
                let share = |name: &String| match prefix {
                    "hook-" => Share::of_notifier(&NotifierName(name.clone())),
                    _ => site(name),
                };
                let mut own = names.filter(|name| shares_of(run).contains(&share(name)));
                own.next().expect("one of many")
            })
        });
        let folder = Folder::new(&config(&server, &hosts, &notifiers), &[("arms.yaml", RULE)]);
        folder.is_on_server().then_some(())?;
        for (host, notifier) in hosts.iter().zip(&notifiers) {
            server.serve(&feed_path(host), matching_stories(&server, [1]));
            server.serve(&format!("/{notifier}"), Response::status(204));
        }
        Some(Self { server, folder, hosts, notifiers })
    }

    /// Starts both nodes, and waits until the work is divided.
    async fn start(&self) -> (RunningTidings, RunningTidings) {
        let mut first = self.folder.run(&[]);
        first.wait_for_log(|line| line.contains("does 256 of 256 shares")).await;
        let second = self.join().await;
        (first, second)
    }

    async fn join(&self) -> RunningTidings {
        let mut second = self.folder.run(&[]);
        second.wait_for_log(is_started).await;
        let own = shares_of(2).len();
        second.wait_for_log(|line| line.contains(&format!("does {own} of 256 shares"))).await;
        second
    }

    fn polls(&self, run: usize) -> Vec<Recorded> {
        self.server.requests(&feed_path(&self.hosts[run - 1]))
    }

    /// Waits for the next poll of the feed of a run. Returns the one before, and this one.
    async fn next_poll(&self, run: usize) -> (Timestamp, Timestamp) {
        let polls = self.polls(run).len();
        let path = feed_path(&self.hosts[run - 1]);
        let polls = self.server.wait_for(&path, polls + 1).await.split_off(polls - 1);
        (polls[0].at, polls[1].at)
    }

    fn hook(&self, run: usize) -> String {
        format!("/{}", self.notifiers[run - 1])
    }

    /// Waits until the outcomes of this number of messages are recorded.
    async fn wait_until_sent(&self, messages: usize) {
        let sent = "SELECT count(*) FROM message WHERE status = 'sent'";
        self.folder.wait_until(sent, |count| count == messages.to_string()).await;
    }
}

fn feed_path(host: &str) -> String {
    format!("/feed-{host}")
}

fn config(server: &Server, hosts: &[String; 2], notifiers: &[String; 2]) -> String {
    let port = server.port();
    let feed = |host: &String| {
        format!(
            "  - {{url: \"http://{host}:{port}{}\", name: at-{host}, every: 1s}}\n",
            feed_path(host)
        )
    };
    let notifier = |name: &String| {
        format!(
            "  {name}: {{type: webhook, url: \"{}\", secret: {SECRET}}}\n",
            server.url(&format!("/{name}"))
        )
    };
    format!(
        "store: sqlite:tidings.db\nrules: rules\nzone: UTC\nnotify: [{}]\nfeeds:\n{}notifiers:\n{}network: {{allow: [127.0.0.0/8]}}\n",
        notifiers.join(", "),
        hosts.iter().map(feed).collect::<String>(),
        notifiers.iter().map(notifier).collect::<String>(),
    )
}

fn is_started(line: &str) -> bool {
    line.contains("started with the store")
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_the_work_and_every_feed_and_message_is_one_nodes() {
    let Some(nodes) = TwoNodes::new().await else { return };
    let (mut first, mut second) = nodes.start().await;
    let said = nodes.folder.command(&["status"]).await;
    for (node, run) in [(&first, 1), (&second, 2)] {
        let line = format!(
            "process {}: does {} of 256 shares of the work",
            node.process().as_raw_nonzero(),
            shares_of(run).len()
        );
        assert!(said.output.contains(&line), "{}", said.output);
    }
    for host in &nodes.hosts {
        nodes.server.serve(&feed_path(host), matching_stories(&nodes.server, [1, 2, 3]));
    }
    nodes.wait_until_sent(6).await;
    for run in [1, 2] {
        nodes.next_poll(run).await;
        assert_eq!(nodes.server.requests(&nodes.hook(run)).len(), 3, "each story once");
        let polls = nodes.polls(run);
        for pair in polls.windows(2) {
            let early = pair[0].at + EVERY.mul_f32(0.8);
            assert!(pair[1].at >= early, "{} and {}", pair[0].at, pair[1].at);
        }
    }
    let sent =
        nodes.folder.query("SELECT count(DISTINCT run) || ' ' || count(*) FROM attempt").await;
    assert_eq!(sent, ["2 6"]);
    assert_eq!(second.terminate().await, 0);
    first.wait_for_log_after(0, |line| line.contains("does 256 of 256 shares")).await;
    assert_eq!(first.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_is_replaced_and_what_it_sent_is_sent_again() {
    let Some(nodes) = TwoNodes::new().await else { return };
    let stall = nodes.server.stall(&nodes.hook(1));
    let (mut first, mut second) = nodes.start().await;
    nodes.server.wait_for(&nodes.hook(1), 1).await;
    nodes.wait_until_sent(1).await;
    nodes.next_poll(1).await;
    first.kill9().await;
    stall.release();
    let (last, next) = nodes.next_poll(1).await;
    assert!(next <= last + AFTER_A_KILL, "{last}, {next}");
    let hooks = nodes.server.wait_for(&nodes.hook(1), 2).await;
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    let line = "messages in flight when another node ended: 1";
    second.wait_for_log(|said| said.contains(line)).await;
    nodes.wait_until_sent(2).await;
    assert_eq!(second.terminate().await, 0);
    assert_eq!(nodes.server.requests(&nodes.hook(1)).len(), 2);
    assert_eq!(nodes.server.requests(&nodes.hook(2)).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_hands_its_work_over_at_once_but_what_is_under_way() {
    let Some(nodes) = TwoNodes::new().await else { return };
    let stall = nodes.server.stall(&nodes.hook(1));
    let (mut first, mut second) = nodes.start().await;
    nodes.server.wait_for(&nodes.hook(1), 1).await;
    nodes.next_poll(1).await;
    let stopped = now();
    let mut stopping = Box::pin(first.terminate());
    let next = tokio::select! {
        (_, next) = nodes.next_poll(1) => next,
        code = &mut stopping => panic!("a message is in flight, and it ended: {code}"),
    };
    // The feed is due a second after its last poll.
    assert!(next <= stopped + EVERY + AFTER_A_STOP, "{stopped}, {next}");
    stall.release();
    assert_eq!(stopping.await, 0);
    second.wait_for_log(|line| line.contains("does 256 of 256 shares")).await;
    for host in &nodes.hosts {
        nodes.server.serve(&feed_path(host), matching_stories(&nodes.server, [1, 2]));
    }
    nodes.wait_until_sent(4).await;
    assert_eq!(second.terminate().await, 0);
    for run in [1, 2] {
        assert_eq!(nodes.server.requests(&nodes.hook(run)).len(), 2, "each story once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_writes_nothing_after_its_lease_and_joins_again() {
    let Some(nodes) = TwoNodes::new().await else { return };
    let stall = nodes.server.stall(&nodes.hook(1));
    let (mut first, mut second) = nodes.start().await;
    nodes.server.wait_for(&nodes.hook(1), 1).await;
    nodes.wait_until_sent(1).await;
    first.stop();
    second.wait_for_log(|line| line.contains("does 256 of 256 shares")).await;
    stall.release();
    nodes.server.wait_for(&nodes.hook(1), 2).await;
    nodes.wait_until_sent(2).await;
    let written_by_first = "SELECT run.seen || ' ' || count(attempt.id) || ' '
         || count(CASE WHEN outcome = 'unknown' THEN 1 END)
         FROM run LEFT JOIN attempt ON attempt.run = run.id WHERE run.id = 1 GROUP BY run.id";
    let before = nodes.folder.query(written_by_first).await;
    let begun = first.log().len();
    first.go_on();
    first.wait_for_log(|line| line.contains("its lease was lost")).await;
    first.wait_for_log_after(begun, is_started).await;
    assert_eq!(nodes.folder.query(written_by_first).await, before);
    assert!(before[0].ends_with(" 1 1"), "{before:?}");
    let divided = "SELECT count(DISTINCT run) || ' ' || count(*) FROM share";
    nodes.folder.wait_until(divided, |shares| shares == "2 256").await;
    assert_eq!(second.terminate().await, 0);
    let log = first.log().len();
    for host in &nodes.hosts {
        nodes.server.serve(&feed_path(host), matching_stories(&nodes.server, [1, 2]));
    }
    first.wait_for_log_after(begun, |line| line.contains("does 256 of 256 shares")).await;
    nodes.wait_until_sent(4).await;
    assert_eq!(first.terminate().await, 0);
    assert!(first.log().len() > log);
    assert_eq!(nodes.folder.query("SELECT DISTINCT status FROM message").await, ["sent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_site_of_another_node_waits_for_its_permission() {
    let Some(nodes) = TwoNodes::new().await else { return };
    let [one, two] = &nodes.hosts;
    // A feed that the second node polls all the time.
    let other = (1..255).map(|number| format!("127.0.0.{number}"));
    let mut other = other.filter(|host| host != two && shares_of(2).contains(&site(host)));
    let other = other.next().expect("one of many");
    let config = nodes.folder.read("config.yaml");
    let url = format!("http://{other}:{}/other", nodes.server.port());
    let feed = format!("feeds:\n  - {{url: \"{url}\", name: other, every: 1s}}\n");
    nodes.folder.write("config.yaml", &config.replace("feeds:\n", &feed));
    nodes.server.serve("/other", matching_stories(&nodes.server, [1]));
    let target = format!("http://{two}:{}/elsewhere", nodes.server.port());
    nodes.server.serve(&feed_path(one), Response::status(302).header("location", &target));
    nodes.server.serve("/elsewhere", matching_stories(&nodes.server, [1, 2]));
    let (mut first, mut second) = nodes.start().await;
    let stall = nodes.server.stall("/elsewhere");
    let before = nodes.server.requests("/elsewhere").len();
    nodes.server.wait_for("/elsewhere", before + 1).await;
    let lent = nodes.folder.query("SELECT count(*) FROM host_loan WHERE lender = 2").await;
    assert_eq!(lent, ["1"]);
    let polls = nodes.polls(2).len();
    let others = nodes.server.requests("/other").len();
    nodes.server.wait_for("/other", others + 4).await;
    assert_eq!(nodes.polls(2).len(), polls, "one request to a host at a time");
    stall.release();
    nodes.next_poll(2).await;
    nodes.wait_until_sent(4).await;
    nodes.folder.wait_until("SELECT count(*) FROM host_loan", |loans| loans == "0").await;
    // Without the other node, the site is its own.
    assert_eq!(second.terminate().await, 0);
    let before = nodes.server.requests("/elsewhere").len();
    nodes.server.wait_for("/elsewhere", before + 2).await;
    assert_eq!(first.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_round_has_the_store_alone_and_a_node_waits_for_its_end() {
    let setup = Setup::new().await;
    if !setup.folder.is_on_server() {
        return;
    }
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    let stall = setup.server.stall("/feed.xml");
    let address = free_address();
    let mut once = setup.folder.run(&["--once"]);
    setup.server.wait_for("/feed.xml", 1).await;
    let name = format!("process {}", once.process().as_raw_nonzero());
    let said = setup.folder.command(&["status"]).await;
    assert!(said.output.contains(&format!("{name}: alone")), "{}", said.output);
    let second_round = setup.folder.command(&["run", "--once"]).await;
    assert_eq!(second_round.code, 69);
    assert!(second_round.errors.contains(&name), "{}", second_round.errors);
    // What is edited while a node waits is in force when it begins.
    let config = setup.folder.read("config.yaml");
    setup.folder.write("config.yaml", &format!("{config}web: {{listen: \"{address}\"}}\n"));
    let socket = with_service_manager(&setup.folder);
    let mut node = setup.folder.run(&[]);
    let line = node.wait_for_log(|line| line.contains("this node waits")).await;
    assert!(line.contains(&format!("{name} has the store")), "{line}");
    setup.folder.write("rules/more.yaml", &RULE.replace("name: arms", "name: more"));
    let asked = ["health", "--address", &address];
    assert_eq!(
        setup.folder.bare_command(&asked).await.code,
        69,
        "a node that waits serves nothing"
    );
    let waiting = setup.folder.command(&["status"]).await;
    let line = waiting.output.lines().find(|line| line.starts_with("waits")).unwrap_or_default();
    let waits = format!("process {}", node.process().as_raw_nonzero());
    assert!(line.ends_with(&waits), "{}", waiting.output);
    let heard = tokio::task::spawn_blocking(move || {
        wait_for_notice(&socket, "READY=1");
        wait_for_notice(&socket, "STATUS=waits: the store is used by ");
        wait_for_notice(&socket, "WATCHDOG=1");
    });
    heard.await.expect("all came");
    stall.release();
    assert_eq!(once.wait().await, 0);
    let line = node.wait_for_log(is_started).await;
    assert!(line.contains("rules: 2,"), "{line}");
    node.wait_for_log(|line| line.contains("web listener")).await;
    assert_eq!(setup.folder.bare_command(&asked).await.code, 0);
    assert_eq!(node.terminate().await, 0);
}
