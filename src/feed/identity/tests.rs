//! Tests of distinguishing new items from known ones.

use std::slice::from_ref;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

mod changing;

fn item(guid: &str, link: &str, title: &str, text: &str) -> Item {
    Item {
        guid: Some(guid.to_owned()).filter(|guid| !guid.is_empty()),
        link: link.parse().ok(),
        title: title.to_owned(),
        text: text.to_owned(),
        ..Item::default()
    }
}

fn feed() -> FeedName {
    FeedName("wire".to_owned())
}

/// Classifies a document of `items` against the known items of its claims.
fn judge(feed: &FeedName, known: &[KnownItem], items: &[Item]) -> Vec<ClassifiedItem> {
    let faces = Faces::from_items(items);
    let claims = faces.claims();
    let is_claimed = |item: &&KnownItem| {
        let among = |values: &[String], value: &Option<String>| {
            value.as_ref().is_some_and(|value| values.contains(value))
        };
        !item.gone
            || claims.keys.contains(&item.key.0)
            || among(&claims.guids, &item.guid)
            || among(&claims.links, &item.link)
            || among(&claims.stems, &item.stem)
            || among(&claims.texts, &item.text_hash)
            || claims.hashes.contains(&item.hash)
    };
    let claimed: Vec<KnownItem> = known.iter().filter(is_claimed).cloned().collect();
    let judged = super::classify(feed, known, faces.clone());
    assert_eq!(
        judged,
        super::classify(feed, &claimed, faces),
        "what no claim names decides nothing"
    );
    judged
}

/// The known items after `judged` was recorded.
fn remember(
    mut known: Vec<KnownItem>,
    items: &[Item],
    judged: &[ClassifiedItem],
) -> Vec<KnownItem> {
    for judged in judged {
        let old = match &judged.verdict {
            ItemChange::Same => continue,
            ItemChange::Rekeyed { old, .. } => old,
            ItemChange::New | ItemChange::Edited | ItemChange::Renewed => &judged.key,
        };
        known.retain(|item| item.key != *old);
        known.push(KnownItem {
            key: judged.key.clone(),
            guid: items[judged.index].guid.clone(),
            link: judged.link.clone(),
            stem: judged.stem.clone(),
            hash: judged.hash.clone(),
            text_hash: judged.text_hash.clone(),
            title: items[judged.index].title.clone(),
            published: items[judged.index].published,
            first_seen: Timestamp::UNIX_EPOCH,
            recorded: false,
            pages: 0,
            gone: false,
        });
    }
    known
}

/// The changes in the last of `documents`, which are classified in turn.
fn verdicts(documents: &[&[Item]]) -> Vec<ItemChange> {
    let mut known = Vec::new();
    let mut last = Vec::new();
    for items in documents {
        last = judge(&feed(), &known, items);
        known = remember(known, items, &last);
    }
    last.into_iter().map(|judged| judged.verdict).collect()
}

#[rstest]
#[case("http://Example.ORG:80/a", Some("https://example.org/a"))]
#[case("https://example.org:443/a", Some("https://example.org/a"))]
#[case("http://example.org:8080/a", Some("https://example.org:8080/a"))]
#[case(
    "https://example.org/a?utm_source=x&id=1&UTM_medium=y&fbclid=z&gclid=q",
    Some("https://example.org/a?id=1")
)]
#[case("https://example.org/a?utm_source=x", Some("https://example.org/a"))]
#[case("https://example.org/a?autm_=x#part", Some("https://example.org/a?autm_=x#part"))]
#[case("https://u:p@example.org", Some("https://example.org/"))]
#[case("https://www.example.org/", Some("https://www.example.org/"))]
#[case("file:///a", None)]
#[case("mailto:a@example.org", None)]
fn links_are_compared_by_what_they_lead_to(#[case] link: &str, #[case] normal: Option<&str>) {
    assert_eq!(normalise_link(&link.parse().unwrap()).as_deref(), normal);
}

#[test]
fn hashes_change_with_words_only() {
    let hash = hash_normalized_text("A title", "One two.\n\nThree.");
    assert_eq!(hash, hash_normalized_text(" A  title ", "One two.\nThree. "));
    assert_eq!(hash_normalized_text("caf\u{e9}", ""), hash_normalized_text("cafe\u{301}", ""));
    for (title, text) in [
        ("a title", "One two.\n\nThree."),
        ("A title", "One two. Three"),
        ("A title One", "two. Three."),
    ] {
        assert_ne!(hash, hash_normalized_text(title, text));
    }
}

#[test]
fn keys_are_guid_else_link_else_text() {
    let items = [
        item("g", "http://a.example/1", "x", ""),
        item("", "http://a.example/2", "x", ""),
        item("", "", "x", "y"),
    ];
    let keys: Vec<_> = judge(&feed(), &[], &items).into_iter().map(|judged| judged.key.0).collect();
    assert_eq!(
        keys,
        [
            "guid g".to_owned(),
            "link https://a.example/2".to_owned(),
            format!("text {}", hash_normalized_text("x", "y"))
        ]
    );
}

#[rstest]
#[case("http://a.example/1", "https://a.example/1")]
#[case("http://a.example/?p=1", "https://a.example/?p=1")]
#[case("http://a.example/", "wire\nguid g")]
#[case("http://a.example/#x", "wire\nguid g")]
#[case("", "wire\nguid g")]
fn feeds_share_stories_by_links_that_identify_them(#[case] link: &str, #[case] story: &str) {
    assert_eq!(judge(&feed(), &[], &[item("g", link, "x", "")])[0].story.0, story);
}

#[test]
fn a_link_that_two_items_share_is_no_story() {
    let items =
        [item("g", "http://a.example/1", "x", ""), item("h", "https://a.example/1", "y", "")];
    let stories: Vec<_> =
        judge(&feed(), &[], &items).into_iter().map(|judged| judged.story.0).collect();
    assert_eq!(stories, ["wire\nguid g", "wire\nguid h"]);
}

#[test]
fn repeats_within_a_document_are_left_out() {
    let once = item("g", "http://a.example/1", "x", "text");
    let again = item("g", "https://a.example/1?utm_source=rss", "x", "other text");
    let judged = judge(&feed(), &[], &[once, again]);
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0].story.0, "https://a.example/1");
}

#[test]
fn a_changed_text_title_or_link_is_an_edit() {
    let old = item("g", "http://a.example/1", "x", "text");
    for new in [
        item("g", "http://a.example/1", "x", "new"),
        item("g", "http://a.example/1", "y", "text"),
        item("g", "http://a.example/new", "y", "text"),
    ] {
        assert_eq!(verdicts(&[from_ref(&old), &[new]]), [ItemChange::Edited]);
    }
    let moved = item("g", "http://a.example/new", "x", "text");
    assert_eq!(verdicts(&[&[old], &[moved]]), [ItemChange::Same]);
}

#[test]
fn a_new_guid_for_a_known_link_or_text_is_no_news() {
    let old = item("g", "http://a.example/1", "x", "text");
    let old_key = ItemKey("guid g".to_owned());
    let by_link = verdicts(&[from_ref(&old), &[item("h", "https://a.example/1", "y", "text")]]);
    assert_eq!(by_link, [ItemChange::Rekeyed { old: old_key.clone(), edited: true }]);
    let by_text = verdicts(&[from_ref(&old), &[item("h", "http://b.example/9", "x", "text")]]);
    assert_eq!(by_text, [ItemChange::Rekeyed { old: old_key, edited: false }]);
    let news = verdicts(&[&[old], &[item("h", "http://b.example/9", "x", "other")]]);
    assert_eq!(news, [ItemChange::New]);
}

#[test]
fn a_title_alone_does_not_make_an_item_known() {
    let monday = item("mon", "http://a.example/mon", "Daily brief", "");
    let tuesday = item("tue", "http://a.example/tue", "Daily brief", "");
    assert_eq!(verdicts(&[&[monday], &[tuesday]]), [ItemChange::New]);
}

#[test]
fn the_item_first_known_by_a_guid_keeps_it() {
    let one = item("0", "http://a.example/1", "one", "1");
    let two = item("0", "http://a.example/2", "two", "2");
    let three = item("0", "http://a.example/3", "three", "3");
    assert_eq!(
        verdicts(&[from_ref(&one), &[two.clone(), one.clone()]]),
        [ItemChange::New, ItemChange::Same]
    );
    let last = [three, two.clone()];
    assert_eq!(
        verdicts(&[from_ref(&one), &[two, one.clone()], &last]),
        [ItemChange::New, ItemChange::Same]
    );
}

#[test]
fn a_guid_that_a_document_repeats_makes_no_item_an_edit_of_another() {
    let of = |n: u32| {
        item("0", &format!("http://a.example/{n}"), &format!("title {n}"), &format!("text {n}"))
    };
    assert_eq!(verdicts(&[&[of(1)], &[of(3), of(2)]]), [ItemChange::New, ItemChange::New]);
    assert_eq!(
        verdicts(&[&[of(1)], &[of(2), of(1)], &[of(4), of(3)]]),
        [ItemChange::New, ItemChange::New]
    );
}

#[test]
fn items_that_all_link_to_one_page_stay_apart() {
    let of = |n: u32| item("", "http://a.example/", &format!("title {n}"), "text");
    assert_eq!(verdicts(&[&[of(1), of(2)], &[of(3), of(2)]]), [ItemChange::New, ItemChange::Same]);
    let same_guid =
        |n: u32| item("http://a.example/", "http://a.example/", &format!("title {n}"), "text");
    let rolled = [same_guid(3), same_guid(2)];
    assert_eq!(
        verdicts(&[&[same_guid(1), same_guid(2)], &rolled]),
        [ItemChange::New, ItemChange::Same]
    );
}

#[test]
fn a_whole_document_of_unknown_items_is_news() {
    let of =
        |n: u32| item(&n.to_string(), &format!("http://a.example/{n}"), &format!("t{n}"), "text");
    assert_eq!(verdicts(&[&[of(1), of(2)], &[of(3), of(4)]]), [ItemChange::New, ItemChange::New]);
}

fn any_items() -> impl Strategy<Value = Vec<Item>> {
    let link = prop_oneof![
        Just(String::new()),
        "http://a\\.example/[a-c]{0,1}",
        "https://b\\.example/\\?p=[12]"
    ];
    let one = ("[gh]{0,2}", link, "[tu]{0,2}", "[xy]{0,2}")
        .prop_map(|(guid, link, title, text)| item(&guid, &link, &title, &text));
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn a_document_judged_twice_is_all_the_same(past in any_items(), items in any_items()) {
        let first = judge(&feed(), &[], &past);
        let known = remember(Vec::new(), &past, &first);
        let judged = judge(&feed(), &known, &items);
        let known = remember(known, &items, &judged);
        prop_assert!(judge(&feed(), &known, &items).iter().all(|judged| judged.verdict == ItemChange::Same));
    }

    #[test]
    fn the_order_of_a_document_makes_no_news(past in any_items(), mut items in any_items(), seed in any::<usize>()) {
        let mut seen = HashSet::new();
        items.retain(|item| seen.insert((item.guid.clone(), item.link.as_ref().and_then(normalise_link), item.title.clone())));
        let first = judge(&feed(), &[], &past);
        let known = remember(Vec::new(), &past, &first);
        let judged = judge(&feed(), &known, &items);
        let known = remember(known, &items, &judged);
        let by = seed % items.len().max(1);
        items.rotate_left(by);
        items.reverse();
        prop_assert!(judge(&feed(), &known, &items).iter().all(|judged| judged.verdict == ItemChange::Same));
    }

    #[test]
    fn keys_are_given_once_and_old_ones_are_known(past in any_items(), items in any_items()) {
        let first = judge(&feed(), &[], &past);
        let known = remember(Vec::new(), &past, &first);
        let judged = judge(&feed(), &known, &items);
        let keys: HashSet<_> = judged.iter().map(|judged| &judged.key).collect();
        prop_assert_eq!(keys.len(), judged.len());
        for judged in &judged {
            let is_known = known.iter().any(|item| item.key == judged.key);
            prop_assert_eq!(is_known, matches!(judged.verdict, ItemChange::Same | ItemChange::Edited));
        }
    }
}

#[test]
fn known_items_come_and_go_by_the_keys_that_are_known() {
    let items = |guids: &[&str]| -> Vec<Item> {
        guids
            .iter()
            .map(|guid| item(guid, "", &format!("title {guid}"), &format!("text {guid}")))
            .collect()
    };
    let keys = |guids: &[&str]| -> Vec<ItemKey> {
        guids.iter().map(|guid| ItemKey(format!("guid {guid}"))).collect()
    };
    let before = items(&["a", "b", "c"]);
    let mut known = remember(Vec::new(), &before, &judge(&feed(), &[], &before));
    known[2].gone = true;
    let after = items(&["a", "c", "d"]);
    let found = removed_and_returned(&known, &judge(&feed(), &known, &after));
    assert_eq!(found, RemovedAndReturned { removed: keys(&["b"]), returned: keys(&["c"]) });

    // The same words under another guid are the same item, which is present.
    let renamed = [item("z", "", "title b", "text b"), after[0].clone(), after[1].clone()];
    known[1].gone = true;
    let found = removed_and_returned(&known, &judge(&feed(), &known, &renamed));
    assert_eq!(found, RemovedAndReturned { removed: vec![], returned: keys(&["b", "c"]) });
}

#[rstest]
#[case("a b c", "a b c")]
#[case("a  b\n\nc ", "a b c")]
#[case(" a\tb\u{b}c", "a b c")]
#[case("a\u{a0}b c", "a b c")]
#[case("cafe\u{301} b", "café b")]
fn white_space_and_composition_change_no_hash(#[case] one: &str, #[case] other: &str) {
    assert_eq!(hash_normalized_text(one, one), hash_normalized_text(other, other));
}

#[test]
fn a_hash_is_what_stores_hold_already() {
    // Another hash of the same text would turn every known item into an edit.
    assert_eq!(
        hash_normalized_text("A title", "One  two.\nThre\u{301}"),
        "3dcf314290ce47c1d5123890209c90d3"
    );
    assert_ne!(hash_normalized_text("a b", "c"), hash_normalized_text("a", "b c"));
}

#[test]
fn the_first_known_by_a_guid_keeps_it_and_others_are_keyed_by_their_link_too() {
    let items =
        [item("1", "https://a.example/a", "a", "x"), item("1", "https://a.example/b", "b", "y")];
    let keys: Vec<String> =
        judge(&feed(), &[], &items).into_iter().map(|judged| judged.key.0).collect();
    assert_eq!(keys, ["guid 1", "guid 1\nlink https://a.example/b"]);
}

#[test]
fn what_a_document_that_broke_off_lacks_stays_present_up_to_a_bound() {
    let items: Vec<Item> =
        (0..1003).map(|n| item(&format!("{n:04}"), "", &format!("title {n}"), "")).collect();
    let mut known = remember(Vec::new(), &items, &judge(&feed(), &[], &items));
    for (n, item) in known.iter_mut().enumerate() {
        item.first_seen = Timestamp::from_second(1_800_000_000 + i64::try_from(n).expect("few"))
            .expect("in range");
    }
    let mut few = removed_and_returned(&known[..9], &[]);
    few.keep_unseen(&known);
    assert_eq!(few.removed, []);
    let mut many = removed_and_returned(&known, &[]);
    many.keep_unseen(&known);
    let oldest: Vec<ItemKey> = known[..3].iter().map(|item| item.key.clone()).collect();
    assert_eq!(many.removed, oldest);
}
