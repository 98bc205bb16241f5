//! A page of a list.

use serde::Serialize;

/// A page of a list.
#[derive(Serialize)]
pub(super) struct ListPage<T> {
    pub(super) items: Vec<T>,
    /// The address of the next page.
    pub(super) next: Option<String>,
}

/// Cuts what was read, one row more than a page has, to a page of `most` rows. Returns whether a
/// page follows.
pub(super) fn cut_to<T>(most: usize, read: &mut Vec<T>) -> bool {
    let has_more = read.len() > most;
    read.truncate(most);
    has_more
}
