//! Slots for requests at once, whose number can change while they are taken.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of slots. Those that wait for one are served in order.
#[derive(Debug)]
pub(super) struct Slots {
    semaphore: Arc<Semaphore>,
    size: usize,
    /// The number of taken slots that end when they are released.
    surplus: usize,
}

impl Slots {
    /// This many free slots.
    pub(super) fn new(size: usize) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(size)), size, surplus: 0 }
    }

    /// Gives out slots, each until it is [released](Self::release).
    pub(super) fn semaphore(&self) -> Arc<Semaphore> {
        Arc::clone(&self.semaphore)
    }

    /// Changes the number of slots. If more are taken, the next ones that are released end.
    pub(super) fn resize(&mut self, size: usize) {
        if let Some(fewer) = self.size.checked_sub(size) {
            self.surplus += fewer - self.semaphore.forget_permits(fewer);
        } else {
            let more = size - self.size;
            let kept = more.min(self.surplus);
            self.surplus -= kept;
            self.semaphore.add_permits(more - kept);
        }
        self.size = size;
    }

    /// Takes a slot back.
    pub(super) fn release(&mut self, slot: OwnedSemaphorePermit) {
        if self.surplus > 0 {
            self.surplus -= 1;
            slot.forget();
        }
    }

    /// Whether a slot is taken, or waited for.
    pub(super) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.semaphore) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(slots: &Slots) -> Option<OwnedSemaphorePermit> {
        slots.semaphore().try_acquire_owned().ok()
    }

    fn take_all(slots: &Slots) -> Vec<OwnedSemaphorePermit> {
        std::iter::from_fn(|| take(slots)).collect()
    }

    #[test]
    fn fewer_slots_end_when_they_are_released() {
        let mut slots = Slots::new(3);
        let mut taken = take_all(&slots);
        assert_eq!(taken.len(), 3);
        slots.resize(1);
        for _ in 0..2 {
            slots.release(taken.pop().expect("it is taken"));
            assert!(take(&slots).is_none());
        }
        slots.release(taken.pop().expect("it is taken"));
        assert_eq!(take_all(&slots).len(), 1);
        assert!(!slots.is_in_use());
    }

    #[test]
    fn more_slots_first_keep_those_that_were_to_end() {
        let mut slots = Slots::new(2);
        let taken = take_all(&slots);
        slots.resize(1);
        slots.resize(4);
        assert_eq!(take_all(&slots).len(), 2);
        for slot in taken {
            slots.release(slot);
        }
        assert_eq!(take_all(&slots).len(), 4);
    }
}
