//! Webhook servers that stall, reset, flood or use TLS of their own, and the parts of requests
//! beside the message.

use axum::http::HeaderMap;
use ipnet::IpNet;
use tidings::config::{SecretUrl, Webhook, WebhookBody, WebhookFormat};
use tidings::notify::{FailureCause, Outcome, RetryReason};

use crate::support::http::{Raw, Response, Server, Then, verify_signature};
use crate::support::setup::{RULE, serve_one_match};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::tls::Ca;
use crate::webhook::{put_off, send, send_and_let_pass, send_by};

fn loopback() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"].map(|range| range.parse().expect("a range")).to_vec()
}

fn hook(url: &str) -> Webhook {
    let url = SecretUrl(url.parse().expect("an address"));
    Webhook {
        url,
        body: WebhookBody::Format(WebhookFormat::Standard),
        addressed: None,
        secrets: Vec::new(),
        headers: HeaderMap::new(),
        ca: Vec::new(),
    }
}

#[tokio::test]
async fn a_reset_at_any_stage_is_put_off_unless_the_status_had_come() {
    for said in [
        &b""[..],
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx: ",
    ] {
        for then in [Then::Reset, Then::Close] {
            let server = Raw::start(said, then).await;
            put_off(send(&server.url("/hook")).await, true);
        }
    }
    let server = Raw::start(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthan", Then::Close).await;
    assert_eq!(send(&server.url("/hook")).await, Outcome::Delivered("200 OK".to_owned()));
}

#[tokio::test]
async fn an_answer_that_stalls_before_its_end_of_headers_is_put_off_after_half_a_minute() {
    for said in
        [&b""[..], b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nx: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
    {
        let server = Raw::start(said, Then::Hold).await;
        let outcome = send_and_let_pass(&server.url("/hook"), server.wait_for_request(), 31).await;
        assert_eq!(put_off(outcome, true), "the server did not answer within 30 s");
    }
}

#[tokio::test]
async fn a_connection_that_is_never_completed_was_not_reached() {
    let stuck = Sink::reserve().stall().await;
    tokio::time::pause();
    let why = put_off(send(&format!("http://127.0.0.1:{}/hook", stuck.port)).await, false);
    tokio::time::resume();
    assert_eq!(why, "the server did not accept a connection in time");
}

#[tokio::test]
async fn of_an_answer_without_an_end_a_few_kilobytes_are_read() {
    let server = Raw::start(b"HTTP/1.1 404 No\r\n\r\nno such hook ", Then::Repeat).await;
    let why = put_off(send(&server.url("/hook")).await, true);
    assert!(
        why.starts_with("the server answered 404 Not Found: no such hook HTTP/1.1")
            && why.len() < 400,
        "{why}"
    );
    let server = Raw::start(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", Then::Repeat).await;
    put_off(send(&server.url("/hook")).await, true);
    let server =
        Raw::start(b"HTTP/1.1 103 Early Hints\r\nx: yyyyyyyyyyyyyyyyyy\r\n\r\n", Then::Repeat)
            .await;
    let outcome = send_and_let_pass(&server.url("/hook"), server.wait_for_request(), 31).await;
    put_off(outcome, true);
}

#[tokio::test]
async fn a_server_of_a_private_authority_is_believed_where_the_configuration_says_so() {
    let (ca, other) = (Ca::new(), Ca::new());
    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
    let server = Raw::start_with_tls(ca.acceptor("127.0.0.1"), answer, Then::Close).await;
    let url = server.url("/hook").replace("http:", "https:");
    let trusting = |ca: &Ca| Webhook { ca: vec![ca.authority()], ..hook(&url) };
    assert_eq!(
        send_by(trusting(&ca), &loopback()).await,
        Outcome::Delivered("204 No Content".to_owned())
    );
    for stranger in [hook(&url), trusting(&other)] {
        let why = put_off(send_by(stranger, &loopback()).await, false);
        assert!(why.contains("the certificate is not valid"), "{why}");
    }
    let elsewhere =
        Raw::start_with_tls(ca.acceptor("hooks.example.org"), answer, Then::Close).await;
    let url = elsewhere.url("/hook").replace("http:", "https:");
    let why = put_off(
        send_by(Webhook { ca: vec![ca.authority()], ..hook(&url) }, &loopback()).await,
        false,
    );
    assert!(why.contains("it is for another name"), "{why}");
    assert_eq!((server.heard().len(), elsewhere.heard().len()), (1, 0));
    // This client has every guard of the common client.
    let why = put_off(
        send_by(
            Webhook { ca: vec![ca.authority()], ..hook(&url.replace("127.0.0.1", "localhost")) },
            &[],
        )
        .await,
        false,
    );
    assert!(why.contains("network: {allow: […]}"), "{why}");
}

#[tokio::test]
async fn ipv6_is_spoken_where_it_is_allowed() {
    let server = Raw::start_on_ipv6(b"HTTP/1.1 202 Accepted\r\n\r\n", Then::Close).await;
    let url = format!("http://[::1]:{}/hook", server.port());
    assert_eq!(
        send_by(hook(&url), &loopback()).await,
        Outcome::Delivered("202 Accepted".to_owned())
    );
    for allow in [vec![], vec!["127.0.0.0/8".parse().expect("a range")]] {
        let why = put_off(send_by(hook(&url), &allow).await, false);
        assert!(why.contains("::1 is a private or special address"), "{why}");
    }
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_hook_that_is_gone_is_recognised() {
    let server = Server::start().await;
    server.serve("/hook", Response::status(410).body("moved on"));
    let Outcome::Gone(why) = send(&server.url("/hook")).await else { panic!("not gone") };
    assert!(why.contains("410 Gone: moved on") && why.contains("the `url` of `ops`"), "{why}");
}

#[tokio::test]
async fn each_of_the_codes_that_ask_for_patience_is_given_the_time_it_asks_for() {
    let server = Server::start().await;
    for (status, expected) in [
        (429, FailureCause::Busy),
        (502, FailureCause::Shut),
        (503, FailureCause::Shut),
        (504, FailureCause::Failed),
    ] {
        for (wish, seconds) in [("17", 17), ("Thu, 12 Mar 2026 13:21:10 GMT", 60)] {
            let answer = Response::status(status).header("date", "Thu, 12 Mar 2026 13:20:10 GMT");
            server.serve("/hook", answer.header("retry-after", wish));
            let Outcome::Retry(RetryReason { cause, requested_wait, .. }) =
                send(&server.url("/hook")).await
            else {
                panic!("{status}")
            };
            assert_eq!(
                (cause, requested_wait.map(|wait| wait.as_secs())),
                (expected, Some(seconds)),
                "{status} {wish}"
            );
        }
    }
}

const HOOK: &str = "notify: [ops]
network: {allow: [127.0.0.0/8]}
notifiers:
  ops:
    type: webhook
    url: URL
    secret: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]
    headers: {X-Team: osint, X-Key: '${KEY}'}
    auth: AUTH
";

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_logins_are_sent_and_what_an_answer_repeats_of_them_is_not_shown() {
    for (auth, sent, secret) in [
        ("{bearer: '${TOKEN}'}", "Bearer t0k3n-of-the-hook", "t0k3n-of-the-hook"),
        (
            "{basic: {user: ana, password: '${TOKEN}'}}",
            "Basic YW5hOnQwazNuLW9mLXRoZS1ob29r",
            "YW5hOnQwazNuLW9mLXRoZS1ob29r",
        ),
    ] {
        let server = Server::start().await;
        let echo =
            format!("you are {sent}, that is ana:t0k3n-of-the-hook, with the k3y-of-the-team");
        server.serve("/hook", Response::status(403).body(&echo));
        let folder =
            Folder::new(&HOOK.replace("URL", &server.url("/hook")).replace("AUTH", auth), &[]);
        folder.set("TOKEN", "t0k3n-of-the-hook");
        folder.set("KEY", "k3y-of-the-team");
        let said = folder.command(&["notify", "ops"]).await;
        assert_eq!(said.code, 69, "{}", said.errors);
        assert!(said.errors.contains("403 Forbidden: you are […]"), "{}", said.errors);
        for secret in [secret, "t0k3n", "k3y-of"] {
            assert!(
                !said.errors.contains(secret) && !said.output.contains(secret),
                "{}",
                said.errors
            );
        }
        let request = server.requests("/hook").remove(0);
        assert_eq!(request.header("authorization"), Some(sent));
        assert_eq!(
            (request.header("x-team"), request.header("x-key")),
            (Some("osint"), Some("k3y-of-the-team"))
        );
        for secret in
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            verify_signature(&request, secret);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_message_is_for_is_said_to_the_service_and_neither_stored_nor_shown() {
    let server = Server::start().await;
    server.serve("/", Response::status(400).body("no topic t0pic-of-the-desk"));
    let config = format!(
        "notify: [push]\nnetwork: {{allow: [127.0.0.0/8]}}\nnotifiers:\n  push: {{type: webhook, format: ntfy, url: '{}${{TOPIC}}'}}\n\
         feeds: ['{}']\n",
        server.url("/"),
        server.url("/feed.xml")
    );
    serve_one_match(&server);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    folder.set("TOPIC", "t0pic-of-the-desk");
    let mut tidings = folder.run(&[]);
    let said = tidings.wait_for_log(|line| line.contains("did not take a message")).await;
    assert!(said.contains("400 Bad Request: no topic […]"), "{said}");
    assert_eq!(tidings.terminate().await, 0);
    let request = server.requests("/").remove(0);
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!((&body["topic"], &body["priority"]), (&"t0pic-of-the-desk".into(), &3.into()));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(!tidings.log().iter().any(|line| line.contains("t0pic")), "{:#?}", tidings.log());
    for file in folder.files("tidings.db") {
        assert!(!String::from_utf8_lossy(&file).contains("t0pic"));
    }
}

/// Sends the output of `template` for an alert to a hook. Returns the request and the log.
async fn by_template(name: &str, template: &str) -> (crate::support::http::Recorded, Vec<String>) {
    let server = Server::start().await;
    serve_one_match(&server);
    let config = format!(
        "notify: [ops]\nnetwork: {{allow: [127.0.0.0/8]}}\nnotifiers:\n  ops: {{type: webhook, url: '{}', template: {name}}}\nfeeds: ['{}']\n",
        server.url("/hook"),
        server.url("/feed.xml")
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    folder.write(name, template);
    let mut tidings = folder.run(&["--once"]);
    assert_eq!(tidings.wait().await, 0, "{:#?}", tidings.log());
    (server.requests("/hook").remove(0), tidings.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_the_users_makes_the_message() {
    let (request, _) = by_template(
        "ours.json",
        r#"{"says": {{ title }}, "of": {{ rules | map(attribute="rule") | list }}}"#,
    )
    .await;
    assert_eq!(request.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        body,
        serde_json::json!({"says": "Russia and North Korea trade arms", "of": ["arms"]})
    );
    let (request, _) = by_template("ours.txt", "{{ severity }}: {{ title }}").await;
    assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(request.body, "medium: Russia and North Korea trade arms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_fails_costs_no_alert() {
    // It works with the sample, which has two rules.
    let (request, log) = by_template(
        "ours.json",
        r#"{% if rules | length == 1 %}{{ title | int }}{% endif %}{"sound": true}"#,
    )
    .await;
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        (&body["type"], &body["story"]["title"]),
        (&"alert".into(), &"Russia and North Korea trade arms".into())
    );
    assert!(
        log.iter()
            .any(|line| line.contains("the template of ops failed") && line.contains("line 1")),
        "{log:#?}"
    );
}
