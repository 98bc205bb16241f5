//! Keeps a panic in a library that reads strangers' bytes from becoming ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives, or `None` if it panicked.
///
/// For parsers only: they own nothing that outlives the call, so nothing half-done can be seen
/// afterwards. It holds as long as the profile unwinds (`panic = "abort"` would undo it).
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[test]
    fn a_panic_becomes_nothing_and_a_value_stays() {
        assert_eq!(catch_panic(|| 7), Some(7));
        assert_eq!(catch_panic(|| -> u8 { panic!("a parser broke") }), None);
    }
}
