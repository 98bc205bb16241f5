//! Tests of the decision table.

use rstest::rstest;
use url::Url;

use super::*;
use crate::article::facts::facts;

const ARTICLE: &str = "The harbour office said on Tuesday that the crossing would stay open while crews inspect the northern quay. \
    Officials counted lorries at both gates and compared the figures with those of last spring.";

const PAID: &str = "the page is behind a paywall";

/// What follows for the text of a page with these tags, in words.
fn verdict(tags: &str, text: &str) -> String {
    let facts = facts(tags, &"https://wire.example/a".parse::<Url>().unwrap(), None);
    let feed = FeedTexts::new(
        "Harbour crossing stays open during inspection",
        "Lorries are counted at both gates.",
    );
    let evidence = PageEvidence { landing: Landing::Article, facts: &facts, feed: &feed };
    match judge(text.to_owned(), evidence) {
        Ok((text, None)) => whole(&text),
        Ok((text, Some(why))) => part(&text, &why.to_string()),
        Err(why) => refused(&why.to_string()),
    }
}

fn whole(text: &str) -> String {
    format!("the article: {text}")
}

fn part(text: &str, why: &str) -> String {
    format!("a part, because {why}: {text}")
}

fn free_part(text: &str) -> String {
    part(text, "the page is behind a paywall")
}

fn refused(why: &str) -> String {
    format!("refused, because {why}")
}

const TITLE: &str = "<title>Harbour crossing stays open | Wire</title>";

#[test]
fn a_text_without_any_sign_is_the_article() {
    assert_eq!(verdict("", ARTICLE), whole(ARTICLE));
    let other =
        "The ferries wait while the quay is repaired, and crews count what is left. ".repeat(12);
    assert_eq!(
        verdict("<title>Waiting</title>", &other),
        whole(&other),
        "it may tell it otherwise"
    );
    let another = other.replace("count", "eat");
    assert_eq!(verdict("", &another), refused("the page says nothing of the story"));
}

#[rstest]
#[case(
    "We value your privacy. We and our partners store things.",
    "the page asks for consent first"
)]
#[case(
    "Besuchen Sie uns wie gewohnt mit Werbung und Tracking. Ihre Zustimmung können Sie jederzeit widerrufen.",
    "the page asks for consent first"
)]
#[case(
    "Vi og vores partnere gemmer oplysninger på din enhed og behandler persondata. Du kan altid ændre dit valg.",
    "the page asks for consent first"
)]
#[case(
    "Ми та наші партнери зберігаємо інформацію на пристрої. Ви можете змінити свій вибір будь-коли.",
    "the page asks for consent first"
)]
#[case(
    "Please verify you are human by completing the action below.",
    "the page checks whether a robot reads it"
)]
#[case("The page you are looking for may have been moved.", "the page is an error page")]
#[case("Die Seite, die Sie suchen, wurde nicht gefunden.", "the page is an error page")]
#[case(
    "La page que vous cherchez est introuvable, essayez la recherche.",
    "the page is an error page"
)]
#[case("Strona, której szukasz, nie istnieje. Użyj wyszukiwarki.", "the page is an error page")]
#[case(
    "Enter your address and the word you chose. Forgot your password?",
    "the page asks to sign in first"
)]
fn short_texts_that_address_the_reader_are_refused(#[case] text: &str, #[case] why: &str) {
    assert_eq!(verdict("<title>The Wire</title>", text), refused(why));
}

#[test]
fn an_article_stands_beside_such_a_paragraph() {
    for (tags, note) in [
        (TITLE, "This content is not available."),
        (TITLE, "Please enable JavaScript to see the map."),
        ("", "We use cookies and other techniques on this site."),
    ] {
        assert_eq!(verdict(tags, &format!("{note}\n\n{ARTICLE}")), whole(ARTICLE), "{note}");
    }
    let note = "Privacy: this site uses cookies. We use cookies to count readers.";
    let facts = facts("", &"https://wire.example/a".parse().unwrap(), None);
    let feed = FeedTexts::default();
    let unknown = PageEvidence { landing: Landing::Article, facts: &facts, feed: &feed };
    let two = format!("{ARTICLE} {ARTICLE}");
    assert_eq!(judge(format!("{two}\n\n{note}"), unknown), Ok((two, None)));
    assert!(judge(note.to_owned(), unknown).is_err());
    let wall = "We value your privacy.\n\nThis site stores data on your device, measures how long you read, and sells both to \
        eight hundred firms whose names are listed below, each with a link to its terms and its own list of firms.";
    assert_eq!(verdict(TITLE, wall), refused("the page asks for consent first"));
}

#[test]
fn a_long_text_is_an_article_unless_it_is_all_about_consent() {
    let story = format!("We use cookies, the ministry said. {ARTICLE} ").repeat(8);
    assert_eq!(verdict("", &story), whole(&story));
    let about_cookies =
        "Lorries bring cookies, and cookies of another kind are set on the web. ".repeat(3);
    assert_eq!(verdict(TITLE, &about_cookies), whole(&about_cookies));
    let wall = format!(
        "We and our 845 partners store data on your device. We value your privacy. {}",
        "Purposes are listed with each firm and its terms. ".repeat(40)
    );
    assert_eq!(verdict("", &wall), refused("the page asks for consent first"));
}

#[rstest]
#[case("<title>Just a moment...</title>", "the page checks whether a robot reads it")]
#[case("<title>Wire</title><h1>404</h1>", "the page is an error page")]
#[case("<title>Anmelden | Wire</title>", "the page asks to sign in first")]
#[case("<title>Subscribe to read | Wire</title>", PAID)]
fn a_title_says_what_a_short_text_is(#[case] tags: &str, #[case] why: &str) {
    let text =
        "There is nothing to see here, so go on to the next thing, please, and come back later.";
    assert_eq!(verdict(tags, text), refused(why));
    let long = "Here are the latest stories of the day from our newsroom. ".repeat(40);
    assert_eq!(verdict(tags, &long), refused(why), "at any length");
    let with_headline = format!("{TITLE}{tags}");
    assert_eq!(verdict(&with_headline, ARTICLE), whole(ARTICLE), "the headline is more");
}

#[rstest]
#[case::note(&[ARTICLE, "Subscribe to continue reading."], &[ARTICLE])]
#[case::offers_after_it(&[ARTICLE, "Nur für Abonnenten", "Jetzt testen für 1 Euro."], &[ARTICLE])]
#[case::within_a_paragraph(
    &[ARTICLE, "The ministry promised a report. Already a subscriber? Log in."],
    &[ARTICLE, "The ministry promised a report."]
)]
#[case::label_before(&["Réservé aux abonnés", ARTICLE], &[ARTICLE])]
#[case::il_vous_reste(&[ARTICLE, "Il vous reste 75% de cet article à lire."], &[ARTICLE])]
fn the_free_part_of_a_paid_page_is_kept(#[case] text: &[&str], #[case] kept: &[&str]) {
    assert_eq!(verdict(TITLE, &text.join("\n\n")), free_part(&kept.join("\n\n")));
}

#[rstest]
#[case("Subscribe to continue reading. Already a subscriber? Sign in.")]
#[case(
    "Harbour crossing stays open during inspection\n\nSubscribe to continue reading this article."
)]
#[case(
    "Subscribe to read.\n\nDigital access for one dollar a week, cancel at any time, on all of your devices."
)]
fn a_wall_without_a_text_is_refused(#[case] text: &str) {
    let tags = "<title>Harbour crossing stays open during inspection</title>";
    assert_eq!(verdict(tags, text), refused(PAID));
}

#[test]
fn metadata_of_a_paid_article_count_at_any_length() {
    let sold = format!("{TITLE}<meta itemprop=isAccessibleForFree content=false>");
    let long = format!("{ARTICLE} ").repeat(20);
    assert_eq!(verdict(&sold, &long), free_part(&long));
    assert_eq!(verdict(&sold, ARTICLE), free_part(ARTICLE));
    assert_eq!(verdict(&sold, "A start."), refused(PAID));
}

#[test]
fn the_note_of_a_paywall_stands_at_the_end_of_a_long_text() {
    let long = [ARTICLE; 12].join("\n\n");
    let note = "To keep reading, subscribe for one dollar.";
    assert_eq!(verdict("", &format!("{long}\n\n{note}")), free_part(&long));
    let quoted = format!("{note}\n\n{long}");
    assert_eq!(verdict("", &quoted), whole(&quoted));
}

#[rstest]
#[case("<input type=password>", "the page asks to sign in first")]
#[case("<div id=px-captcha></div>", "the page checks whether a robot reads it")]
#[case(
    "<iframe src='https://cmp.example/sp_message?x'></iframe>",
    "the page asks for consent first"
)]
#[case("<meta name=robots content=noindex>", "the page is an error page")]
#[case("<script>location.replace('/b')</script>", "the page sends browsers on with a script")]
fn little_text_beside_the_marks_of_another_page_is_refused(#[case] tags: &str, #[case] why: &str) {
    let text = "Ein Satz in einer Sprache, die niemand erwartet hat, und noch einer dazu.";
    assert_eq!(verdict(tags, text), refused(why));
    let told = "The harbour crossing stays open during the inspection.";
    assert_eq!(verdict(tags, told), part(told, "the page has only 8 words"));
    assert!(verdict(&format!("{TITLE}{tags}"), text).starts_with("a part"));
}

#[test]
fn a_flash_is_a_part_and_a_word_is_nothing() {
    let flash = "The port stays open, the office of the harbour said today.";
    assert_eq!(verdict("", flash), part(flash, "the page has only 11 words"));
    assert_eq!(
        verdict("", "Loading, please wait."),
        refused("the page holds too little text (words: 3)")
    );
}

#[test]
fn a_short_text_of_something_else_is_refused() {
    let parked = "Interested? Ask for a price today, pay in twelve rates, and move in at once. \
        Our team answers within a day, in four languages, seven days a week, and helps with all papers.";
    let long_teaser = FeedTexts::new(
        "Harbour crossing stays open during inspection",
        "Crews inspect the northern quay while lorries are counted at both gates.",
    );
    let facts = facts("<title>Parked</title>", &"https://wire.example/a".parse().unwrap(), None);
    let evidence = PageEvidence { landing: Landing::Article, facts: &facts, feed: &long_teaser };
    let why = judge(parked.to_owned(), evidence).unwrap_err().to_string();
    assert_eq!(why, "the page says nothing of the story");
    let evidence = PageEvidence { feed: &FeedTexts::default(), ..evidence };
    assert!(judge(parked.to_owned(), evidence).is_ok(), "nothing is known of the story");
}
