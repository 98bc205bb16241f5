//! The table of deliveries.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::cli::columns::columns;
use crate::cli::count::count;
use crate::cli::csv_table::print_csv;
use crate::cli::exit::Exit;
use crate::cli::moment::short_date;
use crate::store::{Delivery, DeliverySubject};
use tidings_rules::text::visible_line;

/// One row per delivery, and below it why it is not delivered. Then one line per receiver that
/// fails or has a pause.
pub(super) fn deliveries_table(
    deliveries: &[Delivery],
    away: &[&(Receiver, NotifierHealth)],
    zone: &TimeZone,
) -> String {
    let mut text = String::new();
    if deliveries.is_empty() {
        text += "no message is waiting or dead-lettered\n";
    } else {
        let rows = deliveries.iter().map(|delivery| cells(delivery, zone)).collect();
        let heads = ["ID", "STATUS", "FOR", "WRITTEN", "TRIES", "NEXT", "ABOUT"];
        let table = columns(heads, rows, &[0, 1, 2, 3, 4, 5, 6], usize::MAX);
        let ids = deliveries.iter().map(|delivery| delivery.id.to_string().len());
        let indent = ids.max().unwrap_or(0).max("ID".len()) + 2;
        let reasons = std::iter::once(None).chain(deliveries.iter().map(|one| one.why.as_ref()));
        for (line, why) in table.lines().zip(reasons) {
            writeln!(text, "{line}").expect("strings grow");
            if let Some(why) = why {
                writeln!(text, "{:indent$}{}", "", visible_line(why)).expect("strings grow");
            }
        }
    }
    for (receiver, health) in away {
        writeln!(text, "\n{}", receiver_line(receiver, health, zone)).expect("strings grow");
    }
    text
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
        "attempts",
        "tried",
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

fn cells(delivery: &Delivery, zone: &TimeZone) -> [String; 7] {
    [
        delivery.id.to_string(),
        delivery.status.to_string(),
        visible_line(&delivery.receiver.to_string()),
        short_date(delivery.created, zone),
        delivery.attempts.to_string(),
        delivery.due.map_or_else(|| "-".to_owned(), |due| short_date(due, zone)),
        subject_text(&delivery.subject),
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
        assert_snapshot!(deliveries_table(&deliveries, &[&away], &TimeZone::UTC));
    }

    #[test]
    fn where_all_is_well_that_is_said() {
        assert_eq!(
            deliveries_table(&[], &[], &TimeZone::UTC),
            "no message is waiting or dead-lettered\n"
        );
    }
}
