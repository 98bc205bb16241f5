//! Tests: no text of a feed is too long for an index.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::alerts::NewAlert;
use crate::alerts::copies::link_host;
use crate::feed::document::Item;
use crate::feed::identity::{ClassifiedItem, Faces, ItemChange, classify, normalise_link};
use crate::feed::parse::parse;
use crate::store::fixture::{Bench, desk_receiver, item, match_result, new_alert};
use crate::store::{AlertFilter, Archive, ItemRecord, MatchResult, StoryPlan};
use tidings_rules::condition::{Condition, FirstKey};
use tidings_rules::story::FeedName;

/// A word that no compression makes shorter than an entry of an index.
fn long_word(seed: usize) -> String {
    (0..200).map(|part| hex::encode(Sha256::digest(format!("{seed} {part}")))).collect()
}

/// A feed whose items are identified by texts of 12 kB.
fn long_items() -> Vec<Item> {
    let [guid, link, host] = [long_word(1), long_word(2), long_word(3)];
    let feed = format!(
        "<rss><channel><title>a</title>
         <item><guid>{guid}</guid><link>https://a.example/{link}</link><title>One</title></item>
         <item><guid>{guid}</guid><link>https://a.example/{link}?b</link><title>Two</title></item>
         <item><link>https://a.example/?{link}</link><title>{link}</title></item>
         <item><link>https://{host}.example/3</link><title>Three</title></item>
         </channel></rss>"
    );
    parse(feed.as_bytes(), None, &"https://a.example/".parse().unwrap()).unwrap().items
}

/// What a poll records of an item, with an alert of a rule that looks for the first of its authors.
fn recorded(items: &[Item], judged: ClassifiedItem) -> ItemRecord {
    let given = &items[judged.index];
    let condition = Condition::First { key: FirstKey::Author, within: Duration::from_hours(1) };
    let mut alert = NewAlert {
        condition: Some(condition),
        keys: vec![long_word(4)[..1000].to_owned()],
        ..new_alert("arms", &[desk_receiver()])
    };
    alert.rule_match.evidence[0].sentence = long_word(5);
    let plan = MatchResult { alerts: vec![alert], ..match_result(&[]) };
    let mut record = item(&given.title, StoryPlan::Settle(plan));
    if let Some((story, _)) = &mut record.story_change {
        story.source = Some(long_word(6));
        story.url = given.link.as_ref().map(ToString::to_string);
    }
    let ClassifiedItem { key, link, stem, hash, text_hash, story, .. } = judged;
    let guid = given.guid.clone();
    ItemRecord { key, guid, link, stem, hash, text_hash, story, ..record }
}

#[tokio::test]
async fn items_with_long_guids_links_and_names_are_recorded_once_and_found() {
    let bench = Bench::new().await;
    let (feed, items) = (FeedName("wire".to_owned()), long_items());
    for (poll, expected) in [(0, 4), (1, 0)] {
        let faces = Faces::from_items(&items);
        let known = bench.store.known_items(&feed, faces.claims()).await.unwrap();
        let mut judged = classify(&feed, &known, faces);
        judged.retain(|item| item.verdict != ItemChange::Same);
        assert_eq!(judged.len(), expected, "of poll {poll}");
        let records = judged.into_iter().map(|one| recorded(&items, one)).collect();
        bench.poll("wire", poll, records).await;
    }
    while bench.store.index_changed_alerts().await.unwrap() {}
    let mut archive = Archive::open(&bench.place()).await.unwrap();
    let filter = AlertFilter { words: vec![long_word(5)], ..AlertFilter::default() };
    assert_eq!(archive.find_alerts(&filter, 9).await.unwrap().len(), 4);
    let link = items[0].link.as_ref().and_then(normalise_link);
    assert!(archive.find_story("", link.as_deref()).await.unwrap().is_some());
}

#[test]
fn a_host_that_no_server_can_name_is_none() {
    assert_eq!(link_host(Some("https://a.example/b")).as_deref(), Some("a.example"));
    assert_eq!(link_host(Some(&format!("https://{}/", "a".repeat(254)))), None);
}
