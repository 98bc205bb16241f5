//! Tests of reading article pages.

use rstest::rstest;

use super::*;

const SENTENCE: &str = "The ministry said on Tuesday that the shipment of artillery shells had left the port, though nobody could confirm it.";

fn page(paragraphs: usize) -> String {
    let text = format!(
        "<p>{SENTENCE} <b>It</b> gave no <a href='/more'>more details</a> of the matter.</p>"
    )
    .repeat(paragraphs);
    format!(
        "<!doctype html><html><head><title>Shells leave port</title><style>p{{}}</style></head><body><nav><ul><li><a href=/>Home</a><li><a \
         href=/world>World</a></ul></nav><article><h1>Shells leave port</h1>{text}</article><footer>All rights reserved.</footer><script>if(a<b){{}}</script></body></html>"
    )
}

fn read_page(html: &str) -> Result<String, NoArticle> {
    super::read_page(
        html.as_bytes(),
        Some("text/html; charset=utf-8"),
        &"https://example.org/a".parse().unwrap(),
    )
    .text
}

#[test]
fn an_article_is_separated_from_what_surrounds_it() {
    let text = read_page(&page(6)).unwrap();
    let paragraphs: Vec<_> =
        text.split("\n\n").filter(|paragraph| paragraph.starts_with(SENTENCE)).collect();
    assert_eq!(paragraphs, vec![format!("{SENTENCE} It gave no more details of the matter."); 6]);
    for other in ["Home", "World", "if(a", "All rights"] {
        assert!(!text.contains(other), "{text}");
    }
}

#[rstest]
#[case("<html><body><p>Short.</p></body></html>", "the page holds too little text (words: 1)")]
#[case(
    "<title>Just a moment...</title><p>Checking your browser before you go on.</p>",
    "the page checks whether a robot reads it"
)]
#[case("", "the page holds no article that can be distinguished from the rest of it")]
fn a_page_without_an_article_says_why(#[case] html: &str, #[case] why: &str) {
    assert_eq!(read_page(html).unwrap_err().to_string(), why);
}

#[rstest]
#[case(
    Some("image/png"),
    "the link does not lead to a web page, but to a document of type image/png"
)]
#[case(
    Some("Application/JSON; x=y"),
    "the link does not lead to a web page, but to a document of type application/json"
)]
fn what_is_no_page_says_so(#[case] kind: Option<&str>, #[case] why: &str) {
    let url = "https://example.org/a".parse().unwrap();
    assert_eq!(super::read_page(page(6).as_bytes(), kind, &url).text.unwrap_err().to_string(), why);
    assert!(
        super::read_page(b"%PDF-1.7 ...", None, &url)
            .text
            .unwrap_err()
            .to_string()
            .ends_with("a PDF")
    );
}

#[rstest]
#[case("<div>")]
#[case("<svg><g>")]
#[case("<table><tr><td>")]
fn deep_pages_are_refused_in_no_time(#[case] element: &str) {
    let deep = page(6).replace("<article>", &format!("<article>{}", element.repeat(50_000)));
    assert!(read_page(&deep).is_err());
}

#[test]
fn broad_pages_take_bounded_time() {
    for element in ["<p>x", "<br>", "<p><b id=1>x", "<div>x</div>", "<a href=x>y</a>", "<li>"] {
        let broad = page(6).replace("<article>", &format!("<article>{}", element.repeat(30_000)));
        let _ = read_page(&broad);
    }
}

fn item(text: &str, is_content: bool) -> Item {
    Item { text: text.to_owned(), is_content, ..Item::default() }
}

#[rstest]
#[case("", "", true)]
#[case("", "full", false)]
#[case("…", "", true)]
#[case(" [...]", "", true)]
#[case(" […]", "", true)]
#[case(" Read more »", "", true)]
#[case("\n\nContinue reading →", "", true)]
#[case("… \n\nThe post Shells appeared first on The Wire.", "", true)]
#[case(" It said no more.", "full", false)]
fn a_teaser_trails_off_or_is_short(#[case] end: &str, #[case] length: &str, #[case] teaser: bool) {
    let text = if length.is_empty() && end.is_empty() {
        SENTENCE.to_owned()
    } else {
        format!("{}{end}", SENTENCE.repeat(10))
    };
    assert_eq!(is_teaser(&item(&text, true)), teaser);
    assert!(is_teaser(&item(&text, false)));
}

#[test]
fn a_text_of_150_words_is_long_enough() {
    for (words, teaser) in [(149, true), (150, false)] {
        let text = format!("{}.", vec!["word"; words].join(" "));
        assert_eq!(is_teaser(&item(&text, true)), teaser, "{words}");
    }
}

#[test]
fn words_are_counted_in_every_script() {
    assert!(!is_teaser(&item(&"朝鮮半島".repeat(40), true)));
}

#[rstest]
#[case("", "Page.", "Page.")]
#[case(
    "Shells left the PORT…",
    "Big news: shells left\nthe port. More.",
    "Big news: shells left\nthe port. More."
)]
#[case("Shells left", "Shells leftover.", "Shells left\n\nShells leftover.")]
#[case("Analysis: what it means", "Shells left.", "Analysis: what it means\n\nShells left.")]
#[case("…", "Page.", "Page.")]
#[case("Shells left the po…", "Shells left the port.", "Shells left the port.")]
#[case("Shells left the po[...]", "Shells left the port.", "Shells left the port.")]
#[case("Shells left […]", "Shells left the port.", "Shells left the port.")]
#[case(
    "Grain left the po…",
    "Shells left the port.",
    "Grain left the po…\n\nShells left the port."
)]
fn the_teaser_stays_unless_the_page_says_it(
    #[case] teaser: &str,
    #[case] page: &str,
    #[case] text: &str,
) {
    assert_eq!(with_teaser(teaser, page), text);
}

#[test]
fn another_version_is_named_for_an_amp_page_and_for_an_empty_one() {
    let url = "https://example.org/a".parse().unwrap();
    let instead =
        |html: &str| super::read_page(html.as_bytes(), None, &url).instead.map(String::from);
    let full = page(6)
        .replace("<title>", "<link rel=amphtml href=/a/amp><link rel=canonical href=/b><title>");
    assert_eq!(instead(&full), None, "it holds the article");
    let amp = full.replace("<html>", "<html amp>");
    assert_eq!(instead(&amp).as_deref(), Some("https://example.org/b"));
    assert!(super::read_page(amp.as_bytes(), None, &url).text.is_ok());
    let empty = "<html><head><link rel=amphtml href=/a/amp><title>A</title></head><body><div id=root></div></body></html>";
    assert_eq!(instead(empty).as_deref(), Some("https://example.org/a/amp"));
    let sold = empty.replace("<div id=root></div>", "<p>Subscribe to continue reading.</p>");
    assert_eq!(instead(&sold), None, "a paywall is not circumvented");
}

#[test]
fn the_lead_of_the_feed_and_the_body_of_the_page_stay_apart() {
    let text = with_teaser("Shells for oil", "Exports of grain fell. More follows.");
    assert_eq!(
        text.split("\n\n").collect::<Vec<_>>(),
        ["Shells for oil", "Exports of grain fell. More follows."]
    );
}
