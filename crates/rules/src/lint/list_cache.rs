//! A cache of the facts about term lists that the warnings use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::common_words::is_common;
use super::index::TermIndex;
use crate::language::term::Term;
use crate::language::term_list::TermList;

/// Indexes and common words of the lists that expressions name, each made on first use.
#[derive(Default)]
pub(crate) struct ListCache(Mutex<HashMap<usize, Arc<CachedList>>>);

/// A list and its facts. It holds the list, so that its address stays unique.
struct CachedList {
    list: Arc<TermList>,
    index: OnceLock<Arc<TermIndex>>,
    common: OnceLock<Option<Arc<Term>>>,
}

impl ListCache {
    fn cached(&self, list: &Arc<TermList>) -> Arc<CachedList> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || CachedList {
            list: Arc::clone(list),
            index: OnceLock::new(),
            common: OnceLock::new(),
        };
        Arc::clone(known.entry(Arc::as_ptr(list).addr()).or_insert_with(|| Arc::new(new())))
    }

    pub(super) fn index(&self, list: &Arc<TermList>) -> Arc<TermIndex> {
        let known = self.cached(list);
        Arc::clone(known.index.get_or_init(|| Arc::new(TermIndex::new(&known.list.terms))))
    }

    /// A term of `list` that is also a common word.
    pub(super) fn common(&self, list: &Arc<TermList>) -> Option<Arc<Term>> {
        let known = self.cached(list);
        let find = || known.list.terms.iter().find(|term| is_common(term)).cloned();
        known.common.get_or_init(find).clone()
    }
}
