//! Parses dates of feeds: by the standards, else by the parts of a date that can be recognised.
//!
//! A date without a zone is in UTC. A two-digit year is that of RFC 2822: `49` is 2049, `50` is
//! 1950. If day and month are numbers, their separator gives the order: before `.`, the day is
//! first. `3/4/2024` is ambiguous and no date, unless it has AM or PM, which Americans write. A
//! date before 1971 is a placeholder and no date.

mod words;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// The longest text that can be a date, in bytes.
const LONGEST: usize = 120;

/// Parses RFC 3339, RFC 2822, or any text in which a day, a month and a year can be recognised.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let standard = || jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let moment = text.parse().ok().or_else(standard).or_else(|| loose(text))?;
    (moment.as_second() >= 31_536_000).then_some(moment)
}

/// A piece of a date: a number with its count of digits, a word, or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DatePiece<'a> {
    Number(i64, usize),
    Word(&'a str),
    Sign(char),
}

use DatePiece::{Number, Sign, Word};

fn loose(text: &str) -> Option<Timestamp> {
    let lower = text.to_lowercase();
    let pieces = pieces(&lower)?;
    if let [Number(seconds, digits @ (9 | 10 | 13))] = pieces[..] {
        return if digits == 13 {
            Timestamp::from_millisecond(seconds)
        } else {
            Timestamp::from_second(seconds)
        }
        .ok();
    }
    let (clock, around) = find_clock(&pieces);
    let date = words_date(&around).or_else(|| numbers_date(&around, clock.is_american))?;
    let civil = DateTime::from_parts(date, clock.time);
    let civil = civil.checked_add(jiff::Span::new().days(i64::from(clock.is_next_day))).ok()?;
    clock.offset.unwrap_or(Offset::UTC).to_timestamp(civil).ok()
}

fn pieces(text: &str) -> Option<Vec<DatePiece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length =
            |is_same: fn(char) -> bool| rest.find(|c: char| !is_same(c)).unwrap_or(rest.len());
        let end = if first.is_ascii_digit() {
            let end = length(|c| c.is_ascii_digit());
            pieces.push(Number(rest[..end].parse().ok()?, end));
            end
        } else if words::is_letter(first) {
            let end = length(words::is_letter);
            pieces.push(Word(&rest[..end]));
            end
        } else {
            pieces.push(Sign(first));
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    Some(pieces)
}

/// The time of day, with its offset.
#[derive(Default)]
struct Clock {
    time: Time,
    offset: Option<Offset>,
    is_next_day: bool,
    is_american: bool,
}

/// Finds `hour:minute` with its seconds, AM or PM, and offset. Also returns the remaining pieces of
/// the date, without white space.
fn find_clock<'a>(pieces: &[DatePiece<'a>]) -> (Clock, Vec<DatePiece<'a>>) {
    let mut clock = Clock::default();
    let mut around: Vec<DatePiece> = pieces.to_vec();
    let starts = |at: &usize| {
        matches!(pieces[*at..], [Number(0..=24, 1 | 2), Sign(':'), Number(0..=59, 1 | 2), ..])
    };
    if let Some(start) = (0..pieces.len()).find(starts)
        && let [Number(hour, _), _, Number(minute, _), after @ ..] = &pieces[start..]
    {
        let (second, after) = match after {
            [Sign(':'), Number(second @ 0..=60, _), after @ ..] => (*second.min(&59), after),
            _ => (0, after),
        };
        let after = match after {
            [Sign('.' | ','), Number(..), after @ ..] => after,
            _ => after,
        };
        let (half, after) = half_of_day(after);
        clock.is_american = half.is_some();
        let hour = match (half, *hour) {
            (Some(12), hour @ 1..=11) => hour + 12,
            (Some(0), 12) => 0,
            (_, hour) => hour,
        };
        clock.is_next_day = hour == 24;
        let small = |number: i64| i8::try_from(number).unwrap_or_default();
        clock.time =
            Time::new(small(hour % 24), small(*minute), small(second), 0).unwrap_or_default();
        let (offset, after) = offset(after);
        clock.offset = offset;
        around.truncate(start);
        around.extend(after);
    }
    around.retain(|piece| !matches!(piece, Sign(c) if c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|')));
    (clock, around)
}

/// The hours that `AM` or `PM` adds: 0 or 12.
fn half_of_day<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> (Option<i64>, &'p [DatePiece<'a>]) {
    let trimmed = without_space(pieces);
    match trimmed {
        [Word("am"), after @ ..] => (Some(0), after),
        [Word("pm"), after @ ..] => (Some(12), after),
        [Word(half @ ("a" | "p")), Sign('.'), Word("m"), Sign('.'), after @ ..] => {
            (Some(if *half == "a" { 0 } else { 12 }), after)
        }
        _ => (None, pieces),
    }
}

/// The offset after a time: `+hhmm`, `-hh:mm`, a zone's name, or both (`GMT+1`).
fn offset<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> (Option<Offset>, &'p [DatePiece<'a>]) {
    let (zone, after) = match without_space(pieces) {
        [Word(name), after @ ..] if words::zone(name).is_some() => (words::zone(name), after),
        other => (None, other),
    };
    let (minutes, after) = match without_space(after) {
        [Sign('+'), Sign('-'), after @ ..] | [Sign('-' | '\u{2212}'), after @ ..] => {
            read_offset(-1, after)
        }
        [Sign('+'), after @ ..] => read_offset(1, after),
        other => (None, other),
    };
    let total = match (zone, minutes) {
        (None, None) => return (None, after),
        (zone, minutes) => zone.unwrap_or(0) + minutes.unwrap_or(0),
    };
    (Offset::from_seconds(total * 60).ok(), after)
}

fn read_offset<'p, 'a>(
    sign: i32,
    pieces: &'p [DatePiece<'a>],
) -> (Option<i32>, &'p [DatePiece<'a>]) {
    let (hours, minutes, after) = match pieces {
        [Number(hours @ 0..=15, 1 | 2), Sign(':'), Number(minutes @ 0..=59, 2), after @ ..] => {
            (*hours, *minutes, after)
        }
        [Number(packed @ 0..=1559, 3 | 4), after @ ..] => (packed / 100, packed % 100, after),
        [Number(hours @ 0..=15, 1 | 2), after @ ..] => (*hours, 0, after),
        _ => return (None, pieces),
    };
    (i32::try_from(hours * 60 + minutes).ok().map(|minutes| sign * minutes), after)
}

fn without_space<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> &'p [DatePiece<'a>] {
    let spaces =
        pieces.iter().take_while(|piece| matches!(piece, Sign(c) if c.is_whitespace())).count();
    &pieces[spaces..]
}

/// A date whose month is a word: `1 May 2024`, `May 1, 2024`, `2024 May 1`, `1-May-24`, `1 de mayo
/// de 2024`.
fn words_date(pieces: &[DatePiece]) -> Option<Date> {
    let month = pieces.iter().find_map(|piece| match piece {
        Word(word) => words::month(word),
        _ => None,
    })?;
    let mut numbers = pieces.iter().filter_map(|piece| match piece {
        Number(number, digits) => Some((*number, *digits)),
        _ => None,
    });
    match (numbers.next()?, numbers.next()?) {
        ((year, 4), (day, _)) => civil_date(year, 4, i64::from(month), day),
        ((day, _), (year, digits)) => civil_date(year, digits, i64::from(month), day),
    }
}

/// A date in numbers: `2024-05-01`, `20240501`, `1.5.2024`, `2024年5月1日`.
fn numbers_date(pieces: &[DatePiece], is_american: bool) -> Option<Date> {
    match *pieces {
        [Number(packed, 8), ..] => civil_date(packed / 10_000, 4, packed / 100 % 100, packed % 100),
        [Number(year, 4), _, Number(month, _), _, Number(day, _), ..] => {
            civil_date(year, 4, month, day)
        }
        [Number(year, 4), Sign('-'), Number(month, 2)] => civil_date(year, 4, month, 1),
        [
            Number(day, 1 | 2),
            Sign('.'),
            Number(month, 1 | 2),
            Sign('.'),
            Number(year, digits),
            ..,
        ] => civil_date(year, digits, month, day),
        [
            Number(first, 1 | 2),
            Sign(sign @ ('/' | '-')),
            Number(second, 1 | 2),
            Sign(again),
            Number(year, digits),
            ..,
        ] if sign == again => match (first > 12, second > 12) {
            (true, _) => civil_date(year, digits, second, first),
            (_, true) => civil_date(year, digits, first, second),
            _ if is_american || first == second => civil_date(year, digits, first, second),
            _ => None,
        },
        // Words and signs before the date are skipped.
        [Word(_) | Sign(_), ref rest @ ..] => numbers_date(rest, is_american),
        _ => None,
    }
}

fn civil_date(year: i64, digits: usize, month: i64, day: i64) -> Option<Date> {
    let year = match (digits, year) {
        (1 | 2, 0..=49) => 2000 + year,
        (1 | 2, _) => 1900 + year,
        (4, _) => year,
        _ => return None,
    };
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::parse_date;

    #[rstest]
    #[case("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z")]
    #[case("2024-05-01T12:00:00.123+02:00", "2024-05-01T10:00:00.123Z")]
    #[case("2024-05-01T12:00:00+0200", "2024-05-01T10:00:00Z")]
    #[case("2024-05-01 12:00", "2024-05-01T12:00:00Z")]
    #[case("2024-05-01T12:00:00", "2024-05-01T12:00:00Z")]
    #[case("2024-05-01", "2024-05-01T00:00:00Z")]
    #[case("2024-05", "2024-05-01T00:00:00Z")]
    #[case("20240501", "2024-05-01T00:00:00Z")]
    #[case("2024/05/01 12:00 +0100", "2024-05-01T11:00:00Z")]
    #[case("2024-05-01T24:00:00Z", "2024-05-02T00:00:00Z")]
    #[case("2024-12-31T23:59:60Z", "2024-12-31T23:59:59Z")]
    #[case("1714564800", "2024-05-01T12:00:00Z")]
    #[case("1714564800000", "2024-05-01T12:00:00Z")]
    fn dates_in_numbers_are_read(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), expected, "{text}");
    }

    #[rstest]
    #[case("Wed, 01 May 2024 12:00:00 GMT", "2024-05-01T12:00:00Z")]
    #[case("Wed, 1 May 24 12:00:00 EST", "2024-05-01T17:00:00Z")]
    #[case("Mon, 01 May 2024 12:00:00 +0200", "2024-05-01T10:00:00Z")]
    #[case("Wednesday, 1 May 2024 12:00", "2024-05-01T12:00:00Z")]
    #[case("Wed, 01 May 2024 9:05:00 CEST", "2024-05-01T07:05:00Z")]
    #[case("01 May 2024 12:00:00 UTC+2", "2024-05-01T10:00:00Z")]
    #[case("Wed, 01 May 2024 12:00:00 -05:30", "2024-05-01T17:30:00Z")]
    #[case("Wed, 01 May 2024", "2024-05-01T00:00:00Z")]
    #[case("May 1, 2024 3:07 p.m.", "2024-05-01T15:07:00Z")]
    #[case("May 1st, 2024 12:30 AM EDT", "2024-05-01T04:30:00Z")]
    #[case("Wed May  1 12:00:00 PDT 2024", "2024-05-01T19:00:00Z")]
    #[case(
        "Wed May 01 2024 12:00:00 GMT+0200 (Central European Summer Time)",
        "2024-05-01T10:00:00Z"
    )]
    #[case("1-May-2024 12:00:00", "2024-05-01T12:00:00Z")]
    #[case("Thu, 01 Jan 1998 00:00:00 GMT", "1998-01-01T00:00:00Z")]
    #[case("Thu, 01 Jan 98 00:00:00 GMT", "1998-01-01T00:00:00Z")]
    fn dates_in_words_are_read(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), expected, "{text}");
    }

    #[rstest]
    #[case("mer., 01 mai 2024 12:00:00 +0200")]
    #[case("Mi, 01 Mai 2024 12:00:00 +0200")]
    #[case("mié, 1 de mayo de 2024 12:00:00 +0200")]
    #[case("qua, 01 maio 2024 12:00:00 +0200")]
    #[case("śr., 1 maja 2024 12:00 CEST")]
    #[case("Ср, 01 мая 2024 13:00:00 MSK")]
    #[case("ср, 01 травня 2024 13:00 EEST")]
    #[case("Τετ, 01 Μαΐ 2024 12:00:00 +0200")]
    #[case("Çar, 01 Mayıs 2024 13:00:00 +0300")]
    #[case("2024년 5월 1일 19:00 KST")]
    #[case("2024年5月1日 19:00 JST")]
    #[case("01.05.2024 12:00 +02:00")]
    #[case("5/1/2024 10:00:00 AM")]
    fn dates_of_the_world_are_read(#[case] text: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), "2024-05-01T10:00:00Z", "{text}");
    }

    #[rstest]
    #[case("31/12/2024")]
    #[case("12/31/2024")]
    #[case("31-12-24")]
    fn numbers_that_can_be_no_month_decide_the_order(#[case] text: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), "2024-12-31T00:00:00Z", "{text}");
    }

    #[rstest]
    #[case("")]
    #[case("yesterday")]
    #[case("3/4/2024")]
    #[case("2024")]
    #[case("12:00")]
    #[case("31 February 2024")]
    #[case("0001-01-01T00:00:00Z")]
    #[case("Thu, 01 Jan 1970 00:00:00 GMT")]
    #[case("99999999999999999999999")]
    fn ambiguous_dates_are_no_dates(#[case] text: &str) {
        assert_eq!(parse_date(text), None, "{text}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "([0-9]{1,6}|[:./+ -]|may|am|gmt|é|年|T|Z){0,20}") {
            let _ = parse_date(&text);
        }
    }
}
