//! The files of the store: whole after a clean stop, private, refused if they are not whole,
//! reported if they are damaged.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};

use serde_json::Value;

use crate::support::http::{Response, Server};
use crate::support::setup::{RULE, matching_stories};
use crate::support::tidings::Folder;

const STORE: [&str; 4] = ["config.yaml", "rules", "tidings.db", "tidings.db.lock"];

fn folder(server: &Server) -> Folder {
    server.serve("/feed.xml", matching_stories(server, 0..3));
    server.serve("/hook", Response::status(204));
    let config = format!(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [hook]\nnotifiers:\n  hook: {{type: webhook, url: \"{}\"}}\n\
         feeds:\n  - {{url: \"{}\", name: Wire}}\nnetwork: {{allow: [127.0.0.0/8]}}\n",
        server.url("/hook"),
        server.url("/feed.xml")
    );
    Folder::new(&config, &[("arms.yaml", RULE)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_leaves_one_file_of_which_a_copy_is_whole() {
    let server = Server::start().await;
    let first = folder(&server);
    let mut tidings = first.run(&[]);
    server.wait_for("/hook", 3).await;
    first
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "3")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(first.names(), STORE);
    assert_eq!(first.command(&["silence", "add", "--rule", "arms", "--until", "1h"]).await.code, 0);
    assert_eq!(first.names(), STORE);

    let second = folder(&server);
    fs::copy(first.store(), second.store()).expect("a copy");
    let said = second.command(&["run", "--once"]).await;
    assert_eq!((said.code, server.requests("/hook").len()), (0, 3), "{}", said.errors);
    assert_eq!(second.names(), STORE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_an_open_store_without_its_log_is_refused_and_one_that_is_whole_is_not() {
    let server = Server::start().await;
    let first = folder(&server);
    let mut tidings = first.run(&[]);
    server.wait_for("/hook", 3).await;
    first
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "3")
        .await;
    let [alone, whole, made] = [folder(&server), folder(&server), folder(&server)];
    for copy in [&alone, &whole] {
        fs::copy(first.store(), copy.store()).expect("a copy");
    }
    fs::copy(first.place("tidings.db-wal"), whole.place("tidings.db-wal")).expect("a copy");
    first.vacuum_into(&made.store()).await;
    // It keeps running. After a kill it runs again.
    tidings.kill9().await;
    assert_eq!(first.command(&["run", "--once"]).await.code, 0);

    let said = alone.command(&["run", "--once"]).await;
    assert_eq!(said.code, 69, "{}", said.errors);
    assert!(
        said.errors.contains("is not whole") && said.errors.contains("docs/operations.md"),
        "{}",
        said.errors
    );
    for copy in [&whole, &made] {
        let said = copy.command(&["run", "--once"]).await;
        assert_eq!(said.code, 0, "{}", said.errors);
    }
    assert_eq!(server.requests("/hook").len(), 3);
}

/// A store of a build before the first schema: its first migration has another text.
const EARLIER: &str =
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (1, 'first', TRUE, x'00', 0), (21, 'file', TRUE, x'00', 0)";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_empty_or_another_database_is_refused_and_left_alone() {
    let server = Server::start().await;
    let ran = folder(&server);
    assert_eq!(ran.command(&["run", "--once"]).await.code, 0);
    File::create(ran.store()).expect("an empty file");
    let other = folder(&server);
    other.query_new("CREATE TABLE notes (text TEXT)").await;
    let earlier = folder(&server);
    earlier.query_new(EARLIER).await;
    for (folder, why) in [
        (&ran, "the file is empty"),
        (&other, "has no tables of a store"),
        (&earlier, "was made by an earlier build"),
    ] {
        let before = fs::read(folder.store()).expect("a file");
        let said = folder.command(&["run", "--once"]).await;
        assert!(said.code == 69 && said.errors.contains(why), "{} {}", said.code, said.errors);
        assert_eq!(fs::read(folder.store()).expect("a file"), before);
    }
    assert!(other.command(&["alerts"]).await.errors.contains("has no tables of a store"));
    assert_eq!(server.requests("/hook").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_store_are_their_owners_alone() {
    let server = Server::start().await;
    let folder = folder(&server);
    let mut tidings = folder.run_with_umask("000");
    server.wait_for("/hook", 3).await;
    assert_eq!(
        folder.command(&["silence", "add", "--rule", "arms", "--until", "1h"]).await.code,
        0
    );
    for name in ["tidings.db", "tidings.db-wal", "tidings.db-shm", "tidings.db.lock"] {
        let mode = fs::metadata(folder.place(name)).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_is_reported_at_the_start_to_the_log_and_to_receivers_once_a_day() {
    let server = Server::start().await;
    let folder = folder(&server);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    let page: u64 =
        folder.query("SELECT rootpage FROM sqlite_master WHERE name = 'feed_entry_link'").await[0]
            .parse()
            .expect("a number");
    let store = File::options().write(true).open(folder.store()).expect("a store");
    store.write_all_at(&[0xa5; 2000], (page - 1) * 4096 + 4).expect("room");
    drop(store);
    for _ in 0..2 {
        let said = folder.command(&["run", "--once"]).await;
        assert!(
            said.errors.contains("is damaged: ") && said.errors.contains("docs/operations.md"),
            "{}",
            said.errors
        );
    }
    let bodies = server.requests("/hook").into_iter().map(|request| request.body);
    let notices: Vec<Value> = bodies
        .map(|body| serde_json::from_slice::<Value>(&body).expect("JSON"))
        .filter(|body| body["type"] == "notice" && body["kind"] == "damaged")
        .collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0]["store"].as_str().is_some_and(|store| store.ends_with("tidings.db")),
        "{notices:?}"
    );
}

/// The reader is a command that takes longer than a statement waits for another, such as a backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_command_that_reads_the_closed_store_and_can_be_stopped_meanwhile() {
    let server = Server::start().await;
    let folder = folder(&server);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    let reader = folder.read_on().await;
    let mut stopped = folder.run(&[]);
    stopped.wait_for_log(|line| line.contains("a command uses the store")).await;
    assert_eq!(stopped.terminate().await, 0);
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("a command uses the store")).await;
    drop(reader);
    tidings.wait_for_log(|line| line.contains("started with the store")).await;
    assert_eq!(tidings.terminate().await, 0);
}
