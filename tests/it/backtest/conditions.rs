//! Backtests of rules with `tell` or `absent`: what would be held and told, and what an edit
//! changes.

use serde_json::{Value, json};

use super::{backtest, lines};
use crate::support::tidings::Folder;

const CONFIG: &str = "rules: rules\nnotify: []\nnotifiers: {}\nzone: UTC\nfeeds: [{url: \"file:wire.xml\", name: Wire}]
publishers: {Agency: [agency.example, agency.example.org]}\n";

const RULES: &str = r"rules:
  - {name: Confirmed, when: refinery, tell: {publishers: 3, within: 6h}}
  - {name: Silent, when: refinery, absent: {for: 1d}}
  - {name: Plain, when: refinery}
  - {name: Never, when: kites, tell: {events: 2, within: 1h}}
";

/// Three publishers have it within six hours of 20 November. Two of three domains are of one.
const STORIES: &str = r#"{"id": "a", "title": "Fire at the refinery", "body": "", "url": "https://www.agency.example/1", "published": "2026-11-20T08:00:00Z"}
{"id": "b", "title": "The refinery burns", "body": "", "url": "https://agency.example.org/2", "published": "2026-11-20T09:00:00Z"}
{"id": "c", "title": "A refinery burns", "body": "", "source": "Yonhap", "published": "2026-11-20T10:00:00Z"}
{"id": "d", "title": "A refinery in flames", "body": "", "source": "AP", "published": "2026-11-20T13:59:00Z"}
{"id": "e", "title": "More of the refinery", "body": "", "source": "AP", "published": "2026-11-20T19:00:00Z"}
{"id": "f", "title": "The refinery is rebuilt", "body": "", "source": "AP", "published": "2026-11-25T10:00:00Z"}
"#;

fn folder() -> Folder {
    let folder = Folder::new(CONFIG, &[("a.yaml", RULES)]);
    folder.write("stories.jsonl", STORIES);
    folder
}

/// The output without its last line, which has the speed.
fn without_speed(output: &str) -> &str {
    output.trim_end().rsplit_once('\n').expect("lines").0
}

#[tokio::test]
async fn people_see_firings_with_their_stories_and_what_is_held() {
    let said = backtest(&folder(), &["--stories", "@stories.jsonl"]).await;
    insta::assert_snapshot!("backtest_firings", without_speed(&said.output));
    assert_eq!((said.errors.as_str(), said.code), ("", 0));
}

#[tokio::test]
async fn a_line_says_what_a_condition_makes_of_a_match() {
    let json = ["--stories", "@stories.jsonl", "--format", "json"];
    let said = backtest(&folder(), &json).await;
    let found = lines(&said.output);
    let confirmed = |line: &Value| {
        let rules = line["rules"].as_array().expect("a list");
        let confirmed = rules.iter().find(|rule| rule["rule"] == "Confirmed");
        confirmed.expect("it matches")["condition"].clone()
    };
    let stories: Vec<&Value> = found.iter().filter(|line| line["id"].is_string()).collect();
    let results: Vec<Value> = stories.iter().map(|line| confirmed(line)).collect();
    let held = |progress: &str| json!({"result": "held", "progress": progress});
    let expected = [
        held("1 of 3 publishers: Agency"),
        held("1 of 3 publishers: Agency"),
        held("2 of 3 publishers: Agency, Yonhap"),
        json!({"result": "fired", "progress": "3 publishers: AP, Agency, Yonhap",
               "stories": ["a", "b", "c", "d"], "more": 0}),
        json!({"result": "told"}),
        held("1 of 3 publishers: AP"),
    ];
    assert_eq!(results, expected);
    let plain = stories[0]["rules"].as_array().expect("a list").iter();
    let plain = plain.filter(|rule| rule["rule"] == "Plain").collect::<Vec<_>>();
    assert_eq!(plain, [&json!({"rule": "Plain"})]);
    let absences: Vec<&Value> = found.iter().filter(|line| !line["absence"].is_null()).collect();
    let absence = json!({"absence": {"rule": "Silent", "since": "2026-11-20T19:00:00Z",
                                     "due": "2026-11-21T19:00:00Z"}});
    assert_eq!(absences, [&absence]);
    let summary = lines(&said.errors).remove(0);
    let keys = ["matches", "firings", "told", "held", "late_stories"];
    assert_eq!(keys.map(|key| summary[key].as_u64()), [18, 2, 6, 6, 0].map(Some));
}

#[tokio::test]
async fn an_edit_of_a_condition_is_shown_by_the_firings_that_it_adds_and_drops() {
    let folder = folder();
    let edited = RULES.replace("publishers: 3", "publishers: 2").replace("for: 1d", "for: 10d");
    folder.write("edited/a.yaml", &edited);
    let compare = ["--stories", "@stories.jsonl", "--against", "@edited"];
    let said = backtest(&folder, &compare).await;
    insta::assert_snapshot!("backtest_firings_against", without_speed(&said.output));
    let said = backtest(&folder, &[&compare[..], &["--format", "json"]].concat()).await;
    let found = lines(&said.output);
    let changes: Vec<Value> = found
        .iter()
        .filter(|line| line["adds_firings"] != json!([]) || line["drops_firings"] != json!([]))
        .map(|line| match line["id"].as_str() {
            Some(id) => json!([id, line["adds_firings"], line["drops_firings"]]),
            None => json!([line["absence"]["rule"], line["change"]]),
        })
        .collect();
    let rule = |name: &str| json!([{"rule": name}]);
    let expected = [
        json!(["c", rule("Confirmed"), []]),
        json!(["d", [], rule("Confirmed")]),
        json!(["Silent", "drops"]),
        json!(["f", [], rule("Silent")]),
    ];
    assert_eq!(changes, expected);
    let summary = lines(&said.errors).remove(0);
    let keys = ["adds", "drops", "adds_firings", "drops_firings"];
    assert_eq!(keys.map(|key| summary[key].as_u64()), [0, 0, 1, 2].map(Some));
}

#[tokio::test]
async fn stories_that_are_not_in_order_count_late_and_are_counted() {
    let folder = folder();
    let mut newest_first: Vec<&str> = STORIES.lines().collect();
    newest_first.reverse();
    folder.write("stories.jsonl", &newest_first.join("\n"));
    let said = backtest(&folder, &["--stories", "@stories.jsonl"]).await;
    let warning = "warning: 5 stories without a date, or older than the story before";
    assert!(said.errors.contains(warning) && said.code == 0, "{}", said.errors);
    folder.write("undated.jsonl", &format!("{STORIES}{{\"title\": \"Rain\", \"body\": \"\"}}\n"));
    let said = backtest(&folder, &["--stories", "@undated.jsonl"]).await;
    assert!(said.errors.contains("warning: 1 story without a date"), "{}", said.errors);
    folder.write("undated.jsonl", &format!("{{\"title\": \"Rain\", \"body\": \"\"}}\n{STORIES}"));
    let said = backtest(&folder, &["--stories", "@undated.jsonl"]).await;
    assert!(said.errors.contains("warning: 1 story without a date"), "{}", said.errors);
    let plain = ["--stories", "@stories.jsonl", "--when", "refinery"];
    assert_eq!(backtest(&folder, &plain).await.errors, "");
}

#[tokio::test]
async fn a_rule_learns_the_usual_rate_from_the_first_story_on() {
    let rules =
        "rules: [{name: Many, when: quake, tell: {spike: 2, within: 1h, against: 2d, least: 2}}]";
    let folder = Folder::new(CONFIG, &[("a.yaml", rules)]);
    let story = |day: u32, minute: u32, title: &str| {
        let published = format!("2026-11-{day:02}T10:{minute:02}:00Z");
        json!({"title": title, "body": "", "published": published}).to_string()
    };
    let rain = (1..=4).map(|day| story(day, 0, "Rain"));
    let learning = rain.chain([story(4, 30, "A quake"), story(4, 40, "Another quake")]);
    folder.write("learned.jsonl", &learning.collect::<Vec<_>>().join("\n"));
    let said = backtest(&folder, &["--stories", "@learned.jsonl"]).await;
    assert!(said.output.contains("Many: 2 matches, 1 firing, 2 told, 0 held\n"), "{}", said.output);
    // Without a story for a day, nobody watched.
    let gap = [1, 3, 4].map(|day| story(day, 0, "Rain"));
    let gap = gap.into_iter().chain([story(4, 30, "A quake"), story(4, 40, "Another quake")]);
    folder.write("gap.jsonl", &gap.collect::<Vec<_>>().join("\n"));
    let said = backtest(&folder, &["--stories", "@gap.jsonl"]).await;
    let held = "Many: 2 matches, 0 firings, 0 told, 2 held, 2 while it learned\n";
    assert!(said.output.contains(held), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_stories_are_the_events_that_the_store_knows() {
    let config = "rules: rules\nnotify: [console]\nnotifiers: {console: {type: console}}\npoll: {first_poll: all}\nfeeds:
  - {url: \"file:wire.xml\", name: Wire, full_text: never}
  - {url: \"file:paper.xml\", name: Paper, full_text: never}\n";
    let rules = "rules: [{name: Confirmed, when: refinery, tell: {publishers: 2, within: 6h}}]";
    let folder = Folder::new(config, &[("a.yaml", rules)]);
    let document = |feed: &str| {
        format!(
            "<rss version=\"2.0\"><channel><title>F</title><item><title>The refinery burns</title>\
             <guid>{feed}</guid><description>The text of the story has some words.</description>\
             </item></channel></rss>"
        )
    };
    folder.write("wire.xml", &document("wire"));
    folder.write("paper.xml", &document("paper"));
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT count(*) FROM alert", |alerts| alerts == "2").await;
    assert_eq!(tidings.terminate().await, 0);
    let said = backtest(&folder, &[]).await;
    let held = "Confirmed: 2 matches, 0 firings, 0 told, 1 held, 1 copy\n";
    assert!(said.output.contains(held), "{}{}", said.output, said.errors);
}
