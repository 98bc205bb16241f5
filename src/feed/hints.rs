//! The hints for polling in a feed's document: `ttl`, `sy:updatePeriod`, `skipHours`, `skipDays`.

mod pauses;

use std::time::Duration;

pub use pauses::Pauses;

use crate::feed::tag::{self, is_item};

/// The hints for polling of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollHints {
    /// The shortest time between two polls; never zero.
    pub interval: Option<Duration>,
    /// The times at which it must not be polled.
    pub pauses: Pauses,
}

/// Reads the hints of an XML feed, in any prefix, from the text before its first item and after its
/// last. One pass, without a tree.
pub(super) fn read_hints(text: &str) -> PollHints {
    let head = text.split('<').skip(1).take_while(|tag| !is_item(tag::name(tag)));
    let tail =
        text.rsplit('<').take_while(|tag| !tag::name(tag).strip_prefix('/').is_some_and(is_item));
    let (mut ttl, mut period, mut frequency) = (None, None, None);
    let mut pauses = Pauses::default();
    for tag in head.chain(tail) {
        let value = || tag.split_once('>').map_or("", |(_, value)| value.trim());
        match known_name(tag::name(tag)) {
            "ttl" => ttl = minutes(value()).or(ttl),
            "updateperiod" => period = span(value()).or(period),
            "updatefrequency" => {
                frequency = value().parse::<u32>().ok().filter(|times| *times > 0).or(frequency);
            }
            "hour" => pauses.skip_hour(value()),
            "day" => pauses.skip_day(value()),
            _ => {}
        }
    }
    // In the syndication module, a period without a frequency means once, and a frequency without a
    // period means a day.
    let updated = (period.is_some() || frequency.is_some())
        .then(|| period.unwrap_or(DAY) / frequency.unwrap_or(1));
    PollHints { interval: ttl.max(updated).filter(|interval| !interval.is_zero()), pauses }
}

const DAY: Duration = Duration::from_hours(24);

fn minutes(value: &str) -> Option<Duration> {
    let minutes = value.parse::<u32>().ok().filter(|minutes| *minutes > 0)?;
    Some(Duration::from_mins(u64::from(minutes)))
}

fn span(value: &str) -> Option<Duration> {
    let days = match value.to_ascii_lowercase().as_str() {
        "hourly" => return Some(DAY / 24),
        "daily" => 1,
        "weekly" => 7,
        "monthly" => 30,
        "yearly" => 365,
        _ => return None,
    };
    Some(DAY * days)
}

/// The known name that equals `name` in any case and prefix, in lower case. Empty if there is none.
fn known_name(name: &str) -> &'static str {
    const KNOWN: [&str; 5] = ["ttl", "updateperiod", "updatefrequency", "hour", "day"];
    let local = tag::local(name);
    KNOWN.into_iter().find(|known| local.eq_ignore_ascii_case(known)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[rstest]
    #[case("<ttl>60</ttl>", Some(HOUR))]
    #[case("<TTL> 60\n</TTL>", Some(HOUR))]
    #[case("<ttl>0</ttl>", None)]
    #[case("<ttl>-5</ttl><ttl/>", None)]
    #[case("<ttl>4294967295</ttl>", Some(Duration::from_mins(4_294_967_295)))]
    #[case(
        "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>",
        Some(HOUR)
    )]
    #[case(
        "<sy:updatePeriod>\n\tdaily\t</sy:updatePeriod><sy:updateFrequency> 4 </sy:updateFrequency>",
        Some(Duration::from_hours(6))
    )]
    #[case("<syn:updatePeriod>Weekly</syn:updatePeriod>", Some(Duration::from_hours(168)))]
    #[case("<sy:updateFrequency>2</sy:updateFrequency>", Some(Duration::from_hours(12)))]
    #[case("<sy:updatePeriod>often</sy:updatePeriod>", None)]
    #[case(
        "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
        Some(HOUR)
    )]
    #[case("<sy:updatePeriod>hourly</sy:updatePeriod><ttl>90</ttl>", Some(Duration::from_mins(90)))]
    #[case("<item><ttl>5</ttl></item>", None)]
    #[case("<item><title>x</title></item><ttl>5</ttl>", Some(Duration::from_mins(5)))]
    #[case("<items/><ttl>5</ttl><a:item/>", Some(Duration::from_mins(5)))]
    #[case("<ttl>5", Some(Duration::from_mins(5)))]
    #[case("", None)]
    fn the_shortest_interval_that_a_feed_asks_for_is_read(
        #[case] channel: &str,
        #[case] expected: Option<Duration>,
    ) {
        assert_eq!(read_hints(&format!("<rss><channel>{channel}")).interval, expected);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_asks_for_something_that_can_be_kept(text in "(<|/|>|ttl|item|hour|day|x:|updatePeriod|hourly|5| |é){0,60}") {
            proptest::prop_assert!(read_hints(&text).interval.is_none_or(|interval| !interval.is_zero()));
        }
    }

    #[rstest]
    #[case("<skipHours><hour>12</hour></skipHours>", Some("2024-05-01T13:00:00Z"))]
    #[case("<skipHours><hour>12</hour><hour>13</hour></skipHours>", Some("2024-05-01T14:00:00Z"))]
    #[case("<skipDays><day>Wednesday</day></skipDays>", Some("2024-05-02T00:00:00Z"))]
    #[case("<skipDays><day>monday</day></skipDays><skipHours><hour>7</hour></skipHours>", None)]
    #[case(
        "<skipHours><hour>noon</hour><hour>25</hour></skipHours><skipDays><day>Caturday</day></skipDays>",
        None
    )]
    fn the_pauses_that_a_feed_asks_for_are_read(#[case] channel: &str, #[case] end: Option<&str>) {
        let pauses = read_hints(&format!("<rss><channel>{channel}<item/>")).pauses;
        let now = "2024-05-01T12:30:00Z".parse().unwrap();
        assert_eq!(pauses.end(now), end.map(|end| end.parse().unwrap()));
    }
}
