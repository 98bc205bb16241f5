//! Tests of events: which event a story joins, and what is sent for copies.

use std::fmt::Write;
use std::sync::Arc;

use super::super::fixture::{
    Bench, at_second, desk_receiver, final_text, item, match_result, parse_notification,
    rules_and_feeds, settle_plan,
};
use super::super::{AlertFilter, Archive, ItemRecord, MatchResult, StoryPlan};
use super::*;
use crate::alerts::Content;
use crate::alerts::retry::Finish;
use crate::store::db::{self, DbConnection};
use tidings_rules::story::{FeedName, Read};

/// A text of 120 words and some numbers; another seed is another text.
pub(in crate::store) fn text(seed: &str) -> String {
    (0..120).fold("It cost 12 lives and 3 ships. ".to_owned(), |mut text, n| {
        let word: String =
            format!("{seed}{n}").bytes().map(|byte| char::from(b'a' + byte % 26)).collect();
        write!(text, "{word} ").expect("strings grow");
        text
    })
}

fn match_plan(title: &str, text: &str, rules: &[&str]) -> StoryPlan {
    StoryPlan::Settle(MatchResult {
        fingerprint: copies::compute_fingerprint(title, text, &Read::Full).map(Arc::new),
        ..match_result(rules)
    })
}

/// An item with this text, first seen at `now` seconds.
pub(in crate::store) fn with_text(key: &str, text: &str, rules: &[&str], now: i64) -> ItemRecord {
    let mut item = item(key, match_plan(key, text, rules));
    let (story, _) = item.story_change.as_mut().expect("a change");
    (story.body, story.first_seen) = (text.to_owned(), at_second(now));
    item
}

pub(in crate::store) async fn poll(
    bench: &Bench,
    feed: &str,
    key: &str,
    text: &str,
    rules: &[&str],
    now: i64,
) {
    bench.poll(feed, now, vec![with_text(key, text, rules, now)]).await;
}

/// The stories, each with the title of the first story of its event.
pub(in crate::store) async fn events(bench: &Bench) -> String {
    let sql = "SELECT group_concat(title || ' of ' || first, ', ') FROM (
        SELECT story.title, first.title AS first FROM story JOIN story AS first ON first.uid = story.event ORDER BY story.id) AS one";
    bench.query_text(sql).await.expect("a story")
}

const HOUR: i64 = 3600;

#[tokio::test]
async fn a_copy_joins_the_message_of_its_event_with_its_rules_its_feed_and_its_link() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    poll(&bench, "paper", "b", &("Lead of its own. ".to_owned() + &text("x")), &["arms", "oil"], 5)
        .await;
    poll(&bench, "paper", "c", &text("x"), &[], 6).await;
    poll(&bench, "paper", "d", &text("y"), &[], 7).await;
    assert_eq!(events(&bench).await, "a of a, b of a, c of a, d of d");
    let run = bench.start_run(&[desk_receiver()]).await;
    let leases = bench.lease(run, "desk", 9).await;
    assert_eq!(leases.len(), 1);
    let Content::Alert { story, feeds, rules, .. } = parse_notification(&leases[0].payload).content
    else {
        panic!("no alert")
    };
    assert_eq!(story.title, "a");
    assert_eq!(rules.iter().map(|rule| rule.rule.as_str()).collect::<Vec<_>>(), ["arms", "oil"]);
    let copies: Vec<_> = feeds
        .iter()
        .map(|copy| (copy.feed.0.as_str(), copy.title.as_str(), copy.url.clone(), copy.seen))
        .collect();
    let link = |key| Some(format!("https://example.org/{key}?utm_source=feed"));
    let expected = [
        ("wire", "a", link("a"), at_second(0)),
        ("paper", "b", link("b"), at_second(5)),
        ("paper", "c", link("c"), at_second(6)),
    ];
    assert_eq!(copies, expected);
}

#[tokio::test]
async fn a_copy_that_adds_no_rule_makes_payloads_of_before_void() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    let revision = "SELECT revision || '' FROM message";
    let before = bench.query_text(revision).await;
    poll(&bench, "paper", "b", &text("x"), &["arms"], 1).await;
    assert_eq!(events(&bench).await, "a of a, b of a");
    assert_ne!(bench.query_text(revision).await, before);
}

#[tokio::test]
async fn an_indexed_alert_is_found_by_the_feed_of_a_copy() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    bench.index_alerts().await;
    poll(&bench, "paper", "b", &text("x"), &[], 1).await;
    let feed = AlertFilter { feed: Some(FeedName("paper".to_owned())), ..AlertFilter::default() };
    for _ in 0..2 {
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        assert_eq!(archive.find_alerts(&feed, 9).await.unwrap().len(), 1);
        bench.index_alerts().await;
    }
}

#[tokio::test]
async fn once_a_message_has_left_a_copy_is_only_recorded_and_a_rule_that_it_adds_makes_the_next() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    let lease = bench.lease(run, "desk", 0).await.remove(0);
    bench.finish_attempt(run, &lease, Finish::Sent("250".to_owned()), 1).await;
    poll(&bench, "paper", "b", &text("x"), &["arms"], 2).await;
    assert_eq!(bench.lease(run, "desk", 2).await, []);
    let recorded = "SELECT group_concat(story || rule, ', ') || ', ' || (SELECT status FROM story WHERE id = 2) FROM alert";
    assert_eq!(bench.query_text(recorded).await.as_deref(), Some("1arms, 2arms, matched"));
    poll(&bench, "gazette", "c", &text("x"), &["arms", "oil"], 3).await;
    let next = bench.lease(run, "desk", 3).await;
    assert_eq!(
        next.iter().map(|lease| rules_and_feeds(&lease.payload)).collect::<Vec<_>>(),
        [(vec!["oil".to_owned()], ["wire", "paper", "gazette"].map(str::to_owned).to_vec())]
    );
    assert_eq!(
        bench.query_text("SELECT group_concat(sequence, ', ') FROM message").await.as_deref(),
        Some("1, 2")
    );
}

#[tokio::test]
async fn a_page_that_turns_out_to_be_a_copy_joins_as_it_settles_also_after_a_crash() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    bench.poll("paper", 1, vec![item("b", StoryPlan::ReadPage)]).await;
    assert_eq!(events(&bench).await, "a of a, b of b");
    let bench = bench.crash_and_reopen().await;
    let waiting = bench.waiting_stories(9).await.remove(0);
    let match_result = MatchResult {
        fingerprint: copies::compute_fingerprint("b", &text("x"), &Read::Full).map(Arc::new),
        ..match_result(&["arms"])
    };
    assert!(
        bench
            .store
            .settle_story(waiting.id, 1, final_text(&text("x"), match_result), at_second(2))
            .await
            .unwrap()
    );
    assert_eq!(events(&bench).await, "a of a, b of a");
    assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn an_event_once_given_stays_and_no_alert_moves_to_another() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &["arms"], 0).await;
    poll(&bench, "paper", "b", &text("x"), &[], 1).await;
    poll(&bench, "paper", "c", &text("y"), &["arms"], 2).await;
    poll(&bench, "paper", "d", &text("z"), &[], 3).await;
    // A copy is edited to another text, which later copies are compared with; a story with
    // an alert and one without become copies by an edit.
    for (key, edit) in [("b", "v"), ("c", "x"), ("d", "x")] {
        poll(&bench, "paper", key, &text(edit), &[], 4).await;
    }
    poll(&bench, "gazette", "e", &text("v"), &[], 5).await;
    poll(&bench, "gazette", "f", &text("y"), &[], 6).await;
    assert_eq!(events(&bench).await, "a of a, b of a, c of c, d of a, e of a, f of f");
    // The first of an event joins no other.
    poll(&bench, "gazette", "g", &text("y"), &[], 7).await;
    poll(&bench, "gazette", "f", &text("x"), &[], 8).await;
    assert_eq!(events(&bench).await, "a of a, b of a, c of c, d of a, e of a, f of f, g of f");
}

#[tokio::test]
async fn what_is_only_similar_joins_nothing() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &[], 0).await;
    poll(&bench, "wire", "b", &text("x").replace("12 lives and 3", "14 lives and 5"), &[], 1).await;
    bench.poll("wire", 2, vec![item("c", settle_plan(&[]))]).await;
    assert_eq!(events(&bench).await, "a of a, b of b, c of c");
}

#[tokio::test]
async fn an_event_takes_copies_for_three_days_and_its_signatures_go_after_that() {
    let bench = Bench::new().await;
    poll(&bench, "wire", "a", &text("x"), &[], 0).await;
    poll(&bench, "paper", "b", &text("x"), &[], 71 * HOUR).await;
    assert_eq!(
        bench.query_text("SELECT count(*) || '' FROM signature").await.as_deref(),
        Some("2")
    );
    poll(&bench, "gazette", "c", &text("x"), &[], 73 * HOUR).await;
    poll(&bench, "mirror", "d", &text("x"), &[], 74 * HOUR).await;
    assert_eq!(events(&bench).await, "a of a, b of a, c of c, d of c");
    let kept = "SELECT (SELECT group_concat(story) FROM signature) || ' and ' || group_concat(DISTINCT story) FROM signature_band";
    assert_eq!(bench.query_text(kept).await.as_deref(), Some("3,4 and 3,4"));
}

/// Polls an item with this headline and text of `feed`, matched by `arms` for these words.
async fn poll_titled(
    bench: &Bench,
    feed: &str,
    key: &str,
    (title, text, matched): (&str, &str, &str),
    now: i64,
) {
    let mut item = with_text(key, text, &["arms"], now);
    let (story, plan) = item.story_change.as_mut().expect("a change");
    title.clone_into(&mut story.title);
    let StoryPlan::Settle(match_result) = plan else { panic!("not settled") };
    match_result.feeds = vec![FeedName(feed.to_owned())];
    match_result.fingerprint = copies::compute_fingerprint(title, text, &Read::Full).map(Arc::new);
    let evidence = &mut match_result.alerts[0].rule_match.evidence[0];
    (evidence.sentence, evidence.marks) =
        (matched.to_owned(), std::iter::once(0..matched.len()).collect());
    bench.poll(feed, now, vec![item]).await;
}

/// Sends all that is due at `now`, and says of each message its headline and its update.
async fn sent(bench: &Bench, run: i64, now: i64) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for lease in bench.lease(run, "desk", now).await {
        let Content::Alert { story, update, .. } = parse_notification(&lease.payload).content
        else {
            panic!("no alert")
        };
        found.push((story.title, update.map(|update| update.to_string()).unwrap_or_default()));
        bench.finish_attempt(run, &lease, Finish::Sent("250".to_owned()), now).await;
    }
    found
}

fn message(title: &str, update: &str) -> Vec<(String, String)> {
    vec![(title.to_owned(), update.to_owned())]
}

#[tokio::test]
async fn a_corrected_copy_is_sent_once_as_an_update_in_the_same_thread() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let title = "Shells found at the port";
    let report = |dead: &str| format!("The blast killed {dead} people there. {}", text("x"));
    poll_titled(&bench, "wire", "a", (title, &report("21"), "arms"), 0).await;
    assert_eq!(sent(&bench, run, 0).await, message(title, ""));
    let corrected = format!("CORRECTED-{title}");
    for (feed, key) in [("wire", "b"), ("paper", "c")] {
        poll_titled(&bench, feed, key, (&corrected, &report("12"), "arms"), 40 * HOUR).await;
    }
    assert_eq!(
        sent(&bench, run, 41 * HOUR).await,
        message(&corrected, "corrected: 12 where it said 21")
    );
    poll_titled(&bench, "wire", "d", (title, &report("15"), "arms"), 42 * HOUR).await;
    assert_eq!(
        sent(&bench, run, 42 * HOUR).await,
        message(title, "other figures: 15 where it said 21")
    );
    assert_eq!(
        bench.query_text("SELECT count(DISTINCT event) || '' FROM message").await.as_deref(),
        Some("1")
    );
}

#[tokio::test]
async fn a_version_that_was_corrected_before_it_came_is_only_recorded() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let title = "Shells found at the port";
    let corrected = format!("CORRECTED-{title}");
    let report = |dead: &str| format!("The blast killed {dead} people there. {}", text("x"));
    poll_titled(&bench, "wire", "a", (&corrected, &report("21"), "arms"), 0).await;
    poll_titled(&bench, "paper", "b", (title, &report("12"), "arms"), 1).await;
    assert_eq!(sent(&bench, run, 2).await, message(&corrected, ""));
    for (key, mark) in [("c", "UPDATE 3-"), ("d", "UPDATE 1-")] {
        let title = format!("{mark}{title}");
        poll_titled(&bench, "wire", key, (&title, &report("21"), "arms"), HOUR).await;
    }
    let third = format!("UPDATE 3-{title}");
    assert_eq!(sent(&bench, run, 2 * HOUR).await, message(&third, "version 3"));
}

#[tokio::test]
async fn notices_without_names_make_no_chain_of_what_an_office_prints_below_all() {
    let bench = Bench::new().await;
    let below = "The notice is put up at the door of the office and may be read there by all. \
                 Those who think that it is wrong may write to the clerk, who will answer soon. "
        .repeat(6);
    let own = [
        "The firm will stop work and let its people go.",
        "Eleanor Whitcombe of Hexham has died aged 88.",
        "The tanker Golden Reef sank off Muscat.",
        "A school was shut after a fire in the night.",
    ];
    for (key, own) in ["a", "b", "c", "d"].into_iter().zip(own) {
        poll(&bench, key, key, &format!("{own}\n\n{below}"), &["arms"], 0).await;
    }
    assert_eq!(events(&bench).await, "a of a, b of b, c of c, d of d");
}

#[tokio::test]
async fn an_update_is_a_message_of_its_own_even_while_the_first_waits() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    poll_titled(&bench, "wire", "a", ("Shells found", &text("x"), "arms"), 0).await;
    poll_titled(&bench, "wire", "b", ("UPDATE 2-Shells found", &text("x"), "arms"), 1).await;
    let expected =
        [message("Shells found", ""), message("UPDATE 2-Shells found", "version 2")].concat();
    assert_eq!(sent(&bench, run, 2).await, expected);
}

#[tokio::test]
async fn a_copy_in_which_a_rule_matched_other_words_is_sent() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let long = text("x") + "The Kohana was there.";
    for (key, text, matched) in
        [("a", text("x"), "lives"), ("b", text("x"), "ships"), ("c", long, "Kohana")]
    {
        poll_titled(&bench, "wire", key, (key, &text, matched), 0).await;
    }
    let messages = sent(&bench, run, 0).await;
    assert_eq!(messages.iter().map(|(title, _)| title.as_str()).collect::<Vec<_>>(), ["a", "c"]);
}

#[tokio::test]
async fn a_brief_in_several_feeds_is_one_message_and_in_one_feed_it_is_news_again() {
    let bench = Bench::new().await;
    let run = bench.start_run(&[desk_receiver()]).await;
    let (title, text) = (
        "Shells found at the port",
        "Police found shells at the port of Rostov, the governor said.",
    );
    for feed in ["wire", "paper", "gazette"] {
        poll_titled(&bench, feed, feed, (title, text, "arms"), 0).await;
    }
    poll_titled(&bench, "mirror", "other", (title, &text.replace("Rostov", "Odessa"), "arms"), 0)
        .await;
    poll_titled(&bench, "wire", "again", (title, text, "arms"), HOUR).await;
    assert_eq!(sent(&bench, run, HOUR).await.len(), 3);
    assert_eq!(
        bench.query_text("SELECT count(DISTINCT event) || '' FROM story").await.as_deref(),
        Some("3")
    );
}

#[tokio::test]
async fn what_a_host_prints_below_everything_makes_no_copy() {
    let bench = Bench::new().await;
    let frame = |own: &str| format!("{own}\n\n{}", text("frame"));
    for (key, own) in [("a", "x"), ("b", "y"), ("c", "z"), ("f", "u")] {
        poll(&bench, "wire", key, &frame(&text(own)), &["arms"], 0).await;
    }
    let short = |dog: &str| {
        frame(&format!("They spoke about it with {dog} in the house and went home. It was late."))
    };
    poll(&bench, "wire", "d", &short("a friend"), &["arms"], 1).await;
    poll(&bench, "wire", "e", &short("no reporters"), &["arms"], 2).await;
    assert_eq!(events(&bench).await, "a of a, b of b, c of c, f of f, d of d, e of e");
}

/// What a settle costs beside 100,000 stories of the last three days, and in an empty store: `cargo
/// test --release what_a_settle_costs -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn what_a_settle_costs() {
    for stories in [0, 100_000] {
        let bench = Bench::new().await;
        poll(&bench, "wire", "first", &text("first"), &[], 0).await;
        bench.store.writer.write(move |conn| Box::pin(fill(conn, stories))).await.unwrap();
        let mut taken = Vec::new();
        for n in 0..300 {
            let item = with_text(&n.to_string(), &text(&n.to_string()).repeat(4), &[], 1);
            let start = std::time::Instant::now();
            bench.poll("wire", 1, vec![item]).await;
            taken.push(start.elapsed());
        }
        taken.sort();
        println!(
            "beside {stories} stories: {:?}, {:?} in the worst of twenty",
            taken[150], taken[285]
        );
    }
}

/// Stories with signatures of chance.
async fn fill(conn: &mut DbConnection<'_>, stories: i64) -> Result<(), sqlx::Error> {
    for sql in [
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT $1)
         INSERT INTO story (uid, event, key, title, feed_text, authors, tags, first_seen, read, status)
         SELECT 'u' || n, 'u' || n, 'k' || n, 't', hex(randomblob(1500)), '[]', '[]', 1000000000, 'full', 'unmatched' FROM n WHERE n <= $1",
        "INSERT INTO signature SELECT id, first_seen, randomblob(96), 'host' || id % 500 FROM story WHERE key LIKE 'k%' AND $1 > 0",
        "INSERT INTO signature_band SELECT band.value, random(), signature.story FROM signature, json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13]') AS band WHERE $1 > 0",
    ] {
        db::query(sql).bind(stories).execute(&mut *conn).await?;
    }
    Ok(())
}
