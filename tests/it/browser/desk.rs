//! A running desk for tests, and the faults that a browser saw on its pages.

use serde_json::Value;

use super::chromium::Browser;
use crate::support::http::Response;
use crate::support::setup::{self, Setup};
use crate::support::tidings::RunningTidings;
use crate::support::wire::{self, Entry};

/// Two rules: arms are of high severity, freight is of low severity.
pub const RULES: &str = "rules:
  - {name: arms, when: Russia AND North Korea AND arms, severity: high, tags: [weapons], why: A trade that is forbidden}
  - {name: freight, when: freight AND ferry, severity: low, tags: [trade], owner: ana}
";

/// A daemon with a desk, and a browser.
pub struct OpenDesk {
    pub setup: Setup,
    pub tidings: RunningTidings,
    pub browser: Browser,
    pub address: String,
}

/// A setup with a desk that takes changes, and the desk's address.
pub async fn setup_with_desk(rules: &str) -> (Setup, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let web = format!("web: {{listen: \"{address}\", write: true}}\n");
    let add = |config: &str| config.to_owned() + &web;
    let setup = Setup::with_config(add, &[("rules.yaml", rules)]).await;
    (setup, format!("http://{address}"))
}

impl OpenDesk {
    /// Starts the browser, and a daemon whose feed has the matching stories `numbers`. Returns once
    /// they are recorded, or nothing without a browser.
    pub async fn start(numbers: impl IntoIterator<Item = usize>) -> Option<Self> {
        Self::start_with(RULES, numbers).await
    }

    /// The same with other rules.
    pub async fn start_with(rules: &str, numbers: impl IntoIterator<Item = usize>) -> Option<Self> {
        let browser = Browser::start().await?;
        let (setup, address) = setup_with_desk(rules).await;
        let numbers: Vec<usize> = numbers.into_iter().collect();
        let alerts = numbers.len().to_string();
        setup.server.serve("/feed.xml", setup::matching_stories(&setup.server, numbers));
        let mut tidings = setup.folder.run(&[]);
        tidings.wait_for_log(|line| line.contains("web listener: ")).await;
        let desk = Self { setup, tidings, browser, address };
        desk.wait_for_alerts(&alerts).await;
        Some(desk)
    }

    /// The feed has these matching stories from now on.
    pub fn publish(&self, numbers: impl IntoIterator<Item = usize>) {
        let server = &self.setup.server;
        server.serve("/feed.xml", setup::matching_stories(server, numbers));
    }

    /// Waits until so many alerts are recorded.
    pub async fn wait_for_alerts(&self, alerts: &str) {
        self.setup.folder.wait_until("SELECT count(*) FROM alert", |count| count == alerts).await;
    }

    /// Opens a page of the desk.
    pub async fn open(&mut self, path: &str) {
        self.browser.open(&format!("{}{path}", self.address)).await;
    }

    /// Opens the live page, and waits until its stream is open.
    pub async fn open_live(&mut self) {
        self.open("/").await;
        self.wait_for_stream().await;
    }

    /// Waits until the live page says that its stream is open.
    pub async fn wait_for_stream(&mut self) {
        let said = "document.getElementById('live-state').textContent.includes('at once')";
        self.browser.wait_for(said).await;
    }

    /// Waits until the path of the page is `path` and the page is loaded.
    pub async fn wait_for_page(&mut self, path: &str) {
        let wanted = format!(
            "location.pathname + location.search === {path:?} && document.readyState === 'complete'"
        );
        self.browser.wait_for(&wanted).await;
    }

    /// The numbers in the headlines of the alerts on the page, as they stand.
    pub async fn parts(&mut self) -> Vec<u64> {
        let expression = "[...document.querySelectorAll('.alert h2')]\
             .map((title) => Number(title.textContent.match(/part (\\d+)/)?.[1]))";
        let parts = self.browser.evaluate(expression).await;
        parts.as_array().expect("a list").iter().filter_map(Value::as_u64).collect()
    }

    /// Ends the daemon, after which the browser has seen no fault.
    pub async fn end_without_faults(mut self) {
        let events = self.browser.take_events().await;
        let faults = faults(&events, &self.address);
        assert!(faults.is_empty(), "{faults:#?}");
        // An open stream must not keep the daemon from its end.
        assert_eq!(self.tidings.terminate().await, 0);
    }
}

/// Errors of scripts, breaches of the security policy, issues, failed requests, and requests to
/// other hosts, among these events.
pub fn faults(events: &[Value], address: &str) -> Vec<String> {
    let is_own = |url: &str| url.starts_with(address) || url.starts_with("data:");
    let is_fault = |event: &&Value| {
        let about = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Audits.issueAdded" => true,
            "Log.entryAdded" => about["entry"]["level"] != "verbose",
            "Network.loadingFailed" => about["canceled"] != true,
            "Network.responseReceived" => about["response"]["status"].as_u64() >= Some(400),
            "Network.requestWillBeSent" => !is_own(about["request"]["url"].as_str().unwrap_or("?")),
            _ => false,
        }
    };
    let shown = |event: &Value| event.to_string().chars().take(500).collect();
    events.iter().filter(is_fault).map(shown).collect()
}

/// A story that the rule `arms` matches, under this headline.
pub fn arms_story(title: &str, link: &str, n: usize) -> Entry {
    Entry::full(title, link, &wire::long(n))
}

/// The feed of these stories.
pub fn feed(entries: &[Entry]) -> Response {
    Response::feed(&wire::feed(entries))
}
