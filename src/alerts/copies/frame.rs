//! Learns the frame of a host: the sentences that nearly all of its stories have. Pure.

use std::collections::{HashMap, HashSet};

/// The most events of a host from which its frame is learned: the newest.
pub(super) const FRAME_EVENTS: usize = 12;

/// The fewest events in which a sentence of the frame occurs.
const FEWEST_EVENTS: usize = 3;

/// The frame of a host. `texts`: the hashes of the sentences of its texts, each with its event.
pub(super) fn learn_host_frame<'t>(
    texts: impl Iterator<Item = (&'t str, &'t HashSet<u64>)>,
) -> Vec<u64> {
    let mut events: HashMap<&str, HashSet<u64>> = HashMap::new();
    for (event, sentences) in texts {
        events.entry(event).or_default().extend(sentences);
    }
    let mut count: HashMap<u64, usize> = HashMap::new();
    for sentence in events.values().flatten() {
        *count.entry(*sentence).or_default() += 1;
    }
    let is_frame = |times: usize| times >= FEWEST_EVENTS && times * 3 >= events.len() * 2;
    let frame = count.into_iter().filter(|(_, times)| is_frame(*times));
    frame.map(|(sentence, _)| sentence).collect()
}
