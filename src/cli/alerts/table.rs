//! The table of alerts.

use jiff::tz::TimeZone;

use crate::cli::columns::columns;
use crate::cli::csv_table::print_csv;
use crate::cli::exit::Exit;
use crate::queries::moment::day_and_minute;
use crate::queries::standing::Standing;
use crate::store::PastAlert;
use tidings_rules::text::visible_line;

/// One row per alert, at most `width` columns wide. Without a width, each is one line. If any rule
/// had a condition, a column says how the alerts stand to it.
pub(super) fn alerts_table(alerts: &[PastAlert], zone: &TimeZone, width: Option<usize>) -> String {
    if alerts.is_empty() {
        return "no alert fits these filters\n".to_owned();
    }
    let row = |alert: &PastAlert| {
        let severity = alert.rule_match.severity.as_str().to_owned();
        [
            alert.id.to_string(),
            day_and_minute(alert.created, zone),
            severity,
            visible_line(&alert.rule_match.title()),
            headline(alert),
        ]
    };
    let heads = ["ID", "WHEN", "SEVERITY", "RULE", "HEADLINE"];
    if alerts.iter().all(|alert| alert.rule_match.condition.is_none()) {
        return columns(heads, alerts.iter().map(row).collect(), &[0, 1, 2], width);
    }
    let [id, when, severity, rule, headline] = heads;
    let rows = alerts.iter().map(|alert| {
        let [id, when, severity, rule, headline] = row(alert);
        let standing = Standing::of(alert).map_or_else(String::new, |one| one.words(zone));
        [id, when, severity, rule, standing, headline]
    });
    let heads = [id, when, severity, rule, "CONDITION", headline];
    columns(heads, rows.collect(), &[0, 1, 2], width)
}

/// Prints one line per alert for spreadsheets. The names are those of the JSON.
pub(super) fn print_alerts_csv(alerts: &[PastAlert]) -> Result<(), Exit> {
    let heads = [
        "id",
        "created",
        "severity",
        "rule",
        "row",
        "tags",
        "owner",
        "title",
        "url",
        "published",
        "first_seen",
        "lang",
        "read",
        "feeds",
        "evidence",
        "event",
        "held",
        "held_until",
        "condition",
    ];
    print_csv(heads, alerts.iter().map(csv_cells))
}

fn csv_cells(alert: &PastAlert) -> [String; 19] {
    let PastAlert { story, rule_match, .. } = alert;
    let text = |text: &Option<String>| visible_line(text.as_deref().unwrap_or_default());
    let list = |words: Vec<&str>| visible_line(&words.join("; "));
    let evidence = &rule_match.evidence;
    [
        alert.id.to_string(),
        alert.created.to_string(),
        rule_match.severity.as_str().to_owned(),
        visible_line(&rule_match.rule),
        visible_line(rule_match.row.as_ref().map_or("", |row| row.id.as_str())),
        list(rule_match.tags.iter().map(String::as_str).collect()),
        text(&rule_match.owner),
        headline(alert),
        text(&story.url),
        story.published.map(|at| at.to_string()).unwrap_or_default(),
        story.first_seen.to_string(),
        text(&story.lang),
        visible_line(&alert.read.to_string()),
        list(alert.feeds.iter().map(|entry| entry.feed.0.as_str()).collect()),
        list(evidence.iter().map(|evidence| evidence.sentence.as_str()).collect()),
        alert.event.clone(),
        alert.held.to_string(),
        alert.held_until.map(|at| at.to_string()).unwrap_or_default(),
        visible_line(Standing::of(alert).map_or("", |one| one.parts().what)),
    ]
}

fn headline(alert: &PastAlert) -> String {
    visible_line(alert.story.headline())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use textwrap::core::display_width;

    use super::super::fixture::{conditional_alert, past_alert};
    use super::*;

    #[test]
    fn alerts_in_eighty_columns_and_in_more() {
        let mut long = past_alert();
        long.id = 123_456;
        long.rule_match.rule =
            "Listed companies, their owners and what is said of their crimes".to_owned();
        long.story.title =
            "\u{1b}[2J 김정은 visits a bridge that freight has been crossing twice as often as before".to_owned();
        let mut untitled = past_alert();
        untitled.story.title = " ".to_owned();
        let alerts = [long, past_alert(), untitled];
        let narrow = alerts_table(&alerts, &TimeZone::UTC, Some(80));
        assert!(narrow.lines().all(|line| display_width(line) <= 80), "{narrow}");
        assert_snapshot!(narrow + "\n" + &alerts_table(&alerts, &TimeZone::UTC, Some(100)));
    }

    #[test]
    fn alerts_say_how_they_stand_to_a_condition() {
        let two = Some("2 of 3 publishers: afp.com, yna.co.kr");
        let told = PastAlert {
            held_until: Some("2026-03-12T14:05:00Z".parse().unwrap()),
            ..conditional_alert(false, false, two)
        };
        let released_copy =
            PastAlert { held_until: told.held_until, ..conditional_alert(false, false, None) };
        let alerts = [
            past_alert(),
            conditional_alert(false, true, None),
            conditional_alert(false, true, Some("3 publishers: afp.com, apnews.com, yna.co.kr")),
            told,
            conditional_alert(false, false, two),
            conditional_alert(true, false, two),
            conditional_alert(true, false, None),
            conditional_alert(false, false, None),
            released_copy,
        ];
        assert_snapshot!(alerts_table(&alerts, &TimeZone::UTC, Some(100)));
    }

    #[test]
    fn where_there_is_none_it_says_so() {
        assert_eq!(alerts_table(&[], &TimeZone::UTC, None), "no alert fits these filters\n");
    }
}
