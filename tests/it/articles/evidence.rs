//! What is read of a page, and what is only a part or no article: refreshes, versions, pages of one
//! article, walls, errors and lists.

use super::read;
use crate::support::http::{Response, Server};
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// A paragraph without the words of the rule.
const PARAGRAPH: &str = "<p>Freight over the bridge at the river’s mouth has doubled since the spring, according to an invented study. \
    Its authors counted closed rail cars on pictures taken from orbit and compared them with the figures of the customs offices.</p>";

/// A paragraph with all words of the rule.
const FIND: &str = "<p>They believe that North Korea is shipping arms, and that Russia pays for them with oil and grain.</p>";

fn page(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html><html><head><meta charset=utf-8><title>{title}</title>{head}</head><body><main>{body}</main></body></html>"
    )
}

fn article(head: &str, body: &str) -> String {
    page("Freight over the bridge", head, &format!("<h1>Freight over the bridge</h1>{body}"))
}

/// Serves the pages and reads a feed of their stories, each under its name.
async fn read_pages(server: &Server, pages: &[(&str, &str, Response)]) -> (Folder, Vec<String>) {
    let mut entries = Vec::new();
    for (name, path, response) in pages {
        server.serve(path, response.clone());
        entries.push(Entry::teaser(&format!("{name} freight over the bridge"), &server.url(path)));
    }
    let (folder, read) = read(server, &entries).await;
    let read = read.iter().map(|line| line.replace(" freight over the bridge", "")).collect();
    (folder, read)
}

/// The numbers of alerts and of fetches.
async fn counts(folder: &Folder) -> Vec<String> {
    folder
        .query("SELECT (SELECT count(*) FROM alert) || ', ' || sum(page_fetches) FROM story")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_that_sends_browsers_on_is_followed_once_within_the_rules_of_a_redirect() {
    let server = Server::start().await;
    server.serve("/robots.txt", Response::html("User-agent: *\nDisallow: /closed\n"));
    server.serve("/real", Response::html(wire::PAGE));
    let refresh = |target: &str| {
        let head = format!("<META HTTP-EQUIV=Refresh content=\"0; URL='{target}'\">");
        Response::html(&page("Moved", &head, "<p>Moved.</p>"))
    };
    server.serve("/again", refresh("/real"));
    let header =
        Response::html(&page("Moved", "", "<p>Moved.</p>")).header("refresh", "1; url=/real");
    let no_script = "<noscript><meta http-equiv=refresh content='0;url=/old'></noscript>";
    let whole =
        wire::PAGE.replace("<head>", "<head><meta http-equiv=refresh content='5; url=/old'>");
    let pages = [
        ("A", "/meta", refresh("/real")),
        ("B", "/header", header),
        ("C", "/twice", refresh("/again")),
        ("D", "/to-closed", refresh("/closed")),
        ("E", "/to-private", refresh("http://10.0.0.1/")),
        ("F", "/to-front", refresh("/")),
        ("G", "/no-script", Response::html(&article(no_script, PARAGRAPH))),
        ("H", "/whole", Response::html(&whole)),
    ];
    server.serve("/", Response::html(wire::PAGE));
    let (folder, read) = read_pages(&server, &pages).await;
    let on = "teaser, the page sends browsers on to one that could not be read:";
    assert_eq!(
        read[..3],
        ["A: full", "B: full", "C: teaser, the page only sends browsers on to another"]
    );
    assert_eq!(read[3], format!("D: {on} its host's robots.txt forbids robots to read it"));
    assert!(
        read[4].starts_with(&format!("E: {on}")) && read[4].contains("10.0.0.1"),
        "{}",
        read[4]
    );
    assert_eq!(read[5..], ["F: teaser, the link leads to a front page now", "G: full", "H: full"]);
    assert_eq!((server.requests("/closed").len(), server.requests("/old").len()), (0, 0));
    assert_eq!(counts(&folder).await, ["3, 14"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amp_page_stands_unless_its_canonical_page_says_the_same() {
    let server = Server::start().await;
    let amp = |canonical: &str| {
        let html =
            article(&format!("<link rel=canonical href='{canonical}'>"), &PARAGRAPH.repeat(2));
        Response::html(&html.replace("<html>", "<html amp>"))
    };
    let zoo = "<p>Giraffes of the zoo were counted on Monday, the keepers said, and all of them are well.</p>";
    server.serve("/", Response::html(&article("", &zoo.repeat(9))));
    server
        .serve("/same-story-in-full", Response::html(&article("", &(PARAGRAPH.to_owned() + FIND))));
    server
        .serve("/another-story-altogether", Response::html(&article("", &(zoo.repeat(5) + FIND))));
    let pages = [
        ("A", "/amp/a", amp("/")),
        ("B", "/amp/b", amp("/same-story-in-full")),
        ("C", "/amp/c", amp("/another-story-altogether")),
    ];
    let (folder, read) = read_pages(&server, &pages).await;
    assert_eq!(read, ["A: full", "B: full", "C: full"]);
    assert_eq!(
        folder.query("SELECT substr(title, 1, 1) FROM story WHERE status = 'matched'").await,
        ["B"]
    );
    assert_eq!(counts(&folder).await, ["1, 5"]);
    assert_eq!(server.requests("/").len(), 0, "a front page is not asked for");
}

/// Titles and texts of pages that are no articles, and what is said of them.
const WALLS: [(&str, &str, &str); 6] = [
    (
        "The Wire",
        "Nous et nos partenaires stockons des informations sur votre appareil, comme les cookies. Vous pouvez changer d’avis à tout moment.",
        "the page asks for consent first",
    ),
    (
        "The Wire",
        "Besuchen Sie uns wie gewohnt mit Werbung und Tracking, oder nutzen Sie unsere Seiten ohne beides für 4,99 im Monat.",
        "the page asks for consent first",
    ),
    (
        "The Wire",
        "Používáme soubory cookie, abychom mohli měřit návštěvnost a zobrazovat reklamu, která vás zajímá.",
        "the page asks for consent first",
    ),
    (
        "The Wire",
        "Strony, której szukasz, nie ma. Mogła zostać przeniesiona albo usunięta; skorzystaj z wyszukiwarki.",
        "the page is an error page",
    ),
    (
        "Страница не найдена",
        "Попробуйте найти её через поиск или посмотрите последние новости.",
        "the page is an error page",
    ),
    (
        "The Wire",
        "Enter the address and the word that you chose. Forgot your password? We send you a link.",
        "the page asks to sign in first",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn walls_and_missing_pages_are_known_in_many_languages() {
    let server = Server::start().await;
    let names = ["A", "B", "C", "D", "E", "F"];
    let paths = ["/a", "/b", "/c", "/d", "/e", "/f"];
    let mut pages = Vec::new();
    for ((name, path), (title, text, _)) in names.iter().zip(paths).zip(WALLS) {
        pages.push((*name, path, Response::html(&page(title, "", &format!("<p>{text}</p>")))));
    }
    let (folder, read) = read_pages(&server, &pages).await;
    let expected =
        names.iter().zip(WALLS).map(|(name, wall)| format!("{name}: teaser, {}", wall.2));
    assert_eq!(read, expected.collect::<Vec<_>>());
    assert_eq!(folder.query("SELECT count(*) FROM story WHERE body LIKE '%cookie%'").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_free_part_of_a_paid_page_is_matched_and_said_to_be_a_part() {
    let server = Server::start().await;
    let sold = "<script type='application/ld+json'>{\"@type\": \"NewsArticle\", \"isAccessibleForFree\": \"False\"}</script>";
    let pages = [
        (
            "A",
            "/note",
            Response::html(&article(
                "",
                &format!("{FIND}{PARAGRAPH}<p>Subscribe to continue reading.</p><p>Offers.</p>"),
            )),
        ),
        ("B", "/sold", Response::html(&article(sold, &(PARAGRAPH.repeat(8) + FIND)))),
        (
            "C",
            "/wall",
            Response::html(&article(
                "",
                "<p>Subscribe to continue reading. Already a subscriber? Log in.</p>",
            )),
        ),
    ];
    let (folder, read) = read_pages(&server, &pages).await;
    let part = "partial, the page is behind a paywall";
    let expected = [
        format!("A: {part}"),
        format!("B: {part}"),
        "C: teaser, the page is behind a paywall".to_owned(),
    ];
    assert_eq!(read, expected);
    let alerts = folder.command(&["alerts", "--format", "json"]).await.output;
    let partial = "\"read\":{\"what\":\"partial\",\"why\":\"the page is behind a paywall\"}";
    assert_eq!(alerts.matches(partial).count(), 2, "{alerts}");
    assert_eq!(folder.query("SELECT count(*) FROM story WHERE body LIKE '%Offers%'").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_is_no_article_whether_a_redirect_leads_there_or_not() {
    let server = Server::start().await;
    let card = |i: usize| {
        let text = FIND.replace("oil", &format!("{i} tons of oil"));
        format!("<div><h3><a href=/n{i}>Headline {i} of another story</a></h3>{text}</div>")
    };
    let section =
        page("News", "", &format!("<h1>News</h1>{}", (0..8).map(card).collect::<String>()));
    server.serve("/news/", Response::html(&section));
    server.serve("/login", Response::html(&article("", &(PARAGRAPH.to_owned() + FIND))));
    server.serve("/404.html", Response::html(&article("", &(PARAGRAPH.to_owned() + FIND))));
    server.serve("/2026/11/freight-doubles", Response::html(wire::PAGE));
    let to = |target: &str| Response::status(302).header("location", target);
    let pages = [
        ("A", "/news/freight-doubles", to("/news/")),
        ("B", "/news/now", Response::html(&section)),
        ("C", "/news/c", to("/login?return=/news/c")),
        ("D", "/news/d", to("/404.html")),
        ("E", "/p7", to("/2026/11/freight-doubles")),
    ];
    let (folder, read) = read_pages(&server, &pages).await;
    let expected = [
        "A: teaser, the link leads to a section now",
        "B: teaser, the page is a list of other stories",
        "C: teaser, the page asks to sign in first",
        "D: teaser, the link leads to an error page now",
        "E: full",
    ];
    assert_eq!(read, expected);
    assert_eq!(counts(&folder).await, ["1, 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_an_article_are_joined_and_more_than_three_are_a_part() {
    let server = Server::start().await;
    let next = |path: &str| format!("<link rel=next href='{path}'>");
    let leading_on = |path: &str, text: &str| Response::html(&article(&next(path), text));
    server.serve("/two/2", Response::html(&article("", FIND)));
    server.serve("/four/2", leading_on("/four/3", &PARAGRAPH.replace("Freight", "Traffic")));
    server.serve("/four/3", leading_on("/four/4", FIND));
    server.serve("/other-story", Response::html(&article("", FIND)));
    let pages = [
        ("A", "/two", leading_on("/two/2", PARAGRAPH)),
        ("B", "/four", leading_on("/four/2", PARAGRAPH)),
        ("C", "/broken", leading_on("/broken/2", PARAGRAPH)),
        ("D", "/one", leading_on("/other-story", PARAGRAPH)),
    ];
    let (folder, read) = read_pages(&server, &pages).await;
    let expected = [
        "A: full",
        "B: partial, pages 1 to 3 of several were read",
        "C: partial, page 1 of several was read",
        "D: full",
    ];
    assert_eq!(read, expected);
    assert_eq!((server.requests("/four/4").len(), server.requests("/other-story").len()), (0, 0));
    assert_eq!(counts(&folder).await, ["2, 8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flash_is_matched_together_with_its_teaser() {
    let server = Server::start().await;
    let flash = "<article><p>North Korea ships arms over the bridge, an invented study says. More in a few minutes.</p></article>";
    let pages = [("A", "/flash", Response::html(&article("", flash)))];
    let (folder, read) = read_pages(&server, &pages).await;
    assert_eq!(read, ["A: partial, the page has only 16 words"]);
    // Only the teaser has the word Russia.
    assert_eq!(counts(&folder).await, ["1, 1"]);
    let body = folder.query("SELECT body FROM story").await.remove(0);
    assert!(
        body.starts_with("Freight at a border of Russia") && body.contains("ships arms"),
        "{body}"
    );
}
