//! `tidings backup` and `tidings restore`, with real processes: beside a run, on a full disk,
//! stopped in the middle.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::setup::{Setup, matching_stories};
use crate::support::tidings::{Folder, RunningTidings};

/// Stories of the feed. Their store needs more than [`ROOM`].
const STORIES: usize = 10;

/// The room on a full disk, in KiB.
const ROOM: u64 = 200;

/// A run that has sent all stories, and goes on.
async fn setup_with_run() -> (Setup, RunningTidings) {
    let setup = Setup::new().await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, 0..STORIES));
    let tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", STORIES).await;
    let open = "SELECT count(*) FROM message WHERE status != 'sent'";
    setup.folder.wait_until(open, |open| open == "0").await;
    (setup, tidings)
}

/// A folder with the same configuration and rules, without a store.
fn empty_folder(setup: &Setup) -> Folder {
    let read = |name: &str| fs::read_to_string(setup.folder.place(name)).expect("a file");
    Folder::new(&read("config.yaml"), &[("arms.yaml", &read("rules/arms.yaml"))])
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_an_empty_folder_sends_nothing_again_and_the_store_before_it_is_kept() {
    let (setup, mut tidings) = setup_with_run().await;
    let copy = setup.folder.place("copy.db");
    let said = setup.folder.command(&["backup", &copy]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    assert!(said.output.starts_with("copy.db: a copy of tidings.db, "), "{}", said.output);
    assert_eq!(fs::metadata(&copy).expect("a copy").permissions().mode() & 0o777, 0o600);
    let made = setup.folder.query("SELECT count(*) FROM backup").await;
    assert_eq!(made, ["1"], "the store knows of it");
    let said = setup.folder.command(&["status"]).await;
    assert!(said.output.lines().any(|line| line.starts_with("backup    ")), "{}", said.output);
    assert!(!said.output.contains("never"), "{}", said.output);

    let said = setup.folder.command(&["backup", &copy]).await;
    assert!(said.code == 65 && said.errors.contains("replaces no file"), "{}", said.errors);
    let said = setup.folder.command(&["restore", &copy]).await;
    assert!(said.code == 69 && said.errors.contains("(process "), "{}", said.errors);
    tidings.kill9().await;

    let fresh = empty_folder(&setup);
    let said = fresh.command(&["restore", &copy]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let holds = format!("{STORIES} stories, {STORIES} alerts, 0 messages to send\n");
    assert!(said.output.contains(", made on ") && said.output.ends_with(&holds), "{}", said.output);
    let said = fresh.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let sent = (setup.server.requests("/hook").len(), setup.mail.received().len());
    assert_eq!(sent, (STORIES, STORIES));

    // The store of the killed run has a log, which moves with it.
    let said = setup.folder.command(&["restore", &copy]).await;
    assert!(
        said.output.ends_with("the store before it: tidings.db.replaced-1\n"),
        "{}",
        said.output
    );
    let said =
        setup.folder.command(&["restore", &setup.folder.place("tidings.db.replaced-1")]).await;
    assert!(
        said.code == 0 && said.output.contains(&format!("{STORIES} alerts")),
        "{}",
        said.errors
    );
    let said = setup.folder.command(&["run", "--once"]).await;
    assert_eq!((said.code, setup.server.requests("/hook").len()), (0, STORIES), "{}", said.errors);
}

/// A folder on a file system of [`ROOM`], which is removed with it. `None` where this process may
/// make none.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!("size={ROOM}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path());
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path()).output().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_leaves_no_half_file() {
    let (setup, mut tidings) = setup_with_run().await;
    let folder = &setup.folder;
    let said = folder.command_with_room(&["backup", &folder.place("copy.db")], ROOM).await;
    assert_eq!(said.code, 74, "{}", said.errors);
    assert!(said.errors.contains("copy.db cannot be written: "), "{}", said.errors);
    if let Some(disk) = SmallDisk::mount() {
        let copy = disk.0.path().join("copy.db").display().to_string();
        let said = folder.command(&["backup", &copy]).await;
        assert!(said.code == 74 && said.errors.contains("full"), "{} {}", said.code, said.errors);
        assert_eq!(names_in(disk.0.path()), [""; 0]);
    }
    assert!(folder.names().iter().all(|name| !name.starts_with("copy")), "{:?}", folder.names());
    assert_eq!(folder.query("SELECT count(*) FROM backup").await, ["0"]);
    // The run goes on.
    setup.server.serve("/feed.xml", matching_stories(&setup.server, 0..=STORIES));
    setup.server.wait_for("/hook", STORIES + 1).await;
    assert_eq!(tidings.terminate().await, 0);

    // A store that cannot be written is not moved aside either.
    let copy = folder.place("copy.db");
    assert_eq!(folder.command(&["backup", &copy]).await.code, 0);
    let before = fs::read(folder.store()).expect("a store");
    let said = folder.command_with_room(&["restore", &copy], ROOM).await;
    assert!(said.code == 74 && said.errors.contains("cannot be written"), "{}", said.errors);
    assert_eq!(fs::read(folder.store()).expect("a store"), before);
    let names = ["config.yaml", "copy.db", "rules", "tidings.db", "tidings.db.lock"];
    assert_eq!(folder.names(), names);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_a_run_had_is_not_made_anew() {
    let (setup, mut tidings) = setup_with_run().await;
    assert_eq!(tidings.terminate().await, 0);
    let copy = setup.folder.place("copy.db");
    assert_eq!(setup.folder.command(&["backup", &copy]).await.code, 0);
    for make_empty in [false, true] {
        fs::remove_file(setup.folder.store()).expect("a store");
        if make_empty {
            File::create(setup.folder.store()).expect("an empty file");
        }
        let said = setup.folder.command(&["run", "--once"]).await;
        assert_eq!(said.code, 69, "{}", said.errors);
        assert!(
            said.errors.contains("its lock says that a run left a store there"),
            "{}",
            said.errors
        );
        assert!(said.errors.contains("`tidings restore FILE`"), "{}", said.errors);
        assert_eq!(setup.folder.command(&["restore", &copy]).await.code, 0);
        assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    }
    assert_eq!(setup.server.requests("/hook").len(), STORIES);
    // Without all its files, a new store is made, and everything is sent again.
    for name in setup.folder.names().iter().filter(|name| name.starts_with("tidings.db")) {
        fs::remove_file(setup.folder.place(name)).expect("a file");
    }
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    assert_eq!(setup.server.requests("/hook").len(), 2 * STORIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_leaves_a_stopped_store_in_one_file_and_a_start_makes_it_private() {
    let (setup, mut tidings) = setup_with_run().await;
    assert_eq!(tidings.interrupt().await, 0);
    let open_to_all = fs::Permissions::from_mode(0o644);
    fs::set_permissions(setup.folder.store(), open_to_all).expect("the owner");
    let names = ["config.yaml", "rules", "tidings.db", "tidings.db.lock"];
    assert_eq!(setup.folder.names(), names);
    for command in [
        &["run", "--once"][..],
        &["alerts"],
        &["alerts", "show", "1"],
        &["feeds", "list"],
        &["feeds", "gaps"],
        &["feeds", "poll-now", "wire-1"],
        &["deliveries"],
        &["deliveries", "retry", "--all-dead"],
        &["deliveries", "drop", "--all-dead"],
        &["silence", "add", "--rule", "arms", "--until", "1h"],
        &["silence", "list", "--all"],
        &["silence", "end", "1"],
        &["backtest"],
        &["check"],
    ] {
        let said = setup.folder.command(command).await;
        assert_eq!(said.code, 0, "{command:?}: {}", said.errors);
        assert_eq!(setup.folder.names(), names, "{command:?}");
    }
    let mode = fs::metadata(setup.folder.store()).expect("a store").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
