//! How long a server asks for a pause: in a header, or in JSON as chat services do.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::http;

/// The longest of what the answer asks for: `Retry-After`, in either form, and, with a 429,
/// `X-RateLimit-Reset-After` in seconds, and `retry_after` in seconds, where Discord (at the top)
/// and Telegram (under `parameters`) put it. Discord sends `X-RateLimit-Reset-After` with other
/// answers, too.
pub(super) fn wish(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: Timestamp,
) -> Option<Duration> {
    let asked = http::wait_from_answer(headers, now);
    if status != StatusCode::TOO_MANY_REQUESTS {
        return asked;
    }
    [asked, reset_after(headers), in_json(body)].into_iter().flatten().max()
}

fn reset_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("x-ratelimit-reset-after")?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn in_json(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds = ["/retry_after", "/parameters/retry_after"]
        .into_iter()
        .find_map(|path| body.pointer(path)?.as_f64())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"ok": false, "error_code": 429, "parameters": {"retry_after": 35}}"#, Some(35_000))]
    #[case(
        r#"{"message": "You are being rate limited.", "retry_after": 0.65, "global": false}"#,
        Some(650)
    )]
    #[case(r#"{"retry_after": -1}"#, None)]
    #[case(r#"{"retry_after": "soon"}"#, None)]
    #[case("slow down", None)]
    #[case(r#"{"retry_after": 1e300}"#, None)]
    fn chat_services_say_it_in_json(#[case] body: &str, #[case] milliseconds: Option<u64>) {
        let wish =
            wish(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body, Timestamp::UNIX_EPOCH);
        assert_eq!(wish, milliseconds.map(Duration::from_millis));
    }

    #[rstest]
    #[case(&[("retry-after", "7")], 7_000)]
    #[case(&[("x-ratelimit-reset-after", "1.5")], 1_500)]
    #[case(&[("retry-after", "1"), ("x-ratelimit-reset-after", "1.5")], 1_500)]
    #[case(&[("retry-after", "2"), ("x-ratelimit-reset-after", "1.5")], 2_000)]
    #[case::by_the_clock_of_the_server(
        &[("retry-after", "Thu, 12 Mar 2026 13:25:00 GMT"), ("date", "Thu, 12 Mar 2026 13:24:10 GMT")],
        50_000
    )]
    #[case::in_the_past(
        &[("retry-after", "Thu, 12 Mar 2026 13:24:00 GMT"), ("date", "Thu, 12 Mar 2026 13:24:10 GMT")],
        0
    )]
    fn the_longest_wish_counts(
        #[case] said: &[(&'static str, &'static str)],
        #[case] milliseconds: u64,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let wish = wish(
            StatusCode::TOO_MANY_REQUESTS,
            &headers,
            r#"{"retry_after": 0.3}"#,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(wish, Some(Duration::from_millis(milliseconds).max(Duration::from_millis(300))));
    }

    #[test]
    fn what_comes_with_every_answer_of_a_service_is_no_wish() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset-after", HeaderValue::from_static("1.5"));
        let body = r#"{"retry_after": 1}"#;
        assert_eq!(wish(StatusCode::BAD_REQUEST, &headers, body, Timestamp::UNIX_EPOCH), None);
    }
}
