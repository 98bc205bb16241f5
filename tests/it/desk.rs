//! The desk of a running daemon: its pages, its API and its stream.

mod api;
mod held;
mod hostile;
mod pages;
mod stream;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::support::openapi::Api;
use crate::support::setup::{Setup, matching_stories};
use crate::support::tidings::RunningTidings;

/// A running Tidings whose desk may be written to.
struct TestDesk {
    setup: Setup,
    _tidings: RunningTidings,
    client: Client,
    /// `http://127.0.0.1:port`.
    address: String,
    api: Api,
}

impl TestDesk {
    async fn start(rules: &[(&str, &str)]) -> Self {
        Self::start_with(rules, ToOwned::to_owned).await
    }

    async fn start_with(rules: &[(&str, &str)], change: impl FnOnce(&str) -> String) -> Self {
        let web = "web: {listen: \"127.0.0.1:0\", write: true}\n";
        let complete = |config: &str| {
            let config = change(config);
            if config.contains("\nweb:") { config } else { config + web }
        };
        let setup = Setup::with_config(complete, rules).await;
        // A feed that fails at first would be polled late.
        setup.server.serve("/feed.xml", matching_stories(&setup.server, []));
        let mut tidings = setup.folder.run(&[]);
        let said = tidings.wait_for_log(|line| line.contains("web listener: ")).await;
        let address = format!("http://{}", said.rsplit(' ').next().expect("an address"));
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.build().expect("a client");
        Self { setup, _tidings: tidings, client, address, api: Api::published() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        request.header("sec-fetch-site", "same-origin")
    }

    /// The status and the text of a page, as a browser gets it.
    async fn page(&self, path: &str) -> (u16, String) {
        let request = self.request(Method::GET, path).header("accept", "text/html");
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// Sends a form, as a page does. Returns the status.
    async fn form(&self, path: &str, form: &str) -> u16 {
        let request = self.request(Method::POST, path).body(form.to_owned());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.expect("an answer").status().as_u16()
    }

    /// An answer of the API to GET. It must be what the description says.
    async fn get(&self, path: &str) -> (u16, Value) {
        self.check(Method::GET, path, self.request(Method::GET, &format!("/api/v1{path}"))).await
    }

    /// An answer of the API to POST. It must be what the description says.
    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(Method::POST, &format!("/api/v1{path}"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        self.check(Method::POST, path, request).await
    }

    async fn check(&self, method: Method, path: &str, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let content_type = answer.headers().get("content-type").cloned();
        let content_type = content_type.expect("a content type");
        let text = answer.text().await.expect("a text");
        let value =
            serde_json::from_str(&text).unwrap_or_else(|why| panic!("{path}: {why}: {text}"));
        let content_type = content_type.to_str().expect("a text");
        self.api.hold(method.as_str(), path, status, content_type, &value);
        (status, value)
    }

    /// Waits until the store answers `sql` with `expected`.
    async fn wait_for(&self, sql: &'static str, expected: &str) {
        self.setup.folder.wait_until(sql, |found| found == expected).await;
    }
}

/// The number of alerts.
const ALERTS: &str = "SELECT count(*) FROM alert";
