//! Loads many rules and prints how long that took and how much memory they take.
//!
//! `cargo run --release -p tidings-rules --example load -- 300000`

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use tidings_rules::Rules;
use tidings_rules::fault::{Source, render};

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let source = Arc::new(Source { name: "rules.yaml".to_owned(), text: rule_file(count) });
    println!("{count} rules in {} MB", source.text.len() >> 20);
    let before = resident_kilobytes();
    let start = Instant::now();
    let mut faults = Vec::new();
    let rules = Rules::load(&vec![source].into(), None, &mut faults);
    let seconds = start.elapsed().as_secs_f64();
    let Some(rules) = rules else { panic!("{}", render(&faults, false)) };
    let kilobytes = resident_kilobytes().saturating_sub(before);
    println!("loaded in {seconds:.2} s; {} bytes a rule are resident", kilobytes * 1024 / count);
    println!("the engine takes {} bytes a rule", rules.engine_bytes() / count);
}

/// A rule file of so many rules, about 260 bytes each.
fn rule_file(count: usize) -> String {
    let mut text = String::from("rules:\n");
    for number in 1..=count {
        let (one, other) = (number * 7919 % 50_021, number * 104_729 % 70_001);
        write!(
            text,
            "  - name: r{number:06}\n    when: 'alpha{one} AND (beta{other} OR gamma{one} OR \"delta {other}\") NOT epsilon{number}'\n    \
             why: the desk for trade and sanctions wants to see every story about it, in whatever language\n    tags: [trade, sanctions, desk{}]\n",
            number % 40
        )
        .expect("strings grow");
    }
    text
}

/// What the process has in memory, as Linux tells it; 0 elsewhere.
fn resident_kilobytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
