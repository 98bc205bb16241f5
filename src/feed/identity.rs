//! Which items of a document are new: keys, repeated guids, re-keying, edits. Pure.

mod address;
mod alike;
mod arrival;
mod claim;
mod face;
mod form;
mod known;
mod likeness;
mod link;
mod normalized_text;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

pub use self::arrival::{ArrivedItem, ItemArrival, KnownArrivals};
pub use self::likeness::{Before, MOST_COMPARED};

use crate::feed::document::Item;
use face::{Face, count, item_face};
pub use known::{ItemChange, ItemKey, KnownItem};
use link::identifies_story;
pub use link::normalise_link;
pub use normalized_text::hash_normalized_text;
use tidings_rules::story::{FeedName, StoryKey};

/// An item of a document, compared with the known items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassifiedItem {
    /// Its index in the document's items.
    pub index: usize,
    /// Its key from now on.
    pub key: ItemKey,
    /// Its normalised link, if it has one.
    pub link: Option<String>,
    /// The part of its link that stays when tokens, hosts and slugs change.
    pub stem: Option<String>,
    /// [`hash_normalized_text`] of its title and text.
    pub hash: String,
    /// [`hash_normalized_text`] of its text alone, if it has one.
    pub text_hash: Option<String>,
    /// Its story. A story is shared with other feeds if its link identifies it.
    pub story: StoryKey,
    /// Whether it is new, edited, or the same.
    pub verdict: ItemChange,
}

/// The keys of an item that are looked up. Keys with higher numbers are not.
const MOST_KEYS: usize = 8;

/// The keys by which known items are looked up. Only these are, so the cost of a poll depends on
/// its document and not on the feed's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Keys that an item has or may get.
    pub keys: Vec<String>,
    /// Guids.
    pub guids: Vec<String>,
    /// Normalised links.
    pub links: Vec<String>,
    /// Hashes of title and text.
    pub hashes: Vec<String>,
    /// The parts of links that stay when tokens, hosts and slugs change.
    pub stems: Vec<String>,
    /// Hashes of texts alone.
    pub texts: Vec<String>,
}

/// The items of a document, reduced to what distinguishes them.
#[derive(Clone, Debug)]
pub struct Faces(Vec<Face>);

impl Faces {
    /// The faces of `items`, in their order.
    #[must_use]
    pub fn from_items(items: &[Item]) -> Self {
        Self(items.iter().enumerate().map(|(index, item)| item_face(index, item)).collect())
    }

    /// All keys by which the items may be known, each once.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let sorted = |mut values: Vec<String>| {
            values.sort_unstable();
            values.dedup();
            values
        };
        let every = |of: fn(&Face) -> Option<&str>| {
            sorted(self.0.iter().filter_map(of).map(ToOwned::to_owned).collect())
        };
        let keys = self.0.iter().flat_map(|face| claim::keys(face).take(MOST_KEYS));
        Claims {
            keys: sorted(keys.map(|key| key.0).collect()),
            guids: every(|face| face.guid.as_deref()),
            links: every(|face| face.link.as_deref()),
            hashes: every(|face| Some(&face.hash)),
            stems: every(|face| face.stem.as_deref()),
            texts: every(|face| face.text.as_deref()),
        }
    }
}

/// Classifies every item of a document of `feed` against the `known` items of its [`Claims`]. An
/// item that repeats an earlier one of the same document is left out. Items repeat each other if
/// guid, link and title are equal, or title and text without guid and link.
///
/// Each key is given once. If the result is known, a second classification of the same document
/// gives only [`ItemChange::Same`], in any order of its items.
#[must_use]
pub fn classify(feed: &FeedName, known: &[KnownItem], faces: Faces) -> Vec<ClassifiedItem> {
    let faces = without_repeats(known, faces);
    let links = count(faces.iter().filter_map(|face| face.link.as_deref()));
    let claims = claim::claim(known, &faces);
    let judged = faces.iter().zip(claims).map(|(face, (key, verdict))| {
        let link = face.link.as_deref().filter(|link| identifies_story(link) && links[link] == 1);
        let story = link.map_or_else(|| format!("{feed}\n{}", key.0), ToOwned::to_owned);
        let (link, stem) = (face.link.clone(), face.stem.clone());
        let (hash, text) = (face.hash.clone(), face.text.clone());
        ClassifiedItem {
            index: face.index,
            key,
            link,
            stem,
            hash,
            text_hash: text,
            story: StoryKey(story),
            verdict,
        }
    });
    judged.collect()
}

/// Changes the result of edits that are other news under a known guid or link. `before`: the last
/// text of each item, by its known key.
pub fn mark_renewed<'b>(
    judged: &mut [ClassifiedItem],
    before: impl Fn(&ItemKey) -> Option<&'b Before>,
    items: &[Item],
) {
    for item in judged.iter_mut().filter(|item| item.verdict.is_edit()) {
        let now = &items[item.index];
        let is_other = |before: &Before| {
            likeness::is_other_news(before, now)
                || (is_named_by_headline(now)
                    && likeness::are_two_headlines(&before.title, &now.title))
        };
        if before(item.known_by()).is_some_and(is_other) {
            let is_rekeyed = matches!(item.verdict, ItemChange::Rekeyed { .. });
            item.verdict = if is_rekeyed { ItemChange::New } else { ItemChange::Renewed };
        }
    }
}

/// Whether an item has neither a guid nor a link of its own.
fn is_named_by_headline(item: &Item) -> bool {
    let link = item.link.as_ref().and_then(normalise_link);
    item.guid.is_none()
        && !item.title.is_empty()
        && !link.is_some_and(|link| identifies_story(&link))
}

/// The known items that were removed and returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedAndReturned {
    /// Items that this document lacks and the last one had.
    pub removed: Vec<ItemKey>,
    /// Items that this document has and the last one lacked.
    pub returned: Vec<ItemKey>,
}

/// The most items that stay present although truncated documents do not show them. Without this
/// bound, a feed that is always truncated would cost more with every poll.
const MOST_UNSEEN: usize = 1000;

impl RemovedAndReturned {
    /// Keeps items present that a truncated document may have lost: all except those first seen
    /// before the newest `MOST_UNSEEN`.
    pub fn keep_unseen(&mut self, known: &[KnownItem]) {
        let excess = self.removed.len().saturating_sub(MOST_UNSEEN);
        let seen: HashMap<&ItemKey, Timestamp> =
            known.iter().map(|item| (&item.key, item.first_seen)).collect();
        self.removed.sort_by_key(|key| seen.get(key).copied());
        self.removed.truncate(excess);
    }
}

/// Which known items were removed and which returned with a document, by their known keys.
#[must_use]
pub fn removed_and_returned(known: &[KnownItem], judged: &[ClassifiedItem]) -> RemovedAndReturned {
    let present: HashSet<&ItemKey> = judged.iter().map(ClassifiedItem::known_by).collect();
    let (mut gone, mut back) = (Vec::new(), Vec::new());
    for item in known {
        match (item.gone, present.contains(&item.key)) {
            (false, false) => gone.push(item.key.clone()),
            (true, true) => back.push(item.key.clone()),
            _ => {}
        }
    }
    RemovedAndReturned { removed: gone, returned: back }
}

impl ClassifiedItem {
    /// The item's key in the store; its own key if it is new.
    #[must_use]
    pub fn known_by(&self) -> &ItemKey {
        match &self.verdict {
            ItemChange::Rekeyed { old, .. } => old,
            ItemChange::New | ItemChange::Same | ItemChange::Edited | ItemChange::Renewed => {
                &self.key
            }
        }
    }
}

/// Keeps one of the faces that repeat each other: one whose words are known, else the first. So
/// every poll keeps the same face.
fn without_repeats(known: &[KnownItem], Faces(faces): Faces) -> Vec<Face> {
    let exact: HashSet<_> = known.iter().map(|item| (&item.guid, &item.link, &item.hash)).collect();
    let mut kept: HashMap<_, usize> = HashMap::new();
    for face in &faces {
        let place = kept.entry((&face.guid, &face.link, &face.title)).or_insert(face.index);
        let is_known =
            |at: usize| exact.contains(&(&faces[at].guid, &faces[at].link, &faces[at].hash));
        if !is_known(*place) && is_known(face.index) {
            *place = face.index;
        }
    }
    let kept: HashSet<usize> = kept.into_values().collect();
    faces.into_iter().filter(|face| kept.contains(&face.index)).collect()
}

#[cfg(test)]
mod tests;
