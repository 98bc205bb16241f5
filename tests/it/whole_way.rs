//! From a feed to an alert that arrives: the real binary, a server for feeds and pages, a webhook
//! and a mail server on loopback.

use serde_json::Value;

use crate::support::http::{Response, Server, verify_signature};
use crate::support::setup::{RULE, SECRET, Setup, config, one_feed_config, serve_one_match};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

#[tokio::test(flavor = "multi_thread")]
async fn a_teaser_is_completed_by_its_page_and_sent_once_by_mail_and_once_by_hook() {
    let Setup { server, mail, folder } = Setup::new().await;
    server.serve("/story", Response::html(wire::PAGE));
    let feed =
        wire::feed(&[Entry::teaser("Freight over the bridge doubles", &server.url("/story"))]);
    server.serve("/feed.xml", Response::feed(&feed).etag("\"v1\""));
    server.serve("/hook", Response::status(204));

    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/hook", 1).await.remove(0);
    let received = mail.wait_for(1).await.remove(0);
    verify_signature(&hook, SECRET);
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    assert_eq!(payload["type"], "alert");
    assert_eq!(payload["rules"][0]["rule"], "arms");
    assert_eq!(payload["read"]["what"], "full");
    assert_eq!(payload["story"]["title"], "Freight over the bridge doubles");
    let terms: Vec<_> = payload["rules"][0]["evidence"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["term"])
        .collect();
    assert_eq!(terms, ["Russia", "North Korea", "arms"]);
    assert_eq!(received.to, ["ana@example.org"]);
    assert!(received.text().contains("Subject: "), "{}", received.text());

    let polls = server.wait_for("/feed.xml", 2).await;
    assert_eq!(polls[1].header("if-none-match"), Some("\"v1\""));
    assert_eq!(server.answered("/feed.xml", 2).await, 304);
    assert_eq!(tidings.terminate().await, 0);

    // A new run polls twice more. The last poll begins after the first is recorded. Nothing is sent
    // again.
    let before = server.requests("/feed.xml").len();
    let mut tidings = folder.run(&[]);
    server.wait_for("/feed.xml", before + 2).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(server.requests("/hook").len(), 1);
    assert_eq!(mail.received().len(), 1);
    assert_eq!(server.requests("/story").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_read_leaves_the_teaser_and_the_alert_says_so() {
    let Setup { server, mail, folder } = Setup::new().await;
    let entry = Entry::teaser("Russia and North Korea trade arms", &server.url("/gone"));
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/gone", Response::status(404));
    server.serve("/hook", Response::status(200));
    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/hook", 1).await.remove(0);
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    assert_eq!(payload["read"]["what"], "teaser");
    let why = payload["read"]["why"].as_str().expect("a reason");
    assert!(why.contains("404"), "{why}");
    let received = mail.wait_for(1).await.remove(0);
    assert!(received.plain().contains("404"), "{}", received.plain());
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rules_and_two_feeds_make_one_message_that_names_them_all() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    let entry = Entry::full(
        "Russia and North Korea trade arms",
        &server.url("/same?utm_source=a"),
        wire::LONG,
    );
    let other = Entry::full("Russia and North Korea trade arms", &server.url("/same"), wire::LONG);
    server.serve("/a.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/b.xml", Response::feed(&wire::feed(&[other])));
    server.serve("/hook", Response::status(200));
    let feeds = [server.url("/a.xml"), server.url("/b.xml")];
    let config = config(&feeds, &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let second = "rules:\n  - name: trade\n    when: trade AND (Russia OR China)\n";
    let folder = Folder::new(&config, &[("arms.yaml", RULE), ("trade.yaml", second)]);
    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/hook", 1).await.remove(0);
    mail.wait_for(1).await;
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    let names = |list: &Value, key: &str| -> Vec<String> {
        let of = |item: &Value| item[key].as_str().expect("a name").to_owned();
        list.as_array().expect("a list").iter().map(of).collect()
    };
    assert_eq!(names(&payload["rules"], "rule"), ["arms", "trade"]);
    let mut feeds = names(&payload["feeds"], "feed");
    feeds.sort();
    assert_eq!(feeds, ["wire-1", "wire-2"]);
    server.wait_for("/a.xml", 3).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!((server.requests("/hook").len(), mail.received().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_one_text_make_one_message_and_a_rule_that_a_later_copy_adds_makes_the_next() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    let first =
        Entry::full("Russia and North Korea trade arms", "https://wire.example/1", wire::LONG);
    server.serve("/a.xml", Response::feed(&wire::feed(&[first])));
    server.serve("/b.xml", Response::feed(&wire::feed(&[])));
    server.serve("/hook", Response::status(200));
    let feeds = [server.url("/a.xml"), server.url("/b.xml")];
    let config = config(&feeds, &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let local = "rules:\n  - name: local\n    when: Springfield\n";
    let folder = Folder::new(&config, &[("arms.yaml", RULE), ("local.yaml", local)]);
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    mail.wait_for(1).await;

    let copy = Entry::full(
        "Shells for oil",
        "https://paper.example/2",
        &format!("By Ana Writer. {}", wire::LONG),
    );
    let lead = format!("In Springfield, people spoke of it. {}", wire::LONG);
    let other = Entry::full("Springfield: shells for oil", "https://gazette.example/3", &lead);
    server.serve("/b.xml", Response::feed(&wire::feed(&[copy])));
    folder.wait_until("SELECT count(*) FROM alert", |count| count == "2").await;
    server.serve("/b.xml", Response::feed(&wire::feed(&[other])));
    let hook = server.wait_for("/hook", 2).await.remove(1);
    let received = mail.wait_for(2).await;
    assert_eq!(tidings.terminate().await, 0);

    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    assert_eq!(payload["rules"].as_array().expect("a list").len(), 1);
    assert_eq!(payload["rules"][0]["rule"], "local");
    let links: Vec<_> =
        payload["feeds"].as_array().expect("a list").iter().map(|copy| &copy["url"]).collect();
    assert_eq!(
        links,
        ["https://wire.example/1", "https://paper.example/2", "https://gazette.example/3"]
    );
    let text = received[1].plain();
    assert!(text.contains("copies") && text.contains("https://paper.example/2"), "{text}");
    assert_eq!((server.requests("/hook").len(), mail.received().len()), (2, 2));
    assert_eq!(
        folder.query("SELECT count(*) || ' of ' || count(DISTINCT event) FROM story").await,
        ["3 of 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_for_a_while_gets_its_message_and_holds_nobody_up() {
    let server = Server::start().await;
    let down = Sink::reserve();
    serve_one_match(&server);
    let config = one_feed_config(&server, down.port());
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    let said = tidings.wait_for_log(|line| line.contains("did not take a message")).await;
    assert!(said.contains("ana@example.org"), "{said}");
    let mail = down.open();
    assert_eq!(mail.wait_for(1).await[0].to, ["ana@example.org"]);
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!((server.requests("/hook").len(), mail.received().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_costs_the_other_nothing_and_is_kept_as_dead() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    mail.refuse("gone@example.org");
    serve_one_match(&server);
    let config = config(
        &[server.url("/feed.xml")],
        &server.url("/hook"),
        mail.port(),
        &["gone@example.org", "ana@example.org"],
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    assert_eq!(mail.wait_for(1).await[0].to, ["ana@example.org"]);
    let said = tidings.wait_for_log(|line| line.contains("refused a message")).await;
    assert!(said.contains("gone@example.org") && said.contains("550"), "{said}");
    // The others are notified of it.
    mail.wait_for(2).await;
    assert_eq!(tidings.terminate().await, 0);
    let dead = folder
        .query("SELECT status || ' ' || recipient FROM message WHERE event IS NOT NULL AND notifier = 'desk' ORDER BY 1")
        .await;
    assert_eq!(dead, ["dead gone@example.org", "sent ana@example.org"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ends_with_0_when_all_is_delivered_and_with_69_when_something_is_not() {
    let server = Server::start().await;
    let down = Sink::reserve();
    serve_one_match(&server);
    let config = one_feed_config(&server, down.port());
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    assert_eq!(folder.run(&["--once"]).wait().await, 69);
    assert_eq!(server.requests("/hook").len(), 1);
    let mail = down.open();
    // The next attempt is due five seconds after the first. Until then, `--once` has nothing to do.
    while folder.run(&["--once"]).wait().await == 69 {}
    assert_eq!(mail.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_delivers_what_a_fast_feed_brought_while_a_slow_one_was_polled() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    serve_one_match(&server);
    server.serve("/slow.xml", Response::feed(&wire::feed(&[])));
    let stall = server.stall("/slow.xml");
    let feeds = [server.url("/feed.xml"), server.url("/slow.xml")];
    let config = config(&feeds, &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(
        &config.replace("network:", "poll: {per_host: 2, first_poll: all}\nnetwork:"),
        &[("arms.yaml", RULE)],
    );
    let mut tidings = folder.run(&["--once"]);
    folder.wait_until("SELECT count(*) FROM message", |count| count == "2").await;
    stall.release();
    assert_eq!(tidings.wait().await, 0, "{:#?}", tidings.log());
    assert_eq!((server.requests("/hook").len(), mail.received().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_makes_a_story_match_is_sent_once() {
    let Setup { server, mail, folder } = Setup::new().await;
    let quiet = wire::LONG.replace("North Korea", "a neighbour");
    let item = |text: &str| {
        wire::feed(&[Entry::full("Trade across the river", "https://wire.example/1", text)])
    };
    server.serve("/feed.xml", Response::feed(&item(&quiet)));
    server.serve("/hook", Response::status(200));
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT status FROM story", |status| status == "unmatched").await;
    server.serve("/feed.xml", Response::feed(&item(wire::LONG)));
    server.wait_for("/hook", 1).await;
    server.serve("/feed.xml", Response::feed(&item(&wire::LONG.replace("snow", "ice"))));
    let polls = server.requests("/feed.xml").len();
    server.wait_for("/feed.xml", polls + 2).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!((server.requests("/hook").len(), mail.received().len()), (1, 1));
    assert_eq!(folder.query("SELECT count(*) FROM story").await, ["1"]);
}
