//! Compares a watchlist in an `each` rule with the same names as plain rules, in one run: the time
//! of a story, the cost of loading, bytes.
//!
//! `cargo bench --bench watchlist`; `docs/benchmarks.md` explains the comparison and has results.

#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_rules::fault::Source;
use tidings_rules::story::Story;
use tidings_rules::{Frequencies, ParsedRules, RuleTexts, Rules, Table};

use workload::{Draw, Script, WeightedWords};

#[path = "common/workload.rs"]
#[expect(dead_code, reason = "other benches use the rest")]
mod workload;

const ENTRIES: usize = 5_000;

/// The number of other names of each entry.
const ALIASES: usize = 4;

const STORIES: usize = 200;

/// The rounds over all stories. The fastest round of each story counts.
const ROUNDS: usize = 15;

fn main() {
    let vocabulary = WeightedWords::new();
    let list = watchlist(&vocabulary);
    let crime = [3_000, 3_500].map(|rank| vocabulary.words[rank].as_str());
    let mut stories = workload::stories(&vocabulary, STORIES, Script::Ascii);
    for (number, story) in stories.iter_mut().enumerate() {
        add_names(story, number, &list, crime);
    }
    let near = format!("NEAR/30 ({} OR {})", crime[0], crime[1]);
    let names = list.iter().map(|names| format!("({}) {near}", names.join(" OR ")));
    let single = list.iter().flatten().map(|name| format!("{name} {near}"));
    println!("{ENTRIES} entries, {} aliases; microseconds a story", ENTRIES * ALIASES);
    let plain = row("as many plain rules", &RuleTexts::from(vec![plain(names)]), &stories, None);
    row("a rule with `each`", &each(&list, &near), &stories, Some(plain));
    row(
        "a plain rule for every name",
        &RuleTexts::from(vec![self::plain(single)]),
        &stories,
        Some(plain),
    );
}

/// The names of every entry, two words each.
fn watchlist(vocabulary: &WeightedWords) -> Vec<Vec<String>> {
    let mut draw = Draw::new(3);
    let mut name = || format!("{} {}", vocabulary.wanted(&mut draw), vocabulary.wanted(&mut draw));
    (0..ENTRIES).map(|_| (0..=ALIASES).map(|_| name()).collect()).collect()
}

/// Adds six listed names to a story, three of them with a crime.
fn add_names(story: &mut Story, number: usize, list: &[Vec<String>], crime: [&str; 2]) {
    for place in 0..6 {
        let names = &list[(number * 37 + place * 811) % list.len()];
        let end = if place % 2 == 0 { crime[place / 2 % 2] } else { "and so on" };
        write!(
            story.body,
            "\n\nHere {} is said to be of note for {end}.",
            names[place % names.len()]
        )
        .expect("memory");
    }
}

fn source(name: &str, text: String) -> Arc<Source> {
    Arc::new(Source { name: name.to_owned(), text })
}

fn plain(expressions: impl Iterator<Item = String>) -> Arc<Source> {
    let mut text = String::from("rules:\n");
    for (number, expression) in expressions.enumerate() {
        writeln!(text, "  - name: r{number:06}\n    when: {expression}")
            .expect("memory for a rule");
    }
    source("plain.yaml", text)
}

fn each(list: &[Vec<String>], near: &str) -> RuleTexts {
    let mut table = String::from("id,name,aka\n");
    for (id, names) in list.iter().enumerate() {
        writeln!(table, "{id},{},{}", names[0], names[1..].join(";")).expect("memory for a row");
    }
    let rule = format!(
        "terms:\n  list: {{from: list.csv, term: name, aliases: aka, split: \";\", id: id}}\n\
                        rules:\n  - name: listed\n    each: list\n    when: $list {near}\n"
    );
    let table = Table { source: source("list.csv", table), unreadable: None };
    RuleTexts { rules: vec![source("each.yaml", rule)], tables: vec![table] }
}

/// Prints the costs of rules beside those of the comparison. Returns the time of a story.
fn row(what: &str, texts: &RuleTexts, stories: &[Story], against: Option<Duration>) -> Duration {
    let (parsed, load) = timed(|| {
        let mut faults = Vec::new();
        ParsedRules::load(texts, None, &mut faults)
            .unwrap_or_else(|| panic!("{:?}", faults.first()))
    });
    let (rules, build) = timed(|| parsed.build(&Frequencies::default()));
    let time = scan_time(&rules, stories);
    let ratio = time.as_secs_f64() / against.unwrap_or(time).as_secs_f64();
    let matches: usize = stories.iter().map(|story| rules.scanner().scan(story, &[]).count()).sum();
    println!(
        "  {what:<28} {:>8.1} µs {ratio:>6.2} x  {:>4} matches, {:.3} s to load, {:.3} s to build, {} kB of engine",
        time.as_secs_f64() * 1e6,
        matches,
        load.as_secs_f64(),
        build.as_secs_f64(),
        rules.engine_bytes() / 1000,
    );
    time
}

/// The mean over all stories of the fastest round of each story.
fn scan_time(rules: &Rules, stories: &[Story]) -> Duration {
    let mut scanner = rules.scanner();
    let mut fastest = vec![Duration::MAX; stories.len()];
    for _ in 0..ROUNDS {
        for (fastest, story) in fastest.iter_mut().zip(stories) {
            *fastest = timed(|| black_box(scanner.scan(story, &[]).count())).1.min(*fastest);
        }
    }
    fastest.iter().sum::<Duration>() / u32::try_from(stories.len()).unwrap_or(1)
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}
