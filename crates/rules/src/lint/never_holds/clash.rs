//! Explains why a part of an expression can never hold.

use std::ops::Range;

use crate::explain::excerpt;
use crate::language::print;
use crate::language::term::Term;
use crate::language::tree::Tree;
use crate::lint::warning::shown;

/// Why a part can never hold.
pub(crate) struct Clash {
    /// The words to mark.
    pub(crate) span: Range<usize>,
    /// The contradiction, as a text after a colon.
    pub(crate) why: String,
}

/// The reason if `found` must be found and `excluded` must not.
pub(super) fn at_once(found: &Term, excluded: &Term) -> String {
    if found.words == excluded.words {
        return format!("{} must be there, and must not", shown(found));
    }
    let (found, excluded) = (shown(found), shown(excluded));
    format!("where {found} is found, so is {excluded}, which must not be there")
}

/// The expression of `tree`, cut if it is long.
pub(super) fn written(tree: &Tree) -> String {
    format!("`{}`", excerpt::head(&print::expression(tree), 60))
}
