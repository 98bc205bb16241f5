//! `tidings init`: what it writes is sound, shows an alert, and is never written over other files.

use serde_json::Value;

use crate::support::http::Server;
use crate::support::setup::matching_stories;
use crate::support::tidings::Folder;

/// An empty folder.
fn empty() -> Folder {
    let folder = Folder::new("", &[]);
    std::fs::remove_file(folder.place("config.yaml")).expect("a file");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_written_folder_passes_check_and_shows_an_alert() {
    let folder = empty();
    let said = folder.bare_command(&["init", &folder.place("watch")]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    assert!(said.output.starts_with("written: config.yaml, rules/first.yaml"), "{}", said.output);
    assert!(said.output.contains("cd ") && said.output.contains("tidings run"), "{}", said.output);

    let config = folder.place("watch/config.yaml");
    let said = folder.bare_command(&["check", "-c", &config]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    let said = folder.bare_command(&["run", "--once", "-c", &config]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(said.output.contains("Freight to North Korea"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_line_names_the_schema_that_stands_in_the_folder() {
    let folder = empty();
    assert_eq!(folder.bare_command(&["init"]).await.code, 0);
    for (file, kind) in [("config.yaml", "config"), ("rules/first.yaml", "rules")] {
        let path = std::path::PathBuf::from(folder.place(file));
        let text = std::fs::read_to_string(&path).expect("a file");
        let first = text.lines().next().expect("a line");
        let schema = first.strip_prefix("# yaml-language-server: $schema=").expect("a schema");
        let schema = std::fs::read_to_string(path.with_file_name("").join(schema)).expect("a file");
        assert_eq!(schema, folder.bare_command(&["schema", kind]).await.output);
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        let document: Value = serde_yaml::from_str(&text).expect("YAML");
        assert!(jsonschema::is_valid(&schema, &document), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_along_and_its_feeds_are_polled() {
    let server = Server::start().await;
    server.serve("/feed.xml", matching_stories(&server, 0..1));
    let folder = empty();
    let url = server.url("/feed.xml");
    let list = format!("<opml version='2.0'><body><outline xmlUrl='{url}'/></body></opml>");
    folder.write("other/feeds.opml", &list);
    let place = folder.place("other/feeds.opml");
    let said = folder.bare_command(&["init", "--opml", &place]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    assert_eq!(folder.files("subscriptions.opml"), [list.into_bytes()]);
    assert!(folder.files("example.xml").is_empty(), "the example feed is left out");
    assert_eq!(folder.bare_command(&["check"]).await.code, 0);
    let said = folder.bare_command(&["feeds", "list", "--format", "json"]).await;
    assert!(said.output.contains(&url), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_in_its_place_already_stays_there() {
    let folder = empty();
    folder.write(
        "subscriptions.opml",
        "<opml version='2.0'><body><outline xmlUrl='https://a.example/feed'/></body></opml>",
    );
    let list = folder.place("subscriptions.opml");
    let said = folder.bare_command(&["init", "--opml", &list]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    assert_eq!(folder.bare_command(&["check"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_over_a_file_nor_for_a_list_that_is_none() {
    let folder = empty();
    folder.write("rules/first.yaml", "rules: []\n");
    let said = folder.bare_command(&["init"]).await;
    assert_eq!(said.code, 65);
    assert!(said.errors.contains("first.yaml exists already"), "{}", said.errors);
    assert_eq!(folder.names(), ["rules"]);

    folder.write("feeds.opml", "no list");
    let list = folder.place("feeds.opml");
    let said = folder.bare_command(&["init", "--opml", &list, &folder.place("new")]).await;
    assert_eq!(said.code, 65, "{}", said.errors);
    let said = folder.bare_command(&["init", "--opml", "missing", &folder.place("new")]).await;
    assert_eq!(said.code, 69, "{}", said.errors);
    assert_eq!(folder.names(), ["feeds.opml", "rules"]);
}
