//! A text with changes. It is copied only if something changes.

use std::borrow::Cow;

use super::is_legal;
use crate::markup::bytes::are_all;

/// A text that is read from start to end. Parts of it are kept, and parts are replaced. Characters
/// that XML forbids are removed from the kept parts.
pub(super) struct Patch<'t> {
    text: &'t str,
    /// The number of bytes that are read.
    at: usize,
    /// The changed form of the text before `copied`.
    out: String,
    copied: usize,
    /// Whether XML allows all its characters.
    is_legal: bool,
}

impl<'t> Patch<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let is_legal = is_surely_legal(text) || text.chars().all(is_legal);
        Self { text, at: 0, out: String::new(), copied: 0, is_legal }
    }

    /// The text that is not yet read.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Keeps the next `length` bytes.
    pub(super) fn keep(&mut self, length: usize) {
        let end = self.at + length;
        if !self.is_legal {
            let kept = &self.text[self.at..end];
            for (at, illegal) in kept.match_indices(|c| !is_legal(c)) {
                self.at = end - kept.len() + at;
                self.replace(illegal.len(), "");
            }
        }
        self.at = end;
    }

    /// Replaces the next `length` bytes by `instead`.
    pub(super) fn replace(&mut self, length: usize, instead: &str) {
        let end = self.at + length;
        if &self.text[self.at..end] != instead {
            self.out.push_str(&self.text[self.copied..self.at]);
            self.out.push_str(instead);
            self.copied = end;
        }
        self.at = end;
    }

    /// The text with its changes, once all of it was read.
    pub(super) fn finish(mut self) -> Cow<'t, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.copied..]);
        Cow::Owned(self.out)
    }
}

/// A fast test of whether XML allows all characters of `text`. It may be `false` for allowed
/// characters.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn is_surely_legal(text: &str) -> bool {
    let is_space = |byte| (byte == b'\n') | (byte == b'\t') | (byte == b'\r');
    are_all(text.as_bytes(), |byte| (byte != 0xef) & ((byte >= b' ') | is_space(byte)))
}
