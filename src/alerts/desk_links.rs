//! The pages of the desk to which a message leads.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::alerts::{Content, RuleMatch};

/// How long the proposed silence lasts.
const MUTED: &str = "8h";

/// The addresses of pages of the desk about an alert. None of them changes anything by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskLinks {
    /// The page of the event.
    pub open: String,
    /// The page that asks whether to mute the rule; the event, if several rules matched.
    pub mute: String,
    /// The page that shows the story as an example that a rule must ignore.
    pub not_relevant: String,
}

impl DeskLinks {
    /// The pages at `desk`, its public address; `None` if `content` is no alert.
    #[must_use]
    pub fn of(desk: &Url, content: &Content) -> Option<Self> {
        let Content::Alert { event, rules, .. } = content else { return None };
        let page = |segments: &[&str]| {
            let mut page = desk.clone();
            page.path_segments_mut().ok()?.pop_if_empty().extend(segments);
            Some(page)
        };
        let open = page(&["events", event])?;
        let mut mute = page(&["silences"])?;
        let (kind, name) = match rules.as_slice() {
            [RuleMatch { rule, .. }] => ("rule", rule),
            _ => ("event", event),
        };
        let asked = [("kind", kind), ("name", name), ("until", MUTED)];
        mute.query_pairs_mut().extend_pairs(asked);
        let mut not_relevant = open.clone();
        not_relevant.set_fragment(Some("not-relevant"));
        Some(Self { open: open.into(), mute: mute.into(), not_relevant: not_relevant.into() })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::alerts::StorySummary;
    use tidings_rules::story::{Read, Severity};

    fn alert(rules: &[&str]) -> Content {
        let story = StorySummary {
            title: "Freight".to_owned(),
            opening: None,
            url: None,
            published: None,
            first_seen: Timestamp::UNIX_EPOCH,
            lang: None,
        };
        let rule_match = |rule: &&str| RuleMatch {
            rule: (*rule).to_owned(),
            row: None,
            version: String::new(),
            text_sha256: None,
            severity: Severity::Low,
            why: None,
            owner: None,
            tags: Vec::new(),
            condition: None,
            evidence: Vec::new(),
        };
        Content::Alert {
            event: "e1".to_owned(),
            story,
            read: Read::Full,
            update: None,
            feeds: Vec::new(),
            rules: rules.iter().map(rule_match).collect(),
        }
    }

    #[test]
    fn an_alert_leads_to_its_event_and_asks_to_mute_what_matched() {
        for (desk, rules, mute) in [
            ("https://d.example", &["a", "b"][..], "kind=event&name=e1"),
            ("https://d.example/", &["oil & gas/\u{e9}"], "kind=rule&name=oil+%26+gas%2F%C3%A9"),
        ] {
            let links = DeskLinks::of(&desk.parse().unwrap(), &alert(rules)).unwrap();
            assert_eq!(links.open, "https://d.example/events/e1");
            assert_eq!(links.not_relevant, "https://d.example/events/e1#not-relevant");
            assert_eq!(links.mute, format!("https://d.example/silences?{mute}&until=8h"));
        }
        assert_eq!(DeskLinks::of(&"https://d.example".parse().unwrap(), &Content::Test), None);
    }
}
