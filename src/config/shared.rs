//! What all nodes of a store must have the same of their configurations, as a hash.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{Config, Email, FeedConfig, Notifier, Webhook, WebhookBody};

impl Config {
    /// A hash of what all nodes of a store must have the same: feeds, notifiers with their secrets,
    /// policies, publishers, and when feeds are polled and data is removed. Not of what belongs to
    /// a machine: paths, the store, the network, hosts, the web listener and the heartbeat.
    #[must_use]
    pub fn shared_hash(&self) -> String {
        let mut parts = SharedParts::default();
        let Self { zone, publishers, notify, receiving, delivery_policies, .. } = self;
        parts.add(&(zone.iana_name(), publishers, notify, receiving, delivery_policies));
        parts.add(&(&self.poll, &self.retain, &self.report));
        for feed in &self.feeds {
            parts.add_feed(feed);
        }
        for (name, notifier) in &self.notifiers {
            parts.add(name);
            match notifier {
                Notifier::Console(format) => parts.add(format),
                Notifier::Email(email) => parts.add_email(email),
                Notifier::Webhook(webhook) => parts.add_webhook(webhook),
            }
        }
        hex::encode(parts.hash.finalize())
    }
}

/// The parts that were hashed, each with its length, so that no two lists of parts are the same.
#[derive(Default)]
struct SharedParts {
    hash: Sha256,
}

impl SharedParts {
    fn add_bytes(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// Adds what holds no secret, or one that it masks.
    fn add(&mut self, part: &impl std::fmt::Debug) {
        self.add_bytes(format!("{part:?}").as_bytes());
    }

    fn add_feed(&mut self, feed: &FeedConfig) {
        let FeedConfig { name, url, is_secret: _, tags, every, full_text, recheck } = feed;
        // The path of a file may differ from machine to machine.
        let address = if url.scheme() == "file" { "file" } else { url.as_str() };
        self.add_bytes(address.as_bytes());
        self.add(&(name, tags, every, full_text, recheck));
    }

    fn add_email(&mut self, email: &Email) {
        // The name of the machine is not that of others.
        let Email { host, port, security, helo: _, login, ca, from, to } = email;
        self.add(&(host, port, security, ca, from, to));
        if let Some((user, password)) = login {
            self.add_bytes(user.as_bytes());
            self.add_bytes(password.0.expose_secret().as_bytes());
        }
    }

    fn add_webhook(&mut self, webhook: &Webhook) {
        let Webhook { url, body, addressed, secrets, headers, ca } = webhook;
        self.add_bytes(url.0.as_str().as_bytes());
        match body {
            WebhookBody::Format(format) => self.add(format),
            WebhookBody::Template(template) => self.add(&(template.writes, template.source())),
        }
        if let Some(addressed) = addressed {
            self.add(&addressed.key);
            self.add_bytes(addressed.to.0.expose_secret().as_bytes());
        }
        for key in secrets {
            self.add_bytes(key.0.expose_secret());
        }
        for (name, value) in headers {
            self.add_bytes(name.as_str().as_bytes());
            self.add_bytes(value.as_bytes());
        }
        self.add(ca);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use tidings_rules::fault::Source;

    const BASE: &str = "store: sqlite:a.db
rules: rules
zone: UTC
notify: [desk]
feeds: [{name: wire, url: \"https://wire.example/\", tags: [asia]}, {name: own, url: \"file:own.xml\"}]
notifiers:
  desk: {type: console}
  mail: {type: email, smtp: \"smtps://ana:pa55w0rd@mail.example\", from: a@b.example, to: [c@d.example]}
  hook: {type: webhook, url: \"https://hook.example/t0ken\"}
";

    fn hash(folder: &str, edits: &[(&str, &str)]) -> String {
        let text = edits.iter().fold(BASE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let source = Arc::new(Source { name: "config.yaml".to_owned(), text });
        let none = |_: &[u8]| Ok(Vec::new());
        let loaded = super::super::load_config(&source, Path::new(folder), &|_| None, &none);
        let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults));
        config.shared_hash()
    }

    #[test]
    fn what_belongs_to_a_machine_is_not_hashed() {
        let base = hash("/etc/tidings", &[]);
        assert_eq!(base.len(), 64);
        assert_eq!(hash("/srv/news", &[]), base);
        for edit in [
            ("rules: rules", "rules: other"),
            ("a.db", "b.db"),
            ("zone: UTC", "zone: UTC\nweb: {listen: \"127.0.0.1:1\"}"),
            ("zone: UTC", "zone: UTC\nnetwork: {contact: a@b.example}"),
            ("zone: UTC", "# a remark\nzone: UTC"),
        ] {
            assert_eq!(hash("/etc/tidings", &[edit]), base, "{edit:?}");
        }
    }

    #[test]
    fn what_decides_which_alerts_are_sent_is_hashed_and_so_are_secrets() {
        let base = hash("/etc/tidings", &[]);
        for edit in [
            ("wire.example", "other.example"),
            ("tags: [asia]", "tags: [europe]"),
            ("name: wire", "name: paper"),
            ("pa55w0rd", "other"),
            ("t0ken", "other"),
            ("c@d.example", "e@d.example"),
            ("type: console", "type: console, limit: 3/h"),
            ("notify: [desk]", "notify: [mail]"),
            ("zone: UTC", "zone: Europe/Berlin"),
            ("zone: UTC", "zone: UTC\nretain: {stories: 30d}"),
            ("zone: UTC", "zone: UTC\npublishers: {BBC: [bbc.co.uk]}"),
        ] {
            assert_ne!(hash("/etc/tidings", &[edit]), base, "{edit:?}");
        }
    }
}
