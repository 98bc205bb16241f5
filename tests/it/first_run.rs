//! The first steps of a newcomer: the shipped configuration, a second run, rules edited while it
//! runs.

use std::path::Path;

use crate::support::smtp::Sink;
use crate::support::tidings::Folder;

/// A folder like a fresh clone. Feeds on the internet are replaced by a port that refuses.
fn fresh_clone() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |name: &str| std::fs::read_to_string(root.join(name)).expect("a file of the repository");
    let refusing = format!("http://127.0.0.1:{}", Sink::reserve().port());
    let config = read("config.example.yaml").replace("https://www.nknews.org", &refusing);
    let config =
        config.replace("https://en.yna.co.kr", &refusing) + "\nnetwork: {allow: [127.0.0.0/8]}\n";
    let rules =
        [("korea.yaml", &*read("rules/korea.yaml")), ("cyber.yaml", &*read("rules/cyber.yaml"))];
    let folder = Folder::new(&config, &rules);
    folder.write("examples/wire.xml", &read("examples/wire.xml"));
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_configuration_shows_an_alert_and_says_once_which_feeds_cannot_be_reached() {
    let folder = fresh_clone();
    let mut tidings = folder.run(&[]);
    tidings.wait_for_output(|line| line.contains("Tumen bridge")).await;
    tidings.wait_for_output(|line| line.contains("Russia, North Korea, arms")).await;
    tidings.wait_for_log(|line| line.contains("nknews") || line.contains("/feed/")).await;
    tidings.wait_for_log(|line| line.contains("Yonhap")).await;
    assert_eq!(tidings.interrupt().await, 0);
    let is_failure = |line: &&String| line.contains("Yonhap: cannot be read");
    assert_eq!(tidings.log().iter().filter(is_failure).count(), 1, "{:#?}", tidings.log());

    let mut again = folder.run(&[]);
    let known = again.wait_for_log(|line| line.contains("the store ")).await;
    assert!(
        known.contains(&folder.store_name())
            && known.contains("stories: 3")
            && known.contains("alerts"),
        "{known}"
    );
    assert_eq!(again.terminate().await, 0);
    assert!(again.output().is_empty(), "{:?}", again.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_rule_file_is_in_force_soon_and_a_broken_one_changes_nothing_and_is_shown() {
    let folder = fresh_clone();
    let mut tidings = folder.run(&[]);
    tidings.wait_for_output(|line| line.contains("Tumen bridge")).await;
    folder.write("rules/new.yaml", "rules:\n  - name: seaweed\n    when: seaweed\n");
    tidings.wait_for_log(|line| line.contains("rules in force: 5")).await;

    folder.write(
        "rules/new.yaml",
        "rules:\n  - name: seaweed\n    when: |\n      (seaweed\n        OR kelp\n      AND milk\n",
    );
    tidings.wait_for_log(|line| line.contains("new.yaml:4:7")).await;
    tidings.wait_for_log(|line| line.contains('^')).await;
    tidings
        .wait_for_log(|line| line.contains("new.yaml: its last good version stays in force"))
        .await;
    let in_force = folder.query("SELECT text FROM rule_file WHERE name LIKE '%new.yaml'").await;
    assert_eq!(in_force, ["rules:\n  - name: seaweed\n    when: seaweed\n"]);
    assert_eq!(tidings.terminate().await, 0);

    // The last good version stays in force after a restart.
    let mut again = folder.run(&[]);
    again.wait_for_log(|line| line.contains("rules: 5, feeds")).await;
    again.wait_for_log(|line| line.contains("new.yaml:4:7")).await;
    assert_eq!(again.terminate().await, 0);

    // A new file that never loaded is left out, and does not prevent the start.
    folder.write("rules/never.yaml", "rules: 3\n");
    let mut third = folder.run(&[]);
    third
        .wait_for_log(|line| {
            line.contains("left out until it is corrected") && line.contains("never.yaml")
        })
        .await;
    third.wait_for_log(|line| line.contains("rules: 5, feeds")).await;
    assert_eq!(third.terminate().await, 0);
}

#[tokio::test]
async fn the_first_start_with_a_broken_rule_file_is_refused_with_its_faults() {
    let folder = fresh_clone();
    folder.write("rules/new.yaml", "rules:\n  - name: seaweed\n    when: (seaweed\n");
    let mut tidings = folder.run(&[]);
    assert_eq!(tidings.wait().await, 65);
    assert!(
        tidings.log().iter().any(|line| line.contains("new.yaml:3:11")),
        "{:#?}",
        tidings.log()
    );
}
