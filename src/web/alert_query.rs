//! What a request asks of the alerts: the parameters of its address.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::queries::moment::{Edge, parse_moment};
use crate::store::AlertFilter;
use tidings_rules::story::{FeedName, Severity};
use tidings_rules::text::tokenise;

/// The parameters by which alerts are filtered and paged. An empty one counts as absent.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlertQuery {
    rule: String,
    tag: String,
    feed: String,
    severity: String,
    held: String,
    since: String,
    until: String,
    words: String,
    /// Only alerts before the one with this number.
    #[serde(skip_serializing)]
    before: Option<i64>,
    /// Only alerts after the one with this number.
    #[serde(skip_serializing)]
    after: Option<i64>,
}

impl AlertQuery {
    /// The filter that is meant.
    pub(super) fn filter(&self, now: Timestamp, zone: &TimeZone) -> Result<AlertFilter, Problem> {
        let time = |text: &str, edge| {
            let read = (!text.is_empty()).then(|| parse_moment(text, edge, now, zone)).transpose();
            read.map_err(|why| Problem::bad_request(format!("{why}. {TIMES}")))
        };
        Ok(AlertFilter {
            rule: given(&self.rule),
            tag: given(&self.tag),
            feed: given(&self.feed).map(FeedName),
            severity: given(&self.severity).as_deref().map(severity).transpose()?,
            held: given(&self.held).as_deref().map(truth).transpose()?,
            since: time(&self.since, Edge::Start)?,
            until: time(&self.until, Edge::End)?,
            words: tokenise(&self.words).into_iter().map(|token| token.word).collect(),
            after: self.after,
            before: self.before,
        })
    }

    /// Whether only alerts after a certain one are asked for.
    pub(super) fn is_after(&self) -> bool {
        self.after.is_some()
    }

    /// The address of the alerts before the one with the number `before`, at `path`.
    pub(super) fn next_page(&self, path: &str, before: i64) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.filters() {
            pairs.append_pair(name, value);
        }
        pairs.append_pair("before", &before.to_string());
        format!("{path}?{}", pairs.finish())
    }

    /// The filters as the query of an address, empty without any.
    pub(super) fn to_query(&self) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(self.filters());
        pairs.finish()
    }

    fn filters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("rule", &self.rule),
            ("tag", &self.tag),
            ("feed", &self.feed),
            ("severity", &self.severity),
            ("held", &self.held),
            ("since", &self.since),
            ("until", &self.until),
            ("words", &self.words),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.as_str()))
    }
}

const TIMES: &str = "Write a day (2026-11-24), a time (2026-11-24 08:00), or how long ago (30d).";

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn severity(name: &str) -> Result<Severity, Problem> {
    let named = Severity::ALL.into_iter().find(|severity| severity.as_str() == name);
    named.ok_or_else(|| {
        let known = Severity::ALL.map(Severity::as_str).join(", ");
        Problem::bad_request(format!("There is no severity `{name}`. It is one of {known}."))
    })
}

fn truth(word: &str) -> Result<bool, Problem> {
    let unknown = |_| Problem::bad_request(format!("`held` is true or false, not `{word}`."));
    word.parse().map_err(unknown)
}
