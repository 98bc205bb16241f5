//! The groups of rules with `absent`: when each last matched, and whether its absence was told.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{from_millis, to_json, to_millis};
use super::dialect::row_list;
use super::health::insert_notices_due;
use super::{Store, StoreError, silences};
use crate::alerts::notice::{About, RuleNotice};
use crate::alerts::volume::DeliveryPolicies;
use crate::alerts::{Content, Receiver, RuleMatch, silence, volume};
use tidings_rules::story::delivery::DeliveryPolicy;

/// A group of a rule with `absent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentGroup {
    /// The rule.
    pub rule: String,
    /// The id of the row; empty for a rule without `each`.
    pub dedup_key: String,
    /// The last match. Before the first: when the rule came into force.
    pub last: Timestamp,
    /// When its absence since then was told; `None`: it was not.
    pub told: Option<Timestamp>,
}

impl Store {
    /// The groups of all rules with `absent`.
    pub async fn absent_groups(&self) -> Result<Vec<AbsentGroup>, StoreError> {
        let rows: Vec<(String, String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT rule, dedup_key, last, told FROM absence ORDER BY rule, dedup_key",
        )
        .fetch_all(&self.readers)
        .await?;
        let groups = rows.into_iter().map(|(rule, dedup_key, last, told)| {
            let told = told.map(from_millis).transpose()?;
            Ok(AbsentGroup { rule, dedup_key, last: from_millis(last)?, told })
        });
        Ok(groups.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Watches rules without `each` from `now` on that are not watched yet, and forgets groups that
    /// no rule in force has.
    pub async fn watch_absences(
        &self,
        rules: Vec<String>,
        gone: Vec<AbsentGroup>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let watched = rules.iter().map(|rule| (rule, "", to_millis(now)));
        let watched = to_json(&watched.collect::<Vec<_>>())?;
        let gone = gone.iter().map(|group| (&group.rule, &group.dedup_key));
        let gone = to_json(&gone.collect::<Vec<_>>())?;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    sqlx::query(FORGET).bind(gone).execute(&mut *conn).await?;
                    sqlx::query(WATCH).bind(watched).execute(conn).await.map(drop)
                })
            })
            .await
    }

    /// Whether a story that was first seen until `until` waits for its page or to be matched.
    pub async fn has_story_waiting_since(&self, until: Timestamp) -> Result<bool, StoreError> {
        let waits = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM story WHERE status IN ('awaits_page', 'awaits_match') AND first_seen <= $1)",
        );
        Ok(waits.bind(to_millis(until)).fetch_one(&self.readers).await?)
    }

    /// Tells the absence of a group to `audience`. It is told once: nothing happens if it was told
    /// already, or the group has matched since it was read. Silences and quiet hours put the
    /// messages off. Returns whether it was told.
    pub async fn tell_absence(
        &self,
        group: &AbsentGroup,
        notice: RuleNotice,
        audience: Vec<Receiver>,
        policies: DeliveryPolicies,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let group = group.clone();
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let told = sqlx::query(
                        "UPDATE absence SET told = $4 WHERE rule = $1 AND dedup_key = $2 AND last = $3 AND told IS NULL",
                    )
                    .bind(&group.rule)
                    .bind(&group.dedup_key)
                    .bind(to_millis(group.last))
                    .bind(to_millis(now))
                    .execute(&mut *conn)
                    .await?;
                    if told.rows_affected() == 0 {
                        return Ok(false);
                    }
                    send_rule_notice(conn, notice, audience, &policies, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Tells `audience` that a rule is blind. A receiver gets it once for one time since which it
    /// is. Silences and quiet hours put the messages off.
    pub async fn tell_blind(
        &self,
        notice: RuleNotice,
        audience: Vec<Receiver>,
        policies: DeliveryPolicies,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(
                    async move { send_rule_notice(conn, notice, audience, &policies, now).await },
                )
            })
            .await
    }
}

const WATCH: &str = concat!(
    "INSERT INTO absence (rule, dedup_key, last) SELECT * FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key) DO NOTHING"
);

const FORGET: &str = concat!(
    "DELETE FROM absence WHERE (rule, dedup_key) IN (SELECT rule, dedup_key FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT),
    " AS given)"
);

/// Ends the absence of a group at a match of the time `last`, or notes the match.
pub(super) const END_ABSENCES: &str = concat!(
    "INSERT INTO absence (rule, dedup_key, last) SELECT * FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key) DO UPDATE
         SET last = max(absence.last, excluded.last), told = NULL"
);

/// Creates the messages of `notice`, each due when no silence of its rule and no quiet hours of its
/// receiver hold it back.
async fn send_rule_notice(
    conn: &mut SqliteConnection,
    notice: RuleNotice,
    audience: Vec<Receiver>,
    policies: &DeliveryPolicies,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let silences = silences::read_active_silences(conn, now).await?;
    let silence = silence::longest(&silences, &silenced_match(&notice), &[], "");
    let free = silence.map_or(now, |silence| silence.until);
    let default = DeliveryPolicy::default();
    let audience = audience.into_iter().map(|receiver| {
        let policy = policies.policies.get(&receiver.notifier).unwrap_or(&default);
        let due = volume::digest_due(policy, notice.severity, free, &policies.zone);
        (receiver, due)
    });
    let audience = audience.collect();
    let (key, content) = (notice.key(), Content::Notice(About::Rule(notice)));
    insert_notices_due(conn, [(key, content, audience)], now).await
}

/// What silences of the rule, its tags or its row mute.
fn silenced_match(notice: &RuleNotice) -> RuleMatch {
    RuleMatch {
        rule: notice.rule.clone(),
        row: notice.row.clone(),
        version: String::new(),
        text_sha256: None,
        severity: notice.severity,
        why: None,
        owner: None,
        tags: notice.tags.clone(),
        condition: None,
        evidence: Vec::new(),
    }
}
