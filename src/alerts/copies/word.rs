//! One word of a text, as copies are compared. Pure.

use twox_hash::XxHash3_64;

/// What a word says about the event of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyWordKind {
    /// A number, or an identifier that holds digits.
    Number,
    /// It has the form of a name.
    Name,
    /// Not a name, and not a common word.
    Rare,
    /// A common word, which any text may contain.
    Common,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CopyWord {
    /// The word, folded and in its compared spelling.
    pub(super) text: String,
    pub(super) kind: CopyWordKind,
}

/// The hash of a text, the same in every run and build.
pub(super) fn hash(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}
