//! The life of a story, from its first item to its last match.

use serde::Serialize;

use self::NextStatus::{BeginsMatchWait, BeginsPageWait, ByAlerts, OnlyRecorded, Same};
use self::StoryEffect::{
    DelayPage, KeepFeedText, KeepMatchedText, KeepSignature, NoteJoin, RecordAlerts,
    ReplaceFeedText, ScheduleRecheck,
};
use self::StoryStatus::{AwaitsMatch, AwaitsPage, Matched, Purged, Recorded, Unmatched};

/// The status of a story. In JSON, `waiting` stands for both statuses in which it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoryStatus {
    /// It waits for its page, because its feed gives a teaser only.
    #[serde(rename = "waiting")]
    AwaitsPage,
    /// Its text is final, and it waits to be matched: it is from elsewhere, a feed began to carry
    /// it, or it was edited.
    #[serde(rename = "waiting")]
    AwaitsMatch,
    /// At least one rule matched it.
    Matched,
    /// No rule matched it.
    Unmatched,
    /// It is recorded and never matched, because it was no news when it was first seen.
    Recorded,
    /// It was matched or unmatched, and its text is no longer kept.
    Purged,
}

/// What is to be done with a new or edited item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemPlan {
    /// Record it, and do not match it.
    Record,
    /// Read its page first.
    ReadPage,
    /// The feed gives the whole text, and it was matched: record the result.
    Settle,
    /// It has the whole text, and whoever stores it has no rules: match it soon.
    AwaitMatch,
}

/// What happens to a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoryEvent {
    /// Another feed brings an item that is this story.
    Joined(ItemPlan),
    /// A feed edits its item.
    Edited {
        /// What to do with the new text.
        plan: ItemPlan,
        /// Whether several feeds carry the story. The edit was matched for one of them.
        is_shared: bool,
    },
    /// Its page could not be read, and is tried again later.
    PageFailed,
    /// Its text is final, and was matched.
    TextSettled {
        /// Whether a feed began to carry it after the text was matched.
        has_joined: bool,
    },
    /// Its page was read once more.
    Rechecked {
        /// Whether the page has another text, which was matched.
        has_changed: bool,
    },
    /// A new rule with `backfill` was matched against its text.
    Backfilled,
}

/// What the store changes beside the status, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoryEffect {
    /// The feed's text replaces the text of before: a new revision.
    ReplaceFeedText,
    /// The text that was matched becomes the final text.
    KeepMatchedText,
    /// The feed's text becomes the final text before it is matched.
    KeepFeedText,
    /// The alerts of the match are recorded, each in a message for each of its receivers.
    RecordAlerts,
    /// The signature of the final text is kept, so that later copies of it are found.
    KeepSignature,
    /// One more feed carries the story: it is matched once more when its text is settled.
    NoteJoin,
    /// The failed attempt at its page is counted, and the time of the next one is set.
    DelayPage,
    /// The fetches of the recheck are counted, and the time of the next one is set.
    ScheduleRecheck,
}

/// The status that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextStatus {
    /// It stays the same.
    Same,
    /// [`StoryStatus::AwaitsPage`]. The wait begins now.
    BeginsPageWait,
    /// [`StoryStatus::AwaitsMatch`]. The wait begins now.
    BeginsMatchWait,
    /// [`StoryStatus::Recorded`].
    OnlyRecorded,
    /// [`StoryStatus::Matched`] if the story has an alert, or else [`StoryStatus::Unmatched`].
    ByAlerts,
}

/// What follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoryTransition {
    /// The status that follows.
    pub status: NextStatus,
    /// What the store changes, in order.
    pub effects: &'static [StoryEffect],
}

/// Nothing changes.
const IGNORED: StoryTransition = StoryTransition { status: Same, effects: &[] };

/// The life of a new item's story begins: its first status, and what the store changes.
#[must_use]
pub fn first(plan: ItemPlan) -> StoryTransition {
    match plan {
        ItemPlan::Record => to(OnlyRecorded, &[]),
        ItemPlan::ReadPage => to(BeginsPageWait, &[]),
        ItemPlan::Settle => to(ByAlerts, &[KeepMatchedText, RecordAlerts, KeepSignature]),
        ItemPlan::AwaitMatch => to(BeginsMatchWait, &[KeepFeedText]),
    }
}

/// What follows when `event` happens to a story with that status.
///
/// - A story that waits goes on waiting, whatever a feed brings: its page may be in flight. Only a
///   settled text ends a wait.
/// - A wait that ends after a feed joined begins anew, so that the rules of that feed are matched,
///   too.
/// - What arrives for a story that no longer waits, or whose text is gone, changes nothing.
#[must_use]
pub fn next(status: StoryStatus, event: StoryEvent) -> StoryTransition {
    match event {
        StoryEvent::Joined(plan) => after_join(status, plan),
        StoryEvent::Edited { plan, is_shared } => after_edit(status, plan, is_shared),
        StoryEvent::PageFailed => match status {
            AwaitsPage => to(Same, &[DelayPage]),
            AwaitsMatch | Matched | Unmatched | Recorded | Purged => IGNORED,
        },
        StoryEvent::TextSettled { has_joined } => match status {
            AwaitsPage | AwaitsMatch => {
                let status = if has_joined { BeginsMatchWait } else { ByAlerts };
                to(status, &[KeepMatchedText, RecordAlerts, KeepSignature])
            }
            Matched | Unmatched | Recorded | Purged => IGNORED,
        },
        StoryEvent::Rechecked { has_changed } => match (status, has_changed) {
            (Matched | Unmatched, true) => {
                to(ByAlerts, &[ScheduleRecheck, KeepMatchedText, RecordAlerts, KeepSignature])
            }
            (Matched | Unmatched, false) => to(Same, &[ScheduleRecheck]),
            (AwaitsPage | AwaitsMatch | Recorded | Purged, _) => IGNORED,
        },
        StoryEvent::Backfilled => match status {
            Matched | Unmatched => to(ByAlerts, &[RecordAlerts]),
            AwaitsPage | AwaitsMatch | Recorded | Purged => IGNORED,
        },
    }
}

/// Another feed carries the story. Its text stays the same, unless it was never matched or is gone.
fn after_join(status: StoryStatus, plan: ItemPlan) -> StoryTransition {
    match (status, plan) {
        (_, ItemPlan::Record) => IGNORED,
        (AwaitsPage | AwaitsMatch, ItemPlan::ReadPage | ItemPlan::AwaitMatch) => {
            to(Same, &[NoteJoin])
        }
        (AwaitsPage | AwaitsMatch, ItemPlan::Settle) => to(Same, &[RecordAlerts]),
        (Matched | Unmatched, ItemPlan::ReadPage | ItemPlan::AwaitMatch) => {
            to(BeginsMatchWait, &[])
        }
        (Matched | Unmatched, ItemPlan::Settle) => to(ByAlerts, &[RecordAlerts]),
        (Recorded | Purged, ItemPlan::ReadPage) => to(BeginsPageWait, &[ReplaceFeedText]),
        (Recorded | Purged, ItemPlan::Settle) => {
            to(ByAlerts, &[ReplaceFeedText, KeepMatchedText, RecordAlerts, KeepSignature])
        }
        (Recorded | Purged, ItemPlan::AwaitMatch) => {
            to(BeginsMatchWait, &[ReplaceFeedText, KeepFeedText])
        }
    }
}

/// A feed edits its item: the text is replaced, and matched as the plan says.
fn after_edit(status: StoryStatus, plan: ItemPlan, is_shared: bool) -> StoryTransition {
    match (status, plan) {
        (_, ItemPlan::Record) => to(Same, &[ReplaceFeedText]),
        (_, ItemPlan::ReadPage) => to(BeginsPageWait, &[ReplaceFeedText]),
        (_, ItemPlan::AwaitMatch) => to(BeginsMatchWait, &[ReplaceFeedText, KeepFeedText]),
        (_, ItemPlan::Settle) => {
            let status = if status.waits() || is_shared { BeginsMatchWait } else { ByAlerts };
            to(status, &[ReplaceFeedText, KeepMatchedText, RecordAlerts, KeepSignature])
        }
    }
}

impl StoryStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [AwaitsPage, AwaitsMatch, Matched, Unmatched, Recorded, Purged];

    /// Its word in the store. A purged story has the word of before there, and its texts are
    /// deleted.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AwaitsPage => "awaits_page",
            AwaitsMatch => "awaits_match",
            Matched => "matched",
            Unmatched => "unmatched",
            Recorded => "recorded",
            Purged => "purged",
        }
    }

    /// Whether the story waits.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, AwaitsPage | AwaitsMatch)
    }
}

impl StoryTransition {
    /// Whether nothing changes.
    #[must_use]
    pub fn changes_nothing(self) -> bool {
        self == IGNORED
    }
}

const fn to(status: NextStatus, effects: &'static [StoryEffect]) -> StoryTransition {
    StoryTransition { status, effects }
}

#[cfg(test)]
mod tests;
