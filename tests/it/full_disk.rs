//! A store that cannot be written, because the disk is full or another process has it locked: it is
//! said, nothing is told by halves or twice, and all is told when it can be written again, without
//! a restart.

use crate::support::http::{Response, Server};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::whole_way::{RULE, config};

/// Stories of the second poll: together more than the room that is left.
const STORIES: usize = 40;

/// Room for some of them.
const ROOM: u64 = 100_000;

struct World {
    server: Server,
    mail: Sink,
    folder: Folder,
}

impl World {
    async fn new() -> Self {
        let (server, mail) = (Server::start().await, Sink::start().await);
        let config = config(
            &[server.url("/feed.xml")],
            &server.url("/hook"),
            mail.port(),
            &["ana@example.org"],
        );
        let world = Self { server, mail, folder: Folder::new(&config, &[("arms.yaml", RULE)]) };
        world.server.serve("/hook", Response::status(204));
        world.publish(1);
        world
    }

    fn publish(&self, stories: usize) {
        let title = |n| format!("Russia and North Korea trade arms, part {n}");
        let entry =
            |n| Entry::full(&title(n), &self.server.url(&format!("/story/{n}")), &wire::long(n));
        self.server.serve(
            "/feed.xml",
            Response::feed(&wire::feed(&(0..stories).map(entry).collect::<Vec<_>>())),
        );
    }

    /// Waits until so many stories were told by both ways, once.
    async fn have_arrived(&self, stories: usize) {
        self.server.wait_for("/hook", stories).await;
        self.mail.wait_for(stories).await;
        let open = "SELECT count(*) FROM message WHERE status != 'sent'";
        self.folder.wait_until(open, |open| open == "0").await;
        assert_eq!(
            (self.server.requests("/hook").len(), self.mail.letters().len()),
            (stories, stories)
        );
    }

    /// A story is in the store with its alert and both messages, or not at all.
    async fn holds_no_halves(&self) {
        let halves = "SELECT count(*) FROM story WHERE status IN ('awaits_page', 'awaits_match') OR
            (SELECT count(*) FROM alert JOIN message_alert ON alert = alert.id WHERE story = story.id) != 2";
        assert_eq!(self.folder.query(halves).await, ["0"]);
    }

    /// The size of the store's log, which grows first.
    fn size(&self) -> u64 {
        self.folder.files("tidings.db-wal").remove(0).len() as u64
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived() {
    let world = World::new().await;
    let mut tidings = world.folder.run_with_limits();
    world.have_arrived(1).await;
    tidings.limit_files(Some(world.size() + ROOM));
    world.publish(STORIES);
    let said = tidings.wait_for_log(|line| line.contains("could not be recorded")).await;
    assert!(said.contains("wire-1: its poll could not be recorded: the store: "), "{said}");
    world.holds_no_halves().await;
    tidings.limit_files(None);
    world.have_arrived(STORIES).await;
    world.holds_no_halves().await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_another_process_has_locked_is_waited_for() {
    let world = World::new().await;
    let mut tidings = world.folder.run(&[]);
    world.have_arrived(1).await;
    let lock = world.folder.lock().await;
    world.publish(STORIES);
    let said = tidings.wait_for_log(|line| line.contains("could not be recorded")).await;
    assert!(said.contains("database is locked"), "{said}");
    world.holds_no_halves().await;
    drop(lock);
    world.have_arrived(STORIES).await;
    assert_eq!(tidings.terminate().await, 0);
}
