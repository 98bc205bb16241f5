//! What the store holds of a feed is what was written: its language, its headlines, its texts.

use crate::hosts::{config, once};
use crate::support::http::{Response, Server};
use crate::support::setup::RULE;
use crate::support::tidings::Folder;
use crate::support::wire;

const OWN: &str = "network: {allow: [127.0.0.0/8]}\n";

const GERMAN: &str =
    "Die Ministerin sagte am Dienstag, die Gespräche über den Hafen gingen weiter.";
const KOREAN: &str = "북한과 러시아가 무기 공급에 합의했다고 소식통이 전했다.";

/// The folder after one poll of a feed with this head and these items.
async fn polled(server: &Server, head: &str, items: &[String]) -> Folder {
    let document = format!(
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Wire</title>{head}{}</channel></rss>",
        items.concat()
    );
    server.serve("/feed.xml", Response::feed(&document));
    let folder = Folder::new(&config(&[&server.url("/feed.xml")], OWN), &[("arms.yaml", RULE)]);
    once(&folder, &[]).await;
    folder
}

fn item(title: &str, more: &str, text: &str) -> String {
    format!(
        "<item><title>{title}</title>{more}<description><![CDATA[{text}]]></description></item>"
    )
}

const LANGUAGES: &str =
    "SELECT title || ': ' || coalesce(lang, 'unknown') FROM story ORDER BY title";

#[tokio::test(flavor = "multi_thread")]
async fn a_language_that_is_not_said_is_that_of_the_page_or_of_the_words() {
    let server = Server::start().await;
    server
        .serve("/page", Response::html(&wire::PAGE.replace("<html lang=en>", "<html lang=en-IE>")));
    let link = format!("<link>{}</link>", server.url("/page"));
    let items = [item("A", "", GERMAN), item("B", "", "Kim"), item("C", &link, "Short teaser.")];
    let folder = polled(&server, "<language> </language>", &items).await;
    assert_eq!(folder.query(LANGUAGES).await, ["A: de", "B: unknown", "C: en-IE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_that_is_said_holds_unless_the_script_contradicts() {
    let server = Server::start().await;
    let own = "<dc:language>fr</dc:language>";
    let items = [item("A", "", GERMAN), item("B", "", KOREAN), item("C", own, GERMAN)];
    let folder = polled(&server, "<language>en</language>", &items).await;
    assert_eq!(folder.query(LANGUAGES).await, ["A: en", "B: ko", "C: fr"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_the_publisher_are_no_part_of_a_story() {
    let server = Server::start().await;
    let source = "<source url='https://gazette.example'>The Gazette</source>";
    let cluster = "<a href='/1'>Ships collide</a>&nbsp;<font color='#6f6f6f'>The Gazette</font>";
    let footer = "<p>Bread.</p><p>The post <a href='/2'>Bakers bake</a> appeared first on <a href='/'>Union</a>.</p>";
    let items = [
        item("Ships collide - The Gazette", source, cluster),
        item("Bakers bake", "", footer),
        item("Microsoft &lt;MSFT.O&gt; and AT&amp;amp;T - Wire", "", "x"),
    ];
    let folder = polled(&server, "", &items).await;
    let texts = "SELECT title || ': ' || feed_text FROM story ORDER BY title";
    let expected = ["Bakers bake: Bread.", "Microsoft <MSFT.O> and AT&T: x", "Ships collide: "];
    assert_eq!(folder.query(texts).await, expected);
    let sources = "SELECT source FROM story WHERE source IS NOT NULL";
    assert_eq!(folder.query(sources).await, ["The Gazette"]);
}
