//! docs/tutorial.md, step by step: writes its files, runs its commands, and compares their output.

use super::{blocks, run_line};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;

const SERVER: &str = "smtps://ana@mail.example.org";

/// Marks the lines that a `text` block leaves out.
const LEFT_OUT: &str = "…";

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_tutorial_does_what_it_says() {
    let sink = Sink::start().await;
    let here = format!("smtp://ana@127.0.0.1:{}", sink.port());
    let folder = Folder::new("", &[]);
    std::fs::remove_file(folder.place("config.yaml")).expect("a file");
    let mut printed = String::new();
    let mut count = 0;
    for block in blocks("docs/tutorial.md") {
        match block.language.split_once(' ') {
            Some((_, file)) => folder.write(file, &block.text.replace(SERVER, &here)),
            None if block.language == "sh" => printed = run(&folder, &block.place, &block.text),
            None => {
                count += 1;
                for line in block.text.lines().filter(|line| *line != LEFT_OUT) {
                    let is_there = printed.lines().any(|other| other == line);
                    assert!(is_there, "{}: {line}\nwas not printed:\n{printed}", block.place);
                }
            }
        }
    }
    assert!(count > 3, "the outputs were not found");
    let mails = sink.wait_for(2).await;
    assert!(mails[1].text().contains("Two tankers added"), "{}", mails[1].text());
    assert_eq!(sink.received().len(), 2, "the test mail and one alert");
}

/// The standard output of that block's commands.
fn run(folder: &Folder, place: &str, commands: &str) -> String {
    let mut printed = String::new();
    for line in commands.lines() {
        let output = run_line(folder, line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{place}: {line}\n{errors}");
        printed += &String::from_utf8_lossy(&output.stdout);
    }
    printed
}
