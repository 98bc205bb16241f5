//! The table of deliveries.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use textwrap::Options;

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::cli::columns::columns;
use crate::cli::count::count;
use crate::cli::csv_table::print_csv;
use crate::cli::exit::Exit;
use crate::queries::moment::short_date;
use crate::store::{Delivery, DeliverySubject};
use tidings_rules::text::visible_line;

/// One row per delivery, and below it what it is about and why it is not delivered, in `width`
/// columns. Without a width, each delivery is one line. Then one line per receiver that fails or
/// has a pause.
pub(super) fn deliveries_table(
    deliveries: &[Delivery],
    away: &[&(Receiver, NotifierHealth)],
    zone: &TimeZone,
    width: Option<usize>,
) -> String {
    let mut text = match width {
        _ if deliveries.is_empty() => "no message is waiting or dead-lettered\n".to_owned(),
        None => plain_table(deliveries, zone),
        Some(width) => wrapped_table(deliveries, zone, width),
    };
    for (receiver, health) in away {
        let line = receiver_line(receiver, health, zone);
        let line = width.map_or_else(|| line.clone(), |width| wrap(&line, 0, width));
        writeln!(text, "\n{line}").expect("strings grow");
    }
    text
}

fn plain_table(deliveries: &[Delivery], zone: &TimeZone) -> String {
    let row = |delivery: &Delivery| {
        let [id, status, to, written, tries, next] = cells(delivery, zone);
        let why = visible_line(delivery.why.as_deref().unwrap_or_default());
        [id, status, to, written, tries, next, subject_text(&delivery.subject), why]
    };
    let heads = ["ID", "STATUS", "FOR", "WRITTEN", "TRIES", "NEXT", "ABOUT", "WHY"];
    columns(heads, deliveries.iter().map(row).collect(), &[], None)
}

fn wrapped_table(deliveries: &[Delivery], zone: &TimeZone, width: usize) -> String {
    let rows = deliveries.iter().map(|delivery| cells(delivery, zone)).collect();
    let heads = ["ID", "STATUS", "FOR", "WRITTEN", "TRIES", "NEXT"];
    let table = columns(heads, rows, &[], None);
    let ids = deliveries.iter().map(|delivery| delivery.id.to_string().len());
    let indent = ids.max().unwrap_or(0).max("ID".len()) + 2;
    let mut lines = table.lines();
    let mut text = lines.next().unwrap_or_default().to_owned() + "\n";
    for (line, delivery) in lines.zip(deliveries) {
        let why = delivery.why.as_deref().map(visible_line);
        let below = std::iter::once(subject_text(&delivery.subject)).chain(why);
        writeln!(text, "{line}").expect("strings grow");
        for part in below {
            writeln!(text, "{}", wrap(&part, indent, width)).expect("strings grow");
        }
    }
    text
}

fn wrap(text: &str, indent: usize, width: usize) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(width).initial_indent(&indent).subsequent_indent(&indent);
    textwrap::fill(text, options)
}

/// Prints one line per delivery for spreadsheets. The names are those of the JSON.
pub(super) fn print_deliveries_csv(deliveries: &[Delivery]) -> Result<(), Exit> {
    let heads = [
        "id",
        "message",
        "status",
        "notifier",
        "recipient",
        "about",
        "created",
        "due",
        "tries",
        "last_attempt",
        "why",
    ];
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let row = |delivery: &Delivery| {
        [
            delivery.id.to_string(),
            delivery.uid.clone(),
            delivery.status.to_string(),
            visible_line(&delivery.receiver.notifier.0),
            visible_line(&delivery.receiver.recipient),
            subject_text(&delivery.subject),
            delivery.created.to_string(),
            time(delivery.due),
            delivery.attempts.to_string(),
            time(delivery.last_attempt),
            visible_line(delivery.why.as_deref().unwrap_or_default()),
        ]
    };
    print_csv(heads, deliveries.iter().map(row))
}

/// The state of a receiver that fails or has a pause.
fn receiver_line(receiver: &Receiver, health: &NotifierHealth, zone: &TimeZone) -> String {
    let (receiver, why) = (visible_line(&receiver.to_string()), visible_line(&health.why));
    let (since, next) = (short_date(health.since, zone), short_date(health.rests_until, zone));
    if health.failures == 0 {
        format!("{receiver} asked for a pause until {next}: {why}")
    } else if health.rests_until > health.since {
        format!("{receiver} has failed since {since}, next try at {next}: {why}")
    } else {
        format!("{receiver} has failed since {since}: {why}")
    }
}

fn cells(delivery: &Delivery, zone: &TimeZone) -> [String; 6] {
    [
        delivery.id.to_string(),
        delivery.status.to_string(),
        visible_line(&delivery.receiver.to_string()),
        short_date(delivery.created, zone),
        delivery.attempts.to_string(),
        delivery.due.map_or_else(|| "-".to_owned(), |due| short_date(due, zone)),
    ]
}

fn subject_text(what: &DeliverySubject) -> String {
    match what {
        DeliverySubject::Story(title) => visible_line(title),
        DeliverySubject::Digest(alerts) => {
            format!("a digest of {}", count(*alerts as usize, "alert", "alerts"))
        }
        DeliverySubject::Notice(subject) => visible_line(&format!("a notice about {subject}")),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::lifecycle::message::MessageStatus;
    use tidings_rules::story::NotifierName;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn receiver(notifier: &str, recipient: &str) -> Receiver {
        Receiver { notifier: NotifierName(notifier.to_owned()), recipient: recipient.to_owned() }
    }

    fn delivery(id: i64, state: MessageStatus) -> Delivery {
        Delivery {
            id,
            uid: "0f6e1d4c-1111-4aaa-8bbb-000000000002".to_owned(),
            status: state,
            receiver: receiver("desk", "ana@example.org"),
            subject: DeliverySubject::Story("Freight over the bridge doubles".to_owned()),
            created: at(0),
            due: (state == MessageStatus::Pending).then(|| at(90)),
            attempts: 3,
            last_attempt: Some(at(5)),
            why: Some("550 5.1.1\u{1b}[2J no such user".to_owned()),
        }
    }

    #[test]
    fn deliveries_and_who_fails() {
        let deliveries = [
            delivery(7, MessageStatus::Dead),
            Delivery { receiver: receiver("ops", ""), ..delivery(12, MessageStatus::Pending) },
            Delivery {
                subject: DeliverySubject::Notice("ops".to_owned()),
                why: None,
                ..delivery(103, MessageStatus::Held)
            },
        ];
        let why = "connection refused".to_owned();
        let health = NotifierHealth {
            failures: 9,
            since: at(-60),
            rests_until: at(8),
            why,
            announced: true,
        };
        let away = (receiver("ops", ""), health);
        for (name, width) in [("in_a_pipe", None), ("in_80", Some(80))] {
            let table = deliveries_table(&deliveries, &[&away], &TimeZone::UTC, width);
            assert_snapshot!(format!("deliveries_{name}"), table);
        }
    }

    #[test]
    fn where_all_is_well_that_is_said() {
        assert_eq!(
            deliveries_table(&[], &[], &TimeZone::UTC, None),
            "no message is waiting or dead-lettered\n"
        );
    }
}
