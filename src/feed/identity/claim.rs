//! Assigns known items to the items of a document. The surest likeness claims first, and each known
//! item is claimed once.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::iter;

use super::alike::Alike;
use super::face::{Face, count};
use super::known::{ItemChange, ItemKey, KnownItem};
use super::link::identifies_story;

/// The most known items with the same words that are compared with one item of the document.
const MOST_SAME: usize = 64;

/// Finds a key and a change for every face, in their order.
///
/// A guid or link that several items share, known or of the document, identifies none of them.
/// Otherwise a feed that gives all its items one guid or link would present its news as edits of
/// old items.
pub(super) fn claim(known: &[KnownItem], faces: &[Face]) -> Vec<(ItemKey, ItemChange)> {
    let (taken, made) = (vec![false; known.len()], vec![None; faces.len()]);
    let claims = Claiming { known, faces, taken, made };
    if known.is_empty() { claims.finish() } else { claim_known(claims) }
}

/// Lets the faces claim known items, of which there are some.
fn claim_known(mut claims: Claiming<'_>) -> Vec<(ItemKey, ItemChange)> {
    let (known, faces) = (claims.known, claims.faces);
    let exact =
        index(known, |item| Some((item.guid.as_deref(), item.link.as_deref(), item.hash.as_str())));
    let same_text = index(known, |item| Some((item.guid.as_deref()?, item.hash.as_str())));
    let pair = index(known, |item| {
        let has_either = item.guid.is_some() || item.link.is_some();
        has_either.then_some((item.guid.as_deref(), item.link.as_deref()))
    });
    let guid = index(known, |item| item.guid.as_deref());
    let link = index(known, |item| item.link.as_deref().filter(|link| identifies_story(link)));
    let hash = index(known, |item| Some(item.hash.as_str()));
    let key = index(known, |item| Some(item.key.clone()));
    let links = count(faces.iter().filter_map(|face| face.link.as_deref()));
    let guids = count(faces.iter().filter_map(|face| face.guid.as_deref()));

    claims.claim_unchanged(|face| {
        all_with_key(&exact, &(face.guid.as_deref(), face.link.as_deref(), face.hash.as_str()))
    });
    claims.claim_unchanged(|face| {
        let guid = face.guid.as_deref();
        guid.map_or(&[], |guid| all_with_key(&same_text, &(guid, face.hash.as_str())))
    });
    claims.claim_unchanged(|face| {
        only_with_key(&pair, &(face.guid.as_deref(), face.link.as_deref()))
    });
    claims.claim_unchanged(|face| {
        face.titled_key().map_or(&[], |titled| only_with_key(&key, &titled))
    });
    claims.claim_unchanged(|face| {
        let only = face.guid.as_deref().filter(|face| guids[face] == 1);
        only.map_or(&[], |face| only_with_key(&guid, &face))
    });
    if claims.made.iter().any(Option::is_none) {
        let alike = Alike::new(known, faces);
        claims.claim_for_new_keys(|at| {
            let link_of = faces[at].link.as_deref().filter(|face| links[face] == 1);
            let found = link_of.map_or(&[][..], |face| only_with_key(&link, &face));
            if found.iter().any(|old| alike.is_next_headline(at, *old)) { &[] } else { found }
        });
        let candidates = alike.candidates(|at| claims.made[at].is_none());
        claims.claim_for_new_keys(|at| &candidates[at]);
        let same_words = |at: usize| {
            let face = &faces[at];
            let found = if face.is_wordy { all_with_key(&hash, &face.hash.as_str()) } else { &[] };
            found.iter().copied().take(MOST_SAME).filter(|old| !alike.is_next(at, *old)).collect()
        };
        let candidates: Vec<Vec<usize>> = (0..faces.len()).map(same_words).collect();
        claims.claim_for_new_keys(|at| &candidates[at]);
    }
    claims.finish()
}

type ClaimIndex<K> = HashMap<K, Vec<usize>>;

fn index<'a, K: Eq + Hash>(
    known: &'a [KnownItem],
    of: impl Fn(&'a KnownItem) -> Option<K>,
) -> ClaimIndex<K> {
    let mut index = ClaimIndex::new();
    for (at, item) in known.iter().enumerate() {
        if let Some(key) = of(item) {
            index.entry(key).or_default().push(at);
        }
    }
    index
}

fn all_with_key<'i, K: Eq + Hash>(index: &'i ClaimIndex<K>, key: &K) -> &'i [usize] {
    index.get(key).map_or(&[], Vec::as_slice)
}

/// The item, if there is exactly one.
fn only_with_key<'i, K: Eq + Hash>(index: &'i ClaimIndex<K>, key: &K) -> &'i [usize] {
    Some(all_with_key(index, key)).filter(|found| found.len() == 1).unwrap_or_default()
}

struct Claiming<'a> {
    known: &'a [KnownItem],
    faces: &'a [Face],
    /// Whether each known item was claimed.
    taken: Vec<bool>,
    /// The known item that each face claimed.
    made: Vec<Option<(ItemKey, ItemChange)>>,
}

impl<'a> Claiming<'a> {
    /// Gives every face without a claim the first free item of those that `find` returns, under its
    /// old key.
    fn claim_unchanged<'i>(&mut self, find: impl Fn(&'a Face) -> &'i [usize]) {
        for at in 0..self.faces.len() {
            if let Some(old) = self.take_known(at, || find(&self.faces[at])) {
                let verdict = if old.hash == self.faces[at].hash {
                    ItemChange::Same
                } else {
                    ItemChange::Edited
                };
                self.made[at] = Some((old.key.clone(), verdict));
            }
        }
    }

    /// Claims known items for items that get a new key.
    fn claim_for_new_keys<'i>(&mut self, find: impl Fn(usize) -> &'i [usize]) {
        for at in 0..self.faces.len() {
            if let Some(old) = self.take_known(at, || find(at)) {
                let verdict = ItemChange::Rekeyed {
                    old: old.key.clone(),
                    edited: old.hash != self.faces[at].hash,
                };
                // Replaced by a fresh key at the end, when all kept keys are known.
                self.made[at] = Some((old.key.clone(), verdict));
            }
        }
    }

    fn take_known<'i>(
        &mut self,
        at: usize,
        find: impl Fn() -> &'i [usize],
    ) -> Option<&'a KnownItem> {
        if self.made[at].is_some() {
            return None;
        }
        let found = find().iter().copied().find(|&item| !self.taken[item])?;
        self.taken[found] = true;
        Some(&self.known[found])
    }

    fn finish(self) -> Vec<(ItemKey, ItemChange)> {
        let mut given: HashSet<ItemKey> = self.known.iter().map(|item| item.key.clone()).collect();
        let claims = self.faces.iter().zip(self.made).map(|(face, claim)| match claim {
            Some((key, verdict @ (ItemChange::Same | ItemChange::Edited))) => (key, verdict),
            Some((_, verdict)) => (fresh(face, &mut given), verdict),
            None => (fresh(face, &mut given), ItemChange::New),
        });
        claims.collect()
    }
}

/// The keys that `face` can get, the plainest first. Each key exists with a number, too. An item
/// needs a number if its text returns after other items took all its keys.
pub(super) fn keys(face: &Face) -> impl Iterator<Item = ItemKey> {
    let longest = face.longest_key().0;
    let with_text = ItemKey(format!("{longest}\ntext {}", face.hash));
    let numbered = (2_u64..).map(move |number| ItemKey(format!("{longest}\nnumber {number}")));
    face.keys().chain(iter::once(with_text)).chain(numbered)
}

/// The plainest key of `face` that no other item has.
fn fresh(face: &Face, given: &mut HashSet<ItemKey>) -> ItemKey {
    let key = keys(face).find(|key| !given.contains(key)).expect("the numbers do not end");
    given.insert(key.clone());
    key
}
