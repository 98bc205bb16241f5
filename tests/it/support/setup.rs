//! The setup of most tests: a server with a feed and a webhook, a mail server, and a folder with a
//! configuration that names them.

use crate::support::http::{Response, Server};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// The secret of the webhook.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The rule of most tests.
pub const RULE: &str = "rules:\n  - name: arms\n    when: Russia AND North Korea AND arms\n";

/// The recipient of mails.
const ANA: &str = "ana@example.org";

/// Servers on loopback, and a folder for Tidings. No run is started.
pub struct Setup {
    pub server: Server,
    pub mail: Sink,
    pub folder: Folder,
}

impl Setup {
    /// One feed at `/feed.xml`, a webhook at `/hook` that accepts every message, a recipient of
    /// mails, and [`RULE`].
    pub async fn new() -> Self {
        Self::with_rules(&[("arms.yaml", RULE)]).await
    }

    /// The same with other rule files.
    pub async fn with_rules(rules: &[(&str, &str)]) -> Self {
        Self::with_config(ToOwned::to_owned, rules).await
    }

    /// The same with a changed configuration.
    pub async fn with_config(change: impl FnOnce(&str) -> String, rules: &[(&str, &str)]) -> Self {
        let (server, mail) = (Server::start().await, Sink::start().await);
        server.serve("/hook", Response::status(204));
        let config = change(&one_feed_config(&server, mail.port()));
        let folder = Folder::new(&config, rules);
        Self { server, mail, folder }
    }
}

/// A free address on loopback. The listener that found it is closed.
pub fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// A configuration that polls `feeds` each second and notifies the webhook and the recipients.
pub fn config(feeds: &[String], hook: &str, smtp: u16, recipients: &[&str]) -> String {
    let feed = |(index, url): (usize, &String)| {
        format!("  - {{url: \"{url}\", name: wire-{}, every: 1s}}", index + 1)
    };
    let feeds = feeds.iter().enumerate().map(feed).collect::<Vec<_>>().join("\n");
    format!(
        "store: sqlite:tidings.db\nrules: rules\nzone: UTC\nnotify: [hook, desk]\nfeeds:\n{feeds}\nnotifiers:\n  \
         hook: {{type: webhook, url: \"{hook}\", secret: {SECRET}}}\n  \
         desk: {{type: email, smtp: \"smtp://127.0.0.1:{smtp}\", from: Tidings <tidings@example.org>, to: [{}]}}\n\
         network: {{allow: [127.0.0.0/8]}}\n",
        recipients.join(", ")
    )
}

/// The configuration for `/feed.xml` and `/hook` of `server`, and one recipient.
pub fn one_feed_config(server: &Server, smtp: u16) -> String {
    config(&[server.url("/feed.xml")], &server.url("/hook"), smtp, &[ANA])
}

/// A feed with one story that [`RULE`] matches and that needs no page, and a webhook that accepts
/// every message.
pub fn serve_one_match(server: &Server) {
    let entry =
        Entry::full("Russia and North Korea trade arms", "https://wire.example/1", wire::LONG);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/hook", Response::status(200));
}

/// A feed of stories that [`RULE`] matches, with these numbers.
pub fn matching_stories(server: &Server, numbers: impl IntoIterator<Item = usize>) -> Response {
    let entry = |n: usize| {
        let title = format!("Russia and North Korea trade arms, part {n}");
        Entry::full(&title, &server.url(&format!("/story/{n}")), &wire::long(n))
    };
    Response::feed(&wire::feed(&numbers.into_iter().map(entry).collect::<Vec<_>>()))
}

/// The JSON that was sent to `/hook`.
pub fn hook_payloads(server: &Server) -> Vec<serde_json::Value> {
    let requests = server.requests("/hook").into_iter();
    requests.map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}
