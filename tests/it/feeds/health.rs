//! A feed that is dead or silent is reported through `notify`, and so is its return.

use crate::support::http::{Response, Server};
use crate::support::setup::{RULE, Setup, config, hook_payloads, one_feed_config};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// A day and a bit, and three days and a bit, in milliseconds.
const DAY_AGO: &str = "UPDATE feed SET failing_since = failing_since - 86400001, next_poll = 0";
const LONG_AGO: &str =
    "UPDATE feed SET last_news = last_news - 259200001, next_poll = 0, mean_gap = 3600000";

/// The kinds of notices that the hook got, each with its feed.
fn notices(server: &Server) -> Vec<(String, String)> {
    let notices = hook_payloads(server).into_iter().filter(|payload| payload["type"] == "notice");
    let word = |value: &serde_json::Value| value.as_str().expect("a word").to_owned();
    notices.map(|notice| (word(&notice["kind"]), word(&notice["feed"]))).collect()
}

fn of_wire(kinds: &[&str]) -> Vec<(String, String)> {
    kinds.iter().map(|kind| ((*kind).to_owned(), "wire-1".to_owned())).collect()
}

async fn setup_without_pages() -> Setup {
    let no_pages = |config: &str| config.replace("name: wire-1", "full_text: never, name: wire-1");
    Setup::with_config(no_pages, &[("arms.yaml", RULE)]).await
}

async fn round(folder: &Folder) {
    assert_eq!(folder.run(&["--once"]).wait().await, 0);
    // The floor for one's own hosts is a second: as if it had passed.
    folder.change("UPDATE feed SET last_poll = last_poll - 2000").await;
}

fn served(server: &Server, titles: &[&str]) {
    let entry = |title: &&str| {
        let link = format!("https://wire.example/{title}");
        Entry::full(title, &link, "Nothing that a rule would look for, in a text of a few words.")
    };
    server.serve(
        "/feed.xml",
        Response::feed(&wire::feed(&titles.iter().map(entry).collect::<Vec<_>>())),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_fails_for_a_day_is_reported_once_by_hook_and_by_mail_and_so_is_its_return() {
    let Setup { server, mail, folder } = setup_without_pages().await;
    round(&folder).await;
    assert_eq!(notices(&server), []);
    folder.change(DAY_AGO).await;
    round(&folder).await;
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["failing"]));
    served(&server, &["one"]);
    round(&folder).await;
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["failing", "well"]));
    let subjects: Vec<String> =
        mail.received().iter().map(crate::support::smtp::ReceivedMail::text).collect();
    assert_eq!(subjects.len(), 2);
    assert!(subjects[0].contains("Subject: The feed wire-1 cannot be read"), "{}", subjects[0]);
    assert!(subjects[1].contains("Subject: The feed wire-1 can be read again"), "{}", subjects[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_falls_silent_is_reported_once_and_so_is_what_it_brings_again() {
    let Setup { server, mail: _mail, folder } = setup_without_pages().await;
    served(&server, &["one"]);
    server.serve("/feed.xml", Response::feed(&dated(&["one"])).etag("\"1\""));
    round(&folder).await;
    folder.change(LONG_AGO).await;
    round(&folder).await;
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["silent"]));
    server.serve("/feed.xml", Response::feed(&dated(&["two", "one"])).etag("\"2\""));
    round(&folder).await;
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["silent", "well"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_gone_is_reported_at_once_and_is_well_when_it_is_read_at_its_new_address() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    server.serve("/hook", Response::status(200));
    server.serve("/feed.xml", Response::status(410));
    let config = one_feed_config(&server, mail.port());
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    round(&folder).await;
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["gone"]));
    assert_eq!(server.requests("/feed.xml").len(), 1);
    server.serve("/new.xml", Response::feed(&dated(&[])));
    folder.write("config.yaml", &config.replace("/feed.xml", "/new.xml"));
    round(&folder).await;
    assert_eq!(notices(&server), of_wire(&["gone", "well"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_of_several_feeds_can_be_read_one_notice_stands_for_all_and_one_for_their_return()
 {
    let (server, other, mail) = (Server::start().await, Server::start().await, Sink::start().await);
    server.serve("/hook", Response::status(200));
    let places = [(&server, "/one.xml"), (&other, "/two.xml"), (&server, "/three.xml")];
    let urls = places.map(|(server, path)| server.url(path));
    let config = config(&urls, &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let kinds = || notices(&server).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    let serve = |response: &Response| {
        for (server, path) in &places {
            server.serve(path, response.clone());
        }
    };
    for _ in 0..2 {
        serve(&Response::feed(&dated(&[])));
        round(&folder).await;
        serve(&Response::status(500));
        round(&folder).await;
        folder.change("UPDATE feed SET last_good = last_good - 86400001").await;
        folder.change(DAY_AGO).await;
        round(&folder).await;
        round(&folder).await;
    }
    assert_eq!(kinds(), ["away", "back", "away"]);

    serve(&Response::feed(&dated(&[])));
    server.serve("/one.xml", Response::status(500));
    round(&folder).await;
    folder.change("UPDATE feed SET next_poll = 0").await;
    round(&folder).await;
    assert_eq!(
        kinds(),
        ["away", "back", "away", "back", "failing"],
        "others are read, so this one is reported"
    );
    assert_eq!(mail.received().len(), 5);
    assert!(mail.received()[0].text().contains("Subject: No feed can be read"));
}

/// A feed with three dated items, an hour apart, and these titles first.
fn dated(titles: &[&str]) -> String {
    let item = |title: &str, hour: usize| {
        format!(
            "<item><title>{title}</title><link>https://wire.example/{title}</link><pubDate>Mon, 23 Nov 2026 {hour:02}:00:00 GMT</pubDate></item>"
        )
    };
    let items: String = titles
        .iter()
        .copied()
        .chain(["old", "older", "oldest"])
        .zip((0..20).rev())
        .map(|(title, hour)| item(title, hour))
        .collect();
    format!("<rss version=\"2.0\"><channel><title>Dated</title>{items}</channel></rss>")
}
