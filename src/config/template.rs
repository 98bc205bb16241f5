//! A user's template for messages. It is bounded in time and size, and tested with a sample of
//! every kind of message.

mod bounds;

use std::io;
use std::sync::Arc;

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

/// The most steps of one rendering.
const FUEL: u64 = 200_000;

/// The largest message, in bytes.
const LARGEST: usize = 256 << 10;

/// The number of characters that distinguish a headline from others.
const MARK: usize = 12;

/// The most values of a list or map that are written at once, with the values inside them.
const MOST_WRITTEN: usize = LARGEST;

const NAME: &str = "message";

/// A sample of every kind of message as templates see it. The first is an alert with every property
/// that an alert can have.
const SAMPLES: [(&str, &str); 4] = [
    ("alert", include_str!("template/alert.json")),
    ("digest", include_str!("template/digest.json")),
    ("notice", include_str!("template/notice.json")),
    ("test", include_str!("template/test.json")),
];

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateFailure {
    /// The kind of message with which it fails.
    pub(super) sample: &'static str,
    /// The reason for a person, with the line.
    pub(super) why: String,
}

/// The kind of text that a template writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// JSON. Every value is written as JSON, strings with their quotes.
    Json,
    /// Text. Every value is written unchanged.
    Text,
}

/// A template without faults.
#[derive(Clone)]
pub struct Template {
    environment: Arc<Environment<'static>>,
    /// The kind of text that it writes.
    pub writes: Writes,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.writes == other.writes && self.source() == other.source()
    }
}

impl Template {
    /// Its text.
    pub(super) fn source(&self) -> Option<String> {
        self.environment.get_template(NAME).ok().map(|found| found.source().to_owned())
    }

    /// The template in `source`, tested with a sample of every kind of message. With the sample
    /// alert, an unknown name is an error. Other kinds of messages lack many properties of an
    /// alert, so an unknown name is empty there, as it is when messages are sent.
    ///
    /// # Errors
    /// If it fails with one of the samples.
    pub(super) fn new(source: &str, writes: Writes) -> Result<Self, TemplateFailure> {
        let with = |undefined| Self::with(source.to_owned(), writes, undefined);
        let failed = |sample| move |why| TemplateFailure { sample, why };
        bounds::check(source).map_err(failed(SAMPLES[0].0))?;
        let strict = with(UndefinedBehavior::Strict).map_err(failed(SAMPLES[0].0))?;
        strict.try_with(SAMPLES[0].1).map_err(failed(SAMPLES[0].0))?;
        let template = with(UndefinedBehavior::Chainable).map_err(failed(SAMPLES[0].0))?;
        for (name, sample) in SAMPLES {
            template.try_with(sample).map_err(failed(name))?;
        }
        Ok(template)
    }

    fn try_with(&self, sample: &str) -> Result<Vec<u8>, String> {
        let sample = serde_json::from_str(sample).map_err(|error| error.to_string())?;
        self.render(&sample)
    }

    /// The kinds of messages about stories that this template writes without a headline or link of
    /// their stories.
    pub(super) fn silent_samples(&self) -> Vec<&'static str> {
        let of_stories = SAMPLES.iter().filter(|(name, _)| ["alert", "digest"].contains(name));
        let is_silent = |sample: &str| {
            let Ok(written) = self.try_with(sample) else { return false };
            let written = String::from_utf8_lossy(&written).to_lowercase();
            let sample: Value = serde_json::from_str(sample).unwrap_or_default();
            !story_marks(&sample).iter().any(|mark| written.contains(mark.as_str()))
        };
        of_stories.filter(|(_, sample)| is_silent(sample)).map(|(name, _)| *name).collect()
    }

    fn with(source: String, writes: Writes, undefined: UndefinedBehavior) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(undefined);
        environment.set_auto_escape_callback(move |_| match writes {
            Writes::Json => AutoEscape::Json,
            Writes::Text => AutoEscape::None,
        });
        environment.set_formatter(|out, state, value| {
            if is_longer_than(value, &mut { MOST_WRITTEN }) {
                return Err(ErrorKind::OutOfFuel.into());
            }
            minijinja::escape_formatter(out, state, value)
        });
        environment.add_template_owned(NAME, source).map_err(|error| explain(&error))?;
        Ok(Self { environment: Arc::new(environment), writes })
    }

    /// Renders the message for `alert`. `alert` has the properties of the standard JSON of
    /// webhooks, and `title`, `severity`, `link` and `text`. A property that it lacks is written as
    /// nothing.
    ///
    /// # Errors
    /// With the reason for a person, if the template takes too many steps, writes too much, or
    /// writes no JSON although it should.
    pub fn render(&self, alert: &Value) -> Result<Vec<u8>, String> {
        let mut message = Capped(Vec::new());
        let template = self.environment.get_template(NAME).map_err(|error| explain(&error))?;
        template.render_captured_to(Serde(alert), &mut message).map_err(|error| explain(&error))?;
        if self.writes == Writes::Json {
            let broken = |error| {
                format!(
                    "its output is not JSON: {error}; write a value without quotes around it: {{{{ title }}}}"
                )
            };
            serde_json::from_slice::<serde::de::IgnoredAny>(&message.0).map_err(broken)?;
        }
        Ok(message.0)
    }
}

/// Whether a list or map holds more values than `left`. Subtracts the values that it holds from
/// `left`.
fn is_longer_than(value: &minijinja::Value, left: &mut usize) -> bool {
    let kind = value.kind();
    if !matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return false;
    }
    // A value without a length may be an iterator, which can be read only once.
    match value.len() {
        Some(length) if length > *left => return true,
        Some(_) => {}
        None => return false,
    }
    let Ok(values) = value.try_iter() else { return false };
    for inner in values {
        let Some(fewer) = left.checked_sub(1) else { return true };
        *left = fewer;
        let inner =
            if kind == ValueKind::Map { value.get_item(&inner).unwrap_or(inner) } else { inner };
        if is_longer_than(&inner, left) {
            return true;
        }
    }
    false
}

/// The texts that show that a message is about the stories of a sample, in lower case: the
/// beginnings of their headlines, because a template may cut them, and their links without the
/// scheme, because a template may replace it.
fn story_marks(sample: &Value) -> Vec<String> {
    let entries = sample["rules"].as_array().into_iter().flatten();
    let gathered = entries.flat_map(|rule| rule["stories"].as_array().into_iter().flatten());
    let mut stories: Vec<&Value> = gathered.map(|entry| &entry["story"]).collect();
    if stories.is_empty() {
        stories.push(&sample["story"]);
    }
    let headlines = stories.iter().filter_map(|story| story["title"].as_str());
    let beginnings = headlines.map(|headline| headline.chars().take(MARK).collect::<String>());
    let links = stories.iter().filter_map(|story| story["url"].as_str());
    let ends = links.filter_map(|link| Some(link.split_once("://")?.1.to_owned()));
    beginnings.chain(ends).map(|mark| mark.to_lowercase()).collect()
}

fn explain(error: &Error) -> String {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too many steps".to_owned(),
        (ErrorKind::WriteFailure, _) => format!("it writes more than {} kB", LARGEST >> 10),
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
    };
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

/// The written text, up to [`LARGEST`] bytes.
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn fault(source: &str, writes: Writes) -> String {
        Template::new(source, writes).expect_err("a fault").why
    }

    #[rstest]
    #[case("{% if %}", "line 1: syntax error: unexpected end of block")]
    #[case("\n{{ titel }}", "line 2: undefined value")]
    #[case("{{ story.titel }}", "line 1: undefined value")]
    #[case("{{ title | shout }}", "line 1: unknown filter: filter shout is unknown")]
    #[case("{% include 'more' %}", "line 1: template not found: ")]
    #[case(
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "line 1: it takes too many steps"
    )]
    #[case(
        "{% for a in range(9999) %}{{ '0123456789012345678901234567890123456789' }}{% endfor %}",
        "it writes more than 256 kB"
    )]
    fn what_is_wrong_is_said_with_its_line(#[case] source: &str, #[case] said: &str) {
        let fault = fault(source, Writes::Text);
        assert!(fault.starts_with(said), "{fault}");
    }

    #[test]
    fn json_must_be_json_and_quotes_are_its_own() {
        assert!(
            fault("{\"text\": \"{{ title }}\"}", Writes::Json).contains("its output is not JSON")
        );
        let template =
            Template::new("{\"text\": {{ title }}, \"all\": {{ rules }}}", Writes::Json).unwrap();
        let hostile = "\", \"channel\": \"#all\", \"x\": \"\n\u{7}";
        let message = template.render(&json!({"title": hostile, "rules": [1]})).unwrap();
        let message: Value = serde_json::from_slice(&message).unwrap();
        assert_eq!(message, json!({"text": hostile, "all": [1]}));
    }

    #[rstest]
    #[case::of_its_own("{% if type == 'digest' %}{{ title | shout_it }}{% endif %}", "digest")]
    #[case::no_link("{{ link | length }}", "digest")]
    #[case::only_a_notice("{% if type == 'notice' %}{{ 1 / 0 }}{% endif %}", "notice")]
    #[case::only_a_test("{% if type == 'test' %}\n{{ link | length }}{% endif %}", "test")]
    fn it_is_tried_with_every_kind_of_message(#[case] source: &str, #[case] sample: &str) {
        let failure = Template::new(source, Writes::Text).expect_err("a failure");
        assert_eq!(failure.sample, sample, "{}", failure.why);
        assert!(failure.why.starts_with("line "), "{}", failure.why);
    }

    #[rstest]
    #[case::of_no_digest(r#"{"text": {{ story.title }}, "u": {{ story.url }}}"#, &["digest"])]
    #[case::of_nothing(r#"{"text": "news", "severity": {{ severity }}}"#, &["alert", "digest"])]
    #[case::only_digests(r#"{"text": {% if type == "digest" %}{{ rules }}{% else %}1{% endif %}}"#, &["alert"])]
    #[case::all_words(r#"{"text": {{ text }}}"#, &[])]
    #[case::all_rules(r#"{"text": {{ title }}, "rules": {{ rules }}}"#, &[])]
    #[case::links_alone(r#"[{{ link }}, {% if type == "digest" %}{% for g in rules %}{% for s in g.stories %}{{ s.story.url }},{% endfor %}{% endfor %}{% endif %} 0]"#, &[])]
    #[case::cut_and_loud(r#"{"text": {{ title[:20] | upper }}, "all": {{ text | upper }}}"#, &[])]
    fn a_template_that_omits_the_stories_is_found(#[case] source: &str, #[case] silent: &[&str]) {
        assert_eq!(Template::new(source, Writes::Json).unwrap().silent_samples(), silent);
    }

    /// Templates that are long, deeply nested or costly.
    fn hostile() -> Vec<String> {
        let long = 20_000;
        let mut all: Vec<String> = [
            ("{{ ", "-", "1", "", " }}"),
            ("{{ ", "not -", "1", "", " }}"),
            ("{{ 1", "~1", "", "", " }}"),
            ("{{ 1", "**1", "", "", " }}"),
            ("{{ ", "1 if 0 else ", "1", "", " }}"),
            ("{{ 1", " if 1", "", "", " }}"),
            ("{{ 1", " is defined", "", "", " }}"),
            ("{{ 1", "|default(1", "", ")", " }}"),
            ("{{ a", "[1:2]", "", "", " }}"),
            ("{{ ", "a[", "1", "]", " }}"),
            ("{{ ", "(", "1", ")", " }}"),
            ("{{ ", "[", "1", "]", " }}"),
            ("{% if 0 %}", "{% elif 0 %}", "", "", "{% endif %}"),
            ("", "{% if 1 %}", "", "{% endif %}", ""),
            ("", "{% for a in [1] %}", "", "{% endfor %}", ""),
            ("", "{% set a %}", "", "{% endset %}", ""),
            ("", "{% with %}", "", "{% endwith %}", ""),
            ("", "{% filter upper %}", "", "{% endfilter %}", ""),
            ("", "{% raw %}", "", "", ""),
            ("", "{#", "", "", ""),
        ]
        .into_iter()
        .map(|(start, one, middle, other, end)| {
            // In a debug build, the parser cannot count the columns of a longer line.
            let many = |part: &str| format!("{part}\n").repeat(long);
            [start, &many(one), middle, &many(other), end].concat()
        })
        .collect();
        all.extend(
            [
                "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
                "{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
                "{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
                "{% set ns = namespace(a='x') %}{% for i in range(64) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
                "{{ 'x' * 100000000 }}",
                "{{ [1] * 100000000 }}",
                "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
                "{{ 9 ** 9 ** 9 ** 9 }}",
                "{{ '%1000000000d' | format(1) }}",
                "{{ 'a' | indent(1000000000) }}",
                "{{ range(100000) | list | tojson }}",
                "{% for i in range(9999) %}{{ rules | tojson | length }}{% endfor %}",
                "{% for i in range(9999) %}{{ rules | sort | string | upper | length }}{% endfor %}",
            ]
            .map(str::to_owned),
        );
        all.push(format!("{{{{ [{}] }}}}", "1,\n".repeat(60_000)));
        all.push("{{ 'x' * 1000 ~ 'y' }}\n".repeat(5_000));
        all.push(format!("{{{{ 1{} }}}}\n", "~1".repeat(240)).repeat(500));
        all
    }

    /// The time that this thread had of a processor. What else runs adds nothing to it.
    fn thread_seconds() -> i64 {
        rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
    }

    #[test]
    fn no_template_aborts_or_takes_long() {
        for source in hostile() {
            let shown: String = source.chars().take(60).collect();
            let before = thread_seconds();
            for writes in [Writes::Text, Writes::Json] {
                Template::new(&source, writes).map(drop).unwrap_or_default();
            }
            let seconds = thread_seconds() - before;
            // A build without optimisation is about twenty times slower.
            assert!(seconds < 20, "{shown}: {seconds} s");
        }
    }

    #[test]
    fn what_an_alert_lacks_is_nothing_when_it_matters() {
        let template = Template::new("{{ title }}: {{ rules[0].why }}", Writes::Text).unwrap();
        assert_eq!(template.render(&json!({"title": "A <b>", "rules": [{}]})).unwrap(), b"A <b>: ");
    }
}
