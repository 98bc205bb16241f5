//! README and the pages of `docs/`: their examples run, their links have targets, and
//! `docs/configuration.md` has every key of the configuration, `docs/operations.md` every event.

mod architecture;
mod events;
mod keys;
mod life_cycle;
mod schemas;
mod tutorial;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::schema;
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::tls::Ca;

/// The documents that users and developers read, below the root.
const DOCUMENTS: [&str; 15] = [
    "README.md",
    "CONTRIBUTING.md",
    "RELEASING.md",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/desk.md",
    "docs/ingest.md",
    "docs/installing.md",
    "docs/notifiers.md",
    "docs/operations.md",
    "docs/rules.md",
    "docs/tutorial.md",
    "docs/webhooks.md",
    "docs/glossary.md",
    "docs/benchmarks.md",
];

/// The exit code of a command line that is wrong.
const USAGE: i32 = 64;

/// A fenced block of a document.
struct FencedBlock {
    /// Its document and first line.
    place: String,
    /// The text after the three backquotes: a language, and the name of a file if there is one.
    language: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn blocks(document: &str) -> Vec<FencedBlock> {
    let text = read(document);
    let mut blocks: Vec<FencedBlock> = Vec::new();
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !is_inside {
                let place = format!("{document}:{}", number + 1);
                let language = language.to_owned();
                blocks.push(FencedBlock { place, language, text: String::new() });
            }
            is_inside = !is_inside;
        } else if is_inside {
            let block = blocks.last_mut().expect("a block has begun");
            block.text += line;
            block.text += "\n";
        }
    }
    assert!(!is_inside, "{document}: a block does not end");
    blocks
}

/// Every block of that language in all documents but the guide, which `guide.rs` runs.
fn blocks_of(language: &str) -> Vec<FencedBlock> {
    let documents = DOCUMENTS.iter().filter(|name| **name != "docs/rules.md" || language == "sh");
    let all = documents.flat_map(|document| blocks(document));
    all.filter(|block| block.language.split(' ').next() == Some(language)).collect()
}

/// The block of `document` that is the file of that name.
fn file_in(document: &str, name: &str) -> String {
    let found = blocks(document)
        .into_iter()
        .find(|block| block.language.split_once(' ').is_some_and(|(_, file)| file == name));
    found.unwrap_or_else(|| panic!("{document} has no {name}")).text
}

/// A folder with every file that configurations of the documents name, and their variables.
fn folder_of_examples(config: &str) -> Folder {
    let folder = Folder::new(config, &[("korea.yaml", &read("rules/korea.yaml"))]);
    folder.write("our-ca.pem", &Ca::new().pem());
    folder.write("smtp-password", "a password\n");
    folder.write("db-password", "a password\n");
    folder.write("tokens.txt", &format!("read ana {}\n", "a1".repeat(32)));
    folder.write("message.json", &file_in("docs/webhooks.md", "message.json"));
    folder.write(
        "subscriptions.opml",
        "<opml version='2.0'><body><outline xmlUrl='https://listed.example/feed'/></body></opml>",
    );
    for part in config.split("${").skip(1) {
        let name = part.split('}').next().expect("text");
        let value = match name {
            _ if name.ends_with("HOOK") => "https://hook.example/x",
            _ if name.ends_with("SECRET") => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            _ => "value",
        };
        folder.set(name, value);
    }
    folder
}

/// Fails unless `tidings check` accepts it without a warning.
async fn check(place: &str, config: &str) {
    let said = folder_of_examples(config).command(&["check"]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""), "{place}\n{config}");
}

#[tokio::test]
async fn every_configuration_of_the_documents_is_sound() {
    let blocks = blocks_of("yaml");
    assert!(blocks.len() > 12, "the blocks were not found");
    for block in blocks.iter().filter(|block| !block.language.contains("rules/")) {
        check(&block.place, &block.text).await;
    }
}

#[tokio::test]
async fn the_example_configuration_is_sound_with_every_line_that_is_commented_out() {
    let example = read("config.example.yaml");
    check("config.example.yaml", &example).await;
    let lines = example.lines().map(|line| {
        let bare = line.trim_start();
        let indent = &line[..line.len() - bare.len()];
        match bare.strip_prefix("# ") {
            Some(rest) if rest.starts_with("- {") || has_key(rest) => format!("{indent}{rest}"),
            _ => line.to_owned(),
        }
    });
    let whole = lines.collect::<Vec<_>>().join("\n");
    assert!(whole.contains("\n  desk:") && whole.contains("\nhosts:"), "{whole}");
    check("config.example.yaml, all of it", &whole).await;
}

/// Whether a line of a comment is a key with or without its value.
fn has_key(line: &str) -> bool {
    let key = line.trim_start().split(": ").next().unwrap_or_default().trim_end_matches(':');
    let is_key = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    line.contains(':') && !key.is_empty() && key.chars().all(is_key)
}

/// Runs a line of a shell in that folder. `tidings` is the program under test.
fn run_line(folder: &Folder, line: &str) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_tidings")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PATH", path).env("SMTP_PASSWORD", "the password of ana");
    shell.current_dir(folder.place(".")).stdin(Stdio::null()).output().expect("a shell")
}

#[tokio::test]
async fn every_command_of_the_documents_is_understood() {
    let folder = Folder::new("", &[]);
    let mut count = 0;
    for block in blocks_of("sh") {
        for line in block.text.lines().filter(|line| line.starts_with("tidings ")) {
            count += 1;
            // The port refuses, so no test reaches the internet.
            let line = line.replace("https://example.org", "http://127.0.0.1:9");
            let line = line.replace("--config config.yaml", "--config none.yaml");
            let output = run_line(&folder, &line);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_ne!(output.status.code(), Some(USAGE), "{}: {line}\n{errors}", block.place);
            assert_ne!(output.status.code(), Some(127), "{}: {line}\n{errors}", block.place);
        }
    }
    assert!(count > 30, "the commands were not found: {count}");
}

#[test]
fn every_payload_of_the_documents_is_what_the_schema_describes() {
    let blocks = blocks_of("json");
    let payloads = blocks.iter().filter(|block| block.language == "json");
    let count = payloads.map(|block| schema::hold(block.text.as_bytes())).count();
    assert!(count > 4, "the payloads were not found");
}

/// Runs the example of the signature, if there is a Python.
#[test]
fn the_check_of_a_signature_is_right() {
    for block in blocks_of("python") {
        if let Ok(output) = Command::new("python3").args(["-c", &block.text]).output() {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}\n{errors}", block.place);
        }
    }
}

/// The lines of YAML that are no comment, each without the comment at its end.
fn without_comments(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_alert_of_the_readme_arrives_by_mail() {
    let sink = Sink::start().await;
    let config = file_in("README.md", "config.yaml");
    let server = "smtps://ana@mail.example.org";
    assert!(config.contains(server), "{config}");
    let here = format!("smtp://ana@127.0.0.1:{}", sink.port());
    let folder = Folder::new("", &[]);
    std::fs::remove_file(folder.place("config.yaml")).expect("a file");
    assert_eq!(folder.bare_command(&["init"]).await.code, 0);
    assert_eq!(
        without_comments(&folder.read("rules/first.yaml")),
        without_comments(&file_in("README.md", "rules/first.yaml")),
    );
    folder.write("config.yaml", &config.replace(server, &here));
    folder.set("SMTP_PASSWORD", "the password of ana");

    let said = folder.command(&["check"]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    assert_eq!(folder.command(&["notify", "desk"]).await.code, 0);
    let mut tidings = folder.run(&[]);
    let mails = sink.wait_for(2).await;
    assert!(mails[1].text().contains("Rail cars at the Tumen bridge"), "{}", mails[1].text());
    assert!(mails[1].text().contains("Freight to North Korea"), "{}", mails[1].text());
    assert_eq!(tidings.terminate().await, 0);
}

#[test]
fn the_readme_is_short_and_its_first_commands_are_two() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 120, "{} lines", readme.lines().count());
    let wide = readme.lines().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None, "the line is wider than 100 columns");
    let commands: Vec<&str> =
        readme.lines().filter_map(|line| line.strip_prefix("    cargo ")).take(2).collect();
    assert_eq!(commands, ["run -- run --config config.example.yaml", "test"]);
}

/// The targets of links in Markdown and in HTML.
fn links(text: &str) -> Vec<String> {
    let ends = |start: &str, end: char| -> Vec<String> {
        let parts = text.split(start).skip(1);
        parts.filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())).collect()
    };
    [ends("](", ')'), ends("src=\"", '"'), ends("srcset=\"", '"')].concat()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for document in DOCUMENTS {
        let folder: PathBuf = Path::new(document).parent().expect("a folder").to_owned();
        for link in links(&read(document)).iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { PathBuf::from(document) } else { folder.join(path) };
            assert!(root().join(&target).exists(), "{document}: {link} does not exist");
            if !anchor.is_empty() {
                let anchors = anchors(&read(&target.display().to_string()));
                assert!(anchors.contains(&anchor.to_owned()), "{document}: {link} is no heading");
            }
        }
    }
}
