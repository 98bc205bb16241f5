//! Tests of the decisions on batches, as tables.

use std::fmt::Write;
use std::sync::Arc;

use super::super::compute_fingerprint;
use super::*;
use crate::alerts::copies::StoredBy;
use tidings_rules::story::{Evidence, FeedName, Field, Read, Severity};

/// A text of 120 words and some numbers; another seed is another text.
fn text(seed: &str) -> String {
    (0..120).fold("It cost 12 lives and 3 ships. ".to_owned(), |mut text, n| {
        let word: String =
            format!("{seed}{n}").bytes().map(|byte| char::from(b'a' + byte % 26)).collect();
        write!(text, "{word} ").expect("strings grow");
        text
    })
}

/// The match of a rule on these words.
fn matched(words: &str) -> (String, RuleMatch) {
    let evidence = Evidence {
        term: words.to_owned(),
        label: None,
        clause: None,
        field: Field::Body,
        sentence: words.to_owned(),
        marks: std::iter::once(0..words.len()).collect(),
    };
    let rule_match = RuleMatch {
        rule: "arms".to_owned(),
        row: None,
        version: String::new(),
        text_sha256: None,
        severity: Severity::High,
        why: None,
        owner: None,
        tags: vec![],
        condition: None,
        evidence: vec![evidence],
    };
    (String::new(), rule_match)
}

/// A new story of the feed `wire`, whose event begins at `event_started`.
fn titled(key: &str, title: &str, text: &str, event_started: i64) -> BatchStory {
    BatchStory {
        stored_by: StoredBy::default(),
        uid: key.to_owned(),
        row: None,
        event: key.to_owned(),
        event_started,
        open_since: 0,
        host: Some("wire.example".to_owned()),
        is_free: true,
        keeps_signature: true,
        fingerprint: Arc::new(
            compute_fingerprint(title, text, &Read::Full).expect("a text of words"),
        ),
        alerts: vec![matched("ships")],
        feeds: vec![FeedName("wire".to_owned())],
        similar: Vec::new(),
    }
}

fn story(key: &str, seed: &str) -> BatchStory {
    titled(key, key, &text(seed), 10)
}

/// A stored story, in this row and event.
fn stored(row: i64, event: &str, started: i64, seed: &str) -> (i64, CopyCandidate) {
    let names = (format!("row {row}"), event.to_owned(), started);
    (row, CopyCandidate::new(names, None, ("stored".to_owned(), text(seed), Read::Full)))
}

/// The events that the stories join.
fn decide(
    candidates: Vec<(i64, CopyCandidate)>,
    mut stories: Vec<BatchStory>,
) -> Vec<Option<String>> {
    for story in &mut stories {
        for (row, candidate) in &candidates {
            let minhash = candidate.fingerprint().expect("a long text").signature.to_bytes();
            story.add_similar(*row, 12, 0, &minhash);
        }
    }
    let batch =
        CopyBatch { stories, candidates: candidates.into_iter().collect(), ..CopyBatch::default() };
    batch.decide().into_iter().map(|joins| joins.map(|joined| joined.event)).collect()
}

#[test]
fn stories_are_compared_with_stored_ones_and_with_those_before_them() {
    let taken = BatchStory { is_free: false, ..story("a", "x") };
    let unsigned = BatchStory { keeps_signature: false, ..story("a", "x") };
    let closed = BatchStory { open_since: 11, ..story("a", "x") };
    let edited = BatchStory { row: Some(1), is_free: false, ..story("row 1", "y") };
    let member =
        BatchStory { row: Some(1), is_free: false, event: "e".to_owned(), ..story("row 1", "x") };
    for (what, candidates, stories, expected) in [
        ("copies of one another", vec![], vec![story("a", "x"), story("b", "x")], vec!["", "a"]),
        (
            "copies of a copy",
            vec![],
            vec![story("a", "x"), story("b", "x"), story("c", "x")],
            vec!["", "a", "a"],
        ),
        ("others", vec![], vec![story("a", "x"), story("b", "y")], vec!["", ""]),
        (
            "copies of a stored story",
            vec![stored(1, "row 1", 1, "x")],
            vec![story("a", "x"), story("b", "x")],
            vec!["row 1", "row 1"],
        ),
        (
            "the oldest event",
            vec![stored(1, "row 1", 2, "x"), stored(2, "row 2", 1, "x")],
            vec![story("a", "x")],
            vec!["row 2"],
        ),
        ("a copy of a member only", vec![stored(1, "e", 1, "x")], vec![story("a", "x")], vec!["e"]),
        (
            "a member and another",
            vec![stored(1, "e", 1, "x"), stored(2, "e", 1, "y")],
            vec![story("a", "x")],
            vec!["e"],
        ),
        (
            "a story with alerts",
            vec![stored(1, "row 1", 1, "x")],
            vec![taken, story("b", "x")],
            vec!["", "row 1"],
        ),
        ("a text that is not kept", vec![], vec![unsigned, story("b", "x")], vec!["", ""]),
        ("an event that is over", vec![], vec![closed, story("b", "x")], vec!["", ""]),
        (
            "the text before an edit",
            vec![stored(1, "row 1", 1, "x")],
            vec![edited, story("b", "x"), story("c", "y")],
            vec!["", "", "row 1"],
        ),
        ("a member that is edited", vec![], vec![member, story("b", "x")], vec!["", "e"]),
        ("one story twice", vec![], vec![story("a", "x"), story("a", "x")], vec!["", ""]),
    ] {
        let joined = decide(candidates, stories);
        let joined: Vec<&str> =
            joined.iter().map(|event| event.as_deref().unwrap_or_default()).collect();
        assert_eq!(joined, expected, "{what}");
    }
}

#[test]
fn the_first_of_an_event_joins_no_other() {
    let silent = |key: &str, seed: &str| BatchStory { alerts: Vec::new(), ..story(key, seed) };
    let again = |seed: &str| BatchStory { row: Some(2), ..silent("row 2", seed) };
    let candidates = || vec![stored(1, "row 1", 1, "x"), stored(2, "row 2", 2, "y")];
    // Without a copy it joins another event, and with one it does not.
    assert_eq!(decide(candidates(), vec![again("x")]), [Some("row 1".to_owned())]);
    let joined = decide(candidates(), vec![silent("a", "y"), again("x")]);
    assert_eq!(joined, [Some("row 2".to_owned()), None]);
}

#[test]
fn a_brief_is_a_copy_in_another_feed_only() {
    let brief = |key: &str, feed: &str| {
        let text = "Police found shells at the port of Rostov, the governor said.";
        let feeds = vec![FeedName(feed.to_owned())];
        BatchStory { feeds, ..titled(key, "Shells at the port", text, 10) }
    };
    let joined = decide(vec![], vec![brief("a", "wire"), brief("b", "wire"), brief("c", "paper")]);
    assert_eq!(joined, [None, None, Some("a".to_owned())]);
}

#[test]
fn a_copy_in_which_a_rule_matched_new_words_joins_nothing() {
    let long = text("x") + "The Kohana was there.";
    let kohana =
        |key: &str| BatchStory { alerts: vec![matched("Kohana")], ..titled(key, key, &long, 10) };
    assert_eq!(decide(vec![], vec![story("a", "x"), kohana("b")]), [None, None]);
    // The rule did not alert for the event before.
    let silent = BatchStory { alerts: Vec::new(), ..story("a", "x") };
    assert_eq!(decide(vec![], vec![silent, kohana("b")]), [None, Some("a".to_owned())]);
}

#[test]
fn a_corrected_copy_is_an_update() {
    let stories = vec![
        titled("a", "Shells found at the port", &text("x"), 10),
        titled("b", "CORRECTED-Shells found at the port", &text("x"), 10),
    ];
    let decisions = CopyBatch { stories, ..CopyBatch::default() }.decide();
    let updates = decisions.into_iter().map(|joins| joins.map(|joined| joined.update.is_some()));
    assert_eq!(updates.collect::<Vec<_>>(), [None, Some(true)]);
}

#[test]
fn the_frame_is_learned_from_stories_of_the_batch_too() {
    let framed =
        |key: &str, own: &str| titled(key, key, &format!("{own}\n\n{}", text("frame")), 10);
    let short = |dog: &str| {
        format!("They spoke about it with {dog} in the house and went home. It was late.")
    };
    let own = ["x", "y", "z", "u"].map(|seed| framed(seed, &text(seed)));
    let mut stories = Vec::from(own);
    stories.extend([framed("d", &short("a friend")), framed("e", &short("no reporters"))]);
    assert!(decide(vec![], stories).iter().all(Option::is_none));
}

#[test]
fn of_many_similar_stories_the_oldest_are_compared() {
    let many = (0..100).map(|n| story(&n.to_string(), "x"));
    let joined = decide(vec![], many.collect());
    assert!(joined[0].is_none() && joined[1..].iter().all(|event| event.as_deref() == Some("0")));
}
