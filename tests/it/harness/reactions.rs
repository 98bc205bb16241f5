//! The behaviour of sinks. The reaction to the first, second and third attempt at a message is a
//! function of the seed and of the message's content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use crate::harness::ledger::{MessageContent, SinkOutcome};
use crate::harness::script::{GONE, To};

/// How long a sink is slow, or silent before it disconnects.
pub const PAUSE: Duration = Duration::from_millis(400);

/// The pause that a webhook asks for.
const REST: Duration = Duration::from_secs(30);

/// The pause that the limited webhook asks for above its limit.
const LIMITED: Duration = Duration::from_secs(1);

/// The limit of the limited webhook, and its period.
const LIMIT: (usize, Duration) = (4, Duration::from_millis(500));

/// The reaction to a message that arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkReaction {
    /// It accepts the message.
    Take,
    /// It accepts the message after a while.
    TakeSlowly,
    /// It accepts the message and disconnects.
    TakeAndDrop,
    /// It accepts the message in words that are not UTF-8.
    TakeInOtherWords,
    /// It keeps the message, is silent for a while and disconnects.
    Stall,
    /// It keeps the message and resets the connection.
    Reset,
    /// It keeps the message and disconnects, if possible in the middle of its answer.
    HangUp,
    /// It cannot accept the message now (503, 451).
    Busy,
    /// It asks for a pause (429 with Retry-After, 421).
    AskForRest,
    /// Its limit is reached (429 with `retry_after`).
    Limit,
    /// It is being deployed (404, 401): its route or its logins do not exist yet.
    Redeploy,
    /// It refuses the message for good (550). Webhooks never do.
    Refuse,
    /// It is gone (410). Its messages are kept.
    Gone,
}

const FAILURES: [SinkReaction; 6] = [
    SinkReaction::Stall,
    SinkReaction::Reset,
    SinkReaction::HangUp,
    SinkReaction::Busy,
    SinkReaction::AskForRest,
    SinkReaction::Redeploy,
];

impl SinkReaction {
    /// The outcome for the message.
    pub fn outcome(self) -> SinkOutcome {
        match self {
            Self::Take | Self::TakeSlowly | Self::TakeAndDrop | Self::TakeInOtherWords => {
                SinkOutcome::Taken
            }
            Self::Stall | Self::Reset | Self::HangUp => SinkOutcome::Unanswered,
            Self::Busy | Self::Redeploy | Self::Gone => SinkOutcome::PutOff,
            Self::AskForRest => SinkOutcome::Rest(REST),
            Self::Limit => SinkOutcome::Rest(LIMITED),
            Self::Refuse => SinkOutcome::Refused,
        }
    }
}

/// The reaction to a message that arrived `before` times before. After at most three failures it is
/// accepted, or, in one of twenty cases, refused for good.
pub fn choose_reaction(
    seed: u64,
    to: &To,
    content: &MessageContent,
    before: usize,
) -> SinkReaction {
    if to.notifier == GONE {
        return SinkReaction::Gone;
    }
    let what = match content {
        MessageContent::Match { story, rules } => format!("{story} {rules:?}"),
        MessageContent::Notice(words) => words.clone(),
    };
    let mut rng = Rng::with_seed(hash(&(seed, to.to_string(), what)));
    let failures = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][rng.usize(0..10)];
    let reactions: Vec<SinkReaction> =
        (0..failures).map(|_| FAILURES[rng.usize(0..FAILURES.len())]).collect();
    let last = match rng.u8(0..20) {
        0 if !to.recipient.is_empty() => SinkReaction::Refuse,
        1..4 => SinkReaction::TakeSlowly,
        4..7 => SinkReaction::TakeAndDrop,
        7..10 => SinkReaction::TakeInOtherWords,
        _ => SinkReaction::Take,
    };
    reactions.get(before).copied().unwrap_or(last)
}

/// The recent messages of the limited webhook.
#[derive(Clone, Default)]
pub struct Limiter(Arc<Mutex<Vec<Timestamp>>>);

impl Limiter {
    /// Whether one more message at `now` is above the limit. If not, it counts.
    pub fn is_too_much(&self, now: Timestamp) -> bool {
        let mut taken = self.0.lock().expect("no panic");
        taken.retain(|then| now.duration_since(*then).unsigned_abs() < LIMIT.1);
        if taken.len() >= LIMIT.0 {
            return true;
        }
        taken.push(now);
        false
    }
}

/// Whether a mail server refuses a client before it gets a mail. `number`: the clients so far.
pub fn turns_away(seed: u64, number: usize) -> bool {
    hash(&(seed, number)).is_multiple_of(20)
}

fn hash(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
