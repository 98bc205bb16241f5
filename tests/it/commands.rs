//! Commands whose argument does not exist, whose errors nobody reads, and that read pages.

use crate::support::http::{Response, Server};
use crate::support::setup::{RULE, matching_stories};
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::terminal::helps;

/// A configuration with a console, and a store with the alerts of three stories.
pub async fn setup_with_alerts() -> (Server, Folder) {
    let server = Server::start().await;
    server.serve("/feed.xml", matching_stories(&server, 0..3));
    let config = format!(
        "store: sqlite:tidings.db\nrules: rules\nzone: Europe/Berlin\nnotify: [console]\nnotifiers:\n  console: {{type: console}}\n\
         feeds:\n  - {{url: \"{}\", name: Wire, tags: [asia]}}\n  - {{from: ingest, name: telegram}}\nnetwork: {{allow: [127.0.0.0/8]}}\n",
        server.url("/feed.xml")
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    (server, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_nobody_can_read_change_no_exit_code() {
    let (_server, folder) = setup_with_alerts().await;
    for (command, code) in
        [(vec!["alerts", "show", "99"], 65), (vec!["nonsense"], 64), (vec!["run", "--once"], 0)]
    {
        let said = folder.command_with_errors_into(&command, Folder::full_device()).await;
        assert_eq!(said.code, code, "{command:?}");
    }
}

/// Options whose value is the name or number of something.
const OPTIONS: [&str; 6] = ["--rule", "--tag", "--row", "--feed", "--event", "--notifier"];

/// Arguments that are the name or number of something.
const ARGUMENTS: [&str; 8] =
    ["[RULE]", "<ID>", "[ID]...", "<NAME>", "[NAME]...", "<STORY>", "<PLACE>", "<URL|FILE|NAME>"];

/// Every command with each of its arguments that names something, by their help.
async fn named_things(folder: &Folder) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, help) in helps(folder).await {
        let lines = help.lines().filter_map(|line| {
            let words = line.strip_prefix("  ")?.trim_start();
            words.split(' ').next()
        });
        let named = lines.filter(|word| OPTIONS.contains(word) || ARGUMENTS.contains(word));
        found.extend(named.map(|word| (name.clone(), word.to_owned())));
    }
    assert!(found.len() > 20, "the arguments were not found: {found:?}");
    found
}

/// Commands with an unknown name, and what they say of it. `STORY` is the id of a story.
fn unknown_names() -> Vec<(Vec<&'static str>, &'static str)> {
    vec![
        (vec!["alerts", "--rule", "armz"], "no rule `armz`\n  help: did you mean `arms`?"),
        (vec!["alerts", "--tag", "korea"], "no rule with the tag `korea`"),
        (vec!["ingest", "--feed", "telegran"], "did you mean `telegram`?"),
        (vec!["alerts", "--feed", "wir"], "no feed `wir`\n  help: did you mean `Wire`?"),
        (vec!["alerts", "show", "99"], "no alert has the number 99"),
        (vec!["alerts", "event", "none"], "there is no event `none`"),
        (
            vec!["deliveries", "--notifier", "consol"],
            "no notifier `consol`\n  help: did you mean `console`?",
        ),
        (vec!["deliveries", "retry", "99"], "no dead-lettered message has the number 99"),
        (
            vec!["silence", "add", "--rule", "oil", "--until", "3h"],
            "no rule `oil`\n  help: known: `arms`",
        ),
        (vec!["silence", "add", "--feed", "Wir", "--until", "3h"], "did you mean `Wire`?"),
        (vec!["silence", "add", "--row", "36", "--until", "3h"], "no row with the id `36`"),
        (vec!["silence", "add", "--event", "none", "--until", "3h"], "there is no event `none`"),
        (vec!["silence", "end", "99"], "no silence 99 is in force"),
        (vec!["notify", "consol"], "no notifier `consol`\n  help: did you mean `console`?"),
        (vec!["explain", "99"], "99 is neither a story of the store"),
        (
            vec!["feeds", "poll", "Wir"],
            "no address, file or feed `Wir`\n  help: did you mean `Wire`?",
        ),
        (vec!["try", "arms", "nowhere"], "no address, file or feed `nowhere`"),
        (vec!["deliveries", "retry", "--notifier", "consol"], "did you mean `console`?"),
        (
            vec!["deliveries", "drop", "98", "99"],
            "no dead-lettered message has one of the numbers 98, 99",
        ),
        (
            vec!["deliveries", "drop", "--notifier", "mail"],
            "no notifier `mail`\n  help: known: `console`",
        ),
        (vec!["silence", "add", "--tag", "korea", "--until", "3h"], "no rule with the tag `korea`"),
        (
            vec!["explain", "STORY", "--rule", "arm"],
            "no enabled rule `arm`\n  help: did you mean `arms`?",
        ),
        (
            vec!["explain", "STORY", "--rule", "arms", "--row", "36"],
            "the rule `arms` has no row `36`",
        ),
        (vec!["coverage", "armz"], "no enabled rule `armz`\n  help: did you mean `arms`?"),
        (vec!["rules", "armz"], "no enabled rule `armz`\n  help: did you mean `arms`?"),
        (vec!["feeds", "poll-now", "Wir"], "no feed `Wir`\n  help: did you mean `Wire`?"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_there_is_said_with_what_is_near() {
    let (_server, folder) = setup_with_alerts().await;
    let story = folder.query("SELECT uid FROM story LIMIT 1").await.remove(0);
    let table = unknown_names();
    for (name, argument) in named_things(&folder).await {
        let words: Vec<&str> = name.split(' ').collect();
        let has_row = table.iter().any(|(command, _)| {
            let is_option = argument.starts_with("--");
            let options = command.iter().filter(|word| OPTIONS.contains(word)).count();
            command.starts_with(&words)
                && if is_option { command.contains(&&*argument) } else { options == 0 }
        });
        assert!(has_row, "no unknown name is given to {name} {argument}");
    }
    for (command, wanted) in table {
        let command: Vec<&str> =
            command.into_iter().map(|word| if word == "STORY" { &*story } else { word }).collect();
        let said = folder.command(&command).await;
        assert!(said.errors.contains(wanted), "{command:?}: {}", said.errors);
        assert_eq!((said.code, said.output.as_str()), (65, ""), "{command:?}");
    }
    // A rule that left its file is still found by its alerts.
    folder.write("rules/arms.yaml", "rules:\n  - {name: oil, when: oil}\n");
    let said = folder
        .command(&["alerts", "--rule", "arms", "--since", "2000-01-01", "--until", "2001-01-01"])
        .await;
    assert_eq!(
        (said.code, said.output.as_str()),
        (0, "no alert fits these filters\n"),
        "{}",
        said.errors
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_of_the_log_that_is_none_is_refused() {
    let (_server, folder) = setup_with_alerts().await;
    folder.set("TIDINGS_LOG", "verbose");
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 64);
    assert!(
        said.errors.contains("`verbose` is neither a level nor a part of Tidings"),
        "{}",
        said.errors
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_as_a_run_reads_them_and_matches_come_first() {
    let server = Server::start().await;
    let other = Entry::teaser("Rain", &server.url("/gone"));
    let story = Entry::teaser("Freight over the bridge doubles", &server.url("/story"));
    server.serve("/feed.xml", Response::feed(&wire::feed(&[other, story])));
    server.serve("/story", Response::html(wire::PAGE));
    let folder =
        Folder::new("rules: rules\nnotify: []\nnotifiers: {}\nfeeds: []\n", &[("arms.yaml", RULE)]);
    let feed = server.url("/feed.xml");
    let said = folder.bare_command(&["try", "North Korea AND shells", &feed]).await;
    assert!(
        said.output.starts_with("Freight over the bridge doubles\n"),
        "{} {}",
        said.output,
        said.errors
    );
    assert!(
        said.output.contains("no match: Rain\n")
            && said.output.ends_with("1 of 2 stories matched\n"),
        "{}",
        said.output
    );
    assert!(said.output.contains("its page could not be read"), "{}", said.output);
    let said = folder.bare_command(&["try", "North Korea AND shells", &feed, "--teaser"]).await;
    assert!(said.output.ends_with("0 of 2 stories matched\n"), "{}", said.output);

    folder.write("rules/lists.yaml", "terms: {dprk: [DPRK, North Korea]}\n");
    let said = folder.bare_command(&["try", "$dprk AND shells", &feed]).await;
    assert!(said.output.ends_with("1 of 2 stories matched\n"), "{} {}", said.output, said.errors);
    let said = folder.bare_command(&["try", "$dprc AND shells", &feed]).await;
    assert!(said.code == 65 && said.errors.contains("did you mean `$dprk`?"), "{}", said.errors);

    let page = server.url("/story");
    let said = folder.bare_command(&["explain", &page, "--when", "title:Freight AND shells"]).await;
    assert!(said.output.contains("✓ title:Freight AND shells"), "{} {}", said.output, said.errors);
    server.serve("/one.xml", Response::feed(&wire::feed(&[Entry::teaser("Freight", &page)])));
    let one = server.url("/one.xml");
    let said = folder.bare_command(&["explain", &one, "--when", "shells AND analysts"]).await;
    assert!(said.output.contains("✓ shells AND analysts"), "{} {}", said.output, said.errors);
    let said = folder.bare_command(&["explain", &one, "--when", "shells", "--teaser"]).await;
    assert!(
        said.output.contains("teaser only: ") && !said.output.contains("✓ shells"),
        "{}",
        said.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_steers_is_shown_nowhere_and_what_joins_stays() {
    let server = Server::start().await;
    let title = "Russia and North Korea\u{202e} trade a\u{200b}rms\u{2066} \u{e0041}می\u{200c}خواهم 👩\u{200d}🚀";
    let shown = "Russia and North Korea trade arms می\u{200c}خواهم 👩\u{200d}🚀";
    let text = format!("{}\u{200f}\u{ad} ", wire::LONG);
    let story = Entry::full(title, &server.url("/story"), &text);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[story])));
    server.serve("/hook", Response::status(204));
    let config = format!(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [console, hook, form]\nnotifiers:\n  console: {{type: console}}\n  \
         hook: {{type: webhook, url: \"{0}\"}}\n  form: {{type: webhook, url: \"{0}\", template: form.txt}}\n\
         feeds:\n  - {{url: \"{1}\", name: Wire}}\nnetwork: {{allow: [127.0.0.0/8]}}\n",
        server.url("/hook"),
        server.url("/feed.xml")
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    folder.write("form.txt", "{{ story.title }} {{ rules }}");
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let mut all: Vec<String> =
        server.requests("/hook").iter().map(|request| text_of(&request.body)).collect();
    assert_eq!(all.len(), 2);
    all.push(said.output);
    for command in [
        &["alerts"][..],
        &["alerts", "--format", "json"],
        &["alerts", "show", "1", "--format", "json"],
        &["feeds", "poll", "Wire", "--format", "json"],
        &["try", "arms", "Wire"],
        &["explain", &server.url("/story"), "--rule", "arms", "--format", "json"],
    ] {
        all.push(folder.command(command).await.output);
    }
    let steers = ['\u{202e}', '\u{200b}', '\u{2066}', '\u{e0041}', '\u{200f}', '\u{ad}', '\u{1b}'];
    for output in &all {
        assert!(!output.contains(steers), "{output:?}");
        assert!(
            !["\\u202e", "\\u200b", "\\u2066", "\\u200f"]
                .iter()
                .any(|escape| output.contains(escape)),
            "{output}"
        );
    }
    assert!(all[0].contains(shown) && all[1].contains(shown), "{all:?}");
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
