//! Hosts that need headers, cookies, a proxy or an old HTTP. They get them, and no other host does.

use std::time::Duration;

use crate::support::http::{Raw, Response, Server, Then};
use crate::support::proxy::{ProxyRequest, ProxyServer};
use crate::support::setup::RULE;
use crate::support::tidings::Folder;
use crate::support::tls::Ca;
use crate::support::wire::{self, Entry};

/// A configuration that polls these addresses and prints alerts. `rest` is appended.
pub fn config(feeds: &[&str], rest: &str) -> String {
    let feeds = feeds.join("\"\n  - \"");
    format!(
        "rules: rules\nnotify: [console]\nnotifiers:\n  console: {{type: console}}\nfeeds:\n  - \"{feeds}\"\n{rest}"
    )
}

/// Runs `tidings run --once` and returns the log. The log, the output and the store contain none of
/// `secrets`.
pub async fn once(folder: &Folder, secrets: &[&str]) -> String {
    let mut tidings = folder.run(&["--once"]);
    tidings.wait().await;
    let said = tidings.log().join("\n");
    let stored = folder.files("tidings.db").concat();
    for secret in secrets {
        assert!(!said.contains(secret), "{said}");
        assert!(
            !stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()),
            "{secret} is in the store"
        );
    }
    said
}

/// How much of every story was read.
pub const READ: &str =
    "SELECT title || ': ' || read || coalesce(', ' || read_why, '') FROM story ORDER BY title";

#[tokio::test(flavor = "multi_thread")]
async fn new_feeds_that_do_not_answer_give_way_to_another_of_their_host() {
    let server = Server::start().await;
    let (slow, slower) = (server.stall("/slow.xml"), server.stall("/slower.xml"));
    server.serve("/good.xml", Response::feed(&wire::feed(&[])));
    let feeds = ["/slow.xml", "/slower.xml", "/good.xml"].map(|path| server.url(path));
    let rest = "poll: {per_host: 1}\nnetwork: {allow: [127.0.0.0/8]}\n";
    let config = config(&feeds.each_ref().map(String::as_str), rest);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    // Each would keep the test waiting for fifteen seconds.
    let soon = tokio::time::timeout(Duration::from_secs(20), server.wait_for("/good.xml", 1));
    soon.await.expect("its turn comes in the first round");
    slow.release();
    slower.release();
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosts_headers_and_cookies_go_to_its_feeds_and_pages_and_along_no_redirect_to_another() {
    let (paying, other) = (Server::start().await, Server::start().await);
    let entries = [
        Entry::teaser("Here", &paying.url("/story")),
        Entry::teaser("Moved", &paying.url("/moved")),
        Entry::teaser("There", &other.url("/there")),
    ];
    paying.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    paying.serve("/story", Response::html(wire::PAGE));
    paying.serve("/moved", Response::status(302).header("location", &other.url("/new")));
    other.serve("/new", Response::html(wire::PAGE));
    other.serve("/there", Response::html(wire::PAGE));
    let host = paying.url("").replace("http://", "");
    let hosts = format!(
        "hosts:\n  {host}:\n    headers: {{Authorization: \"Bearer ${{TOKEN}}\", X-Edition: intl}}\n    \
         cookies: {{session: \"${{SESSION}}\"}}\n    user_agent: Reader/9\nnetwork: {{allow: [127.0.0.0/8]}}\n"
    );
    let folder = Folder::new(&config(&[&paying.url("/feed.xml")], &hosts), &[("arms.yaml", RULE)]);
    folder.set("TOKEN", "t0k3n-of-ana");
    folder.set("SESSION", "s3ssion-of-ana");
    // Traces of libraries are left out of the log under every filter.
    folder.set("TIDINGS_LOG", "trace,reqwest=trace,hyper=trace,hyper_util=trace,html5ever=trace");
    let said = once(&folder, &["t0k3n-of-ana", "s3ssion-of-ana"]).await;
    assert!(!said.contains("customs offices"), "a page's text is in the log: {said}");
    for path in ["/feed.xml", "/robots.txt", "/story", "/moved"] {
        let request = paying.requests(path).remove(0);
        assert_eq!(request.header("authorization"), Some("Bearer t0k3n-of-ana"), "{path}");
        assert_eq!(request.header("cookie"), Some("session=s3ssion-of-ana"), "{path}");
        assert_eq!(
            (request.header("x-edition"), request.header("user-agent")),
            (Some("intl"), Some("Reader/9"))
        );
    }
    for path in ["/robots.txt", "/new", "/there"] {
        let request = other.requests(path).remove(0);
        for header in ["authorization", "cookie", "x-edition"] {
            assert_eq!(request.header(header), None, "{path}");
        }
        assert!(request.header("user-agent").expect("a name").starts_with("Tidings/"));
    }
    assert_eq!(folder.query(READ).await, ["Here: full", "Moved: full", "There: full"]);
    paying.serve("/unseen", Response::html(wire::PAGE));
    let said = folder.command(&["explain", &paying.url("/unseen")]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(
        paying.requests("/unseen").remove(0).header("cookie"),
        Some("session=s3ssion-of-ana")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_http_proxy_carries_feeds_pages_and_hooks_and_may_be_private_itself() {
    let server = Server::start().await;
    let proxy = ProxyServer::http(server.port()).await;
    let entry = Entry::teaser("Freight", "http://wire.invalid:8080/story");
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/story", Response::html(wire::PAGE));
    server.serve("/hook", Response::status(204));
    let rest =
        format!("network: {{proxy: \"http://ana:${{PASSWORD}}@localhost:{}\"}}\n", proxy.port());
    let config =
        config(&["http://wire.invalid/feed.xml"], &rest).replace("[console]", "[hook]").replace(
            "notifiers:\n",
            "notifiers:\n  hook: {type: webhook, url: \"http://hook.invalid/hook\"}\n",
        );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    folder.set("PASSWORD", "pr0xy-w0rd");
    once(&folder, &["pr0xy-w0rd"]).await;
    let expected = [
        "GET http://wire.invalid/feed.xml",
        "GET http://wire.invalid:8080/robots.txt",
        "GET http://wire.invalid:8080/story",
        "POST http://hook.invalid/hook",
    ];
    assert_eq!(proxy.targets(), expected);
    assert!(
        proxy.requests().iter().all(|request| request.login.as_deref() == Some("ana:pr0xy-w0rd"))
    );
    assert_eq!(folder.query(READ).await, ["Freight: full"]);
    let hook = server.requests("/hook").remove(0);
    assert_eq!(
        hook.header("proxy-authorization"),
        Some(format!("Basic {}", "YW5hOnByMHh5LXcwcmQ=").as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_may_have_a_socks_proxy_that_looks_its_name_up() {
    let server = Server::start().await;
    let (own, everybodys) =
        (ProxyServer::socks(server.port()).await, ProxyServer::http(server.port()).await);
    server.serve(
        "/a.xml",
        Response::feed(&wire::feed(&[Entry::full("A", "http://x.example/1", wire::LONG)])),
    );
    server.serve(
        "/b.xml",
        Response::feed(&wire::feed(&[Entry::full("B", "http://x.example/2", &wire::long(2))])),
    );
    let rest = format!(
        "network: {{proxy: \"http://127.0.0.1:{}\"}}\nhosts:\n  \"*.onion.invalid\": {{proxy: \"socks5h://ana:${{PASSWORD}}@127.0.0.1:{}\"}}\n",
        everybodys.port(),
        own.port()
    );
    let feeds = ["http://news.onion.invalid/a.xml", "http://wire.invalid/b.xml"];
    let folder = Folder::new(&config(&feeds, &rest), &[("arms.yaml", RULE)]);
    folder.set("PASSWORD", "s0cks-w0rd");
    once(&folder, &["s0cks-w0rd"]).await;
    let request = ProxyRequest {
        target: "news.onion.invalid:80".to_owned(),
        login: Some("ana:s0cks-w0rd".to_owned()),
    };
    assert_eq!(own.requests(), [request]);
    assert_eq!(everybodys.targets(), ["GET http://wire.invalid/b.xml"]);
    assert_eq!(folder.query(READ).await, ["A: full", "B: full"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_socks_proxy_that_does_not_look_up_goes_the_very_address_that_was_checked() {
    let server = Server::start().await;
    let proxy = ProxyServer::socks(server.port()).await;
    server.serve(
        "/a.xml",
        Response::feed(&wire::feed(&[Entry::full("A", "http://x.example/1", wire::LONG)])),
    );
    let allow = "allow: [127.0.0.0/8, \"::1/128\"]";
    let rest = format!("network: {{{allow}, proxy: \"socks5://127.0.0.1:{}\"}}\n", proxy.port());
    let feeds = ["http://localhost:7/a.xml", "http://[::1]:8/a.xml", "http://127.1:9/a.xml"];
    let folder = Folder::new(&config(&feeds, &rest), &[("arms.yaml", RULE)]);
    once(&folder, &[]).await;
    let targets = proxy.targets();
    assert!(["127.0.0.1:7", "[::1]:7"].contains(&targets[0].as_str()), "{targets:?}");
    assert_eq!(targets[1..], ["127.0.0.1:9", "[::1]:8"]);
    assert_eq!(folder.query(READ).await, ["A: full"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn https_goes_through_a_tunnel_of_the_proxy_and_is_checked_at_its_end() {
    let ca = Ca::new();
    let feed = wire::feed(&[Entry::full("A", "http://x.example/1", wire::LONG)]);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{feed}", feed.len());
    let tls = ca.acceptor("wire.invalid");
    let server = Raw::start_with_tls(tls, Vec::leak(answer.into_bytes()), Then::Close).await;
    let (http, socks) =
        (ProxyServer::http(server.port()).await, ProxyServer::socks(server.port()).await);
    for (proxy, address, target) in [
        (&http, format!("http://127.0.0.1:{}", http.port()), "CONNECT wire.invalid:443"),
        (&socks, format!("socks5h://127.0.0.1:{}", socks.port()), "wire.invalid:443"),
    ] {
        let rest = format!("hosts: {{wire.invalid: {{http1: true, proxy: \"{address}\"}}}}\n");
        let folder =
            Folder::new(&config(&["https://wire.invalid/a.xml"], &rest), &[("arms.yaml", RULE)]);
        folder.write("ca.pem", &ca.pem());
        folder.set("SSL_CERT_FILE", &folder.place("ca.pem"));
        let said = once(&folder, &[]).await;
        assert_eq!(proxy.targets(), [target]);
        assert_eq!(folder.query(READ).await, ["A: full"], "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http1_keeps_a_host_from_being_offered_http2() {
    let ca = Ca::new();
    let feed = wire::feed(&[Entry::full("A", "http://x.example/1", wire::LONG)]);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{feed}", feed.len());
    let answer: &[u8] = Vec::leak(answer.into_bytes());
    for (http1, read) in [(true, &["A: full"][..]), (false, &[])] {
        // It offers HTTP/2, and then breaks its rules.
        let server =
            Raw::start_with_tls(ca.acceptor_of_http2("127.0.0.1"), answer, Then::Close).await;
        let rest = format!(
            "hosts: {{\"127.0.0.1:{}\": {{http1: {http1}}}}}\nnetwork: {{allow: [127.0.0.0/8]}}\n",
            server.port()
        );
        let url = format!("https://127.0.0.1:{}/a.xml", server.port());
        let folder = Folder::new(&config(&[&url], &rest), &[("arms.yaml", RULE)]);
        folder.write("ca.pem", &ca.pem());
        folder.set("SSL_CERT_FILE", &folder.place("ca.pem"));
        let said = once(&folder, &[]).await;
        assert_eq!(folder.query(READ).await, read, "{said}");
        let begins_as_http2 =
            server.heard().iter().any(|heard| heard.starts_with("PRI * HTTP/2.0"));
        assert_eq!(begins_as_http2, !http1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_away_is_named_in_what_is_said_of_its_feeds() {
    let server = Server::start().await;
    let port = server.port();
    drop(server);
    let rest = format!("network: {{proxy: \"socks5h://ana:${{PASSWORD}}@127.0.0.1:{port}\"}}\n");
    let folder =
        Folder::new(&config(&["http://wire.invalid/a.xml"], &rest), &[("arms.yaml", RULE)]);
    folder.set("PASSWORD", "s0cks-w0rd");
    let said = once(&folder, &["s0cks-w0rd"]).await;
    assert!(said.contains(&format!("through the proxy socks5h://127.0.0.1:{port}: ")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_need_no_configuration_ask_as_the_one_at_hand_says_and_nobody_if_it_is_broken()
 {
    let server = Server::start().await;
    server.serve(
        "/feed.xml",
        Response::feed(&wire::feed(&[Entry::full("Arms", "https://wire.example/1", wire::LONG)])),
    );
    let (feed, host) = (server.url("/feed.xml"), server.url("").replace("http://", ""));
    let hosts = format!("hosts:\n  {host}:\n    headers: {{X-Edition: intl}}\n");
    let folder = Folder::new(&config(&[&feed], &hosts), &[("arms.yaml", RULE)]);
    let commands =
        [&["feeds", "poll", &feed][..], &["feeds", "find", &feed], &["try", "arms", &feed]];
    for command in commands {
        let said = folder.bare_command(command).await;
        assert_eq!((said.code, said.errors.as_str()), (0, ""), "{command:?}");
        assert_eq!(
            server.requests("/feed.xml").last().expect("a request").header("x-edition"),
            Some("intl")
        );
    }
    let requests = server.requests("/feed.xml").len();
    folder.write("broken.yaml", "feeds: {");
    for command in commands {
        for (name, says) in [
            ("broken.yaml", "error"),
            ("missing.yaml", "error: the configuration missing.yaml cannot be read"),
        ] {
            let said = folder.bare_command(&[command, &["--config", name]].concat()).await;
            assert!(
                said.code == 78 && said.errors.starts_with(says),
                "{command:?} {}",
                said.errors
            );
        }
    }
    folder.write("config.yaml", "feeds: {");
    for command in commands {
        assert_eq!(folder.bare_command(command).await.code, 78, "{command:?}");
    }
    assert_eq!(
        server.requests("/feed.xml").len(),
        requests,
        "nobody is asked in another way than the configuration says"
    );
}
