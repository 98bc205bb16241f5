//! Term lists, and the rows of lists from tables.

use std::collections::HashSet;
use std::sync::Arc;

use super::term::{Forms, Term};
use crate::story;

/// A term list: at least one term, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermList {
    /// Its name, without the `$`.
    pub(crate) name: String,
    /// Its terms, with those of the lists that it names.
    pub(crate) terms: Vec<Arc<Term>>,
    /// The rows of a list from a table, in the order of the table. Their terms are the terms of the
    /// list.
    pub(crate) rows: Vec<Arc<ListRow>>,
}

impl TermList {
    /// The same list with its words in `forms`.
    pub(crate) fn with(&self, forms: Forms) -> Self {
        if !self.rows.is_empty() {
            return list_of_rows(
                &self.name,
                self.rows.iter().map(|row| Arc::new(row.with(forms))).collect(),
            );
        }
        let terms = self.terms.iter().map(|term| Arc::new(Term::clone(term).with(forms)));
        Self { name: self.name.clone(), terms: terms.collect(), rows: Vec::new() }
    }
}

/// A row of a list from a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListRow {
    /// The row as alerts show it.
    pub(crate) head: story::WatchlistRow,
    /// Its terms, as a list with the name of the whole list.
    pub(crate) list: Arc<TermList>,
}

impl ListRow {
    /// The row of the list `name` with these terms, which must not be empty.
    pub(crate) fn new(name: &str, head: story::WatchlistRow, terms: Vec<Arc<Term>>) -> Self {
        let list = TermList { name: name.to_owned(), terms, rows: Vec::new() };
        Self { head, list: Arc::new(list) }
    }

    /// The same row with its words in `forms`.
    pub(crate) fn with(&self, forms: Forms) -> Self {
        Self { head: self.head.clone(), list: Arc::new(self.list.with(forms)) }
    }
}

/// The list `name` with all terms of `rows`. If rows share a term, that of the first row is kept.
pub(crate) fn list_of_rows(name: &str, rows: Vec<Arc<ListRow>>) -> TermList {
    let mut seen = HashSet::new();
    let all = rows.iter().flat_map(|row| &row.list.terms);
    let terms = all.filter(|term| seen.insert(term.text.as_str())).cloned().collect();
    TermList { name: name.to_owned(), terms, rows }
}
