//! Why a part of an expression can never hold, in words.

use std::ops::Range;

use crate::explain::excerpt;
use crate::language::print;
use crate::language::term::Term;
use crate::language::tree::Tree;
use crate::lint::warning::shown;

/// Why a part can never hold.
pub(crate) struct Clash {
    /// The words to point at.
    pub(crate) span: Range<usize>,
    /// What cannot be, to go on after a colon.
    pub(crate) why: String,
}

/// What must be there and must not.
pub(super) fn at_once(found: &Term, barred: &Term) -> String {
    if found.words == barred.words {
        return format!("{} must be there, and must not", shown(found));
    }
    let (found, barred) = (shown(found), shown(barred));
    format!("where {found} is found, so is {barred}, which must not be there")
}

/// What an expression writes for `tree`, cut where it is long.
pub(super) fn written(tree: &Tree) -> String {
    format!("`{}`", excerpt::around(&print::expression(tree), &(0..0), 60).0)
}
