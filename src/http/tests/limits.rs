//! Answers that are too large, too slow or broken off.

use super::*;

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

/// The part of an answer that arrived, and why the answer broke off.
fn broken(answer: HttpAnswer) -> (Vec<u8>, String) {
    let body = answer.body.expect("a body");
    (body.to_vec(), body.incomplete_because().expect("it broke off").to_string())
}

#[tokio::test]
async fn damaged_and_cut_answers_are_distinguished() {
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

/// A listener that accepts no further connection, because clients fill its queue.
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

/// Serves a 200 with a body of single bytes, with `pause` before each.
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
#[case(Duration::from_mins(1), "the server stopped in the middle of its answer")]
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
