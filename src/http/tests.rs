//! Tests against real servers on loopback.

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

/// A server that answers each connection's only request with what `respond` makes of it.
async fn serve(respond: impl Fn(String) -> Vec<u8> + Send + Sync + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/feed?key=secret", listener.local_addr().unwrap());
    let respond = Arc::new(respond);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let respond = Arc::clone(&respond);
            tokio::spawn(async move {
                let request = read_head(&mut stream).await;
                // The client may hang up in the middle: it has a cap.
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
        hosts.lock().unwrap().push(HostKey::of(&url).0);
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
    assert_eq!(*hosts.lock().unwrap(), [HostKey::of(&start).0, HostKey::of(&target).0]);
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
    assert_eq!(get(&url).await.unwrap().way, way);
}

#[tokio::test]
async fn a_busy_host_is_said_to_rest_while_its_permit_is_still_held_and_a_resting_one_is_not_asked()
{
    let busy = serve(|_| bare("429 Too Many Requests", "Retry-After: 60\r\n")).await;
    let location = format!("Location: {busy}\r\n");
    let start = serve(move |_| bare("302 Found", &location)).await;
    let reach = reach(own());
    let (held, told) = (Arc::new(()), Mutex::new(None));
    let admit = async |url: Url| match (&*told.lock().unwrap(), url == busy) {
        (Some(until), true) => Err(FetchError::Resting { host: HostKey::of(&url), until: *until }),
        _ => Ok(Arc::clone(&held)),
    };
    let rest = |host: &HostKey, asked: RetryAfter| {
        assert_eq!((host, Arc::strong_count(&held)), (&HostKey::of(&busy), 2));
        *told.lock().unwrap() = Some(asked.end(now()));
    };
    let asked = request(&start, Validators::default());
    let error = fetch(&reach, &asked, &Limits::default(), now(), admit, rest).await.unwrap_err();
    assert!(matches!(error, FetchError::Status { code: 429, .. }), "{error:?}");
    let error = fetch(&reach, &asked, &Limits::default(), now(), admit, rest).await.unwrap_err();
    let until = now() + Duration::from_mins(1);
    assert_eq!(error, FetchError::Resting { host: HostKey::of(&busy), until });
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
        "the server redirects without saying where to"
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
        matches!(&error, FetchError::Forbidden(why) if why.starts_with("localhost leads to ")),
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
    assert_eq!(error, FetchError::Status { code, retry_after, host: HostKey::of(&url) });
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
    assert_eq!(
        error.to_string(),
        "the answer is larger than 10 MiB, which is the most that is read"
    );
}

#[rstest]
#[case("Content-Length: 52428800\r\n")]
#[case("")]
#[tokio::test]
async fn a_body_of_50_mib_is_not_read(#[case] length: &'static str) {
    let url = serve(move |_| {
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{length}\r\n").into_bytes();
        answer.resize(answer.len() + (50 << 20), b' ');
        answer
    })
    .await;
    assert_eq!(get(&url).await.unwrap_err(), FetchError::TooLarge { limit: MOST_BYTES });
}

/// As far as an answer came that broke off, and why it did.
fn broken(answer: HttpAnswer) -> (Vec<u8>, String) {
    let body = answer.body.expect("a body");
    (body.to_vec(), body.broken().expect("it broke off").to_string())
}

#[tokio::test]
async fn damaged_and_cut_answers_are_told_apart() {
    let whole = gzip(&[b'x'; 5000].map(|_| b'x'));
    let cut = whole[..whole.len() / 2].to_vec();
    let truncated = serve(move |_| ok("Content-Encoding: gzip\r\n", &cut)).await;
    assert_eq!(
        get(&truncated).await.unwrap_err().to_string(),
        "the answer is damaged: it cannot be decompressed"
    );
    let short = serve(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()).await;
    let broke_off = "the answer broke off in the middle".to_owned();
    assert_eq!(broken(get(&short).await.unwrap()), (b"half".to_vec(), broke_off.clone()));
    let page = HttpRequest { want: Want::Page, ..request(&short, Validators::default()) };
    let part = get_within(&page, &Limits::default(), &Mutex::default()).await;
    assert_eq!(part.unwrap_err(), FetchError::Broken(broke_off), "part of a page is not read");
    let nothing = serve(|_| Vec::new()).await;
    let closed = "the server closed the connection without an answer";
    assert_eq!(get(&nothing).await.unwrap_err().to_string(), closed);
    let nonsense = serve(|_| b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()).await;
    assert!(matches!(get(&nonsense).await, Err(FetchError::Unreachable(_))));
}

#[tokio::test]
async fn errors_hold_no_address() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url =
        format!("http://{}/feed?key=secret", closed.local_addr().unwrap()).parse().unwrap();
    drop(closed);
    let error = get(&url).await.unwrap_err();
    assert_eq!(error, FetchError::Unreachable("connection refused".to_owned()));
    let unknown =
        get(&"http://no-such-name.invalid/?key=secret".parse().unwrap()).await.unwrap_err();
    assert_eq!(unknown, FetchError::Unreachable("the name does not resolve".to_owned()));
    let cut = get(&serve(|_| Vec::new()).await).await.unwrap_err();
    assert!(!format!("{cut} {cut:?}").contains("secret"), "{cut:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let error = get_within(&request(&url, Validators::default()), &short(), &Mutex::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the server did not answer in time");
}

/// A listener that completes no further connection: clients fill its queue, and nobody is let in.
async fn stuck() -> (Url, (TcpListener, Vec<TcpStream>)) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    while let Ok(client) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        clients.push(client.unwrap());
    }
    (format!("http://{address}/").parse().unwrap(), (listener, clients))
}

#[tokio::test]
async fn a_connection_that_is_never_completed_is_given_up_after_ten_seconds() {
    let (url, _kept) = stuck().await;
    tokio::time::pause();
    let mut left = Duration::from_mins(1);
    let error = within(&mut left, get(&url)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the server did not accept a connection in time");
    assert_eq!(left.as_secs(), 49, "ten seconds, and a little");
}

/// Serves a 200 whose body comes a byte at a time, with `pause` before each.
async fn serve_slowly(pause: Duration) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let mut next = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        while stream.write_all(&next).await.is_ok() {
            tokio::time::sleep(pause).await;
            next = b"x".to_vec();
        }
    });
    url
}

#[rstest]
#[case(Duration::from_mins(1), "the server fell silent in the middle of its answer")]
#[case(Duration::from_millis(50), "the server did not finish its answer within 0.9 s")]
#[tokio::test]
async fn a_server_that_dribbles_is_given_up(#[case] pause: Duration, #[case] message: &str) {
    let url = serve_slowly(pause).await;
    let page = HttpRequest { want: Want::Page, ..request(&url, Validators::default()) };
    let error = get_within(&page, &short(), &Mutex::default()).await.unwrap_err();
    assert_eq!(error, FetchError::Broken(message.to_owned()));
}

#[tokio::test]
async fn an_answer_in_ever_so_many_small_parts_is_given_up_long_before_it_ends() {
    let url = serve(|_| {
        let head =
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        [head, b"1\r\nx\r\n".repeat(1 << 20)].concat()
    })
    .await;
    let (came, why) = broken(get(&url).await.unwrap());
    assert!(came.len() < 100_000, "{}", came.len());
    assert_eq!(why, "the server sends its answer in too many small parts");
}

#[tokio::test]
async fn a_body_that_waits_for_room_is_not_late_for_that() {
    let url = serve(|_| ok("", &vec![b'x'; 3 << 20])).await;
    let limits = Limits { body: MOST_BYTES, ..short() };
    let taken = limits.room.without_the_largest().await;
    let asked = request(&url, Validators::default());
    let free = async {
        tokio::time::sleep(2 * limits.total).await;
        drop(taken);
    };
    let hosts = Mutex::default();
    let (answer, ()) = tokio::join!(get_within(&asked, &limits, &hosts), free);
    assert_eq!(answer.unwrap().body.unwrap().len(), 3 << 20);
}

#[test]
fn a_server_may_be_silent_for_15_seconds_and_take_30_in_all() {
    let Limits { idle, total, body, .. } = Limits::default();
    assert_eq!((idle.as_secs(), total.as_secs(), body), (15, 30, 10 << 20));
}

#[tokio::test]
async fn the_deadline_spans_redirects_and_leaves_out_admission() {
    let slow = serve_slowly(Duration::from_millis(50)).await;
    let asked = request(&slow, Validators::default());
    let wait = async |_| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    };
    let (_, why) =
        broken(fetch(&reach(own()), &asked, &short(), now(), wait, |_, _| ()).await.unwrap());
    assert_eq!(why, "the server did not finish its answer within 0.9 s");
    let mut left = Duration::from_millis(200);
    assert_eq!(within(&mut left, tokio::time::sleep(Duration::from_millis(50))).await, Some(()));
    assert!(left <= Duration::from_millis(150));
    assert_eq!(within(&mut left, std::future::pending::<()>()).await, None);
    assert_eq!(left, Duration::ZERO);
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
