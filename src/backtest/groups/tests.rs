//! Tests of the conditions of rules over the matches of a backtest.

use jiff::SignedDuration;

use super::*;
use crate::backtest::batch::SourceStory;
use tidings_rules::story::Story;

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn matcher(rules: &str) -> Matcher {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yaml"), rules).unwrap();
    std::fs::write(folder.path().join("people.csv"), "id,name\n1,Ada\n2,Bob\n").unwrap();
    let mut faults = Vec::new();
    Matcher::from_rule_files(folder.path(), None, &mut faults)
        .ok()
        .unwrap_or_else(|| panic!("{faults:?}"))
}

/// What becomes of stories, each with its minute, its event, its publisher and its headline: a
/// line for each absence and each match of a rule with a condition.
fn results(rules: &str, stories: &[(i64, u64, &str, &str)]) -> Vec<String> {
    let matcher = matcher(rules);
    let mut groups = Groups::new(&matcher, TimeZone::UTC, at(0));
    let watch = WatchedTime { known_since: at(0), slots: None };
    let mut said = Vec::new();
    for (minute, event, publisher, title) in stories {
        let entry = SourceStory {
            id: minute.to_string(),
            story: Story::from_words(*title, ""),
            carriers: None,
        };
        let hits = matcher.match_stories(std::slice::from_ref(&entry)).remove(0).grouped;
        let story = Arc::new(MatchedStory {
            id: entry.id.clone(),
            at: at(*minute),
            headline: Headline::of(&entry),
        });
        let sighting = StorySighting {
            event: *event,
            publisher: (*publisher).into(),
            is_news: !title.contains(" old "),
        };
        for absence in groups.tell_absences(at(*minute)) {
            said.push(format!("{}: absent at {}", matcher.names[absence.place], absence.due));
        }
        for one in groups.add(&story, &sighting, &hits, &watch) {
            let result = match one.result {
                GroupResult::Held(progress) => format!("held, {progress}"),
                GroupResult::Fired(firing) => {
                    let PastFiring { progress, count, stories, .. } = &*firing;
                    let ids: Vec<&str> = stories.iter().map(|one| one.id.as_str()).collect();
                    format!("fired, {progress}, {count}: {}", ids.join(" "))
                }
                other => format!("{other:?}"),
            };
            said.push(format!("{}: {result}", matcher.names[one.place]));
        }
    }
    said
}

#[test]
fn a_firing_has_the_held_stories_of_its_window_and_an_episode_follows() {
    let rules = "rules: [{name: a, when: quake, tell: {publishers: 2, within: 1h}}]";
    let stories = [
        (0, 1, "afp", "A quake"),
        (30, 2, "ap", "An old quake"),
        (60, 3, "ap", "A quake"),
        (60, 3, "afp", "A copy of the quake"),
        (119, 4, "afp", "A quake"),
        (120, 5, "afp", "A quake"),
        (180, 6, "ap", "A quake"),
    ];
    let expected = [
        "a: held, 1 of 2 publishers: afp",
        "a: NoNews",
        "a: held, 1 of 2 publishers: ap",
        "a: Copy",
        "a: fired, 2 publishers: afp, ap, 2: 60 119",
        "a: Told",
        "a: held, 1 of 2 publishers: ap",
    ];
    assert_eq!(results(rules, &stories), expected);
}

#[test]
fn a_copy_in_an_open_episode_is_told_if_nobody_was_told_of_its_event() {
    let rules = "rules: [{name: a, when: quake, tell: {events: 2, within: 1h}}]";
    let stories = [
        (0, 1, "afp", "A quake"),
        (60, 2, "afp", "A quake"),
        (61, 1, "ap", "A copy of the quake"),
        (70, 3, "afp", "A quake"),
        (71, 2, "ap", "A copy of the quake"),
        (72, 1, "ap", "A copy of the quake"),
        (73, 1, "dpa", "A copy of the quake"),
        (130, 4, "afp", "A quake"),
    ];
    let expected = [
        "a: held, 1 of 2 events",
        "a: held, 1 of 2 events",
        "a: Copy",
        "a: fired, 2 events, 2: 60 70",
        "a: Copy",
        "a: Told",
        "a: Copy",
        // A copy keeps no episode open.
        "a: held, 1 of 2 events",
    ];
    assert_eq!(results(rules, &stories), expected);
}

#[test]
fn a_window_shows_its_newest_stories_and_counts_all() {
    let rules = "rules: [{name: a, when: quake, tell: {events: 150, within: 1d}}]";
    let stories: Vec<_> =
        (0..150_i64).map(|minute| (minute, minute.unsigned_abs(), "afp", "A quake")).collect();
    let last = results(rules, &stories).pop().unwrap();
    assert!(last.starts_with("a: fired, 150 events, 150: 49 50 51 "), "{last}");
}

#[test]
fn what_is_new_is_new_to_its_group() {
    let rules = "rules:
  - {name: a, when: quake, tell: {first: source, in: 1h}}
  - {name: b, when: vol*, tell: {first: match, in: 1h}}
";
    let stories = [
        (0, 1, "afp", "A quake and a volcano"),
        (1, 2, "afp", "A quake and volcanoes"),
        (61, 3, "afp", "A quake"),
        (122, 4, "afp", "A quake"),
    ];
    let expected = [
        "a: fired, new source: afp, 1: 0",
        "b: fired, new match: volcano, 1: 0",
        "a: held, known source: afp",
        "b: fired, new match: volcanoes, 1: 1",
        "a: held, known source: afp",
        "a: fired, new source: afp, 1: 122",
    ];
    assert_eq!(results(rules, &stories), expected);
}

#[test]
fn a_rule_after_another_looks_for_its_matches_in_the_order_of_names() {
    let rules = "terms: {people: {from: people.csv, term: name, id: id}}
rules:
  - {name: b, each: people, when: $people AND sold, tell: {after: c, within: 1h}}
  - {name: c, each: people, when: $people AND bought}
  - {name: d, when: sold, tell: {after: c, within: 1h}}
";
    let stories = [
        (0, 1, "afp", "Ada bought and sold"),
        (1, 2, "afp", "Ada sold"),
        (2, 3, "afp", "Bob sold"),
        (60, 4, "afp", "Ada sold"),
    ];
    let c = "c matched at 1970-01-01 00:00 UTC";
    let expected = [
        "b: Ada (1): held, no match of c before".to_owned(),
        format!("d: fired, {c}, 1: 0"),
        format!("b: Ada (1): fired, {c}, 1: 1"),
        format!("d: fired, {c}, 1: 1"),
        "b: Bob (2): held, no match of c before".to_owned(),
        format!("d: fired, {c}, 1: 2"),
        "b: Ada (1): held, no match of c before".to_owned(),
        "d: held, no match of c before".to_owned(),
    ];
    assert_eq!(results(rules, &stories), expected);
}

#[test]
fn an_absence_is_told_once_and_its_end_too() {
    let rules = "rules: [{name: a, when: quake, absent: {for: 1h}}]";
    let stories = [
        (59, 1, "afp", "A quake"),
        (80, 2, "afp", "A quake"),
        (139, 3, "afp", "Rain"),
        (140, 4, "afp", "A quake"),
        (141, 5, "afp", "A quake"),
        (500, 6, "afp", "Rain"),
        (900, 7, "afp", "Rain"),
    ];
    let expected = [
        "a: held, no absence before it",
        "a: held, no absence before it",
        "a: absent at 1970-01-01T02:20:00Z",
        "a: fired, the first match since 1970-01-01 01:20 UTC, 1: 140",
        "a: held, no absence before it",
        "a: absent at 1970-01-01T03:21:00Z",
    ];
    assert_eq!(results(rules, &stories), expected);
    let silent = results(rules, &[(0, 1, "afp", "Rain"), (60, 2, "afp", "Rain")]);
    assert_eq!(silent, ["a: absent at 1970-01-01T01:00:00Z"]);
}
