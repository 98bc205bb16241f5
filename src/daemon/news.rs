//! What is new in a feed's document, and what is to be done with each new or edited item.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::alerts::admit;
use crate::article;
use crate::config::{FeedConfig, FirstPoll, FullText};
use crate::daemon::world::{World, run_blocking_limited};
use crate::daemon::{matching, watch};
use crate::feed::document::{Document, DocumentEnd, Item};
use crate::feed::identity::{
    self, ClassifiedItem, Faces, ItemChange, ItemKey, KnownItem, RemovedAndReturned,
};
use crate::lifecycle::page_wait;
use crate::store::{FeedGap, ItemRecord, StoreError, StoryPlan};
use tidings_rules::story::{Read, Story};

/// What a document holds.
#[derive(Debug)]
pub(crate) struct FeedDiff {
    /// Items that are new, edited or re-keyed.
    pub(crate) items: Vec<ItemRecord>,
    /// Which known items came and went.
    pub(crate) turnover: RemovedAndReturned,
    /// The time before it in which items may have come and gone.
    pub(crate) gap: Option<FeedGap>,
}

/// Tells new and edited items from known ones, and matches those whose text is settled.
/// `last_good`: the last good poll; `None` at the first.
pub(crate) async fn diff_feed(
    world: &Arc<World>,
    feed: &FeedConfig,
    last_good: Option<Timestamp>,
    mut document: Document,
    now: Timestamp,
) -> Result<FeedDiff, StoreError> {
    let read = move || {
        if document.end == DocumentEnd::WithinItem {
            // Half an item would be known for ever; the next poll brings all of it.
            document.items.pop();
        }
        let faces = Faces::from_items(&document.items);
        let claims = faces.claims();
        (document, faces, claims)
    };
    let (document, faces, claims) = run_blocking_limited(world, read).await;
    let known = world.store.known_items(&feed.name, claims).await?;
    let name = feed.name.clone();
    let judge = move || (identity::classify(&name, &known, faces), known, document);
    let (mut judged, known, mut document) = run_blocking_limited(world, judge).await;
    let edited = judged
        .iter()
        .filter(|item| item.verdict.is_edit())
        .map(|item| item.known_by().clone())
        .collect();
    let before = world.store.item_texts(&feed.name, edited).await?;
    let (world, feed) = (Arc::clone(world), feed.clone());
    let shared = Arc::clone(&world);
    let sift = move || {
        identity::mark_renewed(&mut judged, |key| before.get(key), &document.items);
        let is_whole = document.end == DocumentEnd::Whole;
        let last_whole = last_good.filter(|_| is_whole);
        let gap =
            last_whole.and_then(|last| watch::gap(last, &known, &judged, &document.items, now));
        let mut turnover = identity::removed_and_returned(&known, &judged);
        if !is_whole {
            turnover.keep_unseen(&known);
        }
        let known: HashMap<&ItemKey, &KnownItem> =
            known.iter().map(|item| (&item.key, item)).collect();
        let first_poll = last_good.is_none().then_some(world.config.poll.first_poll);
        let undated = admit::undated_places(document.items.iter().map(|item| item.published));
        let moment = PollContext { world: &world, feed: &feed, first_poll, undated, now };
        let items = judged
            .into_iter()
            .filter(|item| is_to_be_kept(&known, item))
            .map(|judged| {
                moment.record(&known, mem::take(&mut document.items[judged.index]), judged)
            })
            .collect();
        FeedDiff { items, turnover, gap }
    };
    Ok(run_blocking_limited(&shared, sift).await)
}

/// What every item of one poll is judged by.
struct PollContext<'w> {
    world: &'w World,
    feed: &'w FeedConfig,
    first_poll: Option<FirstPoll>,
    /// How many undated items stand before each item.
    undated: Vec<usize>,
    now: Timestamp,
}

impl PollContext<'_> {
    fn record(
        &self,
        known: &HashMap<&ItemKey, &KnownItem>,
        mut item: Item,
        judged: ClassifiedItem,
    ) -> ItemRecord {
        let before =
            known.get(judged.known_by()).copied().filter(|_| judged.verdict != ItemChange::Renewed);
        let (was, changed) = match &judged.verdict {
            ItemChange::Rekeyed { old, edited } => (Some(old.clone()), *edited),
            ItemChange::New | ItemChange::Edited | ItemChange::Renewed => (None, true),
            ItemChange::Same => (None, false),
        };
        ItemRecord {
            guid: item.guid.take(),
            url: item.link.as_ref().map(ToString::to_string),
            news: changed.then(|| self.news(item, judged.index, before)),
            renews: judged.verdict == ItemChange::Renewed,
            key: judged.key,
            previous_key: was,
            link: judged.link,
            stem: judged.stem,
            hash: judged.hash,
            text_hash: judged.text_hash,
            story: judged.story,
        }
    }

    fn news(&self, item: Item, index: usize, before: Option<&KnownItem>) -> (Story, StoryPlan) {
        let is_teaser = article::is_teaser(&item);
        let story = Story {
            title: item.title,
            body: item.text,
            url: item.link.as_ref().map(ToString::to_string),
            published: item.published,
            first_seen: before.map_or(self.now, |item| item.first_seen),
            lang: item.lang,
            authors: item.authors,
            tags: item.tags,
            source: item.source,
        };
        let admitted = match before {
            None => {
                admit::new_item(story.published, self.undated[index], self.first_poll, self.now)
            }
            Some(known) => admit::edited_item(known.recorded, known.first_seen, self.now),
        };
        let plan = match admitted {
            Ok(()) => self.plan(&story, is_teaser, item.link.as_ref(), before),
            Err(why) => StoryPlan::Record(why),
        };
        (story, plan)
    }

    fn plan(
        &self,
        story: &Story,
        is_teaser: bool,
        link: Option<&Url>,
        before: Option<&KnownItem>,
    ) -> StoryPlan {
        let read = if is_teaser {
            let Some(why) = self.why_only_teaser(story, link, before) else {
                return StoryPlan::ReadPage;
            };
            Read::Teaser(why.to_owned())
        } else {
            Read::Full
        };
        let due = admit::due(self.world.polls_under_way().saturating_sub(1), self.now);
        StoryPlan::Settle(matching::verdict(self.world, story, read, [&self.feed.name], due))
    }

    /// Why a teaser is all that will be read of an item; `None` if its page is to be read.
    fn why_only_teaser(
        &self,
        story: &Story,
        link: Option<&Url>,
        before: Option<&KnownItem>,
    ) -> Option<&'static str> {
        let rules = self.world.rules.load();
        let carriers = matching::carriers(self.world, [&self.feed.name]);
        if self.feed.full_text == FullText::Never {
            Some("`full_text` is `never` for its feed")
        } else if !link.is_some_and(|link| matches!(link.scheme(), "http" | "https")) {
            Some("the feed gives no link to its page")
        } else if before.is_some_and(|item| item.pages >= page_wait::MOST_FETCHES) {
            Some("its page was read often enough before this edit")
        } else if !rules.reads_body(&carriers) {
            Some("no rule for its feed looks into the text")
        } else if self.feed.full_text == FullText::Hinted
            && !rules.has_teaser_hint(story, &carriers)
        {
            Some("`full_text` is `hinted` for its feed, and no rule has a word of it")
        } else {
            None
        }
    }
}

/// Whether an item is recorded. An unchanged one is recorded only if the store lacks values that
/// later versions added.
fn is_to_be_kept(known: &HashMap<&ItemKey, &KnownItem>, item: &ClassifiedItem) -> bool {
    item.verdict != ItemChange::Same
        || known.get(&item.key).is_some_and(|known| known.stem != item.stem)
}

/// A number for jitter, from a name and a time: no two feeds drift together.
pub(crate) fn seed(name: &str, at: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, at).hash(&mut hasher);
    hasher.finish()
}
