//! The guard in the whole program: no feed, redirect, article or hook reaches a private address, in
//! any spelling and through any proxy.

use tidings::config::{Network, Proxy};
use tokio::net::TcpListener;

use crate::hosts::{READ, config, once};
use crate::support::http::{Response, Server};
use crate::support::proxy::ProxyServer;
use crate::support::setup::RULE;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::webhook::{hook, put_off, send_through};

/// Private addresses in many spellings. The port is open at all that belong to this machine.
fn places(port: u16) -> Vec<String> {
    let hosts = [
        "127.0.0.2",
        "0x7f.2",
        "2130706434",
        "0177.0.0.2",
        "127.2",
        "127.0.0.2.",
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "[64:ff9b::7f00:2]",
        "[2002:7f00:2::]",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "192.168.1.1",
    ];
    hosts.iter().map(|host| format!("http://{host}:{port}/secret")).collect()
}

/// A listener at another address of this machine that nothing may reach.
async fn private() -> TcpListener {
    TcpListener::bind("127.0.0.2:0").await.expect("a free port")
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("an address").port()
}

/// Fails if there was a connection.
async fn nobody_came(private: TcpListener) {
    let came = futures_util::future::poll_immediate(private.accept()).await;
    assert!(came.is_none(), "{came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_feed_is_polled_at_a_private_place_in_any_spelling() {
    let private = private().await;
    let mut places = places(port(&private));
    places.push(format!("http://localhost:{}/secret", port(&private)));
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let folder = Folder::new(&config(&places, ""), &[("arms.yaml", RULE)]);
    let said = once(&folder, &[]).await;
    let refused = |line: &&str| {
        line.contains("cannot be read") && line.contains("a private or special address")
    };
    assert_eq!(said.lines().filter(refused).count(), places.len(), "{said}");
    nobody_came(private).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_article_and_no_redirect_of_one_leads_to_a_private_place() {
    let server = Server::start().await;
    let private = private().await;
    let mut entries = Vec::new();
    for (index, place) in places(port(&private)).iter().enumerate() {
        entries.push(Entry::teaser(&format!("direct {index}"), place));
        server.serve(&format!("/{index}"), Response::status(302).header("location", place));
        entries
            .push(Entry::teaser(&format!("redirect {index}"), &server.url(&format!("/{index}"))));
    }
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let folder = Folder::new(
        &config(
            &[&server.url("/feed.xml")],
            "network: {allow: [127.0.0.1/32]}\npoll: {first_poll: all}\n",
        ),
        &[("arms.yaml", RULE)],
    );
    once(&folder, &[]).await;
    let read = folder.query(READ).await;
    assert_eq!(read.len(), entries.len());
    assert!(read.iter().all(|read| read.contains("a private or special address")), "{read:#?}");
    nobody_came(private).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_robots_txt_nor_an_amp_version_leads_to_a_private_place() {
    let server = Server::start().await;
    let private = private().await;
    let place = format!("http://127.0.0.2:{}/secret", port(&private));
    let stub = format!(
        "<html><head><link rel=amphtml href='{place}'></head><body><p>Loading</p></body></html>"
    );
    server.serve("/stub", Response::html(&stub));
    let other = Server::start().await;
    other.serve("/robots.txt", Response::status(301).header("location", &place));
    other.serve("/story", Response::html(wire::PAGE));
    let entries =
        [Entry::teaser("AMP", &server.url("/stub")), Entry::teaser("Robots", &other.url("/story"))];
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let folder = Folder::new(
        &config(
            &[&server.url("/feed.xml")],
            "network: {allow: [127.0.0.1/32]}\npoll: {first_poll: all}\n",
        ),
        &[("arms.yaml", RULE)],
    );
    let mut tidings = folder.run(&[]);
    // The host whose `robots.txt` cannot be read is asked again later. Only that page waits.
    folder
        .wait_until("SELECT page_attempts FROM story WHERE title = 'Robots'", |attempts| {
            attempts == "1"
        })
        .await;
    folder.wait_until("SELECT read FROM story WHERE title = 'AMP'", |read| read == "teaser").await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(other.requests("/story").len(), 0);
    nobody_came(private).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_opens_no_hole_for_feeds_redirects_and_articles() {
    let server = Server::start().await;
    let places = places(server.port());
    let by_name = format!("http://localhost:{}/secret", server.port());
    let mut entries: Vec<Entry> = Vec::new();
    for (index, place) in places.iter().chain([&by_name]).enumerate() {
        entries.push(Entry::teaser(&format!("direct {index}"), place));
        server.serve(&format!("/{index}"), Response::status(302).header("location", place));
        entries.push(Entry::teaser(
            &format!("redirect {index}"),
            &format!("http://wire.invalid/{index}"),
        ));
    }
    server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    for (proxy, scheme) in [
        (ProxyServer::http(server.port()).await, "http"),
        (ProxyServer::socks(server.port()).await, "socks5h"),
    ] {
        // The proxy's own host has a name that feeds may not use.
        let rest = format!(
            "network: {{proxy: \"{scheme}://localhost:{}\"}}\npoll: {{gap: 0s, first_poll: all}}\n",
            proxy.port()
        );
        let feeds = ["http://wire.invalid/feed.xml", &by_name, &places[0], &places[6]];
        let folder = Folder::new(&config(&feeds, &rest), &[("arms.yaml", RULE)]);
        let said = once(&folder, &[]).await;
        let refused = |line: &&str| {
            line.contains("cannot be read") && line.contains("a private or special address")
        };
        let refused = said.lines().filter(refused).count();
        assert_eq!(refused, feeds.len() - 1, "{said}");
        let read = folder.query(READ).await;
        assert_eq!(read.len(), entries.len(), "{said}");
        assert!(read.iter().all(|read| read.contains("a private or special address")), "{read:#?}");
        let asked = proxy.targets();
        assert!(asked.iter().all(|target| target.contains("wire.invalid")), "{asked:#?}");
    }
    assert_eq!(server.requests("/secret").len(), 0);
}

#[tokio::test]
async fn no_hook_is_sent_to_a_private_place_directly_or_by_a_proxy() {
    let server = Server::start().await;
    server.serve("/secret", Response::status(204));
    let proxy = ProxyServer::http(server.port()).await;
    let named = Proxy(format!("http://127.0.0.1:{}", proxy.port()).parse().expect("an address"));
    let mut places = places(server.port());
    places.push(format!("http://localhost:{}/secret", server.port()));
    for place in places {
        for proxy in [None, Some(named.clone())] {
            let network = Network { proxy, ..Network::default() };
            let why = put_off(send_through(hook(&place), network).await, false);
            assert!(why.contains("a private or special address"), "{place}: {why}");
        }
    }
    assert_eq!((proxy.requests(), server.requests("/secret").len()), (Vec::new(), 0));
}
