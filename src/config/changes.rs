//! What differs between two configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Config, Email, FeedConfig, Notifier, Web, WebAddress};
use tidings_rules::story::delivery::DeliveryPolicy;
use tidings_rules::story::{FeedName, NotifierName};

/// What differs between two configurations. It is shown as in "+2 feeds, 1 notifier edited".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigChanges {
    feeds: EntryChanges<FeedName>,
    notifiers: EntryChanges<NotifierName>,
    /// The notifiers that reach another server, or the same one with another login.
    retargeted: Vec<NotifierName>,
    /// The other keys with another value.
    keys: Vec<&'static str>,
    /// The keys whose new value is used only after a restart.
    after_restart: Vec<&'static str>,
}

/// The entries of a list that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EntryChanges<N> {
    added: Vec<N>,
    removed: Vec<N>,
    edited: Vec<N>,
}

impl<N> Default for EntryChanges<N> {
    fn default() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), edited: Vec::new() }
    }
}

impl<N: Clone + Ord> EntryChanges<N> {
    fn between<T: PartialEq>(before: &BTreeMap<&N, T>, after: &BTreeMap<&N, T>) -> Self {
        let names = |of: &BTreeMap<&N, T>, is_listed: &dyn Fn(&N, &T) -> bool| {
            let listed = of.iter().filter(|(name, entry)| is_listed(name, entry));
            listed.map(|(name, _)| (*name).clone()).collect()
        };
        Self {
            added: names(after, &|name, _| !before.contains_key(name)),
            removed: names(before, &|name, _| !after.contains_key(name)),
            edited: names(after, &|name, entry| {
                before.get(name).is_some_and(|before| before != entry)
            }),
        }
    }

    fn describe(&self, one: &str, many: &str) -> Vec<String> {
        let counted = |count: usize| format!("{count} {}", if count == 1 { one } else { many });
        let changes = [
            (self.added.len(), "+", ""),
            (self.removed.len(), "\u{2212}", ""),
            (self.edited.len(), "", " edited"),
        ];
        let changes = changes.into_iter().filter(|(count, ..)| *count > 0);
        changes.map(|(count, sign, what)| format!("{sign}{}{what}", counted(count))).collect()
    }
}

impl ConfigChanges {
    /// What differs between `before` and `after`. Secrets are compared and not kept.
    #[must_use]
    pub fn between(before: &Config, after: &Config) -> Self {
        let keys = [
            ("rules", before.rules != after.rules),
            ("zone", before.zone != after.zone),
            ("notify", before.notify != after.notify),
            ("poll", before.poll != after.poll),
            ("network", before.network != after.network),
            ("hosts", before.hosts != after.hosts),
            ("retain", before.retain != after.retain),
            ("report", before.report != after.report),
            ("publishers", before.publishers != after.publishers),
            ("heartbeat", before.heartbeat != after.heartbeat),
            ("web", before.web != Web::without_restart(before.web.as_ref(), after.web.as_ref())),
        ];
        let changed = |keys: &[(&'static str, bool)]| {
            keys.iter().filter(|(_, differs)| *differs).map(|(key, _)| *key).collect()
        };
        Self {
            feeds: EntryChanges::between(&feeds(before), &feeds(after)),
            notifiers: EntryChanges::between(&notifiers(before), &notifiers(after)),
            retargeted: retargeted(before, after),
            keys: changed(&keys),
            after_restart: changed(&[
                ("store", before.store != after.store),
                ("web.listen", listen(before) != listen(after)),
            ]),
        }
    }

    /// Whether nothing differs that can be used without a restart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { feeds, notifiers, retargeted: _, keys, after_restart: _ } = self;
        *feeds == EntryChanges::default()
            && *notifiers == EntryChanges::default()
            && keys.is_empty()
    }

    /// The keys whose new value is used only after a restart.
    #[must_use]
    pub fn after_restart(&self) -> &[&'static str] {
        &self.after_restart
    }

    /// The notifiers that reach another server, or the same one with another login. Failures and
    /// pauses of before do not concern them.
    #[must_use]
    pub fn retargeted_notifiers(&self) -> &[NotifierName] {
        &self.retargeted
    }

    /// The notifiers that are removed, or whose settings differ.
    pub fn replaced_notifiers(&self) -> impl Iterator<Item = &NotifierName> {
        self.notifiers.removed.iter().chain(&self.notifiers.edited)
    }
}

impl fmt::Display for ConfigChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.feeds.describe("feed", "feeds");
        parts.extend(self.notifiers.describe("notifier", "notifiers"));
        parts.extend(self.keys.iter().map(|key| format!("{key} edited")));
        f.write_str(&parts.join(", "))
    }
}

/// The notifiers of both that differ in where they send, or in their login to a mail server.
fn retargeted(before: &Config, after: &Config) -> Vec<NotifierName> {
    let is_retargeted =
        |(name, after): &(&NotifierName, &Notifier)| match (before.notifiers.get(name), after) {
            (Some(Notifier::Email(before)), Notifier::Email(after)) => {
                let server = |mail: &Email| (mail.host.clone(), mail.port, mail.security);
                server(before) != server(after)
                    || before.login != after.login
                    || before.ca != after.ca
            }
            (Some(Notifier::Webhook(before)), Notifier::Webhook(after)) => before.url != after.url,
            (Some(before), after) => {
                std::mem::discriminant(before) != std::mem::discriminant(after)
            }
            (None, _) => false,
        };
    let retargeted = after.notifiers.iter().filter(is_retargeted);
    retargeted.map(|(name, _)| name.clone()).collect()
}

fn listen(config: &Config) -> Option<&WebAddress> {
    config.web.as_ref().map(|web| &web.listen)
}

/// The feeds, each with its tags, and its settings if it is polled.
fn feeds(config: &Config) -> BTreeMap<&FeedName, (&BTreeSet<String>, Option<&FeedConfig>)> {
    let mut feeds: BTreeMap<_, _> =
        config.feed_tags().map(|(name, tags)| (name, (tags, None))).collect();
    feeds.extend(config.feeds.iter().map(|feed| (&feed.name, (&feed.tags, Some(feed)))));
    feeds
}

/// The notifiers, each with its delivery policy.
fn notifiers(config: &Config) -> BTreeMap<&NotifierName, (&Notifier, Option<&DeliveryPolicy>)> {
    let policies = &config.delivery_policies;
    config.notifiers.iter().map(|(name, one)| (name, (one, policies.get(name)))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use tidings_rules::fault::Source;

    const BASE: &str = "store: sqlite:a.db
rules: rules
notify: [desk]
feeds: [\"https://wire.example/\", {name: paper, url: \"https://paper.example/\"}]
notifiers:
  desk: {type: console}
  mail: {type: email, smtp: \"smtps://ana:pa55w0rd@mail.example\", from: a@b.example, to: [c@d.example]}
";

    fn config(text: &str) -> Config {
        let source = Arc::new(Source { name: "config.yaml".to_owned(), text: text.to_owned() });
        let none = |_: &[u8]| Ok(Vec::new());
        let base = Path::new("/etc/tidings");
        let loaded = super::super::load_config(&source, base, &|_| None, &none);
        loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults))
    }

    fn changes(edits: &[(&str, &str)]) -> ConfigChanges {
        let after = edits.iter().fold(BASE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        ConfigChanges::between(&config(BASE), &config(&after))
    }

    #[test]
    fn each_change_is_named_with_its_kind() {
        for (edits, said) in [
            (&[("rules: rules", "# a remark\nrules: rules")][..], ""),
            (&[("paper.example", "news.example")], "1 feed edited"),
            (
                &[(
                    "[\"https://wire.example/\"",
                    "[\"https://a.example/\", \"https://b.example/\"",
                )],
                "+2 feeds, \u{2212}1 feed",
            ),
            (&[("feeds: [", "feeds: [{name: a, from: ingest}, ")], "+1 feed"),
            (&[("pa55w0rd", "t0ken")], "1 notifier edited"),
            (&[("type: console", "type: console, limit: 3/h")], "1 notifier edited"),
            (&[("notify: [desk]", "notify: [mail]\nzone: UTC")], "zone edited, notify edited"),
            (&[("notify: [desk]", "notify: [desk]\nretain: {stories: 30d}")], "retain edited"),
            (
                &[("notify: [desk]", "notify: [desk]\nhosts: {wire.example: {http1: true}}")],
                "hosts edited",
            ),
        ] {
            let changes = changes(edits);
            assert_eq!(changes.to_string(), said);
            assert_eq!(changes.is_empty(), said.is_empty(), "{said}");
        }
    }

    #[test]
    fn another_store_needs_a_restart_and_is_no_change_of_what_runs() {
        let changes = changes(&[("a.db", "b.db")]);
        assert_eq!((changes.after_restart(), changes.is_empty()), (&["store"][..], true));
    }

    #[test]
    fn of_the_web_listener_only_its_place_needs_a_restart() {
        let web = |keys: &str| config(&format!("{BASE}web: {{{keys}}}\n"));
        let before = web("listen: \"127.0.0.1:1\"");
        for (keys, said, after_restart) in [
            ("listen: \"127.0.0.1:1\"", "", &[][..]),
            ("listen: \"127.0.0.1:1\", write: true", "web edited", &[]),
            ("listen: \"127.0.0.1:2\"", "", &["web.listen"]),
            ("listen: unix:a, public: \"https://desk.example\"", "web edited", &["web.listen"]),
        ] {
            let changes = ConfigChanges::between(&before, &web(keys));
            assert_eq!(
                (changes.to_string().as_str(), changes.after_restart()),
                (said, after_restart)
            );
        }
    }

    #[test]
    fn a_notifier_that_left_or_changed_is_replaced() {
        let changes = changes(&[("desk", "room"), ("pa55w0rd", "t0ken")]);
        let replaced: Vec<_> = changes.replaced_notifiers().map(|name| name.0.as_str()).collect();
        assert_eq!(replaced, ["desk", "mail"]);
    }

    #[test]
    fn only_another_server_or_login_ends_the_waits_of_a_notifier() {
        for (edit, is_retargeted) in [
            (("mail.example\"", "post.example\""), true),
            (("pa55w0rd", "t0ken"), true),
            (("[c@d.example]", "[e@f.example]"), false),
            (("type: console", "type: console, limit: 3/h"), false),
        ] {
            let changes = changes(&[edit]);
            assert_eq!(!changes.retargeted_notifiers().is_empty(), is_retargeted, "{edit:?}");
        }
    }
}
