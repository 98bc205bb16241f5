//! Parses dates of feeds: by the standards, else by the parts of a date that can be recognised.
//!
//! A date without a zone is in UTC. A two-digit year is that of RFC 2822: `49` is 2049, `50` is
//! 1950. If day and month are numbers, their separator gives the order: before `.`, the day is
//! first. `3/4/2024` is ambiguous and no date, unless it has AM or PM, which Americans write. A
//! date before 1971 is a placeholder and no date.

mod clock;
mod piece;
mod words;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use clock::find_clock;
use piece::DatePiece::{self, Number, Sign, Word};
use piece::pieces;

/// The longest text that can be a date, in bytes.
const LONGEST: usize = 120;

/// Parses RFC 3339, RFC 2822, or any text in which a day, a month and a year can be recognised.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    // jiff takes the name of any other zone for UTC.
    let is_plain = text.ends_with(|c: char| c.is_ascii_digit()) || text.ends_with("GMT");
    let standard = || jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let standard = || is_plain.then(standard).flatten();
    let moment = text.parse().ok().or_else(standard).or_else(|| loose(text))?;
    (moment.as_second() >= 31_536_000).then_some(moment)
}

fn loose(text: &str) -> Option<Timestamp> {
    let lower = words::plain(text);
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

/// A date whose month is a word: `1 May 2024`, `May 1, 2024`, `2024 May 1`, `1-May-24`, `1 de mayo
/// de 2024`.
///
/// The month is the word between two numbers, else the last before them, else the first after them.
/// So the name of a weekday that begins like a month is no month.
fn words_date(pieces: &[DatePiece]) -> Option<Date> {
    let is_number = |piece: &DatePiece| matches!(piece, Number(..));
    let first = pieces.iter().position(is_number)?;
    let last = pieces.iter().rposition(is_number)?;
    let mut between = first..last;
    let mut before = (0..first).rev();
    let mut after = last..pieces.len();
    let month_at = |at: usize| words::month(&pieces[at..]);
    let month = between
        .find_map(month_at)
        .or_else(|| before.find_map(month_at))
        .or_else(|| after.find_map(month_at))?;
    let mut numbers = pieces.iter().filter_map(|piece| match piece {
        Number(number, digits) => Some((*number, *digits)),
        _ => None,
    });
    match (numbers.next()?, numbers.next()?) {
        ((year, 4), (day, _)) => civil_date(year, 4, i64::from(month), day),
        ((day, _), (year, digits)) => civil_date(year, digits, i64::from(month), day),
    }
}

/// A date in numbers as in East Asia and Vietnam, in the order of other languages: `7 5월 2024`.
fn day_first_date(pieces: &[DatePiece]) -> Option<Date> {
    match *pieces {
        [Number(day, 1 | 2), Number(month, 1 | 2), Sign('月' | '월'), Number(year, 4), ..]
        | [
            Number(day, 1 | 2),
            Word("tháng" | "thg" | "th"),
            Number(month, 1 | 2),
            Word("năm") | Sign(_),
            Number(year, 4),
            ..,
        ]
        | [Number(day, 1 | 2), Word("tháng"), Number(month, 1 | 2), Number(year, 4), ..] => {
            civil_date(year, 4, month, day)
        }
        _ => None,
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
        _ => day_first_date(pieces),
    }
}

fn civil_date(year: i64, digits: usize, month: i64, day: i64) -> Option<Date> {
    let year = match (digits, year) {
        (1 | 2, 0..=49) => 2000 + year,
        (1 | 2, _) => 1900 + year,
        // The Buddhist era, as in Thailand.
        (4, 2400..) => year - 543,
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
    #[case("2024년 5월 1일 오후 7:00 KST")]
    #[case("2024년 5월 1일 오후 7시 00분 KST")]
    #[case("2024年5月1日 下午6:00 +0800")]
    #[case("2024年5月1日(水) 午後7時00分 JST")]
    #[case("２０２４年５月１日 １０：００")]
    #[case("1 5월 2024 19:00 KST")]
    #[case("1 mai 2024 12h00 CEST")]
    #[case("1.5.2024 klo 10.00")]
    #[case("1. Mai 2024, 12.00 Uhr MESZ")]
    #[case("1 مايو 2024 10:00 ص")]
    #[case("١ أيار ٢٠٢٤ 10:00")]
    #[case("الأربعاء، 1 مايو 2024 10:00")]
    #[case("1 במאי 2024 13:00 IDT")]
    #[case("1 พฤษภาคม 2567 17:00 ICT")]
    #[case("1 मई 2024 15:30 IST")]
    #[case("1 tháng 5, 2024 17:00 ICT")]
    #[case("Wed, 01 May 2024 11:00:00 BST")]
    #[case("Wed, 01 May 2024 13:00:00 MSK")]
    #[case("May 1, 2024 10 AM")]
    #[case("2024-05-01 PM 07:00 KST")]
    #[case("2024-05-01 18:00 (UTC+08:00)")]
    fn dates_of_the_world_are_read(#[case] text: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), "2024-05-01T10:00:00Z", "{text}");
    }

    #[rstest]
    #[case::french("mar., 07 mai 2024")]
    #[case::french_in_full("mardi 7 mai 2024")]
    #[case::italian("mar, 07 mag 2024")]
    #[case::spanish("martes, 07 de mayo de 2024")]
    #[case::romanian("Marți, 07 mai 2024")]
    #[case::month_first("mar. mai 7, 2024")]
    #[case::year_first("2024. május 7., kedd")]
    #[case::year_and_weekday_first("2024 mardi 7 mai")]
    #[case::dutch("maandag 7 mei 2024")]
    #[case::finnish("maanantai 7. toukokuuta 2024")]
    #[case::turkish("Paz, 07 Mayıs 2024")]
    #[case::turkish_in_full("Pazartesi, 07 Mayıs 2024")]
    #[case::serbian("sub, 07 maj 2024")]
    #[case::ukrainian("середа, 07 травня 2024")]
    #[case::hungarian("Sze, 07 máj 2024")]
    fn a_weekday_is_no_month(#[case] text: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), "2024-05-07T00:00:00Z", "{text}");
    }

    #[rstest]
    #[case("Mar 07 2024", "2024-03-07")]
    #[case("mar, 05 mar 2024", "2024-03-05")]
    #[case("7 lipnja 2024", "2024-06-07")]
    #[case("7 lipca 2024", "2024-07-07")]
    #[case("7 srpnja 2024", "2024-07-07")]
    #[case("7 srpna 2024", "2024-08-07")]
    #[case("Mie, 07 ian. 2026", "2026-01-07")]
    #[case("7 kesäkuuta 2024", "2024-06-07")]
    #[case("7 юни 2024", "2024-06-07")]
    #[case("7 تشرين الأول 2024", "2024-10-07")]
    #[case("7 تشرين الثاني 2024", "2024-11-07")]
    #[case("7 كانون الثاني 2024", "2024-01-07")]
    #[case("7 gegužės 2024", "2024-05-07")]
    fn a_month_is_known_in_its_language(#[case] text: &str, #[case] day: &str) {
        assert_eq!(parse_date(text).unwrap().to_string(), format!("{day}T00:00:00Z"), "{text}");
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
