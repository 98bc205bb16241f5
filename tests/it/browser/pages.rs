//! Every page: without scripts, in both schemes, on wide and narrow screens, and as assistive
//! programs see it. `TIDINGS_PICTURES=FOLDER` also writes a picture of each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::chromium::{Browser, Scheme};
use super::desk::{OpenDesk, RULES, faults, setup_with_desk};
use crate::support::http::Response;
use crate::support::wire::{self, Entry};

/// The widths of a desk and of a phone, in pixels.
const WIDTHS: [u32; 2] = [1280, 360];

/// The least contrast of text that WCAG 2.2 demands (1.4.3, level AA).
const CONTRAST: &str = include_str!("contrast.js");

/// A desk with something on every page: alerts, dead messages, a feed that fails, a silence, and a
/// rule file whose last edit is refused.
async fn full_desk() -> Option<OpenDesk> {
    let browser = Browser::start().await?;
    let (setup, address) = setup_with_desk(RULES).await;
    let server = &setup.server;
    let failing = format!(
        "  - {{url: \"{}\", name: \"The Gone Wire\"}}\nnotifiers:",
        server.url("/gone.xml")
    );
    let config = setup.folder.read("config.yaml").replace("notifiers:", &failing);
    setup.folder.write("config.yaml", &config);
    server.serve("/gone.xml", Response::status(404));
    let arabic = "روسيا وكوريا الشمالية Russia, North Korea, arms";
    let stories = [
        Entry::full("Russia and North Korea trade arms", &server.url("/story/1"), wire::LONG),
        Entry::full(arabic, &server.url("/story/2"), &wire::long(2)),
        Entry::full("Freight on the ferry", &server.url("/story/3"), "The freight of a ferry."),
    ];
    server.serve("/feed.xml", Response::feed(&wire::feed(&stories)));
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    let sent = "SELECT count(*) FROM message WHERE status = 'sent'";
    setup.folder.wait_until(sent, |sent| sent == "6").await;
    setup.folder.wait_until("SELECT max(failures) FROM feed", |failures| failures != "0").await;
    assert_eq!(tidings.terminate().await, 0);
    let died = "UPDATE message SET status = 'dead', why = '550 no such user' WHERE id % 2 = 0";
    assert_eq!(setup.folder.change(died).await, 3);
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    let silence = ["silence", "add", "--rule", "freight", "--until", "8h", "--why", "A strike"];
    let said = setup.folder.command(&silence).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    setup.folder.write("rules/rules.yaml", &RULES.replace("when: freight", "whn: freight"));
    let refused = "SELECT coalesce(reload_error, '') FROM run WHERE id = 2";
    setup.folder.wait_until(refused, |why| !why.is_empty()).await;
    Some(OpenDesk { setup, tidings, browser, address })
}

/// The pages of a desk, of every kind at least one, found by following links.
async fn pages(desk: &mut OpenDesk) -> Vec<String> {
    let links = "[...document.querySelectorAll('a')].filter((link) => link.origin === location.origin)\
        .map((link) => link.pathname + link.search)";
    let mut found: Vec<String> = vec!["/".to_owned()];
    let mut kinds = BTreeSet::new();
    for index in 0.. {
        let Some(page) = found.get(index).cloned() else { break };
        desk.open(&page).await;
        for link in desk.browser.evaluate(links).await.as_array().expect("a list") {
            let link = link.as_str().expect("a text");
            let path = link.split('?').next().unwrap_or_default();
            // One of each kind is enough: /alerts/1, but not /alerts/2.
            let kind = path.split('/').nth(1).unwrap_or_default().to_owned();
            let depth = path.matches('/').count();
            let has_query = link.contains('?');
            if kinds.insert((kind, depth, has_query)) && !found.iter().any(|known| known == link) {
                found.push(link.to_owned());
            }
        }
    }
    // The forms of a rule to mute, and a page that does not exist.
    found.push("/silences?kind=rule&name=arms&until=8h".to_owned());
    found.push("/none".to_owned());
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_stands_without_scripts() {
    let Some(mut desk) = full_desk().await else { return };
    desk.browser.switch_scripts_off().await;
    let pages = pages(&mut desk).await;
    for path in ["/alerts/", "/events/", "/feeds/", "/rules/", "/silences", "/deliveries", "/try"] {
        assert!(pages.iter().any(|page| page.starts_with(path)), "{path} in {pages:?}");
    }
    for page in pages {
        desk.open(&page).await;
        let text = desk.browser.evaluate("document.querySelector('main').innerText").await;
        let text = text.as_str().expect("a text");
        assert!(text.lines().count() > 2, "{page}: {text}");
        let hidden = "[...document.querySelectorAll('.script-only, #pause, dialog')]\
            .filter((one) => one.checkVisibility()).length";
        assert_eq!(desk.browser.evaluate(hidden).await, 0, "{page}: what needs scripts is hidden");
    }
    desk.open("/").await;
    desk.browser.click(".alert h2 a").await;
    desk.browser.wait_for("location.pathname.startsWith('/alerts/')").await;
    desk.browser.wait_for("document.querySelector('main section') !== null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_and_can_be_read_in_both_schemes_and_widths() {
    let Some(mut desk) = full_desk().await else { return };
    let pictures = std::env::var_os("TIDINGS_PICTURES").map(PathBuf::from);
    let pages = pages(&mut desk).await;
    desk.browser.take_events().await;
    let mut breaches = Vec::new();
    for page in &pages {
        for (scheme, width) in [Scheme::Light, Scheme::Dark]
            .into_iter()
            .flat_map(|scheme| WIDTHS.map(|width| (scheme, width)))
        {
            desk.browser.emulate(scheme, width).await;
            if width == WIDTHS[0] {
                desk.open(page).await;
            }
            let looks = desk.browser.evaluate(CONTRAST).await;
            let name = format!("{page} {} {width}", scheme.name());
            for breach in looks.as_array().expect("a list") {
                breaches.push(format!("{name}: {breach}"));
            }
            if let Some(folder) = &pictures {
                desk.browser.picture(&folder.join(file_name(&name)), 3000).await;
            }
        }
        let tree = desk.browser.tree().await;
        breaches.extend(breaches_of_tree(&tree).into_iter().map(|why| format!("{page}: {why}")));
        let events = desk.browser.take_events().await;
        let missing = page == "/none";
        breaches.extend(faults(&events, &desk.address).into_iter().filter(|_| !missing));
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

fn file_name(name: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    Path::new(&name.chars().map(plain).collect::<String>()).with_extension("png")
}

/// What assistive programs would miss: names of controls, landmarks, one heading above all others,
/// captions of tables.
fn breaches_of_tree(tree: &[Value]) -> Vec<String> {
    const NAMED: [&str; 11] = [
        "button",
        "link",
        "textbox",
        "searchbox",
        "combobox",
        "MenuListPopup",
        "image",
        "img",
        "table",
        "region",
        "navigation",
    ];
    let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let name = |node: &Value| node["name"]["value"].as_str().unwrap_or_default().to_owned();
    let mut breaches = Vec::new();
    for node in tree.iter().filter(|node| NAMED[..].contains(&role(node).as_str())) {
        if name(node).trim().is_empty() && role(node) != "MenuListPopup" {
            breaches.push(format!("a {} without a name: {node}", role(node)));
        }
    }
    for (wanted, times) in [("main", 1), ("banner", 1), ("contentinfo", 1)] {
        let found = tree.iter().filter(|node| role(node) == wanted).count();
        if found != times {
            breaches.push(format!("{found} landmarks {wanted}"));
        }
    }
    if !tree.iter().any(|node| role(node) == "navigation") {
        breaches.push("no navigation".to_owned());
    }
    let level = |node: &&Value| {
        let properties = node["properties"].as_array();
        properties.is_some_and(|all| {
            all.iter().any(|one| one["name"] == "level" && one["value"]["value"] == 1)
        })
    };
    let tops = tree.iter().filter(|node| role(node) == "heading").filter(level).count();
    if tops != 1 {
        breaches.push(format!("{tops} headings of the first level"));
    }
    breaches
}

/// Also measures how much of a full page crosses the network.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_page_of_alerts_is_below_100_kb() {
    let Some(mut desk) = OpenDesk::start([]).await else { return };
    // Of a feed's first document, only ten stories would alert.
    let story = |n: usize| {
        let url = desk.setup.server.url(&format!("/story/{n}"));
        Entry::full(&format!("An invented study counts rail cars, part {n}"), &url, &wire::long(n))
    };
    let stories = (1..=100).map(story).collect::<Vec<_>>();
    desk.setup.server.serve("/feed.xml", Response::feed(&wire::feed(&stories)));
    desk.wait_for_alerts("100").await;
    desk.browser
        .call("Network.setCacheDisabled", serde_json::json!({ "cacheDisabled": true }))
        .await;
    for page in ["/", "/alerts"] {
        desk.browser.take_events().await;
        desk.open(page).await;
        assert_eq!(desk.parts().await.len(), 50);
        assert_eq!(
            desk.browser.evaluate("document.querySelectorAll('blockquote').length").await,
            50
        );
        let events = desk.browser.take_events().await;
        let ended = events.iter().filter(|event| event["method"] == "Network.loadingFinished");
        let sizes = ended.map(|event| event["params"]["encodedDataLength"].as_f64());
        let bytes: f64 = sizes.map(|size| size.expect("a number")).sum();
        println!("{page} with 50 alerts: {bytes} bytes");
        assert!(bytes > 1_000.0 && bytes < 100_000.0, "{page}: {bytes} bytes");
    }
}
