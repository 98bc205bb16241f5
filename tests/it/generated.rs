//! `tidings generate`: every command has its manual page, and every shell completes it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::tidings::Folder;

/// The commands below `command`, as its help lists them, with those below them.
async fn commands_below(folder: &Folder, command: &[String]) -> Vec<Vec<String>> {
    let arguments = command.iter().map(String::as_str).chain(["--help"]);
    let said = folder.bare_command(&arguments.collect::<Vec<_>>()).await;
    assert_eq!(said.code, 0, "{command:?}: {}", said.errors);
    let listed = said.output.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let mut found = Vec::new();
    for line in listed.lines().take_while(|line| !line.is_empty()) {
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else {
            continue;
        };
        let name = name.split(' ').next().expect("a name").to_owned();
        if name != "help" {
            let below = [command, &[name]].concat();
            found.extend(Box::pin(commands_below(folder, &below)).await);
            found.push(below);
        }
    }
    found
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_its_page_and_is_completed() {
    let folder = Folder::new("", &[]);
    let place = folder.place("generated");
    let said = folder.bare_command(&["generate", &place]).await;
    assert_eq!((said.code, said.output.as_str(), said.errors.as_str()), (0, "", ""));
    let commands = commands_below(&folder, &[]).await;
    assert!(commands.len() > 20, "the commands were not found: {commands:?}");

    let pages = commands.iter().map(|command| format!("tidings-{}.1", command.join("-")));
    let pages: BTreeSet<String> = pages.chain(["tidings.1".to_owned()]).collect();
    let place = Path::new(&place);
    assert_eq!(names_in(&place.join("man")), pages);

    let shells = ["tidings.bash", "_tidings", "tidings.fish"];
    let completions = place.join("completions");
    assert_eq!(names_in(&completions), shells.map(str::to_owned).into());
    for shell in shells {
        let text = std::fs::read_to_string(completions.join(shell)).expect("a file");
        assert!(!text.contains("generate"), "{shell} offers a hidden command");
        for command in &commands {
            let name = command.last().expect("a name");
            assert!(text.contains(name), "{shell} does not complete {command:?}");
        }
    }
    let bash = std::fs::read_to_string(completions.join("tidings.bash")).expect("a file");
    for command in &commands {
        let (name, above) = command.split_last().expect("a name");
        let above = ["tidings"].into_iter().chain(above.iter().map(String::as_str));
        let case = format!("{},{name})", above.collect::<Vec<_>>().join("__subcmd__"));
        assert!(bash.contains(&case), "{case} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_69() {
    let folder = Folder::new("", &[]);
    let said = folder.bare_command(&["generate", &folder.place("config.yaml")]).await;
    assert_eq!(said.code, 69, "{}", said.errors);
    assert!(said.errors.contains("cannot be written"), "{}", said.errors);
}
