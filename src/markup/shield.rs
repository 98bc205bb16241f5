//! Catches panics of libraries that read bytes from strangers.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The result of `work`, or `None` if it panicked.
///
/// It is for parsers only: they own nothing that outlives the call, so no half-changed state can be
/// seen afterwards. It needs a profile that unwinds, not `panic = "abort"`.
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
