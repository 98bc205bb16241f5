//! Reads how long a server asks us to wait, from headers or from JSON.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::http;

/// A number in a `…-Reset` header from here on is a Unix time in seconds, not a wait.
const FIRST_UNIX_SECOND: f64 = 1e9;

/// A number from here on is a Unix time in milliseconds.
const FIRST_UNIX_MILLISECOND: f64 = 1e12;

/// The longest wait that the answer asks for: `Retry-After` in either form, `Retry-After-Ms` and,
/// with a 429, `X-RateLimit-Reset-After` and the JSON key `retry_after`, both in seconds. Discord
/// writes that key at the top, Telegram under `parameters`.
///
/// Many services send the state of their rate limit with every answer. If nothing else asks for a
/// wait, the end of the limit counts: with a 429, and with a 403 or 503 if the limit is used up.
pub(super) fn requested_wait(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: Timestamp,
) -> Option<Duration> {
    let asked = [http::wait_from_answer(headers, now), retry_after_milliseconds(headers)];
    let is_limited = status == StatusCode::TOO_MANY_REQUESTS;
    let limited = if is_limited {
        [rate_limit_reset_after(headers), retry_after_in_json(body)]
    } else {
        [None; 2]
    };
    let wait = asked.into_iter().chain(limited).flatten().max();
    let is_spent = || {
        matches!(status, StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE)
            && is_rate_limit_used_up(headers)
    };
    wait.or_else(|| if is_limited || is_spent() { rate_limit_reset(headers, now) } else { None })
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn retry_after_milliseconds(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds: f64 = header_text(headers, "retry-after-ms")?.parse().ok()?;
    http::wait_of_seconds(milliseconds / 1000.0)
}

fn rate_limit_reset_after(headers: &HeaderMap) -> Option<Duration> {
    ["x-ratelimit-reset-after", "ratelimit-reset-after"]
        .into_iter()
        .find_map(|name| http::wait_in_words(header_text(headers, name)?))
}

/// The wait until a rate limit ends: `RateLimit: "default";r=0;t=5`, also as its earlier drafts
/// wrote it (`RateLimit: limit=10, remaining=0, reset=5`), `RateLimit-Reset` and
/// `X-RateLimit-Reset`, in seconds or as a Unix time (draft-ietf-httpapi-ratelimit-headers).
fn rate_limit_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let of_limit = rate_limit_parameters(headers, &["t", "reset"]).max();
    of_limit.or_else(|| {
        ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"].into_iter().find_map(
            |name| {
                let text = header_text(headers, name)?;
                match text.parse::<f64>() {
                    Ok(moment) if moment >= FIRST_UNIX_SECOND => {
                        Some(wait_until(moment, headers, now))
                    }
                    _ => http::wait_in_words(text),
                }
            },
        )
    })
}

/// The wait until a Unix time, by the server's clock if the answer has a `Date`.
fn wait_until(moment: f64, headers: &HeaderMap, now: Timestamp) -> Duration {
    let scale = if moment >= FIRST_UNIX_MILLISECOND { 1000.0 } else { 1.0 };
    let answered = http::answered_at(headers).unwrap_or(now).as_duration().as_secs_f64();
    http::wait_of_seconds(moment / scale - answered).unwrap_or_default()
}

/// The values of the parameters `names` of `RateLimit`.
fn rate_limit_parameters<'h>(
    headers: &'h HeaderMap,
    names: &'h [&'h str],
) -> impl Iterator<Item = Duration> + 'h {
    let values = headers.get_all("ratelimit").into_iter().filter_map(|value| value.to_str().ok());
    let parameters = values.flat_map(|value| value.split([',', ';']));
    parameters.filter_map(move |parameter| {
        let (name, value) = parameter.split_once('=')?;
        names.contains(&name.trim()).then(|| http::wait_in_words(value))?
    })
}

/// Whether the server says that a rate limit is used up.
fn is_rate_limit_used_up(headers: &HeaderMap) -> bool {
    let is_zero = |name: &&str| header_text(headers, name) == Some("0");
    ["x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining"].iter().any(is_zero)
        || rate_limit_parameters(headers, &["r", "remaining"]).any(|left| left.is_zero())
}

fn retry_after_in_json(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds = ["/retry_after", "/parameters/retry_after"].into_iter().find_map(|path| {
        body.pointer(path).filter(|value| value.is_number() || value.is_string())
    })?;
    match seconds.as_str() {
        Some(words) => http::wait_in_words(words),
        // A larger number is no meaningful wait.
        None => seconds.as_f64().filter(|seconds| *seconds < 1e18).and_then(http::wait_of_seconds),
    }
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
    #[case(r#"{"retry_after": "5"}"#, Some(5_000))]
    #[case(r#"{"parameters": {"retry_after": "1.5 s"}}"#, Some(1_500))]
    #[case(r#"{"retry_after": 1e300}"#, None)]
    fn chat_services_ask_in_json(#[case] body: &str, #[case] milliseconds: Option<u64>) {
        let wait = requested_wait(
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::new(),
            body,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(wait, milliseconds.map(Duration::from_millis));
    }

    #[rstest]
    #[case(&[("retry-after", "7")], 7_000)]
    #[case(&[("x-ratelimit-reset-after", "1.5")], 1_500)]
    #[case(&[("retry-after", "1"), ("x-ratelimit-reset-after", "1.5")], 1_500)]
    #[case(&[("retry-after", "2"), ("x-ratelimit-reset-after", "1.5")], 2_000)]
    #[case(&[("retry-after", "4.5")], 5_000)]
    #[case(&[("retry-after", "+5")], 5_000)]
    #[case(&[("retry-after", "5s")], 5_000)]
    #[case(&[("retry-after", "\"5\"")], 5_000)]
    #[case(&[("retry-after", "4100ms")], 5_000)]
    #[case(&[("retry-after", "99999999999999999999")], 31_536_000_000)]
    #[case(&[("retry-after-ms", "4500")], 4_500)]
    #[case(&[("x-ratelimit-reset-after", "5s")], 5_000)]
    #[case::by_the_clock_of_the_server(
        &[("retry-after", "Thu, 12 Mar 2026 13:25:00 GMT"), ("date", "Thu, 12 Mar 2026 13:24:10 GMT")],
        50_000
    )]
    #[case::in_the_past(
        &[("retry-after", "Thu, 12 Mar 2026 13:24:00 GMT"), ("date", "Thu, 12 Mar 2026 13:24:10 GMT")],
        0
    )]
    fn the_longest_wait_counts(
        #[case] text: &[(&'static str, &'static str)],
        #[case] milliseconds: u64,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in text {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let wait = requested_wait(
            StatusCode::TOO_MANY_REQUESTS,
            &headers,
            r#"{"retry_after": 0.3}"#,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(wait, Some(Duration::from_millis(milliseconds).max(Duration::from_millis(300))));
    }

    #[rstest]
    #[case(&[("ratelimit-reset", "5")], Some(5_000))]
    #[case(&[("x-ratelimit-reset", "4.5")], Some(4_500))]
    #[case(&[("x-ratelimit-reset", "1800000007")], Some(7_000))]
    #[case(&[("x-ratelimit-reset", "1800000007500")], Some(7_500))]
    #[case(&[("x-ratelimit-reset", "1799999999")], Some(0))]
    #[case(&[("ratelimit", "\"default\";r=0;t=5")], Some(5_000))]
    #[case(&[("ratelimit", "\"burst\";r=0;t=5, \"daily\";r=9;t=50")], Some(50_000))]
    #[case(&[("ratelimit", "limit=10, remaining=0, reset=5")], Some(5_000))]
    #[case::retry_after_comes_first(&[("retry-after", "3"), ("ratelimit-reset", "900")], Some(3_000))]
    #[case(&[("ratelimit-reset", "soon")], None)]
    #[case(&[("ratelimit-reset", "-5")], None)]
    fn the_end_of_a_limit_counts_if_nothing_else_asks(
        #[case] text: &[(&'static str, &'static str)],
        #[case] milliseconds: Option<u64>,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in text {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let wait_with = |status| requested_wait(status, &headers, "", now);
        let expected = milliseconds.map(Duration::from_millis);
        assert_eq!(wait_with(StatusCode::TOO_MANY_REQUESTS), expected);
        if headers.get("retry-after").is_none() {
            assert_eq!(wait_with(StatusCode::NOT_FOUND), None);
        }
    }

    #[test]
    fn a_limit_that_is_used_up_counts_with_a_403_too() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("60"));
        let wait = |headers: &HeaderMap| {
            requested_wait(StatusCode::FORBIDDEN, headers, "", Timestamp::UNIX_EPOCH)
        };
        assert_eq!(wait(&headers), None);
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
        assert_eq!(wait(&headers), Some(Duration::from_mins(1)));
    }

    #[test]
    fn the_state_of_a_limit_alone_asks_for_no_wait() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset-after", HeaderValue::from_static("1.5"));
        let body = r#"{"retry_after": 1}"#;
        assert_eq!(
            requested_wait(StatusCode::BAD_REQUEST, &headers, body, Timestamp::UNIX_EPOCH),
            None
        );
    }
}
