//! Faults of delivery: between two runs, puts into the store what a faulty daemon would leave
//! there. The daemon itself is not changed.

use std::collections::BTreeSet;

use crate::harness::oracle::Flaw;
use crate::support::tidings::Folder;

/// A fault of delivery.
pub struct PlantedFault {
    /// The mistake of a faulty daemon.
    pub what: &'static str,
    /// Finds the messages or the notifier that the mistake may concern.
    opportunities: &'static str,
    /// Changes the store as the mistake with `$1` would.
    steps: &'static [&'static str],
    /// The violation that the oracle must report.
    pub names: fn(&Flaw) -> bool,
}

/// All faults.
pub const FAULTS: [PlantedFault; 8] = [
    // It drops a message that settling a story put into the outbox. A sink has refused it once, so
    // it was never kept.
    PlantedFault {
        what: "a message is dropped from the outbox",
        opportunities: "SELECT uid FROM message WHERE status = 'pending' AND notifier IN ('hook', 'ops')
             AND event IS NOT NULL AND (why LIKE '%503%' OR why LIKE '%429%')
             AND (SELECT count(*) FROM attempt WHERE attempt.message = message.id) = 1",
        steps: &[
            "DELETE FROM attempt WHERE message = (SELECT id FROM message WHERE uid = $1)",
            "DELETE FROM message_alert WHERE message = (SELECT id FROM message WHERE uid = $1)",
            "DELETE FROM message WHERE uid = $1",
        ],
        names: |flaw| matches!(flaw, Flaw::Lost(lost) if lost.to.notifier != "desk"),
    },
    // It forgets that it sent a message, and creates another one.
    PlantedFault {
        what: "a message that was sent is sent under another id",
        opportunities: SENT,
        steps: &["UPDATE message SET status = 'pending', payload = NULL, uid = uid || '-2', due = 0 WHERE uid = $1"],
        names: |flaw| matches!(flaw, Flaw::SentTwice(..)),
    },
    // It reads a 451 as an acceptance.
    PlantedFault {
        what: "a mail that was put off with a 451 is taken for sent",
        opportunities: "SELECT uid FROM message
             WHERE status = 'pending' AND notifier = 'desk' AND event IS NOT NULL AND why LIKE '%451%'
             AND (SELECT count(*) FROM attempt WHERE attempt.message = message.id) = 1",
        steps: &["UPDATE message SET status = 'sent' WHERE uid = $1"],
        names: |flaw| matches!(flaw, Flaw::NeverTaken(_)),
    },
    // It renders a message anew for a retry.
    PlantedFault {
        what: "a retry has other bytes",
        opportunities: "SELECT uid FROM message WHERE status = 'pending' AND notifier IN ('hook', 'ops')
             AND why LIKE '%connection%' AND may_have_arrived AND payload IS NOT NULL",
        steps: &["UPDATE message SET payload = CAST(payload || ' ' AS BLOB) WHERE uid = $1"],
        names: |flaw| matches!(flaw, Flaw::OtherBytes(_)),
    },
    // It sends a message again that it has recorded as accepted.
    PlantedFault {
        what: "a message that was sent is sent again under its own id",
        opportunities: SENT,
        steps: &["UPDATE message SET status = 'pending', due = 0 WHERE uid = $1"],
        names: |flaw| matches!(flaw, Flaw::SentAgain(..)),
    },
    // It forgets that a receiver asked for a pause, while a message for it is due.
    PlantedFault {
        what: "a pause that a receiver asked for is forgotten",
        opportunities: "SELECT notifier FROM health WHERE notifier = 'hook' AND rests_until > (unixepoch() + 10) * 1000
             AND EXISTS (SELECT 1 FROM attempt JOIN message ON message.id = attempt.message
                         WHERE message.notifier = 'hook' AND attempt.outcome = 'again'
                         AND attempt.why LIKE '%429%' AND attempt.ended > (unixepoch() - 20) * 1000)
             AND EXISTS (SELECT 1 FROM message WHERE status = 'pending' AND notifier = 'hook' AND due < unixepoch() * 1000)",
        steps: &["UPDATE health SET rests_until = 0 WHERE notifier = $1"],
        names: |flaw| matches!(flaw, Flaw::RestBroken(_)),
    },
    // It gives up a message that nobody refused.
    PlantedFault {
        what: "a message that was put off is given up",
        opportunities: "SELECT uid FROM message
             WHERE status = 'pending' AND notifier = 'hook' AND event IS NOT NULL AND due_set_at > 0",
        steps: &["UPDATE message SET status = 'dead' WHERE uid = $1"],
        names: |flaw| matches!(flaw, Flaw::DeadWithoutRefusal(_)),
    },
    // It lets a receiver wait as a clock that is a year ahead would.
    PlantedFault {
        what: "a receiver rests until a clock that was ahead says so",
        opportunities: "SELECT DISTINCT notifier FROM message WHERE notifier = 'ops'",
        steps: &["INSERT INTO health (notifier, recipient, failures, since, rests_until, rest_set_at, why, announced)
                 VALUES ($1, '', 1, unixepoch() * 1000, (unixepoch() + 31536000) * 1000, unixepoch() * 1000, '429', 0)
                 ON CONFLICT DO UPDATE SET rests_until = excluded.rests_until, rest_set_at = excluded.rest_set_at"],
        names: |flaw| matches!(flaw, Flaw::Held(_)),
    },
];

/// Messages that were sent.
const SENT: &str = "SELECT uid FROM message WHERE status = 'sent' AND event IS NOT NULL
     AND EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND outcome = 'sent')";

impl PlantedFault {
    /// Plants the fault into one of the messages or notifiers that the oracle has `seen`, but not
    /// into one that is `planted` already: a second fault there would hide the first. `false` if
    /// there is no opportunity.
    pub async fn plant(
        &self,
        folder: &Folder,
        seen: &BTreeSet<String>,
        planted: &mut BTreeSet<String>,
    ) -> bool {
        let opportunities = folder.query(self.opportunities).await;
        let mut usable = opportunities.into_iter().filter(|one| seen.contains(one));
        let Some(found) = usable.find(|one| !planted.contains(one)) else { return false };
        for step in self.steps {
            let changed = folder.change_with(step, &found).await;
            assert!(changed > 0, "half of a fault was planted: {}", self.what);
        }
        planted.insert(found);
        true
    }
}
