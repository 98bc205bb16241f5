//! Term lists, and the rows of those that come from tables.

use std::collections::HashSet;
use std::sync::Arc;

use super::term::{Forms, Term};
use crate::story;

/// A term list: at least one term, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermList {
    /// Its name, without the `$`.
    pub(crate) name: String,
    /// Its terms, those of the lists that it names among them.
    pub(crate) terms: Vec<Arc<Term>>,
    /// The rows of a list that comes from a table, in the order of the table: their terms are its
    /// own.
    pub(crate) rows: Vec<Arc<ListRow>>,
}

impl TermList {
    /// The same, whose terms find `forms` of their words.
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

/// A row of a list that comes from a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListRow {
    /// What alerts say of it.
    pub(crate) head: story::WatchlistRow,
    /// Its terms, as a list of the name that the whole list has.
    pub(crate) list: Arc<TermList>,
}

impl ListRow {
    /// The row of the list `name` that has these terms, of which there is at least one.
    pub(crate) fn new(name: &str, head: story::WatchlistRow, terms: Vec<Arc<Term>>) -> Self {
        let list = TermList { name: name.to_owned(), terms, rows: Vec::new() };
        Self { head, list: Arc::new(list) }
    }

    /// The same, whose terms find `forms` of their words.
    pub(crate) fn with(&self, forms: Forms) -> Self {
        Self { head: self.head.clone(), list: Arc::new(self.list.with(forms)) }
    }
}

/// The list `name` of all terms of `rows`; of a term that several rows have, the first one's.
pub(crate) fn list_of_rows(name: &str, rows: Vec<Arc<ListRow>>) -> TermList {
    let mut seen = HashSet::new();
    let all = rows.iter().flat_map(|row| &row.list.terms);
    let terms = all.filter(|term| seen.insert(term.text.as_str())).cloned().collect();
    TermList { name: name.to_owned(), terms, rows }
}
