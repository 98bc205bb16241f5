//! Tests against real servers on loopback.

mod limits;
mod odd;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;
use crate::config::{HostSettings, Network};
use ipnet::IpNet;
use reqwest::header::HeaderValue;

/// A server that answers each connection's only request with the result of `respond`.
async fn serve(respond: impl Fn(String) -> Vec<u8> + Send + Sync + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/feed?key=secret", listener.local_addr().unwrap());
    let respond = Arc::new(respond);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let respond = Arc::clone(&respond);
            tokio::spawn(async move {
                let request = read_head(&mut stream).await;
                // The client may close the connection early, because it has a limit.
                let _ = stream.write_all(&respond(request)).await;
            });
        }
    });
    url.parse().unwrap()
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn bare(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n")
        .into_bytes()
}

fn loopback() -> Vec<IpNet> {
    vec!["127.0.0.0/8".parse().unwrap()]
}

fn now() -> Timestamp {
    "2024-05-01T12:00:00Z".parse().unwrap()
}

fn short() -> Limits {
    Limits {
        idle: Duration::from_millis(300),
        feed: Duration::from_millis(300),
        total: Duration::from_millis(900),
        body: 1 << 20,
        room: BodyBudget::default(),
    }
}

fn reach(network: Network) -> HttpClients {
    HttpClients::new(network, HostSettings::default()).unwrap()
}

fn own() -> Network {
    Network { allow: loopback(), ..Network::default() }
}

fn request(url: &Url, validators: Validators) -> HttpRequest {
    HttpRequest { url: url.clone(), validators, want: Want::Feed }
}

async fn get_within(
    request: &HttpRequest,
    limits: &Limits,
    hosts: &Mutex<Vec<String>>,
) -> Result<HttpAnswer, FetchError> {
    let network = Network {
        allow: loopback(),
        contact: Some("ana@example.org".to_owned()),
        ..Network::default()
    };
    let admit = async |url: Url| {
        hosts.lock().unwrap().push(HostKey::from_url(&url).0);
        Ok(())
    };
    fetch(&reach(network), request, limits, now(), admit, |_, _| ()).await
}

async fn get(url: &Url) -> Result<HttpAnswer, FetchError> {
    get_within(&request(url, Validators::default()), &Limits::default(), &Mutex::default()).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_says_who_asks_and_no_more() {
    let heard = Arc::new(Mutex::new(String::new()));
    let hear = Arc::clone(&heard);
    let url = serve(move |request| {
        *hear.lock().unwrap() = request.to_ascii_lowercase();
        ok(
            "Content-Type: text/xml; charset=x\r\nSet-Cookie: a=b\r\nCache-Control: max-age=60\r\n",
            b"<rss/>",
        )
    })
    .await;
    let answer = get(&url).await.unwrap();
    assert_eq!(answer.body.as_deref(), Some(b"<rss/>".as_slice()));
    assert_eq!(answer.content_type.as_deref(), Some("text/xml; charset=x"));
    assert_eq!(answer.freshness.fresh_for, Some(Duration::from_mins(1)));
    assert_eq!(answer.url, url);
    let heard = heard.lock().unwrap();
    let agent =
        format!("user-agent: tidings/{} (+{HOME}; ana@example.org)\r\n", env!("CARGO_PKG_VERSION"));
    assert!(heard.contains(&agent), "{heard}");
    for encoding in ["gzip", "br", "deflate"] {
        assert!(
            heard
                .lines()
                .any(|line| line.starts_with("accept-encoding:") && line.contains(encoding)),
            "{heard}"
        );
    }
    assert!(!heard.contains("zstd"), "{heard}");
    for header in ["referer:", "cookie:", "if-none-match:", "if-modified-since:"] {
        assert!(!heard.contains(header), "{heard}");
    }
}

#[tokio::test]
async fn an_unchanged_feed_costs_a_304_and_keeps_its_validators() {
    let url = serve(|request| {
        let known = request.contains("if-none-match: W/\"v 1\"\r\n")
            && request.contains("if-modified-since: yesterday\r\n");
        if known {
            bare(
                "304 Not Modified",
                "ETag: W/\"v 2\"\r\nExpires: Wed, 01 May 2024 13:00:00 GMT\r\n",
            )
        } else {
            ok("ETag: W/\"v 1\"\r\nLast-Modified: yesterday\r\n", b"<rss/>")
        }
    })
    .await;
    let first = get(&url).await.unwrap();
    let again = request(&url, first.validators.clone());
    let second = get_within(&again, &Limits::default(), &Mutex::default()).await.unwrap();
    assert_eq!(
        (second.body.as_deref(), second.validators.etag.as_deref()),
        (None, Some("W/\"v 2\""))
    );
    assert_eq!(second.validators.last_modified, first.validators.last_modified);
    assert_eq!(second.freshness.fresh_for, Some(Duration::from_hours(1)));
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let url = serve(|_| bare("304 Not Modified", "")).await;
    assert!(matches!(get(&url).await, Err(FetchError::Status { code: 304, .. })));
}

#[tokio::test]
async fn redirects_are_followed_with_a_permit_and_the_validators_for_each_hop() {
    let target = serve(|request| {
        assert!(request.contains("if-none-match: \"1\"\r\n"));
        ok("ETag: \"2\"\r\n", b"here")
    })
    .await;
    let location = format!("Location: {target}\r\n");
    let start = serve(move |_| bare("302 Found", &location)).await;
    let hosts = Mutex::default();
    let validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
    let answer =
        get_within(&request(&start, validators), &Limits::default(), &hosts).await.unwrap();
    assert_eq!((answer.body.as_deref(), &answer.url), (Some(b"here".as_slice()), &target));
    assert_eq!(*hosts.lock().unwrap(), [HostKey::from_url(&start).0, HostKey::from_url(&target).0]);
}

#[rstest]
#[case(&["301 Moved Permanently", "308 Permanent Redirect"], RedirectKind::MovedForGood)]
#[case(&["301 Moved Permanently", "302 Found", "308 Permanent Redirect"], RedirectKind::Redirected)]
#[case(&["307 Temporary Redirect"], RedirectKind::Redirected)]
#[case(&["303 See Other", "301 Moved Permanently"], RedirectKind::Redirected)]
#[case(&[], RedirectKind::Straight)]
#[tokio::test]
async fn a_feed_moved_for_good_if_every_hop_says_so(
    #[case] hops: &'static [&'static str],
    #[case] way: RedirectKind,
) {
    let mut url = serve(|_| ok("", b"<rss/>")).await;
    for status in hops.iter().rev() {
        let location = format!("Location: {url}\r\n");
        url = serve(move |_| bare(status, &location)).await;
    }
    assert_eq!(get(&url).await.unwrap().redirects, way);
}

#[tokio::test]
async fn a_busy_host_is_said_to_rest_while_its_permit_is_still_held_and_a_resting_one_is_not_asked()
{
    let busy = serve(|_| bare("429 Too Many Requests", "Retry-After: 60\r\n")).await;
    let location = format!("Location: {busy}\r\n");
    let start = serve(move |_| bare("302 Found", &location)).await;
    let reach = reach(own());
    let (held, resting) = (Arc::new(()), Mutex::new(None));
    let admit = async |url: Url| match (&*resting.lock().unwrap(), url == busy) {
        (Some(until), true) => {
            Err(FetchError::Resting { host: HostKey::from_url(&url), until: *until })
        }
        _ => Ok(Arc::clone(&held)),
    };
    let rest = |host: &HostKey, asked: RetryAfter| {
        assert_eq!((host, Arc::strong_count(&held)), (&HostKey::from_url(&busy), 2));
        *resting.lock().unwrap() = Some(asked.end(now()));
    };
    let asked = request(&start, Validators::default());
    let error = fetch(&reach, &asked, &Limits::default(), now(), admit, rest).await.unwrap_err();
    assert!(matches!(error, FetchError::Status { code: 429, .. }), "{error:?}");
    let error = fetch(&reach, &asked, &Limits::default(), now(), admit, rest).await.unwrap_err();
    let until = now() + Duration::from_mins(1);
    assert_eq!(error, FetchError::Resting { host: HostKey::from_url(&busy), until });
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let url = serve(|_| bare("301 Moved Permanently", "Location: /feed\r\n")).await;
    let hosts = Mutex::default();
    let error = get_within(&request(&url, Validators::default()), &Limits::default(), &hosts)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the server redirects more than 5 times, perhaps in a circle");
    assert_eq!(hosts.lock().unwrap().len(), 6);
}

#[rstest]
#[case("Location: http://169.254.169.254/latest/meta-data\r\n")]
#[case("Location: http://[::ffff:10.0.0.1]/\r\n")]
#[case("Location: file:///etc/passwd\r\n")]
#[tokio::test]
async fn a_redirect_leads_to_no_forbidden_place(#[case] location: &'static str) {
    let url = serve(move |_| bare("302 Found", location)).await;
    assert!(matches!(get(&url).await, Err(FetchError::Forbidden(_))));
}

#[tokio::test]
async fn a_redirect_to_nowhere_says_so() {
    let url = serve(|_| bare("302 Found", "")).await;
    assert_eq!(
        get(&url).await.unwrap_err().to_string(),
        "the server redirects without a usable address"
    );
}

#[rstest]
#[case("https://a.example/", "http://a.example/", false)]
#[case("https://a.example/", "//b.example/x", true)]
#[case("http://a.example/", "https://a.example/", true)]
#[case("http://a.example/", "/x", true)]
fn no_redirect_leaves_encryption(
    #[case] from: &str,
    #[case] to: &'static str,
    #[case] followed: bool,
) {
    let head = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(to))]);
    assert_eq!(redirect(&from.parse().unwrap(), &head).is_ok(), followed);
}

#[rstest]
#[case("http://169.254.169.254/latest/meta-data")]
#[case("http://0x7f.2/")]
#[case("http://10.1.2.3/")]
#[tokio::test]
async fn forbidden_addresses_are_never_asked(#[case] url: &str) {
    let request = request(&url.parse().unwrap(), Validators::default());
    let admit = async |url: Url| -> Result<(), FetchError> { panic!("{url} was to be asked") };
    let result =
        fetch(&reach(Network::default()), &request, &Limits::default(), now(), admit, |_, _| ())
            .await;
    assert!(matches!(result, Err(FetchError::Forbidden(_))));
}

#[tokio::test]
async fn names_that_lead_to_forbidden_addresses_say_so() {
    let request = request(&"http://localhost:9/".parse().unwrap(), Validators::default());
    let reach = reach(Network::default());
    let error = fetch(&reach, &request, &Limits::default(), now(), async |_| Ok(()), |_, _| ())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, FetchError::Forbidden(why) if why.starts_with("localhost resolves to ")),
        "{error}"
    );
}

#[rstest]
#[case(
    "429 Too Many Requests",
    "Retry-After: 120\r\n",
    429,
    Some(RetryAfter::Span(Duration::from_mins(2)))
)]
#[case(
    "503 Service Unavailable",
    "Retry-After: Wed, 01 May 2024 12:00:00 GMT\r\n",
    503,
    Some(RetryAfter::Until(now()))
)]
#[case("404 Not Found", "", 404, None)]
#[case("410 Gone", "", 410, None)]
#[tokio::test]
async fn refusals_carry_what_to_do_about_them(
    #[case] status: &'static str,
    #[case] headers: &'static str,
    #[case] code: u16,
    #[case] retry_after: Option<RetryAfter>,
) {
    let url = serve(move |_| bare(status, headers)).await;
    let error = get(&url).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the server answered {status}"));
    assert_eq!(error, FetchError::Status { code, retry_after, host: HostKey::from_url(&url) });
}

#[tokio::test]
async fn compressed_answers_are_read() {
    let url = serve(|_| ok("Content-Encoding: gzip\r\n", &gzip(b"<rss/>"))).await;
    assert_eq!(get(&url).await.unwrap().body.as_deref(), Some(b"<rss/>".as_slice()));
}

#[tokio::test]
async fn a_gzip_bomb_is_not_blown_up() {
    let bomb = gzip(&vec![b' '; 50 << 20]);
    assert!(bomb.len() < 100_000);
    let url = serve(move |_| ok("Content-Encoding: gzip\r\n", &bomb)).await;
    let error = get(&url).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { limit: MOST_BYTES });
    assert_eq!(error.to_string(), "the answer is larger than the limit of 10 MiB");
}

#[tokio::test]
async fn a_fetch_can_be_spawned() {
    let url = serve(|_| ok("", b"x")).await;
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&hosts);
    let task = tokio::spawn(async move {
        let admit = |url: Url| {
            let kept = Arc::clone(&kept);
            async move {
                kept.lock().unwrap().push(url);
                Ok(())
            }
        };
        fetch(
            &reach(own()),
            &request(&url, Validators::default()),
            &Limits::default(),
            now(),
            admit,
            |_, _| (),
        )
        .await
    });
    assert!(task.await.unwrap().is_ok());
    assert_eq!(hosts.lock().unwrap().len(), 1);
}
