//! The term lists that an expression may name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::term::Forms;
use super::term_list::TermList;

/// The term lists that an expression may name, and the forms of their words and of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// The lists by their names.
    pub(crate) by_name: BTreeMap<String, Arc<TermList>>,
    /// The forms.
    pub(crate) forms: Forms,
    /// The lists as YAML, made on first use.
    pub(crate) printed: PrintedLists,
    /// Whether a file that cannot be read may define more lists. An unknown name is then not a
    /// fault.
    pub(crate) partial: bool,
}

impl Lists {
    /// The same lists in `forms`. These lists must be in plain forms.
    pub(crate) fn with(&self, forms: Forms) -> Self {
        let by_name =
            self.by_name.iter().map(|(name, list)| (name.clone(), Arc::new(list.with(forms))));
        Self {
            by_name: by_name.collect(),
            forms,
            printed: PrintedLists::default(),
            partial: self.partial,
        }
    }
}

/// The lists of one form as YAML, each made once: a list of 100,000 terms may be in hundreds of
/// rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrintedLists(Arc<Mutex<BTreeMap<String, Arc<str>>>>);

impl PrintedLists {
    /// The YAML of the list `name`. `print` makes it on first use.
    pub(crate) fn get_or_print(&self, name: &str, print: impl FnOnce() -> String) -> Arc<str> {
        let mut printed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(printed.entry(name.to_owned()).or_insert_with(|| print().into()))
    }
}
