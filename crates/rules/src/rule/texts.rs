//! The texts of rules, and the names that rules may use.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::condition::Publishers;
use crate::fault::Source;
use crate::story::{Carrier, NotifierName, Severity};

/// The texts of rule files and tables.
#[derive(Clone, Debug, Default)]
pub struct RuleTexts {
    /// Rule files.
    pub rules: Vec<Arc<Source>>,
    /// The tables that [`tables_of`](crate::tables_of) returns for the rule files.
    pub tables: Vec<Table>,
}

/// A table from which a rule file makes a term list.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its text. Its name is the path that [`tables_of`](crate::tables_of) returns.
    pub source: Arc<Source>,
    /// Why it could not be read, in words. Its text is then empty.
    pub unreadable: Option<String>,
}

/// What rules read of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleConfig {
    /// The names that rules may use. `None`: they may use any name.
    pub names: Option<KnownNames>,
    /// The names of publishers, for `fires` and `holds`.
    pub publishers: Publishers,
}

/// The names of a configuration that rules may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Every notifier.
    pub notifiers: BTreeSet<NotifierName>,
    /// Every feed with its tags.
    pub feeds: Vec<Carrier>,
    /// The severities that the configuration routes to no notifier. A rule with such a severity
    /// must name a notifier.
    pub unrouted: BTreeSet<Severity>,
}

impl From<Vec<Arc<Source>>> for RuleTexts {
    /// Rule files without tables.
    fn from(rules: Vec<Arc<Source>>) -> Self {
        Self { rules, tables: Vec::new() }
    }
}
