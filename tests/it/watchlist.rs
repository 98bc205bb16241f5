//! Watchlists through the real binary: from a table to alerts by row, and the effect of edits of
//! the table.

use serde_json::{Value, json};

use crate::support::http::{Response, Server};
use crate::support::setup::{Setup, hook_payloads};
use crate::support::tidings::{Folder, RunningTidings};
use crate::support::wire::{self, Entry};

const RULES: &str = "terms:\n  sdn: {from: ../lists/sdn.csv, term: name, aliases: aka, split: \";\", id: ent_num}\n\
    rules:\n  - name: Listed and crime\n    each: sdn\n    when: $sdn NEAR/30 (fraud OR laundering)\n";

/// The path of the table, beside the rule folder.
const OUTSIDE: &str = "lists/sdn.csv";

fn table(rows: &[&str]) -> String {
    format!("ent_num,name,aka\r\n{}\r\n", rows.join("\r\n"))
}

/// A feed of stories whose texts are these headlines, numbered.
fn stories(server: &Server, titles: &[&str]) -> Response {
    let entry = |(n, title): (usize, &&str)| {
        Entry::full(title, &server.url(&format!("/story/{n}")), &wire::long(n))
    };
    Response::feed(&wire::feed(&titles.iter().enumerate().map(entry).collect::<Vec<_>>()))
}

async fn setup(rows: &[&str]) -> Setup {
    let oil = "rules:\n  - {name: oil, when: crude oil}\n";
    let setup = Setup::with_rules(&[("listed.yaml", RULES), ("oil.yaml", oil)]).await;
    setup.folder.write(OUTSIDE, &table(rows));
    setup
}

/// The rows of all alerts so far.
fn rows(server: &Server) -> Vec<String> {
    let rules = |body: Value| body["rules"].as_array().expect("a list").clone();
    hook_payloads(server)
        .into_iter()
        .flat_map(rules)
        .map(|rule| format!("{}/{}", rule["row"]["id"], rule["row"]["label"]).replace('"', ""))
        .collect()
}

/// Replaces the table, and waits until the log says `changes`.
async fn edit(
    folder: &Folder,
    tidings: &mut RunningTidings,
    path: &str,
    rows: &[&str],
    changes: &str,
) {
    let before = tidings.log().len();
    folder.write(path, &table(rows));
    tidings.wait_for_log_after(before, |line| line.contains(changes)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_alerts_with_its_label_and_id_once_a_story_whatever_becomes_of_it() {
    let Setup { server, mail, folder } = setup(&["36,Ivan Petrov,Vanya P.", "7,Acme Ltd,"]).await;
    let first = "Vanya P. and Acme Ltd charged with fraud";
    server.serve("/feed.xml", stories(&server, &[first]));
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("rules: 2, feeds")).await;
    let received = mail.wait_for(1).await.remove(0);
    server.wait_for("/hook", 1).await;
    assert_eq!(rows(&server), ["36/Ivan Petrov", "7/Acme Ltd"], "one message names both rows");
    let (plain, text) = (received.plain(), received.text());
    assert!(plain.contains("Listed and crime: Ivan Petrov (36)"), "{plain}");
    assert!(text.contains(&format!("Subject: {first} [Listed and crime: Ivan")), "{text}");

    edit(
        &folder,
        &mut tidings,
        OUTSIDE,
        &["7,Acme Ltd,", "8,Bob Marsh,", "9,Eva Lind,"],
        "$sdn: +2 −1 rows",
    )
    .await;
    edit(
        &folder,
        &mut tidings,
        OUTSIDE,
        &["36,Ivan Petrov,Vanya P.;Charged", "7,Acme Limited,Acme Ltd"],
        "$sdn: +1 −2 rows, 1 edited",
    )
    .await;
    // An edit of the story is matched again by rows that left, returned and were edited. It is not
    // sent again.
    let other = "Ivan Petrov again: laundering";
    server.serve("/feed.xml", stories(&server, &[&format!("{first}, police say"), other]));
    server.wait_for("/hook", 2).await;
    folder
        .wait_until(
            "SELECT count(*) FROM story WHERE revision = 2 AND status NOT IN ('awaits_page', 'awaits_match')",
            |count| count == "1",
        )
        .await;
    assert_eq!(rows(&server), ["36/Ivan Petrov", "7/Acme Ltd", "36/Ivan Petrov"]);
    assert_eq!(tidings.terminate().await, 0);

    let listed = folder.command(&["alerts", "--rule", "Listed and crime"]).await.output;
    assert!(listed.contains("Ltd (7)") && listed.contains("Petrov (36)"), "{listed}");
    let shown = folder.command(&["alerts", "show", "1"]).await.output;
    assert!(
        shown.contains("row        Ivan Petrov (36)")
            && shown.contains("- Vanya P.")
            && !shown.contains("Acme Ltd:"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_table_keeps_its_last_good_rows_over_a_restart_while_the_rest_goes_on() {
    let Setup { server, mail: _mail, folder } = setup(&[]).await;
    folder.write("rules/listed.yaml", &RULES.replace("../lists/", ""));
    folder.write("rules/sdn.csv", &table(&["36,Ivan Petrov,"]));
    server.serve("/feed.xml", stories(&server, &[]));
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("rules: 2, feeds")).await;
    folder.write("rules/sdn.csv", "ent_num,name,aka\n36,Ivan Petrov,\n36,Petr Ivanov,\n");
    tidings.wait_for_log(|line| line.contains("row 3: the id `36` is in row 2 already")).await;
    tidings
        .wait_for_log(|line| line.contains("sdn.csv: its last good version stays in force"))
        .await;
    folder.write(
        "rules/oil.yaml",
        "rules:\n  - {name: oil, when: crude oil}\n  - {name: gas, when: gas}\n",
    );
    tidings.wait_for_log(|line| line.contains("rules in force: 3")).await;
    std::fs::remove_file(folder.place("rules/sdn.csv")).expect("it is there");
    tidings.wait_for_log(|line| line.contains("cannot be read: No such file")).await;
    assert_eq!(tidings.terminate().await, 0);

    let mut again = folder.run(&[]);
    again.wait_for_log(|line| line.contains("rules: 3, feeds")).await;
    server.serve("/feed.xml", stories(&server, &["Ivan Petrov and fraud"]));
    server.wait_for("/hook", 1).await;
    assert_eq!(rows(&server)[0], "36/Ivan Petrov");
    edit(
        &folder,
        &mut again,
        "rules/sdn.csv",
        &["36,Ivan Petrov,", "37,Petr Ivanov,"],
        "$sdn: +1 −0 rows",
    )
    .await;
    assert_eq!(again.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_muted_by_its_id_beside_a_running_tidings() {
    let Setup { server, mail: _mail, folder } = setup(&["36,Ivan Petrov,", "7,Acme Ltd,"]).await;
    server.serve("/feed.xml", stories(&server, &[]));
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("; rules: ")).await;
    let refused = folder.command(&["silence", "add", "--row", "3", "--until", "3h"]).await;
    assert!(
        refused.code == 65 && refused.errors.contains("there is no row with the id `3`"),
        "{}",
        refused.errors
    );
    let added = folder.command(&["silence", "add", "--row", "36", "--until", "3h"]).await;
    assert!(
        added.output.starts_with("silence 1: row 36 is muted until"),
        "{}{}",
        added.output,
        added.errors
    );
    server.serve("/feed.xml", stories(&server, &["Ivan Petrov and Acme Ltd: fraud"]));
    folder.wait_until("SELECT count(*) FROM alert", |count| count == "2").await;
    server.wait_for("/hook", 1).await;
    assert_eq!(rows(&server), ["7/Acme Ltd"]);
    let listed = folder.command(&["silence", "list"]).await.output;
    assert!(listed.contains("1  row 36, until ") && listed.contains("1 alert muted"), "{listed}");
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test]
async fn check_explain_and_backtest_know_rows() {
    let Setup { server: _server, mail: _mail, folder } =
        setup(&["36,Ivan Petrov,", "7,Target,", "8,Anna,"]).await;
    let (rules, checked) = (folder.place("rules"), folder.command(&["check"]).await);
    assert!(checked.errors.contains("Target (7) is a very common word"), "{}", checked.errors);
    assert!(
        checked.output.contains("3 files, 2 rules, all examples hold\n  $sdn: 3 rows\n"),
        "{}",
        checked.output
    );
    let canonical = folder.command(&["check", "--canonical"]).await.output;
    assert_eq!(
        (canonical.matches("name: Listed").count(), canonical.matches("each: sdn").count()),
        (1, 1),
        "{canonical}"
    );

    folder.write(
        "story.txt",
        "Ivan Petrov\n\nOne Ivan Petrov is charged with fraud. Target is near, and so is Anna.\n",
    );
    let story = folder.place("story.txt");
    let explain = |more: &[&str]| {
        [&["explain", &*story, "--rules", &*rules], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (more, expected) in [
        (&[][..], "1 of 2 rules match it, for 3 rows"),
        (&["--rule", "Listed and crime"], "for all rows at once"),
        (&["--rule", "Listed and crime", "--row", "36"], "Listed and crime: Ivan Petrov (36)"),
    ] {
        let arguments = explain(more);
        let said = folder.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(said.output.contains(expected), "{}{}", said.output, said.errors);
    }
    let arguments = explain(&["--rule", "Listed and crime", "--row", "5"]);
    let unknown = folder.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(unknown.code == 65 && unknown.errors.contains("has no row `5`"), "{}", unknown.errors);

    let stories = "{\"id\": \"1\", \"title\": \"Anna and Ivan Petrov: fraud\", \"body\": \"\"}\n";
    let arguments = ["backtest", "--rules", &*rules, "--stories", "-", "--format", "json"];
    let tested = folder.command_with(&arguments, stories).await;
    let line: Value = serde_json::from_str(&tested.output).expect("one line");
    let rule = |id: &str, label: &str| json!({"rule": "Listed and crime", "row": {"id": id, "label": label}});
    assert_eq!(line["rules"], json!([rule("8", "Anna"), rule("36", "Ivan Petrov")]));
}
