//! Tests of a node that has the rule set of its store. With a file store it has its folder.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::daemon::reload::{first_load, record_in_force};
use crate::store::{Home, NewRuleSet, RuleSet};

/// Longer than any wait of these tests.
const LONG: Duration = Duration::from_secs(30);

/// A node whose rules are reloaded.
struct RulesNode {
    folder: tempfile::TempDir,
    home: Arc<Home>,
    store: Store,
    stories: Arc<StoryParts>,
    requested: Arc<Notify>,
    stop: CancellationToken,
    reloading: JoinHandle<()>,
}

fn rule(name: &str) -> String {
    format!("rules:\n  - name: {name}\n    when: arms\n")
}

/// A rule that names a notifier.
fn rule_to(name: &str, notifier: &str) -> String {
    format!("{}    notify: {notifier}\n", rule(name))
}

fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

impl RulesNode {
    /// A node with these files in its folder.
    async fn start(home: &Arc<Home>, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("rules")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join("rules").join(name), text).unwrap();
        }
        let config = test_config(folder.path());
        let threads = BlockingThreads::new();
        let place = home.place();
        let opening = Store::open(&place, RunRole::Joint, threads.copy_comparer());
        let (store, writer) = opening.await.unwrap();
        tokio::spawn(writer);
        let read_by_rules = rule_config(&config);
        let first = first_load(&config.rules, &read_by_rules, &store).await;
        let (rules, faults, seen) = first.unwrap();
        let run = store.start_run(&[], &OwnShares::All, now()).await.unwrap().run;
        record_in_force(&store, run, &seen, &config).await.unwrap();
        let in_force = InForce::new(config, rules, faults).unwrap();
        let shares = NodeShares::new(OwnShares::All);
        let config_path = folder.path().join("config.yaml");
        let parts =
            RunParts { store: &store, run, mode: Mode::Forever, threads, config_path, shares };
        let Loops { reloads, stories, .. } = Loops::new(in_force, parts);
        let (requested, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let (changed, stopped) = (Arc::clone(&requested), stop.clone());
        let reloading =
            tokio::spawn(async move { keep_fresh(reloads, seen, changed, &stopped).await });
        let home = Arc::clone(home);
        Self { folder, home, store, stories, requested, stop, reloading }
    }

    /// A node of a server; `None` if the tests are about files.
    async fn start_on_server(files: &[(&str, &str)]) -> Option<Self> {
        let home = Arc::new(Home::new().await);
        if home.place().file().is_some() {
            return None;
        }
        Some(Self::start(&home, files).await)
    }

    /// Writes or removes a file of the folder, and asks for a reload.
    fn edit(&self, name: &str, text: Option<&str>) {
        let path = self.folder.path().join("rules").join(name);
        match text {
            Some(text) => std::fs::write(path, text).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        self.requested.notify_one();
    }

    /// Another node changes the rule set.
    async fn edit_elsewhere(&self, files: &[(&str, &str)]) {
        let RuleSet { number, .. } = self.store.rule_set().await.unwrap();
        let new = NewRuleSet { files: texts(files), ..NewRuleSet::default() };
        self.store.replace_rule_set(number, new, now()).await.unwrap();
    }

    fn rules(&self) -> Vec<String> {
        let in_force = self.stories.in_force.load();
        in_force.rules.iter().map(|rule| rule.name().to_owned()).collect()
    }

    /// Waits until these rules are in force.
    async fn wait_for(&self, rules: &[&str]) {
        let reached = async {
            while self.rules() != rules {
                self.stories.wakeups.rules_changed.notified().await;
            }
        };
        let waited = timeout(LONG, reached).await;
        assert!(waited.is_ok(), "{:?} instead of {rules:?}", self.rules());
    }

    /// Waits until the reload says this of the files that are not in force.
    async fn wait_for_problem(&self, expected: Option<&str>) {
        let reached = async {
            loop {
                let run = self.store.service_status().await.unwrap().run.unwrap();
                let is_reached = match (&run.reload_error, expected) {
                    (Some(error), Some(expected)) => error.contains(expected),
                    (error, expected) => error.as_deref() == expected,
                };
                if is_reached {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(LONG, reached).await.is_ok(), "never {expected:?}");
    }

    async fn stored(&self) -> BTreeMap<String, String> {
        self.store.rule_set().await.unwrap().files
    }

    async fn end(self) -> Arc<Home> {
        self.stop.cancel();
        self.reloading.await.unwrap();
        self.home
    }
}

#[tokio::test]
async fn a_rule_set_that_another_node_changed_comes_into_force_here() {
    let (a, b) = (rule("a"), rule("b"));
    let Some(node) = RulesNode::start_on_server(&[("a.yaml", &a)]).await else { return };
    node.wait_for(&["a"]).await;
    node.edit_elsewhere(&[("a.yaml", &a), ("b.yaml", &b)]).await;
    node.wait_for(&["a", "b"]).await;
    node.edit_elsewhere(&[("b.yaml", &b)]).await;
    node.wait_for(&["b"]).await;
    node.end().await;
}

#[tokio::test]
async fn an_edit_changes_its_file_of_the_rule_set_and_no_other() {
    let (a, b, c) = (rule("a"), rule("b"), rule("c"));
    let Some(node) = RulesNode::start_on_server(&[("a.yaml", &a), ("b.yaml", &b)]).await else {
        return;
    };
    let other = rule("b-of-another");
    node.edit_elsewhere(&[("a.yaml", &a), ("b.yaml", &other)]).await;
    node.edit("c.yaml", Some(&c));
    node.wait_for(&["a", "b-of-another", "c"]).await;
    assert_eq!(node.stored().await, texts(&[("a.yaml", &a), ("b.yaml", &other), ("c.yaml", &c)]));
    node.edit("a.yaml", None);
    node.wait_for(&["b-of-another", "c"]).await;
    // The later edit of a file is in force.
    node.edit("b.yaml", Some(&rule("b-of-this")));
    node.wait_for(&["b-of-this", "c"]).await;
    assert_eq!(node.store.rule_set_number().await.unwrap(), 5);
    node.end().await;
}

#[tokio::test]
async fn an_edit_with_errors_is_told_here_changes_no_rule_set_and_can_be_corrected() {
    let (a, b) = (rule("a"), rule("b"));
    let Some(node) = RulesNode::start_on_server(&[("a.yaml", &a), ("b.yaml", &b)]).await else {
        return;
    };
    node.edit("a.yaml", Some("rules: 3\n"));
    node.wait_for_problem(Some("a.yaml:1:8")).await;
    assert_eq!(node.store.rule_set_number().await.unwrap(), 1);
    // What else changes comes into force, here and elsewhere.
    node.edit_elsewhere(&[("a.yaml", &a), ("b.yaml", &rule("b2"))]).await;
    node.wait_for(&["a", "b2"]).await;
    node.wait_for_problem(Some("a.yaml:1:8")).await;
    node.edit("c.yaml", Some(&rule("c")));
    node.wait_for(&["a", "b2", "c"]).await;
    assert_eq!(node.stored().await["a.yaml"], a);
    node.edit("a.yaml", Some(&rule("a2")));
    node.wait_for(&["a2", "b2", "c"]).await;
    node.wait_for_problem(None).await;
    assert_eq!(node.stored().await["a.yaml"], rule("a2"));
    node.end().await;
}

#[tokio::test]
async fn a_broken_edit_of_a_file_that_another_node_edits_later_is_dropped() {
    let a = rule("a");
    let Some(node) = RulesNode::start_on_server(&[("a.yaml", &a)]).await else { return };
    node.edit("a.yaml", Some("rules: 3\n"));
    node.wait_for_problem(Some("a.yaml:1:8")).await;
    node.edit_elsewhere(&[("a.yaml", &rule("a2"))]).await;
    node.wait_for(&["a2"]).await;
    node.wait_for_problem(None).await;
    node.end().await;
}

#[tokio::test]
async fn a_file_that_this_node_cannot_use_keeps_its_last_good_version_here_and_stays_in_the_set() {
    let (a, b) = (rule("a"), rule("b"));
    let Some(node) = RulesNode::start_on_server(&[("a.yaml", &a), ("b.yaml", &b)]).await else {
        return;
    };
    let unusable = rule_to("a2", "room");
    let spike = "    tell: {spike: 5, within: 2h, against: 14d}\n";
    let counted = format!("{unusable}{spike}");
    let other = format!("{}{spike}", rule("c2"));
    node.edit_elsewhere(&[("a.yaml", &counted), ("b.yaml", &b), ("c.yaml", &other)]).await;
    node.wait_for(&["a", "b", "c2"]).await;
    node.wait_for_problem(Some("room")).await;
    node.edit("b.yaml", Some(&rule("b2")));
    node.wait_for(&["a", "b2", "c2"]).await;
    assert_eq!(node.stored().await["a.yaml"], counted);
    let groups = node.store.counted_groups().await.unwrap();
    let counting: Vec<&str> = groups.iter().map(|group| group.rule.as_str()).collect();
    assert_eq!(counting, ["a2", "c2"], "other nodes can use the rule");

    let config = std::fs::read_to_string(node.folder.path().join("config.yaml")).unwrap();
    let room = config.replace("notifiers: {", "notifiers: {room: {type: console}, ");
    std::fs::write(node.folder.path().join("config.yaml"), room).unwrap();
    node.requested.notify_one();
    node.wait_for(&["a2", "b2", "c2"]).await;
    node.wait_for_problem(None).await;
    node.end().await;
}

#[tokio::test]
async fn a_node_that_joins_others_uses_their_rules_until_a_file_is_edited_here() {
    let (a, b) = (rule("a"), rule("b"));
    let Some(first) = RulesNode::start_on_server(&[("a.yaml", &a), ("b.yaml", &b)]).await else {
        return;
    };
    let stale = rule("b-of-before");
    let node = RulesNode::start(&first.home, &[("b.yaml", &stale), ("c.yaml", "rules: 3\n")]).await;
    node.wait_for(&["a", "b"]).await;
    node.wait_for_problem(None).await;
    assert_eq!(node.store.rule_set_number().await.unwrap(), 1);
    node.edit("b.yaml", Some(&rule("b2")));
    node.wait_for(&["a", "b2"]).await;
    first.wait_for(&["a", "b2"]).await;
    assert_eq!(node.stored().await, texts(&[("a.yaml", &a), ("b.yaml", &rule("b2"))]));
    node.end().await;
    first.end().await;
}

#[tokio::test]
async fn two_nodes_that_edit_at_once_lose_no_edit() {
    let Some(one) = RulesNode::start_on_server(&[]).await else { return };
    let other = RulesNode::start(&one.home, &[]).await;
    let mut names = Vec::new();
    for round in 0..10 {
        for (node, name) in [(&one, "one"), (&other, "other")] {
            let name = format!("{name}-{round}");
            node.edit(&format!("{name}.yaml"), Some(&rule(&name)));
            node.edit("same.yaml", Some(&rule(&format!("same-{name}"))));
            names.push(name);
        }
        names.sort();
        let all = async {
            loop {
                let rules = one.rules();
                if rules.len() == names.len() + 1 && rules == other.rules() {
                    return rules;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let rules = timeout(LONG, all).await.expect("all edits");
        assert!(names.iter().all(|name| rules.contains(name)), "{rules:?}");
    }
    one.end().await;
    other.end().await;
}

#[tokio::test]
async fn a_node_that_joins_leaves_out_what_it_cannot_use_and_says_so() {
    let (a, b) = (rule_to("a", "console"), rule("b"));
    let Some(first) = RulesNode::start_on_server(&[("a.yaml", &a), ("b.yaml", &b)]).await else {
        return;
    };
    first.edit_elsewhere(&[("a.yaml", &rule_to("a", "room")), ("b.yaml", &b)]).await;
    let node = RulesNode::start(&first.home, &[]).await;
    node.wait_for(&["b"]).await;
    node.wait_for_problem(Some("room")).await;
    assert_eq!(node.stored().await.len(), 2);
    node.end().await;
    first.end().await;
}

#[tokio::test]
async fn a_node_that_is_alone_makes_its_folder_the_rule_set() {
    let (a, b) = (rule("a"), rule("b"));
    let Some(first) = RulesNode::start_on_server(&[("a.yaml", &a)]).await else { return };
    let home = first.end().await;
    home.end_leases().await;
    let node = RulesNode::start(&home, &[("b.yaml", &b)]).await;
    node.wait_for(&["b"]).await;
    assert_eq!(node.stored().await, texts(&[("b.yaml", &b)]));
    node.end().await;
}

#[tokio::test]
async fn a_file_store_has_the_rules_of_its_folder_alone() {
    let (a, b) = (rule("a"), rule("b"));
    let node = RulesNode::start(&Arc::new(Home::folder()), &[("a.yaml", &a)]).await;
    node.edit_elsewhere(&[("z.yaml", &rule("z"))]).await;
    node.edit("b.yaml", Some(&b));
    node.wait_for(&["a", "b"]).await;
    assert_eq!(node.stored().await, texts(&[("a.yaml", &a), ("b.yaml", &b)]));
    node.edit("a.yaml", Some("rules: 3\n"));
    node.wait_for_problem(Some("a.yaml:1:8")).await;
    node.edit("b.yaml", None);
    node.wait_for(&["a"]).await;
    node.edit("a.yaml", Some(&rule("a2")));
    node.wait_for(&["a2"]).await;
    node.wait_for_problem(None).await;
    node.end().await;
}
