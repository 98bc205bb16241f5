//! Tests of `retain`.

use super::*;

#[test]
fn what_is_kept_is_kept_for_a_time_or_for_ever() {
    let day = |days: u64| Some(Duration::from_hours(24 * days));
    for (line, stories, alerts) in [
        ("", day(90), None),
        ("retain: {alerts: 52w}", day(90), day(364)),
        ("retain: {stories: forever, alerts: 7d}", None, day(7)),
    ] {
        assert_eq!(sound(&with(line)).retain, Retain { stories, alerts }, "{line}");
    }
    for (line, said) in [
        ("retain: {stories: 3d}", "time to keep things is too short"),
        ("retain: {alerts: never}", "never"),
        ("retain: {texts: 90d}", "texts"),
        ("retain: 90d", "retain"),
    ] {
        let (config, faults) = read(&with(line));
        assert!(config.is_none() && faults.contains(said), "{line}: {faults}");
    }
}
