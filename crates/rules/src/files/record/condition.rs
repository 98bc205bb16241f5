//! The condition of a rule in its record, as a rule file writes it.

use serde::Serialize;

use crate::condition::{Absent, Condition, written_time};

/// The keys `tell` and `absent`. A rule without a condition has none of them.
#[derive(Default, Serialize)]
pub(super) struct ConditionRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    tell: Option<TellRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<AbsentRecord>,
}

/// One kind of `tell`, with the keys that it has.
#[derive(Default, Serialize)]
struct TellRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    publishers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spike: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    not_seen_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<u32>,
}

#[derive(Serialize)]
struct AbsentRecord {
    #[serde(rename = "for")]
    longest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    days: Vec<&'static str>,
}

impl ConditionRecord {
    pub(super) fn new(condition: Option<&Condition>) -> Self {
        match condition {
            None => Self::default(),
            Some(Condition::Absent(absent)) => {
                Self { tell: None, absent: Some(AbsentRecord::new(absent)) }
            }
            Some(condition) => Self { tell: Some(TellRecord::new(condition)), absent: None },
        }
    }
}

impl TellRecord {
    fn new(condition: &Condition) -> Self {
        let within = condition.within().map(written_time);
        let record = Self { within, ..Self::default() };
        match condition {
            Condition::Publishers { least, .. } => Self { publishers: Some(*least), ..record },
            Condition::Events { least, .. } => Self { events: Some(*least), ..record },
            Condition::Spike(spike) => Self {
                spike: Some(spike.times),
                against: Some(written_time(spike.against)),
                least: Some(spike.least),
                ..record
            },
            Condition::First { key, within } => Self {
                first: Some(key.as_str()),
                not_seen_in: Some(written_time(*within)),
                ..Self::default()
            },
            Condition::After { rule, .. } => Self { after: Some(rule.clone()), ..record },
            Condition::Absent(_) => record,
        }
    }
}

impl AbsentRecord {
    fn new(absent: &Absent) -> Self {
        let time = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
        Self {
            longest: written_time(absent.longest),
            from: absent.hours.map(|(from, _)| time(from)),
            to: absent.hours.map(|(_, to)| time(to)),
            days: absent.days.iter().map(|day| day.name()).collect(),
        }
    }
}
