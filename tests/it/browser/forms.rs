//! What a visitor does on the pages: filter, search, mute, poll, and move with the keyboard.

use super::desk::{OpenDesk, arms_story, feed};
use crate::support::wire::Entry;

const FERRY: &str = "Freight on the ferry doubled, and the ferry doubled its freight.";

/// A desk with two matches of arms and one of freight.
async fn desk_of_two_rules() -> Option<OpenDesk> {
    let desk = OpenDesk::start([1, 2]).await?;
    let url = |n: u32| desk.setup.server.url(&format!("/story/{n}"));
    let stories = [
        arms_story("Russia and North Korea trade arms, part 1", &url(1), 1),
        arms_story("Russia and North Korea trade arms, part 2", &url(2), 2),
        Entry::full("A ferry is late, part 3", &url(3), FERRY),
    ];
    desk.setup.server.serve("/feed.xml", feed(&stories));
    desk.wait_for_alerts("3").await;
    Some(desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_and_words_search() {
    let Some(mut desk) = desk_of_two_rules().await else { return };
    desk.open("/alerts").await;
    assert_eq!(desk.parts().await.len(), 3);
    // The feed lists the newest first.
    for (field, text, parts) in [
        ("rule", "freight", vec![3]),
        ("tag", "weapons", vec![1, 2]),
        ("feed", "wire-1", vec![3, 1, 2]),
        ("words", "ferry late", vec![3]),
        ("words", "ferry arms", vec![]),
    ] {
        desk.open("/alerts").await;
        desk.browser.write(&format!("[name={field}]"), text).await;
        desk.browser.press("Enter").await;
        desk.browser.wait_for(&format!("location.search.includes('{field}=')")).await;
        desk.browser.wait_for("document.readyState === 'complete'").await;
        assert_eq!(desk.parts().await, parts, "{field}: {text}");
    }
    desk.open("/?severity=high").await;
    desk.wait_for_stream().await;
    desk.publish([1, 2, 4]);
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 3").await;
    assert_eq!(desk.parts().await, [4, 1, 2]);
    desk.end_without_faults().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_muted_from_its_alert_and_heard_again() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.open("/alerts").await;
    desk.browser.click(".alert h2 a").await;
    desk.browser.wait_for("document.querySelector('h1')?.textContent.includes('part 1')").await;
    desk.browser.click("form[action='/silences'] button").await;
    desk.wait_for_page("/silences?kind=rule&name=arms&until=8h").await;
    desk.browser.write("[name=why]", "Known <b>since</b> May").await;
    desk.browser.press("Enter").await;
    desk.wait_for_page("/silences").await;
    let row = "document.querySelector('tbody tr')?.innerText ?? ''";
    let shown = desk.browser.evaluate(row).await;
    let shown = shown.as_str().expect("a text");
    assert!(shown.contains("rule arms") && shown.contains("Known <b>since</b> May"), "{shown}");
    let muted = "SELECT count(*) FROM silence WHERE until > unixepoch('subsec') * 1000";
    assert_eq!(desk.setup.folder.query(muted).await, ["1"]);

    desk.browser.click("form[action$='/end'] button").await;
    desk.browser.wait_for("document.body.innerText.includes('Nothing is muted.')").await;
    assert_eq!(desk.setup.folder.query(muted).await, ["0"]);
    desk.browser.click("a[href='/silences?all=1']").await;
    desk.wait_for_page("/silences?all=1").await;
    assert_eq!(desk.browser.evaluate("document.querySelectorAll('tbody tr').length").await, 1);
    desk.end_without_faults().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_is_tried_and_its_words_are_marked() {
    let Some(mut desk) = desk_of_two_rules().await else { return };
    desk.open("/try").await;
    desk.browser.write("textarea", "ferry AND freight").await;
    desk.browser.click("main form button").await;
    desk.browser.wait_for("document.querySelector('[role=status]') !== null").await;
    let said = desk.browser.evaluate("document.querySelector('[role=status]').innerText").await;
    assert_eq!(said, "1 of 3 stories match.");
    let marked = "[...document.querySelectorAll('.alert mark')].map((mark) => mark.textContent)";
    let marked = desk.browser.evaluate(marked).await.to_string();
    assert!(marked.contains("ferry") && marked.contains("Freight"), "{marked}");

    desk.browser.write("textarea", "ferry AND (").await;
    desk.browser.click("main form button").await;
    desk.browser.wait_for("document.querySelector('textarea[aria-invalid]') !== null").await;
    assert_eq!(
        desk.browser.evaluate("document.querySelector('textarea').value").await,
        "ferry AND ("
    );
    desk.end_without_faults().await;
}

/// The feed is polled once an hour, so only the button polls it.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_polled_at_once() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    let config = desk.setup.folder.read("config.yaml");
    desk.setup.folder.write("config.yaml", &config.replace("every: 1s", "every: 1h"));
    desk.tidings.wait_for_log(|line| line.contains("in force: ")).await;
    let polls = desk.setup.server.requests("/feed.xml").len();
    desk.open("/feeds").await;
    desk.browser.click("tbody th a").await;
    desk.wait_for_page("/feeds/wire-1").await;
    desk.browser.click("form[action$='/poll'] button").await;
    desk.setup.server.wait_for("/feed.xml", polls + 1).await;
    desk.wait_for_page("/feeds/wire-1").await;
    desk.end_without_faults().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_move_search_and_help() {
    let Some(mut desk) = OpenDesk::start([1, 2, 3]).await else { return };
    desk.open_live().await;
    let parts = desk.parts().await;
    let focused = "Number(document.activeElement.textContent.match(/part (\\d+)/)?.[1] ?? 0)";
    for (key, place) in [("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1), ("k", 0), ("k", 0)] {
        desk.browser.press(key).await;
        assert_eq!(desk.browser.evaluate(focused).await, parts[place], "{key}");
    }
    let name = "document.activeElement.name ?? document.activeElement.tagName";
    desk.browser.press("/").await;
    assert_eq!(desk.browser.evaluate(name).await, "words");
    desk.browser.press("j").await;
    assert_eq!(desk.browser.evaluate("document.activeElement.value").await, "j", "it is written");
    desk.browser.evaluate("document.activeElement.blur()").await;
    desk.browser.press("?").await;
    let is_open = "document.getElementById('keys').open";
    assert_eq!(desk.browser.evaluate(is_open).await, true);
    desk.browser.press("Escape").await;
    desk.browser.wait_for("!document.getElementById('keys').open").await;

    desk.open("/").await;
    desk.browser.press("Tab").await;
    assert_eq!(desk.browser.evaluate("document.activeElement.className").await, "skip");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(desk.browser.evaluate(outline).await, "solid", "the focus is seen");
    desk.browser.press("Enter").await;
    assert_eq!(desk.browser.evaluate("document.activeElement.id").await, "main");
    desk.end_without_faults().await;
}
