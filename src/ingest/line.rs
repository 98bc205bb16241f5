//! Parses one line of JSON Lines to a story: for backtests, and for stories from elsewhere.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::rfc2822};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use tidings_rules::story::Story;

/// The help for a line that is not a story.
pub(crate) const HELP: &str =
    r#"write one object a line, with texts in quotes: {"title": "…", "body": "…"}"#;

/// Why a line is not a story.
#[derive(Debug)]
pub(crate) struct LineProblem {
    /// The byte of the line at which the problem is. It may be the line's length.
    pub(crate) at: usize,
    /// The problem, in words.
    pub(crate) message: String,
}

/// A story as a line gives it. Other keys are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct StoryLine {
    /// The headline.
    pub(crate) title: String,
    /// The text.
    pub(crate) body: String,
    /// Its id.
    #[serde(default, deserialize_with = "deserialize_id")]
    pub(crate) id: Option<String>,
    /// The address of its page.
    pub(crate) url: Option<String>,
    /// When it was published.
    #[serde(default, deserialize_with = "deserialize_time")]
    pub(crate) published: Option<Timestamp>,
    /// Its language.
    pub(crate) lang: Option<String>,
    /// Its authors.
    #[serde(default, deserialize_with = "deserialize_names")]
    pub(crate) authors: Vec<String>,
    /// Its categories.
    #[serde(default, deserialize_with = "deserialize_names")]
    pub(crate) tags: Vec<String>,
    /// The publisher from which it was taken.
    pub(crate) source: Option<String>,
    /// The feed that receives it. A backtest does not ask.
    pub(crate) feed: Option<String>,
}

impl StoryLine {
    /// Parses a line of JSON (RFC 8259) in UTF-8.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, LineProblem> {
        let text = str::from_utf8(line).map_err(|why| LineProblem {
            at: why.valid_up_to(),
            message: "this is not UTF-8".to_owned(),
        })?;
        // Serde would read an array of texts as the values of an object.
        let start = text.len() - text.trim_start().len();
        if !text[start..].starts_with('{') {
            return Err(LineProblem { at: start, message: "a story is a JSON object".to_owned() });
        }
        serde_json::from_str(text).map_err(|why| json_problem(&why))
    }

    /// The story of the past. It counts as first seen when it was published. So a rule that has
    /// expired since still matches it. A story without a date counts as first seen at `now`.
    pub(crate) fn into_past_story(self, now: Timestamp) -> Story {
        Story {
            title: self.title,
            body: self.body,
            url: self.url,
            published: self.published,
            first_seen: self.published.unwrap_or(now),
            lang: self.lang,
            authors: self.authors,
            tags: self.tags,
            source: self.source,
        }
    }
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

/// A list of names, or one name in its place.
fn deserialize_names<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        None,
        One(String),
        Many(Vec<String>),
    }
    match Names::deserialize(value) {
        Ok(Names::None) => Ok(Vec::new()),
        Ok(Names::One(name)) => Ok(vec![name]),
        Ok(Names::Many(names)) => Ok(names),
        Err(_) => Err(D::Error::custom("`authors` and `tags` are lists of texts")),
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

    fn parse_past(line: &[u8]) -> Result<(Option<String>, Story), LineProblem> {
        let line = StoryLine::parse(line)?;
        Ok((line.id.clone(), line.into_past_story(Timestamp::UNIX_EPOCH)))
    }

    fn with(key_and_value: &str) -> Result<(Option<String>, Story), LineProblem> {
        parse_past(format!(r#"{{"title": "a", "body": "b", {key_and_value}}}"#).as_bytes())
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
        let problem = parse_past(line.as_bytes()).unwrap_err();
        assert!(
            problem.message.contains(message) && !problem.message.contains(" line "),
            "{problem:?}"
        );
        assert_eq!(problem.at, at);
    }
}
