//! Answers that keep to no standard, and are read by browsers.

use super::*;

const FEED: &[u8] = b"<rss/>";

#[rstest]
#[case::a_space_in_a_name("X Powered By: PHP\r\n")]
#[case::a_space_before_the_colon("X-Powered-By : PHP\r\n")]
#[case::a_warning("PHP Warning:  Unable to load library 'x.so' in Unknown on line 0\r\n")]
#[case::no_colon("nonsense\r\n")]
#[case::a_folded_line("Content-Security-Policy: default-src 'self';\r\n  img-src *\r\n")]
#[case::a_control_character("Set-Cookie: a=b; domain=\x7fx.example\r\n")]
#[tokio::test]
async fn a_line_that_is_no_header_is_passed_over(#[case] line: &'static str) {
    let url = serve(move |_| ok(&format!("{line}ETag: \"1\"\r\n"), FEED)).await;
    let answer = get(&url).await.unwrap();
    assert_eq!(answer.body.as_deref(), Some(FEED));
    assert_eq!(answer.validators.etag.as_deref(), Some("\"1\""));
}

#[tokio::test]
async fn hundreds_of_header_lines_are_read() {
    let url = serve(|_| ok(&"Set-Cookie: a=b; path=/\r\n".repeat(300), FEED)).await;
    assert_eq!(get(&url).await.unwrap().body.as_deref(), Some(FEED));
}

#[rstest]
#[case::by_another_name("Content-Encoding: x-gzip\r\n", 1)]
#[case::in_capitals("Content-Encoding: GZIP\r\n", 1)]
#[case::without_a_word("", 1)]
#[case::twice("Content-Encoding: gzip, gzip\r\n", 2)]
#[case::twice_and_said_once("Content-Encoding: gzip\r\n", 2)]
#[tokio::test]
async fn gzip_is_known_by_its_bytes(#[case] header: &'static str, #[case] times: usize) {
    let packed = (0..times).fold(FEED.to_vec(), |bytes, _| gzip(&bytes));
    let url = serve(move |_| ok(header, &packed)).await;
    assert_eq!(get(&url).await.unwrap().body.as_deref(), Some(FEED));
}

#[tokio::test]
async fn gzip_that_is_said_and_not_sent_is_damage() {
    let url = serve(|_| ok("Content-Encoding: gzip\r\n", FEED)).await;
    let why = "the answer is damaged: it cannot be decompressed".to_owned();
    assert_eq!(get(&url).await.unwrap_err(), FetchError::Broken(why));
}

#[tokio::test]
async fn every_member_of_gzip_is_read() {
    let members = [gzip(b"<rss>"), gzip(b"</rss>")].concat();
    let url = serve(move |_| ok("Content-Encoding: gzip\r\n", &members)).await;
    assert_eq!(get(&url).await.unwrap().body.as_deref(), Some(b"<rss></rss>".as_slice()));
}

#[tokio::test]
async fn a_packed_answer_gives_its_places_back() {
    let packed = gzip(&vec![b' '; 2 << 20]);
    let url = serve(move |_| ok("", &packed)).await;
    let limits = Limits::default();
    for _ in 0..5 {
        let request = request(&url, Validators::default());
        let answer = get_within(&request, &limits, &Mutex::default()).await.unwrap();
        assert_eq!(answer.body.map(|body| body.len()), Some(2 << 20));
    }
}

#[tokio::test]
async fn a_cookie_that_is_set_on_the_way_is_sent_back_and_then_forgotten() {
    let url = serve(|request| {
        if request.contains("cookie: seen=1") {
            ok("", FEED)
        } else {
            bare("302 Found", "Location: /feed\r\nSet-Cookie: seen=1; Path=/; HttpOnly\r\n")
        }
    })
    .await;
    for _ in 0..2 {
        let hosts = Mutex::default();
        let request = request(&url, Validators::default());
        let answer = get_within(&request, &Limits::default(), &hosts).await.unwrap();
        assert_eq!(answer.body.as_deref(), Some(FEED));
        assert_eq!(hosts.lock().unwrap().len(), 2, "the cookie of one fetch is not of the next");
    }
}
