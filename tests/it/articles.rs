//! Article pages: `robots.txt`, other versions of a page, pages that are not articles, and pages
//! that are edited later.

mod evidence;

use serde_json::Value;

use crate::hosts::{READ, config, once};
use crate::support::http::{Response, Server};
use crate::support::setup::{self, RULE};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

const OWN: &str = "network: {allow: [127.0.0.0/8]}\n";

/// How much was read of the stories of a feed with these entries.
async fn read(server: &Server, entries: &[Entry]) -> (Folder, Vec<String>) {
    server.serve("/feed.xml", Response::feed(&wire::feed(entries)));
    let folder = Folder::new(&config(&[&server.url("/feed.xml")], OWN), &[("arms.yaml", RULE)]);
    once(&folder, &[]).await;
    let read = folder.query(READ).await;
    (folder, read)
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_asked_for_once_a_host_and_obeyed_for_pages_and_their_redirects() {
    let (server, other) = (Server::start().await, Server::start().await);
    let robots = "User-agent: *\nDisallow: /\n\nUser-agent: tidings\nDisallow: /private\n";
    server.serve("/robots.txt", Response::html(robots));
    other.serve("/robots.txt", Response::html("User-agent: *\nDisallow: /closed\n"));
    for path in ["/open", "/open/2", "/private/1"] {
        server.serve(path, Response::html(wire::PAGE));
    }
    other.serve("/closed", Response::html(wire::PAGE));
    server.serve("/moved", Response::status(302).header("location", &other.url("/closed")));
    let entries = [
        Entry::teaser("A", &server.url("/open")),
        Entry::teaser("B", &server.url("/open/2")),
        Entry::teaser("C", &server.url("/private/1")),
        Entry::teaser("D", &server.url("/moved")),
    ];
    let (folder, read) = read(&server, &entries).await;
    let refused =
        "teaser, its page could not be read: its host's robots.txt forbids robots to read it";
    assert_eq!(read, ["A: full", "B: full", &format!("C: {refused}"), &format!("D: {refused}")]);
    assert_eq!((server.requests("/robots.txt").len(), other.requests("/robots.txt").len()), (1, 1));
    assert_eq!((server.requests("/private/1").len(), other.requests("/closed").len()), (0, 0));
    assert_eq!(server.requests("/feed.xml").len(), 1, "feeds are for robots");
    let agent = server.requests("/robots.txt").remove(0);
    assert!(agent.header("user-agent").expect("a name").starts_with("Tidings/"));
    let said = folder.command(&["explain", &server.url("/private/1")]).await;
    assert!(said.output.contains("robots.txt"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_asked_for_until_its_host_can_say_what_it_asks_of_robots() {
    let server = Server::start().await;
    server.serve("/robots.txt", Response::status(500));
    server.serve("/story", Response::html(wire::PAGE));
    server.serve(
        "/feed.xml",
        Response::feed(&wire::feed(&[Entry::teaser("A", &server.url("/story"))])),
    );
    let folder = Folder::new(&config(&[&server.url("/feed.xml")], OWN), &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT page_attempts FROM story", |attempts| attempts == "1").await;
    assert_eq!(server.requests("/story").len(), 0);
    server.serve("/robots.txt", Response::status(404));
    server.wait_for("/story", 1).await;
    folder.wait_until("SELECT read FROM story", |read| read == "full").await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(server.requests("/robots.txt").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_waited_while_nothing_ran_is_tried_once_more() {
    let server = Server::start().await;
    server.serve("/story", Response::status(500));
    let entry = Entry::teaser("A", &server.url("/story"));
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    let folder = Folder::new(&config(&[&server.url("/feed.xml")], OWN), &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT page_attempts FROM story", |attempts| attempts == "1").await;
    assert_eq!(tidings.terminate().await, 0);
    // An hour later.
    folder
        .change("UPDATE story SET waiting_since = waiting_since - 3600000, due = due - 3600000")
        .await;
    server.serve("/story", Response::html(wire::PAGE));
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT coalesce(read, '') FROM story", |read| !read.is_empty()).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(folder.query(READ).await, ["A: full"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_is_read_by_its_amp_version_and_an_amp_page_by_the_page_itself() {
    let server = Server::start().await;
    let stub =
        "<html><head><link rel=amphtml href=/amp></head><body><div id=app></div></body></html>";
    server.serve("/stub", Response::html(stub));
    server.serve("/amp", Response::html(wire::PAGE));
    let amp = "<html amp><head><link rel=canonical href=/whole></head><body><p>The first paragraph.</p></body></html>";
    server.serve("/of-amp", Response::html(amp));
    server.serve("/whole", Response::html(wire::PAGE));
    let gone = wire::PAGE.replace(
        "<html lang=en><head>",
        "<html amp><head><link rel=canonical href=/gone-from-the-wire>",
    );
    server.serve("/amp-only", Response::html(&gone));
    server.serve("/nothing", Response::html(&stub.replace("/amp", "/none")));
    let entries = [
        Entry::teaser("A", &server.url("/stub")),
        Entry::teaser("B", &server.url("/of-amp")),
        Entry::teaser("C", &server.url("/amp-only")),
        Entry::teaser("D", &server.url("/nothing")),
    ];
    let (folder, read) = read(&server, &entries).await;
    let nothing =
        "D: teaser, the page holds no article that can be distinguished from the rest of it";
    assert_eq!(read, ["A: full", "B: full", "C: full", nothing]);
    assert_eq!(folder.query("SELECT DISTINCT page_fetches FROM story").await, ["2"]);
    assert_eq!(folder.query("SELECT count(*) FROM story WHERE status = 'matched'").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_hold_something_else_leave_the_teaser_and_say_what_they_are() {
    let server = Server::start().await;
    let page = |text: &str| {
        format!(
            "<html><head><title>The Wire</title></head><body><main><h1>Freight</h1><p>{text}</p></main></body></html>"
        )
    };
    let pages = [
        (
            "A",
            "/consent",
            page(
                "We value your privacy. We and our partners store and access information on a device.",
            ),
        ),
        (
            "B",
            "/paywall",
            page(
                "Freight over the bridge has doubled. Subscribe to continue reading this article.",
            ),
        ),
        ("C", "/robot", page("Please verify you are human by completing the action below.")),
        ("D", "/error", page("The page you are looking for may have been moved.")),
    ];
    let mut entries = Vec::new();
    for (title, path, html) in &pages {
        server.serve(path, Response::html(html));
        entries.push(Entry::teaser(title, &server.url(path)));
    }
    server.serve("/front", Response::status(301).header("location", "/"));
    server.serve("/", Response::html(wire::PAGE));
    entries.push(Entry::teaser("E", &server.url("/front")));
    entries.push(Entry::teaser("F", &server.url("/none")));
    let (_folder, read) = read(&server, &entries).await;
    let expected = [
        "A: teaser, the page asks for consent first",
        "B: teaser, the page is behind a paywall",
        "C: teaser, the page checks whether a robot reads it",
        "D: teaser, the page is an error page",
        "E: teaser, the link leads to a front page now",
        "F: teaser, its page could not be read: the server answered 404 Not Found",
    ];
    assert_eq!(read, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_edited_behind_an_unchanged_item_alerts_for_the_rules_that_have_not_matched() {
    let server = Server::start().await;
    let mail = Sink::start().await;
    let entry = Entry::teaser("Freight over the bridge doubles", &server.url("/story"));
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/story", Response::html(wire::PAGE));
    server.serve("/hook", Response::status(204));
    let whole = setup::config(
        &[server.url("/feed.xml")],
        &server.url("/hook"),
        mail.port(),
        &["a@example.org"],
    );
    let config = whole.replace("every: 1s", "every: 1s, recheck: [1h, 24h]");
    let rules = "rules:\n  - {name: arms, when: Russia AND North Korea AND arms}\n  - {name: coal, when: coal}\n";
    let folder = Folder::new(&config, &[("rules.yaml", rules)]);
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    assert_eq!(tidings.terminate().await, 0);
    let hour = "SELECT (recheck_at - first_seen) / 1000 FROM story";
    assert_eq!(folder.query(hour).await, ["3600"]);

    server.serve("/story", Response::html(&wire::PAGE.replace("shoes", "coal")));
    assert_eq!(folder.change("UPDATE story SET recheck_at = first_seen").await, 1);
    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/hook", 2).await.remove(1);
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    assert_eq!(payload["rules"].as_array().expect("a list").len(), 1);
    assert_eq!(
        (&payload["rules"][0]["rule"], &payload["read"]["what"]),
        (&"coal".into(), &"full".into())
    );
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(folder.query("SELECT revision || ', ' || page_fetches FROM story").await, ["2, 2"]);

    // The third attempt is the last. If the page is gone by then, nothing changes.
    server.serve("/story", Response::status(410));
    for expected in ["3", "3"] {
        folder.change("UPDATE story SET recheck_at = first_seen").await;
        folder.run(&["--once"]).wait().await;
        assert_eq!(
            folder.query("SELECT page_fetches FROM story WHERE recheck_at IS NULL").await,
            [expected]
        );
    }
    assert_eq!((server.requests("/story").len(), server.requests("/hook").len()), (3, 2));
    assert_eq!(
        folder.query("SELECT read || ', ' || (body LIKE '%coal%') FROM story").await,
        ["full, 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_feed_is_hinted_only_pages_of_teasers_with_a_word_of_a_rule_are_read() {
    let server = Server::start().await;
    server.serve("/a", Response::html(wire::PAGE));
    let entries = [
        Entry::teaser("A", &server.url("/a")),
        Entry::full("B", &server.url("/b"), "Grain prices fell at the market in the capital."),
    ];
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let feed = format!("{{url: \"{}\", full_text: hinted}}", server.url("/feed.xml"));
    let config = config(&[&server.url("/feed.xml")], OWN)
        .replace(&format!("\"{}\"", server.url("/feed.xml")), &feed);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    once(&folder, &[]).await;
    let skipped =
        "B: teaser, `full_text` is `hinted` for its feed, and no rule looks for a word of it";
    assert_eq!(folder.query(READ).await, ["A: full", skipped]);
    assert_eq!((server.requests("/a").len(), server.requests("/b").len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_asked_for_where_its_feed_or_the_rules_want_none() {
    let server = Server::start().await;
    server.serve("/story", Response::html(wire::PAGE));
    let entries = [Entry::teaser("Arms", &server.url("/story"))];
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let feed = format!("{{url: {}, full_text: never}}", server.url("/feed.xml"));
    let of_title = "rules:\n  - {name: arms, when: title:arms}\n";
    for (feed, rule, why) in [
        (&*feed, RULE, "`full_text` is `never` for its feed"),
        (&server.url("/feed.xml"), of_title, "no rule for its feed reads the text"),
    ] {
        let config = config(&["FEED"], OWN).replace("\"FEED\"", feed);
        let folder = Folder::new(&config, &[("arms.yaml", rule)]);
        once(&folder, &[]).await;
        assert_eq!(folder.query(READ).await, [format!("Arms: teaser, {why}")]);
    }
    assert_eq!(server.requests("/story").len(), 0);
    assert_eq!(server.requests("/robots.txt").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_document_is_its_body_says_and_not_its_content_type() {
    let server = Server::start().await;
    let page = server.url("/story");
    let feed = wire::feed(&[Entry::teaser("Arms", &page)]);
    server.serve("/feed.xml", Response::html(&feed));
    server.serve("/story", Response::feed(wire::PAGE));
    let folder = Folder::new(&config(&[&server.url("/feed.xml")], OWN), &[("arms.yaml", RULE)]);
    once(&folder, &[]).await;
    assert_eq!(folder.query(READ).await.len(), 1, "a feed that calls itself a page is a feed");
    let found = folder.bare_command(&["feeds", "poll", &page]).await;
    assert!(
        found.code == 65 && found.errors.contains("this is a web page, not a feed"),
        "{}",
        found.errors
    );
}
