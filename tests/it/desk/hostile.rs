//! What a hostile feed, visitor or page sends to the desk.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ALERTS, TestDesk};
use crate::support::http::Response;
use crate::support::wire::{self, Entry};

const RULE: &str = "rules:\n  - {name: \"<b>arms</b>\", when: arms}\n";

#[tokio::test(flavor = "multi_thread")]
async fn titles_with_markup_and_directions_are_text() {
    let desk = TestDesk::start(&[("rule.yaml", RULE)]).await;
    let titles = [
        "&lt;script&gt;alert(1)&lt;/script&gt; arms",
        "arms &lt;img src=x onerror=alert(1)&gt; \" ' {{ 313*7 }}",
        "arms \u{202e}gnp.exe",
    ];
    let entries = titles.iter().enumerate().map(|(n, title)| {
        Entry::full(title, &format!("https://wire.example/{n}?a=1&amp;b=\"'"), &wire::long(n))
    });
    let feed = wire::feed(&entries.collect::<Vec<_>>());
    desk.setup.server.serve("/feed.xml", Response::feed(&feed));
    desk.wait_for(ALERTS, "3").await;
    for path in [
        "/",
        "/alerts/1",
        "/alerts/2",
        "/alerts/3",
        "/rules",
        "/rules/%3Cb%3Earms%3C%2Fb%3E",
        "/alerts.atom",
    ] {
        let (status, page) = desk.page(path).await;
        assert_eq!(status, 200, "{path}");
        for word in ["<script>alert", "<img", "<b>arms", "\u{202e}", "2191"] {
            assert!(!page.contains(word), "{path} has {word}");
        }
    }
    assert!(desk.page("/alerts/2").await.1.contains("{{ 313*7 }}"));
    // What a person types comes back as text, too.
    for path in [
        "/alerts?words=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/silences?name=%22%3E%3Cscript%3E",
        "/try?text=%3C/textarea%3E%3Cscript%3Ealert(1)",
    ] {
        let (status, page) = desk.page(path).await;
        assert_eq!(status, 200);
        assert!(!page.contains("<script>alert") && !page.contains("\"><script"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_and_odd_requests_are_answered() {
    let desk = TestDesk::start(&[("rule.yaml", RULE)]).await;
    let deep = "(".repeat(10_000) + "arms" + &")".repeat(10_000);
    let (status, _) = desk.post("/try", &json!({ "text": deep })).await;
    assert!([200, 422].contains(&status), "{status}");
    let (status, _) =
        desk.post("/try", &json!({ "text": "arms OR ".repeat(10_000) + "oil" })).await;
    assert!([200, 422].contains(&status), "{status}");
    let huge = desk.request(Method::POST, "/api/v1/try").body("x".repeat(10_000_000));
    let huge = huge.header("content-type", "application/json").send().await;
    // The server may close the connection while the body is on its way.
    assert!(huge.is_err() || huge.is_ok_and(|answer| answer.status() == 413));
    for path in [
        "/../etc/passwd",
        "/assets/../../etc/passwd",
        "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/feeds/..%2f..",
        "//",
        "/alerts/%00",
        "/alerts/\u{e9}",
    ] {
        let (status, page) = desk.page(path).await;
        assert!([400, 404].contains(&status), "{path}: {status}");
        assert!(!page.contains("root:"), "{path}");
    }
    let long = format!("/alerts?words={}", "a".repeat(10_000_000));
    let mut stream = connect(&desk).await;
    let request = format!("GET {long} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // The server may close before it has read all.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = connect(&desk).await;
        stream.write_all(bytes).await.expect("bytes are taken");
        stream.shutdown().await.ok();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
        let _ = read.await.expect("the connection ends");
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    let answer = desk.request(Method::GET, "/status").send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "the desk goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_of_a_megabyte_is_shown_and_tried() {
    let desk = TestDesk::start(&[("rule.yaml", RULE)]).await;
    let text = format!("arms {}", "word ".repeat(200_000));
    let entry =
        Entry::full(&format!("arms {}", "title ".repeat(20_000)), "https://wire.example/1", &text);
    desk.setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    desk.wait_for(ALERTS, "1").await;
    for path in ["/", "/alerts/1", "/alerts.atom"] {
        let (status, page) = desk.page(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(page.len() < 1_000_000, "{path}: {} bytes", page.len());
    }
    assert_eq!(desk.post("/try", &json!({ "text": "word AND none" })).await.0, 200);
}

async fn connect(desk: &TestDesk) -> TcpStream {
    let address = desk.address.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}
