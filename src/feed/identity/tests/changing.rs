//! Tests of items whose guids and links change, and of guids and links that get other news.

use super::*;

/// A headline whose link is also its guid, without date and text.
fn headline(link: &str, title: &str) -> Item {
    item(link, link, title, "")
}

/// The same without a guid.
fn bare(link: &str, title: &str) -> Item {
    item("", link, title, "")
}

fn dated(item: Item, hours: i64) -> Item {
    let published = Timestamp::from_second(1_800_000_000 + hours * 3600).ok();
    Item { published, ..item }
}

/// The number of new items in the last document. The documents are classified in turn, as the
/// poller does.
fn news(documents: &[&[Item]]) -> usize {
    let mut known: Vec<KnownItem> = Vec::new();
    let mut texts: HashMap<ItemKey, Before> = HashMap::new();
    let mut news = 0;
    for items in documents {
        let mut judged = judge(&feed(), &known, items);
        mark_renewed(&mut judged, |key| texts.get(key), items);
        let gone = removed_and_returned(&known, &judged).removed;
        for item in known.iter_mut().filter(|item| gone.contains(&item.key)) {
            item.gone = true;
        }
        for (n, past) in
            judged.iter().filter(|item| item.verdict == ItemChange::Renewed).enumerate()
        {
            let old = known.iter_mut().find(|item| item.key == past.key).expect("it is known");
            let key = ItemKey(format!("{}\nuntil {n} {}", old.key.0, old.hash));
            *old = KnownItem { key, guid: None, link: None, stem: None, gone: true, ..old.clone() };
        }
        news = judged
            .iter()
            .filter(|item| matches!(item.verdict, ItemChange::New | ItemChange::Renewed))
            .count();
        for item in &judged {
            let Item { title, text, published, .. } = items[item.index].clone();
            texts.insert(item.key.clone(), Before { title, text, published });
        }
        known = remember(known, items, &judged);
    }
    news
}

const TOKENS: [&str; 9] = [
    "?sid={}",
    ";jsessionid={}",
    "?__xts__={}",
    "#{}",
    "?ref=rss&t={}",
    "?t={}#x",
    "?PHPSESSID={}&ref=x",
    "?at={}-{i}",
    "#{}{i}",
];

/// Three headlines whose links end in `tail`. `{}` stands for the token and `{i}` for the item's
/// number.
fn with_tokens(tail: &str, token: &str, make: fn(&str, &str) -> Item) -> Vec<Item> {
    let tail = tail.replace("{}", token);
    let one = |i: usize| {
        let link = format!("https://wire.example/news/{i}{}", tail.replace("{i}", &i.to_string()));
        make(&link, &format!("Korea headline number {i} of the day"))
    };
    (0..3).map(one).collect()
}

#[test]
fn a_token_that_changes_at_each_poll_makes_no_item_new() {
    for tail in TOKENS {
        for make in [headline, bare] {
            let [a, b, c] = ["a", "b", "c"].map(|token| with_tokens(tail, token, make));
            assert_eq!(news(&[&a]), 3);
            assert_eq!(news(&[&a, &b]), 0, "{tail}");
            assert_eq!(news(&[&a, &b, &c]), 0, "{tail}");
            let mut more = c.clone();
            more.insert(0, make("https://wire.example/news/9?sid=c", "Another headline of Korea"));
            assert_eq!(news(&[&a, &b, &more]), 1, "{tail}");
            assert_eq!(news(&[&a[..1], &b[..1]]), 0, "{tail}: a feed of one item");
        }
    }
}

#[test]
fn a_token_that_goes_or_comes_makes_no_item_new() {
    let plain = with_tokens("", "", bare);
    let marked = with_tokens("?sid={}", "a", bare);
    assert_eq!(news(&[&plain, &marked]), 0);
    assert_eq!(news(&[&marked, &plain]), 0);
}

#[test]
fn guids_that_are_made_up_at_each_request_make_no_item_new() {
    for link in ["https://wire.example/", "https://wire.example/news"] {
        let of = |i: usize, round: usize| {
            item(&format!("{round}f{i}"), link, &format!("Headline {i}"), "")
        };
        let document = |round: usize| (0..3).map(|i| of(i, round)).collect::<Vec<_>>();
        assert_eq!(news(&[&document(1), &document(2), &document(3)]), 0);
        assert_eq!(
            news(&[&document(1), &[of(0, 1), of(1, 1), of(2, 7)]]),
            1,
            "the others kept their guids"
        );
    }
}

#[rstest]
#[case("https://www.wire.example/2/a", "https://wire.example/2/a")]
#[case("https://m.wire.example/2/a", "https://wire.example/2/a")]
#[case("http://wire.example/2/a", "https://amp.wire.example/2/a")]
#[case("https://wire.example/2/a/", "https://wire.example/2/a")]
fn another_host_or_scheme_makes_no_item_new(#[case] old: &str, #[case] new: &str) {
    for make in [headline, bare] {
        assert_eq!(news(&[&[make(old, "Talks open")], &[make(new, "Talks open")]]), 0);
        assert_eq!(news(&[&[make(old, "Talks open")], &[make(new, "Ferry sinks")]]), 1);
    }
}

#[test]
fn a_parameter_that_names_items_keeps_them_apart() {
    let of = |id: usize, title: &str| bare(&format!("https://wire.example/story?id={id}"), title);
    let report = "Market report";
    assert_eq!(news(&[&[of(1, report)], &[of(2, report)]]), 1, "one at a time");
    assert_eq!(
        news(&[&[of(1, report), of(2, "Weather")], &[of(3, report), of(4, "Weather")]]),
        2,
        "all at once"
    );
    assert_eq!(
        news(&[&[of(2, report), of(1, report)], &[of(3, report), of(2, report)]]),
        1,
        "a list that rolls"
    );
    let named = |slug: &str| bare(&format!("https://wire.example/story?name={slug}"), report);
    assert_eq!(news(&[&[named("mon"), named("tue")], &[named("wed"), named("thu")]]), 2);
}

#[test]
fn anchors_of_one_page_are_items() {
    let of = |i: usize| bare(&format!("https://wire.example/live#entry{i}"), "Latest");
    assert_eq!(news(&[&[of(2), of(1)], &[of(4), of(3)]]), 2);
}

#[test]
fn a_report_with_the_same_headline_is_news_each_day() {
    let of =
        |day: i64, link: &str, text: &str| dated(item(link, link, "Market report", text), 24 * day);
    let by_path =
        |day: i64| of(day, &format!("https://wire.example/2026/11/{day}/market-report"), "");
    assert_eq!(news(&[&[by_path(1)], &[by_path(2)]]), 1);
    let by_token =
        |day: i64, token: &str| of(day, &format!("https://wire.example/market?at={token}"), "");
    assert_eq!(news(&[&[by_token(1, "x")], &[by_token(2, "y")]]), 1);
    let one_page = |day: i64| {
        dated(
            item(&format!("report {day}"), "https://wire.example/market", "Market report", ""),
            24 * day,
        )
    };
    assert_eq!(news(&[&[one_page(1)], &[one_page(2)]]), 1);
    let boilerplate =
        "Our daily look at the markets of Asia, Europe and America, with all that moves them.";
    let alike = |day: i64| of(day, &format!("https://wire.example/{day}"), boilerplate);
    assert_eq!(news(&[&[alike(1)], &[alike(2), alike(1)]]), 1);
    assert_eq!(news(&[&[alike(1)], &[alike(2)]]), 1);
}

const SUMMARY: &str =
    "Envoys met in Seoul to talk of the bridge and the ferry between the islands, officials said.";

#[rstest]
#[case::number(
    "/2021/korea-talks-open-in-seoul-48311",
    "/2021/korea-talks-open-in-seoul-amid-row-48311",
    SUMMARY
)]
#[case::number_and_no_text(
    "/korea-talks-open-in-seoul-48311",
    "/korea-talks-open-in-seoul-amid-row-48311",
    ""
)]
#[case::date(
    "/2021/05/04/korea-talks-open-in-seoul",
    "/2021/05/04/korea-talks-open-in-seoul-amid-row",
    SUMMARY
)]
#[case::bare_slug("/korea-talks-open-in-seoul", "/korea-talks-open-in-seoul-amid-row", SUMMARY)]
fn a_slug_that_follows_the_headline_makes_no_item_new(
    #[case] old: &str,
    #[case] new: &str,
    #[case] text: &str,
) {
    let of = |path: &str, title: &str, guid: bool| {
        let link = format!("https://wire.example{path}");
        item(if guid { &link } else { "" }, &link, title, text)
    };
    for guid in [true, false] {
        let old = of(old, "Korea talks open in Seoul", guid);
        let new = of(new, "Korea talks open in Seoul amid row", guid);
        assert_eq!(news(&[from_ref(&old), from_ref(&new)]), 0, "guid {guid}");
        assert_eq!(
            news(&[from_ref(&old), &[new, old.clone()]]),
            1,
            "both stand there: guid {guid}"
        );
    }
}

#[test]
fn items_of_one_frame_stay_apart() {
    let of = |guid: &str, path: &str, title: &str| {
        item(
            guid,
            &format!("https://mission.example{path}"),
            title,
            "The mission has issued the following statement to the press this morning.",
        )
    };
    let yemen = of("", "/press-10482/statement-on-arms-in-yemen", "Statement on arms in Yemen");
    let syria = of("", "/press-10482/statement-on-arms-in-syria", "Statement on arms in Syria");
    let chad = of("", "/press-10482/statement-on-arms-in-chad", "Statement on arms in Chad");
    assert_eq!(news(&[&[yemen.clone(), chad], &[syria]]), 1);
    let plain = |path: &str, title: &str| of("", path, title);
    let [yemen, syria] =
        [("/yemen", "Statement on arms in Yemen"), ("/syria", "Statement on arms in Syria")]
            .map(|(path, title)| plain(path, title));
    assert_eq!(news(&[&[yemen], &[syria]]), 1);
    let [one, two] = ["101", "102"].map(|guid| of(guid, &format!("/{guid}"), "Statement"));
    assert_eq!(news(&[&[dated(one, 0)], &[dated(two, 24)]]), 1);
}

#[test]
fn other_news_under_a_known_guid_and_link_is_news_and_an_edit_is_not() {
    let of = |title: &str, text: &str, hours: i64| {
        dated(item("sitrep", "https://gov.example/sitrep", title, text), hours)
    };
    let monday = of("Report of Monday", "Calm at the harbour; the ferry runs as planned.", 0);
    let tuesday =
        of("Report of Tuesday", "A missile was fired over the strait in the morning.", 24);
    let corrected =
        of("Report of Tuesday", "A missile was fired over the strait early in the morning.", 25);
    let wednesday = of(
        "Report of Wednesday",
        "A second missile fell near the island; two ships are missing.",
        48,
    );
    assert_eq!(news(&[from_ref(&monday), from_ref(&tuesday)]), 1);
    assert_eq!(news(&[from_ref(&monday), from_ref(&tuesday), from_ref(&tuesday)]), 0);
    assert_eq!(news(&[from_ref(&monday), from_ref(&tuesday), from_ref(&corrected)]), 0);
    assert_eq!(
        news(&[from_ref(&monday), from_ref(&tuesday), from_ref(&corrected), from_ref(&wednesday)]),
        1
    );
    let back = [tuesday, monday, corrected, wednesday.clone(), wednesday];
    let all: Vec<&[Item]> = back.iter().map(from_ref).collect();
    assert_eq!(news(&all), 0);
}

#[test]
fn other_news_at_a_known_link_under_another_guid_is_news() {
    let of = |guid: &str, title: &str, text: &str, hours: i64| {
        dated(item(guid, "https://gov.example/alerts", title, text), hours)
    };
    let one = of("1", "Flood warning", "The river rises by two metres at the bridge.", 0);
    let two = of("2", "Road closed", "Lorries wait at the northern gate after a rockfall.", 24);
    assert_eq!(news(&[&[one], &[two]]), 1);
}

#[test]
fn headlines_that_are_all_linked_to_the_home_page_are_items() {
    let of = |title: &str, text: &str| item("", "https://wire.example/", title, text);
    let old = of("Harbour shut for the winter", "");
    assert_eq!(news(&[from_ref(&old), &[of("Trains collide near the capital", "")]]), 1);
    assert_eq!(news(&[from_ref(&old), &[of("Harbour shut for the winter months", "")]]), 0);
    let text = "The harbour will be shut from Monday on.";
    assert_eq!(news(&[from_ref(&old), &[of("Harbour shut for the winter", text)]]), 0);
}

#[test]
fn a_form_filled_anew_under_a_known_guid_is_news() {
    let of = |place: &str, speed: u32, hours: i64| {
        let text = format!("Storm warning for {place} in Korea: wind of {speed} km/h from 18:00.");
        dated(item("w", "https://wire.example/w", "Weather warning", &text), hours)
    };
    let [busan, stronger] = [of("Busan", 70, 0), of("Busan", 80, 1)];
    assert_eq!(news(&[from_ref(&busan), &[of("Incheon", 90, 1)]]), 1);
    assert_eq!(news(&[from_ref(&busan), from_ref(&stronger)]), 0, "a figure is corrected");
}
