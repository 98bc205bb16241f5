//! Markup and control characters in stories are text on every page.

use super::desk::{OpenDesk, arms_story, feed};

/// Sets `window.ran` and makes an element `evil`, if it is taken for markup.
const MARKUP: &str = "<script>window.ran=1</script><img src=x onerror=window.ran=1 class=evil>";

/// An override of the direction, an isolate that is not closed, and a zero width joiner.
const BIDI: &str = "\u{202e}Russia\u{2066} and North Korea\u{200f} trade arms\u{202e}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_and_bidi_characters_in_a_headline_are_text() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.open_live().await;
    // A headline of a feed is HTML in XML, and Tidings reads it twice.
    let headline = (0..3).fold(MARKUP.to_owned(), |text, _| escaped(&text));
    let stories = [
        arms_story(&format!("{headline} Russia, North Korea, arms"), "javascript:window.ran=1", 2),
        arms_story(BIDI, &desk.setup.server.url("/\"><b class=evil>"), 3),
    ];
    desk.setup.server.serve("/feed.xml", feed(&stories));
    desk.wait_for_alerts("3").await;
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 3").await;
    let links = "[...new Set([...document.querySelectorAll('.alert a')]\
        .map((link) => link.getAttribute('href')).filter((link) => /^\\/(alerts|events)/.test(link)))]";
    let links = desk.browser.evaluate(links).await;
    let links = links.as_array().expect("a list").iter().filter_map(|link| link.as_str());
    let pages: Vec<String> =
        ["/", "/alerts"].into_iter().chain(links).map(ToOwned::to_owned).collect();
    assert_eq!(pages.len(), 8, "{pages:?}");
    let mut seen = String::new();
    for page in pages {
        desk.open(&page).await;
        let faults = "[window.ran !== undefined, document.querySelectorAll('.evil').length, \
            document.querySelectorAll('a[href^=\"javascript:\"]').length, document.scripts.length]";
        let found = desk.browser.evaluate(faults).await;
        assert_eq!(found, serde_json::json!([false, 0, 0, 1]), "{page}");
        let text = desk.browser.evaluate("document.body.textContent").await;
        seen += text.as_str().expect("a text");
    }
    assert!(seen.contains(MARKUP), "it is shown as it is: {seen}");
    let is_control = |c: &char| matches!(*c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let control = seen.chars().find(is_control);
    assert_eq!(control, None, "no character turns the direction of what follows");
    desk.end_without_faults().await;
}
