//! Which items are news, from poll to poll of the real binary.

use crate::support::http::Response;
use crate::support::setup::{RULE, Setup, hook_payloads};
use crate::support::wire;

/// An item that matches and differs from that of every other number. `head` is added to it.
fn item(n: usize, head: &str) -> String {
    let text = wire::long(n);
    format!(
        "<item><title>Arms trade, part {n}</title>{head}<content:encoded><![CDATA[{text}]]></content:encoded></item>"
    )
}

fn document(items: &[String]) -> Response {
    let start = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Wire</title>";
    Response::feed(&format!("{start}{}</channel></rss>", items.concat()))
}

async fn setup() -> Setup {
    let hook_only = |config: &str| config.replace("notify: [hook, desk]", "notify: [hook]");
    Setup::with_config(hook_only, &[("arms.yaml", RULE)]).await
}

/// Polls these items, and returns the numbers of those that were sent since the last poll.
async fn poll(setup: &Setup, items: &[String]) -> Vec<String> {
    let before = hook_payloads(&setup.server).len();
    setup.server.serve("/feed.xml", document(items));
    assert_eq!(setup.folder.run(&["--once"]).wait().await, 0);
    // As if the shortest interval of the user's own hosts, a second, had passed.
    setup.folder.change("UPDATE feed SET last_poll = last_poll - 2000").await;
    let title = |payload: &serde_json::Value| {
        payload["story"]["title"].as_str().expect("a title").replace("Arms trade, part ", "")
    };
    let mut sent: Vec<String> = hook_payloads(&setup.server)[before..].iter().map(title).collect();
    sent.sort();
    sent
}

fn guid(n: usize) -> String {
    format!("<guid isPermaLink=\"false\">{n}</guid>")
}

fn link(n: usize) -> String {
    format!("<link>https://wire.example/{n}</link>")
}

fn dated(at: jiff::Timestamp) -> String {
    format!("<pubDate>{}</pubDate>", at.strftime("%a, %d %b %Y %H:%M:%S +0000"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_whose_items_share_one_guid_reports_news_as_news() {
    let setup = setup().await;
    let shared = |n| item(n, &(guid(0) + &link(n)));
    assert_eq!(poll(&setup, &[shared(1)]).await, ["1"]);
    assert_eq!(poll(&setup, &[shared(2), shared(1)]).await, ["2"]);
    assert_eq!(poll(&setup, &[shared(4), shared(3), shared(2)]).await, ["3", "4"]);
    assert_eq!(poll(&setup, &[shared(4), shared(3), shared(2)]).await, [""; 0]);
    // Also if they come one after the other, each in the place of the last.
    assert_eq!(poll(&setup, &[shared(5)]).await, ["5"]);
    assert_eq!(poll(&setup, &[shared(6)]).await, ["6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_guids_for_what_is_known_are_no_news() {
    let setup = setup().await;
    let at = |n: usize, guid_of: usize| item(n, &(guid(guid_of) + &link(n)));
    assert_eq!(poll(&setup, &[at(1, 1), at(2, 2)]).await, ["1", "2"]);
    assert_eq!(poll(&setup, &[at(1, 91), at(2, 92)]).await, [""; 0]);
    assert_eq!(poll(&setup, &[at(3, 93), at(1, 91), at(2, 92)]).await, ["3"]);
    assert_eq!(setup.folder.query("SELECT count(*) FROM story").await, ["3"]);
    assert_eq!(setup.folder.query("SELECT count(*) FROM gap").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_document_of_unknown_items_after_an_outage_is_sent_and_the_gap_is_listed() {
    let setup = setup().await;
    let now = tidings::clock::now();
    let hours = |hours: i64| now - jiff::SignedDuration::from_hours(hours);
    let at = |n: usize, ago: i64| item(n, &(guid(n) + &link(n) + &dated(hours(ago))));
    assert_eq!(poll(&setup, &[at(1, 1), at(2, 2)]).await, ["1", "2"]);
    let none = setup.folder.command(&["feeds", "gaps"]).await;
    assert!(none.output.starts_with("no gap was found"), "{}", none.output);

    // Ten hours pass. The document shows the items of five of them.
    setup
        .folder
        .change(
            "UPDATE feed SET last_good = last_good - 36000000, last_poll = last_poll - 36000000",
        )
        .await;
    assert_eq!(poll(&setup, &[at(9, 0), at(8, 3), at(7, 5)]).await, ["7", "8", "9"]);
    let gaps =
        setup.folder.command(&["feeds", "gaps", "--since", "1h", "--format", "json"]).await.output;
    let gap: serde_json::Value = serde_json::from_str(&gaps).expect("one gap");
    let time =
        |key: &str| gap[key].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(gap["feed"], "wire-1");
    assert_eq!(time("until").as_second(), hours(5).as_second());
    assert!(time("since") <= hours(9) && time("since") >= hours(11), "{gap}");
    assert_eq!(poll(&setup, &[at(10, 0), at(9, 0), at(8, 3)]).await, ["10"]);
    assert_eq!(setup.folder.query("SELECT count(*) FROM gap").await, ["1"]);
    assert_eq!(setup.folder.command(&["feeds", "gaps", "--since", "soon"]).await.code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_poll_old_items_are_recorded_and_undated_and_future_ones_are_news() {
    let setup = setup().await;
    let now = tidings::clock::now();
    let at = |n: usize, date: &str| item(n, &(guid(n) + &link(n) + date));
    let hours = |hours: i64| dated(now + jiff::SignedDuration::from_hours(hours));
    let items = [
        at(1, &hours(-48)),
        at(2, &hours(-20)),
        at(3, &hours(30)),
        at(4, ""),
        at(5, "<pubDate>soon</pubDate>"),
    ];
    assert_eq!(poll(&setup, &items).await, ["2", "3", "4", "5"]);
    assert_eq!(
        setup.folder.query("SELECT count(*) FROM story WHERE status = 'recorded'").await,
        ["1"]
    );
    // Later, every new item is news, at any date.
    assert_eq!(poll(&setup, &[at(6, &hours(-4000)), at(2, &hours(-20))]).await, ["6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_after_it_left_is_no_news_while_its_key_is_kept() {
    let setup = setup().await;
    let at = |n: usize| item(n, &(guid(n) + &link(n)));
    assert_eq!(poll(&setup, &[at(1), at(2)]).await, ["1", "2"]);
    assert_eq!(poll(&setup, &[at(2)]).await, [""; 0]);
    assert_eq!(
        setup.folder.query("SELECT key FROM feed_entry WHERE removed_at IS NOT NULL").await,
        ["guid 1"]
    );
    assert_eq!(poll(&setup, &[at(1), at(2)]).await, [""; 0]);
    assert_eq!(
        setup.folder.query("SELECT count(*) FROM feed_entry WHERE removed_at IS NOT NULL").await,
        ["0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storys_page_is_read_three_times_over_all_its_edits_and_no_more() {
    let setup = setup().await;
    setup.server.serve("/story", Response::html(wire::PAGE));
    let teaser = |text: &str| {
        let link = setup.server.url("/story");
        format!(
            "<item><title>Freight doubles</title><link>{link}</link><description>{text}</description></item>"
        )
    };
    assert_eq!(poll(&setup, &[teaser("Cars cross the river.")]).await, ["Freight doubles"]);
    for edit in [
        "Many cars cross.",
        "Many cars cross it.",
        "Many cars cross it again.",
        "They cross no more.",
    ] {
        assert_eq!(poll(&setup, &[teaser(edit)]).await, [""; 0], "its rule was sent already");
    }
    assert_eq!(setup.server.requests("/story").len(), 3);
    let why = "SELECT read_why FROM story";
    assert_eq!(setup.folder.query(why).await, ["its page was read often enough before this edit"]);
}

/// A headline alone.
fn headline(n: usize, link: &str) -> String {
    format!(
        "<item><title>Russia and North Korea trade arms, part {n}</title><link>{link}</link></item>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn headlines_whose_links_carry_a_token_of_the_answer_are_sent_once() {
    let setup = setup().await;
    let titles = |numbers: &[usize]| -> Vec<String> {
        numbers.iter().map(|n| format!("Russia and North Korea trade arms, part {n}")).collect()
    };
    let with = |numbers: &[usize], tail: &str| -> Vec<String> {
        numbers
            .iter()
            .map(|n| headline(*n, &setup.server.url(&format!("/news/{n}{tail}"))))
            .collect()
    };
    assert_eq!(poll(&setup, &with(&[1, 2, 3], "?sid=a")).await, titles(&[1, 2, 3]));
    assert_eq!(poll(&setup, &with(&[1, 2, 3], "?sid=b")).await, [""; 0]);
    assert_eq!(poll(&setup, &with(&[4, 1, 2], "?sid=c")).await, titles(&[4]));
    assert_eq!(poll(&setup, &with(&[4, 1, 2], "#d")).await, [""; 0]);
    assert_eq!(setup.folder.query("SELECT count(*) FROM story").await, ["4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_news_under_a_guid_that_was_only_recorded_is_sent_and_an_edit_of_it_is_not() {
    let setup = setup().await;
    let now = tidings::clock::now();
    let report = |n: usize, hours: i64, text: &str| {
        let at = dated(now - jiff::SignedDuration::from_hours(hours));
        item(n, &(guid(0) + "<link>https://gov.example/report</link>" + &at))
            .replace("customs", text)
    };
    // Older than `first_poll` reaches.
    assert_eq!(poll(&setup, &[report(1, 400, "customs")]).await, [""; 0]);
    assert_eq!(poll(&setup, &[report(2, 30, "customs")]).await, ["2"]);
    assert_eq!(poll(&setup, &[report(2, 29, "excise")]).await, [""; 0]);
    assert_eq!(poll(&setup, &[report(3, 2, "customs")]).await, ["3"]);
    assert_eq!(poll(&setup, &[report(3, 2, "customs")]).await, [""; 0]);
    assert_eq!(setup.folder.query("SELECT count(*) FROM story").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_new_feed_without_dates_the_first_ten_items_are_sent() {
    let setup = setup().await;
    let at = |n: usize| item(n, &(guid(n) + &link(n)));
    let items: Vec<String> = (10..40).map(at).collect();
    assert_eq!(poll(&setup, &items).await, (10..20).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(poll(&setup, &[vec![at(50)], items].concat()).await, ["50"]);
}
