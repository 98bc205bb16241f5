//! `tidings backtest` as people and scripts run it: stories from a file and from the store, a
//! comparison of rules, broken input.

mod conditions;

use serde_json::{Value, json};

use crate::support::tidings::Folder;

const NO_CONFIG: &str = "backtests of named files need no configuration: [";

const RULES: &str = "rules:
  - {name: oil, when: oil}
  - {name: arms, when: arms AND Russia, feeds: [Wire, \"tag:asia\"]}
  - {name: kites, when: kites}
";

const STORIES: &str = r#"{"title": "Russia sells arms", "body": "And oil.", "id": "first", "published": "2026-11-20T10:00:00Z"}
{"title": "Farms", "body": "No arms at all.", "extra": [1, 2]}

{"title": "Oil falls", "body": "", "url": "https://example.org/oil", "published": "2026-11-21", "lang": "en"}
"#;

fn folder() -> Folder {
    let folder = Folder::new(NO_CONFIG, &[("a.yaml", RULES)]);
    folder.write("stories.jsonl", STORIES);
    folder
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The lines with the names of the rules. Each has its story.
fn matches(text: &str) -> Vec<Value> {
    let names = |rules: &Value| -> Value {
        rules.as_array().expect("a list").iter().map(|rule| rule["rule"].clone()).collect()
    };
    let mut found = lines(text);
    for line in &mut found {
        let line = line.as_object_mut().expect("an object");
        let story = line.remove("story").expect("a story");
        assert!(story["title"].is_string() && story["first_seen"].is_string(), "{story}");
        for key in ["rules", "adds", "drops"] {
            if let Some(rules) = line.get_mut(key) {
                *rules = names(rules);
            }
        }
    }
    found
}

/// Arguments with `@` for the folder.
async fn backtest(folder: &Folder, arguments: &[&str]) -> crate::support::tidings::Said {
    let at = |argument: &&str| match argument.strip_prefix('@') {
        Some(name) => folder.place(name),
        None => (*argument).to_owned(),
    };
    let arguments: Vec<String> =
        std::iter::once("backtest".to_owned()).chain(arguments.iter().map(at)).collect();
    folder.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn a_story_that_matched_is_a_line_and_the_summary_is_one_on_standard_error() {
    for threads in ["1", "3"] {
        let json = [
            "--rules",
            "@rules",
            "--stories",
            "@stories.jsonl",
            "--format",
            "json",
            "--threads",
            threads,
        ];
        let said = backtest(&folder(), &json).await;
        let expected = [
            json!({"id": "first", "rules": ["arms", "oil"]}),
            json!({"id": "4", "rules": ["oil"]}),
        ];
        assert_eq!((matches(&said.output), said.code), (expected.to_vec(), 0), "{}", said.errors);
        let summary = lines(&said.errors).remove(0);
        for (key, number) in [("rules_tried", 3), ("stories", 3), ("matches", 3), ("faults", 0)] {
            assert_eq!(summary[key], number, "{key}");
        }
        for key in ["load_seconds", "match_microseconds_per_story"] {
            assert!(summary[key].as_f64().is_some_and(|number| number > 0.0), "{summary}");
        }
    }
}

#[tokio::test]
async fn people_see_headlines_rule_by_rule_and_totals() {
    let said = backtest(&folder(), &["--rules", "@rules", "--stories", "@stories.jsonl"]).await;
    let (found, speed) = said.output.trim_end().rsplit_once('\n').expect("lines");
    insta::assert_snapshot!("backtest", found);
    assert!(
        speed.starts_with("loading the rules took ") && speed.ends_with(" µs a story on 1 thread"),
        "{speed}"
    );
    assert_eq!((said.errors.as_str(), said.code), ("", 0));
}

#[tokio::test]
async fn one_expression_is_enough() {
    let json = ["--when", "arms NOT oil", "--stories", "@stories.jsonl", "--format", "json"];
    let said = backtest(&folder(), &json).await;
    assert_eq!(matches(&said.output), [json!({"id": "2", "rules": ["arms NOT oil"]})]);
}

#[tokio::test]
async fn an_expression_may_name_the_lists_of_the_rules() {
    let folder = folder();
    folder.write("rules/lists.yaml", "terms: {fuels: [oil, coal]}\n");
    let when = ["--when", "$fuels", "--stories", "@stories.jsonl", "--format", "json"];
    let said = backtest(&folder, &[&when[..], &["--rules", "@rules"]].concat()).await;
    let expected =
        [json!({"id": "first", "rules": ["$fuels"]}), json!({"id": "4", "rules": ["$fuels"]})];
    assert_eq!(matches(&said.output), expected, "{}", said.errors);
    folder.write("config.yaml", "rules: rules\nnotify: []\nnotifiers: {}\nfeeds: []\n");
    assert_eq!(matches(&backtest(&folder, &when).await.output), expected);
}

#[tokio::test]
async fn an_edit_is_shown_by_what_it_adds_and_drops() {
    let folder = folder();
    folder.write(
        "edited/a.yaml",
        "rules:\n  - {name: arms, when: arms NOT Russia}\n  - {name: oil, when: oil}\n",
    );
    let compare = ["--rules", "@rules", "--stories", "@stories.jsonl", "--against", "@edited"];
    let said = backtest(&folder, &compare).await;
    insta::assert_snapshot!(
        "backtest_against",
        said.output.trim_end().rsplit_once('\n').expect("lines").0
    );

    let said = backtest(&folder, &[&compare[..], &["--format", "json"]].concat()).await;
    let expected = [
        json!({"id": "first", "rules": ["arms", "oil"], "adds": [], "drops": ["arms"]}),
        json!({"id": "2", "rules": [], "adds": ["arms"], "drops": []}),
        json!({"id": "4", "rules": ["oil"], "adds": [], "drops": []}),
    ];
    assert_eq!(matches(&said.output), expected);
    let summary = lines(&said.errors).remove(0);
    assert_eq!((&summary["adds"], &summary["drops"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn lines_that_are_no_stories_are_reported_with_their_place_and_the_rest_is_matched() {
    let folder = folder();
    folder.write(
        "stories.jsonl",
        "{\"title\": \"Oil\", \"body\": \"\"}\n{\"title\": \"Oil\"}\noil\n{\"title\": \"Oil\", \"body\": \"\"}\n",
    );
    let arguments = ["--when", "oil", "--stories", "@stories.jsonl"];
    let said = backtest(&folder, &arguments).await;
    insta::assert_snapshot!("backtest_faults", said.errors);
    assert!(
        said.output.contains("2 matches in 2 of 2 stories") && said.code == 65,
        "{}",
        said.output
    );

    let said = backtest(&folder, &[&arguments[..], &["--format", "json"]].concat()).await;
    let errors = lines(&said.errors);
    let places: Vec<_> =
        errors.iter().map(|fault| (fault["line"].as_u64(), fault["column"].as_u64())).collect();
    assert_eq!(places, [(Some(2), Some(16)), (Some(3), Some(1)), (None, None)]);
    assert_eq!(
        (errors[2]["faults"].as_u64(), lines(&said.output).len(), said.code),
        (Some(2), 2, 65)
    );
}

#[tokio::test]
async fn rules_that_do_not_load_end_it_with_their_faults() {
    let folder = folder();
    folder.write("rules/b.yaml", "rules:\n  - {name: x, when: (arms}\n");
    let stories = ["--stories", "@stories.jsonl"];
    let said = backtest(&folder, &[&["--rules", "@rules"], &stories[..]].concat()).await;
    assert!(said.code == 65 && said.errors.contains("b.yaml:2:"), "{}", said.errors);
    let said = backtest(&folder, &[&["--when", "NOT arms"], &stories[..]].concat()).await;
    assert!(said.code == 65 && said.errors.contains("nearly every story"), "{}", said.errors);
    let said =
        backtest(&folder, &[&["--when", "oil", "--against", "@rules"], &stories[..]].concat())
            .await;
    assert!(said.code == 65 && said.output.is_empty(), "{}", said.errors);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let folder = folder();
    for (arguments, code, wanted) in [
        (vec!["--when", "oil", "--stories", "@gone.jsonl"], 69, "gone.jsonl cannot be read"),
        (vec!["--when", "oil", "--stories", "@rules"], 69, "it is a folder"),
        (vec!["--rules", "@gone", "--stories", "@stories.jsonl"], 65, "gone does not exist"),
        (vec!["--when", "oil", "--stories", "-", "--since", "1d"], 64, "cannot be used with"),
        (vec!["--when", "oil", "--threads", "0", "--stories", "-"], 64, "--threads"),
    ] {
        let said = backtest(&folder, &arguments).await;
        assert!(
            said.code == code && said.errors.contains(wanted),
            "{arguments:?}: {} {}",
            said.code,
            said.errors
        );
    }
}

const CONFIG: &str =
    "rules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\nfeeds:
  - {url: \"file:wire.xml\", name: Wire, tags: [asia], full_text: never}\n";

const FEED: &str = r#"<rss version="2.0"><channel><title>Wire</title>
<item><title>Russia sells arms</title><guid>1</guid><description>Oil, too.</description></item>
<item><title>Farms</title><guid>2</guid><description>None.</description></item>
</channel></rss>"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_read_beside_a_running_daemon_with_the_feeds_of_its_stories() {
    let folder = Folder::new(CONFIG, &[("a.yaml", RULES)]);
    folder.write("wire.xml", FEED);
    let said = backtest(&folder, &[]).await;
    let is_missing = ["there is no such file", "Tidings has not run yet"]
        .iter()
        .any(|why| said.errors.contains(why));
    assert!(said.code == 69 && is_missing, "{}", said.errors);

    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT count(*) FROM story", |stories| stories == "2").await;
    let said = backtest(&folder, &["--format", "json"]).await;
    let found = lines(&said.output);
    assert_eq!((found.len(), said.code), (1, 0), "{}", said.errors);
    assert_eq!(found[0]["rules"], json!([{"rule": "arms"}, {"rule": "oil"}]));
    assert_eq!(
        vec![found[0]["id"].as_str().expect("text")],
        folder.query("SELECT uid FROM story WHERE title LIKE 'R%'").await
    );

    let said = backtest(&folder, &["--since", "0s", "--when", "arms"]).await;
    assert!(said.output.contains("0 matches in 0 of 0 stories"), "{}", said.output);
    assert_eq!(tidings.terminate().await, 0);
}
