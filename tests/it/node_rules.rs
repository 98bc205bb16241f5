//! The rules of two nodes on one database of a `PostgreSQL` server, each with a folder of its own.

use crate::support::setup::{RULE, Setup, matching_stories};
use crate::support::tidings::{Folder, RunningTidings};

/// A feed with one story, and a store on the server of the tests; `None` if the tests are not about
/// servers.
async fn setup_on_server() -> Option<Setup> {
    let setup = Setup::new().await;
    setup.folder.is_on_server().then_some(())?;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    Some(setup)
}

/// A node that works.
async fn start(folder: &Folder) -> RunningTidings {
    let mut node = folder.run(&[]);
    node.wait_for_log(|line| line.contains("started with the store")).await;
    node
}

/// A rule that matches the stories of the tests.
fn rule(name: &str) -> String {
    RULE.replace("name: arms", &format!("name: {name}"))
}

/// Waits until the node says that it has this number of rules in force.
async fn wait_for_rules(node: &mut RunningTidings, after: usize, count: usize) -> String {
    let said = format!("rules in force: {count};");
    node.wait_for_log_after(after, |line| line.contains(&said)).await
}

/// Waits until all nodes have the rule set of the store in force.
async fn wait_until_same(folder: &Folder, nodes: usize) {
    let same = "SELECT count(*) FROM run JOIN run_lease ON run_lease.run = run.id
         WHERE rule_set = (SELECT number FROM rule_set)
         AND until > extract(epoch FROM clock_timestamp()) * 1000";
    folder.wait_until(same, |count| count == nodes.to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_on_one_node_is_in_force_on_both_and_a_folder_that_differs_is_told() {
    let Some(setup) = setup_on_server().await else { return };
    let Setup { server, folder, mail } = &setup;
    let other = folder.beside(&[("arms.yaml", &rule("stale")), ("old.yaml", &rule("old"))]);
    let mut first = start(folder).await;
    setup.server.wait_for("/hook", 1).await;
    let mut second = start(&other).await;
    let line = second.wait_for_log(|line| line.contains("with other rule files")).await;
    assert!(line.contains("too: arms.yaml, old.yaml; edit"), "{line}");
    assert!(second.log().iter().any(|line| line.contains("rules: 1,")), "{:#?}", second.log());

    other.write("rules/more.yaml", &rule("more"));
    let line = wait_for_rules(&mut first, 0, 2).await;
    assert!(line.ends_with("; rule set 2, which another node changed"), "{line}");
    let line = wait_for_rules(&mut second, 0, 2).await;
    assert!(line.ends_with("; rule set 2"), "{line}");
    let before = second.log().len();
    folder.write("rules/third.yaml", &rule("third"));
    wait_for_rules(&mut second, before, 3).await;
    wait_until_same(folder, 2).await;

    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    server.wait_for("/hook", 2).await;
    mail.wait_for(2).await;
    let rules = "SELECT DISTINCT rule FROM alert ORDER BY rule";
    assert_eq!(folder.query(rules).await, ["arms", "more", "third"]);

    let before = first.log().len();
    std::fs::remove_file(other.place("rules/more.yaml")).expect("it is there");
    wait_for_rules(&mut first, before, 2).await;
    // What has errors changes nothing elsewhere, and is corrected where it was edited.
    let before = second.log().len();
    other.write("rules/old.yaml", "rules: 3\n");
    second.wait_for_log_after(before, |line| line.contains("left out until it")).await;
    folder.write("rules/fourth.yaml", &rule("fourth"));
    wait_for_rules(&mut second, before, 3).await;
    let before = first.log().len();
    other.write("rules/old.yaml", &rule("old"));
    wait_for_rules(&mut first, before, 4).await;
    wait_until_same(folder, 2).await;
    assert_eq!((first.terminate().await, second.terminate().await), (0, 0));
    let names = folder.query("SELECT name FROM rule_file ORDER BY name").await;
    assert_eq!(names, ["arms.yaml", "fourth.yaml", "old.yaml", "third.yaml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_at_once_lose_nothing_and_of_one_file_one_is_in_force_everywhere() {
    const ROUNDS: usize = 8;
    let Some(setup) = setup_on_server().await else { return };
    let folder = &setup.folder;
    let other = folder.beside(&[("arms.yaml", RULE)]);
    let (mut first, mut second) = (start(folder).await, start(&other).await);
    for round in 0..ROUNDS {
        for (node, name) in [(folder, "one"), (&other, "two")] {
            let of_node = format!("{name}-{round}");
            node.write(&format!("rules/{of_node}.yaml"), &rule(&of_node));
            node.write("rules/both.yaml", &rule(&format!("both-{of_node}")));
        }
        let all = 2 + 2 * (round + 1);
        folder.wait_until("SELECT count(*) FROM rule_file", |count| count == all.to_string()).await;
    }
    for node in [&mut first, &mut second] {
        wait_for_rules(node, 0, 2 + 2 * ROUNDS).await;
    }
    let last = format!("-{}\n", ROUNDS - 1);
    let text = "SELECT text FROM rule_file WHERE name = 'both.yaml'";
    folder.wait_until(text, |text| text.contains(&last)).await;
    wait_until_same(folder, 2).await;
    assert_eq!((first.terminate().await, second.terminate().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_after_an_edit_leaves_one_rule_set_and_warns_of_its_edit() {
    let Some(setup) = setup_on_server().await else { return };
    let folder = &setup.folder;
    let other = folder.beside(&[("arms.yaml", RULE)]);
    let (mut first, mut second) = (start(folder).await, start(&other).await);
    for round in 0..3 {
        let name = format!("rules/edit-{round}.yaml");
        other.write(&name, &rule(&format!("edit-{round}")));
        second.kill9().await;
        second = start(&other).await;
        let stored = "SELECT count(*) FROM rule_file WHERE name LIKE 'edit-%'";
        if folder.query(stored).await == [round.to_string()] {
            let named = format!("edit-{round}.yaml");
            second
                .wait_for_log(|line| {
                    line.contains("with other rule files") && line.contains(&named)
                })
                .await;
            other.write(&name, &format!("# once more\n{}", rule(&format!("edit-{round}"))));
        }
        folder.wait_until(stored, |count| count == (round + 1).to_string()).await;
        wait_for_rules(&mut first, 0, 2 + round).await;
    }
    wait_until_same(folder, 2).await;
    assert_eq!((first.terminate().await, second.terminate().await), (0, 0));
    assert_eq!(folder.query("SELECT count(*) FROM rule_file").await, ["4"]);
}
