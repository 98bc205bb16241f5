//! Finds the time of day in the pieces of a date, with its half of the day and its offset.

use jiff::civil::Time;
use jiff::tz::Offset;

use super::piece::DatePiece::{self, Number, Sign, Word};
use super::piece::without_space;
use super::words;

/// The time of day, with its offset.
#[derive(Default)]
pub(super) struct Clock {
    pub(super) time: Time,
    pub(super) offset: Option<Offset>,
    pub(super) is_next_day: bool,
    pub(super) is_american: bool,
}

/// A half of the day that a date names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HalfOfDay {
    Morning,
    /// The later half, or an evening that ends at midnight.
    Afternoon,
}

/// An hour and a minute among the pieces of a date.
struct HourAndMinute {
    /// The index of the hour, or of the half of the day before it.
    start: usize,
    /// The index after the minute.
    end: usize,
    hour: i64,
    minute: i64,
    half: Option<HalfOfDay>,
}

/// Finds `hour:minute` with its seconds, AM or PM, and offset. Also returns the remaining pieces of
/// the date, without white space.
pub(super) fn find_clock<'a>(pieces: &[DatePiece<'a>]) -> (Clock, Vec<DatePiece<'a>>) {
    let mut clock = Clock::default();
    let mut around: Vec<DatePiece> = pieces.to_vec();
    let places = 0..pieces.len();
    let found = places.clone().find_map(|at| hour_and_minute(pieces, at));
    let found = found.or_else(|| places.clone().find_map(|at| bare_hour(pieces, at)));
    if let Some(found) = found {
        let (second, after) = second(&pieces[found.end..]);
        let (half, after) = half_of_day(after);
        clock.is_american = half.is_some();
        let hour = match (found.half.or(half), found.hour) {
            (Some(HalfOfDay::Afternoon), hour @ 0..=11) => hour + 12,
            (Some(HalfOfDay::Morning), 12) => 0,
            (_, hour) => hour,
        };
        clock.is_next_day = hour == 24;
        let small = |number: i64| i8::try_from(number).unwrap_or_default();
        clock.time =
            Time::new(small(hour % 24), small(found.minute), small(second), 0).unwrap_or_default();
        let (offset, after) = offset(after);
        clock.offset = offset;
        around.truncate(found.start);
        around.extend(after);
    }
    around.retain(|piece| !matches!(piece, Sign(c) if c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|')));
    (clock, around)
}

/// The hour and the minute whose hour stands `at` this index.
fn hour_and_minute<'p, 'a>(pieces: &'p [DatePiece<'a>], at: usize) -> Option<HourAndMinute> {
    let [Number(hour @ 0..=24, 1 | 2), after @ ..] = &pieces[at..] else { return None };
    let before = &pieces[..at];
    let minute_in = |after: &'p [DatePiece<'a>]| match without_space(after) {
        [Number(minute @ 0..=59, 1 | 2), after @ ..] => Some((*minute, after)),
        _ => None,
    };
    let (minute, rest) = match without_space(after) {
        [Sign(':'), after @ ..] => minute_in(after)?,
        [Sign('時' | '时' | '點' | '点' | '시') | Word("h"), after @ ..] => {
            minute_in(after).unwrap_or((0, after))
        }
        _ => match after {
            [Sign('.'), Number(minute @ 0..=59, 2), after @ ..] if is_dotted(before, after) => {
                (*minute, after)
            }
            _ => return None,
        },
    };
    let (half, start) = half_before(before);
    Some(HourAndMinute { start, end: pieces.len() - rest.len(), hour: *hour, minute, half })
}

/// The hour `at` this index, if AM or PM follows.
fn bare_hour(pieces: &[DatePiece], at: usize) -> Option<HourAndMinute> {
    match &pieces[at..] {
        [Number(hour @ 1..=12, 1 | 2), after @ ..]
            if matches!(without_space(after), [Word("am" | "pm"), ..]) =>
        {
            Some(HourAndMinute { start: at, end: at + 1, hour: *hour, minute: 0, half: None })
        }
        _ => None,
    }
}

/// Whether a dot between two numbers separates hour and minute: after a year or a word for a time
/// of day, or before `Uhr`.
fn is_dotted(before: &[DatePiece], after: &[DatePiece]) -> bool {
    let spaces = |piece: &&DatePiece| matches!(piece, Sign(c) if c.is_whitespace() || *c == ',');
    let last = before.iter().rev().find(|piece| !spaces(piece));
    let is_spaced = before.last().is_some_and(|piece| spaces(&piece));
    let follows = match last {
        Some(Number(_, digits)) => is_spaced && *digits == 4,
        Some(Word(word)) => matches!(*word, "klo" | "kl" | "um" | "ore" | "alle" | "kell" | "ob"),
        Some(Sign('.')) => before.iter().rev().any(|piece| matches!(piece, Word("kl" | "klo"))),
        _ => false,
    };
    follows || matches!(without_space(after), [Word("uhr"), ..])
}

/// The seconds after a minute, and what follows them and their fraction.
fn second<'p, 'a>(after: &'p [DatePiece<'a>]) -> (i64, &'p [DatePiece<'a>]) {
    let after = match after {
        [Sign('分' | '분'), after @ ..] | after => after,
    };
    let (second, after) = match after {
        [Sign(':' | '.'), Number(second @ 0..=60, 2), after @ ..]
        | [Sign(':'), Number(second @ 0..=60, 1), after @ ..] => (*second.min(&59), after),
        other => match without_space(other) {
            [Number(second @ 0..=59, 1 | 2), Sign('秒' | '초'), after @ ..] => (*second, after),
            _ => (0, other),
        },
    };
    match after {
        [Sign('.' | ','), Number(..), after @ ..] => (second, after),
        _ => (second, after),
    }
}

/// The half of the day that stands at the end of `before`, as in East Asia, and the index where it
/// or the hour begins.
fn half_before(before: &[DatePiece]) -> (Option<HalfOfDay>, usize) {
    use HalfOfDay::{Afternoon, Morning};
    let end = before.len() - spaces_at_end(before);
    let half = match &before[..end] {
        [.., Sign('오'), Sign('후')]
        | [.., Sign('下' | '中'), Sign('午')]
        | [.., Sign('午'), Sign('後' | '后')]
        | [.., Sign('晚'), Sign('上')]
        | [.., Sign('傍'), Sign('晚')] => Afternoon,
        [.., Sign('오'), Sign('전')]
        | [.., Sign('上'), Sign('午')]
        | [.., Sign('午'), Sign('前')]
        | [.., Sign('凌'), Sign('晨')]
        | [.., Sign('早'), Sign('上' | '晨')] => Morning,
        [.., Word("ös" | "pm")] => return (Some(Afternoon), end - 1),
        [.., Word("öö" | "am")] => return (Some(Morning), end - 1),
        _ => return (None, before.len()),
    };
    (Some(half), end - 2)
}

fn spaces_at_end(pieces: &[DatePiece]) -> usize {
    let is_space = |piece: &&DatePiece| matches!(piece, Sign(c) if c.is_whitespace());
    pieces.iter().rev().take_while(is_space).count()
}

/// The half of the day after a time: `AM`, `p.m.`, and the same in other languages.
fn half_of_day<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> (Option<HalfOfDay>, &'p [DatePiece<'a>]) {
    use HalfOfDay::{Afternoon, Morning};
    match without_space(pieces) {
        [Word("am" | "πμ" | "öö" | "sa" | "ص" | "صباحا" | "صباحًا"), after @ ..] => {
            (Some(Morning), after)
        }
        [Word("pm" | "μμ" | "ös" | "ch" | "م" | "مساء" | "مساءً"), after @ ..] => {
            (Some(Afternoon), after)
        }
        [Word(half @ ("a" | "p")), Sign('.'), between @ ..] => match without_space(between) {
            [Word("m"), Sign('.'), after @ ..] | [Word("m"), after @ ..] => {
                (Some(if *half == "a" { Morning } else { Afternoon }), after)
            }
            _ => (None, pieces),
        },
        [Word(half @ ("π" | "μ")), Sign('.'), Word("μ"), Sign('.'), after @ ..] => {
            (Some(if *half == "π" { Morning } else { Afternoon }), after)
        }
        _ => (None, pieces),
    }
}

/// The offset after a time: `+hhmm`, `-hh:mm`, a zone's name, or both (`GMT+1`).
fn offset<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> (Option<Offset>, &'p [DatePiece<'a>]) {
    let pieces = match without_space(pieces) {
        [Word("uhr"), after @ ..] => after,
        _ => pieces,
    };
    let (zone, after) = match without_space(pieces) {
        [Word(name), after @ ..] | [Sign('('), Word(name), after @ ..]
            if words::zone(name).is_some() =>
        {
            (words::zone(name), after)
        }
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
