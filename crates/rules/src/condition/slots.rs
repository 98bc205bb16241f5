//! The events of each slot of a group. A sum over many slots takes no longer than one over few.

use std::collections::VecDeque;
use std::ops::Range;

/// The events of slots.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotCounts {
    /// Each slot that has events, ascending, with the number of events up to its end.
    sums: VecDeque<(i64, u64)>,
    /// The number of events of the slots that were forgotten.
    forgotten: u64,
}

impl SlotCounts {
    /// Counts an event.
    pub(super) fn add(&mut self, slot: i64) {
        let place = self.place(slot);
        if self.sums.get(place).is_none_or(|(known, _)| *known != slot) {
            self.sums.insert(place, (slot, self.before(slot)));
        }
        self.sums.range_mut(place..).for_each(|(_, sum)| *sum += 1);
    }

    /// The number of events in `slots`.
    pub(super) fn count(&self, slots: &Range<i64>) -> u64 {
        self.before(slots.end).saturating_sub(self.before(slots.start))
    }

    /// Forgets the slots before `start`, except the newest `most`.
    pub(super) fn forget(&mut self, start: i64, most: usize) {
        while self.sums.len() > most
            && let Some((_, sum)) = self.sums.pop_front_if(|(slot, _)| *slot < start)
        {
            self.forgotten = sum;
        }
    }

    /// The number of slots that are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sums.len()
    }

    /// The number of events before `slot`.
    fn before(&self, slot: i64) -> u64 {
        self.place(slot).checked_sub(1).map_or(self.forgotten, |last| self.sums[last].1)
    }

    /// The place of the first known slot that is not before `slot`.
    fn place(&self, slot: i64) -> usize {
        match self.sums.back() {
            Some((last, _)) if *last >= slot => self.sums.partition_point(|(one, _)| *one < slot),
            _ => self.sums.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_count_is_the_number_of_events_in_its_slots(
            slots in prop::collection::vec(0..40_i64, 0..60),
            start in 0..40_i64,
            length in 0..40_i64,
            forgotten in 0..40_i64,
        ) {
            let mut counts = SlotCounts::default();
            for slot in &slots {
                counts.add(*slot);
            }
            counts.forget(forgotten.min(start), 3);
            let span = start..start + length;
            let expected = slots.iter().filter(|slot| span.contains(slot)).count();
            prop_assert_eq!(counts.count(&span), expected as u64);
        }
    }
}
