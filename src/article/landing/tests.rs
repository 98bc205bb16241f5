//! Tests of where links lead.

use rstest::rstest;

use super::*;
use Landing::{Article, Consent, ErrorPage, FrontPage, Moved, Section, SignIn};

fn landed(asked: &str, came_from: &str) -> Landing {
    landing(&asked.parse().unwrap(), &came_from.parse().unwrap())
}

#[rstest]
#[case::https("http://wire.example/news/harbour", "https://wire.example/news/harbour")]
#[case::www("https://wire.example/a", "https://www.wire.example/a")]
#[case::mobile("https://m.wire.example/sport/final", "https://www.wire.example/sport/final/")]
#[case::slash("https://wire.example/sport/final", "https://wire.example/sport/final/")]
#[case::counters("https://wire.example/a", "https://wire.example/a?utm_source=rss&ref=feed")]
#[case::slug(
    "https://wire.example/2026/11/29/harbour-closes/",
    "https://wire.example/2026/11/29/harbour-closes-after-storm/"
)]
#[case::slug_with_id(
    "https://wire.example/news/harbour-closes-4711234",
    "https://wire.example/news/harbour-opens-again-4711234"
)]
#[case::pretty("https://wire.example/?p=4711", "https://wire.example/harbour-closes-after-storm/")]
#[case::pretty_by_number("https://wire.example/a.php?id=1", "https://wire.example/a/12345")]
#[case::with_a_query("https://wire.example/story", "https://wire.example/article?id=7")]
fn an_article_that_moved_is_read_where_it_is_now(#[case] asked: &str, #[case] came_from: &str) {
    let landing = landed(asked, came_from);
    assert!(matches!(landing, Article | Moved), "{landing:?}");
}

#[rstest]
#[case::shortener("https://sho.rt/x7Fq2", "https://wire.example/news/harbour-closes-after-storm")]
#[case::counter(
    "https://click.wire.example/r/AbC123",
    "https://wire.example/politik/hafen-schliesst-nach-sturm-a-1234567.html"
)]
#[case::feedproxy(
    "https://feeds.example/~r/wire/~3/AbC/harbour.html",
    "https://wire.example/2026/11/harbour.html?utm_source=feeds"
)]
#[case::page_file("https://sho.rt/1", "https://wire.example/news/harbour_closes.htm")]
#[case::uuid(
    "https://wire.example/x",
    "https://wire.example/news/4f1c2a9e-0b7d-4c55-9a57-2f7f5a1f6c01"
)]
#[case::id_of_letters("https://wire.example/x", "https://wire.example/articles/c4gq9k7zl1eo")]
#[case::korean(
    "https://sho.rt/1",
    "https://wire.example/news/%ED%95%AD%EA%B5%AC-%ED%8F%AD%ED%92%8D-%EC%9D%B4%ED%9B%84-%EB%8B%AB%ED%98%80"
)]
#[case::login_in_a_headline(
    "https://sho.rt/1",
    "https://wire.example/tech/new-login-rules-for-banks"
)]
#[case::error_in_a_headline("https://sho.rt/1", "https://wire.example/404-migrants-rescued")]
#[case::paid_section(
    "https://sho.rt/1",
    "https://wire.example/subscribe/harbour-closes-after-storm-4711234"
)]
#[case::cookies_of_the_section(
    "https://sho.rt/1",
    "https://food.example/cookies/oat-and-raisin-recipe"
)]
#[case::signed_in_hosts("https://accounts.wire.example/a", "https://accounts.wire.example/b-c-d")]
#[case::front_asked_for("https://wire.example/", "https://www.wire.example/en/")]
#[case::amp("https://amp.wire.example/news/a-b-c/amp", "https://www.wire.example/news/a-b-c")]
#[case::own_query("https://wire.example/a/story", "https://wire.example/a/story?cookies=1")]
fn an_article_behind_another_address_is_read(#[case] asked: &str, #[case] came_from: &str) {
    let landing = landed(asked, came_from);
    assert!(matches!(landing, Article | Moved), "{landing:?}");
}

#[rstest]
#[case("https://wire.example/a/b-c-d", "https://www.wire.example/a/b-c-d/?x=1", Article)]
#[case("https://sho.rt/x", "https://wire.example/a/b-c-d", Article)]
#[case("https://wire.example/a/b-c-d", "https://m.wire.example/a/e-f-g", Moved)]
fn a_move_is_to_another_path_of_the_host(
    #[case] asked: &str,
    #[case] came_from: &str,
    #[case] landing: Landing,
) {
    assert_eq!(landed(asked, came_from), landing);
}

#[rstest]
#[case("https://wire.example/news/harbour", "https://wire.example/")]
#[case("https://wire.example/news/harbour", "https://wire.example/?utm_source=rss")]
#[case("https://wire.example/?p=7", "https://wire.example/")]
#[case("https://wire.example/news/harbour", "https://www.wire.example/index.html")]
#[case("https://wire.example/news/harbour", "https://wire.example/en")]
#[case("https://wire.example/news/harbour", "https://wire.example/en-gb/")]
#[case("https://wire.example/news/harbour", "https://wire.example/de/startseite")]
#[case("https://sho.rt/x", "https://wire.example/home")]
fn a_front_page_is_none(#[case] asked: &str, #[case] came_from: &str) {
    assert_eq!(landed(asked, came_from), FrontPage);
}

#[rstest]
#[case("https://wire.example/news/harbour", "https://consent.wire.example/m?continue=1", Consent)]
#[case("https://wire.example/news/harbour", "https://guce.other.example/x", Consent)]
#[case("https://wire.example/news/harbour", "https://wire.example/cookie-wall?url=x", Consent)]
#[case("https://wire.example/news/harbour", "https://wire.example/privacy-gate/", Consent)]
#[case("https://wire.example/news/harbour", "https://wire.example/login", SignIn)]
#[case("https://wire.example/news/harbour", "https://wire.example/de/anmelden.html", SignIn)]
#[case("https://wire.example/news/harbour", "https://login.wire.example/", SignIn)]
#[case("https://wire.example/news/harbour", "https://wire.example/user/sign_in?x=1", SignIn)]
#[case(
    "https://wire.example/news/harbour",
    "https://wire.example/hello?back=%2Fnews%2Fharbour",
    SignIn
)]
#[case(
    "https://wire.example/news/harbour",
    "https://gate.example/?to=https%3A%2F%2Fwire.example%2Fnews%2Fharbour",
    SignIn
)]
#[case("https://wire.example/news/harbour", "https://wire.example/404.html", ErrorPage)]
#[case("https://wire.example/news/harbour", "https://wire.example/errors/404", ErrorPage)]
#[case("https://wire.example/news/harbour", "https://wire.example/page-not-found/", ErrorPage)]
#[case("https://wire.example/news/harbour", "https://wire.example/de/fehler", ErrorPage)]
#[case("https://wire.example/news/harbour", "https://wire.example/news/", Section)]
#[case("https://wire.example/a/story", "https://wire.example/world-news", Section)]
#[case("https://wire.example/2026/11/harbour-is-closed", "https://wire.example/2026/11/", Section)]
#[case("https://sho.rt/x", "https://wire.example/sport/football/", Section)]
#[case("https://wire.example/news/harbour", "https://wire.example/search?q=harbour", Section)]
#[case("https://wire.example/news/harbour", "https://wire.example/maintenance.html", ErrorPage)]
#[case("https://wire.example/news?id=4711", "https://wire.example/news", Section)]
fn other_pages_are_known_by_their_address(
    #[case] asked: &str,
    #[case] came_from: &str,
    #[case] landing: Landing,
) {
    assert_eq!(landed(asked, came_from), landing);
}
