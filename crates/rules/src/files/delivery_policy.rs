//! Reads when a rule's alerts are sent: `burst` and `digest`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Time;

use crate::fault::Fault;
use crate::story::delivery::{Burst, Cadence, Day, time_of_day};
use crate::yaml::{Entries, Node};

/// The shortest and the longest time for which a digest gathers alerts.
const GATHERS: [Duration; 2] = [Duration::from_mins(1), Duration::from_hours(31 * 24)];

/// `{first: 3, then: 30m}`.
pub(super) fn burst(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Burst> {
    let mut entries = entries.get("burst")?.entries(faults)?;
    let first = entries.require("first", faults).and_then(|node| first(&node, faults));
    let then = entries.require("then", faults).and_then(|node| gathering(&node, faults));
    entries.refuse_unknown_keys(faults);
    Some(Burst { first: first?, then: then? })
}

fn first(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<u32> {
    let first = node.count(faults)?;
    let fits = u32::try_from(first).ok().filter(|first| (1..=1000).contains(first));
    if fits.is_none() {
        let fault = node.fault(format!("{first} is out of bounds here"));
        faults.push(
            fault.help("write how many alerts are sent at once, from 1 to 1000; for none at all, write a `digest`"),
        );
    }
    fits
}

/// `1h`, or `{at: "08:00", days: mon-fri}`.
pub(super) fn digest(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Cadence> {
    let node = entries.get("digest")?;
    if !node.is_mapping() {
        return gathering(&node, faults).map(Cadence::Every);
    }
    let mut entries = node.entries(faults)?;
    let time = entries.require("at", faults).and_then(|node| time(&node, faults));
    let days = entries.get("days").map_or_else(|| Some(Day::all()), |node| days(&node, faults));
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    Some(Cadence::At { time: time?, days: days? })
}

/// A time of day, such as `"08:00"`.
pub(super) fn time(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Time> {
    let time = time_of_day(&node.text(faults)?.value);
    if time.is_none() {
        faults.push(
            node.fault("this is not a time of day")
                .help("write it like \"08:00\", in the configuration's zone"),
        );
    }
    time
}

/// Days of the week: `mon-fri`, or `[mon, wed, sat]`.
pub(super) fn days(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<BTreeSet<Day>> {
    let mut all = BTreeSet::new();
    for node in node.one_or_many() {
        let Some(days) = Day::span(&node.text(faults)?.value) else {
            faults.push(
                node.fault("these are not days of the week")
                    .help("write mon-fri, or [mon, wed, sat]"),
            );
            return None;
        };
        all.extend(days);
    }
    if all.is_empty() {
        faults.push(node.fault("this names no day").help("leave `days` out for every day"));
        return None;
    }
    Some(all)
}

fn gathering(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Duration> {
    let time = node.duration(faults)?;
    if time < GATHERS[0] || time > GATHERS[1] {
        faults.push(
            node.fault("a digest gathers for a minute at least, and 31 days at most")
                .help("write 30m or 1h"),
        );
        return None;
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::load;
    use super::*;
    use crate::fault::{Source, render};

    /// `burst` and `digest` of a rule with this line, or its faults.
    fn parse_line(line: &str) -> Result<(Option<Burst>, Option<Cadence>), String> {
        let text = format!("rules:\n  - name: a\n    when: Russia\n    {line}\n");
        let mut faults = Vec::new();
        let loaded = load(
            &vec![Arc::new(Source { name: "a.yaml".to_owned(), text })].into(),
            None,
            &mut faults,
        );
        loaded
            .map(|loaded| loaded.rules[0].rule.settings.clone())
            .map(|settings| (settings.burst, settings.digest.clone()))
            .ok_or_else(|| render(&faults, false))
    }

    #[test]
    fn bursts_and_digests_are_read() {
        let then = Duration::from_mins(30);
        assert_eq!(
            parse_line("burst: {first: 3, then: 30m}"),
            Ok((Some(Burst { first: 3, then }), None))
        );
        assert_eq!(
            parse_line("digest: 1h"),
            Ok((None, Some(Cadence::Every(Duration::from_hours(1)))))
        );
        let at = |text, days| Cadence::At { time: time_of_day(text).expect("a time"), days };
        let weekdays = Day::span("mon-fri").expect("days");
        let daily = parse_line("digest: {at: \"08:00\", days: mon-fri}");
        assert_eq!(daily, Ok((None, Some(at("08:00", weekdays)))));
        assert_eq!(
            parse_line("digest: {at: \"08:00\"}"),
            Ok((None, Some(at("08:00", Day::all()))))
        );
    }

    #[test]
    fn nonsense_is_refused_with_advice() {
        for (line, said) in [
            ("burst: 3", "keys with values"),
            ("burst: {first: 3}", "`then` is missing"),
            ("burst: {first: 0, then: 30m}", "from 1 to 1000"),
            ("burst: {first: 3, then: 1s}", "write 30m or 1h"),
            ("burst: {first: 3, than: 1h, then: 1h}", "did you mean `then`"),
            ("digest: often", "is not a length of time"),
            ("digest: {at: noon}", "not a time of day"),
            ("digest: {at: \"08:00\", days: weekdays}", "write mon-fri"),
            ("digest: {at: \"08:00\", days: []}", "names no day"),
            ("digest: {days: mon}", "`at` is missing"),
        ] {
            let refused = parse_line(line).expect_err(line);
            assert!(refused.contains(said), "{line}: {refused}");
        }
    }
}
