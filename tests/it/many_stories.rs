//! Rules over many stories under kill -9: what was told, and what an oracle over the final store
//! says should have been told, agree one to one.
//!
//! A seed decides which stories appear, how far the clock goes on between runs, and when the
//! process is killed. `TIDINGS_HARNESS_SEED` sets it, and `TIDINGS_HARNESS_KILLS` the number of
//! kills.

mod news;
mod oracle;
mod record;
mod world;

use std::hash::{BuildHasher, RandomState};

use oracle::{ConditionFlaw, judge};
use record::FinalRecord;
use world::ConditionWorld;

/// The number of kills if the environment sets none.
const KILLS: u64 = 12;

/// The most runs that are not killed, after those that are.
const MOST_CALM_RUNS: usize = 40;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn seed_and_kills() -> (u64, u64) {
    let seed = variable("TIDINGS_HARNESS_SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
    (seed, variable("TIDINGS_HARNESS_KILLS").unwrap_or(KILLS))
}

/// A world after runs that were killed, and at rest.
async fn world_after_kills(seed: u64, kills: u64) -> ConditionWorld {
    let mut world = ConditionWorld::new(seed).await;
    for _ in 0..kills {
        world.publish();
        world.run_and_kill().await;
    }
    world.run_to_the_end().await;
    world
}

fn listing(flaws: &[ConditionFlaw]) -> String {
    flaws.iter().fold(String::new(), |listing, flaw| listing + "\n  " + &flaw.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_conditions_tell_what_the_final_store_says() {
    let (seed, kills) = seed_and_kills();
    println!("TIDINGS_HARNESS_SEED={seed} TIDINGS_HARNESS_KILLS={kills}");
    let world = world_after_kills(seed, kills).await;
    let record = world.record().await;
    let (flaws, counts) = judge(&record);
    println!("{counts}");
    assert!(flaws.is_empty(), "seed {seed}:{}", listing(&flaws));
    assert!(counts.held > 0 && counts.fired > 0, "{counts}");
}

/// The oracle finds what faulty daemons would leave behind.
#[tokio::test(flavor = "multi_thread")]
async fn the_oracle_names_faults_of_conditions_that_are_planted() {
    let (seed, kills) = seed_and_kills();
    println!("TIDINGS_HARNESS_SEED={seed} TIDINGS_HARNESS_KILLS={kills}");
    let mut world = world_after_kills(seed, kills).await;
    let mut sound = world.record().await;
    let has_opportunity =
        |sound: &FinalRecord| FAULTS.iter().all(|one| (one.plant)(&mut sound.clone()));
    // Runs on a busy machine may be killed before they record much.
    for _ in 0..MOST_CALM_RUNS {
        if has_opportunity(&sound) {
            break;
        }
        world.go_on().await;
        sound = world.record().await;
    }
    let (flaws, _) = judge(&sound);
    assert!(flaws.is_empty(), "seed {seed}:{}", listing(&flaws));
    for ConditionFault { what, plant, names } in FAULTS {
        let mut record = sound.clone();
        assert!(plant(&mut record), "seed {seed}: there was no opportunity for this: {what}");
        let (flaws, _) = judge(&record);
        assert!(flaws.iter().any(names), "seed {seed}: {what}, but only:{}", listing(&flaws));
    }
}

/// A fault of a daemon.
struct ConditionFault {
    what: &'static str,
    /// Changes a record as it would. `false` if there is no opportunity.
    plant: fn(&mut FinalRecord) -> bool,
    /// The violation that the oracle must report.
    names: fn(&ConditionFlaw) -> bool,
}

const FAULTS: [ConditionFault; 6] = [
    ConditionFault {
        what: "a window is longer by one match",
        plant: FinalRecord::lengthen_window,
        names: |flaw| matches!(flaw, ConditionFlaw::NotMet(_)),
    },
    ConditionFault {
        what: "a window is shorter by one match",
        plant: FinalRecord::shorten_window,
        names: |flaw| matches!(flaw, ConditionFlaw::Fired(_, 0)),
    },
    ConditionFault {
        what: "an episode is opened twice",
        plant: FinalRecord::open_twice,
        names: |flaw| matches!(flaw, ConditionFlaw::Fired(_, 2)),
    },
    ConditionFault {
        what: "an episode is not opened",
        plant: FinalRecord::lose_firing,
        names: |flaw| matches!(flaw, ConditionFlaw::Fired(_, 0)),
    },
    ConditionFault {
        what: "an absence is told during an outage",
        plant: FinalRecord::tell_in_outage,
        names: |flaw| {
            matches!(flaw, ConditionFlaw::Absence(_, "no feed was read since it was due"))
        },
    },
    ConditionFault {
        what: "an absence is told twice",
        plant: FinalRecord::tell_absence_twice,
        names: |flaw| matches!(flaw, ConditionFlaw::Absence(_, "it was told twice")),
    },
];
