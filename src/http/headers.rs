//! The headers of conditional requests and of answers: validators, freshness, `Retry-After`.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{
    AGE, CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LINK, RETRY_AFTER,
};

use crate::clock::later;

/// The longest time that is taken from a header, in seconds: a year. It keeps sums within range.
const LONGEST: u64 = 365 * 24 * 3600;

impl Validators {
    /// These validators; a missing one is that of `older`.
    pub(super) fn or_from(self, older: &Self) -> Self {
        Self {
            etag: self.etag.or_else(|| older.etag.clone()),
            last_modified: self.last_modified.or_else(|| older.last_modified.clone()),
        }
    }
}

/// A header's value, with one `char` for each byte. A header may hold bytes that are not UTF-8, and
/// validators must be sent back unchanged.
pub(super) fn header_text(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// The header's value that [`header_text`] shows.
pub(super) fn value(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// `Link`; several are joined with commas.
pub(super) fn links(head: &HeaderMap) -> Option<String> {
    let links: Vec<String> = head.get_all(LINK).iter().map(header_text).collect();
    (!links.is_empty()).then(|| links.join(", "))
}

/// Whether the body is a recording or a picture, by its type.
pub(super) fn is_media(head: &HeaderMap) -> bool {
    let kind = head.get(CONTENT_TYPE).map(header_text).unwrap_or_default().to_ascii_lowercase();
    ["audio/", "video/", "image/"].iter().any(|media| kind.trim_start().starts_with(media))
        && !kind.contains("svg")
}

/// The validators of an answer.
pub(super) fn validators(head: &HeaderMap) -> Validators {
    Validators {
        etag: head.get(ETAG).map(header_text),
        last_modified: head.get(LAST_MODIFIED).map(header_text),
    }
}

/// `If-None-Match` and `If-Modified-Since`, if their validators are known.
pub(super) fn conditions(known: &Validators) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)]
        .into_iter()
        .filter_map(|(name, known)| Some((name, value(known.as_deref()?)?)))
}

/// `Retry-After` (RFC 9110, section 10.2.3): how long a server asks for no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// For this time, from the server's answer on.
    Span(Duration),
    /// Until this time.
    Until(Timestamp),
}

impl RetryAfter {
    /// The time of the next request, if the answer came `now`.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Span(span) => later(now, span),
            Self::Until(end) => end,
        }
    }
}

/// `Retry-After`, in seconds or as a date. A fraction of a second is rounded up.
#[must_use]
pub fn retry_after(head: &HeaderMap) -> Option<RetryAfter> {
    match head.get(RETRY_AFTER)?.to_str().ok().and_then(wait_in_words) {
        Some(span) => Some(RetryAfter::Span(rounded_up(span))),
        None => date(head, &RETRY_AFTER).map(RetryAfter::Until),
    }
}

/// A wait as servers write it: a number of seconds that may have a sign, a fraction or a unit (`4`,
/// `4.5`, `+5`, `5s`, `1500ms`, `2 min`). `None` if `text` is none or is below zero. At most a
/// year.
#[must_use]
pub fn wait_in_words(text: &str) -> Option<Duration> {
    let text = text.trim().trim_matches('"').trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit = text[number.len()..].trim().to_ascii_lowercase();
    let seconds = match unit.as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millis" | "milliseconds" => 0.001,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        _ => return None,
    };
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    wait_of_seconds(number.parse::<f64>().ok().filter(|_| is_number)? * seconds)
}

/// A wait of `seconds`, rounded up to the millisecond, at most a year. `None` if `seconds` is
/// negative.
#[must_use]
pub fn wait_of_seconds(seconds: f64) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a year has few seconds")]
    let longest = LONGEST as f64;
    let wait = Duration::try_from_secs_f64(seconds.min(longest)).ok()?;
    // A number such as 0.65 has no exact `f64`, and the nearest may be a little more.
    let nanoseconds = wait.subsec_nanos().saturating_sub(1000);
    let milliseconds = u64::from(nanoseconds.div_ceil(1_000_000));
    Some(Duration::from_secs(wait.as_secs()) + Duration::from_millis(milliseconds))
}

fn rounded_up(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

/// The time of the answer by its `Date`.
#[must_use]
pub fn answered_at(head: &HeaderMap) -> Option<Timestamp> {
    date(head, &DATE)
}

/// How long a server asks for no requests, from its answer on. `now` is the time of the answer if
/// it has no `Date`.
///
/// A date in `Retry-After` is compared with the server's `Date`, not with the local clock.
#[must_use]
pub fn wait_from_answer(head: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let answered = answered_at(head).unwrap_or(now);
    let wait = retry_after(head)?.end(answered).duration_since(answered);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// How long the answer stays fresh (RFC 9111, section 4.2). Unclear and contradictory headers are
/// ignored.
pub(super) fn freshness(head: &HeaderMap, now: Timestamp) -> Freshness {
    let control: Vec<String> = head
        .get_all(CACHE_CONTROL)
        .iter()
        .map(|value| header_text(value).to_ascii_lowercase())
        .collect();
    let mut directives = control.iter().flat_map(|value| value.split(',')).map(str::trim);
    if directives.clone().any(|directive| matches!(directive, "no-cache" | "no-store")) {
        return Freshness::default();
    }
    let max_age = directives.find_map(|directive| {
        directive.strip_prefix("max-age=").map(|age| whole_seconds(age.trim_matches('"')))
    });
    let fresh_for = match max_age {
        Some(age) => {
            age.map(|age| age.saturating_sub(head.get(AGE).and_then(seconds).unwrap_or_default()))
        }
        None => date(head, &EXPIRES).and_then(|end| {
            let start = date(head, &DATE).unwrap_or(now);
            Duration::try_from(end.duration_since(start))
                .ok()
                .map(|age| age.min(Duration::from_secs(LONGEST)))
        }),
    };
    Freshness { fresh_for: fresh_for.filter(|age| !age.is_zero()) }
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    whole_seconds(value.to_str().ok()?.trim())
}

/// A whole number of seconds, at most [`LONGEST`].
fn whole_seconds(digits: &str) -> Option<Duration> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    well_formed.then(|| Duration::from_secs(digits.parse().unwrap_or(LONGEST).min(LONGEST)))
}

fn date(head: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let when: SystemTime = httpdate::parse_http_date(head.get(name)?.to_str().ok()?).ok()?;
    Timestamp::try_from(when).ok()
}

/// The validators of an answer (RFC 9110, section 8.8), to be sent back byte for byte. Each `char`
/// stands for the byte with its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// The freshness of an answer by its headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// How long the answer stays fresh: `max-age` minus `Age`, else `Expires` minus `Date`. Never
    /// zero.
    pub fresh_for: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn now() -> Timestamp {
        "2024-05-01T12:00:00Z".parse().unwrap()
    }

    fn head(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[rstest]
    #[case("120", Some("2024-05-01T12:02:00Z"))]
    #[case("0", Some("2024-05-01T12:00:00Z"))]
    #[case("Wed, 01 May 2024 13:00:00 GMT", Some("2024-05-01T13:00:00Z"))]
    #[case("Wednesday, 01-May-24 13:00:00 GMT", Some("2024-05-01T13:00:00Z"))]
    #[case("99999999999999999999", Some("2025-05-01T12:00:00Z"))]
    #[case("soon", None)]
    #[case("-5", None)]
    #[case("", None)]
    fn retry_after_is_seconds_or_a_date(#[case] value: &'static str, #[case] until: Option<&str>) {
        let expected = until.map(|until| until.parse().unwrap());
        assert_eq!(
            retry_after(&head(&[("retry-after", value)])).map(|asked| asked.end(now())),
            expected
        );
    }

    #[rstest]
    #[case(&[("cache-control", "public, max-age=600")], Some(600))]
    #[case(&[("cache-control", "Max-Age=600"), ("age", "100")], Some(500))]
    #[case(&[("cache-control", "max-age=600"), ("age", "700")], None)]
    #[case(&[("cache-control", "max-age=60"), ("expires", "Wed, 01 May 2024 13:00:00 GMT")], Some(60))]
    #[case(&[("cache-control", "max-age=600, no-cache")], None)]
    #[case(&[("expires", "Wed, 01 May 2024 13:00:00 GMT")], Some(3600))]
    #[case(&[("expires", "Wed, 01 May 2024 13:00:00 GMT"), ("date", "Wed, 01 May 2024 12:30:00 GMT")], Some(1800))]
    #[case(&[("expires", "Wed, 01 May 2024 11:00:00 GMT")], None)]
    #[case(&[("expires", "0")], None)]
    #[case(&[("cache-control", "max-age=soon")], None)]
    #[case(&[], None)]
    fn freshness_is_what_the_headers_say(
        #[case] pairs: &[(&'static str, &'static str)],
        #[case] expected: Option<u64>,
    ) {
        assert_eq!(freshness(&head(pairs), now()).fresh_for, expected.map(Duration::from_secs));
    }

    #[test]
    fn validators_survive_byte_for_byte() {
        let mut sent = HeaderMap::new();
        sent.insert(ETAG, HeaderValue::from_bytes(b"W/\"\xe9\xff-1\"").unwrap());
        sent.insert(LAST_MODIFIED, HeaderValue::from_static("yesterday, about noon"));
        let back: HeaderMap = conditions(&validators(&sent)).collect();
        assert_eq!(back[IF_NONE_MATCH], sent[ETAG]);
        assert_eq!(back[IF_MODIFIED_SINCE], sent[LAST_MODIFIED]);
    }
}
