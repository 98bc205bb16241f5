//! Loads many rules, and prints the time and the memory.
//!
//! `cargo bench --bench load -- 300000`

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tidings_rules::Rules;
use tidings_rules::fault::{Source, render};

/// The bytes that are allocated and not freed.
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Counts the bytes of the system's allocator.
struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

fn main() {
    let count = std::env::args().find_map(|count| count.parse().ok()).unwrap_or(100_000);
    let source = Arc::new(Source { name: "rules.yaml".to_owned(), text: rule_file(count) });
    println!("{count} rules in {} MB", source.text.len() >> 20);
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    let start = Instant::now();
    let mut faults = Vec::new();
    let rules = Rules::load(&vec![source].into(), None, &mut faults);
    let seconds = start.elapsed().as_secs_f64();
    let Some(rules) = rules else { panic!("{}", render(&faults, false)) };
    faults.clear();
    faults.shrink_to_fit();
    let bytes = LIVE_BYTES.load(Ordering::Relaxed).saturating_sub(before);
    println!("loaded in {seconds:.2} s");
    println!(
        "{} bytes a rule, {} of them the engine's",
        bytes / count,
        rules.engine_bytes() / count
    );
}

/// A rule file of `count` rules, about 260 bytes each.
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
