//! Which stories are copies of one text: a sketch that finds what may be one fast, and the comparison that proves it. Pure.

pub mod sketch;

use std::time::Duration;

use jiff::Timestamp;
use twox_hash::XxHash3_64;

use crate::alert::copies::sketch::Sketch;
use crate::text::tokenise;

/// Texts with fewer words are never taken for copies: forms and teasers of that length are alike by chance.
const FEWEST_WORDS: usize = 50;

/// The words of a shingle.
const SHINGLE: usize = 3;

/// An event takes copies for so long after its first story was first seen: what is printed again every day is news every day.
const OPEN_FOR: Duration = Duration::from_hours(72);

/// A settled text, ready to be compared. One that was made of the same text is equal, in every run and build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    /// Hashes of its shingles: ascending, none twice.
    shingles: Vec<u64>,
    /// Its numbers, each after the words around it: ascending, none twice.
    numbers: Vec<(u64, u64)>,
    /// What finds it among others.
    pub sketch: Sketch,
}

/// Events that began before this take no copies at `now`.
#[must_use]
pub fn open_since(now: Timestamp) -> Timestamp {
    now.checked_sub(OPEN_FOR).unwrap_or(Timestamp::MIN)
}

/// The print of `text`; `None` if it is too short to tell.
#[must_use]
pub fn print(text: &str) -> Option<Print> {
    let tokens = tokenise(text);
    if tokens.len() < FEWEST_WORDS {
        return None;
    }
    let words: Vec<&str> = tokens.iter().map(|token| token.word.as_str()).collect();
    let shingles = ordered(runs(&words).collect());
    let masked: Vec<&str> = words.iter().map(|word| if is_number(word) { "#" } else { word }).collect();
    let around = runs(&masked).zip(&words[SHINGLE - 1..]);
    let numbers = ordered(around.filter(|(_, word)| is_number(word)).map(|(run, word)| (run, hash(word))).collect());
    Some(Print { sketch: Sketch::of(&shingles), shingles, numbers })
}

/// Whether one of two texts is a copy of the other: nearly all of the shorter stands in the longer, which is not much longer, and where both use the
/// same words around a number it is the same number. By those do reports that fill a form differ.
///
/// `docs/benchmarks.md` says how often that is right.
#[must_use]
pub fn is_copy(one: &Print, other: &Print) -> bool {
    let (short, long) = if one.shingles.len() <= other.shingles.len() { (one, other) } else { (other, one) };
    let shared = shared(&short.shingles, &long.shingles);
    let all = short.shingles.len() + long.shingles.len() - shared;
    // Four fifths of the shorter, two fifths of both.
    shared * 5 >= short.shingles.len() * 4 && shared * 5 >= all * 2 && agree(&short.numbers, &long.numbers)
}

/// Whether at most one number, or one in sixteen, is another where the words before it are the same.
fn agree(short: &[(u64, u64)], long: &[(u64, u64)]) -> bool {
    let around: Vec<u64> = long.iter().map(|(around, _)| *around).collect();
    let comparable = short.iter().filter(|(one, _)| around.binary_search(one).is_ok()).count();
    comparable - shared(short, long) <= (comparable / 16).max(1)
}

fn is_number(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The hash of every run of words as long as a shingle.
fn runs(words: &[&str]) -> impl Iterator<Item = u64> {
    let mut run = String::new();
    words.windows(SHINGLE).map(move |words| {
        run.clear();
        for word in words {
            run.push_str(word);
            run.push(' ');
        }
        hash(&run)
    })
}

fn hash(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

fn ordered<T: Ord>(mut hashes: Vec<T>) -> Vec<T> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// How many stand in both.
fn shared<T: Ord>(short: &[T], long: &[T]) -> usize {
    let mut rest = long.iter().peekable();
    let stands = |hash: &&T| {
        while rest.next_if(|other| other < hash).is_some() {}
        rest.peek() == Some(hash)
    };
    short.iter().filter(stands).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many different words, from this number on.
    fn words(from: usize, many: usize) -> String {
        let letter = |digit: u8| char::from(b'a' + digit - b'0');
        let word = |n: usize| n.to_string().bytes().map(letter).collect::<String>();
        (from..from + many).map(word).collect::<Vec<_>>().join(" ")
    }

    fn of(text: &str) -> Print {
        print(text).expect("long enough")
    }

    #[test]
    fn a_text_under_fifty_words_has_no_print() {
        assert_eq!(print(&words(0, 49)), None);
        assert!(print(&words(0, 50)).is_some());
    }

    #[test]
    fn typography_and_case_make_no_difference() {
        let text = "“Arms” for oil—and grain. ".repeat(20) + &words(0, 40);
        assert_eq!(of(&text), of(&text.to_uppercase().replace(['“', '”'], "\"").replace('—', " - ")));
    }

    #[test]
    fn a_copy_may_lack_a_fifth_of_the_shorter_and_three_fifths_of_both() {
        let long = of(&words(0, 502));
        for (text, expected) in [
            (words(0, 502), true),
            (words(0, 203), true),
            (words(0, 201), false),
            (words(0, 402) + " " + &words(900, 98), true),
            (words(0, 400) + " " + &words(900, 102), false),
            (words(900, 500), false),
        ] {
            assert_eq!(is_copy(&long, &of(&text)), expected, "{text}");
            assert_eq!(is_copy(&of(&text), &long), expected, "{text}");
        }
    }

    #[test]
    fn one_number_may_be_another_but_not_two_of_a_few() {
        let report = |numbers: &str| of(&(words(0, 200) + " " + numbers));
        assert!(is_copy(&report("12 dead 40 hurt"), &report("14 dead 40 hurt")));
        assert!(!is_copy(&report("12 dead 40 hurt"), &report("14 dead 50 hurt")));
    }

    #[test]
    fn prints_are_the_same_in_every_build() {
        let print = of(&words(0, 50));
        assert_eq!(print.shingles[0], 165_172_912_802_479_781);
    }

    #[test]
    fn an_event_takes_copies_for_three_days() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        assert_eq!(now.duration_since(open_since(now)).as_hours(), 72);
    }
}
