//! The oracle. Decides every match of the final store anew, from the full list of the matches
//! before it, and compares with the messages. It shares no code with the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::many_stories::record::{FinalAlert, FinalRecord, ToldAbout};

const MINUTE: i64 = 60_000;

/// The steps in which a baseline is counted.
const STEP: i64 = 10 * MINUTE;

/// How long nothing matches until an absence is due.
const ABSENT: i64 = 50 * MINUTE;

/// How much later the time of a match may be than that of a notice that came before it.
const RACE: i64 = 2000;

/// The condition of a rule of `news.rs`.
#[derive(Clone, Copy)]
enum GroupKind {
    Publishers,
    Events,
    FirstCode,
    FirstSource,
    After,
    Spike,
    Absent,
}

/// The kind of a rule, and its window.
fn condition(rule: &str) -> (GroupKind, i64) {
    match rule {
        "Confirmed" => (GroupKind::Publishers, 20 * MINUTE),
        "Many" => (GroupKind::Events, 30 * MINUTE),
        "New code" => (GroupKind::FirstCode, 40 * MINUTE),
        "New source" => (GroupKind::FirstSource, 30 * MINUTE),
        "Next" => (GroupKind::After, 30 * MINUTE),
        "Rising" => (GroupKind::Spike, 20 * MINUTE),
        "Silent" => (GroupKind::Absent, 0),
        other => panic!("there is no rule {other}"),
    }
}

/// When an absence since that time is due.
pub fn absence_due(since: i64) -> i64 {
    since + ABSENT
}

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionFlaw {
    /// These matches met a condition, and so many messages told them together.
    Fired(BTreeSet<i64>, usize),
    /// A message told these matches together, and they met no condition.
    NotMet(BTreeSet<i64>),
    /// A match was to be told by itself, and so many messages did.
    Told(i64, usize),
    /// A match was told by itself, and was to be held.
    Held(i64),
    /// The store says the opposite of whether a match is held.
    Mark(i64),
    /// An absence since that time was told, and is none: why.
    Absence(i64, &'static str),
    /// A message did not arrive as the store has it.
    Arrival(String),
}

impl fmt::Display for ConditionFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fired(alerts, messages) => {
                write!(f, "{alerts:?} met a condition and are told together by {messages} messages")
            }
            Self::NotMet(alerts) => write!(f, "{alerts:?} are told together and met no condition"),
            Self::Told(alert, messages) => {
                write!(f, "{alert} is to be told by itself and is by {messages} messages")
            }
            Self::Held(alert) => write!(f, "{alert} is to be held and is told"),
            Self::Mark(alert) => write!(f, "{alert} is marked wrong"),
            Self::Absence(since, why) => write!(f, "an absence since {since}: {why}"),
            Self::Arrival(id) => write!(f, "{id} did not arrive as it is stored"),
        }
    }
}

/// How many matches came to what.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecisionCounts {
    pub held: usize,
    pub fired: usize,
    pub told: usize,
    pub copies: usize,
    pub absences: usize,
}

impl fmt::Display for DecisionCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, fired, told, copies, absences } = self;
        write!(
            f,
            "{held} matches held, {fired} met a condition, {told} told after them, {copies} copies, {absences} absences"
        )
    }
}

/// What is to be told.
#[derive(Default)]
struct ExpectedTelling {
    /// Matches that are told together.
    together: Vec<BTreeSet<i64>>,
    /// Matches that are told by themselves.
    alone: BTreeSet<i64>,
}

/// All violations, and what the matches came to.
pub fn judge(record: &FinalRecord) -> (Vec<ConditionFlaw>, DecisionCounts) {
    let mut counts = DecisionCounts::default();
    let mut groups: BTreeMap<(&str, &str), Vec<&FinalAlert>> = BTreeMap::new();
    for alert in &record.alerts {
        groups.entry((&alert.rule, &alert.row)).or_default().push(alert);
    }
    let mut expected = ExpectedTelling::default();
    for group in groups.values() {
        expect(record, group, &mut expected, &mut counts);
    }
    let mut flaws = Vec::new();
    compare(record, &expected, &mut flaws);
    check_absences(record, &mut flaws, &mut counts);
    check_arrivals(record, &mut flaws);
    (flaws, counts)
}

/// A match that counts, and whether it was told when it was recorded.
struct CountedMatch<'a> {
    alert: &'a FinalAlert,
    told: bool,
}

/// What is to be told of a group.
fn expect(
    record: &FinalRecord,
    group: &[&FinalAlert],
    expected: &mut ExpectedTelling,
    counts: &mut DecisionCounts,
) {
    let (kind, window) = condition(&group[0].rule);
    let has_episodes = matches!(kind, GroupKind::Publishers | GroupKind::Events | GroupKind::Spike);
    let mut counted: Vec<CountedMatch<'_>> = Vec::new();
    let mut told_events: BTreeSet<&str> = BTreeSet::new();
    for alert in group {
        let open = has_episodes
            && counted.last().is_some_and(|last| last.told && alert.at - last.alert.at < window);
        let is_copy = counted.iter().any(|one| one.alert.event == alert.event);
        if is_copy && !matches!(kind, GroupKind::Absent) {
            counts.copies += 1;
            // A copy of an event that nobody was told of.
            if open && told_events.insert(&alert.event) {
                expected.alone.insert(alert.id);
            }
            continue;
        }
        let is_met = open || is_met(record, kind, window, &counted, alert);
        if is_met {
            told_events.insert(&alert.event);
        }
        if is_met && has_episodes && !open {
            let held = counted.iter().filter(|one| {
                one.alert.at > alert.at - window && !told_events.contains(one.alert.event.as_str())
            });
            let together: BTreeSet<i64> = held.map(|one| one.alert.id).chain([alert.id]).collect();
            let events = counted.iter().filter(|one| together.contains(&one.alert.id));
            told_events.extend(events.map(|one| one.alert.event.as_str()));
            expected.together.push(together);
        } else if is_met {
            expected.alone.insert(alert.id);
        }
        match (is_met, open) {
            (true, true) => counts.told += 1,
            (true, false) => counts.fired += 1,
            (false, _) => counts.held += 1,
        }
        counted.push(CountedMatch { alert, told: is_met });
    }
}

fn is_met(
    record: &FinalRecord,
    kind: GroupKind,
    window: i64,
    before: &[CountedMatch<'_>],
    alert: &FinalAlert,
) -> bool {
    let in_window = |at: i64| at > alert.at - window && at <= alert.at;
    let in_it = || before.iter().map(|one| one.alert).filter(|one| in_window(one.at));
    let is_new = |has: &dyn Fn(&FinalAlert) -> bool| {
        let last = before.iter().rev().find(|one| has(one.alert));
        last.is_none_or(|last| alert.at - last.alert.at > window)
    };
    match kind {
        GroupKind::Publishers => {
            let names = in_it().map(|one| &one.publisher).chain([&alert.publisher]);
            names.collect::<BTreeSet<_>>().len() >= 2
        }
        GroupKind::Events => in_it().count() + 1 >= 3,
        GroupKind::FirstCode => {
            alert.codes.iter().any(|code| is_new(&|one: &FinalAlert| one.codes.contains(code)))
        }
        GroupKind::FirstSource => is_new(&|one: &FinalAlert| one.publisher == alert.publisher),
        GroupKind::After => record.alerts.iter().any(|one| {
            one.rule == "Confirmed"
                && one.row == alert.row
                && one.id < alert.id
                && in_window(one.at)
        }),
        GroupKind::Spike => is_spike(record, window, before, alert),
        GroupKind::Absent => {
            let last = before.last().map_or(i64::MIN, |one| one.alert.at);
            absences(record).any(|(_, told)| told > last && told <= alert.at + RACE)
        }
    }
}

/// Twice the usual rate of the last hour, and three at least.
fn is_spike(
    record: &FinalRecord,
    window: i64,
    before: &[CountedMatch<'_>],
    alert: &FinalAlert,
) -> bool {
    let baseline = 60 * MINUTE;
    let known = record.known[&alert.rule];
    let first = (alert.at - window).div_euclid(STEP);
    let watched: Vec<i64> =
        record.watched.iter().copied().filter(|slot| *slot <= alert.at.div_euclid(STEP)).collect();
    let start = match watched.iter().rev().find(|slot| **slot <= first) {
        Some(slot) if *slot < first => (slot + 1) * STEP,
        _ => alert.at - window,
    };
    let end = start.div_euclid(STEP);
    let span = end - baseline / STEP..end;
    let slots =
        i64::try_from(watched.iter().filter(|slot| span.contains(slot)).count()).expect("few");
    let times = || before.iter().map(|one| one.alert.at).chain([alert.at]);
    let usual = i64::try_from(times().filter(|at| span.contains(&at.div_euclid(STEP))).count());
    let current = times().filter(|at| *at > alert.at - window && *at <= alert.at).count();
    let (usual, current) = (usual.expect("few"), i64::try_from(current).expect("few"));
    alert.at - known >= window + baseline
        && slots * STEP * 2 >= baseline
        && current >= 3
        && current * slots * STEP >= 2 * usual * (alert.at - start)
}

/// Each absence that was told: since when, and when it was told.
fn absences(record: &FinalRecord) -> impl Iterator<Item = (i64, i64)> {
    record.messages.iter().filter_map(|message| match message.about {
        ToldAbout::Absence(since) => Some((since, message.created)),
        _ => None,
    })
}

/// Compares the messages with what is to be told.
fn compare(record: &FinalRecord, expected: &ExpectedTelling, flaws: &mut Vec<ConditionFlaw>) {
    let of = |about: ToldAbout| record.messages.iter().filter(move |one| one.about == about);
    for together in &expected.together {
        let messages = of(ToldAbout::Firing).filter(|one| one.alerts == *together).count();
        if messages != 1 {
            flaws.push(ConditionFlaw::Fired(together.clone(), messages));
        }
    }
    for message in of(ToldAbout::Firing) {
        if !expected.together.contains(&message.alerts) {
            flaws.push(ConditionFlaw::NotMet(message.alerts.clone()));
        }
    }
    for alert in &record.alerts {
        let messages = of(ToldAbout::Event).filter(|one| one.alerts.contains(&alert.id)).count();
        let is_alone = expected.alone.contains(&alert.id);
        match (is_alone, messages) {
            (true, 1) | (false, 0) => {}
            (true, _) => flaws.push(ConditionFlaw::Told(alert.id, messages)),
            (false, _) => flaws.push(ConditionFlaw::Held(alert.id)),
        }
        let is_told = is_alone || expected.together.iter().any(|one| one.contains(&alert.id));
        if is_told && alert.is_held {
            flaws.push(ConditionFlaw::Mark(alert.id));
        }
    }
}

/// An absence was told once, when nothing had matched for long enough, and after a poll that would
/// have shown a match. At the end all that are due are told.
fn check_absences(
    record: &FinalRecord,
    flaws: &mut Vec<ConditionFlaw>,
    counts: &mut DecisionCounts,
) {
    let matches: Vec<i64> =
        record.alerts.iter().filter(|one| one.rule == "Silent").map(|one| one.at).collect();
    let mut told_since = BTreeSet::new();
    for (since, told) in absences(record) {
        counts.absences += 1;
        let due = absence_due(since);
        if !told_since.insert(since) {
            flaws.push(ConditionFlaw::Absence(since, "it was told twice"));
        }
        if told < due {
            flaws.push(ConditionFlaw::Absence(since, "it was not due"));
        }
        if matches.iter().any(|at| *at > since && *at < told - RACE) {
            flaws.push(ConditionFlaw::Absence(since, "there was a match"));
        }
        if !record.polls.iter().any(|poll| *poll >= due && *poll <= told) {
            flaws.push(ConditionFlaw::Absence(since, "no feed was read since it was due"));
        }
    }
    let (last_match, last_poll) = (matches.iter().max(), record.polls.iter().max());
    if let (Some(last), Some(poll)) = (last_match, last_poll)
        && absence_due(*last) + 60 * MINUTE < *poll
        && !told_since.contains(last)
    {
        flaws.push(ConditionFlaw::Absence(*last, "it was never told"));
    }
}

/// Every message arrived, each time with the same bytes and with its stories.
fn check_arrivals(record: &FinalRecord, flaws: &mut Vec<ConditionFlaw>) {
    let titles: BTreeMap<i64, &String> =
        record.alerts.iter().map(|alert| (alert.id, &alert.title)).collect();
    for message in &record.messages {
        let arrived = record.arrivals.get(&message.uid).and_then(Option::as_ref);
        let is_whole = |arrived: &BTreeSet<String>| {
            message.alerts.iter().all(|alert| arrived.contains(titles[alert]))
        };
        if !arrived.is_some_and(is_whole) {
            flaws.push(ConditionFlaw::Arrival(message.uid.clone()));
        }
    }
}
