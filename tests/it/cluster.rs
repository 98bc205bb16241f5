//! A harness of three nodes on one database, with an oracle of its own: sites, pages and receivers
//! that watch how they are asked, and faults of nodes, of lines and of the server.
//!
//! A seed decides which faults happen, and to whom. It is printed. `TIDINGS_HARNESS_SEED` sets it.
//! `TIDINGS_HARNESS_FAULTS` sets the number of faults: 60 faults make 1,000 alerts.

mod fault;
mod nodes;
mod oracle;
mod sites;

use std::hash::{BuildHasher, RandomState};

use fault::ClusterFault;
use nodes::Cluster;
use oracle::judge;

/// The number of faults if the environment sets none: one of each kind.
const FAULTS: usize = ClusterFault::KINDS;

/// The stories that appear with each fault.
const STORIES: usize = 17;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn seed() -> u64 {
    variable("TIDINGS_HARNESS_SEED").unwrap_or_else(|| RandomState::new().hash_one(()))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_nodes_and_to_their_server_nothing_is_lost_and_nobody_is_asked_twice() {
    let seed = seed();
    let faults = variable("TIDINGS_HARNESS_FAULTS")
        .map_or(FAULTS, |faults| usize::try_from(faults).expect("a few"));
    println!("TIDINGS_HARNESS_SEED={seed} TIDINGS_HARNESS_FAULTS={faults}");
    let Some(mut cluster) = Cluster::new(seed).await else { return };
    for number in 0..faults {
        cluster.publish(STORIES);
        let fault = cluster.choose_fault(number);
        println!("{number}: {fault:?}");
        cluster.suffer(fault).await;
    }
    cluster.run_to_the_end().await;
    let record = cluster.record().await;
    println!("{}", record.summary());
    let flaws = judge(&record);
    assert!(flaws.is_empty(), "seed {seed}:\n  {}", flaws.join("\n  "));
}

/// The oracle finds what a broken store would do. Each fault is planted while all nodes work.
#[tokio::test(flavor = "multi_thread")]
async fn the_oracle_finds_every_planted_fault_of_limits_messages_and_shares() {
    let Some(mut cluster) = Cluster::new(seed()).await else { return };
    cluster.publish(STORIES);
    cluster.wait_for_arrivals(STORIES).await;
    cluster.plant_no_limits(STORIES).await;
    cluster.plant_two_owners().await;
    cluster.plant_a_lost_message().await;
    cluster.plant_a_share_without_an_owner().await;
    let record = cluster.record().await;
    let flaws = judge(&record);
    let planted = [
        "over the limit",
        "messages in bursts",
        "two requests at a time",
        "asked too soon",
        "was never sent",
        "no owner for",
    ];
    for found in planted {
        assert!(flaws.iter().any(|flaw| flaw.contains(found)), "{found}: {flaws:#?}");
    }
}
