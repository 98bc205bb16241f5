//! Tests of the choice between the two readers.

use rstest::rstest;

use super::*;
use crate::feed::hints::PollHints;

fn document(titles: &[&str]) -> Document {
    let item = |title: &&str| Item { title: (*title).to_owned(), ..Item::default() };
    Document {
        title: None,
        hints: PollHints::default(),
        items: titles.iter().map(item).collect(),
        end: DocumentEnd::Whole,
    }
}

fn no_feed() -> Result<Document, NoFeed> {
    Err(NoFeed("damaged".to_owned()))
}

#[rstest]
#[case("<rss><item><title>x</title></item><item/></rss>", 2)]
#[case("<feed><a:Entry\nid='1'/><entry", 2)]
#[case("<rdf><items/><itemref/></item></entry> item", 0)]
#[case("<!-- <item> -->", 1)]
#[case("<a:item></a:item>", 1)]
fn items_are_counted_by_their_openings(#[case] text: &str, #[case] count: usize) {
    assert_eq!(find_signs(text).items, count);
}

#[rstest]
#[case("<dc:creator>", true, false, false)]
#[case("<AUTHOR/>", true, false, false)]
#[case("<category a='b'>", false, true, false)]
#[case("<x:Subject>", false, true, false)]
#[case("<source>", false, false, true)]
#[case("</author><authors>author", false, false, false)]
fn tags_decide_what_may_be_named(
    #[case] text: &str,
    #[case] authors: bool,
    #[case] tags: bool,
    #[case] sources: bool,
) {
    assert_eq!(find_signs(text), Signs { authors, tags, sources, ..Signs::default() });
}

#[test]
fn the_reader_that_finds_more_is_believed_and_the_first_of_equals() {
    let (one, two) = (document(&["a"]), document(&["b", "c"]));
    assert_eq!(choose(Some(one.clone()), Ok(two.clone())), Ok(two.clone()));
    assert_eq!(choose(Some(two.clone()), Ok(one.clone())), Ok(two));
    assert_eq!(choose(Some(one.clone()), Ok(document(&["b"]))), Ok(one.clone()));
    let alone = Document { end: DocumentEnd::BetweenItems, ..one.clone() };
    assert_eq!(choose(Some(one.clone()), no_feed()), Ok(alone));
    assert_eq!(choose(None, Ok(one.clone())), Ok(one));
}

#[rstest]
#[case("<rss><channel><item/></channel></rss>", true)]
#[case("<?xml version='1.0'?><!-- x --><a:RSS><item></item></a:rss >\n<!-- cached -->", true)]
#[case("<rss></rss>", true)]
#[case("<rss><channel><item/></channel>", false)]
#[case("<rss><item/></rss><item/>", false)]
#[case("<rss><a:item/></a:item>", false)]
#[case("", false)]
fn a_document_is_closed_if_its_root_is_after_its_last_item(
    #[case] text: &str,
    #[case] expected: bool,
) {
    assert_eq!(is_closed(text), expected);
}

#[test]
fn where_the_first_finds_nothing_the_second_says_why() {
    assert_eq!(choose(None, no_feed()), no_feed());
    assert_eq!(choose(Some(document(&[])), no_feed()), no_feed());
    assert_eq!(choose(Some(document(&[])), Ok(document(&[]))), Ok(document(&[])));
}

#[test]
fn gaps_are_filled_of_the_same_item_alone() {
    let item = |guid: &str, title: &str, tag: &str| Item {
        guid: Some(guid.to_owned()),
        title: title.to_owned(),
        tags: vec![tag.to_owned()],
        ..Item::default()
    };
    let first = Item { tags: Vec::new(), ..item("1", "first", "") };
    let of = |item: Item| Document { items: vec![item], ..document(&[]) };
    let same = choose(Some(of(first.clone())), Ok(of(item("1", "second", "korea"))));
    assert_eq!(same, Ok(of(item("1", "first", "korea"))));
    let other = choose(Some(of(first.clone())), Ok(of(item("2", "second", "korea"))));
    assert_eq!(other, Ok(of(first)));
}

#[test]
fn a_document_is_whole_only_with_all_items_and_all_their_parts() {
    let full = Item {
        guid: Some("1".to_owned()),
        title: "t".to_owned(),
        text: "x".to_owned(),
        published: Some(jiff::Timestamp::UNIX_EPOCH),
        link: "https://wire.example/1".parse().ok(),
        authors: vec!["Ana".to_owned()],
        tags: vec!["korea".to_owned()],
        ..Item::default()
    };
    let of = |item: &Item| Document { items: vec![item.clone()], ..document(&[]) };
    let plain = |items| Signs { items, ..Signs::default() };
    assert!(is_whole(&of(&full), &plain(1)));
    assert!(!is_whole(&of(&full), &plain(2)));
    assert!(!is_whole(&of(&Item { published: None, ..full.clone() }), &plain(1)));
    assert!(!is_whole(&of(&Item { link: None, ..full.clone() }), &plain(1)));
    assert!(!is_whole(&of(&full), &Signs { languages: 1, ..plain(1) }));
    assert!(!is_whole(&document(&[]), &plain(0)));
    assert!(!is_whole(&of(&full), &Signs { sources: true, ..plain(1) }));

    let bare = of(&Item { authors: vec![], tags: vec![], ..full.clone() });
    assert!(is_whole(&bare, &plain(1)), "there is nobody to name");
    assert!(!is_whole(&bare, &Signs { authors: true, ..plain(1) }));
    assert!(!is_whole(&bare, &Signs { tags: true, ..plain(1) }));
    assert!(is_whole(&of(&full), &Signs { authors: true, tags: true, ..plain(1) }));
}
