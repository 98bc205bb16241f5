//! A new rule with `backfill` is matched against stored stories, once.

use crate::support::http::Response;
use crate::support::setup::{RULE, Setup};
use crate::support::wire::{self, Entry};

const OIL: &str = "rules:\n  - name: oil\n    when: oil\n    backfill: 24h\n";

/// Polls a feed of three stories that no rule matches. The first of them is a day older by now.
async fn setup_with_unmatched() -> Setup {
    let hook_only = |config: &str| config.replace("notify: [hook, desk]", "notify: [hook]");
    let setup = Setup::with_config(hook_only, &[("arms.yaml", RULE)]).await;
    let Setup { server, folder, .. } = &setup;
    let entry = |n: usize| {
        Entry::full(
            &format!("Freight {n}"),
            &format!("https://wire.example/{n}"),
            &wire::long(n).replace("arms", "goods"),
        )
    };
    server.serve(
        "/feed.xml",
        Response::feed(&wire::feed(&[entry(1), entry(2), entry(3)])).etag("\"1\""),
    );
    assert_eq!(folder.run(&["--once"]).wait().await, 0);
    assert_eq!(folder.query("SELECT count(*) FROM story WHERE status = 'unmatched'").await, ["3"]);
    folder
        .change("UPDATE story SET first_seen = first_seen - 90000000 WHERE title = 'Freight 1'")
        .await;
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_is_backfilled_once_as_far_as_it_says_and_never_again() {
    let Setup { server, mail: _mail, folder } = setup_with_unmatched().await;
    folder.write(
        "rules/oil.yaml",
        &OIL.replace("when: oil", "when: title:\"Freight 2\" OR title:\"Freight 1\""),
    );
    assert_eq!(folder.run(&["--once"]).wait().await, 0);
    assert_eq!(server.requests("/hook").len(), 1, "the older one is beyond its reach");
    // The rule is no longer new, so an edit affects only new stories.
    folder.write("rules/oil.yaml", OIL);
    assert_eq!(folder.run(&["--once"]).wait().await, 0);
    assert_eq!(server.requests("/hook").len(), 1);
    assert_eq!(folder.query("SELECT rule FROM backfill").await, ["oil"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_new_while_it_runs_is_backfilled_and_one_without_backfill_is_not() {
    let Setup { server, mail: _mail, folder } = setup_with_unmatched().await;
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("; rules: ")).await;
    folder.write("rules/oil.yaml", &format!("{OIL}  - name: snow\n    when: snow\n"));
    server.wait_for("/hook", 2).await;
    let rules = "SELECT count(*) || ' ' || max(rule) FROM backfill";
    folder.wait_until(rules, |rules| rules == "1 oil").await;
    assert_eq!(tidings.terminate().await, 0);
    let rules = folder.query("SELECT DISTINCT rule FROM alert").await;
    assert_eq!((rules, server.requests("/hook").len()), (vec!["oil".to_owned()], 2));
}
