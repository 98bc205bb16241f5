//! The templates of the pages. All values are escaped.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::assets;
use crate::queries::moment::{exact_time, short_date};
use tidings_rules::text::visible_line;

/// What stays as it is in a segment of a path: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The templates by name.
macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

const SOURCES: [(&str, &str); 15] = sources![
    "base.html",
    "macros.html",
    "alerts.html",
    "alert.html",
    "event.html",
    "feeds.html",
    "feed.html",
    "rules.html",
    "rule.html",
    "silences.html",
    "deliveries.html",
    "status.html",
    "try.html",
    "problem.html",
    "alerts.atom.xml",
];

/// The zone in which a page shows times.
#[derive(Debug)]
pub(super) struct ShownZone(pub(super) TimeZone);

impl Object for ShownZone {}

/// All templates, compiled.
///
/// # Panics
/// A template has a syntax error, which a test finds.
pub(super) fn compile() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_filter("visible", |text: &str| visible_line(text));
    templates.add_filter("segment", segment);
    templates.add_filter("human_bytes", |bytes: u64| indicatif::HumanBytes(bytes).to_string());
    templates.add_filter("web_link", web_link);
    templates
        .add_filter("short_time", |state: &State<'_, '_>, at: &str| show(state, at, short_date));
    templates
        .add_filter("exact_time", |state: &State<'_, '_>, at: &str| show(state, at, exact_time));
    // They are hashed once.
    templates.add_global("style", assets::style_path());
    templates.add_global("script", assets::script_path());
    templates.add_global("icon", assets::icon_path());
    for (name, source) in SOURCES {
        templates.add_template(name, source).expect("a test compiles every template");
    }
    templates
}

/// A name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// The address, if it leads to a page of the web.
fn web_link(address: Option<String>) -> Option<String> {
    address.filter(|address| ["http://", "https://"].iter().any(|web| address.starts_with(web)))
}

/// A time as JSON has it, in the zone of the page.
fn show(
    state: &State<'_, '_>,
    at: &str,
    form: fn(Timestamp, &TimeZone) -> String,
) -> Result<String, Error> {
    let at = at.parse().map_err(|why| {
        Error::new(ErrorKind::InvalidOperation, format!("{at} is no time: {why}"))
    })?;
    shown_zone(state).map(|zone| form(at, &zone))
}

fn shown_zone(state: &State<'_, '_>) -> Result<TimeZone, Error> {
    let zone = state.lookup("zone");
    let zone = zone.as_ref().and_then(|zone| zone.downcast_object_ref::<ShownZone>());
    let missing = || Error::new(ErrorKind::InvalidOperation, "the page has no zone");
    zone.map(|zone| zone.0.clone()).ok_or_else(missing)
}

/// A zone as a value of a template.
pub(super) fn zone_value(zone: TimeZone) -> Value {
    Value::from_dyn_object(Arc::new(ShownZone(zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        assert_eq!(compile().templates().count(), SOURCES.len());
    }

    #[test]
    fn only_pages_of_the_web_are_links() {
        for (address, is_link) in [
            ("https://wire.example/1", true),
            ("http://wire.example/1", true),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            (" https://wire.example", false),
        ] {
            assert_eq!(web_link(Some(address.to_owned())).is_some(), is_link, "{address}");
        }
    }
}
