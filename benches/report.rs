//! Compares the engine with others for the same rules in one run: times, ratios, bytes, and the
//! cost of loading.
//!
//! `cargo bench --bench report` uses 1,000, 10,000 and 100,000 rules. `cargo bench --bench report
//! -- 1000000` uses that number. With files of JSON Lines, the stories are their texts; several
//! files are compared a byte. `docs/benchmarks.md` explains the columns.

#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use daachorse::DoubleArrayAhoCorasick;
use regex::RegexSet;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tidings_rules::fault::Source;
use tidings_rules::story::Story;
use tidings_rules::text::tokenise;
use tidings_rules::{Frequencies, ParsedRules, Rules};

use workload::{Script, Wanted, WeightedWords};

#[path = "common/texts.rs"]
mod texts;
#[path = "common/workload.rs"]
mod workload;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The number of stories, which take turns.
const STORIES: usize = 200;

/// The rounds over all stories. The fastest round of each story counts, because other programs run
/// on the machine, too.
const ROUNDS: usize = 15;

/// The least matches of a story at 100,000 rules. With fewer, the numbers would mean nothing.
const LEAST_MATCHES: f64 = 100.0;

/// The most rules for the slowest tools.
const SMALL: usize = 1_000;

/// The most rules for slow tools.
const MIDDLE: usize = 10_000;

fn main() {
    let (numbers, files): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .partition(|word| word.parse::<usize>().is_ok());
    let asked: Vec<usize> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 10_000, 100_000] } else { asked };
    if files.len() > 1 {
        return compare_files(&files, &sizes);
    }
    let texts: Vec<String> = files.iter().flat_map(|file| texts::read(file)).collect();
    let (vocabulary, stories) = if texts.is_empty() {
        let vocabulary = WeightedWords::new();
        let stories = workload::stories(&vocabulary, STORIES, Script::Ascii);
        (vocabulary, stories)
    } else {
        (texts::vocabulary(&texts), texts::stories(&texts, STORIES))
    };
    let words = mean(&stories, |story| _ = black_box(tokenise(&story.body)));
    let bare = scan_time(&Rules::default(), &stories);
    let (count, length) = (stories.len(), workload::LENGTH);
    println!(
        "{count} stories of {length} words; microseconds a story, the fastest of {ROUNDS} rounds"
    );
    println!("tokenising alone: {:.1} ({:.1} with a string a word)\n", micros(bare), micros(words));
    for size in sizes {
        report(size, &vocabulary, &stories, bare);
    }
    if texts.is_empty() {
        scripts(&vocabulary);
    }
}

/// The time a byte of the texts of each file, and how many times that of the first file it is.
fn compare_files(files: &[String], sizes: &[usize]) {
    println!("nanoseconds a byte (times the first file), matches and allocations a story");
    let mut first: Vec<f64> = Vec::new();
    for file in files {
        let texts = texts::read(file);
        let (vocabulary, stories) = (texts::vocabulary(&texts), texts::stories(&texts, STORIES));
        let bytes = share(stories.iter().map(|story| story.body.len()).sum(), stories.len());
        println!("{file}: {} stories of {bytes:.0} bytes", stories.len());
        let mut print = |at: usize, name: &str, time: Duration, more: &str| {
            let cost = 1e9 * time.as_secs_f64() / bytes;
            first.extend((first.len() == at).then_some(cost));
            println!("  {name:<16}{cost:>6.2} ({:.2}){more}", cost / first[at]);
        };
        print(0, "tokenising", scan_time(&Rules::default(), &stories), "");
        for (at, size) in sizes.iter().enumerate() {
            let rules = Loaded::new(&workload::rules(&vocabulary, *size)).rules;
            let more = format!(
                "{:>8.1}{:>8.1}",
                matches_a_story(&rules, &stories),
                allocations(&rules, &stories)
            );
            print(at + 1, &format!("{size} rules"), scan_time(&rules, &stories), &more);
        }
    }
}

fn report(size: usize, vocabulary: &WeightedWords, stories: &[Story], bare: Duration) {
    let wanted = workload::rules(vocabulary, size);
    let loaded = Loaded::new(&wanted);
    let rules = &loaded.rules;
    let matches = matches_a_story(rules, stories);
    if size == 100_000 && matches < LEAST_MATCHES {
        println!("{matches:.0} matches a story are too few to report on");
        std::process::exit(1);
    }
    let time = scan_time(rules, stories);
    println!("{size} rules, {matches:.1} matches a story");
    row("Tidings", time, time, &format!("{:.1} allocations a story", allocations(rules, stories)));
    row("  of it: tokenising", bare, time, "");
    row("  where frequencies are known", known_time(&loaded.parsed, vocabulary, stories), time, "");
    rivals(&wanted, stories, time);
    if size <= SMALL {
        let few = &stories[..STORIES / 10];
        row(
            "plain evaluator",
            mean(few, |story| _ = black_box(loaded.parsed.matches_naively(story, &[]))),
            time,
            "",
        );
    }
    println!(
        "  {:.0} bytes a rule, {:.0} of them the engine's; {:.3} s to build\n",
        share(loaded.bytes, size),
        share(rules.engine_bytes(), size),
        loaded.build.as_secs_f64(),
    );
}

/// Rules, and their memory and build time. The bench `engine` measures the time of parsing, because
/// the counting allocator makes threads wait for one another.
struct Loaded {
    parsed: ParsedRules,
    rules: Rules,
    bytes: usize,
    build: Duration,
}

impl Loaded {
    fn new(wanted: &[Wanted]) -> Self {
        let source =
            Arc::new(Source { name: "bench.yaml".to_owned(), text: workload::yaml(wanted) });
        let parsed = parse(&source);
        let (rules, build) = timed(|| parsed.build(&Frequencies::default()));
        drop(rules);
        // Measured again, while nothing else is freed.
        drop(parsed);
        let region = Region::new(ALLOCATOR);
        let rules = parse(&source).build(&Frequencies::default());
        let change = region.change();
        let bytes = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
        Self { parsed: parse(&source), rules, bytes, build }
    }
}

fn parse(source: &Arc<Source>) -> ParsedRules {
    let mut faults = Vec::new();
    ParsedRules::load(&vec![Arc::clone(source)].into(), None, &mut faults)
        .unwrap_or_else(|| panic!("{faults:?}"))
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

/// The mean over all stories of the fastest round of each story.
fn mean(stories: &[Story], mut work: impl FnMut(&Story)) -> Duration {
    let mut fastest = vec![Duration::MAX; stories.len()];
    for _ in 0..ROUNDS {
        for (fastest, story) in fastest.iter_mut().zip(stories) {
            *fastest = timed(|| work(story)).1.min(*fastest);
        }
    }
    fastest.iter().sum::<Duration>() / u32::try_from(stories.len()).unwrap_or(1)
}

fn scan_time(rules: &Rules, stories: &[Story]) -> Duration {
    let mut scanner = rules.scanner();
    mean(stories, |story| _ = black_box(scanner.scan(story, &[]).count()))
}

/// The time with the frequencies of these stories.
fn known_time(parsed: &ParsedRules, vocabulary: &WeightedWords, stories: &[Story]) -> Duration {
    let mut counts = std::collections::HashMap::new();
    for story in stories {
        let words: std::collections::HashSet<String> =
            tokenise(&story.body).into_iter().map(|token| token.word).collect();
        for word in words {
            *counts.entry(word).or_insert(0_u16) += 1;
        }
    }
    let all = f32::from(u16::try_from(stories.len()).unwrap_or(u16::MAX));
    let shares = vocabulary
        .words
        .iter()
        .map(|word| (word.clone(), f32::from(counts.get(word).copied().unwrap_or(0)) / all));
    scan_time(&parsed.build(&Frequencies::new(shares)), stories)
}

fn matches_a_story(rules: &Rules, stories: &[Story]) -> f64 {
    let mut scanner = rules.scanner();
    share(stories.iter().map(|story| scanner.scan(story, &[]).count()).sum(), stories.len())
}

fn allocations(rules: &Rules, stories: &[Story]) -> f64 {
    let mut scanner = rules.scanner();
    let mut all = || stories.iter().map(|story| scanner.scan(story, &[]).count()).sum::<usize>();
    black_box(all());
    let region = Region::new(ALLOCATOR);
    black_box(all());
    share(region.change().allocations, stories.len())
}

/// Other tools that search the words of the rules. Only mokaccino also decides the rules.
fn rivals(wanted: &[Wanted], stories: &[Story], time: Duration) {
    let mut words: Vec<&str> =
        wanted.iter().flat_map(|rule| &rule.groups).flatten().map(String::as_str).collect();
    words.extend(wanted.iter().flat_map(|rule| &rule.never).map(String::as_str));
    words.sort_unstable();
    words.dedup();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&words)
        .expect("words make an automaton");
    let found = |story: &Story| automaton.find_overlapping_iter(&story.body).count();
    row(
        "aho-corasick, words alone",
        mean(stories, |story| _ = black_box(found(story))),
        time,
        &format!("{} words", words.len()),
    );
    let automaton = DoubleArrayAhoCorasick::<u32>::new(&words).expect("words make an automaton");
    let found = |story: &Story| automaton.find_overlapping_iter(&story.body).count();
    row("daachorse, words alone", mean(stories, |story| _ = black_box(found(story))), time, "");
    if wanted.len() <= SMALL {
        let patterns = words.iter().map(|word| {
            let flags = if word.is_ascii() { "i-u" } else { "i" };
            format!("(?{flags})\\b{word}\\b")
        });
        let set = regex::RegexSetBuilder::new(patterns)
            .size_limit(1 << 30)
            .dfa_size_limit(1 << 30)
            .build();
        let set: RegexSet = set.expect("words make patterns");
        let few = &stories[..STORIES / 10];
        row(
            "RegexSet, words alone",
            mean(few, |story| _ = black_box(set.matches(&story.body).len())),
            time,
            "",
        );
    }
    if wanted.len() <= MIDDLE {
        row("mokaccino, without NEAR", mokaccino(wanted, &stories[..STORIES / 10]), time, "");
    }
}

/// The time of mokaccino for the rules that it supports, with words that are already tokenised.
fn mokaccino(wanted: &[Wanted], stories: &[Story]) -> Duration {
    use mokaccino::prelude::{CNFQueryable, Document, Percolator, Query};
    let word = |word: &String| "w".has_value(word.clone());
    let any = |words: &Vec<String>| words.iter().map(word).reduce(|one, other| one | other);
    let mut percolator = Percolator::default();
    for rule in wanted {
        let groups = rule.groups.iter().filter_map(any);
        let never = rule.never.iter().map(|never| !word(never));
        let query: Option<Query> = groups.chain(never).reduce(|one, other| one & other);
        if let Some(query) = query {
            percolator.add_query(query);
        }
    }
    mean(stories, |story| {
        let tokens = tokenise(&story.body);
        let document = tokens
            .into_iter()
            .fold(Document::new(), |document, token| document.with_value("w", token.word));
        _ = black_box(percolator.percolate(&document).count());
    })
}

/// The time of other scripts in comparison with plain ASCII.
fn scripts(vocabulary: &WeightedWords) {
    println!("tokenising and looking up by script, at 1000 rules:");
    let wanted = workload::rules(vocabulary, 1_000);
    let of = |script| {
        let mut text = workload::yaml(&wanted);
        if script == Script::Cyrillic {
            text = in_cyrillic(&wanted);
        }
        let rules = parse(&Arc::new(Source { name: "bench.yaml".to_owned(), text }))
            .build(&Frequencies::default());
        scan_time(&rules, &workload::stories(vocabulary, STORIES, script))
    };
    let plain = of(Script::Ascii);
    row("plain ASCII", plain, plain, "");
    row("curly quotes and accents", of(Script::Accents), plain, "");
    row("Cyrillic", of(Script::Cyrillic), plain, "");
}

/// The rules with Cyrillic words.
fn in_cyrillic(wanted: &[Wanted]) -> String {
    let is_operator = |word: &str| {
        word.trim_matches(['(', ')'])
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '/' || c.is_ascii_digit())
    };
    let expression = |rule: &Wanted| {
        let words = rule.expression.split(' ');
        words
            .map(
                |word| {
                    if is_operator(word) { word.to_owned() } else { workload::in_cyrillic(word) }
                },
            )
            .collect::<Vec<_>>()
            .join(" ")
    };
    let rules = wanted.iter().map(|rule| Wanted {
        expression: expression(rule),
        groups: Vec::new(),
        never: Vec::new(),
    });
    workload::yaml(&rules.collect::<Vec<_>>())
}

fn row(what: &str, took: Duration, against: Duration, note: &str) {
    let ratio = took.as_secs_f64() / against.as_secs_f64();
    println!("  {what:<28} {:>12.1} µs {ratio:>9.2} x  {note}", micros(took));
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}
