//! kill -9 at every point of the way: each time, the alert is delivered by the next run.

use crate::support::http::{Response, Server};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::whole_way::{RULE, config, serve_settled};

struct World {
    server: Server,
    mail: Sink,
    folder: Folder,
}

impl World {
    async fn new() -> Self {
        let (server, mail) = (Server::start().await, Sink::start().await);
        serve_settled(&server);
        let config = config(
            &[server.url("/feed.xml")],
            &server.url("/hook"),
            mail.port(),
            &["ana@example.org"],
        );
        let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
        Self { server, mail, folder }
    }

    /// Runs again until the alert has arrived by both ways, and no further.
    async fn delivers(&self, hooks: usize, mails: usize) {
        let mut tidings = self.folder.run(&[]);
        self.server.wait_for("/hook", hooks).await;
        self.mail.wait_for(mails).await;
        assert_eq!(tidings.terminate().await, 0);
        assert_eq!(
            (self.server.requests("/hook").len(), self.mail.letters().len()),
            (hooks, mails)
        );
        assert_eq!(self.folder.query("SELECT DISTINCT status FROM message").await, ["sent"]);
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.folder.query(sql).await[0].parse().expect("a number")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_t1() {
    let world = World::new().await;
    let stall = world.server.stall("/feed.xml");
    let mut tidings = world.folder.run(&[]);
    world.server.wait_for("/feed.xml", 1).await;
    tidings.kill9().await;
    assert_eq!(world.count("SELECT count(*) FROM story").await, 0);
    stall.release();
    world.delivers(1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_t1_and_t2() {
    let world = World::new().await;
    let entry = Entry::teaser("Freight over the bridge doubles", &world.server.url("/story"));
    world.server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    world.server.serve("/story", Response::html(wire::PAGE));
    let stall = world.server.stall("/story");
    let mut tidings = world.folder.run(&[]);
    world.server.wait_for("/story", 1).await;
    tidings.kill9().await;
    assert_eq!(world.count("SELECT count(*) FROM story").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM alert").await, 0);
    stall.release();
    world.delivers(1, 1).await;
}

/// `run --once` delivers when every poll has ended: a second feed that never answers keeps it
/// between T2 and the sending.
#[tokio::test(flavor = "multi_thread")]
async fn between_t2_and_the_sending() {
    let world = World::new().await;
    world.server.serve("/slow.xml", Response::feed(&wire::feed(&[])));
    let stall = world.server.stall("/slow.xml");
    let feeds = [world.server.url("/feed.xml"), world.server.url("/slow.xml")];
    let hook = world.server.url("/hook");
    world.folder.write(
        "config.yaml",
        &config(&feeds, &hook, world.mail.port(), &["ana@example.org"])
            .replace("network:", "poll: {per_host: 2, first_poll: all}\nnetwork:"),
    );
    let mut tidings = world.folder.run(&["--once"]);
    world.folder.wait_until("SELECT count(*) FROM message", |count| count == "2").await;
    tidings.kill9().await;
    assert_eq!(world.count("SELECT count(*) FROM attempt").await, 0);
    stall.release();
    world.delivers(1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_sending() {
    let world = World::new().await;
    let stalled_hook = world.server.stall("/hook");
    let stalled_mail = world.mail.stall_after_data();
    let mut tidings = world.folder.run(&[]);
    world.server.wait_for("/hook", 1).await;
    world.mail.wait_for(1).await;
    tidings.kill9().await;
    stalled_hook.release();
    stalled_mail.release();
    world.delivers(2, 2).await;
    let (hooks, mails) = (world.server.requests("/hook"), world.mail.letters());
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    assert_eq!(hooks[0].body, hooks[1].body);
    assert_eq!(mails[0].data, mails[1].data);
}
