//! Deliveries as a table for people.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::cli::count::count;
use crate::cli::moment::short_date;
use crate::notify::plain;
use crate::store::{Delivery, DeliverySubject};

const HEADS: [&str; 6] = ["ID", "STATUS", "FOR", "WRITTEN", "TRIES", "NEXT"];

/// One line a delivery, below it why it is not delivered; then a line for each receiver that fails
/// or rests.
pub(super) fn table(
    deliveries: &[Delivery],
    away: &[&(Receiver, NotifierHealth)],
    zone: &TimeZone,
) -> String {
    let mut text = String::new();
    if deliveries.is_empty() {
        text += "no message is waiting or dead-lettered\n";
    } else {
        let rows: Vec<[String; 6]> =
            deliveries.iter().map(|delivery| cells(delivery, zone)).collect();
        let heads = HEADS.map(ToOwned::to_owned);
        let widths: Vec<usize> = (0..HEADS.len())
            .map(|n| rows.iter().chain([&heads]).map(|row| width(&row[n])).max().unwrap_or(0))
            .collect();
        text += &line(&heads, &widths, "ABOUT");
        for (delivery, row) in deliveries.iter().zip(&rows) {
            text += &line(row, &widths, &about(&delivery.subject));
            if let Some(why) = &delivery.why {
                writeln!(text, "{:1$}  {2}", "", widths[0], plain(why)).expect("strings grow");
            }
        }
    }
    for (receiver, health) in away {
        writeln!(text, "\n{}", state(receiver, health, zone)).expect("strings grow");
    }
    text
}

/// The state of a receiver that fails or has a pause.
fn state(receiver: &Receiver, health: &NotifierHealth, zone: &TimeZone) -> String {
    let (receiver, why) = (plain(&receiver.to_string()), plain(&health.why));
    let (since, next) = (short_date(health.since, zone), short_date(health.rests_until, zone));
    if health.failures == 0 {
        format!("{receiver} wants to be left alone until {next}: {why}")
    } else if health.rests_until > health.since {
        format!("{receiver} fails since {since}, tried again at {next}: {why}")
    } else {
        format!("{receiver} fails since {since}: {why}")
    }
}

fn cells(delivery: &Delivery, zone: &TimeZone) -> [String; 6] {
    [
        delivery.id.to_string(),
        delivery.status.to_string(),
        plain(&delivery.receiver.to_string()),
        short_date(delivery.created, zone),
        delivery.attempts.to_string(),
        delivery.due.map_or_else(|| "-".to_owned(), |due| short_date(due, zone)),
    ]
}

fn about(what: &DeliverySubject) -> String {
    match what {
        DeliverySubject::Story(title) => plain(title),
        DeliverySubject::Digest(alerts) => {
            format!("a digest of {}", count(*alerts as usize, "alert", "alerts"))
        }
        DeliverySubject::Notice(subject) => plain(&format!("a notice about {subject}")),
    }
}

fn line(cells: &[String; 6], widths: &[usize], last: &str) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, wide)| format!("{cell}{}  ", " ".repeat(wide - width(cell))));
    padded.collect::<String>() + last + "\n"
}

fn width(cell: &str) -> usize {
    textwrap::core::display_width(cell)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::Timestamp;

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
        assert_snapshot!(table(&deliveries, &[&away], &TimeZone::UTC));
    }

    #[test]
    fn where_all_is_well_that_is_said() {
        assert_eq!(table(&[], &[], &TimeZone::UTC), "no message is waiting or dead-lettered\n");
    }
}
