//! `tidings feeds`: one feed as it is now, discovery of feeds, lists of feeds, and their health.

mod backfill;
mod editorial;
mod health;
mod identity;

use serde_json::Value;

use crate::support::http::{Response, Server};
use crate::support::setup::{RULE, config};
use crate::support::smtp::Sink;
use crate::support::tidings::{Folder, Said};
use crate::support::wire::{self, Entry};

/// Invented subscriptions, with common faults of lists.
const OPML: &str = "<?xml version='1.0'?><opml version='1.0'><body><outline text='Ports & ships'><outline title='Asia'>\
    <outline text='Harbour &amp; more' xmlUrl='https://harbour.example/?a=1&b=2$'/></outline>\
    <outline xmlUrl='https://quay.example/rss'></outline></outline><outline text='Quay' type='rss' xmlUrl='feed://mole.example/'/></body></opml>";

/// A configuration without feeds, and below it `feeds`.
fn watching(feeds: &str) -> String {
    format!(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [console]\nnotifiers: {{console: {{type: console}}}}\nfeeds:\n{feeds}"
    )
}

fn lines(said: &Said) -> Vec<Value> {
    said.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_polled_without_a_configuration_and_shown_as_the_rules_see_it() {
    let server = Server::start().await;
    let entries = [
        Entry::full("Freight doubles", "https://wire.example/1", wire::LONG),
        Entry::teaser("Trade &amp; <b>arms</b>", "https://wire.example/2?utm_source=rss"),
    ];
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let folder = Folder::new("", &[]);
    let said =
        folder.bare_command(&["feeds", "poll", &server.url("/feed.xml"), "--format", "json"]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    let shown: Value = serde_json::from_str(&said.output).expect("one object");
    assert_eq!(shown["feed"], "Test wire");
    assert_eq!(shown["url"], server.url("/feed.xml"));
    let items = shown["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["story"]["body"], &items[0]["read"]["what"]),
        (&Value::from(wire::LONG), &Value::from("full"))
    );
    assert_eq!(
        (&items[1]["story"]["title"], &items[1]["read"]["what"]),
        (&Value::from("Trade & arms"), &Value::from("teaser"))
    );

    folder.write("wire.xml", &wire::feed(&entries));
    let said = folder.bare_command(&["feeds", "poll", "wire.xml"]).await;
    insta::assert_snapshot!("feeds_poll", said.output);
    assert!(folder.files("tidings.db").is_empty(), "nothing is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_feed_and_what_cannot_be_reached_are_different_errors() {
    let server = Server::start().await;
    server.serve(
        "/page",
        Response::html("<!doctype html><link rel=alternate type=application/rss+xml href=/f><p>x"),
    );
    server.serve("/down", Response::status(503));
    let folder = Folder::new("", &[]);
    folder.write("notes.txt", "no feed");
    for (place, code, why) in [
        (server.url("/page"), 65, "this is a web page, not a feed; the page names"),
        ("notes.txt".to_owned(), 65, "this is not a feed"),
        (server.url("/down"), 69, "the server answered 503"),
        ("missing.xml".to_owned(), 69, "there is no such file"),
    ] {
        let said = folder.bare_command(&["feeds", "poll", &place]).await;
        assert_eq!((said.code, said.output.as_str()), (code, ""), "{place}");
        assert!(said.errors.contains(why), "{}", said.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_feeds_are_what_its_page_names_or_the_page_itself_or_in_the_usual_places() {
    let (server, bare) = (Server::start().await, Server::start().await);
    let page = "<!doctype html><link rel=alternate type=application/atom+xml title='All news' href=/all><a href=/rss>RSS</a>";
    server.serve("/news", Response::html(page));
    server.serve("/all", Response::feed(&wire::feed(&[])));
    bare.serve("/", Response::html("<!doctype html><p>x"));
    bare.serve("/feed", Response::html("<!doctype html><p>also a page"));
    bare.serve("/rss.xml", Response::feed(&wire::feed(&[])));
    let folder = Folder::new("", &[]);
    let find = async |url: String| folder.bare_command(&["feeds", "find", &url]).await;

    let named = find(server.url("/news")).await;
    assert_eq!(named.output, format!("{}  All news\n{}\n", server.url("/all"), server.url("/rss")));
    assert_eq!(
        find(server.url("/all")).await.output,
        format!("{}  Test wire\n", server.url("/all"))
    );
    assert_eq!(find(bare.url("/")).await.output, format!("{}  Test wire\n", bare.url("/rss.xml")));

    let json =
        folder.bare_command(&["feeds", "find", &server.url("/news"), "--format", "json"]).await;
    assert_eq!(
        lines(&json)[0],
        serde_json::json!({ "url": server.url("/all"), "title": "All news" })
    );
    bare.serve("/rss.xml", Response::status(404));
    let nothing = find(bare.url("/")).await;
    assert_eq!((nothing.code, nothing.output.as_str()), (65, ""));
    assert!(nothing.errors.contains("links no feed"), "{}", nothing.errors);
    assert_eq!(find(bare.url("/missing")).await.code, 69);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_becomes_lines_for_the_configuration_or_is_followed_and_goes_out_again() {
    let folder = Folder::new("", &[("arms.yaml", RULE)]);
    folder.write("subscriptions.opml", OPML);
    let imported = folder.bare_command(&["feeds", "import", "subscriptions.opml"]).await;
    insta::assert_snapshot!("feeds_import", imported.output);
    assert!(
        imported.errors.contains("feeds: [{opml: \"subscriptions.opml\"}]"),
        "{}",
        imported.errors
    );

    folder.write("config.yaml", &watching(imported.output.trim_start_matches("feeds:\n")));
    let listed = lines(&folder.command(&["feeds", "list", "--format", "json"]).await);
    let exported = folder.command(&["feeds", "export"]).await.output;
    folder.write("config.yaml", &watching("  - opml: subscriptions.opml\n"));
    assert_eq!(lines(&folder.command(&["feeds", "list", "--format", "json"]).await), listed);
    assert_eq!(listed.len(), 3);
    assert_eq!(
        (&listed[0]["health"], &listed[0]["tags"]),
        (&Value::from("new"), &Value::from(vec!["Asia", "Ports & ships"]))
    );

    folder.write("exported.opml", &exported);
    let again = folder.bare_command(&["feeds", "import", "exported.opml"]).await.output;
    assert_eq!(sorted(&again), sorted(&imported.output));

    folder.write("subscriptions.opml", "<rss/>");
    let said = folder.bare_command(&["feeds", "import", "subscriptions.opml"]).await;
    assert_eq!((said.code, said.output.as_str()), (65, ""));
    assert!(said.errors.contains("this is not OPML"), "{}", said.errors);
    assert_eq!(folder.bare_command(&["feeds", "import", "missing.opml"]).await.code, 69);
    let broken = folder.command(&["check"]).await;
    assert_eq!(broken.code, 78);
    assert!(broken.errors.contains("this is not OPML"), "{}", broken.errors);
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_a_list_and_the_configuration_name_is_as_the_configuration_says() {
    let feeds = "  - {opml: subscriptions.opml, tags: listed, full_text: never}\n  - {url: \"https://quay.example/rss\", name: Mine}\n";
    let folder = Folder::new(&watching(feeds), &[("arms.yaml", RULE)]);
    folder.write("subscriptions.opml", OPML);
    let listed = lines(&folder.command(&["feeds", "list", "--format", "json"]).await);
    let shown: Vec<_> = listed
        .iter()
        .map(|feed| (feed["feed"].as_str().expect("a name"), feed["tags"].to_string()))
        .collect();
    let expected = [
        ("Mine", "[]".to_owned()),
        ("Harbour & more", "[\"Asia\",\"Ports & ships\",\"listed\"]".to_owned()),
        ("Quay", "[\"listed\"]".to_owned()),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_says_of_every_feed_its_health_and_its_error() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    let entry = Entry::full("Freight doubles", "https://wire.example/1", wire::LONG);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/hook", Response::status(200));
    server.serve("/gone.xml", Response::status(410));
    let feeds = ["/feed.xml", "/missing.xml", "/gone.xml"].map(|path| server.url(path));
    let config = config(&feeds, &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    assert_eq!(folder.run(&["--once"]).wait().await, 0);

    let listed = lines(&folder.command(&["feeds", "list", "--format", "json"]).await);
    let health: Vec<_> =
        listed.iter().map(|feed| feed["health"].as_str().expect("a word")).collect();
    assert_eq!(health, ["well", "failing", "gone"]);
    assert_eq!(listed[1]["why"], "the server answered 404 Not Found");
    assert!(listed[0]["last_change"].is_string() && listed[1]["last_change"].is_null());
    assert!(listed[1]["failing_since"].is_string() && listed[1]["next_poll"].is_string());
    assert!(listed[2]["next_poll"].is_null());
    let shown = folder.command(&["feeds", "list"]).await.output;
    assert!(shown.contains("404") && shown.ends_with("3 feeds, 2 not well\n"), "{shown}");
}
