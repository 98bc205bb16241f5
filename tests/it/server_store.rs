//! A store on a `PostgreSQL` server that stops, hangs, refuses, and shows a certificate.

use sqlx::Executor;

use crate::support::own_server::{OwnServer, PASSWORD, ServerLine};
use crate::support::setup::{Setup, config, matching_stories};
use crate::support::tidings::Said;
use crate::support::tls::Ca;

/// A configuration whose store is at this port of this machine.
fn store_at(port: u16) -> String {
    store_of(&format!("postgres://tidings@127.0.0.1:{port}/tidings"))
}

/// A configuration with this store, whose password is in a variable.
fn store_of(url: &str) -> String {
    format!("{{url: \"{url}\", password: \"${{DB_PASSWORD}}\"}}")
}

/// The setup of most tests, with another store.
async fn setup_with(store: &str) -> Setup {
    let change = |config: &str| config.replace("sqlite:tidings.db", store);
    let setup = Setup::with_config(change, &[("arms.yaml", crate::support::setup::RULE)]).await;
    setup.folder.set("DB_PASSWORD", PASSWORD);
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    setup
}

/// What one round says of a store.
async fn try_store(setup: &Setup, store: &str) -> Said {
    let (server, mail) = (&setup.server, setup.mail.port());
    let feed = [server.url("/feed.xml")];
    let text = config(&feed, &server.url("/hook"), mail, &["ana@example.org"]);
    setup.folder.write("config.yaml", &text.replace("sqlite:tidings.db", store));
    setup.folder.command(&["run", "--once"]).await
}

/// The lines of a log with these words.
fn count(log: &[String], words: &str) -> usize {
    log.iter().filter(|line| line.contains(words)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_or_crashes_is_waited_for_and_nothing_is_lost() {
    let Some(mut database) = OwnServer::start(&Ca::new()).await else { return };
    let setup = setup_with(&store_at(database.port())).await;
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    for (round, stop) in [(2, "fast"), (3, "immediate")] {
        let before = tidings.log().len();
        database.order(stop);
        tidings.wait_for_log_after(before, |line| line.contains("cannot be reached")).await;
        setup.server.serve("/feed.xml", matching_stories(&setup.server, 1..=round));
        database.order("start");
        tidings.wait_for_log_after(before, |line| line.contains("be written again")).await;
        setup.server.wait_for("/hook", round).await;
    }
    setup.mail.wait_for(3).await;
    assert_eq!(tidings.terminate().await, 0);
    let log = tidings.log();
    assert_eq!(count(&log, " ERROR "), 0, "{log:#?}");
    assert_eq!(count(&log, "the store can be written again"), 2, "{log:#?}");
    assert!(!log.concat().contains(PASSWORD), "{log:#?}");
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_wait_for_a_server_that_is_away_for_long_and_work_when_it_is_back() {
    let Some(mut database) = OwnServer::start(&Ca::new()).await else { return };
    let setup = setup_with(&store_at(database.port())).await;
    let mut first = setup.folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    setup.mail.wait_for(1).await;
    let mut second = setup.folder.run(&[]);
    second.wait_for_log(|line| line.contains("started with the store")).await;
    database.order("fast");
    let lost = "its lease was lost: the server did not renew it";
    for node in [&mut first, &mut second] {
        node.wait_for_log(|line| line.contains(lost)).await;
    }
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1, 2]));
    database.order("start");
    setup.server.wait_for("/hook", 2).await;
    setup.mail.wait_for(2).await;
    let log = [first.log(), second.log()].concat();
    assert_eq!(count(&log, "started with the store"), 4, "{log:#?}");
    assert_eq!(count(&log, " ERROR "), 0, "{log:#?}");
    assert_eq!((first.terminate().await, second.terminate().await), (0, 0));
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_a_line_that_was_cut_is_given_up_and_found_again() {
    let Some(database) = OwnServer::start(&Ca::new()).await else { return };
    let mut admin = database.connect("postgres").await;
    admin.execute("CREATE DATABASE other").await.expect("a database");
    let plain = lose_a_line(&database, "tidings?sslmode=disable");
    tokio::join!(plain, lose_a_line(&database, "other?sslmode=require"));
}

async fn lose_a_line(database: &OwnServer, name: &str) {
    let line = ServerLine::to(database.port()).await;
    let at = format!("postgres://tidings@127.0.0.1:{}/{name}", line.port());
    let setup = setup_with(&store_of(&at)).await;
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    line.cut();
    tidings.wait_for_log(|line| line.contains("it did not answer in time")).await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1, 2]));
    // The server still has the session that was cut off.
    line.mend();
    setup.server.wait_for("/hook", 2).await;
    setup.mail.wait_for(2).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(setup.server.requests("/hook").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_server_is_said_with_what_to_do_and_without_its_password() {
    let Some(mut database) = OwnServer::start(&Ca::new()).await else { return };
    let port = database.port();
    let setup = setup_with(&store_at(port)).await;
    let at =
        |user: &str, name: &str| store_of(&format!("postgres://{user}@127.0.0.1:{port}/{name}"));
    let mut said = Vec::new();
    said.push(try_store(&setup, &at("tidings", "nothing")).await);
    said.push(try_store(&setup, &at("nobody", "tidings")).await);
    let wrong = format!("postgres://tidings:wr0ng@127.0.0.1:{port}/tidings");
    said.push(try_store(&setup, &wrong).await);
    assert_eq!(try_store(&setup, &store_at(port)).await.code, 0);
    let mut tables = database.connect("tidings").await;
    tables
        .execute("UPDATE _sqlx_migrations SET version = 99 WHERE version = 1")
        .await
        .expect("a row");
    said.push(try_store(&setup, &store_at(port)).await);
    tables.execute("UPDATE _sqlx_migrations SET version = 1").await.expect("a row");
    let mut first = setup.folder.run(&[]);
    first.wait_for_log(|line| line.contains("started with the store")).await;
    let find = "SELECT node FROM run_lease";
    let node: String = sqlx::query_scalar(find).fetch_one(&mut tables).await.expect("a lease");
    drop(tables);
    said.push(try_store(&setup, &store_at(port)).await);
    assert_eq!(first.terminate().await, 0);
    database.order("fast");
    said.push(try_store(&setup, &store_at(port)).await);
    said.push(setup.folder.command(&["alerts"]).await);
    let mut shown = String::new();
    for Said { output, errors, code } in said {
        assert_eq!((code, output.as_str()), (69, ""), "{errors}");
        assert!(!errors.contains(PASSWORD) && !errors.contains("wr0ng"), "{errors}");
        shown.push_str(&errors.replace(&port.to_string(), "PORT").replace(&node, "NODE"));
    }
    insta::assert_snapshot!("faults_of_a_server", shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_checked_as_sslmode_says() {
    let ca = Ca::new();
    let Some(database) = OwnServer::start(&ca).await else { return };
    let port = database.port();
    let setup = setup_with(&store_at(port)).await;
    setup.folder.write("ca.pem", &ca.pem());
    setup.folder.write("other.pem", &Ca::new().pem());
    for (host, options, wanted) in [
        ("127.0.0.1", "", Ok(true)),
        ("127.0.0.1", "?sslmode=disable", Ok(false)),
        ("127.0.0.1", "?sslmode=require", Ok(true)),
        ("localhost", "?sslmode=verify-full&sslrootcert=ca.pem", Ok(true)),
        ("localhost", "?sslrootcert=ca.pem", Ok(true)),
        ("localhost", "?sslmode=verify-full", Err("name the authority")),
        ("localhost", "?sslrootcert=other.pem", Err("name the authority")),
        ("127.0.0.1", "?sslrootcert=ca.pem", Err("not valid for name")),
        ("localhost", "?sslrootcert=missing.pem", Err("missing.pem")),
    ] {
        let url = format!("postgres://tidings@{host}:{port}/tidings{options}");
        let said = try_store(&setup, &store_of(&url)).await;
        let error = wanted.err().unwrap_or_default();
        assert_eq!(said.code, if wanted.is_ok() { 0 } else { 69 }, "{url}: {}", said.errors);
        assert!(said.errors.contains(error), "{url}: {}", said.errors);
        let Ok(is_encrypted) = wanted else { continue };
        let mut tidings = setup.folder.run(&[]);
        tidings.wait_for_log(|line| line.contains("started with the store")).await;
        let ask = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'tidings'";
        let found =
            sqlx::query_scalar(ask).fetch_one(&mut database.connect("postgres").await).await;
        assert_eq!(found.ok(), Some(is_encrypted), "{url}");
        assert_eq!(tidings.terminate().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_shows_the_password_and_those_about_files_say_what_to_do() {
    let Some(database) = OwnServer::start(&Ca::new()).await else { return };
    let setup = setup_with(&store_at(database.port())).await;
    let folder = &setup.folder;
    let store = format!("postgres://tidings@127.0.0.1:{}/tidings", database.port());
    let with_password = store.replace("tidings@", "tidings:pa55@");
    let said = folder.bare_command(&["status", "--store", &with_password]).await;
    assert_eq!((said.code, said.output.as_str()), (64, ""));
    assert!(said.errors.contains("PGPASSWORD") && !said.errors.contains("pa55"), "{}", said.errors);

    let mut tidings = folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    setup.mail.wait_for(1).await;
    let shown =
        std::fs::read_to_string(format!("/proc/{}/cmdline", tidings.process())).expect("a process");
    assert!(!shown.contains(PASSWORD), "{shown}");
    folder.set("PGPASSWORD", PASSWORD);
    let status = ["status", "--store", &store, "--format", "json"];
    let named = folder.bare_command(&status).await;
    assert!(
        named.output.contains(&format!("127.0.0.1:{}/tidings", database.port())),
        "{}",
        named.errors
    );
    for (arguments, code) in [
        (&["status"][..], 0),
        (&["status", "--format", "json"], 0),
        (&["alerts"], 0),
        (&["deliveries"], 0),
        (&["feeds", "list"], 0),
        (&["rules"], 0),
        (&["check"], 0),
        (&["backtest"], 0),
        (&["backup", "copy.db"], 78),
        (&["restore", "copy.db"], 78),
    ] {
        let Said { output, errors, code: ended } = folder.command(arguments).await;
        assert_eq!(ended, code, "{arguments:?}: {output} {errors}");
        assert!(
            !format!("{output}{errors}").contains(PASSWORD),
            "{arguments:?}: {output} {errors}"
        );
        assert_eq!(errors.contains("pg_dump"), code == 78, "{arguments:?}: {errors}");
    }
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_copied_to_a_server_and_back_and_nothing_is_sent_again() {
    let Some(database) = OwnServer::start(&Ca::new()).await else { return };
    let setup = setup_with("sqlite:old.db").await;
    let folder = &setup.folder;
    folder.set("PGPASSWORD", PASSWORD);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    let address = format!("postgres://tidings@127.0.0.1:{}/tidings", database.port());
    let (old, new) = (folder.place("old.db"), folder.place("back.db"));
    for (from, to, store, stories) in [
        (&old, &address, store_at(database.port()), 1),
        (&address, &new, "sqlite:back.db".to_owned(), 2),
    ] {
        let said = folder.bare_command(&["store", "copy", from, to]).await;
        let copied = format!(": {} {}, ", stories, if stories == 1 { "story" } else { "stories" });
        assert!(said.output.contains(&copied), "{}{}", said.output, said.errors);
        let again = folder.bare_command(&["store", "copy", from, to]).await;
        assert!(
            again.errors.contains("is not empty, and no store is replaced"),
            "{}",
            again.errors
        );
        assert_eq!((said.code, again.code), (0, 65));
        setup.server.serve("/feed.xml", matching_stories(&setup.server, 1..=stories + 1));
        let said = try_store(&setup, &store).await;
        assert_eq!(said.code, 0, "{}", said.errors);
        let hooks = setup.server.requests("/hook").len();
        assert_eq!(hooks, stories + 1, "{}", said.errors);
    }
}
