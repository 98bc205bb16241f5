//! Which known item may be an item with a new guid and link: only a token, a host or a slug
//! changed.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::address::{Address, Volatile, is_of_session};
use super::face::{Face, WORDS_OF_ITS_OWN};
use super::known::KnownItem;
use super::likeness;
use super::normalized_text::hash_normalized_text;

/// The most known items that share a key. If there are more, the key identifies none of them.
const MOST_ALIKE: usize = 8;

/// An item for comparison, from the document or the store.
struct Side<'a> {
    guid: Option<&'a str>,
    address: Option<Address<'a>>,
    /// Its guid in parts.
    named: Option<Address<'a>>,
}

impl<'a> Side<'a> {
    fn new(guid: Option<&'a str>, link: Option<&'a str>) -> Self {
        Self {
            guid,
            address: link.and_then(Address::parse),
            named: guid.and_then(Address::parse_guid),
        }
    }
}

/// The data by which a document's items are compared.
pub(super) struct Alike<'a> {
    known: &'a [KnownItem],
    faces: &'a [Face],
    /// The items of the document, and the known items.
    items: Vec<Side<'a>>,
    old: Vec<Side<'a>>,
    /// The changing parts of links, and of guids.
    of_links: Volatile<'a>,
    of_guids: Volatile<'a>,
    /// Whether all guids of the document are new, because the server makes new ones for each
    /// request.
    are_renamed: bool,
}

impl<'a> Alike<'a> {
    pub(super) fn new(known: &'a [KnownItem], faces: &'a [Face]) -> Self {
        let items: Vec<_> = faces
            .iter()
            .map(|face| Side::new(face.guid.as_deref(), face.link.as_deref()))
            .collect();
        let old: Vec<_> = known
            .iter()
            .map(|item| Side::new(item.guid.as_deref(), item.link.as_deref()))
            .collect();
        let last = || old.iter().zip(known).filter(|(_, item)| !item.gone).map(|(side, _)| side);
        let links = |side: &Side<'a>| side.address.clone();
        let guids = |side: &Side<'a>| side.named.clone();
        let of_links = volatile(items.iter().filter_map(links), last().filter_map(links));
        let of_guids = volatile(items.iter().filter_map(guids), last().filter_map(guids));
        let guids: HashSet<&str> = known.iter().filter_map(|item| item.guid.as_deref()).collect();
        let are_renamed =
            faces.iter().filter_map(|face| face.guid.as_deref()).all(|guid| !guids.contains(guid));
        Self { known, faces, items, old, of_links, of_guids, are_renamed }
    }

    /// For each item of the document that `is_open`, the known items that it may be, the likeliest
    /// first.
    pub(super) fn candidates(&self, is_open: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
        let titled = self.lookup(|at| {
            let path = self.old[at].address.as_ref()?.path();
            let title = &self.known[at].title;
            (!title.is_empty()).then(|| (path, hash_normalized_text(title, "")))
        });
        let stems = self.lookup(|at| numbered(&self.old[at]).filter(|_| !self.known[at].gone));
        let texts = self.lookup(|at| self.known[at].text_hash.as_deref());
        let mut of_document: HashMap<String, usize> = HashMap::new();
        for stem in self.items.iter().filter_map(numbered) {
            *of_document.entry(stem).or_default() += 1;
        }
        let linked =
            self.lookup(|at| Some((self.known[at].link.as_deref()?, self.known[at].hash.as_str())));
        let few = |found: Option<&Vec<usize>>| {
            found.filter(|found| found.len() <= MOST_ALIKE).cloned().unwrap_or_default()
        };
        let of = |at: usize| -> Vec<usize> {
            let face = &self.faces[at];
            let link = face.link.as_deref().filter(|_| self.are_renamed);
            let renamed = few(link.and_then(|link| linked.get(&(link, face.hash.as_str()))));
            let renamed = renamed.into_iter().filter(|old| self.is_same_day(at, *old));
            let Some(address) = &self.items[at].address else { return renamed.collect() };
            let title = (address.path(), hash_normalized_text(&face.headline, ""));
            let stem = numbered(&self.items[at]).filter(|stem| of_document[stem] == 1);
            let by_stem = stem.and_then(|stem| stems.get(&stem)).filter(|found| found.len() == 1);
            let by_text = face.text.as_deref().and_then(|text| texts.get(text));
            let found =
                few(titled.get(&title)).into_iter().filter(|old| self.is_same_headline(at, *old));
            let found = renamed
                .chain(found)
                .chain(few(by_stem).into_iter().filter(|old| self.is_same_number(at, *old)));
            found
                .chain(few(by_text).into_iter().filter(|old| self.is_same_text(at, *old)))
                .collect()
        };
        (0..self.faces.len()).map(|at| if is_open(at) { of(at) } else { Vec::new() }).collect()
    }

    /// Whether an item with the words of a known one may be another item: it has another address,
    /// and the date of another day.
    pub(super) fn is_next(&self, at: usize, old: usize) -> bool {
        let is_elsewhere = match (&self.items[at].address, &self.old[old].address) {
            (Some(new), Some(old)) => {
                new.path() != old.path() || !self.of_links.are(&new.differing(old))
            }
            _ => false,
        };
        is_elsewhere && !self.is_same_day(at, old)
    }

    /// Whether an item that is only a headline, with the link and words of a known one, may be
    /// another item: it has another guid, and the date of another day.
    pub(super) fn is_next_headline(&self, at: usize, old: usize) -> bool {
        self.faces[at].text.is_none() && !self.is_same_guid(at, old) && !self.is_same_day(at, old)
    }

    /// Path and headline are the same, and only parts that do not identify items changed. If the
    /// text changed too, the part must be a session.
    fn is_same_headline(&self, at: usize, old: usize) -> bool {
        let (Some(new), Some(address)) = (&self.items[at].address, &self.old[old].address) else {
            return false;
        };
        let differing = new.differing(address);
        let is_same_text = self.known[old].hash == self.faces[at].hash;
        let is_volatile = is_same_text || differing.iter().all(|name| is_of_session(name));
        is_volatile && self.of_links.are(&differing) && self.may_be_same(at, old)
    }

    /// The number in the address is the same, and so is the text, or the headline except for an
    /// edit.
    fn is_same_number(&self, at: usize, old: usize) -> bool {
        let (face, known) = (&self.faces[at], &self.known[old]);
        let is_same_text = face.text.is_some() && face.text == known.text_hash;
        (is_same_text || likeness::is_edit_of(&known.title, &face.headline))
            && self.is_slug(at, old)
    }

    /// The text is the same. Words of the headline and of the address were added or cut.
    fn is_same_text(&self, at: usize, old: usize) -> bool {
        let (face, known) = (&self.faces[at], &self.known[old]);
        let is_its_own = face.words >= WORDS_OF_ITS_OWN;
        is_its_own && likeness::is_contained(&known.title, &face.headline) && self.is_slug(at, old)
    }

    /// Whether two addresses differ only in words of their paths.
    fn is_slug(&self, at: usize, old: usize) -> bool {
        let (Some(new), Some(address)) = (&self.items[at].address, &self.old[old].address) else {
            return false;
        };
        new.numbers().eq(address.numbers())
            && self.of_links.are(&new.differing(address))
            && self.may_be_same(at, old)
    }

    /// Whether guids and dates allow that two items are one.
    fn may_be_same(&self, at: usize, old: usize) -> bool {
        self.is_same_guid(at, old) && self.is_same_day(at, old)
    }

    /// Whether two guids may be of one item. A missing guid may be any. Guids may differ as links
    /// may.
    fn is_same_guid(&self, at: usize, old: usize) -> bool {
        let (new, known) = (&self.items[at], &self.old[old]);
        match (&new.named, &known.named) {
            _ if new.guid.is_none() || known.guid.is_none() || new.guid == known.guid => true,
            (Some(new), Some(old)) => {
                let are_slugs = new.is_numbered() || new.is_address() && old.is_address();
                let is_same =
                    new.path() == old.path() || are_slugs && new.numbers().eq(old.numbers());
                is_same && self.of_guids.are(&new.differing(old))
            }
            _ => false,
        }
    }

    fn is_same_day(&self, at: usize, old: usize) -> bool {
        likeness::is_same_day(self.known[old].published, self.faces[at].published)
    }

    /// Known items by their `key`.
    fn lookup<K: Eq + Hash>(&self, key: impl Fn(usize) -> Option<K>) -> HashMap<K, Vec<usize>> {
        let mut found: HashMap<K, Vec<usize>> = HashMap::new();
        for at in 0..self.known.len() {
            if let Some(key) = key(at) {
                found.entry(key).or_default().push(at);
            }
        }
        found
    }
}

fn volatile<'a>(
    now: impl Iterator<Item = Address<'a>>,
    last: impl Iterator<Item = Address<'a>>,
) -> Volatile<'a> {
    Volatile::learn_from(&now.collect::<Vec<_>>(), &last.collect::<Vec<_>>())
}

/// The stem of an item whose address has a number that identifies it.
fn numbered(side: &Side<'_>) -> Option<String> {
    side.address.as_ref().filter(|address| address.is_numbered()).map(Address::stem)
}
