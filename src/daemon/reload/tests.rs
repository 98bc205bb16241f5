//! Tests that a reload blocks no task, however slow the disk is.

mod rule_sets;

use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::config;
use crate::daemon::Mode;
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::loops::{Loops, RunParts};
use crate::daemon::shares::NodeShares;
use crate::shares::OwnShares;
use crate::store::RunRole;
use tidings_rules::fault::Source;

const CONFIG: &str = "store: sqlite:tidings.db\nrules: rules\nnotify: [console]\n\
                      feeds: [\"https://wire.example/\"]\nnotifiers: {console: {type: console}}\n";

fn test_config(folder: &Path) -> Config {
    let source = Arc::new(Source { name: "config.yaml".to_owned(), text: CONFIG.to_owned() });
    let no_list = |_: &[u8]| Err("there is no list".to_owned());
    std::fs::write(folder.join("config.yaml"), CONFIG).unwrap();
    let loaded = config::load_config(&source, folder, &|_| None, &no_list);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults))
}

fn write_rules(folder: &Path, rules: usize) {
    let mut text = "rules:\n".to_owned();
    for n in 0..rules {
        writeln!(text, "  - name: rule-{n}\n    when: word{n}").unwrap();
    }
    std::fs::write(folder.join("rules/many.yaml"), text).unwrap();
}

/// The only blocking thread stands for a disk that is stuck.
#[test]
fn no_task_waits_for_the_disk_while_rules_are_reloaded() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("rules")).unwrap();
        write_rules(folder.path(), 1);
        let config = test_config(folder.path());
        let (store, writer) =
            Store::open(&config.store, RunRole::Alone, BlockingThreads::new().copy_comparer())
                .await
                .unwrap();
        let writer = tokio::spawn(writer);
        let read_by_rules = crate::queries::names::rule_config(&config);
        let (rules, faults, seen) =
            first_load(&config.rules, &read_by_rules, &store).await.unwrap();
        let in_force = InForce::new(config, rules, faults).unwrap();
        let run = RunParts {
            store: &store,
            run: 1,
            mode: Mode::Forever,
            threads: BlockingThreads::new(),
            config_path: folder.path().join("config.yaml"),
            shares: NodeShares::new(OwnShares::All),
        };
        let Loops { reloads, stories, .. } = Loops::new(in_force, run);
        let (requested, stop) = (Arc::new(Notify::new()), CancellationToken::new());

        let (unstick, stuck) = mpsc::channel::<()>();
        let disk = tokio::task::spawn_blocking(move || stuck.recv());
        write_rules(folder.path(), 1000);
        let (changed, stopped) = (Arc::clone(&requested), stop.clone());
        let reloading =
            tokio::spawn(async move { keep_fresh(reloads, seen, changed, &stopped).await });
        for _ in 0..100 {
            // Each turn gives the reload a chance to block this thread, and uses the store.
            requested.notify_one();
            tokio::task::yield_now().await;
            store.count_undelivered(now()).await.unwrap();
        }
        assert_eq!(stories.in_force.load().rules.count(), 1);

        unstick.send(()).unwrap();
        disk.await.unwrap().unwrap();
        stories.wakeups.rules_changed.notified().await;
        assert_eq!(stories.in_force.load().rules.count(), 1000);
        stop.cancel();
        reloading.await.unwrap();
        drop((store, stories));
        writer.await.unwrap().unwrap();
    });
}
