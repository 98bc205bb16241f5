//! Stories that are recorded together, and the stored stories that they may be copies of. Pure.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::signature::FIRST_KEY;
use super::{CopyUpdate, Fingerprint, compute_fingerprint, open_since};
use crate::alerts::{MatchResult, RuleMatch};
use tidings_rules::story::{FeedName, Read, Story};

/// The most bytes of the name of a host (RFC 1035).
const LONGEST_HOST: usize = 253;

/// How a story of a batch is found if it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredBy {
    /// Its row.
    pub row: Option<i64>,
    /// A feed with an item of it.
    pub feed: Option<String>,
    /// The key of that item.
    pub item: Option<String>,
    /// Its key.
    pub key: Option<String>,
}

/// A story of a batch: it is recorded with its alerts.
#[derive(Clone, Debug)]
pub struct BatchStory {
    /// How it is found if it is stored.
    pub stored_by: StoredBy,
    /// Its UUID, or its key if it is new.
    pub uid: String,
    /// Its row; `None`: it is new.
    pub row: Option<i64>,
    /// Its event: the `uid` of the event's first story.
    pub event: String,
    /// When its event began, in milliseconds.
    pub event_started: i64,
    /// Events that began before this take no copies any more.
    pub open_since: i64,
    /// The host of its link.
    pub host: Option<String>,
    /// Whether it is alone in its event and has no alert. Only such a story joins an event.
    pub is_free: bool,
    /// Whether later stories are compared with the text that was matched.
    pub keeps_signature: bool,
    /// The fingerprint of the text that was matched.
    pub fingerprint: Arc<Fingerprint>,
    /// Its alerts, each with its dedup key.
    pub alerts: Vec<(String, RuleMatch)>,
    /// The feeds that it was matched for.
    pub feeds: Vec<FeedName>,
    /// The stored stories whose texts may be the same.
    pub(super) similar: Vec<SimilarStory>,
}

/// A story whose signature has values in common with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SimilarStory {
    pub(super) row: i64,
    /// The number of values in common.
    pub(super) hits: i64,
    /// The last band with a value in common.
    pub(super) band: i64,
}

/// A story with a signature.
#[derive(Clone, Debug)]
pub struct CopyCandidate {
    pub(super) uid: String,
    pub(super) event: String,
    pub(super) event_started: i64,
    pub(super) host: Option<String>,
    title: String,
    text: String,
    read: Read,
    fingerprint: OnceCell<Option<Arc<Fingerprint>>>,
    sentences: OnceCell<Option<HashSet<u64>>>,
}

/// Stories that are recorded one after the other, and what they are compared with.
#[derive(Clone, Debug, Default)]
pub struct CopyBatch {
    /// The stories, in the order in which they are recorded.
    pub stories: Vec<BatchStory>,
    /// Stories that they may be copies of, and the newest of their hosts, by their rows.
    pub candidates: HashMap<i64, CopyCandidate>,
    /// The alerts of events, each with its dedup key.
    pub event_alerts: HashMap<String, Vec<(String, RuleMatch)>>,
    /// The feeds that carry events.
    pub event_feeds: HashMap<String, HashSet<FeedName>>,
}

/// An event that a story joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedEvent {
    /// The UUID of its first story, or the key if that is new.
    pub event: String,
    /// What the story adds to it, if it is an update.
    pub update: Option<CopyUpdate>,
}

/// The events that the stories of a batch join, in their order; `None`: none.
pub type CopyDecisions = Vec<Option<JoinedEvent>>;

/// The host that a story's link names. `None` if the name is longer than those of the DNS.
#[must_use]
pub fn link_host(url: Option<&str>) -> Option<String> {
    let url = Url::parse(url?).ok()?;
    url.host_str().filter(|host| host.len() <= LONGEST_HOST).map(str::to_owned)
}

impl StoredBy {
    /// The columns of a statement's list, for the story at this place of the batch.
    #[must_use]
    pub fn columns(&self, place: i64) -> impl Serialize + '_ {
        (place, self.row, &self.feed, &self.item, &self.key)
    }
}

impl BatchStory {
    /// The story of an item with this key, as if it were new; `None` if it can be no copy.
    #[must_use]
    pub fn of_item(
        stored_by: StoredBy,
        key: &str,
        story: &Story,
        match_result: &MatchResult,
        now: Timestamp,
    ) -> Option<Self> {
        Some(Self {
            stored_by,
            event_started: story.first_seen.as_millisecond(),
            host: link_host(story.url.as_deref()),
            ..Self::new(key, match_result, now)?
        })
    }

    /// The story in this row; `None` if it can be no copy. `is_new`: the text that was matched is
    /// new.
    #[must_use]
    pub fn of_row(
        row: i64,
        match_result: &MatchResult,
        is_new: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let stored_by = StoredBy { row: Some(row), ..StoredBy::default() };
        let story = Self::new("", match_result, now)?;
        Some(Self { stored_by, is_free: false, keeps_signature: is_new, ..story })
    }

    /// A new story with this key.
    fn new(key: &str, match_result: &MatchResult, now: Timestamp) -> Option<Self> {
        let MatchResult { fingerprint, alerts, feeds, .. } = match_result;
        let alerts = alerts.iter().map(|one| (one.dedup_key.clone(), one.rule_match.clone()));
        Some(Self {
            stored_by: StoredBy::default(),
            uid: key.to_owned(),
            row: None,
            event: key.to_owned(),
            event_started: 0,
            open_since: open_since(now).as_millisecond(),
            host: None,
            is_free: true,
            keeps_signature: true,
            fingerprint: Arc::clone(fingerprint.as_ref()?),
            alerts: alerts.collect(),
            feeds: feeds.clone(),
            similar: Vec::new(),
        })
    }

    /// Adds a stored story whose signature has values in common, unless these bytes of it rule out
    /// that the texts are the same. `hits`: how many values; `band`: the last band with one.
    pub fn add_similar(&mut self, row: i64, hits: i64, band: i64, minhash: &[u8]) -> bool {
        let may_resemble =
            || band >= FIRST_KEY || self.fingerprint.signature.resembles_bytes(minhash);
        let is_similar = self.row != Some(row) && may_resemble();
        if is_similar {
            self.similar.push(SimilarStory { row, hits, band });
        }
        is_similar
    }

    /// Whether its event takes copies.
    pub(super) fn is_open(&self) -> bool {
        self.event_started >= self.open_since
    }
}

impl CopyCandidate {
    /// A stored story with its event, the event's begin in milliseconds, the host of its link, its
    /// headline, its text, and how much of it was read.
    #[must_use]
    pub fn new(
        (uid, event, event_started): (String, String, i64),
        host: Option<String>,
        (title, text, read): (String, String, Read),
    ) -> Self {
        let (fingerprint, sentences) = (OnceCell::new(), OnceCell::new());
        Self { uid, event, event_started, host, title, text, read, fingerprint, sentences }
    }

    /// A story of a batch.
    pub(super) fn from_story(story: BatchStory) -> Self {
        let BatchStory { uid, event, event_started, host, fingerprint, .. } = story;
        let (title, text, read) = (String::new(), String::new(), Read::Full);
        let sentences = OnceCell::from(Some(fingerprint.sentences()));
        let fingerprint = OnceCell::from(Some(fingerprint));
        Self { uid, event, event_started, host, title, text, read, fingerprint, sentences }
    }

    pub(super) fn fingerprint(&self) -> Option<&Fingerprint> {
        let make = || compute_fingerprint(&self.title, &self.text, &self.read).map(Arc::new);
        self.fingerprint.get_or_init(make).as_deref()
    }

    /// The hashes of its sentences; `None` for a text of few words.
    pub(super) fn sentences(&self) -> Option<&HashSet<u64>> {
        let make = || {
            let fingerprint = compute_fingerprint("", &self.text, &Read::Full);
            fingerprint.map(|fingerprint| fingerprint.sentences())
        };
        self.sentences.get_or_init(make).as_ref()
    }
}

impl CopyBatch {
    /// The time since which events began that take copies of these stories.
    #[must_use]
    pub fn open_since(&self) -> i64 {
        self.stories.iter().map(|story| story.open_since).min().unwrap_or(i64::MAX)
    }

    /// The story at this place.
    pub fn story_mut(&mut self, place: i64) -> Option<&mut BatchStory> {
        usize::try_from(place).ok().and_then(|place| self.stories.get_mut(place))
    }

    /// The values of all signatures: the place of the story, the band and the value.
    #[must_use]
    pub fn bands(&self) -> Vec<(usize, i64, i64)> {
        let stories = self.stories.iter().enumerate();
        let of_story = |(place, story): (usize, &BatchStory)| {
            let bands = story.fingerprint.signature.bands().into_iter();
            bands.map(move |(band, value)| (place, band, value))
        };
        stories.flat_map(of_story).collect()
    }

    /// The hosts of the stories that have values in common with others.
    #[must_use]
    pub fn hosts(&self) -> BTreeSet<String> {
        self.similar_stories().filter_map(|story| story.host.clone()).collect()
    }

    /// The events of candidates and of stories that have values in common with others.
    #[must_use]
    pub fn events(&self) -> BTreeSet<&str> {
        let of_candidates = self.candidates.values().map(|candidate| candidate.event.as_str());
        let of_stories = self.similar_stories().map(|story| story.event.as_str());
        of_candidates.chain(of_stories).collect()
    }

    /// The rules that matched.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<&str> {
        let alerts = self.stories.iter().flat_map(|story| &story.alerts);
        alerts.map(|(_, rule_match)| rule_match.rule.as_str()).collect()
    }

    /// The stories that have values in common with a stored story or with one another.
    fn similar_stories(&self) -> impl Iterator<Item = &BatchStory> {
        let mut counts: HashMap<(i64, i64), usize> = HashMap::new();
        for value in self.stories.iter().flat_map(|story| story.fingerprint.signature.bands()) {
            *counts.entry(value).or_default() += 1;
        }
        self.stories.iter().filter(move |story| {
            let is_shared = |value: &(i64, i64)| counts.get(value).is_some_and(|count| *count > 1);
            !story.similar.is_empty() || story.fingerprint.signature.bands().iter().any(is_shared)
        })
    }
}
