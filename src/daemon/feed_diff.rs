//! Compares a feed's document with the known items, and plans what is recorded of each new or
//! edited item.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::alerts::admit;
use crate::article;
use crate::clock::timed;
use crate::config::{FeedConfig, FullText};
use crate::daemon::feed_health;
use crate::daemon::poller::PollParts;
use crate::feed::document::{Document, DocumentEnd, Item};
use crate::feed::identity::{
    self, Before, Claims, ClassifiedItem, Faces, ItemChange, ItemKey, KnownItem, RemovedAndReturned,
};
use crate::lifecycle::page_wait;
use crate::store::{FeedGap, ItemRecord, StoreError, StoryPlan};
use tidings_rules::story::{Read, Story};

/// The difference between a document and the known items.
#[derive(Debug)]
pub(crate) struct FeedDiff {
    /// Items that are new, edited or re-keyed.
    pub(crate) items: Vec<ItemRecord>,
    /// The known items that were removed or returned.
    pub(crate) removed_and_returned: RemovedAndReturned,
    /// The time before the document in which items may have been missed.
    pub(crate) gap: Option<FeedGap>,
}

/// A document, and what its items may be known by.
pub(crate) struct IdentifiedDocument {
    pub(crate) document: Document,
    faces: Faces,
    claims: Claims,
}

impl IdentifiedDocument {
    /// Slow: run it off the async threads.
    pub(crate) fn new(mut document: Document) -> Self {
        if document.end == DocumentEnd::WithinItem {
            // The last item is incomplete. The next poll brings all of it.
            document.items.pop();
        }
        let faces = Faces::from_items(&document.items);
        let claims = faces.claims();
        Self { document, faces, claims }
    }
}

/// Finds new and edited items, and matches those whose text is final. `last_good` is the time of
/// the last good poll, or `None` at the first poll.
pub(crate) async fn diff_feed(
    parts: &Arc<PollParts>,
    feed: &FeedConfig,
    last_good: Option<Timestamp>,
    identified: IdentifiedDocument,
    now: Timestamp,
) -> Result<FeedDiff, StoreError> {
    let IdentifiedDocument { document, faces, claims } = identified;
    let known = parts.shared.store.known_items(&feed.name, claims).await?;
    let (owned, feed) = (Arc::clone(parts), feed.clone());
    let comparison = FeedComparison { parts: owned, feed, last_good, known, document, now };
    let compare = move || {
        let classified = identity::classify(&comparison.feed.name, &comparison.known, faces);
        let edited = classified.iter().filter(|item| item.verdict.is_edit());
        let edited: Vec<_> = edited.map(|item| item.known_by().clone()).collect();
        if edited.is_empty() {
            Compared::Whole(comparison.into_diff(classified, &HashMap::new()))
        } else {
            Compared::WithoutTexts { comparison: Box::new(comparison), classified, edited }
        }
    };
    match parts.shared.threads.run(compare).await {
        Compared::Whole(diff) => Ok(diff),
        Compared::WithoutTexts { comparison, classified, edited } => {
            let before = parts.shared.store.item_texts(&comparison.feed.name, edited).await?;
            let compare_texts = move || comparison.into_diff(classified, &before);
            Ok(parts.shared.threads.run(compare_texts).await)
        }
    }
}

/// How far a comparison comes without the stored texts of edited items.
enum Compared {
    /// No item was edited.
    Whole(FeedDiff),
    /// The texts of the `edited` items are needed.
    WithoutTexts {
        comparison: Box<FeedComparison>,
        classified: Vec<ClassifiedItem>,
        edited: Vec<ItemKey>,
    },
}

/// What a document is compared with.
struct FeedComparison {
    parts: Arc<PollParts>,
    feed: FeedConfig,
    last_good: Option<Timestamp>,
    known: Vec<KnownItem>,
    document: Document,
    now: Timestamp,
}

impl FeedComparison {
    /// The difference. `before` holds the last texts of edited items.
    fn into_diff(
        mut self,
        mut classified: Vec<ClassifiedItem>,
        before: &HashMap<ItemKey, Before>,
    ) -> FeedDiff {
        let items = mem::take(&mut self.document.items);
        identity::mark_renewed(&mut classified, |key| before.get(key), &items);
        let is_whole = self.document.end == DocumentEnd::Whole;
        let last_whole = self.last_good.filter(|_| is_whole);
        let gap = last_whole.and_then(|last| {
            feed_health::find_gap(last, &self.known, &classified, &items, self.now)
        });
        let mut removed_and_returned = identity::removed_and_returned(&self.known, &classified);
        if !is_whole {
            removed_and_returned.keep_unseen(&self.known);
        }
        let mut items = self.item_records(items, classified);
        sort_by_publication(&mut items);
        FeedDiff { items, removed_and_returned, gap }
    }

    fn item_records(
        &self,
        mut items: Vec<Item>,
        classified: Vec<ClassifiedItem>,
    ) -> Vec<ItemRecord> {
        let known: HashMap<&ItemKey, &KnownItem> =
            self.known.iter().map(|item| (&item.key, item)).collect();
        let undated = admit::undated_places(items.iter().map(|item| item.published));
        let recorded = classified.into_iter().filter(|item| needs_record(&known, item));
        recorded
            .map(|classified| {
                let (item, undated) =
                    (mem::take(&mut items[classified.index]), undated[classified.index]);
                self.item_record(&known, item, undated, classified)
            })
            .collect()
    }

    /// `undated` is the number of undated items before this one.
    fn item_record(
        &self,
        known: &HashMap<&ItemKey, &KnownItem>,
        mut item: Item,
        undated: usize,
        classified: ClassifiedItem,
    ) -> ItemRecord {
        let before = known
            .get(classified.known_by())
            .copied()
            .filter(|_| classified.verdict != ItemChange::Renewed);
        let (previous_key, changed) = match &classified.verdict {
            ItemChange::Rekeyed { old, edited } => (Some(old.clone()), *edited),
            ItemChange::New | ItemChange::Edited | ItemChange::Renewed => (None, true),
            ItemChange::Same => (None, false),
        };
        ItemRecord {
            guid: item.guid.take(),
            url: item.link.as_ref().map(ToString::to_string),
            story_change: changed.then(|| self.story_and_plan(item, undated, before)),
            renews: classified.verdict == ItemChange::Renewed,
            key: classified.key,
            previous_key,
            link: classified.link,
            stem: classified.stem,
            hash: classified.hash,
            text_hash: classified.text_hash,
            story: classified.story,
        }
    }

    fn story_and_plan(
        &self,
        item: Item,
        undated: usize,
        before: Option<&KnownItem>,
    ) -> (Story, StoryPlan) {
        let is_teaser = article::is_teaser(&item);
        let mut story = Story {
            title: item.title,
            body: item.text,
            url: item.link.as_ref().map(ToString::to_string),
            published: item.published,
            first_seen: before.map_or(self.now, |item| item.first_seen),
            lang: None,
            authors: item.authors,
            tags: item.tags,
            source: item.source,
        };
        story.lang = article::stated_language(item.lang.as_deref(), &story.title, &story.body);
        let admitted = match before {
            None => {
                let first_poll = self.parts.config().poll.first_poll;
                let first_poll = self.last_good.is_none().then_some(first_poll);
                admit::new_item(story.published, undated, first_poll, self.now)
            }
            Some(known) => admit::edited_item(known.recorded, known.first_seen, self.now),
        };
        let plan = match admitted {
            Ok(()) => self.story_plan(&mut story, is_teaser, item.link.as_ref(), before),
            Err(why) => StoryPlan::Record(why),
        };
        (story, plan)
    }

    fn story_plan(
        &self,
        story: &mut Story,
        is_teaser: bool,
        link: Option<&Url>,
        before: Option<&KnownItem>,
    ) -> StoryPlan {
        let read = if is_teaser {
            let Some(why) = self.reason_for_teaser(story, link, before) else {
                return StoryPlan::ReadPage;
            };
            Read::Teaser(why.to_owned())
        } else {
            Read::Full
        };
        if story.lang.is_none() {
            story.lang = article::story_language(&[], &story.title, &story.body);
        }
        let due = admit::due(self.parts.shared.polls.count().saturating_sub(1), self.now);
        let in_force = self.parts.shared.in_force.load();
        let (result, took) = timed(|| in_force.match_story(story, read, [&self.feed.name], due));
        self.parts.shared.metrics.observe_match(took);
        StoryPlan::Settle(result)
    }

    /// Why only the teaser of an item is read. `None` if its page is read.
    fn reason_for_teaser(
        &self,
        story: &Story,
        link: Option<&Url>,
        before: Option<&KnownItem>,
    ) -> Option<&'static str> {
        let in_force = self.parts.shared.in_force.load();
        let (rules, carriers) = (&in_force.rules, in_force.carriers_by_name([&self.feed.name]));
        if self.feed.full_text == FullText::Never {
            Some("`full_text` is `never` for its feed")
        } else if !link.is_some_and(|link| matches!(link.scheme(), "http" | "https")) {
            Some("the feed gives no link to its page")
        } else if before.is_some_and(|item| item.pages >= page_wait::MOST_FETCHES) {
            Some("its page was read often enough before this edit")
        } else if !rules.reads_body(&carriers) {
            Some("no rule for its feed reads the text")
        } else if self.feed.full_text == FullText::Hinted
            && !rules.has_teaser_hint(story, &carriers)
        {
            Some("`full_text` is `hinted` for its feed, and no rule looks for a word of it")
        } else {
            None
        }
    }
}

/// Puts items in the order in which they were published, because their alerts are recorded in it,
/// and a rule with `after` looks at what was recorded before. A feed lists its newest item first:
/// so items without a date, or with the same, are taken from the end.
fn sort_by_publication(items: &mut [ItemRecord]) {
    items.reverse();
    let time = |story: &Story| story.published.unwrap_or(story.first_seen);
    items.sort_by_key(|item| item.story_change.as_ref().map(|(story, _)| time(story)));
}

/// Whether an item is recorded. An unchanged one is recorded only if the store lacks values that
/// later versions added.
fn needs_record(known: &HashMap<&ItemKey, &KnownItem>, item: &ClassifiedItem) -> bool {
    item.verdict != ItemChange::Same
        || known.get(&item.key).is_some_and(|known| known.stem != item.stem)
}

/// A seed for jitter, from a name and a time. It keeps feeds from being polled in step.
pub(crate) fn jitter_seed(name: &str, at: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, at).hash(&mut hasher);
    hasher.finish()
}
