//! Files that a person names. Only regular ones are read, up to a size. Pipes, devices and sparse
//! files are refused at once.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use crate::support::tidings::{Folder, Said};

const CONFIG: &str = "rules: rules\nnotify: [console]\nfeeds: [\"file:wire.xml\"]\nnotifiers:\n  console: {type: console}\n";

const LISTED: &str =
    "terms:\n  sdn: {from: t.csv, term: name}\nrules:\n  - {name: a, when: $sdn}\n";

/// Puts a pipe, a link to a device or a sparse file of three gigabytes at `path`.
fn put(kind: &str, path: &str) {
    let _ = std::fs::remove_file(path);
    match kind {
        "pipe" => {
            assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
        }
        "device" => symlink("/dev/zero", path).expect("a link"),
        _ => File::create(path).and_then(|file| file.set_len(3 << 30)).expect("a sparse file"),
    }
}

/// The output of a command that must not wait for anything.
async fn at_once(folder: &Folder, arguments: &[&str]) -> Said {
    let command = async {
        if arguments.contains(&"--config") || arguments.contains(&"import") {
            folder.bare_command(arguments).await
        } else {
            folder.command(arguments).await
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(20), command);
    said.await.unwrap_or_else(|_| panic!("{arguments:?} waits"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_a_pipe_or_a_device_is_refused_by_every_command() {
    let folder = Folder::new(CONFIG, &[("a.yaml", "rules:\n  - {name: a, when: arms}\n")]);
    for kind in ["pipe", "device"] {
        put(kind, folder.store().to_str().expect("a path"));
        for command in [
            vec!["alerts"],
            vec!["feeds", "list"],
            vec!["deliveries"],
            vec!["deliveries", "retry", "1"],
            vec!["silence", "list"],
            vec!["backtest"],
            vec!["run", "--once"],
        ] {
            let said = at_once(&folder, &command).await;
            let why = "it is a pipe, a socket or a device, and a store is a regular file";
            assert!(said.code != 0 && said.errors.contains(why), "{command:?}: {}", said.errors);
        }
        let lock = format!("{}.lock", folder.store().display());
        let _ = std::fs::remove_file(lock);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_regular_file_or_too_large_is_refused_at_once() {
    let folder = Folder::new(CONFIG, &[("a.yaml", "rules:\n  - {name: a, when: arms}\n")]);
    let odd = folder.place("odd");
    for (kind, why) in
        [("pipe", "it is a pipe"), ("device", "it is a device"), ("sparse", "it is larger than")]
    {
        put(kind, &folder.place("rules/x.yaml"));
        let said = at_once(&folder, &["check"]).await;
        assert!(
            said.code == 78 && said.errors.contains(why),
            "a rule file, {kind}: {}",
            said.errors
        );
        let said = at_once(&folder, &["run"]).await;
        assert!(said.code != 0 && said.errors.contains(why), "a run, {kind}: {}", said.errors);
        std::fs::remove_file(folder.place("rules/x.yaml")).expect("it is there");

        std::fs::write(folder.place("rules/b.yaml"), LISTED).expect("a file");
        put(kind, &folder.place("rules/t.csv"));
        let said = at_once(&folder, &["check"]).await;
        assert!(said.code == 65 && said.errors.contains(why), "a table, {kind}: {}", said.errors);
        std::fs::remove_file(folder.place("rules/b.yaml")).expect("it is there");

        put(kind, &odd);
        for (arguments, code) in [
            (&["check", "--config", &odd][..], 78),
            (&["explain", &odd], 69),
            (&["feeds", "import", &odd], 69),
        ] {
            let said = at_once(&folder, arguments).await;
            assert!(
                said.code == code && said.errors.contains(why),
                "{arguments:?}, {kind}: {}",
                said.errors
            );
        }
    }
    put("pipe", &odd);
    let said = at_once(&folder, &["backtest", "--when", "arms", "--stories", &odd]).await;
    assert!(said.code == 69 && said.errors.contains("it is a pipe"), "{}", said.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_rules_is_warned_of() {
    let folder = Folder::new(CONFIG, &[("a.yaml", "terms: {}\n")]);
    let said = at_once(&folder, &["check"]).await;
    assert!(said.code == 0 && said.errors.contains("no rule is in force here"), "{}", said.errors);
    std::fs::remove_file(folder.place("rules/a.yaml")).expect("it is there");
    let said = at_once(&folder, &["check"]).await;
    assert!(
        said.code == 0 && said.errors.contains("there is no rule file here"),
        "{}",
        said.errors
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_files_that_vanish_are_warned_of_and_come_back_with_their_folder() {
    let rule = "rules:\n  - {name: a, when: arms}\n";
    let folder = Folder::new(CONFIG, &[("a.yaml", rule)]);
    std::fs::write(
        folder.place("wire.xml"),
        "<rss version=\"2.0\"><channel><title>a</title></channel></rss>",
    )
    .expect("a feed");
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("rules: 1, feeds")).await;
    std::fs::remove_file(folder.place("rules/a.yaml")).expect("it is there");
    tidings.wait_for_log(|line| line.contains("WARN") && line.contains("a.yaml was removed")).await;
    tidings.wait_for_log(|line| line.contains("there is no rule file here")).await;
    std::fs::remove_dir(folder.place("rules")).expect("it is empty");
    tidings
        .wait_for_log(|line| line.contains("cannot be read") && line.contains("do not change"))
        .await;
    std::fs::create_dir(folder.place("rules")).expect("a folder");
    std::fs::write(folder.place("rules/a.yaml"), rule).expect("a file");
    tidings.wait_for_log(|line| line.contains("rules in force: 1")).await;
    assert_eq!(tidings.terminate().await, 0);
}
