//! The only SQL: feeds, stories, alerts and the outbox in one `SQLite` file, behind one writer.
//!
//! The types are here; each method of `Store` is in the file of its subject. Times have the
//! precision of a millisecond.

mod absences;
mod alert_index;
mod alerts;
mod archive;
mod backfill;
mod backup;
mod column;
mod command_connection;
mod copies;
mod counted_groups;
mod coverage;
mod damage;
mod days;
mod db;
mod deliveries;
mod dialect;
mod digest;
mod event;
mod feed_entries;
mod feeds;
mod files;
#[cfg(test)]
mod fixture;
mod gaps;
mod groups;
mod health;
mod host_loans;
mod lock;
mod match_time;
mod migrations;
mod new_items;
mod notifications;
mod open;
mod open_error;
mod open_mark;
mod outage_log;
mod outbox;
mod part_file;
mod past_events;
mod poll;
mod received;
mod recheck;
mod report;
mod restore;
mod route;
mod rules;
mod run_lease;
mod run_start;
mod server;
mod server_fault;
mod service_status;
mod share_owners;
mod silences;
mod status;
mod store_copy;
mod story_changes;
mod sweep;
#[cfg(test)]
mod tests;
mod waiting_stories;
mod waits;
mod watched;
mod writer;
mod writer_connection;

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::Instant;

use self::db::DbPool;
use crate::alerts::{MatchResult, Receiver};
use crate::feed::hints::PollHints;
use crate::feed::identity::{ItemKey, RemovedAndReturned};
use crate::metrics::WriterMetrics;
use crate::polling::health::{FeedHealth, FeedHealthHistory, FeedNotice, assess_health};
use crate::polling::moved::Move;
use crate::shares::RunNumber;
use tidings_rules::story::{FeedEntry, FeedName, Read, Story, StoryKey};

pub use absences::{AbsentGroup, ReadFeeds};
pub use archive::{
    AlertFilter, AlertRecord, Alerted, Archive, Attempt, EventRecord, EventStory, Message,
    PastAlert, StoredStory, StoryRecord,
};
pub use backup::{Backup, BackupError, back_up};
pub use command_connection::StoreCommandError;
pub use copies::CopyComparer;
pub use counted_groups::CountedGroup;
pub use coverage::{CoveredAlert, CoveredAlerts, MOST_COVERED};
pub use days::{FeedDay, RuleActivity, RuleDays, UtcDay};
pub use deliveries::{
    DeadSelection, Delivery, DeliverySubject, DroppedMessages, Retried, drop_messages,
    list_undelivered, retry_messages,
};
pub use feeds::request_polls;
#[cfg(test)]
pub(crate) use fixture::{Home, compare_here};
pub use gaps::{FeedGap, PastGap};
pub use groups::{GroupProgress, GroupStatus, HeldGroup, ShownAbsence};
pub use host_loans::{HostLoan, LoanAnswer};
pub use lock::{Lock, acquire_lock};
pub use open_error::OpenError;
pub use outbox::{
    OpenContent, OpenMessage, OutboxTurn, Preparation, PreparedMessage, PreparedMessages,
};
pub use past_events::StoredSighting;
pub use received::{IngestCounts, IngestTarget, ReceivedStory};
pub use restore::{RestoreError, Restored, restore};
pub use rules::{ConditionalGroups, NewRuleSet, RuleSet, RuleSetOutcome};
pub use run_lease::{
    LeaseLost, LeaseWatch, RunRole, RunningNode, ServerAway, StoreNodes, name_node,
};
pub use service_status::{QueueLength, RunTimes, ServiceStatus, StoreFacts};
pub use share_owners::{MovedShares, ShareTable};
pub use silences::{add_silence, end_silence, list_silences};
pub use status::StoredStatus;
pub use store_copy::{StoreCopyError, copy_store};
pub use story_changes::StoryRevision;
pub use sweep::{Retention, SweepCounts, SweepPosition, SweepStep};
pub use waiting_stories::StoryWait;

/// A handle on the store; clones share it. Reads see what is committed. A write is committed when
/// its call returns. It is completed even if the caller stops waiting.
#[derive(Clone, Debug)]
pub struct Store {
    /// Connections that cannot write.
    readers: DbPool,
    writer: writer::Writer,
    /// The queue of commands whose stories may be copies.
    copies: UnboundedSender<writer::QueuedCommand>,
    metrics: WriterMetrics,
    commits: watch::Receiver<()>,
    /// The run whose lease lets this write, if the store is on a server.
    leased_run: Option<RunNumber>,
    /// Whether other runs may have the store, too.
    is_joint: bool,
    /// When the run must stop, unless its lease is renewed.
    deadline: Option<watch::Receiver<Instant>>,
}

impl Store {
    /// A receiver that is marked as changed after each commit of this process.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.clone()
    }

    /// What the writer counts and measures.
    #[must_use]
    pub fn writer_metrics(&self) -> &WriterMetrics {
        &self.metrics
    }
}

/// Why an operation on the store failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, a lock, a damaged file. It wrote nothing.
    #[error("the store: {0}")]
    Failed(String),
    /// The server does not answer. A commit may have been made, if its answer was lost. The writer
    /// logs when this begins and when it ends.
    #[error("the store: its server does not answer: {0}")]
    Unreachable(String),
    /// The writer has ended, because the lease of the run is over or because of a bug. The run ends
    /// too, and says why.
    #[error("the store: its writer has stopped")]
    Stopped,
}

impl StoreError {
    /// The error of a command that panicked.
    fn panicked() -> Self {
        let why = "a command panicked, which is a bug of Tidings; the command changed nothing";
        Self::Failed(why.to_owned())
    }

    /// Whether the file is damaged.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Failed(why) if why.contains("malformed"))
    }

    /// The reason alone.
    fn into_why(self) -> String {
        match self {
            Self::Failed(why) | Self::Unreachable(why) => why,
            Self::Stopped => Self::Stopped.to_string(),
        }
    }

    /// Why the server does not answer, if that is the reason.
    fn outage(&self) -> Option<&str> {
        match self {
            Self::Failed(_) | Self::Stopped => None,
            Self::Unreachable(why) => Some(why),
        }
    }

    /// Whether a log must still say it: the writer tells of a server that does not answer, and the
    /// run tells of a writer that has stopped.
    #[must_use]
    pub fn is_news(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if server_fault::is_outage(&error) {
            return Self::Unreachable(server_fault::message(&error));
        }
        Self::Failed(server_fault::message(&error))
    }
}

/// A story's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoryId(pub i64);

/// What is kept of a feed between polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// Its name.
    pub name: FeedName,
    /// A hash of the address that it was polled at: a feed with a new address is polled anew, and
    /// the address itself may hold a secret.
    pub address: String,
    /// `ETag` of the last 200, byte for byte.
    pub etag: Option<String>,
    /// `Last-Modified` of the last 200, byte for byte.
    pub last_modified: Option<String>,
    /// When it is to be polled next; `None`: never, until the configuration changes.
    pub next_poll: Option<Timestamp>,
    /// Why then, in words.
    pub next_why: String,
    /// The last poll, however it ended.
    pub last_poll: Option<Timestamp>,
    /// The last poll that ended in a 200 or a 304.
    pub last_good: Option<Timestamp>,
    /// Polls in a row that failed.
    pub failures: u32,
    /// How the last poll failed, in words; `None` after a good one.
    pub error: Option<String>,
    /// The mean time between its newest items, where it is known.
    pub mean_gap: Option<Duration>,
    /// What its document asked for when it was last read.
    pub hints: PollHints,
    /// Where permanent redirects lead from its address.
    pub moved: Option<Move>,
    /// Its failures and silences, as far as notices report them.
    pub health_history: FeedHealthHistory,
    /// Whether the last poll failed before a server answered: for its name, the connection or a
    /// policy.
    pub unreached: bool,
}

impl FeedState {
    /// The health at `now` of the feed with the state `known`, in one word: `new`, `well`, or that
    /// of a [`FeedHealth`].
    #[must_use]
    pub fn health_word(known: Option<&Self>, now: Timestamp) -> &'static str {
        let Some(state) = known.filter(|state| state.last_poll.is_some()) else { return "new" };
        state.health(now).map_or("well", FeedHealth::as_str)
    }

    /// Why the feed is not healthy at `now`; `None` if it is, or was never polled.
    #[must_use]
    pub fn health(&self, now: Timestamp) -> Option<FeedHealth> {
        let is_gone = self.next_poll.is_none();
        self.last_poll?;
        assess_health(&self.health_history, is_gone, self.mean_gap, now)
    }
}

/// The result of one poll, recorded in one transaction.
#[derive(Clone, Debug)]
pub struct PollRecord {
    /// When the poll ended.
    pub now: Timestamp,
    /// The feed's state from now on.
    pub state: FeedState,
    /// Items that are new, edited or re-keyed.
    pub items: Vec<ItemRecord>,
    /// Which known items were removed and which returned; empty unless the answer was a 200.
    pub removed_and_returned: RemovedAndReturned,
    /// The time before it in which items may have come and gone.
    pub gap: Option<FeedGap>,
    /// Notices about the feed, each with its receivers.
    pub notices: Vec<(FeedNotice, Vec<Receiver>)>,
}

/// One item that is new, edited or re-keyed.
#[derive(Clone, Debug)]
pub struct ItemRecord {
    /// Its key from now on.
    pub key: ItemKey,
    /// Whether it is another story than the known item with its key. The known item is past then.
    pub renews: bool,
    /// The key it had, if it was re-keyed.
    pub previous_key: Option<ItemKey>,
    /// Its guid.
    pub guid: Option<String>,
    /// Its normalised link.
    pub link: Option<String>,
    /// The part of its link that stays the same when tokens, hosts and slugs change.
    pub stem: Option<String>,
    /// The hash of its title and text.
    pub hash: String,
    /// The hash of its text alone.
    pub text_hash: Option<String>,
    /// The link as given.
    pub url: Option<String>,
    /// The story it belongs to.
    pub story: StoryKey,
    /// The story with this item's text, and what is to be done with it; `None` if only the key
    /// changed.
    pub story_change: Option<(Story, StoryPlan)>,
}

/// What is to be done with a new or edited story.
#[derive(Clone, Debug)]
pub enum StoryPlan {
    /// It is never matched: it is too old for `first_poll` or for edits. Why, in words.
    Record(String),
    /// Its page is to be read before it is matched.
    ReadPage,
    /// It was matched, with this result.
    Settle(MatchResult),
    /// It has the whole text, and is matched by the run.
    AwaitMatch,
}

/// A story that waits for its page; or, with a final text, to be matched: it is from elsewhere, or
/// another feed carries it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingStory {
    /// Its row.
    pub id: StoryId,
    /// Which revision of its text this is.
    pub revision: i64,
    /// The story with the feed's text, or with its final text where `read` is settled.
    pub story: Story,
    /// How much was read, where the text is final: then it only waits to be matched. `None`: it
    /// waits for its page.
    pub read: Option<Read>,
    /// Every feed that carries it, first seen first.
    pub feed_entries: Vec<FeedEntry>,
    /// Page fetches that failed so far for this revision.
    pub attempts: u32,
    /// Page fetches so far, for all revisions.
    pub fetches: u32,
    /// Since when it waits.
    pub since: Timestamp,
}

/// A story's final text, and the result of matching it.
#[derive(Clone, Debug)]
pub struct FinalText {
    /// The text.
    pub body: String,
    /// Its language; `None` if nothing new is known of it.
    pub lang: Option<String>,
    /// The result of matching it.
    pub match_result: MatchResult,
    /// The page fetches that this took.
    pub fetches: u32,
    /// When its page is rechecked; `None`: never. It has no effect if the text was final already.
    pub recheck_at: Option<Timestamp>,
}

/// A settled story whose page is due for a recheck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecheckDue {
    /// Its row.
    pub id: StoryId,
    /// Which revision of its text this is.
    pub revision: i64,
    /// The story with its text as it was settled.
    pub story: Story,
    /// The text that the feed gave.
    pub feed_text: String,
    /// Every feed that carries it, first seen first.
    pub feed_entries: Vec<FeedEntry>,
    /// Page fetches so far.
    pub fetches: u32,
}

/// The result of a recheck of a page.
#[derive(Clone, Debug)]
pub struct RecheckResult {
    /// The text and the result of matching it, if it changed.
    pub change: Option<(String, MatchResult)>,
    /// Page fetches that it took.
    pub fetches: u32,
    /// When to recheck again; `None`: never.
    pub next_recheck: Option<Timestamp>,
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
    pub counted_attempts: u32,
    /// Whether an earlier attempt may have delivered it.
    pub may_have_arrived: bool,
    /// When its first attempt began, which may be this one.
    pub tried_since: Timestamp,
    /// Whether it gathers alerts: then it is halved where it is too large.
    pub is_digest: bool,
    /// When the first of its stories was first seen; `None` if it is about no story.
    pub first_seen: Option<Timestamp>,
    /// The names of its rules with commas between them, twenty at most; `None` if it has none.
    pub rules: Option<String>,
    /// The frozen bytes.
    pub payload: Vec<u8>,
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

/// What a new run finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// This run's number: the fence of its leases.
    pub run: i64,
    /// Leases of older runs that were opened again.
    pub reclaimed: u64,
    /// How many messages are held for each receiver that left the configuration, in this run or
    /// before.
    pub held: Vec<(Receiver, u64)>,
}
