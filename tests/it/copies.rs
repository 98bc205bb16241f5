//! How often copies are distinguished from other stories: rewritten wire copy, made from a seed,
//! and stories that are similar but no copies.
//!
//! `COPIES=2000 cargo test --release copies -- --nocapture` makes that many articles of every kind,
//! and fingerprints the table of `docs/benchmarks.md`.

mod forms;
mod notices;
pub mod press;
mod rewrite;
mod simhash;
mod template;

use std::collections::HashSet;

use fastrand::Rng;
use tidings::alerts::copies::signature::FIRST_KEY;
use tidings::alerts::copies::{Fingerprint, Relation, compute_fingerprint, relation};
use tidings_rules::story::Read;

use press::Press;

const SEED: u64 = 20_261_124;

/// A kind of pair, and a bound in percent: how many must be joined at least, or, if they are no
/// copies, at most.
struct PairKind {
    name: &'static str,
    bound: Bound,
    pair: fn(&mut Press) -> [String; 2],
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

const KINDS: [PairKind; 30] = [
    copy("new headline, same text", 99.0, rewrite::same),
    copy("another byline and dateline", 99.0, rewrite::byline),
    copy("British spelling", 99.0, rewrite::british),
    copy("one word in forty has a typo", 97.0, rewrite::typos),
    copy("a boilerplate tail", 99.0, rewrite::tail),
    copy("a local lead of one paragraph", 99.0, |press| rewrite::lead(press, 1)),
    copy("a local lead of two paragraphs", 97.0, |press| rewrite::lead(press, 2)),
    copy("two paragraphs added", 99.0, rewrite::added),
    copy("a tenth cut from the end", 99.0, |press| rewrite::cut(press, 10)),
    copy("a quarter cut from the end", 97.0, |press| rewrite::cut(press, 25)),
    copy("two fifths cut from the end", 90.0, |press| rewrite::cut(press, 40)),
    copy("cut by 55 in 100", 70.0, |press| rewrite::cut(press, 55)),
    copy("a paragraph moved", 98.0, rewrite::moved),
    copy("paragraphs shuffled", 96.0, rewrite::shuffled),
    copy("two paragraphs replaced", 80.0, rewrite::replaced),
    copy("common words are others", 85.0, |press| rewrite::edit(press, 30)),
    copy("byline, a tenth cut, one word in sixty, tail", 90.0, rewrite::all),
    copy("local lead and a quarter cut", 90.0, rewrite::lead_and_cut),
    copy("the first three paragraphs only", 60.0, rewrite::first_three),
    copy("within a live blog", 40.0, rewrite::live_blog),
    copy("newspaper mix", 60.0, rewrite::newspaper),
    other("another story of the same outlet, same tail", rewrite::same_tail),
    other("a follow-up that repeats the background", rewrite::follow_up),
    other("a translation that keeps names and numbers", rewrite::translation),
    other("market report of another day", |press| template::two(press, template::market)),
    other("weather of another place", |press| template::two(press, template::weather)),
    other("another match", |press| template::two(press, template::football)),
    other("another earthquake, by a machine", |press| template::two(press, template::quake)),
    other("a bond of another bank", |press| template::two(press, template::bond)),
    other("another article", |press| {
        [rewrite::same(press), rewrite::same(press)].map(|[one, _]| one)
    }),
];

const fn copy(name: &'static str, least: f64, pair: fn(&mut Press) -> [String; 2]) -> PairKind {
    PairKind { name, bound: Bound::AtLeast(least), pair }
}

const fn other(name: &'static str, pair: fn(&mut Press) -> [String; 2]) -> PairKind {
    PairKind { name, bound: Bound::AtMost(0.5), pair }
}

/// The steps of the store: an equal value, signatures that resemble each other or an equal key,
/// then the comparison.
fn related(earlier: &Fingerprint, later: &Fingerprint) -> Relation {
    let known = earlier.signature.bands();
    let shared: Vec<_> =
        later.signature.bands().into_iter().filter(|value| known.contains(value)).collect();
    let by_key = shared.iter().any(|(band, _)| *band >= FIRST_KEY);
    if shared.is_empty() || !(by_key || later.signature.may_resemble(&earlier.signature)) {
        return Relation::Other;
    }
    relation(earlier, later, &HashSet::new())
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
            let [one, other] = [one, other].map(|text| {
                compute_fingerprint(&press.headline(), &text, &Read::Full)
                    .expect("an article's length")
            });
            joined += u32::from(related(&one, &other) == Relation::Copy);
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

#[test]
fn no_report_of_a_form_is_taken_for_another_whatever_its_headline() {
    for form in &forms::FORMS {
        let reports = form.reports();
        for title in ["", "The office has published a new report today"] {
            let fingerprints: Vec<Fingerprint> = reports
                .iter()
                .map(|text| compute_fingerprint(title, text, &Read::Full).expect("fifty words"))
                .collect();
            for (at, earlier) in fingerprints.iter().enumerate() {
                for later in fingerprints.iter().skip(at + 1) {
                    let found = relation(earlier, later, &HashSet::new());
                    assert_eq!(found, Relation::Other, "{}: {} and later", form.name, reports[at]);
                }
                assert_eq!(
                    relation(earlier, earlier, &HashSet::new()),
                    Relation::Copy,
                    "{}",
                    form.name
                );
            }
        }
    }
}

#[test]
fn the_agencys_next_version_is_sent_as_an_update() {
    let mut press = Press::new(Rng::with_seed(SEED));
    let mut updates = 0;
    for _ in 0..100 {
        let [one, other] = rewrite::next_version(&mut press);
        let title = press.headline();
        let [one, other] = [
            compute_fingerprint(&title, &one, &Read::Full),
            compute_fingerprint(&format!("UPDATE 2-{title}"), &other, &Read::Full),
        ]
        .map(|fingerprint| fingerprint.expect("long"));
        updates += u32::from(matches!(related(&one, &other), Relation::Update(_)));
    }
    assert!(updates >= 90, "{updates}");
}

/// The relation of `later` to `earlier`. Each is a headline and a text.
fn relation_of(earlier: (&str, &str), later: (&str, &str)) -> Relation {
    let [earlier, later] = [earlier, later]
        .map(|(title, text)| compute_fingerprint(title, text, &Read::Full).expect("fifty words"));
    relation(&earlier, &later, &HashSet::new())
}

/// Whether the later story is sent, also if it is an update.
fn is_sent(relation: &Relation) -> bool {
    matches!(relation, Relation::Other | Relation::Update(_))
}

#[test]
fn no_notice_is_taken_for_another_that_differs_in_one_sentence() {
    let mut swallowed = Vec::new();
    for office in &notices::OFFICES {
        for [one, other] in office.pairs {
            let [one, other] = [one, other].map(|own| format!("{own}\n\n{}", office.below));
            for (earlier, later) in [(&one, &other), (&other, &one)] {
                // A notice with fewer names adds nothing.
                let is_shorter = later.len() + 20 < earlier.len();
                let found = relation_of(("Notice", earlier), ("Notice", later));
                if !is_sent(&found) && !is_shorter {
                    swallowed.push((
                        office.name,
                        later[..80.min(later.len())].chars().take(60).collect::<String>(),
                    ));
                }
            }
            assert_eq!(relation_of(("Notice", &one), ("Notice", &one)), Relation::Copy);
        }
    }
    assert!(swallowed.is_empty(), "{swallowed:#?}");
}

#[test]
fn notices_that_share_only_what_stands_below_are_events_of_their_own() {
    let office = &notices::OFFICES[0];
    let texts: Vec<String> =
        office.pairs.iter().flatten().map(|own| format!("{own}\n\n{}", office.below)).collect();
    let mut swallowed = Vec::new();
    for (at, earlier) in texts.iter().enumerate() {
        for later in texts.iter().skip(at + 1).filter(|later| *later != earlier) {
            if !is_sent(&relation_of(("", earlier), ("", later))) {
                swallowed.push((&earlier[..40], &later[..40]));
            }
        }
    }
    assert!(swallowed.is_empty(), "{swallowed:#?}");
}

#[test]
fn headlines_of_one_form_over_one_text_are_headlines_of_two_events() {
    let text = notices::OFFICES[0].below;
    for [one, other] in notices::HEADLINES {
        for (earlier, later) in [(one, other), (other, one)] {
            assert_eq!(relation_of((earlier, text), (later, text)), Relation::Other, "{later}");
        }
    }
    let title = "Fire in Skipton mill kills 14 people";
    for other in
        ["Dozens hurt as boiler blows up", "Fire in old Skipton mill kills 14 people, county says"]
    {
        assert_eq!(
            relation_of((title, notices::REPORT), (other, notices::REPORT)),
            Relation::Copy,
            "{other}"
        );
    }
}

#[test]
fn what_other_outlets_make_of_a_report_is_a_copy() {
    let titles = ["Fire in Skipton mill kills 14 people", "Dozens hurt as boiler blows up"];
    for edits in notices::REWRITES {
        let other = edits.iter().fold(notices::REPORT.to_owned(), |text, [from, to]| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        for [earlier, later] in [[notices::REPORT, &other], [&other, notices::REPORT]] {
            let found = relation_of((titles[0], earlier), (titles[1], later));
            assert_eq!(found, Relation::Copy, "{edits:?}");
        }
    }
}

#[test]
fn corrected_figures_are_an_update_and_what_was_corrected_comes_late() {
    let title = "Fire in Skipton mill kills people";
    let corrected =
        notices::REPORT.replace("14 people", "17 people").replace("230 workers", "260 workers");
    let found = relation_of((title, notices::REPORT), (title, &corrected));
    let Relation::Update(update) = found else { panic!("{found:?}") };
    assert_eq!(update.to_string(), "other figures: 17 where it said 14, 260 where it said 230");
    let marked = format!("CORRECTED-{title}");
    assert_eq!(relation_of((&marked, &corrected), (title, notices::REPORT)), Relation::Older);
    let versions = ["UPDATE 3-", "UPDATE 1-"].map(|mark| format!("{mark}{title}"));
    assert_eq!(
        relation_of((&versions[0], &corrected), (&versions[1], notices::REPORT)),
        Relation::Copy
    );
    assert!(matches!(
        relation_of((&versions[1], notices::REPORT), (&versions[0], &corrected)),
        Relation::Update(_)
    ));
}

#[test]
fn a_mark_does_not_join_another_event_of_the_same_form() {
    let below = notices::OFFICES[0].below;
    let text = |own: &str| format!("{own}\n\n{below}");
    for title in [
        "UPDATE 1-Recall of Taltec ovens",
        "CORRECTED-Recall of Taltec ovens",
        "UPDATE 1-Recall of Norvia prams",
    ] {
        let found = relation_of(
            (
                "Recall of Norvia prams",
                &text("Norvia of Oslo calls back its prams since wheels come off."),
            ),
            (title, &text("Taltec of Bergen calls back its ovens since doors come off.")),
        );
        assert_eq!(found, Relation::Other, "{title}");
    }
}
