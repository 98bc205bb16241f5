//! The only SQL: feeds, stories, alerts and the outbox in one SQLite file, behind one writer.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::alert::{Draft, Letter, Receiver};
use crate::feed::identity::{ItemKey, KnownItem};
use crate::story::{FeedName, NotifierName, Read, Sighting, Story, StoryKey};

/// A handle on the store; clones share it.
#[derive(Clone, Debug)]
pub struct Store {}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another `run` holds it.
    #[error("another tidings is running on this store ({0}); stop it first, or give this one a store of its own")]
    Locked(String),
    /// It was written by a newer Tidings.
    #[error(
        "the store was written by a newer Tidings (schema {found}, this one knows {known}); upgrade Tidings, or restore a copy of the store"
    )]
    Newer {
        /// The schema in the file.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// Anything else.
    #[error("the store {path} cannot be opened: {why}")]
    Failed {
        /// Its path.
        path: String,
        /// What SQLite or the system said.
        why: String,
    },
}

/// Why an operation on the store failed: the disk, a lock, a damaged file. Nothing of it was written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store: {0}")]
pub struct StoreError(pub String);

/// A story's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoryId(pub i64);

/// What is kept of a feed between polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// Its name.
    pub name: FeedName,
    /// `ETag` of the last 200, byte for byte.
    pub etag: Option<String>,
    /// `Last-Modified` of the last 200, byte for byte.
    pub last_modified: Option<String>,
    /// When it is to be polled next; `None`: never, until the configuration changes.
    pub next_poll: Option<Timestamp>,
    /// Why then, in words.
    pub next_why: String,
    /// The last poll that ended in a 200 or a 304.
    pub last_good: Option<Timestamp>,
    /// Polls in a row that failed.
    pub failures: u32,
    /// How the last poll failed, in words; `None` after a good one.
    pub error: Option<String>,
}

/// One poll's outcome, recorded in one transaction (T1).
#[derive(Clone, Debug)]
pub struct PollRecord {
    /// When the poll ended.
    pub now: Timestamp,
    /// The feed's state from now on.
    pub state: FeedState,
    /// A host (name:port) that asked to be left alone, and until when.
    pub host_rests: Option<(String, Timestamp)>,
    /// Items that are new, edited or re-keyed.
    pub items: Vec<ItemRecord>,
    /// After a 200: the key of every item in the document. Known items that are missing here are marked as gone, others as present. `None` after anything else.
    pub present: Option<Vec<ItemKey>>,
}

/// One item that is new, edited or re-keyed.
#[derive(Clone, Debug)]
pub struct ItemRecord {
    /// Its key from now on.
    pub key: ItemKey,
    /// The key it had, if it was re-keyed.
    pub was: Option<ItemKey>,
    /// Its guid.
    pub guid: Option<String>,
    /// Its normalised link.
    pub link: Option<String>,
    /// The hash of its title and text.
    pub hash: String,
    /// The link as given.
    pub url: Option<String>,
    /// The story it belongs to.
    pub story: StoryKey,
    /// The story as this item tells it, and what is to be done with it; `None` if only the key changed.
    pub news: Option<(Story, Plan)>,
}

/// What is to be done with a new or edited story.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Nothing, ever: it is older than `first_poll` reaches, or than edits are matched. Why, in words.
    Record(String),
    /// Its page is to be read before it is matched.
    ReadPage,
    /// It was matched: what came of it.
    Settle(Verdict),
}

/// What came of matching a story.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How much was read.
    pub read: Read,
    /// One for every rule that matched; empty if none did.
    pub alerts: Vec<Draft>,
    /// When its messages may go out at the earliest.
    pub due: Timestamp,
}

/// A story that waits for its page, or, its text being settled, to be matched again because another feed carries it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub id: StoryId,
    /// Which revision of its text this is.
    pub revision: i64,
    /// The story with the feed's text, or with its final text where `page` is `None`.
    pub story: Story,
    /// How much was read, where that is settled.
    pub read: Option<Read>,
    /// Every feed that carries it, first seen first.
    pub sightings: Vec<Sighting>,
    /// Page fetches that failed so far for this revision.
    pub attempts: u32,
    /// Since when it waits.
    pub since: Timestamp,
}

/// A message that this run may send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The message's row.
    pub message: i64,
    /// The attempt's row: the fence, with the run.
    pub attempt: i64,
    /// Whom it goes to.
    pub receiver: Receiver,
    /// The message's id: unique for ever, the same in every retry.
    pub id: String,
    /// Attempts that counted, before this one.
    pub counted: u32,
    /// When the message was written down.
    pub created: Timestamp,
    /// The frozen bytes.
    pub payload: Vec<u8>,
}

/// What becomes of a leased message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Sent; what the receiver answered.
    Sent(String),
    /// To be tried again.
    Again {
        /// When.
        at: Timestamp,
        /// Whether the attempt counts against the schedule.
        counts: bool,
        /// Why, in words.
        why: String,
    },
    /// Given up, kept for replay. Why, in words.
    Dead(String),
}

/// What a store holds, for the line at the start of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Stories.
    pub stories: i64,
    /// Alerts.
    pub alerts: i64,
    /// Messages that wait to be sent.
    pub waiting: i64,
    /// Messages that were given up.
    pub dead: i64,
}

/// Renders a letter for a receiver, within the transaction of the first lease: pure and quick. An error makes the message dead.
pub type Render = Arc<dyn Fn(&Receiver, &Letter) -> Result<Vec<u8>, String> + Send + Sync>;

impl Store {
    /// What every feed's state is, of those the store knows.
    pub async fn feeds(&self) -> Result<Vec<FeedState>, StoreError> {
        todo!()
    }

    /// Every item that is known of a feed, gone ones too.
    pub async fn known_items(&self, _feed: &FeedName) -> Result<Vec<KnownItem>, StoreError> {
        todo!()
    }

    /// Hosts that asked to be left alone, and until when, of those whose time is after `now`.
    pub async fn resting_hosts(&self, _now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        todo!()
    }

    /// T1: records one poll. Returns whether a story waits for its page or to be matched again.
    pub async fn record_poll(&self, _record: PollRecord) -> Result<bool, StoreError> {
        todo!()
    }

    /// Stories that wait and are due at `now`, but for those in `busy`; longest-waiting first, at most `limit`.
    pub async fn waiting(&self, _now: Timestamp, _busy: &[StoryId], _limit: u32) -> Result<Vec<Waiting>, StoreError> {
        todo!()
    }

    /// When the next waiting story is due.
    pub async fn next_waiting(&self) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }

    /// Records a page that could not be read, to be tried again at `due`.
    pub async fn page_failed(&self, _story: StoryId, _revision: i64, _due: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// T2: a waiting story's final text, how much was read, and what came of matching it. `false`, and nothing written, if the story has a newer revision by now.
    pub async fn settle(
        &self,
        _story: StoryId,
        _revision: i64,
        _body: String,
        _verdict: Verdict,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// Opens an older run's leases at once, and numbers this run. Messages of notifiers not in `notifiers` become held, those of notifiers that are back become pending again.
    pub async fn start_run(&self, _notifiers: &[NotifierName], _now: Timestamp) -> Result<RunStart, StoreError> {
        todo!()
    }

    /// Leases at most `limit` due messages of one notifier, oldest first: lease, attempt and, at the first lease, the frozen payload are committed before this returns.
    pub async fn lease(
        &self,
        _run: i64,
        _notifier: &NotifierName,
        _limit: u32,
        _now: Timestamp,
        _render: Render,
    ) -> Result<Vec<Lease>, StoreError> {
        todo!()
    }

    /// Records what came of an attempt. `false`, and nothing written, if the lease is no longer this attempt's.
    pub async fn finish(
        &self,
        _run: i64,
        _lease: &Lease,
        _finish: Finish,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// When the next pending message of each notifier is due.
    pub async fn next_due(&self) -> Result<Vec<(NotifierName, Timestamp)>, StoreError> {
        todo!()
    }

    /// Messages not sent and not dead: what `run --once` must not leave behind.
    pub async fn undelivered(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// Keeps the text of rule versions, by hash.
    pub async fn keep_rules(&self, _versions: Vec<(String, String)>, _now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// The last good text of every rule file, by name.
    pub async fn good_rule_files(&self) -> Result<Vec<(String, String)>, StoreError> {
        todo!()
    }

    /// Replaces the last good texts by `files`, name and text.
    pub async fn keep_rule_files(&self, _files: Vec<(String, String)>, _now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// What the store holds.
    pub async fn holdings(&self) -> Result<Holdings, StoreError> {
        todo!()
    }

    /// Opens the store, creating or migrating it. The future is its writer: it runs until every handle is dropped, and whoever calls spawns it.
    pub async fn open(_path: &Path) -> Result<(Self, impl Future<Output = ()> + Send + 'static), OpenError> {
        Ok((Self {}, async {}))
    }
}

/// What a new run finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// This run's number: the fence of its leases.
    pub run: i64,
    /// Leases of older runs that were opened again.
    pub reclaimed: u64,
    /// Messages held because their notifier left the configuration.
    pub held: u64,
}
