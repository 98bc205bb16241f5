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

fn url(path: &str) -> Url {
    format!("https://example.org{path}").parse().unwrap()
}

fn read_page(html: &str) -> Result<String, NoArticle> {
    super::read_page(html.as_bytes(), Some("text/html; charset=utf-8"), &url("/a")).text
}

/// Reads `html`, which answered at `from` for the link `/a/story` of a story.
fn read_of_story(html: &str, from: &str, headline: &str, teaser: &str) -> PageContent {
    let page = FetchedPage {
        asked: &url("/a/story"),
        url: &url(from),
        bytes: html.as_bytes(),
        content_type: None,
        refresh: None,
    };
    read_answer(page, &FeedTexts::new(headline, teaser))
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
    "<p>x<meta http-equiv=refresh content='0;url=/b'>",
    "the page only sends browsers on to another"
)]
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
    let url = url("/a");
    let instead = |html: &str| {
        let next = super::read_page(html.as_bytes(), None, &url).next;
        next.iter().map(|next| next.url().to_string()).next()
    };
    let full = page(6).replace(
        "<title>",
        "<link rel=amphtml href=/a/amp><link rel=canonical href=/shells-leave-the-port><title>",
    );
    assert_eq!(instead(&full), None, "it holds the article");
    let amp = full.replace("<html>", "<html amp>");
    assert_eq!(instead(&amp).as_deref(), Some("https://example.org/shells-leave-the-port"));
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

#[test]
fn the_canonical_page_of_an_amp_page_is_no_front_page() {
    let next = |canonical: &str| {
        let amp = page(6)
            .replace("<html>", "<html amp>")
            .replace("<title>", &format!("<link rel=canonical href='{canonical}'><title>"));
        super::read_page(amp.as_bytes(), None, &url("/a/story/amp")).next
    };
    for other in ["/", "/en/", "/news/", "https://example.org/index.html"] {
        assert_eq!(next(other), [], "{other}");
    }
    let story = "/news/shells-leave-the-port";
    assert_eq!(next(story), [NextRead::OtherVersion(url(story))]);
}

#[test]
fn a_page_names_its_next_page_if_it_is_read_itself() {
    let link = "<link rel=next href='?page=2'><title>";
    let next = |html: &str| super::read_page(html.as_bytes(), None, &url("/a")).next;
    let whole = page(6).replace("<title>", link);
    assert_eq!(next(&whole), [NextRead::NextPage(url("/a?page=2"))]);
    let sold = whole.replace("<h1>", "<meta itemprop=isAccessibleForFree content=false><h1>");
    assert_eq!(next(&sold), [], "the rest is paid");
    assert_eq!(next(&page(6).replace("<title>", "<link rel=next href=/other-story><title>")), []);
}

const CARDS: [&str; 8] = [
    "The crossing stays open while crews inspect the quay, officials said on Tuesday.",
    "Officials counted lorries at both gates and compared the figures with last spring.",
    "A spokeswoman told reporters that nobody had been hurt and that repairs take weeks.",
    "Traders who depend on the route expect delays, higher prices and long queues.",
    "The ministry promised a written report before the end of the month.",
    "A new timetable follows in the spring, together with lower fares for pupils.",
    "The parliament sat all night and passed the budget with a narrow majority.",
    "Rain is expected in the south, and the first snow in the mountains.",
];

/// A section's page. `card` writes one of its stories.
fn section(card: impl Fn(usize, &str) -> String) -> String {
    let cards: String = CARDS.iter().enumerate().map(|(i, text)| card(i, text)).collect();
    format!(
        "<title>News | The Wire</title><nav><ul><li><a href=/>Home</a><li><a href=/w>World</a></ul></nav>\
         <main><h1>News</h1>{cards}</main><footer>All rights reserved.</footer>"
    )
}

#[rstest]
#[case::cards(|i: usize, text: &str| format!(
    "<div class=card><h3><a href=/n{i}>Giraffe headline {i} of the zoo</a></h3><p>{text}</p></div>"
))]
#[case::with_labels(|i: usize, text: &str| format!(
    "<article><a href=/zoo>Zoo</a><h2><a href=/n{i}>Giraffe headline {i} of the zoo</a></h2><p>{text}</p><time>2 hours ago</time></article>"
))]
#[case::whole_links(|i: usize, text: &str| format!(
    "<a href=/n{i}><h3>Giraffe headline {i} of the zoo</h3><p>{text}</p></a>"
))]
#[case::read_more(|i: usize, text: &str| format!(
    "<section><h2>Giraffe headline {i} of the zoo</h2><p>{text}</p><a href=/n{i}>Read on</a></section>"
))]
#[case::lists(|i: usize, _: &str| format!(
    "<ul><li><a href=/n{i}>Giraffe headline {i} of the zoo and what the keepers say of it today</a></li></ul>"
))]
fn a_list_of_stories_is_no_article(#[case] card: fn(usize, &str) -> String) {
    let html = section(card);
    let refusal = |from: &str, headline: &str| {
        read_of_story(&html, from, headline, "Freight over the bridge.")
            .text
            .map_err(|why| why.to_string())
    };
    let no = refusal("/a/story", "Shells leave port").unwrap_err();
    assert!(
        no == "the page is a list of other stories" || no.starts_with("the page holds "),
        "{no}"
    );
    assert!(refusal("/news/", "Shells leave port").is_err());
    assert_eq!(
        refusal("/", "Shells leave port").unwrap_err(),
        "the link leads to a front page now"
    );
}

#[test]
fn a_list_under_the_headline_of_the_feed_is_the_article() {
    let html = section(|i, text| {
        format!(
            "<div><h3><a href=/n{i}>Giraffe headline {i} of the zoo</a></h3><p>{text}</p></div>"
        )
    });
    let digest = html.replace("<h1>News</h1>", "<h1>Eight stories of the morning</h1>");
    let read = read_of_story(&digest, "/a/story", "Eight stories of this morning", "Good morning.");
    assert!(read.text.unwrap().contains("Traders who depend"));
}

#[rstest]
#[case::moved("/2026/11/shells-leave-port")]
#[case::short("/story")]
#[case::looks_like_a_section("/world/")]
fn an_article_is_read_after_a_redirect_whatever_its_headline(#[case] from: &str) {
    for headline in ["Shells leave port", "You will not believe what left the harbour", ""] {
        let read = read_of_story(&page(6), from, headline, "Artillery shells left the port.");
        assert!(read.text.is_ok() && read.part.is_none(), "{headline}");
    }
}

#[test]
fn a_page_that_says_nothing_of_the_story_is_refused() {
    let teaser = "Keepers of the northern aquarium celebrate newborn penguins, visitors queue.";
    let why = |from: &str| {
        read_of_story(&page(6), from, "Penguins hatch", teaser).text.map_err(|why| why.to_string())
    };
    assert_eq!(why("/world/").unwrap_err(), "the link leads to a section now");
    assert_eq!(why("/a/shells-leave-the-port").unwrap_err(), "the link leads to another page now");
    assert_eq!(why("/a/story").unwrap_err(), "the page says nothing of the story");
}
