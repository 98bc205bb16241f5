//! Tests of the comparison.

use super::*;

/// So many different words, from this number on, twelve a sentence.
fn words(from: usize, many: usize) -> String {
    let letter = |digit: u8| char::from(b'a' + digit - b'0');
    let word = |n: usize| n.to_string().bytes().map(letter).collect::<String>();
    let words: Vec<String> = (from..from + many).map(word).collect();
    words
        .chunks(12)
        .fold(String::new(), |text, sentence| text + "The " + &sentence.join(" ") + ". ")
}

fn of(text: &str) -> Fingerprint {
    compute_fingerprint("", text, &Read::Full).expect("long enough")
}

fn related(earlier: (&str, &str), later: (&str, &str)) -> Relation {
    let [earlier, later] = [earlier, later]
        .map(|(title, text)| compute_fingerprint(title, text, &Read::Full).expect("long enough"));
    relation(&earlier, &later, &HashSet::new())
}

fn is_copy(one: &str, other: &str) -> bool {
    related(("", one), ("", other)) == Relation::Copy
}

#[test]
fn typography_and_case_make_no_difference() {
    let text = "“Arms” for oil—and grain. ".repeat(20) + &words(0, 40);
    let other = text.to_uppercase().replace(['“', '”'], "\"").replace('—', " - ");
    assert!(is_copy(&text, &other));
}

#[test]
fn a_copy_may_lack_a_fifth_of_the_shorter_and_three_fifths_of_both() {
    let long = words(0, 504);
    for (text, expected) in [
        (words(0, 504), true),
        (words(0, 204), true),
        (words(0, 408) + &words(900, 96), false),
        (words(300, 204) + &words(900, 300), false),
        (words(900, 500), false),
    ] {
        assert_eq!(is_copy(&long, &text), expected, "{text}");
        assert_eq!(is_copy(&text, &long), expected, "{text}");
    }
}

#[test]
fn a_short_version_joins_the_long_one_and_not_a_roundup_the_short_ones() {
    let (long, middle, start) = (words(0, 600), words(240, 96), words(0, 144));
    assert!(is_copy(&long, &middle));
    assert!(!is_copy(&middle, &long));
    assert!(is_copy(&start, &long), "both begin alike");
    let title = "Shells found at the port of Rostov";
    assert_eq!(related((title, &middle), (title, &long)), Relation::Copy);
}

#[test]
fn another_name_identifier_or_number_where_the_words_around_are_the_same_is_another_event() {
    let report =
        |slot: &str| format!("The office has added {slot} to its list on Monday. {}", words(0, 96));
    for (one, other) in [
        ("the tanker Kohana", "the tanker Ruby"),
        ("IMO 9187629", "IMO 9187631"),
        ("CVE-2026-4671", "CVE-2026-4672"),
        ("two firms of Mali", "one firm of Togo"),
        ("merchant vessels", "peanut butter"),
    ] {
        assert!(!is_copy(&report(one), &report(other)), "{one}, {other}");
        assert!(is_copy(&report(one), &report(one)), "{one}");
    }
}

#[test]
fn spelling_and_typos_are_no_other_event() {
    let one = "In the afternoon President Zelensky said that he favoured talks. He spoke of programmes for labour in the cities.";
    let other = "In teh afternoon President Zelenskyy said that he favored talks. He spoke of programs for labor in the cities.";
    let [one, other] = [one, other].map(|text| format!("{text} {}", words(0, 96)));
    assert!(is_copy(&one, &other));
}

#[test]
fn other_figures_under_the_same_headline_are_an_update() {
    let report = |dead: &str| {
        format!("The quake killed {dead} people in the valley, rescuers said. {}", words(0, 96))
    };
    let title = "Quake shakes valley in Chile";
    let figures = vec![Figure { was: "12".to_owned(), now: "21".to_owned() }];
    assert_eq!(
        related((title, &report("twelve")), (title, &report("21"))),
        Relation::Update(CopyUpdate { mark: None, figures })
    );
    assert_eq!(related((title, &report("12")), ("Another", &report("21"))), Relation::Other);
    let day =
        |day| format!("It was launched on June {day} at the cape by the firm. {}", words(0, 96));
    assert_eq!(related((title, &day(3)), (title, &day(4))), Relation::Other);
}

#[test]
fn a_marked_copy_is_an_update_and_its_own_copy_is_a_copy() {
    let (text, longer) = (words(0, 120), words(0, 120) + &words(900, 96));
    let title = "Shells found at port";
    let updated = |mark| Relation::Update(CopyUpdate { mark: Some(mark), figures: vec![] });
    assert_eq!(
        related((title, &text), ("UPDATE 2-Shells found at port", &longer)),
        updated(CopyMark::Updated(2))
    );
    assert_eq!(
        related((title, &text), (title, &format!("(Corrects name)\n\n{text}"))),
        updated(CopyMark::Corrected)
    );
    assert_eq!(related(("UPDATE 2-Shells", &text), ("UPDATE 2-Shells", &text)), Relation::Copy);
    assert_eq!(related(("UPDATE 2-Shells", &text), ("Shells", &text)), Relation::Copy);
}

#[test]
fn a_brief_is_a_copy_of_what_is_the_same_word_for_word() {
    let teaser = Read::Teaser("the page answered 403 Forbidden".to_owned());
    let brief =
        |title: &str, text: &str| compute_fingerprint(title, text, &teaser).expect("words enough");
    let none = HashSet::new();
    let one = brief("Shells found at port", "Police found shells at the port of Rostov.");
    let same = brief("Shells found at port", "“Police found shells” at the port of Rostov");
    let other = brief("Shells found at port", "Police found shells at the port of Odessa.");
    assert_eq!(relation(&one, &same, &none), Relation::Copy);
    assert_eq!(relation(&one, &other, &none), Relation::Other);
    assert_eq!(compute_fingerprint("Weather", "Sunny.", &teaser), None);
}

#[test]
fn a_short_part_of_an_article_is_a_brief_and_a_long_one_a_text() {
    let title = "Shells found at the port of Rostov";
    let partial = Read::Partial("the page is behind a paywall".to_owned());
    let (short, long) = (words(0, 120), words(0, 144));
    let of_part = |text: &str| compute_fingerprint(title, text, &partial).expect("long enough");
    let of_whole = |text: &str| compute_fingerprint(title, text, &Read::Full).expect("long enough");
    let none = HashSet::new();
    assert!(of_part(&short).is_brief() && !of_part(&long).is_brief());
    for (part, expected) in [(&short, Relation::Other), (&long, Relation::Copy)] {
        let whole = of_whole(&words(0, 240));
        assert_eq!(relation(&of_part(part), &whole, &none), expected);
        assert_eq!(relation(&whole, &of_part(part), &none), expected);
        assert_eq!(relation(&of_part(part), &of_part(part), &none), Relation::Copy);
    }
}

#[test]
fn the_frame_of_a_host_is_left_out() {
    let frame = words(0, 300);
    let [one, other] = [words(600, 60), words(900, 60)].map(|own| of(&(own + &frame)));
    let sentences = of(&frame).sentences();
    assert_eq!(relation(&one, &one, &sentences), Relation::Copy);
    assert_eq!(relation(&one, &other, &sentences), Relation::Other);
    let bare = of(&frame);
    assert_eq!(relation(&bare, &one, &sentences), Relation::Other);
}

#[test]
fn prints_are_the_same_in_every_build() {
    let ComparedText::Full(full) = of(&words(0, 50)).text else { panic!("not whole") };
    assert_eq!(full.shingles[0], 165_172_912_802_479_781);
}

#[test]
fn an_event_takes_copies_for_three_days() {
    let now = Timestamp::from_second(1_800_000_000).expect("in range");
    assert_eq!(now.duration_since(open_since(now)).as_hours(), 72);
}
