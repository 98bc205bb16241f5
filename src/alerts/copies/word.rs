//! One word of a text as copies are compared. Pure.

use twox_hash::XxHash3_64;

/// What a word says of the event that a text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyWordKind {
    /// A number, or an identifier that holds digits.
    Number,
    /// It is written like a name.
    Name,
    /// Not a name, and not a common word.
    Rare,
    /// It may stand in any text.
    Common,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CopyWord {
    /// The word, folded and in its normal spelling.
    pub(super) text: String,
    pub(super) kind: CopyWordKind,
}

/// The hash of a text: equal in every run and build.
pub(super) fn hash(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}
