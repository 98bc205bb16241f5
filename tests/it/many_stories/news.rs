//! The rules, and the stories that a seed makes for them.

use std::fmt::Write;

use fastrand::Rng;

use crate::support::wire::{self, Entry};

/// The rows of the watchlist.
const ROWS: [&str; 5] = ["Quorvane", "Blixtar", "Dremmock", "Fyndaril", "Gothweir"];

/// The table of the rows.
pub fn table() -> String {
    let rows = ROWS.iter().enumerate();
    rows.fold("id,name\n".to_owned(), |table, (id, name)| table + &format!("{id},{name}\n"))
}

/// The rules. `oracle.rs` has their conditions again.
pub const RULES: &str = r#"terms:
  rows: {from: rows.csv, term: name, id: id}
rules:
  - {name: Confirmed, each: rows, when: $rows AND confirmed, tell: {publishers: 2, within: 20m}}
  - {name: Many, each: rows, when: $rows AND reported, tell: {events: 3, within: 30m}}
  - {name: New code, when: '/code-\d/', tell: {first: match, in: 40m}}
  - {name: New source, when: sourced, tell: {first: source, in: 30m}}
  - {name: Next, each: rows, when: $rows AND next, tell: {after: Confirmed, within: 30m}}
  - {name: Rising, when: rising, tell: {spike: 2, within: 20m, against: 1h, least: 3}}
  - {name: Silent, when: pulse, absent: {for: 50m}}
"#;

/// Words that a story may have; each is that of a rule.
const WORDS: [&str; 6] = ["confirmed", "reported", "sourced", "next", "rising", "pulse"];

/// How often each word is in a story, in hundredths.
const CHANCES: [u8; 6] = [45, 45, 30, 25, 35, 6];

/// All stories that have appeared, newest last.
#[derive(Default)]
pub struct News {
    stories: Vec<String>,
    links: Vec<String>,
    texts: Vec<String>,
}

impl News {
    /// Adds some stories. One in six is a copy of the story before, by another publisher.
    pub fn add(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(2..7) {
            let number = self.stories.len();
            let is_copy = number > 0 && rng.u8(0..6) == 0;
            let text = if is_copy {
                self.texts[number - 1].clone()
            } else {
                format!("{} {}", words(rng), wire::long(number))
            };
            let publisher = rng.usize(0..4);
            self.links.push(format!("https://www.publisher-{publisher}.example/{number}"));
            self.stories.push(format!("Story {number:04}"));
            self.texts.push(text);
        }
    }

    /// The feed with all of them.
    pub fn feed(&self) -> String {
        let stories = self.stories.iter().zip(&self.links).zip(&self.texts).rev();
        let entries: Vec<Entry> =
            stories.map(|((title, link), text)| Entry::full(title, link, text)).collect();
        wire::feed(&entries)
    }
}

/// A first sentence with the words of some rules, for one row.
fn words(rng: &mut Rng) -> String {
    let mut sentence = ROWS[rng.usize(0..ROWS.len())].to_owned();
    for (word, chance) in WORDS.iter().zip(CHANCES) {
        if rng.u8(0..100) < chance {
            write!(sentence, " {word}").expect("strings grow");
        }
    }
    if rng.u8(0..4) == 0 {
        write!(sentence, " code-{}", rng.u8(0..6)).expect("strings grow");
    }
    sentence + "."
}
