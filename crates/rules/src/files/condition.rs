//! Reads the condition of a rule over its matches: `tell` or `absent`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;

use super::delivery_policy;
use super::entry::NamedRule;
use crate::condition::{Absent, Condition, FirstKey, SLOT, Spike, written_time};
use crate::fault::{Fault, nearest};
use crate::language::tree::Tree;
use crate::rule::keys;
use crate::story::delivery::Day;
use crate::yaml::{Entries, Node, Text};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// The kinds of `tell`, in the order of the guide.
const KINDS: [&str; 5] = ["publishers", "events", "spike", "first", "after"];

/// A condition as written.
pub(super) struct WrittenCondition {
    pub(super) condition: Condition,
    /// The name of the rule in `after`.
    pub(super) after: Option<Text>,
}

/// The longest times of windows, and of a baseline.
const LONGEST_WINDOW: Duration = DAY.saturating_mul(31);
const LONGEST_FIRST: Duration = DAY.saturating_mul(1096);
const LONGEST_AFTER: Duration = DAY.saturating_mul(366);
const LONGEST_BASELINE: Duration = DAY.saturating_mul(90);

/// Reads `tell` or `absent`. A rule has one of them at most.
pub(super) fn read_condition(
    entries: &mut Entries<'_>,
    faults: &mut Vec<Fault>,
) -> Option<WrittenCondition> {
    let (tell, absent) = (entries.get("tell"), entries.get("absent"));
    match (tell, absent) {
        (Some(_), Some(absent)) => {
            let fault = absent.fault("a rule has `tell` or `absent`, not both");
            faults.push(fault.help("write two rules with the same `when`"));
            None
        }
        (Some(tell), None) => tell_of(&tell, faults),
        (None, Some(node)) => {
            let condition = Condition::Absent(absent_of(&node, faults)?);
            Some(WrittenCondition { condition, after: None })
        }
        (None, None) => None,
    }
}

/// `{publishers: 3, within: 6h}` and the other kinds.
fn tell_of(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<WrittenCondition> {
    let mut entries = node.entries(faults)?;
    let written = |kind| {
        let value = entries.get(kind)?;
        Some((entries.key_span(kind)?, kind, value))
    };
    let mut kinds: Vec<_> = KINDS.into_iter().filter_map(written).collect();
    kinds.sort_by_key(|(place, ..)| place.start);
    let mut kinds = kinds.into_iter();
    let Some((_, kind, value)) = kinds.next() else {
        // A key that is written wrong is told by itself.
        let count = faults.len();
        let _ = ["within", "against", "least", "in"].map(|key| entries.get(key).is_some());
        entries.refuse_empty_values(faults);
        entries.refuse_unknown_keys(faults);
        if faults.len() == count {
            let fault = node.fault("this does not say when to tell");
            faults.push(fault.help(format!("write one of {}", KINDS.join(", "))));
        }
        return None;
    };
    if let Some((span, other, value)) = kinds.next() {
        let fault = value.fault(format!("`{kind}` and `{other}` in one `tell`"));
        faults.push(Fault { span, ..fault }.help("write two rules with the same `when`"));
        return None;
    }
    refuse_other_window(kind, &mut entries, faults);
    let mut after = None;
    let condition = match kind {
        "publishers" => counted(&value, &mut entries, faults)
            .map(|(least, within)| Condition::Publishers { least, within }),
        "events" => counted(&value, &mut entries, faults)
            .map(|(least, within)| Condition::Events { least, within }),
        "spike" => spike(&value, &mut entries, faults).map(Condition::Spike),
        "first" => first(&value, &mut entries, faults),
        _ => {
            after = value.text(faults);
            let within = time(&mut entries, "within", LONGEST_AFTER, faults);
            after.as_ref().zip(within).map(|(rule, within)| Condition::After {
                rule: rule.value.trim().to_owned(),
                within,
                same_row: false,
            })
        }
    };
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    Some(WrittenCondition { condition: condition?, after })
}

/// Refuses the window of another kind: it is `in` for `first`, and `within` for the others.
fn refuse_other_window(kind: &str, entries: &mut Entries<'_>, faults: &mut Vec<Fault>) {
    let (key, other) = if kind == "first" { ("in", "within") } else { ("within", "in") };
    let Some(span) = entries.key_span(other) else { return };
    let fault = entries.node().fault(format!("`{kind}` has `{key}`, not `{other}`"));
    faults.push(Fault { span, ..fault }.help(format!("write `{key}` for `{other}`")));
}

fn counted(
    value: &Node<'_>,
    entries: &mut Entries<'_>,
    faults: &mut Vec<Fault>,
) -> Option<(u32, Duration)> {
    let least = count(value, 2..=1000, faults);
    let within = time(entries, "within", LONGEST_WINDOW, faults);
    Some((least?, within?))
}

fn spike(value: &Node<'_>, entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<Spike> {
    let times = count(value, 2..=1000, faults);
    let within = time(entries, "within", LONGEST_WINDOW, faults);
    let least = match entries.get("least") {
        Some(node) => count(&node, 1..=100_000, faults),
        None => Some(3),
    };
    let against = against(entries, within, faults);
    Some(Spike { times: times?, within: within?, against: against?, least: least? })
}

/// The baseline of a spike with a window of that length.
fn against(
    entries: &mut Entries<'_>,
    within: Option<Duration>,
    faults: &mut Vec<Fault>,
) -> Option<Duration> {
    let twice = within.unwrap_or(MINUTE).saturating_mul(2);
    let shortest =
        SLOT.saturating_mul(u32::try_from(twice.as_secs().div_ceil(SLOT.as_secs())).ok()?);
    let longest = written_time(LONGEST_BASELINE);
    let bounds = format!("a multiple of 10m from {} to {longest}", written_time(shortest));
    let help = format!("write {bounds}, such as 14d");
    let node = required(entries, "against", &bounds, faults)?;
    let against = with_help(&help, faults, |faults| node.duration(faults))?;
    let message = if against < MINUTE || against > LONGEST_BASELINE {
        "this time is out of bounds here"
    } else if against.as_nanos() % SLOT.as_nanos() != 0 {
        "a baseline is counted in steps of ten minutes"
    } else if within.is_some_and(|within| against < within.saturating_mul(2)) {
        "a baseline is at least twice as long as `within`"
    } else {
        return Some(against);
    };
    faults.push(node.fault(message).help(help));
    None
}

fn first(
    value: &Node<'_>,
    entries: &mut Entries<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Condition> {
    let within = time(entries, "in", LONGEST_FIRST, faults);
    let text = value.text(faults)?;
    let Some(key) = FirstKey::ALL.into_iter().find(|key| key.as_str() == text.value.trim()) else {
        let words = FirstKey::ALL.map(FirstKey::as_str);
        let near = nearest(&text.value, words)
            .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let fault = value.fault(format!("`{}` cannot be new", text.value));
        faults.push(fault.help(format!("{near}it is one of {}", words.join(", "))));
        return None;
    };
    Some(Condition::First { key, within: within? })
}

/// Refuses a `first` that nothing in the rule could ever be new for.
pub(super) fn check_first(
    rule: &Node<'_>,
    condition: Option<&Condition>,
    tree: &Tree,
    has_rows: bool,
    faults: &mut Vec<Fault>,
) {
    let Some(Condition::First { key, .. }) = condition else { return };
    let (message, help) = match key {
        FirstKey::Row if !has_rows => {
            ("`first: row` is for a rule with `each`", "name a watchlist: `each: LIST`")
        }
        FirstKey::Match if !keys::has_open_terms(tree) => (
            "`first: match` is for a rule with a regular expression or a wildcard",
            "write one in `when`, such as /CVE-\\d{4}-\\d{4,}/ or novichok*",
        ),
        _ => return,
    };
    let place = rule.entries(&mut Vec::new()).and_then(|mut entries| entries.get("tell"));
    faults.push(place.as_ref().unwrap_or(rule).fault(message).help(help));
}

/// Refuses an `after` that names no enabled rule, or its own.
pub(super) fn check_after(rules: &BTreeMap<String, NamedRule>, faults: &mut Vec<Fault>) {
    for named in rules.values() {
        let Some(after) = &named.after else { continue };
        let name = after.value.trim();
        let fault = |message: String| after.fault(0..after.value.len(), message);
        match rules.get(name) {
            Some(_) if name == named.rule.name() => faults.push(
                fault("a rule cannot come after itself".to_owned())
                    .help("name another rule; for several matches of one rule, write `events`"),
            ),
            Some(other) if named.enabled && !other.enabled => faults.push(
                fault(format!("the rule `{name}` is not enabled"))
                    .help("enable it, or disable this rule, too"),
            ),
            Some(_) => {}
            None => {
                let fault = fault(format!("there is no rule `{name}`"));
                let others = rules.keys().map(String::as_str);
                let others = others.filter(|other| *other != named.rule.name());
                faults.push(match nearest(name, others) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("write the `name` of another rule in any rule file; a trial needs both rules in its text"),
                });
            }
        }
    }
}

/// Lets a rule with `after` look for matches of the same row if both rules have `each` of one list.
pub(super) fn share_rows(rules: &mut BTreeMap<String, NamedRule>) {
    let list = |named: &NamedRule| named.each.as_ref().map(|list| list.name.clone());
    let lists: BTreeMap<String, Option<String>> =
        rules.iter().map(|(name, named)| (name.clone(), list(named))).collect();
    for named in rules.values_mut() {
        let Some(own) = list(named) else { continue };
        let Some(Condition::After { rule, .. }) = &named.rule.settings.condition else { continue };
        if lists.get(rule) == Some(&Some(own)) {
            let settings = Arc::make_mut(&mut named.rule.settings);
            if let Some(Condition::After { same_row, .. }) = &mut settings.condition {
                *same_row = true;
            }
        }
    }
}

/// `{for: 2h, from: "06:00", to: "22:00", days: mon-fri}`.
fn absent_of(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Absent> {
    let mut entries = node.entries(faults)?;
    let before = faults.len();
    let longest = time(&mut entries, "for", LONGEST_WINDOW, faults);
    let days = entries.get("days");
    let days = days.map_or_else(|| Some(Day::all()), |node| delivery_policy::days(&node, faults));
    let hours = hours(&mut entries, faults);
    entries.refuse_empty_values(faults);
    entries.refuse_unknown_keys(faults);
    let absent = Absent { longest: longest?, hours, days: days? };
    (faults.len() == before).then_some(absent)
}

/// `from` and `to`. `None` if there are none, and after a fault.
fn hours(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> Option<(Time, Time)> {
    let (from, to) = match (entries.get("from"), entries.get("to")) {
        (None, None) => return None,
        (Some(from), Some(to)) => (from, to),
        (Some(one), None) | (None, Some(one)) => {
            let fault = one.fault("`from` and `to` are needed both");
            faults.push(fault.help("write both, or none of them for all hours"));
            return None;
        }
    };
    let start = delivery_policy::time(&from, faults);
    let end = delivery_policy::time(&to, faults);
    let (start, end) = (start?, end?);
    if start == end {
        let fault = to.fault("`to` is the same time as `from`");
        faults.push(fault.help("leave both out for all hours"));
        return None;
    }
    Some((start, end))
}

fn count(node: &Node<'_>, bounds: RangeInclusive<u32>, faults: &mut Vec<Fault>) -> Option<u32> {
    let help = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
    let written = with_help(&help, faults, |faults| node.count(faults))?;
    let count = u32::try_from(written).ok().filter(|count| bounds.contains(count));
    if count.is_none() {
        faults.push(node.fault(format!("{written} is out of bounds here")).help(help));
    }
    count
}

/// The time under `key`, which must be there.
fn time(
    entries: &mut Entries<'_>,
    key: &'static str,
    longest: Duration,
    faults: &mut Vec<Fault>,
) -> Option<Duration> {
    let bounds = format!("a time from 1m to {}", written_time(longest));
    let help = format!("write {bounds}, such as 6h");
    let node = required(entries, key, &bounds, faults)?;
    let time = with_help(&help, faults, |faults| node.duration(faults))?;
    if time < MINUTE || time > longest {
        faults.push(node.fault("this time is out of bounds here").help(help));
        return None;
    }
    Some(time)
}

/// The value of `key`, which must be there and is of `kind`.
fn required<'d>(
    entries: &mut Entries<'d>,
    key: &'static str,
    kind: &str,
    faults: &mut Vec<Fault>,
) -> Option<Node<'d>> {
    let help = format!("write `{key}` with {kind}");
    with_help(&help, faults, |faults| entries.require(key, faults))
}

/// What `read` reads. Its faults get `help`.
fn with_help<T>(
    help: &str,
    faults: &mut Vec<Fault>,
    read: impl FnOnce(&mut Vec<Fault>) -> Option<T>,
) -> Option<T> {
    let mut found = Vec::new();
    let value = read(&mut found);
    faults.extend(found.into_iter().map(|fault| fault.help(help)));
    value
}

#[cfg(test)]
mod tests;
