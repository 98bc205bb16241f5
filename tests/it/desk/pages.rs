//! The pages, as a browser without JavaScript gets them.

use super::{ALERTS, TestDesk};
use crate::support::setup::{self, matching_stories};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_stands_and_leads_on() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=2));
    desk.wait_for(ALERTS, "2").await;
    let event = desk.get("/alerts/1").await.1["event"].as_str().expect("an id").to_owned();
    let event = format!("/events/{event}");
    for (path, words) in [
        ("/", vec!["Live", "<mark>arms</mark>", "/alerts/1", "Pause"]),
        ("/alerts", vec!["<mark>arms</mark>", "Since", "application/atom+xml"]),
        ("/alerts?words=part+2", vec!["part 2", "value=\"part 2\""]),
        ("/alerts/2", vec!["Alert 2", "Mute this rule", "The rule at that time"]),
        (&event, vec!["wire-1", "alert 1"]),
        ("/feeds", vec!["wire-1", "well", "every 1"]),
        ("/feeds/wire-1", vec!["Poll now", "<svg", "New items", "No gap"]),
        ("/rules", vec!["arms", "<caption>", "no owner"]),
        ("/rules/arms", vec!["Russia AND North Korea AND arms", "<svg"]),
        ("/try", vec!["<textarea", "Try"]),
        ("/silences", vec!["Nothing is muted", "Add the silence"]),
        ("/silences?kind=rule&name=arms&until=8h", vec!["value=\"arms\"", "value=\"8h\""]),
        ("/deliveries", vec!["Deliveries"]),
        ("/status", vec!["Runs since", "1 well"]),
    ] {
        let (status, page) = desk.page(path).await;
        assert_eq!(status, 200, "{path}");
        for word in words {
            assert!(page.contains(word), "{path} lacks {word}: {page}");
        }
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
    }
    for (path, expected, word) in [
        ("/none", 404, "no such page"),
        ("/alerts/99", 404, "No alert has the number 99"),
        ("/alerts?since=x", 400, "is not a time"),
        ("/feeds/wire-2", 404, "Did you mean"),
    ] {
        let (status, page) = desk.page(path).await;
        assert_eq!(status, expected, "{path}");
        assert!(page.contains(word) && page.contains("</html>"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_change_what_they_say_and_lead_back() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=1));
    desk.wait_for(ALERTS, "1").await;
    assert_eq!(desk.form("/silences", "kind=rule&name=arms&until=8h&why=").await, 303);
    assert!(desk.page("/silences").await.1.contains("End now"));
    assert_eq!(desk.form("/silences", "kind=rule&name=armz&until=8h").await, 400);
    assert_eq!(desk.form("/silences/1/end", "").await, 303);
    assert!(desk.page("/silences").await.1.contains("Nothing is muted"));
    assert_eq!(desk.form("/feeds/wire-1/poll", "").await, 303);
    assert_eq!(desk.form("/try", "text=Russia").await, 200);
    assert_eq!(desk.form("/deliveries/9/retry", "").await, 404);
}

/// The feed is read by Tidings itself, with the filter of its address.
#[tokio::test(flavor = "multi_thread")]
async fn the_alerts_are_a_feed() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=2));
    desk.wait_for(ALERTS, "2").await;
    let feed = |query: &str| format!("{}/alerts.atom{query}", desk.address);
    let read = async |query: &str| {
        let address = feed(query);
        desk.setup.folder.command(&["feeds", "poll", &address, "--format", "json"]).await
    };
    let all = read("").await;
    assert_eq!(all.code, 0, "{}", all.errors);
    for part in ["part 1", "part 2"] {
        assert!(all.output.contains(part), "{}", all.output);
    }
    let some = read("?words=part+2&rule=arms").await;
    assert!(some.output.contains("part 2") && !some.output.contains("part 1"), "{}", some.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_lead_to_the_desk_where_it_has_an_address() {
    let desk = TestDesk::start_with(&[("arms.yaml", setup::RULE)], |config| {
        config.replace("zone: UTC", "zone: UTC\nweb: {listen: \"127.0.0.1:0\", write: true, public: \"https://desk.example\"}")
    });
    let desk = desk.await;
    let server = &desk.setup.server;
    server.serve("/feed.xml", matching_stories(server, 1..=1));
    let request = server.wait_for("/hook", 1).await.remove(0);
    let payload: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    crate::support::schema::hold(&request.body);
    let links = &payload["desk"];
    let event = payload["event"].as_str().expect("an id");
    assert_eq!(links["open"], format!("https://desk.example/events/{event}"));
    let mail = desk.setup.mail.wait_for(1).await.remove(0).plain();
    for link in ["open", "mute", "not_relevant"] {
        let address = links[link].as_str().expect("an address");
        let path = address.strip_prefix("https://desk.example").expect("an address of the desk");
        let (status, page) = desk.page(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(page.contains("</html>"));
        assert!(mail.contains(path.split(['?', '#']).next().expect("a path")), "{mail}");
    }
    let (_, feed) = desk.page("/alerts.atom").await;
    assert!(feed.contains("desk.example/alerts/1\""), "{feed}");
    let (_, page) = desk.page(&format!("/events/{event}")).await;
    assert!(page.contains("ignores:\n  - |\n    Russia and North Korea"), "{page}");
}
