//! Searches the phrases of rules in the newest stories of the store.

use super::stored::{StoredError, StoredStories};
use crate::config::StorePlace;
use tidings_rules::CheckedRules;
use tidings_rules::fault::Fault;
use tidings_rules::story::Story;

/// The most stories that are searched.
const MOST_STORIES_SEARCHED: u32 = 10_000;

/// The least stories that are searched. In fewer, a good phrase may be missing by chance.
const LEAST_STORIES_SEARCHED: usize = 1_000;

/// Warns of phrases of three words or more that stand in none of the newest stories of `store`
/// although their words do. Phrases with a warning in `faults` get none. There are no warnings if
/// there is no store, or if it has too few stories.
///
/// The stories are read once, and once more if there is a warning.
pub(crate) fn warn_of_absent_phrases(
    rules: &CheckedRules,
    store: &StorePlace,
    faults: &[Fault],
) -> Result<Vec<Fault>, StoredError> {
    let mut search = rules.phrase_search();
    if search.is_empty() {
        return Ok(Vec::new());
    }
    let newest = StoredStories::open_newest(store, MOST_STORIES_SEARCHED)?;
    let Some(mut stories) = newest else { return Ok(Vec::new()) };
    let searched = each_batch(&mut stories, usize::MAX, |some| search.search(some))?;
    if searched < LEAST_STORIES_SEARCHED {
        return Ok(Vec::new());
    }
    let Some(mut advice) = search.into_advice(faults) else { return Ok(Vec::new()) };
    stories.rewind();
    // A running Tidings may have added stories.
    each_batch(&mut stories, searched, |some| advice.search(some))?;
    Ok(advice.warnings(searched))
}

/// Calls `read` with the next stories, at most `most`, in batches. Returns their number.
fn each_batch(
    stories: &mut StoredStories,
    most: usize,
    mut read: impl FnMut(&[&Story]),
) -> Result<usize, StoredError> {
    let mut count = 0;
    while count < most
        && let Some(batch) = stories.next_batch()?
    {
        let some = batch.stories.iter().map(|entry| &entry.story);
        let some: Vec<&Story> = some.take(most - count).collect();
        read(&some);
        count += some.len();
    }
    Ok(count)
}
