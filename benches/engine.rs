//! Measures the time of a story and of loading, by the number of rules. `report.rs` compares the
//! engine with others.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use tidings_rules::fault::Source;
use tidings_rules::story::Story;
use tidings_rules::text::tokenise;
use tidings_rules::{ParsedRules, RuleTexts, Rules};

use workload::{Script, WeightedWords};

#[expect(dead_code, reason = "other benches use the rest")]
#[path = "common/workload.rs"]
mod workload;

/// The number of stories, which take turns.
const STORIES: usize = 200;

fn main() {
    divan::main();
}

fn texts(count: usize) -> RuleTexts {
    let text = workload::yaml(&workload::rules(&WeightedWords::new(), count));
    vec![Arc::new(Source { name: "bench.yaml".to_owned(), text })].into()
}

fn rules(count: usize) -> Rules {
    Rules::load(&texts(count), None, &mut Vec::new()).expect("rules are sound")
}

fn bytes(stories: &[Story]) -> BytesCount {
    BytesCount::new(stories.iter().map(|story| story.title.len() + story.body.len()).sum::<usize>())
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn scan(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    let stories = workload::stories(&WeightedWords::new(), STORIES, Script::Ascii);
    let mut scanner = rules.scanner();
    bencher.counter(bytes(&stories)).bench_local(|| {
        stories.iter().map(|story| scanner.scan(story, &[]).count()).sum::<usize>()
    });
}

#[divan::bench(args = [Script::Ascii, Script::Accents, Script::Cyrillic])]
fn scan_no_rules(bencher: Bencher<'_, '_>, script: Script) {
    let rules = Rules::default();
    let stories = workload::stories(&WeightedWords::new(), STORIES, script);
    let mut scanner = rules.scanner();
    bencher.counter(bytes(&stories)).bench_local(|| {
        stories.iter().map(|story| scanner.scan(story, &[]).count()).sum::<usize>()
    });
}

#[divan::bench]
fn tokenise_with_strings(bencher: Bencher<'_, '_>) {
    let stories = workload::stories(&WeightedWords::new(), STORIES, Script::Ascii);
    bencher
        .counter(bytes(&stories))
        .bench_local(|| stories.iter().map(|story| tokenise(&story.body).len()).sum::<usize>());
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5)]
fn load(bencher: Bencher<'_, '_>, count: usize) {
    let texts = texts(count);
    bencher.bench_local(|| Rules::load(&texts, None, &mut Vec::new()).expect("rules are sound"));
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5)]
fn build(bencher: Bencher<'_, '_>, count: usize) {
    let parsed = ParsedRules::load(&texts(count), None, &mut Vec::new()).expect("rules are sound");
    bencher.bench_local(|| parsed.build(&tidings_rules::Frequencies::default()));
}
