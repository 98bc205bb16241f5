//! A scanner that has read a few stories allocates no more memory, because threads would wait for
//! each other to get it.

use std::alloc::System;
use std::sync::Arc;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tidings_rules::fault::Source;
use tidings_rules::story::Story;
use tidings_rules::{Rules, Scanner};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: &str = "
terms:
  dprk: [North Korea, DPRK, Pyongyang]
  weapons: [arms, weapon*, munitions, missile*, artillery, shells, rockets, mortars, mines, torpedoes]
rules:
  - {name: all, when: Russia AND $dprk AND $weapons}
  - {name: near, when: Russia NEAR/8 (shells OR missiles)}
  - {name: not, when: shells NOT seaweed}
  - {name: prefix, when: muni* AND Moscow}
  - {name: phrase, when: title:arms AND \"artillery shells\"}
  - {name: least, when: ATLEAST/2(shells OR rockets)}
  - {name: capitals, when: cs(US) AND shells}
  - {name: cyrillic, when: Россия AND снаряды}
";

/// In several scripts, long enough to have paragraphs and repetitions.
fn stories() -> Vec<Story> {
    let texts = [
        (
            "Moscow buys arms",
            "Russia and North Korea talk of artillery shells. The US said: “shells again”.\n\nMunitions go by rail, and rockets too.",
        ),
        (
            "Россия и КНДР",
            "Россия покупает снаряды у соседа. Снаряды, ракеты и мины идут по железной дороге.\n\nВ Москве молчат.",
        ),
        (
            "Café society",
            "Élan, naïve façades and Pyongyang’s missiles; Russia’s weaponry. No seaweed here, only shells.",
        ),
        ("Nothing", "Farms by the sea sell what the tide brings, year by year, and nobody asks."),
    ];
    texts
        .into_iter()
        .map(|(title, body)| Story::from_words(title.to_owned(), body.repeat(20)))
        .collect()
}

fn scan(scanner: &mut Scanner<'_>, stories: &[Story]) -> usize {
    stories.iter().map(|story| scanner.scan(story, &[]).count()).sum()
}

#[test]
fn a_warm_scanner_asks_for_no_memory() {
    let source = Source { name: "rules.yaml".to_owned(), text: RULES.to_owned() };
    let mut faults = Vec::new();
    let rules = Rules::load(&vec![Arc::new(source)].into(), None, &mut faults);
    let rules = rules.unwrap_or_else(|| panic!("{faults:?}"));
    let (stories, mut scanner) = (stories(), rules.scanner());
    let first = scan(&mut scanner, &stories);
    let region = Region::new(ALLOCATOR);
    let again = scan(&mut scanner, &stories);
    let change = region.change();
    assert_eq!(first, again);
    assert!(first >= 8, "only {first} matches: the rules are not put to the test");
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
