//! How many redirects are followed, and to which addresses.

use super::publisher::{Publisher, Reply};
use super::{round, story, watching};
use crate::support::http::{Raw, Then};
use crate::support::tls::Ca;

/// A publisher with this number of redirects before a feed.
async fn chain(hops: usize) -> Publisher {
    let publisher = Publisher::start().await;
    for hop in 1..=hops {
        let next = publisher.url(&format!("/{}", hop - 1));
        publisher.serve(&format!("/{hop}"), move |_| Reply::redirect("302 Found", &next));
    }
    publisher.serve("/0", |_| Reply::ok("", &story()));
    publisher
}

#[tokio::test(flavor = "multi_thread")]
async fn five_redirects_are_followed_and_no_sixth() {
    let five = chain(5).await;
    let six = chain(6).await;
    let folder = watching(&[
        format!("url: \"{}\", name: five", five.url("/5")),
        format!("url: \"{}\", name: six", six.url("/6")),
    ]);
    round(&folder).await;
    assert_eq!((five.all().len(), six.all().len(), six.requests("/0").len()), (6, 6, 0));
    let failed = folder.query("SELECT name || ': ' || error FROM feed WHERE failures > 0").await;
    assert_eq!(failed, ["six: the server redirects more than 5 times, perhaps in a circle"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_redirects_is_left_after_five() {
    let publisher = Publisher::start().await;
    let (a, b) = (publisher.url("/a"), publisher.url("/b"));
    publisher.serve("/a", move |_| Reply::redirect("301 Moved Permanently", &b));
    publisher.serve("/b", move |_| Reply::redirect("301 Moved Permanently", &a));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/a"))]);
    round(&folder).await;
    assert_eq!(publisher.all().len(), 6);
    assert_eq!(folder.query("SELECT failures FROM feed").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_leads_from_https_to_http() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("", &story()));
    let answer = format!(
        "HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n",
        publisher.url("/feed")
    );
    let ca = Ca::new();
    let secure =
        Raw::start_with_tls(ca.acceptor("127.0.0.1"), answer.leak().as_bytes(), Then::Close).await;
    let folder =
        watching(&[format!("url: \"https://127.0.0.1:{}/feed\", name: wire", secure.port())]);
    folder.write("ca.pem", &ca.pem());
    folder.set("SSL_CERT_FILE", &folder.place("ca.pem"));
    round(&folder).await;
    let error = folder.query("SELECT error FROM feed").await;
    assert_eq!(error, ["the server redirects from https to http, which is not followed"]);
    assert_eq!(publisher.all().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_to_no_forbidden_place_and_carries_no_referer() {
    let publisher = Publisher::start().await;
    let other = Publisher::start().await;
    let to = other.url("/feed");
    publisher.serve("/elsewhere", move |_| Reply::redirect("302 Found", &to));
    publisher.serve("/inside", |_| {
        Reply::redirect("302 Found", "http://169.254.169.254/latest/meta-data")
    });
    other.serve("/feed", |_| Reply::ok("", &story()));
    let folder = watching(&[
        format!("url: \"{}\", name: elsewhere", publisher.url("/elsewhere")),
        format!("url: \"{}\", name: inside", publisher.url("/inside")),
    ]);
    round(&folder).await;
    let followed = other.requests("/feed").remove(0);
    assert_eq!((followed.header("referer"), followed.header("cookie")), (None, None));
    let failed = folder.query("SELECT name || ': ' || error FROM feed WHERE failures > 0").await;
    assert!(
        failed.len() == 1
            && failed[0].starts_with("inside: ")
            && failed[0].contains("169.254.169.254"),
        "{failed:?}"
    );
}
