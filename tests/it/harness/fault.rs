//! Faults of delivery: between two runs, puts into the store what a faulty daemon would leave
//! there. The daemon itself is not changed.

use crate::harness::oracle::Flaw;
use crate::support::tidings::Folder;

/// A fault of delivery.
pub struct PlantedFault {
    /// The mistake of a faulty daemon.
    pub what: &'static str,
    /// Changes the store as the mistake would. If it changes nothing, there was no opportunity.
    steps: &'static [&'static str],
    /// The violation that the oracle must report.
    pub names: fn(&Flaw) -> bool,
}

/// All faults.
pub const FAULTS: [PlantedFault; 8] = [
    // It drops a message that settling a story put into the outbox. A sink has refused it once, so
    // it never arrived.
    PlantedFault {
        what: "a message is dropped from the outbox",
        steps: &[
            "DELETE FROM attempt WHERE message = (SELECT min(id) FROM message WHERE status = 'pending'
                 AND notifier IN ('hook', 'ops') AND event IS NOT NULL AND (why LIKE '%503%' OR why LIKE '%429%')
                 AND (SELECT count(*) FROM attempt WHERE attempt.message = message.id) = 1)",
            "DELETE FROM message_alert WHERE message IN (SELECT id FROM message WHERE due_set_at > 0
                 AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id))",
            "DELETE FROM message WHERE event IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.message = message.id)",
        ],
        names: |flaw| matches!(flaw, Flaw::Lost(lost) if lost.to.notifier != "desk"),
    },
    // It forgets that it sent a message, and creates another one.
    PlantedFault {
        what: "a message that was sent is sent under another id",
        steps: &["UPDATE message SET status = 'pending', payload = NULL, uid = uid || '-2', due = 0
                 WHERE id = (SELECT min(id) FROM message WHERE status = 'sent' AND event IS NOT NULL
                 AND EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND outcome = 'sent'))"],
        names: |flaw| matches!(flaw, Flaw::SentTwice(..)),
    },
    // It reads a 451 as an acceptance.
    PlantedFault {
        what: "a mail that was put off with a 451 is taken for sent",
        steps: &["UPDATE message SET status = 'sent' WHERE id = (SELECT min(id) FROM message
                 WHERE status = 'pending' AND notifier = 'desk' AND event IS NOT NULL AND why LIKE '%451%'
                 AND (SELECT count(*) FROM attempt WHERE attempt.message = message.id) = 1)"],
        names: |flaw| matches!(flaw, Flaw::NeverTaken(_)),
    },
    // It renders a message anew for a retry.
    PlantedFault {
        what: "a retry has other bytes",
        steps: &["UPDATE message SET payload = CAST(payload || ' ' AS BLOB) WHERE id = (SELECT min(id) FROM message
                 WHERE status = 'pending' AND notifier IN ('hook', 'ops') AND why LIKE '%connection%' AND counted_attempts > 0)"],
        names: |flaw| matches!(flaw, Flaw::OtherBytes(_)),
    },
    // It sends a message again that it has recorded as accepted.
    PlantedFault {
        what: "a message that was sent is sent again under its own id",
        steps: &["UPDATE message SET status = 'pending', due = 0
                 WHERE id = (SELECT min(id) FROM message WHERE status = 'sent' AND event IS NOT NULL
                 AND EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND outcome = 'sent'))"],
        names: |flaw| matches!(flaw, Flaw::SentAgain(..)),
    },
    // It forgets that a receiver asked for a pause.
    PlantedFault {
        what: "a pause that a receiver asked for is forgotten",
        steps: &["UPDATE health SET rests_until = 0 WHERE notifier = 'hook' AND why LIKE '%429%'
                 AND rests_until > (unixepoch() + 10) * 1000"],
        names: |flaw| matches!(flaw, Flaw::RestBroken(_)),
    },
    // It gives up a message that nobody refused.
    PlantedFault {
        what: "a message that was put off is given up",
        steps: &["UPDATE message SET status = 'dead' WHERE id = (SELECT max(id) FROM message
                 WHERE status = 'pending' AND notifier = 'hook' AND event IS NOT NULL AND due_set_at > 0)"],
        names: |flaw| matches!(flaw, Flaw::DeadWithoutRefusal(_)),
    },
    // It lets a receiver wait as a clock that is a year ahead would.
    PlantedFault {
        what: "a receiver rests until a clock that was ahead says so",
        steps: &["INSERT INTO health (notifier, recipient, failures, since, rests_until, rest_set_at, why, announced)
                 SELECT 'ops', '', 1, unixepoch() * 1000, (unixepoch() + 31536000) * 1000, unixepoch() * 1000, '429', 0
                 WHERE EXISTS (SELECT 1 FROM message WHERE notifier = 'ops')
                 ON CONFLICT DO UPDATE SET rests_until = excluded.rests_until, rest_set_at = excluded.rest_set_at"],
        names: |flaw| matches!(flaw, Flaw::Held(_)),
    },
];

impl PlantedFault {
    /// Plants the fault, if there is an opportunity.
    pub async fn plant(&self, folder: &Folder) -> bool {
        for (number, step) in self.steps.iter().enumerate() {
            if folder.change(step).await == 0 {
                assert_eq!(number, 0, "half of a fault was planted: {}", self.what);
                return false;
            }
        }
        true
    }
}
