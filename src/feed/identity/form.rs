//! Whether two texts are one form with different entries, such as notices of one office about two
//! places, people or things. Pure.

use std::collections::HashSet;

use super::likeness::MOST_COMPARED;
use tidings_rules::is_common_word;
use tidings_rules::text::{Token, tokenise};

/// The most words of a text that are compared.
const MOST_WORDS: usize = 600;

/// Words of dates, which identify nothing.
const DATES: [&str; 21] = [
    "april",
    "august",
    "december",
    "february",
    "friday",
    "january",
    "july",
    "june",
    "march",
    "may",
    "monday",
    "november",
    "october",
    "saturday",
    "september",
    "sunday",
    "thursday",
    "today",
    "tuesday",
    "wednesday",
    "yesterday",
];

/// Words before the name of an author.
const BEFORE_AUTHORS: [&str; 5] = ["by", "from", "par", "por", "von"];

/// The kind of a word of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormWordKind {
    /// A name, or an identifier that holds letters and digits.
    Name,
    /// Any other number.
    Number,
    /// Any other word.
    Frame,
}

#[derive(Clone, Debug)]
struct FormWord {
    /// The folded word. For an identifier such as `CVE-2024-4671`, the whole identifier.
    text: String,
    /// The byte at which it begins in the text.
    start: usize,
    kind: FormWordKind,
    /// Whether it stands after a colon or is the last word.
    is_value: bool,
}

/// The words of a headline or a text, with their kinds.
#[derive(Clone, Debug)]
pub(super) struct Form(Vec<FormWord>);

impl Form {
    /// The first words of `text`.
    pub(super) fn parse(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(MOST_COMPARED.into())];
        let mut tokens = tokenise(text);
        tokens.truncate(MOST_WORDS);
        let is_heading = is_heading(text, &tokens);
        let mut is_author = false;
        let mut words: Vec<FormWord> = Vec::with_capacity(tokens.len());
        for (at, token) in tokens.iter().enumerate() {
            let mut kind = kind(text, token, is_heading);
            if is_author && kind == FormWordKind::Name {
                kind = FormWordKind::Frame;
            } else {
                is_author = BEFORE_AUTHORS.contains(&token.word.as_str());
            }
            let before = text[..token.span.start].trim_end();
            let is_value = at + 1 == tokens.len() || (at > 0 && before.ends_with(':'));
            let mut word =
                FormWord { text: token.word.clone(), start: token.span.start, kind, is_value };
            if let Some(start) = identifier_start(text, token) {
                words.retain(|word| word.start < start);
                word.text = text[start..token.span.end].to_lowercase();
                word.start = start;
            }
            words.push(word);
        }
        Self(words)
    }

    /// Whether this and `other` are headlines of two stories: each has words that the other lacks
    /// in every spelling, and this one has many. Numbers and dates do not count.
    pub(super) fn is_other_headline(&self, other: &Self) -> bool {
        let count = |words: &mut dyn Iterator<Item = &FormWord>| {
            let words = words.filter(|word| word.kind != FormWordKind::Number);
            words.map(|word| word.text.as_str()).collect::<HashSet<_>>().len()
        };
        let gone = count(&mut self.words_missing_from(other).into_iter());
        let new = count(&mut other.words_missing_from(self).into_iter());
        let all = count(&mut self.0.iter()) + new;
        gone > 0 && new > 0 && 5 * (gone + new) > 2 * all
    }

    /// Whether `later` is this form about other things: most names and numbers are replaced, a name
    /// among them, and the words around them stay. Numbers alone may be counters.
    pub(super) fn is_refilled_by(&self, later: &Self) -> bool {
        if !self.has_frame_of(later) || later.is_correction() {
            return false;
        }
        self.has_other_names(later) || self.has_moved_names(later)
    }

    /// Whether `later` replaces names of this headline and keeps the words around them.
    pub(super) fn is_renamed_by(&self, later: &Self) -> bool {
        let is_name = |words: &[&FormWord]| words.iter().any(|w| w.kind == FormWordKind::Name);
        self.has_frame_of(later)
            && !later.is_correction()
            && is_name(&self.words_missing_from(later))
            && is_name(&later.words_missing_from(self))
    }

    /// Whether an entry of this headline is replaced in `later` as it is in their texts: a name or
    /// a value, such as a level of warning.
    pub(super) fn has_entry_replaced(&self, later: &Self, texts: (&Self, &Self)) -> bool {
        let entries = |words: Vec<&FormWord>| -> Option<HashSet<String>> {
            let all_entries = words.iter().all(|word| {
                word.kind == FormWordKind::Name
                    || (word.kind == FormWordKind::Frame && word.is_value)
            });
            let texts = words.into_iter().map(|word| word.text.clone());
            all_entries.then(|| texts.collect()).filter(|entries: &HashSet<_>| !entries.is_empty())
        };
        let (gone, new) = (self.words_missing_from(later), later.words_missing_from(self));
        let (Some(gone), Some(new)) = (entries(gone), entries(new)) else { return false };
        let holds = |text: &Self, other: &Self, entries: &HashSet<String>| {
            let lacking: HashSet<&str> =
                text.words_missing_from(other).into_iter().map(|word| word.text.as_str()).collect();
            entries.iter().all(|entry| lacking.contains(entry.as_str()))
        };
        self.has_frame_of(later)
            && texts.0.has_frame_of(texts.1)
            && !texts.1.is_correction()
            && holds(texts.0, texts.1, &gone)
            && holds(texts.1, texts.0, &new)
    }

    /// Whether half of the names and numbers of both texts are in only one of them, names among
    /// them. If nearly all words around them stay, a third is enough.
    fn has_other_names(&self, later: &Self) -> bool {
        let (shared, words) = self.shared_words(later);
        let is_filled_in = 5 * shared >= 3 * words;
        let is_other = |one: &Self, other: &Self| {
            let lacking = one.words_missing_from(other);
            let names = lacking.iter().filter(|word| word.kind == FormWordKind::Name).count();
            let entries = lacking.iter().filter(|word| word.kind != FormWordKind::Frame).count();
            let all = one.entries().count();
            names > 0 && (2 * entries >= all || (is_filled_in && entries > 1 && 3 * entries >= all))
        };
        is_other(self, later) && is_other(later, self)
    }

    /// Whether the same names have other neighbours, as in the results of another day. If only
    /// paragraphs moved, most names keep their neighbours.
    fn has_moved_names(&self, later: &Self) -> bool {
        let neighbours = |form: &Self| -> HashSet<(String, String)> {
            let names: Vec<&str> = form.names().collect();
            names.windows(2).map(|two| (two[0].to_owned(), two[1].to_owned())).collect()
        };
        let names = |form: &Self| form.names().map(ToOwned::to_owned).collect::<HashSet<_>>();
        let numbers = |form: &Self| -> Vec<String> {
            let numbers = form.0.iter().filter(|word| word.kind == FormWordKind::Number);
            numbers.map(|word| word.text.clone()).collect()
        };
        let (one, other) = (neighbours(self), neighbours(later));
        let kept = one.intersection(&other).count();
        names(self).len() >= 4
            && names(self) == names(later)
            && numbers(self) != numbers(later)
            && 3 * kept <= one.len().min(other.len())
    }

    /// Whether the other text contains a third of the words of the shorter one.
    fn has_frame_of(&self, other: &Self) -> bool {
        let (shared, words) = self.shared_words(other);
        3 * shared >= words
    }

    /// The words of the shorter text that the other contains, and all words of the shorter text.
    fn shared_words(&self, other: &Self) -> (usize, usize) {
        let [one, other] = [self, other]
            .map(|form| form.0.iter().map(|word| word.text.as_str()).collect::<HashSet<_>>());
        (one.intersection(&other).count(), one.len().min(other.len()))
    }

    /// Whether it announces a correction.
    fn is_correction(&self) -> bool {
        self.0.iter().any(|word| {
            matches!(word.text.as_str(), "correction" | "corrected" | "corrects" | "clarification")
        })
    }

    fn entries(&self) -> impl Iterator<Item = &FormWord> {
        let mut seen = HashSet::new();
        self.0
            .iter()
            .filter(move |word| word.kind != FormWordKind::Frame && seen.insert(word.text.as_str()))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|word| word.kind == FormWordKind::Name).map(|word| word.text.as_str())
    }

    /// The words that `other` lacks in every spelling, each once. Dates do not count.
    fn words_missing_from(&self, other: &Self) -> Vec<&FormWord> {
        let known: HashSet<&str> = other.0.iter().map(|word| word.text.as_str()).collect();
        let mut seen = HashSet::new();
        self.0
            .iter()
            .filter(|word| !DATES.contains(&word.text.as_str()))
            .filter(|word| !known.contains(word.text.as_str()) && seen.insert(word.text.as_str()))
            .filter(|word| !known.iter().any(|known| is_variant(&word.text, known)))
            .collect()
    }
}

/// Whether most words have a capital, so that a capital shows nothing.
fn is_heading(text: &str, tokens: &[Token]) -> bool {
    let large = tokens.iter().filter(|token| initial(text, token).is_uppercase()).count();
    tokens.len() > 3 && large * 3 > tokens.len() * 2
}

fn initial(text: &str, token: &Token) -> char {
    text[token.span.clone()].chars().next().unwrap_or(' ')
}

fn kind(text: &str, token: &Token, is_heading: bool) -> FormWordKind {
    if DATES.contains(&token.word.as_str()) {
        return FormWordKind::Frame;
    }
    if identifier_start(text, token).is_some() {
        return FormWordKind::Name;
    }
    if has_digit(&token.word) {
        return FormWordKind::Number;
    }
    let before = text[..token.span.start].trim_end();
    let first = initial(text, token);
    let has_case = first.is_lowercase() || first.is_uppercase();
    let begins = before.is_empty() || before.ends_with(['.', '!', '?']);
    let is_capital =
        first.is_uppercase() && ((!begins && !is_heading) || !is_common_word(&token.word));
    if is_capital || (first.is_alphabetic() && !has_case) {
        FormWordKind::Name
    } else {
        FormWordKind::Frame
    }
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The start of the identifier that ends with `token`: letters, then only signs, then digits.
/// Letters that are a month make no identifier.
fn identifier_start(text: &str, token: &Token) -> Option<usize> {
    if !has_digit(&token.word) {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    let before = &text[..token.span.start];
    let start = before.trim_end_matches(is_part).len();
    let all = text[start..token.span.end].trim_start_matches(|c: char| !c.is_alphanumeric());
    let letters: String =
        all.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let is_date = DATES.iter().any(|date| !letters.is_empty() && date.starts_with(&letters));
    (!letters.is_empty() && !is_date).then_some(token.span.end - all.len())
}

/// Whether two words are spellings or forms of one: a letter is missing, added or replaced, two
/// letters are swapped, or the ending differs. Words with digits are never.
fn is_variant(one: &str, other: &str) -> bool {
    if has_digit(one) || has_digit(other) {
        return false;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    let start = short.iter().zip(long.iter()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&short[start..], &long[start..]);
    if short.len() < 4 || b.len() > a.len() + 3 {
        return false;
    }
    let is_swapped =
        a.len() == b.len() && a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    let is_added = b.len() == a.len() + 1 && *a == b[1..];
    let is_other_letter = short.len() >= 5 && a.len() == b.len() && a.len() == 1 + common_end(a, b);
    let is_other_ending = start >= 4 && b.len() <= 3;
    is_swapped || is_added || is_other_letter || is_other_ending
}

fn common_end(a: &[char], b: &[char]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::place_and_figures(
        "Storm warning for Busan in Korea: wind of 70 km/h from 18:00, waves of 4 m.",
        "Storm warning for Incheon in Korea: wind of 90 km/h from 06:00, waves of 7 m."
    )]
    #[case::identifiers(
        "A flaw in the mail server, CVE-2024-4671, is exploited.",
        "A flaw in the mail server, CVE-2024-9912, is exploited."
    )]
    #[case::results(
        "League: Ayr 1 Clyde 0; Elgin 2 Forfar 2; Alloa 3 Peterhead 1.",
        "League: Forfar 4 Ayr 1; Clyde 2 Alloa 0; Peterhead 0 Elgin 5."
    )]
    fn a_form_with_other_entries_has_other_names(#[case] earlier: &str, #[case] later: &str) {
        let (earlier, later) = (Form::parse(earlier), Form::parse(later));
        assert!(earlier.is_refilled_by(&later));
        assert!(!later.is_refilled_by(&later));
    }

    #[rstest]
    #[case::results_so_far(
        "League: Ayr 1 Clyde 0; Elgin 2 Forfar 2; Alloa 3 Peterhead 1.",
        "League: Ayr 2 Clyde 0; Elgin 3 Forfar 2; Alloa 3 Peterhead 4."
    )]
    #[case::counters(
        "The fire in Busan: 12 dead, 30 injured. Updated 14:05.",
        "The fire in Busan: 15 dead, 42 injured. Updated 15:10."
    )]
    #[case::views("Seen 1,204 times; 7 comments", "Seen 9,311 times; 18 comments")]
    #[case::who_posted_last(
        "7 replies, the last by Anna Hill at 12:03",
        "9 replies, the last by Peter Marsh at 14:44"
    )]
    #[case::day(
        "On Monday the ferry to Busan will run.",
        "On Tuesday the ferry to Busan will run."
    )]
    #[case::typo("Talks in Pyonyang on 3 June", "Talks in Pyongyang on 4 June")]
    #[case::inflection("The Korea talks, 3rd day", "The Korean talks, 4th day")]
    #[case::more_text(
        "Calm at the harbour of Busan.",
        "Calm at the harbour of Busan. Mayor Kim spoke to Incheon Radio."
    )]
    #[case::correction(
        "The ferry sank off Busan with 12 aboard.",
        "The ferry sank off Ulsan with 15 aboard. Correction: the place was wrong."
    )]
    #[case::another_text(
        "Calm at the harbour; the ferry runs as planned.",
        "Missile fired over Jeju strait this morning."
    )]
    fn an_edit_of_a_text_is_no_form_with_other_entries(#[case] earlier: &str, #[case] later: &str) {
        let (earlier, later) = (Form::parse(earlier), Form::parse(later));
        assert!(!earlier.is_refilled_by(&later));
        assert!(!later.is_refilled_by(&later));
    }

    #[rstest]
    #[case("Threat level: LOW", "Threat level: SEVERE", ("It is now low.", "It is now severe."), true)]
    #[case("Alert raised to amber", "Alert raised to red", ("It is amber now.", "It is red now."), true)]
    #[case("Minister dies in crash", "Minister killed in crash", ("He dies.", "He is killed."), false)]
    #[case("Threat level: LOW", "Threat level: SEVERE", ("It is updated.", "It is updated daily."), false)]
    #[case("Toll: 12", "Toll: 15", ("There are 12 dead.", "There are 15 dead."), false)]
    fn a_value_that_headline_and_text_replace_is_an_entry(
        #[case] earlier: &str,
        #[case] later: &str,
        #[case] texts: (&str, &str),
        #[case] expected: bool,
    ) {
        let texts = (Form::parse(texts.0), Form::parse(texts.1));
        let found =
            Form::parse(earlier).has_entry_replaced(&Form::parse(later), (&texts.0, &texts.1));
        assert_eq!(found, expected);
    }
}
