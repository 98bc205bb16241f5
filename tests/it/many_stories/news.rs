//! The rules, and the stories that a seed makes for them.

use std::fmt::Write;

use fastrand::Rng;

use crate::copies::press::Press;
use crate::support::wire::{self, Entry};

/// The rows of the watchlist.
const ROWS: [&str; 5] = ["Quorvane", "Blixtar", "Dremmock", "Fyndaril", "Gothweir"];

/// The table of the rows.
pub fn table() -> String {
    let rows = ROWS.iter().enumerate();
    rows.fold("id,name\n".to_owned(), |table, (id, name)| table + &format!("{id},{name}\n"))
}

/// The rules. `oracle.rs` has their conditions again.
pub const RULES: &str = r"terms:
  rows: {from: rows.csv, term: name, id: id}
rules:
  - {name: Confirmed, each: rows, when: $rows AND brelmed, tell: {publishers: 2, within: 20m}}
  - {name: Many, each: rows, when: $rows AND drovact, tell: {events: 3, within: 30m}}
  - {name: New code, when: '/code-\d/', tell: {first: match, in: 40m}}
  - {name: New source, when: glinter, tell: {first: source, in: 30m}}
  - {name: Next, each: rows, when: $rows AND hapsune, tell: {after: Confirmed, within: 30m}}
  - {name: Rising, when: jostrel, tell: {spike: 2, within: 20m, against: 1h, least: 3}}
  - {name: Silent, when: kelvaun, absent: {for: 50m}}
";

/// Words that a story may have; each is that of a rule.
const WORDS: [&str; 6] = ["brelmed", "drovact", "glinter", "hapsune", "jostrel", "kelvaun"];

/// How often each word is in a story, in hundredths.
const CHANCES: [u8; 6] = [45, 45, 30, 25, 35, 6];

/// All stories that have appeared, newest last.
pub struct News {
    stories: Vec<PressStory>,
    /// Whether a second feed has copies. Without one, the feed that is polled says what was watched
    /// when, so that stories may have `jostrel`.
    has_copies: bool,
    press: Press,
}

struct PressStory {
    title: String,
    link: String,
    text: String,
    is_copy: bool,
}

impl News {
    pub fn new(rng: &mut Rng, has_copies: bool) -> Self {
        Self { stories: Vec::new(), has_copies, press: Press::new(rng.fork()) }
    }

    /// Adds some stories. One in four is a copy of an earlier one, by another publisher.
    pub fn add(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(3..10) {
            let number = self.stories.len();
            let is_copy = self.has_copies && number > 0 && rng.u8(0..4) == 0;
            let (title, text) = if is_copy {
                let earlier = &self.stories[rng.usize(number.saturating_sub(9)..number)];
                (earlier.title.clone(), earlier.text.clone())
            } else {
                let article = self.press.article().join("\n\n");
                let text = format!("{}\n\n{article}", words(rng, self.has_copies));
                (format!("Story {number:04}"), text)
            };
            let publisher = rng.usize(0..4);
            let link = format!("https://www.publisher-{publisher}.example/{number}");
            self.stories.push(PressStory { title, link, text, is_copy });
        }
    }

    /// The first feed, which has no copies, or the second, which has them.
    pub fn feed(&self, with_copies: bool) -> String {
        let stories = self.stories.iter().rev().filter(|story| story.is_copy == with_copies);
        let entries = stories.map(|story| Entry::full(&story.title, &story.link, &story.text));
        wire::feed(&entries.collect::<Vec<_>>())
    }
}

/// A first sentence with the words of some rules, for one row.
fn words(rng: &mut Rng, has_copies: bool) -> String {
    let mut sentence = ROWS[rng.usize(0..ROWS.len())].to_owned();
    for (word, chance) in WORDS.iter().zip(CHANCES) {
        if rng.u8(0..100) < chance && !(has_copies && *word == "jostrel") {
            write!(sentence, " {word}").expect("strings grow");
        }
    }
    if rng.u8(0..4) == 0 {
        write!(sentence, " code-{}", rng.u8(0..6)).expect("strings grow");
    }
    sentence + "."
}
