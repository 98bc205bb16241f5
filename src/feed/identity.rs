//! Which items of a document are new: keys, repeated guids, re-keying, edits. Pure.

mod address;
mod alike;
mod claim;
mod form;
mod likeness;

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use url::Url;

pub use self::likeness::{Before, MOST_COMPARED};

use self::address::Address;
use crate::feed::parse::Item;
use crate::markup::plain;
use tidings_rules::story::{FeedName, StoryKey};

/// An item's key within its feed: guid, else normalised link, else a hash of title and text; where
/// items share these, more is added to all but one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub String);

/// An item that the store knows of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownItem {
    /// Its key.
    pub key: ItemKey,
    /// Its guid, where it gave one.
    pub guid: Option<String>,
    /// Its normalised link, where it has one.
    pub link: Option<String>,
    /// What of its link stays when tokens, hosts and slugs change; `None` too where it was kept
    /// before that was told.
    pub stem: Option<String>,
    /// [`text_hash`] of its title and text when it was last read.
    pub hash: String,
    /// [`text_hash`] of its text alone, where it had one.
    pub text: Option<String>,
    /// Its story's headline; empty where it is no longer kept.
    pub title: String,
    /// When its story was published, where that is known.
    pub published: Option<Timestamp>,
    /// When its story was first seen.
    pub first_seen: Timestamp,
    /// Whether its story was only recorded, and so never alerts.
    pub recorded: bool,
    /// Page fetches that its story has had.
    pub pages: u32,
    /// Whether the feed's last document lacked it.
    pub gone: bool,
}

/// What an item of a document is, next to what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassifiedItem {
    /// Its place in the document's items.
    pub index: usize,
    /// Its key from now on.
    pub key: ItemKey,
    /// Its normalised link, where it has one.
    pub link: Option<String>,
    /// What of its link stays when tokens, hosts and slugs change.
    pub stem: Option<String>,
    /// [`text_hash`] of its title and text.
    pub hash: String,
    /// [`text_hash`] of its text alone, where it has one.
    pub text: Option<String>,
    /// The story it belongs to: shared with other feeds if its link is good enough to be one.
    pub story: StoryKey,
    /// What happened to it.
    pub verdict: ItemChange,
}

/// What happened to an item since the last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// Never seen here.
    New,
    /// Seen, unchanged.
    Same,
    /// Seen; its title or text changed.
    Edited,
    /// Seen under another key: the publisher changed its guid or link. `edited`: its text changed
    /// too.
    Rekeyed {
        /// The key it had.
        old: ItemKey,
        /// Whether its title or text changed too.
        edited: bool,
    },
    /// Its guid or link is known, but under them it tells other news: what was known by its key is
    /// past.
    Renewed,
}

impl ItemChange {
    /// Whether a known item's title or text changed.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        matches!(self, Self::Edited | Self::Rekeyed { edited: true, .. })
    }
}

/// A link as it is compared: https stands for http too, the host is in lower case and without its
/// default port, `utm_*`, `fbclid` and `gclid` and any password are dropped, the fragment is kept.
/// `None` unless http or https.
#[must_use]
pub fn normalise_link(link: &Url) -> Option<String> {
    if !matches!(link.scheme(), "http" | "https") {
        return None;
    }
    let port = link.port().map(|port| format!(":{port}")).unwrap_or_default();
    let kept: Vec<&str> =
        link.query().unwrap_or_default().split('&').filter(|pair| !is_tracking(pair)).collect();
    let query = kept.join("&");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let fragment = link.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    Some(format!("https://{}{port}{}{query}{fragment}", link.host_str()?, link.path()))
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || name == "fbclid" || name == "gclid"
}

/// Whether a normalised link can stand for a story: it has a path beyond `/`, or a query.
fn is_telling(link: &str) -> bool {
    let after_host =
        link.trim_start_matches("https://").split_once('/').map_or("", |(_, path)| path);
    !after_host.is_empty() && !after_host.starts_with('#')
}

/// A hash of normalised title and text, in hex: equal when a reader would see no change.
#[must_use]
pub fn text_hash(title: &str, text: &str) -> String {
    let mut words = String::with_capacity(title.len() + text.len() + 2);
    for part in [title, text] {
        for line in part.lines().filter(|line| !line.is_empty()) {
            if plain::is_folded(line) {
                words.push_str(line);
                words.push(' ');
                continue;
            }
            for word in line.split_whitespace() {
                words.extend(word.nfc());
                words.push(' ');
            }
        }
        // No text holds this, so nothing moves unseen from title to text.
        words.push('\0');
    }
    let digest = Sha256::digest(words);
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    format!("{:032x}", u128::from_be_bytes(first))
}

/// How many keys are looked up that an item may have: all but those with a high number.
const MOST_KEYS: usize = 8;

/// What the items of a document may be known by. Whoever knows items looks up these claims and
/// nothing else, so that a poll costs what its document holds, however long the feed's history is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Keys that an item has or may be given.
    pub keys: Vec<String>,
    /// Guids.
    pub guids: Vec<String>,
    /// Normalised links.
    pub links: Vec<String>,
    /// Hashes of title and text.
    pub hashes: Vec<String>,
    /// What of links stays when tokens, hosts and slugs change.
    pub stems: Vec<String>,
    /// Hashes of texts alone.
    pub texts: Vec<String>,
}

/// The items of a document by what tells them apart.
#[derive(Clone, Debug)]
pub struct Faces(Vec<Face>);

impl Faces {
    /// Those of `items`, in their order.
    #[must_use]
    pub fn of(items: &[Item]) -> Self {
        Self(items.iter().enumerate().map(|(index, item)| face(index, item)).collect())
    }

    /// What they may be known by, each once.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let every = |of: fn(&Face) -> Option<&str>| {
            let values: BTreeSet<&str> = self.0.iter().filter_map(of).collect();
            values.into_iter().map(ToOwned::to_owned).collect()
        };
        let keys: BTreeSet<String> = self
            .0
            .iter()
            .flat_map(|face| claim::keys(face).take(MOST_KEYS))
            .map(|key| key.0)
            .collect();
        Claims {
            keys: keys.into_iter().collect(),
            guids: every(|face| face.guid.as_deref()),
            links: every(|face| face.link.as_deref()),
            hashes: every(|face| Some(&face.hash)),
            stems: every(|face| face.stem.as_deref()),
            texts: every(|face| face.text.as_deref()),
        }
    }
}

/// Judges every item of a document of `feed` by what is `known` of its [`Claims`]. An item that
/// repeats an earlier one of the same document (guid, link and title; without guid and link: title
/// and text) is left out.
///
/// Every key is given once. Judged again with what came of it, a document is all [`ItemChange::Same`],
/// in whatever order its items stand.
#[must_use]
pub fn judge(feed: &FeedName, known: &[KnownItem], faces: Faces) -> Vec<ClassifiedItem> {
    let faces = without_repeats(known, faces);
    let links = count(faces.iter().filter_map(|face| face.link.as_deref()));
    let claims = claim::claim(known, &faces);
    let judged = faces.iter().zip(claims).map(|(face, (key, verdict))| {
        let link = face.link.as_deref().filter(|link| is_telling(link) && links[link] == 1);
        let story = link.map_or_else(|| format!("{feed}\n{}", key.0), ToOwned::to_owned);
        let (link, stem) = (face.link.clone(), face.stem.clone());
        let (hash, text) = (face.hash.clone(), face.text.clone());
        ClassifiedItem {
            index: face.index,
            key,
            link,
            stem,
            hash,
            text,
            story: StoryKey(story),
            verdict,
        }
    });
    judged.collect()
}

/// Takes those edits for news that are none: other news under a known guid or link. `before` is
/// what an item said before, by the key that is known.
pub fn renew<'b>(
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
    item.guid.is_none() && !item.title.is_empty() && !link.is_some_and(|link| is_telling(&link))
}

/// Which known items came and went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedAndReturned {
    /// Those that the document lacks, and the one before it did not.
    pub gone: Vec<ItemKey>,
    /// Those that it holds, and the one before it lacked.
    pub back: Vec<ItemKey>,
}

/// The most items that count as present though documents that broke off did not show them. The
/// bound keeps a feed that always breaks off from costing more with every poll.
const MOST_UNSEEN: usize = 1000;

impl RemovedAndReturned {
    /// Has items that a document lacks stay present where the document broke off before them: all
    /// but those that were first seen before the newest `MOST_UNSEEN`.
    pub fn spare_unseen(&mut self, known: &[KnownItem]) {
        let excess = self.gone.len().saturating_sub(MOST_UNSEEN);
        let seen: HashMap<&ItemKey, Timestamp> =
            known.iter().map(|item| (&item.key, item.first_seen)).collect();
        self.gone.sort_by_key(|key| seen.get(key).copied());
        self.gone.truncate(excess);
    }
}

/// Which of the known items left with a document, and which came back, each by the key that is
/// known.
#[must_use]
pub fn turnover(known: &[KnownItem], judged: &[ClassifiedItem]) -> RemovedAndReturned {
    let present: HashSet<&ItemKey> = judged.iter().map(ClassifiedItem::known_by).collect();
    let (mut gone, mut back) = (Vec::new(), Vec::new());
    for item in known {
        match (item.gone, present.contains(&item.key)) {
            (false, false) => gone.push(item.key.clone()),
            (true, true) => back.push(item.key.clone()),
            _ => {}
        }
    }
    RemovedAndReturned { gone, back }
}

impl ClassifiedItem {
    /// The key by which the store knows it; its own if it is new.
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

/// What an item is told by.
#[derive(Clone, Debug)]
struct Face {
    index: usize,
    guid: Option<String>,
    link: Option<String>,
    /// What of its link stays when tokens, hosts and slugs change.
    stem: Option<String>,
    /// A hash of its title; of all where it has none, or nothing else to be told by.
    title: String,
    /// Its headline, or the first [`MOST_COMPARED`] bytes of it.
    headline: String,
    hash: String,
    /// A hash of its text, where it has one.
    text: Option<String>,
    /// How many words its text has.
    words: usize,
    published: Option<Timestamp>,
    /// Whether it has words enough that the same words mean the same item.
    is_wordy: bool,
}

/// Of faces that repeat each other one is kept: one that is known word for word, so that they do
/// not take turns in being edits of each other, else the first.
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

fn face(index: usize, item: &Item) -> Face {
    let hash = text_hash(&item.title, &item.text);
    let link = item.link.as_ref().and_then(normalise_link);
    let is_titled = !item.title.is_empty() && (item.guid.is_some() || link.is_some());
    let title = if is_titled { text_hash(&item.title, "") } else { hash.clone() };
    let is_wordy = !item.title.is_empty() && !item.text.is_empty();
    let text = (!item.text.is_empty()).then(|| text_hash("", &item.text));
    let headline = item.title[..item.title.floor_char_boundary(MOST_COMPARED.into())].to_owned();
    let (guid, published) = (item.guid.clone(), item.published);
    let words = item.text.split_whitespace().count();
    let stem = link.as_deref().and_then(Address::of).map(|address| address.stem());
    Face { index, guid, link, stem, title, headline, hash, text, words, published, is_wordy }
}

impl Face {
    /// What its keys are made of, each part with its name: one without guid and link is told by all
    /// its words.
    fn parts(&self) -> Vec<(&'static str, &str)> {
        let link = ("link", self.link.as_deref().unwrap_or_default());
        match (&self.guid, &self.link) {
            (Some(guid), _) => vec![("guid", guid), link, ("title", &self.title)],
            (None, Some(_)) => vec![link, ("title", &self.title)],
            (None, None) => vec![("text", &self.hash)],
        }
    }

    /// The keys it can have, the plainest first.
    fn keys(&self) -> impl Iterator<Item = ItemKey> {
        let parts = self.parts();
        (1..=parts.len()).map(move |few| joined(&parts[..few]))
    }

    /// The key that holds all its parts.
    fn longest_key(&self) -> ItemKey {
        joined(&self.parts())
    }

    /// The key that holds its title as well, for items that share all else.
    fn titled_key(&self) -> Option<ItemKey> {
        (self.guid.is_some() || self.link.is_some()).then(|| self.longest_key())
    }
}

fn joined(parts: &[(&str, &str)]) -> ItemKey {
    let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    ItemKey(parts.join("\n"))
}

fn count<'a>(links: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for link in links {
        *counts.entry(link).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
