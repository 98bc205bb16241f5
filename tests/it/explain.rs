//! `tidings explain` as people and scripts run it: stories from every source, one rule, one
//! expression, unknown names.

use serde_json::{Value, json};

use crate::support::http::{Response, Server};
use crate::support::tidings::{Folder, Said};
use crate::support::wire::PAGE;

const NO_CONFIG: &str = "a story at hand and named rules need no configuration: [";

const RULES: &str = "terms:
  dprk: [North Korea, DPRK]
  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은]}
rules:
  - {name: arms, when: Russia AND ($dprk OR $kim) AND arms}
  - {name: close, when: Russia NEAR/2 arms NOT football}
  - {name: sentence, when: SENT(shells AND oil)}
  - {name: young, when: Russia AND age < 2d}
  - {name: german, when: Russia, lang: de}
  - {name: old, when: Russia, expires: 2020-01-01}
  - {name: off, when: Russia, enabled: false}
";

const STORY: &str = "Freight over the bridge doubles

Russia pays with oil, an invented study says. North Korea ships shells, and 김정은이 smiles.

Both have long denied any trade in arms.
";

const JSON: &str = r#"{"title": "Russia sells arms", "body": "DPRK buys.", "lang": "en", "published": "2026-01-02"}"#;

fn folder() -> Folder {
    let folder = Folder::new(NO_CONFIG, &[("a.yaml", RULES)]);
    folder.write("story.txt", STORY);
    folder.write("story.json", JSON);
    folder
}

/// Arguments with `@` for the folder; standard input has `input`.
async fn explain_with(folder: &Folder, arguments: &[&str], input: &str) -> Said {
    let at = |argument: &&str| match argument.strip_prefix('@') {
        Some(name) => folder.place(name),
        None => (*argument).to_owned(),
    };
    let arguments: Vec<String> =
        std::iter::once("explain".to_owned()).chain(arguments.iter().map(at)).collect();
    folder.command_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), input).await
}

async fn explain(folder: &Folder, arguments: &[&str]) -> Said {
    explain_with(folder, arguments, "").await
}

fn object(said: &Said) -> Value {
    assert_eq!((said.errors.as_str(), said.code), ("", 0));
    serde_json::from_str(&said.output).expect("one JSON object")
}

#[tokio::test]
async fn people_see_which_rules_match_and_on_which_words() {
    let said = explain(&folder(), &["@story.txt", "--rules", "@rules"]).await;
    insta::assert_snapshot!("explain_all", said.output);
    assert_eq!((said.errors.as_str(), said.code), ("", 0));
}

#[tokio::test]
async fn a_rule_that_does_not_match_is_shown_clause_by_clause() {
    let folder = folder();
    let mut shown = String::new();
    for rule in ["arms", "close", "sentence", "young", "old"] {
        let said = explain(&folder, &["@story.txt", "--rules", "@rules", "--rule", rule]).await;
        assert_eq!((said.errors.as_str(), said.code), ("", 0));
        shown += said.output.split_once("\n\n").expect("the story, then the rule").1;
        shown += "\n";
    }
    insta::assert_snapshot!("explain_rules", shown);

    // The guide shows one of them.
    let said = explain(&folder, &["@story.txt", "--rules", "@rules", "--rule", "close"]).await;
    assert_guide_shows(said.output.split_once("\n\n").expect("the story, then the rule").1);
}

/// Fails if the guide does not have this output as a block.
fn assert_guide_shows(output: &str) {
    let indented: Vec<String> =
        output.lines().map(|line| format!("    {line}").trim_end().to_owned()).collect();
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md"))
        .expect("the guide");
    assert!(
        guide.contains(&indented.join("\n")),
        "docs/rules.md does not show what is said today: {indented:#?}"
    );
}

#[tokio::test]
async fn the_text_that_rules_see_is_printed_alone_or_after_the_explanation() {
    let folder = folder();
    let said = explain(&folder, &["@story.txt", "--text"]).await;
    assert_eq!((said.errors.as_str(), said.code), ("", 0));
    assert_guide_shows(&said.output);

    let report = explain(&folder, &["@story.txt", "--when", "oil"]).await.output;
    let body = said.output.split_once("\n\n").expect("the head, then the text").1;
    let said = explain(&folder, &["@story.txt", "--when", "oil", "--text"]).await;
    assert_eq!(said.output, format!("{report}\n{body}"));

    let said = explain(&folder, &["@story.txt", "--text", "--format", "json"]).await;
    let object = object(&said);
    assert_eq!((&object["read"], object.get("rules")), (&json!({"what": "full"}), None));

    let hostile = r#"{"title": "A\u001b b\nc", "body": "D\u202ee\n\nf\u0007 \u200dg"}"#;
    let said = explain_with(&folder, &["-", "--text"], hostile).await;
    assert_eq!(said.output, "A b c\nread: 6 words, the whole text\n\nDe\n\nf  \u{200d}g\n");
    let said = explain_with(&folder, &["-", "--text"], r#"{"title": "", "body": "Only a text"}"#);
    assert_eq!(said.await.output, "\nread: 3 words, the whole text\n\nOnly a text\n");
}

#[tokio::test]
async fn a_page_in_a_file_is_read_as_it_is_and_nothing_is_fetched() {
    let (folder, server) = (folder(), Server::start().await);
    server.serve("/amp", Response::html(PAGE));
    folder.write("page.html", PAGE);
    let said = explain(&folder, &["@page.html", "--text"]).await;
    insta::assert_snapshot!("explain_text_of_a_page", said.output);

    // The name says that it is a page, although its beginning does not.
    folder.write("odd.HTM", &format!("\u{0} a line before it\n{PAGE}"));
    assert_eq!(explain(&folder, &["@odd.HTM", "--text"]).await.output, said.output);

    let amp = format!("<link rel=amphtml href=\"{}\"></head>", server.url("/amp"));
    folder.write("short.html", &format!("<html><head>{amp}<p>Hardly a text.</p>"));
    let said = explain(&folder, &["@short.html", "--text"]).await;
    let why = "short.html is neither a feed (";
    assert!(said.code == 65 && said.output.is_empty(), "{} {}", said.code, said.output);
    assert!(said.errors.contains(why) && said.errors.contains("  help: "), "{}", said.errors);
    assert_eq!(server.requests("/amp").len(), 0);
}

#[tokio::test]
async fn standard_input_is_text_json_or_a_page() {
    let folder = folder();
    let when = ["-", "--when", "title:doubles AND 김정은"];
    let said = explain_with(&folder, &when, STORY).await;
    insta::assert_snapshot!("explain_when", said.output);
    let said = explain_with(&folder, &["-", "--when", "title:Russia AND lang:en"], JSON).await;
    assert!(
        said.output.contains("✓ title:Russia") && said.output.contains("✓ lang:en"),
        "{}",
        said.output
    );
    let said = explain_with(&folder, &["-", "--when", "SENT(oil AND grain)"], PAGE).await;
    assert!(said.output.contains("✓ SENT(oil AND grain)"), "{}", said.output);
    let said = explain_with(&folder, &["-", "--when", "a line"], "Only a line").await;
    assert!(
        said.output.starts_with("Only a line") && said.output.contains("✓ a line"),
        "{}",
        said.output
    );
    let said = explain_with(&folder, &["-", "--when", "oil"], "").await;
    assert!(said.code == 65 && said.errors.contains("standard input is empty"), "{}", said.errors);
}

#[tokio::test]
async fn an_expression_may_name_the_lists_of_the_rules() {
    let folder = folder();
    let when = ["@story.txt", "--when", "$dprk AND $kim"];
    let said = explain(&folder, &[&when[..], &["--rules", "@rules"]].concat()).await;
    assert!(
        said.code == 0 && said.output.contains("✓ $dprk AND $kim"),
        "{} {}",
        said.output,
        said.errors
    );
    let said = explain(&folder, &when).await;
    assert_eq!(said.code, 78, "the lists are in the configuration's rules: {}", said.errors);
    folder.write("config.yaml", CONFIG);
    let said = explain(&folder, &when).await;
    assert!(said.output.contains("✓ $dprk AND $kim"), "{} {}", said.output, said.errors);
    std::fs::remove_file(folder.place("config.yaml")).expect("it is there");
    let said = explain(&folder, &when).await;
    assert!(said.code == 65 && said.errors.contains("no term list `$dprk`"), "{}", said.errors);
    folder.write("rules/a.yaml", "terms: {dprk: []}\n");
    let said = explain(&folder, &[&when[..], &["--rules", "@rules"]].concat()).await;
    assert!(said.code == 65 && said.errors.contains("`dprk` is empty"), "{}", said.errors);
}

#[tokio::test]
async fn scripts_get_one_object() {
    let folder = folder();
    let json = ["--rules", "@rules", "--format", "json"];
    let all = object(&explain(&folder, &[&["@story.json"], &json[..]].concat()).await);
    assert_eq!(all["story"]["title"], "Russia sells arms");
    assert_eq!(all["rules_tried"], 6);
    let names: Vec<_> =
        all["rules"].as_array().expect("a list").iter().map(|found| &found["rule"]).collect();
    assert_eq!(names, ["arms", "close", "young"]);
    let evidence = json!({"term": "Russia", "clause": "Russia", "field": "title", "sentence": "Russia sells arms", "marks": [{"start": 0, "end": 6}]});
    assert_eq!(all["rules"][0]["evidence"][0], evidence);

    let one = object(
        &explain(&folder, &[&["@story.json", "--rule", "sentence"], &json[..]].concat()).await,
    );
    assert_eq!((&one["rule"], &one["filtered_out"]), (&json!("sentence"), &Value::Null));
    let oil = json!({"text": "oil", "truth": "false"});
    let shells = json!({"text": "shells", "truth": "false", "notes": ["`sells` is there: another spelling?"]});
    let both = json!({"text": "shells AND oil", "truth": "false", "clauses": [shells, oil]});
    let clause = json!({"text": "SENT(shells AND oil)", "truth": "false", "notes": ["no sentence has any of it"], "clauses": [both]});
    assert_eq!(one["clause"], clause);
    let filtered = object(
        &explain(&folder, &[&["@story.json", "--rule", "german"], &json[..]].concat()).await,
    );
    assert_eq!(filtered["filtered_out"], "it accepts only stories in de; this one is in en");

    let when =
        object(&explain(&folder, &["@story.txt", "--when", "Rusia", "--format", "json"]).await);
    let clause = json!({"text": "Rusia", "truth": "false", "notes": ["`Russia` is there: another spelling?"]});
    assert_eq!(when["clause"], clause);
}

#[tokio::test]
async fn an_address_is_fetched() {
    let server = Server::start().await;
    server.serve("/news", Response::html(PAGE));
    let config =
        "rules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\nfeeds: []\n";
    let folder = Folder::new(config, &[("a.yaml", RULES)]);
    let said = explain(&folder, &[&server.url("/news"), "--when", "North Korea AND arms"]).await;
    assert!(
        said.code == 0 && said.output.contains("✓ North Korea AND arms"),
        "{} {}",
        said.output,
        said.errors
    );
    let said = explain(&folder, &[&server.url("/news"), "--text"]).await;
    assert!(said.output.contains("\n\nFreight over the bridge at the river’s"), "{}", said.output);
    let said = explain(&folder, &[&server.url("/gone"), "--when", "arms"]).await;
    assert!(said.code == 69 && said.errors.contains("404"), "{} {}", said.code, said.errors);
    server.serve("/old", Response::status(302).header("location", "/"));
    server.serve("/", Response::html(PAGE));
    let said = explain(&folder, &[&server.url("/old"), "--text"]).await;
    assert!(said.code == 65 && said.errors.contains("leads to a front page"), "{}", said.errors);
}

const CONFIG: &str =
    "rules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\nfeeds:
  - {url: \"file:wire.xml\", name: Wire, tags: [asia], full_text: never}\n";

const FEED: &str = r#"<rss version="2.0"><channel><title>Wire</title>
<item><title>Russia sells arms</title><link>https://wire.example/1?utm_source=x</link><guid>1</guid><description>To the DPRK.</description></item>
<item><title>Farms</title><link>https://wire.example/2</link><guid>2</guid><description>None.</description></item>
</channel></rss>"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_story_is_found_by_id_and_by_link_and_says_what_became_of_it() {
    let folder = Folder::new(CONFIG, &[("a.yaml", RULES)]);
    folder.write("wire.xml", FEED);
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let id = folder.query("SELECT uid FROM story WHERE title LIKE 'R%'").await.remove(0);
    for name in [id.as_str(), "https://wire.example/1", "http://wire.example/1?utm_medium=mail"] {
        let found = object(&explain(&folder, &[name, "--format", "json"]).await);
        assert_eq!(
            (&found["id"], &found["status"], &found["feeds"]),
            (&json!(id), &json!("matched"), &json!([{"feed": "Wire"}]))
        );
        let rules: Vec<_> = found["alerts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|alert| &alert["rule"])
            .collect();
        let matched: Vec<_> =
            found["rules"].as_array().expect("a list").iter().map(|found| &found["rule"]).collect();
        assert_eq!(rules, matched, "the same rules, the same words");
        assert!(rules.contains(&&json!("arms")), "{rules:?}");
    }
    let said = explain(&folder, &["https://wire.example/2", "--rule", "arms"]).await;
    assert!(said.output.contains("no rule matched it"), "{}", said.output);
    assert!(said.output.contains("? Russia AND ($dprk OR $kim) AND arms"), "{}", said.output);
    let said = explain(
        &folder,
        &["https://wire.example/1", "--when", "source:Wire AND site:wire.example"],
    )
    .await;
    assert!(said.output.contains("✓ source:Wire"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_part_of_an_article_is_said_to_be_one() {
    let folder = Folder::new(CONFIG, &[("a.yaml", RULES)]);
    folder.write("wire.xml", FEED);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    for sql in [
        "UPDATE story SET read = 'partial', read_why = $1",
        "UPDATE alert SET read = 'partial', read_why = $1",
    ] {
        folder.change_with(sql, "the page is behind a paywall").await;
    }
    let said = "part of the article: the page is behind a paywall";
    let text = explain(&folder, &["https://wire.example/1", "--text"]).await;
    let head = format!("Russia sells arms\nread: 6 words, {said}\n\nTo the DPRK.\n");
    assert_eq!((text.output, text.errors.as_str(), text.code), (head, "", 0));
    let rule = explain(&folder, &["https://wire.example/2", "--rule", "arms"]).await.output;
    assert!(rule.contains(said), "{rule}");
    assert!(rule.contains("? Russia AND ($dprk OR $kim) AND arms"), "the rest is unknown: {rule}");
    let shown = folder.command(&["alerts", "show", "1"]).await.output;
    assert!(shown.contains(said), "{shown}");
    let shown = object(&folder.command(&["alerts", "show", "1", "--format", "json"]).await);
    assert_eq!(shown["read"], json!({"what": "partial", "why": "the page is behind a paywall"}));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let folder = folder();
    folder.write("feed.xml", FEED);
    folder.write("bad/b.yaml", "rules:\n  - {name: x, when: (arms}\n");
    for (arguments, code, wanted) in [
        (vec!["@story.txt", "--rules", "@rules", "--rule", "armz"], 65, "did you mean `arms`?"),
        (
            vec!["@story.txt", "--rules", "@rules/a.yaml", "--rule", "off"],
            65,
            "there is no enabled rule `off`",
        ),
        (vec!["@story.txt", "--when", "Russia AND"], 65, "nothing follows `AND`"),
        (vec!["@story.txt", "--when", "NOT Russia"], 65, "nearly every story"),
        (vec!["@story.txt", "--rules", "@gone"], 65, "gone does not exist"),
        (vec!["@story.txt", "--rules", "@bad"], 65, "b.yaml:2:"),
        (vec!["@feed.xml", "--when", "arms"], 64, "a feed of 2 stories"),
        (vec!["@story.txt", "--rule", "arms", "--when", "arms"], 64, "cannot be used with"),
        (vec!["@gone.txt", "--when", "arms"], 78, "config.yaml"),
    ] {
        let said = explain(&folder, &arguments).await;
        assert!(
            said.code == code && said.errors.contains(wanted),
            "{arguments:?}: {} {}",
            said.code,
            said.errors
        );
    }
    std::fs::remove_file(folder.place("config.yaml")).expect("it is there");
    let said = explain(&folder, &["gone.txt", "--text"]).await;
    assert!(said.code == 65 && said.errors.contains("no store was searched"), "{}", said.errors);
    folder.write(
        "config.yaml",
        "rules: rules\nnotify: [console]\nnotifiers:\n  console: {type: console}\nfeeds: []\n",
    );
    let said = explain(&folder, &["gone.txt", "--when", "arms"]).await;
    assert!(
        said.code == 65 && said.errors.contains("nor an address, nor a file"),
        "{}",
        said.errors
    );
}
