//! The texts that rules are made of, and the names that they may use.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fault::Source;
use crate::story::{Carrier, NotifierName, Severity};

/// The texts that rules are made of.
#[derive(Clone, Debug, Default)]
pub struct RuleTexts {
    /// Rule files.
    pub rules: Vec<Arc<Source>>,
    /// The tables that [`tables_of`](crate::tables_of) them names.
    pub tables: Vec<Table>,
}

/// A table that a rule file makes a term list of.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its path, as [`tables_of`](crate::tables_of) gives it, and its text.
    pub source: Arc<Source>,
    /// Why it could not be read, in words; its text is empty then.
    pub unreadable: Option<String>,
}

/// The names of a configuration that rules may use.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Every notifier.
    pub notifiers: BTreeSet<NotifierName>,
    /// Every feed with its tags.
    pub feeds: Vec<Carrier>,
    /// The severities that the configuration sends to no notifier: a rule of such a severity must
    /// name one.
    pub unrouted: BTreeSet<Severity>,
}

impl From<Vec<Arc<Source>>> for RuleTexts {
    /// Rule files that need no table.
    fn from(rules: Vec<Arc<Source>>) -> Self {
        Self { rules, tables: Vec::new() }
    }
}
