//! One alert for people: its match, its evidence, and the state of every message.

use anstyle::Style;
use jiff::tz::TimeZone;

use crate::cli::clauses::{TextLayout, quote_evidence};
use crate::queries::moment::{exact_time, long_date};
use crate::queries::standing::Standing;
use crate::store::{AlertRecord, Attempt, Message, PastAlert};
use tidings_rules::story::Evidence;
use tidings_rules::text::visible_line;

const TITLE: Style = Style::new().bold();

const UNSENT: &str = "It was sent to nobody.";
const HELD: &str = "It is held: nobody was told.";

/// The whole report, ending in a line break.
pub(super) fn format_alert(record: &AlertRecord, zone: &TimeZone, layout: TextLayout) -> String {
    let past = &record.past;
    let title = visible_line(past.story.headline());
    let mut lines = vec![layout.paint(&layout.wrap(title.trim(), "", 2), TITLE)];
    lines
        .extend(alert_facts(record, zone).into_iter().map(|(name, text)| layout.fact(name, &text)));
    lines.push(String::new());
    lines.extend(past.rule_match.evidence.iter().map(|evidence| evidence_line(evidence, layout)));
    lines.push(String::new());
    lines.extend(rule_lines(record, layout));
    lines.push(String::new());
    if record.messages.is_empty() {
        lines.push(if past.held { HELD } else { UNSENT }.to_owned());
    }
    lines.extend(record.messages.iter().flat_map(|message| message_lines(message, zone, layout)));
    lines.join("\n") + "\n"
}

fn alert_facts(record: &AlertRecord, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let past = &record.past;
    let PastAlert { id, created, story, read, feeds, rule_match, event, .. } = past;
    let feeds = feeds.iter().map(|seen| format!("{} ({})", seen.feed, long_date(seen.seen, zone)));
    let state = rule_match.condition.as_ref();
    let counts_until = state.filter(|_| past.held).and_then(|state| state.counts_until);
    let text = rule_match.text_sha256.as_ref().map(|hash| {
        let now = if *hash == record.text_now_sha256 {
            "same as the stored text"
        } else {
            "the stored text has changed since"
        };
        format!("SHA-256 {hash}, {now}")
    });
    [
        ("alert", Some(id.to_string())),
        ("rule", Some(rule_match.rule.clone())),
        ("row", rule_match.row.as_ref().map(ToString::to_string)),
        ("severity", Some(rule_match.severity.as_str().to_owned())),
        ("why", rule_match.why.clone()),
        ("owner", rule_match.owner.clone()),
        ("tags", (!rule_match.tags.is_empty()).then(|| rule_match.tags.join(", "))),
        ("matched", Some(long_date(*created, zone))),
        ("condition", state.map(|state| state.condition.clone())),
        ("standing", Standing::of(past).map(|standing| standing.words(zone))),
        ("counts", counts_until.map(|at| format!("until {}", long_date(at, zone)))),
        ("link", story.url.clone()),
        ("published", story.published.map(|at| long_date(at, zone))),
        ("seen", Some(long_date(story.first_seen, zone))),
        ("feeds", Some(feeds.collect::<Vec<_>>().join(", "))),
        ("read", Some(read.to_string())),
        ("text", text),
        ("event", Some(event.clone())),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name, text?)))
    .collect()
}

/// What was found, and the sentence that shows it.
fn evidence_line(evidence: &Evidence, layout: TextLayout) -> String {
    let clause = evidence.clause.as_ref().filter(|clause| **clause != evidence.term);
    let of = clause.map_or_else(String::new, |clause| format!(" for {}", visible_line(clause)));
    layout.wrap(
        &format!("{}{of} — {}", visible_line(&evidence.term), quote_evidence(evidence, layout)),
        "  ",
        4,
    )
}

/// The rule's text as it was.
fn rule_lines(record: &AlertRecord, layout: TextLayout) -> Vec<String> {
    let Some(text) = &record.rule_text else {
        return vec!["The text of the rule at that time is not stored.".to_owned()];
    };
    let head = format!(
        "The rule at that time ({}):",
        record.past.rule_match.version.get(..12).unwrap_or_default()
    );
    let lines = text.lines().map(|line| {
        let indent = 4 + line.len() - line.trim_start().len();
        layout.wrap(&visible_line(line.trim_start()), &" ".repeat(indent), indent + 2)
    });
    std::iter::once(head).chain(lines).collect()
}

fn message_lines(message: &Message, zone: &TimeZone, layout: TextLayout) -> Vec<String> {
    let (receiver, state) = (message.receiver.to_string(), message.status);
    let head = format!(
        "Message {} for {}: {state}, written {}",
        message.id,
        visible_line(&receiver),
        long_date(message.created, zone)
    );
    let tries =
        message.attempts.iter().map(|attempt| layout.wrap(&attempt_line(attempt, zone), "    ", 6));
    std::iter::once(layout.wrap(&head, "", 2)).chain(tries).collect()
}

fn attempt_line(attempt: &Attempt, zone: &TimeZone) -> String {
    let ended = attempt
        .ended
        .map_or_else(|| "under way".to_owned(), |at| format!("to {}", exact_time(at, zone)));
    let outcome =
        attempt.outcome.map_or_else(String::new, |outcome| format!(": {}", outcome.as_str()));
    let reply = attempt
        .reply
        .as_deref()
        .map_or_else(String::new, |reply| format!(", {}", visible_line(reply)));
    format!("{} {ended}{outcome}{reply}", exact_time(attempt.started, zone))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::fixture::{alert_record, conditional_alert};
    use super::*;
    use tidings_rules::story::Read;

    const LAYOUT: TextLayout = TextLayout { width: 80, colour: false };

    #[test]
    fn an_alert_with_all_that_became_of_it() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_snapshot!(format_alert(&alert_record(), &zone, LAYOUT));
    }

    #[test]
    fn it_says_how_much_was_read_and_why() {
        for (read, said) in [
            (Read::Full, "  read       the whole text\n"),
            (
                Read::Partial("the page is behind a paywall".to_owned()),
                "  read       part of the article: the page is behind a paywall\n",
            ),
        ] {
            let mut record = alert_record();
            record.past.read = read;
            let report = format_alert(&record, &TimeZone::UTC, LAYOUT);
            assert!(report.contains(said), "{report}");
        }
    }

    #[test]
    fn it_says_that_its_condition_holds_it() {
        let past = conditional_alert(true, false, Some("1 of 3 publishers: afp.com"));
        let held = AlertRecord { past, messages: Vec::new(), ..alert_record() };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let report = format_alert(&held, &zone, LAYOUT);
        for said in [
            "  condition  3 publishers within 6h\n",
            "  standing   held: 1 of 3 publishers: afp.com\n",
            "  counts     until Thu 12 Mar 2026, 20:20 CET\n",
            "It is held: nobody was told.\n",
        ] {
            assert!(report.contains(said), "{said} in {report}");
        }
    }

    #[test]
    fn what_is_not_known_of_an_old_one_is_left_out() {
        let mut old = alert_record();
        (old.past.rule_match.text_sha256, old.rule_text) = (None, None);
        old.past.rule_match.evidence[0].clause = None;
        old.messages.clear();
        let report = format_alert(&old, &TimeZone::UTC, LAYOUT);
        assert!(!report.contains("SHA-256") && !report.contains(" for "), "{report}");
        assert!(report.contains("is not stored.\n\nIt was sent to nobody.\n"), "{report}");
    }

    #[test]
    fn a_text_that_was_edited_since_is_said_to_be_another() {
        let mut edited = alert_record();
        edited.text_now_sha256 = "11".repeat(32);
        assert!(format_alert(&edited, &TimeZone::UTC, LAYOUT).contains("changed since"));
    }
}
