//! The live page: alerts appear at once, each once, and never as a flood.

use super::desk::OpenDesk;

/// Notes the time from record to row of every row that is added, in milliseconds.
const NOTE_DELAYS: &str = "window.delays = [];
    new MutationObserver((changes) => {
        for (const change of changes) for (const row of change.addedNodes)
            delays.push(Date.now() - Date.parse(row.querySelector('time').dateTime));
    }).observe(document.getElementById('alerts'), { childList: true });";

#[tokio::test(flavor = "multi_thread")]
async fn a_match_appears_without_a_reload() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.open_live().await;
    desk.browser.evaluate(NOTE_DELAYS).await;
    for newest in 2..=4 {
        desk.publish(1..=newest);
        desk.browser
            .wait_for(&format!("document.querySelectorAll('.alert').length === {newest}"))
            .await;
    }
    assert_eq!(desk.parts().await, [4, 3, 2, 1], "the newest is first");
    let delays = desk.browser.evaluate("window.delays").await;
    println!("from record to row: {delays} ms");
    assert_eq!(delays.as_array().map(Vec::len), Some(3), "the page was never loaded again");
    desk.end_without_faults().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_a_count_until_it_is_asked_for() {
    let Some(mut desk) = OpenDesk::start([0]).await else { return };
    desk.open_live().await;
    desk.publish(0..=60);
    let all = "document.querySelectorAll('.alert').length \
               + Number(document.getElementById('show-new').textContent.match(/\\d+/)) === 61";
    desk.browser.wait_for(all).await;
    let shown = desk.parts().await.len();
    assert!(shown <= 21, "{shown} rows came by themselves");
    desk.browser.click("#show-new").await;
    desk.browser.wait_for("document.getElementById('show-new').hidden").await;
    let mut parts = desk.parts().await;
    parts.sort_unstable();
    assert_eq!(parts, (0..=60).collect::<Vec<_>>());
    let is_at_row = "document.activeElement.matches('.alert.new')";
    assert_eq!(desk.browser.evaluate(is_at_row).await, true, "the keyboard is at the new rows");
    desk.end_without_faults().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_alerts_back_until_it_ends() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.open_live().await;
    desk.browser.click("#pause").await;
    desk.browser.wait_for("document.getElementById('pause').textContent === 'Go on'").await;
    desk.publish(1..=3);
    let counted = "document.getElementById('show-new').textContent === 'Show 2 new alerts'";
    desk.browser.wait_for(counted).await;
    assert_eq!(desk.parts().await, [1]);
    desk.browser.click("#pause").await;
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 3").await;
    desk.browser.wait_for("document.getElementById('show-new').hidden").await;
    desk.end_without_faults().await;
}

/// The daemon is killed. It records alerts before the browser finds it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_was_cut_off_has_every_match_once_after_its_return() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.open_live().await;
    desk.publish(1..=2);
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 2").await;
    desk.tidings.kill9().await;
    let said = "document.getElementById('live-state').textContent.includes('is lost')";
    desk.browser.wait_for(said).await;
    desk.publish(1..=9);
    desk.tidings = desk.setup.folder.run(&[]);
    desk.wait_for_alerts("9").await;
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 9").await;
    desk.wait_for_stream().await;
    let mut parts = desk.parts().await;
    parts.sort_unstable();
    assert_eq!(parts, (1..=9).collect::<Vec<_>>());
    desk.publish(1..=10);
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 10").await;
}

/// A proxy whose server is away answers with an error, after which browsers do not try again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_refused_is_opened_again() {
    let Some(mut desk) = OpenDesk::start([1]).await else { return };
    desk.browser.hold_requests("*/api/v1/stream*").await;
    desk.open("/").await;
    desk.browser.refuse_held_request().await;
    let said = "document.getElementById('live-state').textContent.includes('is lost')";
    desk.browser.wait_for(said).await;
    desk.publish(1..=2);
    desk.browser.wait_for("document.querySelectorAll('.alert').length === 2").await;
}

/// The second story meets the condition that holds the first.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_was_held_is_shown_as_told_without_a_reload() {
    let rule = "rules: [{name: arms, when: Russia AND arms, tell: {events: 2, within: 1h}}]";
    for (query, held, told) in [("", 1, 2), ("?held=false", 0, 2), ("?held=true", 1, 0)] {
        let Some(mut desk) = OpenDesk::start_with(rule, [1]).await else { return };
        desk.open(&format!("/{query}")).await;
        desk.wait_for_stream().await;
        let held_rows = "document.querySelectorAll('.standing.held').length";
        assert_eq!(desk.browser.evaluate(held_rows).await, held, "{query}");
        desk.browser.evaluate("window.isOpen = true").await;
        desk.publish(1..=2);
        let rows = "document.querySelectorAll('.alert').length";
        let is_told = format!("{held_rows} === 0 && {rows} === {told}");
        desk.browser.wait_for(&is_told).await;
        assert_eq!(desk.browser.evaluate("window.isOpen").await, true, "{query}");
        let until = "document.querySelectorAll('.standing time').length";
        assert_eq!(desk.browser.evaluate(until).await, told / 2, "{query}");
        desk.end_without_faults().await;
    }
}
