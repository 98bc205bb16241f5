//! How long a server wants to be left alone: by its header, or as chat services say it in JSON.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::feed::fetch;

/// `Retry-After`, in either form; else `retry_after` in seconds, where Discord (at the top) and Telegram (under `parameters`) put it.
pub(super) fn wish(headers: &HeaderMap, body: &str, now: Timestamp) -> Option<Duration> {
    let in_headers = fetch::retry_after(headers).map(|asked| asked.end(now).duration_since(now));
    in_headers.map(|wait| Duration::try_from(wait).unwrap_or_default()).or_else(|| in_json(body))
}

fn in_json(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds =
        ["/retry_after", "/parameters/retry_after"].into_iter().find_map(|path| body.pointer(path)?.as_f64())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"ok": false, "error_code": 429, "parameters": {"retry_after": 35}}"#, Some(35_000))]
    #[case(r#"{"message": "You are being rate limited.", "retry_after": 0.65, "global": false}"#, Some(650))]
    #[case(r#"{"retry_after": -1}"#, None)]
    #[case(r#"{"retry_after": "soon"}"#, None)]
    #[case("slow down", None)]
    fn chat_services_say_it_in_json(#[case] body: &str, #[case] milliseconds: Option<u64>) {
        let wish = wish(&HeaderMap::new(), body, Timestamp::UNIX_EPOCH);
        assert_eq!(wish, milliseconds.map(Duration::from_millis));
    }
}
