//! The table of alerts.

use jiff::tz::TimeZone;

use crate::cli::columns::columns;
use crate::cli::moment::day_and_minute;
use crate::store::PastAlert;
use tidings_rules::text::visible_line;

/// One row per alert, at most `width` columns wide.
pub(super) fn alerts_table(alerts: &[PastAlert], zone: &TimeZone, width: usize) -> String {
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
    let rows = alerts.iter().map(row).collect();
    columns(["ID", "WHEN", "SEVERITY", "RULE", "HEADLINE"], rows, &[0, 1, 2], width)
}

fn headline(alert: &PastAlert) -> String {
    visible_line(alert.story.headline())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use textwrap::core::display_width;

    use super::super::fixture::past_alert;
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
        let narrow = alerts_table(&alerts, &TimeZone::UTC, 80);
        assert!(narrow.lines().all(|line| display_width(line) <= 80), "{narrow}");
        assert_snapshot!(narrow + "\n" + &alerts_table(&alerts, &TimeZone::UTC, 100));
    }

    #[test]
    fn where_there_is_none_it_says_so() {
        assert_eq!(alerts_table(&[], &TimeZone::UTC, 80), "no alert fits these filters\n");
    }
}
