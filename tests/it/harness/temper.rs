//! How sinks behave: what becomes of the first, the second, the third try of a message is a
//! function of the seed and of what the message says.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use crate::harness::ledger::{MessageContent, SinkOutcome};
use crate::harness::script::{GONE, To};

/// How long a sink is slow, or says nothing before it breaks off.
pub const PAUSE: Duration = Duration::from_millis(400);

/// The rest that a webhook asks for by itself.
const REST: Duration = Duration::from_secs(30);

/// The rest that the limited webhook asks for when it is sent too much.
const LIMITED: Duration = Duration::from_secs(1);

/// How much the limited webhook takes, and in which time.
const LIMIT: (usize, Duration) = (4, Duration::from_millis(500));

/// What a sink does with a message that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It takes it.
    Take,
    /// It takes it, after a while.
    TakeSlowly,
    /// It takes it, and breaks the connection off.
    TakeAndDrop,
    /// It takes it, and says so in words that are not UTF-8.
    TakeInOtherWords,
    /// It keeps it, says nothing for a while and breaks off.
    Stall,
    /// It keeps it and resets the connection.
    Reset,
    /// It keeps it and breaks off, in the middle of its answer where the protocol has a middle.
    HangUp,
    /// It cannot take it for now (503, 451).
    Busy,
    /// It asks for rest (429 with Retry-After, 421).
    AskForRest,
    /// It was sent too much (429 with `retry_after`).
    Limit,
    /// It is being deployed anew (404, 401): its route or its logins are not there yet.
    Redeploy,
    /// It will never take it (550). No answer of a webhook says that.
    Refuse,
    /// It says that it is gone (410): what is for it is kept.
    Gone,
}

const MISDEEDS: [Deed; 6] =
    [Deed::Stall, Deed::Reset, Deed::HangUp, Deed::Busy, Deed::AskForRest, Deed::Redeploy];

impl Deed {
    /// What it makes of the message.
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

/// What becomes of a message that came `before` times before: at most three misdeeds, then it is
/// taken, or, one in twenty, refused for good.
pub fn deed(seed: u64, to: &To, content: &MessageContent, before: usize) -> Deed {
    if to.notifier == GONE {
        return Deed::Gone;
    }
    let what = match content {
        MessageContent::Tale { tale, rules } => format!("{tale} {rules:?}"),
        MessageContent::Notice(words) => words.clone(),
    };
    let mut rng = Rng::with_seed(hash(&(seed, to.to_string(), what)));
    let misdeeds = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][rng.usize(0..10)];
    let deeds: Vec<Deed> = (0..misdeeds).map(|_| MISDEEDS[rng.usize(0..MISDEEDS.len())]).collect();
    let last = match rng.u8(0..20) {
        0 if !to.recipient.is_empty() => Deed::Refuse,
        1..4 => Deed::TakeSlowly,
        4..7 => Deed::TakeAndDrop,
        7..10 => Deed::TakeInOtherWords,
        _ => Deed::Take,
    };
    deeds.get(before).copied().unwrap_or(last)
}

/// What the limited webhook took lately.
#[derive(Clone, Default)]
pub struct Limiter(Arc<Mutex<Vec<Timestamp>>>);

impl Limiter {
    /// Whether one more is too much at `now`; if not, it counts.
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

/// Whether a mail server turns somebody away before it is given a mail; `number` counts those who
/// came.
pub fn turns_away(seed: u64, number: usize) -> bool {
    hash(&(seed, number)).is_multiple_of(20)
}

fn hash(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
