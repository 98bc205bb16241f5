//! Parses one line of JSON Lines to a story.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::rfc2822};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use tidings_rules::story::Story;

/// The help for a line that is not a story.
pub(super) const HELP: &str =
    r#"write one object a line, with texts in quotes: {"title": "…", "body": "…"}"#;

/// Why a line is not a story.
#[derive(Debug)]
pub(super) struct LineProblem {
    /// The byte of the line at which the problem is. It may be the line's length.
    pub(super) at: usize,
    /// The problem, in words.
    pub(super) message: String,
}

/// The keys that are read. Other keys are ignored.
#[derive(Deserialize)]
struct StoryLine {
    title: String,
    body: String,
    #[serde(default, deserialize_with = "deserialize_id")]
    id: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "deserialize_time")]
    published: Option<Timestamp>,
    lang: Option<String>,
}

/// Parses a line of JSON (RFC 8259) in UTF-8 to a story and its `id`, if it has one. The story
/// counts as first seen when it was published. So a rule that has expired since still matches it. A
/// story without a date counts as first seen at `now`.
pub(super) fn parse_line(
    line: &[u8],
    now: Timestamp,
) -> Result<(Option<String>, Story), LineProblem> {
    let text = str::from_utf8(line).map_err(|why| LineProblem {
        at: why.valid_up_to(),
        message: "this is not UTF-8".to_owned(),
    })?;
    // Serde would read an array of texts as the values of an object.
    let start = text.len() - text.trim_start().len();
    if !text[start..].starts_with('{') {
        return Err(LineProblem { at: start, message: "a story is a JSON object".to_owned() });
    }
    let line: StoryLine = serde_json::from_str(text).map_err(|why| json_problem(&why))?;
    let story = Story {
        title: line.title,
        body: line.body,
        url: line.url,
        published: line.published,
        first_seen: line.published.unwrap_or(now),
        lang: line.lang,
        authors: Vec::new(),
        tags: Vec::new(),
        source: None,
    };
    Ok((line.id, story))
}

fn json_problem(error: &serde_json::Error) -> LineProblem {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    LineProblem {
        at: error.column().saturating_sub(1),
        message: format!("this is not a story: {message}"),
    }
}

fn deserialize_id<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(value)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("`id` is neither a text nor a number")),
    }
}

/// Parses a time in the form of RFC 3339 or RFC 2822. A date, or a time without a zone, is in UTC.
fn deserialize_time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(value)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let in_utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    let time = text.parse().ok();
    let time = time.or_else(|| rfc2822::parse(&text).ok().map(|time| time.timestamp()));
    let time = time.or_else(|| text.parse().ok().and_then(in_utc));
    time.map(Some)
        .ok_or_else(|| D::Error::custom("`published` is not written like 2026-11-24T10:30:00Z"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(key_and_value: &str) -> Result<(Option<String>, Story), LineProblem> {
        parse_line(
            format!(r#"{{"title": "a", "body": "b", {key_and_value}}}"#).as_bytes(),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_line_gives_a_story_and_unknown_keys_are_passed_over() {
        let (id, story) =
            with(r#""url": "https://example.org/", "lang": "fr", "more": [{}]"#).unwrap();
        assert_eq!((id, story.title.as_str(), story.body.as_str()), (None, "a", "b"));
        assert_eq!(
            (story.url.as_deref(), story.lang.as_deref()),
            (Some("https://example.org/"), Some("fr"))
        );
    }

    #[rstest]
    #[case(r#""x y""#, Some("x y"))]
    #[case("7", Some("7"))]
    #[case("null", None)]
    fn an_id_is_a_text_or_a_number(#[case] written: &str, #[case] expected: Option<&str>) {
        assert_eq!(with(&format!("\"id\": {written}")).unwrap().0.as_deref(), expected);
    }

    #[rstest]
    #[case("2026-11-24T10:30:00+01:00", Some("2026-11-24T09:30:00Z"))]
    #[case("2026-11-24T10:30:00", Some("2026-11-24T10:30:00Z"))]
    #[case("2026-11-24", Some("2026-11-24T00:00:00Z"))]
    #[case("Tue, 24 Nov 2026 10:30:00 GMT", Some("2026-11-24T10:30:00Z"))]
    #[case("", None)]
    fn times_are_read_as_people_write_them(#[case] written: &str, #[case] expected: Option<&str>) {
        let story = with(&format!("\"published\": {written:?}")).unwrap().1;
        assert_eq!(story.published.map(|time| time.to_string()).as_deref(), expected);
        assert_eq!(story.first_seen, story.published.unwrap_or(Timestamp::UNIX_EPOCH));
    }

    #[rstest]
    #[case("[\"a\", \"b\"]", 0, "a story is a JSON object")]
    #[case("{\"title\": \"a\"}", 13, "missing field `body`")]
    #[case("{\"title\": 5, \"body\": \"\"}", 10, "expected a string")]
    #[case("{\"title\": \"a\", \"body\": \"\", \"id\": []}", 35, "neither a text nor a number")]
    #[case(
        "{\"title\": \"a\", \"body\": \"\", \"published\": \"soon\"}",
        46,
        "`published` is not written like"
    )]
    #[case("{\"title\": \"a\", \"body\": \"\"} {}", 27, "trailing characters")]
    fn what_is_no_story_says_where_and_why(
        #[case] line: &str,
        #[case] at: usize,
        #[case] message: &str,
    ) {
        let problem = parse_line(line.as_bytes(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            problem.message.contains(message) && !problem.message.contains(" line "),
            "{problem:?}"
        );
        assert_eq!(problem.at, at);
    }
}
