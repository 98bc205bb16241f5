//! How often copies are told from other stories: rewritten wire copy, made from a seed, against what must not be taken for it.
//!
//! `COPIES=2000 cargo test --release copies -- --nocapture` makes as many articles of every kind, and prints the table of `docs/benchmarks.md`.

mod press;
mod rewrite;
mod simhash;
mod template;

use fastrand::Rng;
use tidings::alert::copies::{Print, is_copy, print};

use press::Press;

const SEED: u64 = 20_261_124;

/// A kind of pair, and in how many of a hundred it is to be joined at least or, where the pair is none, at the most.
struct Kind {
    name: &'static str,
    bound: Bound,
    pair: fn(&mut Press) -> [String; 2],
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

const KINDS: [Kind; 19] = [
    copy("new headline, same text", 100.0, rewrite::same),
    copy("another byline and dateline", 99.0, rewrite::byline),
    copy("a tenth cut from the end", 99.0, |press| rewrite::cut(press, 10)),
    copy("a quarter cut from the end", 97.0, |press| rewrite::cut(press, 25)),
    copy("two fifths cut from the end", 95.0, |press| rewrite::cut(press, 40)),
    copy("a local lead of one paragraph", 97.0, |press| rewrite::lead(press, 1)),
    copy("a local lead of two paragraphs", 95.0, |press| rewrite::lead(press, 2)),
    copy("one word in thirty is another", 85.0, |press| rewrite::edit(press, 30)),
    copy("a boilerplate tail", 97.0, rewrite::tail),
    copy("byline, a tenth cut, one word in sixty, tail", 90.0, rewrite::all),
    copy("local lead and a quarter cut", 30.0, rewrite::lead_and_cut),
    other("another story of the same outlet, same tail", rewrite::same_tail),
    other("a follow-up that repeats the background", rewrite::follow_up),
    other("a translation that keeps names and numbers", rewrite::translation),
    other("market report of another day", |press| template::two(press, template::market)),
    other("weather of another place", |press| template::two(press, template::weather)),
    other("another match", |press| template::two(press, template::football)),
    other("another earthquake, by a machine", |press| template::two(press, template::quake)),
    other("a bond of another bank", |press| template::two(press, template::bond)),
];

const fn copy(name: &'static str, least: f64, pair: fn(&mut Press) -> [String; 2]) -> Kind {
    Kind { name, bound: Bound::AtLeast(least), pair }
}

const fn other(name: &'static str, pair: fn(&mut Press) -> [String; 2]) -> Kind {
    Kind { name, bound: Bound::AtMost(0.5), pair }
}

/// What the store does: a value in common, sketches that resemble each other, then the proof.
fn joins(one: &Print, other: &Print) -> bool {
    let mut bands = one.sketch.bands().into_iter().zip(other.sketch.bands());
    bands.any(|(one, other)| one.is_some() && one == other)
        && one.sketch.resembles(&other.sketch)
        && is_copy(one, other)
}

fn pairs_of_each_kind() -> u32 {
    std::env::var("COPIES").ok().and_then(|number| number.parse().ok()).unwrap_or(100)
}

#[test]
fn copies_are_found_and_other_stories_left_alone_as_the_benchmarks_say() {
    let many = pairs_of_each_kind();
    let mut press = Press::new(Rng::with_seed(SEED));
    let mut broken = Vec::new();
    println!("{:46} {:>8} {:>14}", "pairs of texts", "joined %", "simhash (3) %");
    for kind in &KINDS {
        let (mut joined, mut by_simhash) = (0, 0);
        for _ in 0..many {
            let [one, other] = (kind.pair)(&mut press);
            by_simhash += u32::from(simhash::joins(&one, &other));
            let prints = [&one, &other].map(|text| print(text).expect("an article's length"));
            joined += u32::from(joins(&prints[0], &prints[1]));
        }
        let percent = |found: u32| f64::from(found) * 100.0 / f64::from(many);
        println!("{:46} {:>8.1} {:>14.1}", kind.name, percent(joined), percent(by_simhash));
        let holds = match kind.bound {
            Bound::AtLeast(least) => percent(joined) >= least,
            Bound::AtMost(most) => percent(joined) <= most,
        };
        if !holds {
            broken.push((kind.name, percent(joined)));
        }
    }
    assert!(broken.is_empty(), "not as found when it was measured: {broken:?}");
}
