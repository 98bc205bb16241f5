//! What the final store has, and the faults that are planted into it.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::many_stories::oracle;
use crate::support::http::Recorded;
use crate::support::tidings::Folder;

/// The alerts, with the lead of their event and their codes.
const ALERTS: &str = "SELECT json_object('id', alert.id, 'rule', rule, 'row', dedup_key, 'at', created, 'held', held,
        'event', story.event, 'title', story.title, 'text', coalesce(story.body, story.feed_text),
        'lead', (SELECT url FROM story AS first WHERE first.event = story.event ORDER BY first.id LIMIT 1))
    FROM alert JOIN story ON story.id = alert.story ORDER BY alert.id";

/// The messages, with their alerts.
const MESSAGES: &str = "SELECT json_object('uid', uid, 'created', created, 'digest', json(digest), 'notice', json(notification),
        'alerts', (SELECT json_group_array(alert) FROM message_alert WHERE message = message.id)) FROM message ORDER BY id";

/// An alert of the final store.
#[derive(Clone, Debug)]
pub struct FinalAlert {
    pub id: i64,
    pub rule: String,
    pub row: String,
    pub at: i64,
    pub is_held: bool,
    pub event: String,
    pub title: String,
    pub publisher: String,
    pub codes: Vec<String>,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldAbout {
    /// One event.
    Event,
    /// The matches of a window.
    Firing,
    /// An absence since that time.
    Absence(i64),
}

/// A message of the final store.
#[derive(Clone, Debug)]
pub struct FinalMessage {
    pub uid: String,
    pub created: i64,
    pub about: ToldAbout,
    pub alerts: BTreeSet<i64>,
}

/// The final store, what arrived, and the polls by the clock of their runs.
#[derive(Clone, Debug)]
pub struct FinalRecord {
    pub alerts: Vec<FinalAlert>,
    pub messages: Vec<FinalMessage>,
    /// The titles in each message that arrived, by its id; `None` if a retry differed.
    pub arrivals: BTreeMap<String, Option<BTreeSet<String>>>,
    pub watched: BTreeSet<i64>,
    pub known: BTreeMap<String, i64>,
    pub polls: Vec<i64>,
}

impl FinalRecord {
    pub async fn read(folder: &Folder, hooks: &[Recorded], polls: Vec<i64>) -> Self {
        let alerts = folder.query(ALERTS).await;
        let messages = folder.query(MESSAGES).await;
        let watched = folder.query("SELECT slot || '' FROM watched").await;
        let known = folder.query("SELECT json_array(rule, since) FROM counted_group").await;
        Self {
            alerts: alerts.iter().map(|text| alert(&parse(text))).collect(),
            messages: messages.iter().filter_map(|text| message(&parse(text))).collect(),
            arrivals: arrivals(hooks),
            watched: watched.iter().map(|slot| slot.parse().expect("a slot")).collect(),
            known: known.iter().map(|text| counted_group(&parse(text))).collect(),
            polls,
        }
    }

    /// A firing has a match more: the last of its group before its window.
    pub fn lengthen_window(&mut self) -> bool {
        for place in self.firings() {
            let first = self.window(place)[0].clone();
            let mut earlier = self.alerts.iter().take_while(|one| one.id < first.id);
            let is_of_group =
                |one: &&FinalAlert| (&one.rule, &one.row) == (&first.rule, &first.row);
            if let Some(earlier) = earlier.by_ref().filter(is_of_group).last() {
                return self.messages[place].alerts.insert(earlier.id);
            }
        }
        false
    }

    /// A firing lacks its first match.
    pub fn shorten_window(&mut self) -> bool {
        let Some(place) = self.firings().into_iter().next() else { return false };
        let first = self.window(place)[0].id;
        self.messages[place].alerts.remove(&first)
    }

    /// Each match of a firing is told in two messages.
    pub fn open_twice(&mut self) -> bool {
        let Some(place) = self.firings().into_iter().next() else { return false };
        let again = FinalMessage { uid: "again".to_owned(), ..self.messages[place].clone() };
        self.messages.push(again);
        true
    }

    /// A firing is told to nobody.
    pub fn lose_firing(&mut self) -> bool {
        let Some(place) = self.firings().into_iter().next() else { return false };
        self.messages.remove(place);
        true
    }

    /// An absence is told without a poll since it was due.
    pub fn tell_in_outage(&mut self) -> bool {
        let absence = self.messages.iter().find_map(|message| match message.about {
            ToldAbout::Absence(since) => Some((since, message.created)),
            _ => None,
        });
        let Some((since, told)) = absence else { return false };
        self.polls.retain(|poll| *poll < oracle::absence_due(since) || *poll > told);
        true
    }

    /// An absence is told in two messages.
    pub fn tell_absence_twice(&mut self) -> bool {
        let absence = self.messages.iter().find(|one| matches!(one.about, ToldAbout::Absence(_)));
        let Some(absence) = absence.cloned() else { return false };
        self.messages.push(FinalMessage { uid: "again".to_owned(), ..absence });
        true
    }

    /// The places of the messages that tell the matches of a window.
    fn firings(&self) -> Vec<usize> {
        let is_firing = |message: &FinalMessage| message.about == ToldAbout::Firing;
        (0..self.messages.len()).filter(|place| is_firing(&self.messages[*place])).collect()
    }

    /// The alerts of a message, in their order.
    fn window(&self, place: usize) -> Vec<FinalAlert> {
        let alerts = &self.messages[place].alerts;
        self.alerts.iter().filter(|one| alerts.contains(&one.id)).cloned().collect()
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}

fn alert(found: &Value) -> FinalAlert {
    let code = Regex::new(r"code-\d").expect("a pattern");
    let codes: BTreeSet<String> = code
        .find_iter(found["text"].as_str().expect("a text"))
        .map(|code| code.as_str().to_owned())
        .collect();
    let lead = text(&found["lead"]);
    let host = lead.split('/').nth(2).expect("a host");
    FinalAlert {
        id: number(&found["id"]),
        rule: text(&found["rule"]),
        row: text(&found["row"]),
        at: number(&found["at"]),
        is_held: number(&found["held"]) == 1,
        event: text(&found["event"]),
        title: text(&found["title"]),
        publisher: host.trim_start_matches("www.").to_owned(),
        codes: codes.into_iter().collect(),
    }
}

/// A message about alerts or an absence. `None` for notices about feeds.
fn message(found: &Value) -> Option<FinalMessage> {
    let notice = &found["notice"];
    let about = if found["digest"]["what"] == "fired" {
        ToldAbout::Firing
    } else if notice["kind"] == "absent" {
        let since: jiff::Timestamp = text(&notice["since"]).parse().expect("a time");
        ToldAbout::Absence(since.as_millisecond())
    } else if notice.is_null() {
        ToldAbout::Event
    } else {
        return None;
    };
    let alerts = found["alerts"].as_array().expect("a list").iter().map(number).collect();
    let (uid, created) = (text(&found["uid"]), number(&found["created"]));
    Some(FinalMessage { uid, created, about, alerts })
}

fn counted_group(found: &Value) -> (String, i64) {
    (text(&found[0]), number(&found[1]))
}

fn arrivals(hooks: &[Recorded]) -> BTreeMap<String, Option<BTreeSet<String>>> {
    let title = Regex::new(r"Story \d{4}").expect("a pattern");
    let mut bodies: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for hook in hooks {
        let id = hook.header("webhook-id").expect("an id").to_owned();
        bodies.entry(id).or_default().push(&hook.body);
    }
    let titles = |body: &[u8]| {
        let body = std::str::from_utf8(body).expect("UTF-8");
        title.find_iter(body).map(|title| title.as_str().to_owned()).collect()
    };
    let arrived = bodies.into_iter().map(|(id, bodies)| {
        let is_same = bodies.iter().all(|body| *body == bodies[0]);
        (id, is_same.then(|| titles(bodies[0])))
    });
    arrived.collect()
}
