//! The groups of rules with `absent`: when each last matched, and whether its absence was told.

use std::sync::Arc;

use jiff::Timestamp;

use super::column::{from_millis, to_millis};
use super::dialect::sql;
use super::health::insert_notices_due;
use super::{Store, StoreError, silences};
use crate::alerts::notice::{About, RuleNotice, RuleNoticeKind};
use crate::alerts::volume::DeliveryPolicies;
use crate::alerts::{Content, Receiver, RuleMatch, silence, volume};
use crate::lifecycle::message::{self, MessageEvent};
use crate::store::db::{self, DbConnection, Sql, SqlList};
use tidings_rules::story::FeedName;
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
    /// Whether there was a match: `last` is its time.
    pub has_matched: bool,
    /// When its absence since then was told; `None`: it was not.
    pub told: Option<Timestamp>,
}

/// The feeds whose stories may match a rule with `absent`.
#[derive(Clone, Debug)]
pub struct ReadFeeds {
    /// Their names.
    pub names: Vec<FeedName>,
    /// A story that waits for its page since then may match. One that waits longer holds nothing
    /// up. One that waits to be matched may match however long it waits.
    pub since: Timestamp,
}

impl ReadFeeds {
    /// Whether a story waits that may match.
    async fn has_waiting_story(&self, conn: &mut DbConnection<'_>) -> Result<bool, sqlx::Error> {
        let waits = db::query_scalar(sql!(
            "SELECT EXISTS (SELECT 1 FROM story WHERE status IN ('awaits_page', 'awaits_match')
                 AND (status = 'awaits_match' OR waiting_since >= $1)
                 AND EXISTS (SELECT 1 FROM feed_entry WHERE feed_entry.story = story.id AND feed_entry.feed IN ",
            text_list!("$2"),
            "))"
        ));
        waits.bind(to_millis(self.since)).bind(SqlList::new(&self.names)?).fetch_one(conn).await
    }
}

impl Store {
    /// The groups of all rules with `absent`.
    pub async fn absent_groups(&self) -> Result<Vec<AbsentGroup>, StoreError> {
        Ok(read_groups(&mut self.readers.acquire().await?).await?)
    }

    /// Watches rules without `each` from `now` on that are not watched yet, and forgets groups that
    /// no rule in force has. A last match in the future, from a clock that was ahead, was at `now`.
    pub async fn watch_absences(
        &self,
        rules: Vec<String>,
        gone: Vec<AbsentGroup>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let watched = rules.iter().map(|rule| (rule, "", to_millis(now)));
        let watched = SqlList::new(&watched.collect::<Vec<_>>())?;
        let gone = gone.iter().map(|group| (&group.rule, &group.dedup_key));
        let gone = SqlList::new(&gone.collect::<Vec<_>>())?;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    db::query(FORGET).bind(gone).execute(&mut *conn).await?;
                    let future = "UPDATE absence SET last = $1 WHERE last > $1";
                    db::query(future).bind(to_millis(now)).execute(&mut *conn).await?;
                    db::query(WATCH).bind(watched).execute(conn).await.map(drop)
                })
            })
            .await
    }

    /// Tells the absence of a group to an audience. It is told once: nothing happens if it was told
    /// already, the group has matched since it was read, or a story may match that was `read`.
    /// Silences and quiet hours put the messages off. Returns whether it was told.
    pub async fn tell_absence(
        &self,
        group: &AbsentGroup,
        read: ReadFeeds,
        (notice, audience): (RuleNotice, Vec<Receiver>),
        policies: Arc<DeliveryPolicies>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let group = group.clone();
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    if read.has_waiting_story(conn).await? {
                        return Ok(false);
                    }
                    let told = db::query(
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
        policies: Arc<DeliveryPolicies>,
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

/// The groups of all rules with `absent`, in the order of the rules.
pub(super) async fn read_groups(
    conn: &mut DbConnection<'_>,
) -> Result<Vec<AbsentGroup>, sqlx::Error> {
    let rows: Vec<(String, String, i64, bool, Option<i64>)> = db::query_as(
        "SELECT rule, dedup_key, last, matched, told FROM absence ORDER BY rule, dedup_key",
    )
    .fetch_all(conn)
    .await?;
    let groups = rows.into_iter().map(|(rule, dedup_key, last, has_matched, told)| {
        let told = told.map(from_millis).transpose()?;
        Ok(AbsentGroup { rule, dedup_key, last: from_millis(last)?, has_matched, told })
    });
    groups.collect()
}

const WATCH: Sql = sql!(
    "INSERT INTO absence (rule, dedup_key, last, matched) SELECT given.*, FALSE FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key) DO NOTHING"
);

const FORGET: Sql = sql!(
    "DELETE FROM absence WHERE (rule, dedup_key) IN (SELECT rule, dedup_key FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT),
    " AS given)"
);

/// Ends the absence of a group at a match of the time `last`, or notes the match. A match of an
/// earlier time (`$2`) ends no absence that began after it.
pub(super) const END_ABSENCES: Sql = sql!(
    "INSERT INTO absence (rule, dedup_key, last, matched) SELECT given.*, TRUE FROM ",
    row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 last BIGINT),
    " AS given WHERE TRUE ON CONFLICT (rule, dedup_key) DO UPDATE
         SET last = CASE WHEN absence.last > excluded.last THEN absence.last ELSE excluded.last END,
             matched = CASE WHEN absence.last > excluded.last THEN absence.matched ELSE TRUE END,
             told = CASE WHEN $2 AND absence.last > excluded.last THEN absence.told END"
);

/// Withdraws the messages about absences that have ended. One that may have been sent stays: it is
/// in flight, or an attempt may have delivered it.
pub(super) async fn withdraw_notices(
    conn: &mut DbConnection<'_>,
    ended: &[&RuleMatch],
) -> Result<(), sqlx::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let keys = ended.iter().map(|found| {
        let row = found.row.as_ref();
        let first = RuleNotice::group_key(RuleNoticeKind::Absent, &found.rule, row);
        // `;` follows the `:` at the end of the prefix.
        let beyond = format!("{};", first.trim_end_matches(':'));
        (first, beyond)
    });
    let keys = SqlList::new(&keys.collect::<Vec<_>>())?;
    for (from, next) in message::moves(MessageEvent::Withdrawn) {
        db::query(WITHDRAW)
            .bind(&keys)
            .bind(from.as_str())
            .bind(next.status.as_str())
            .bind("withdrawn: the rule matched before it was sent")
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

const WITHDRAW: Sql = sql!(
    "UPDATE message SET status = $3, why = $4 FROM ",
    row_list!("$1", 0 first TEXT, 1 beyond TEXT),
    " AS given WHERE message.key >= given.first AND message.key < given.beyond
         AND message.status = $2 AND NOT message.may_have_arrived"
);

/// Creates the messages of `notice`, each due when no silence of its rule and no quiet hours of its
/// receiver hold it back.
async fn send_rule_notice(
    conn: &mut DbConnection<'_>,
    notice: RuleNotice,
    audience: Vec<Receiver>,
    policies: &DeliveryPolicies,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let silences = silences::read_active_silences(conn, now).await?;
    let silence = silence::longest(&silences, (&notice).into(), &[], "");
    let free = silence.map_or(now, |silence| silence.until);
    let default = DeliveryPolicy::default();
    let audience = audience.into_iter().map(|receiver| {
        let policy = policies.policies.get(&receiver.notifier).unwrap_or(&default);
        let due = volume::digest_due(policy, notice.severity, free, &policies.zone);
        (receiver, due)
    });
    let audience = audience.collect();
    let (key, content) = (notice.key(), Content::Notice(About::Rule(notice)));
    insert_notices_due(conn, [(key, content, audience)], silence.map(|one| one.id), now).await
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::alerts::silence::SilenceTarget;
    use crate::store::fixture::{
        Bench, at_second, desk_receiver, item, match_result, new_alert, parse_notification,
        settle_plan,
    };
    use crate::store::{MatchResult, StoryPlan, add_silence, end_silence, list_silences};
    use tidings_rules::condition::{Absent, Condition};
    use tidings_rules::story::Severity;
    use tidings_rules::story::delivery::Day;

    const RULE: &str = "silent";

    fn absent_match() -> StoryPlan {
        let (longest, days) = (std::time::Duration::from_hours(2), Day::all());
        let condition = Some(Condition::Absent(Absent { longest, hours: None, days }));
        let alert = crate::alerts::NewAlert { condition, ..new_alert(RULE, &[desk_receiver()]) };
        StoryPlan::Settle(MatchResult { alerts: vec![alert], ..match_result(&[]) })
    }

    fn notice(since: Timestamp) -> RuleNotice {
        RuleNotice {
            kind: RuleNoticeKind::Absent,
            rule: RULE.to_owned(),
            row: None,
            condition: "no match for 2h".to_owned(),
            severity: Severity::High,
            why: None,
            owner: None,
            tags: Vec::new(),
            since,
            failing: Vec::new(),
        }
    }

    async fn tell(bench: &Bench, group: &AbsentGroup, now: i64) -> bool {
        let read = ReadFeeds { names: vec![FeedName("wire".to_owned())], since: at_second(now) };
        tell_of_feeds(bench, group, read, now).await
    }

    async fn tell_of_feeds(bench: &Bench, group: &AbsentGroup, read: ReadFeeds, now: i64) -> bool {
        let policies = match_result(&[]).policy;
        let notice = (notice(group.last), vec![desk_receiver()]);
        bench.store.tell_absence(group, read, notice, policies, at_second(now)).await.unwrap()
    }

    async fn only_group(bench: &Bench) -> AbsentGroup {
        let groups = bench.store.absent_groups().await.unwrap();
        assert_eq!(groups.len(), 1);
        groups.into_iter().next().unwrap()
    }

    async fn watch(bench: &Bench, now: i64) {
        let rules = vec![RULE.to_owned()];
        bench.store.watch_absences(rules, Vec::new(), at_second(now)).await.unwrap();
    }

    #[tokio::test]
    async fn an_absence_is_told_once_also_after_a_crash_and_the_next_match_ends_it() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        watch(&bench, 50).await;
        let group = only_group(&bench).await;
        assert_eq!((group.last, group.has_matched, group.told), (at_second(0), false, None));
        assert!(tell(&bench, &group, 7200).await);
        let bench = bench.crash_and_reopen().await;
        assert!(!tell(&bench, &group, 7201).await);
        assert_eq!(only_group(&bench).await.told, Some(at_second(7200)));

        bench.poll("wire", 8000, vec![item("a", absent_match())]).await;
        bench.poll("wire", 8060, vec![item("b", absent_match())]).await;
        assert_eq!(
            only_group(&bench).await,
            AbsentGroup { last: at_second(8060), has_matched: true, told: None, ..group }
        );
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 90_000).await;
        let told: Vec<String> = leases
            .iter()
            .map(|lease| match parse_notification(&lease.payload).content {
                Content::Notice(about) => format!("notice: {}", about.subject()),
                Content::Alert { story, rules, .. } => {
                    let state = rules[0].condition.clone().unwrap();
                    format!("{}: {}", story.title, state.progress.unwrap())
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let first = "a: the first match since 1970-01-12 13:46 UTC";
        assert_eq!(told, [first], "the notice is withdrawn, and the second match is held");
    }

    #[tokio::test]
    async fn a_backfill_ends_no_absence_that_began_after_its_match() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("old", settle_plan(&[]))]).await;
        bench.poll("wire", 100, vec![item("a", absent_match())]).await;
        let group = only_group(&bench).await;
        assert!(tell(&bench, &group, 7300).await);
        let old = bench.store.settled_stories(at_second(0), None, 1).await.unwrap().remove(0);
        let StoryPlan::Settle(result) = absent_match() else { unreachable!("it is settled") };
        assert!(bench.store.add_alerts(old.id, 1, result, at_second(7400)).await.unwrap());
        assert_eq!(only_group(&bench).await, AbsentGroup { told: Some(at_second(7300)), ..group });
        let held = "SELECT group_concat(story) FROM alert WHERE held";
        assert_eq!(bench.query_text(held).await.unwrap(), "2,1");
    }

    #[tokio::test]
    async fn a_match_before_the_rule_was_in_force_is_no_last_match() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("old", settle_plan(&[]))]).await;
        watch(&bench, 60).await;
        let group = only_group(&bench).await;
        let old = bench.store.settled_stories(at_second(0), None, 1).await.unwrap().remove(0);
        let StoryPlan::Settle(result) = absent_match() else { unreachable!("it is settled") };
        assert!(bench.store.add_alerts(old.id, 1, result, at_second(70)).await.unwrap());
        assert_eq!(only_group(&bench).await, group);
        assert!(!group.has_matched);
    }

    #[tokio::test]
    async fn an_absence_is_not_told_if_a_match_came_since_it_was_read() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let group = only_group(&bench).await;
        bench.poll("wire", 7100, vec![item("a", absent_match())]).await;
        assert!(!tell(&bench, &group, 7200).await);
        let messages = "SELECT count(*) || '' FROM message";
        assert_eq!(bench.query_text(messages).await.unwrap(), "0");
    }

    #[tokio::test]
    async fn a_silence_of_the_rule_puts_its_message_off() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let target = SilenceTarget::Rule(RULE.to_owned());
        let (until, now) = (at_second(9000), at_second(100));
        add_silence(&bench.place(), target, until, "holidays".to_owned(), now).await.unwrap();
        assert!(tell(&bench, &only_group(&bench).await, 7200).await);
        assert_eq!(bench.next_due().await, [(desk_receiver().recipient, until)]);
        let listed = list_silences(&bench.place(), now).await.unwrap();
        assert_eq!(listed.iter().map(|(_, muted)| *muted).collect::<Vec<_>>(), [1]);
    }

    #[tokio::test]
    async fn the_message_is_sent_when_no_silence_mutes_it() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let target = SilenceTarget::Rule(RULE.to_owned());
        let silence = async |until, now| {
            let (place, target) = (bench.place(), target.clone());
            add_silence(&place, target, at_second(until), String::new(), at_second(now)).await
        };
        let short = silence(9000, 100).await.unwrap();
        assert!(tell(&bench, &only_group(&bench).await, 7200).await);
        let long = silence(9900, 7300).await.unwrap();
        for (ended, at, due) in [(short, 7400, 9900), (long, 7500, 7500)] {
            end_silence(&bench.place(), ended.id, at_second(at)).await.unwrap().unwrap();
            assert_eq!(bench.next_due().await, [(desk_receiver().recipient, at_second(due))]);
        }
    }

    #[tokio::test]
    async fn an_absence_that_was_not_sent_is_withdrawn_when_it_ends() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let target = SilenceTarget::Rule(RULE.to_owned());
        let (until, now) = (at_second(9000), at_second(100));
        add_silence(&bench.place(), target, until, String::new(), now).await.unwrap();
        assert!(tell(&bench, &only_group(&bench).await, 7200).await);
        let of_another = RuleNotice { rule: "silent 2".to_owned(), ..notice(at_second(0)) };
        let policies = match_result(&[]).policy;
        let audience = vec![desk_receiver()];
        bench.store.tell_blind(of_another, audience, policies, at_second(7200)).await.unwrap();

        bench.poll("wire", 8000, vec![item("a", absent_match())]).await;
        let withdrawn = "SELECT min(why) FROM message WHERE status = 'dropped'";
        let why = "withdrawn: the rule matched before it was sent";
        assert_eq!(bench.query_text(withdrawn).await.as_deref(), Some(why));
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 90_000).await;
        let notices =
            leases.iter().filter_map(|lease| match parse_notification(&lease.payload).content {
                Content::Notice(about) => Some(about.subject()),
                _ => None,
            });
        assert_eq!(notices.collect::<Vec<_>>(), ["silent 2"], "the other rule is still absent");
    }

    #[tokio::test]
    async fn an_absence_that_may_have_been_sent_is_not_withdrawn() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        assert!(tell(&bench, &only_group(&bench).await, 7200).await);
        let run = bench.start_run(&[desk_receiver()]).await;
        assert_eq!(bench.lease(run, "desk", 7300).await.len(), 1);
        let bench = bench.crash_and_reopen().await;
        bench.start_run(&[desk_receiver()]).await;
        bench.poll("wire", 8000, vec![item("a", absent_match())]).await;
        let pending = "SELECT count(*) || '' FROM message WHERE status = 'pending'";
        assert_eq!(bench.query_text(pending).await.as_deref(), Some("2"));
    }

    #[tokio::test]
    async fn groups_that_no_rule_has_are_forgotten() {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let gone = bench.store.absent_groups().await.unwrap();
        bench.store.watch_absences(Vec::new(), gone, at_second(9)).await.unwrap();
        assert_eq!(bench.store.absent_groups().await.unwrap(), []);
        watch(&bench, 60).await;
        assert_eq!(only_group(&bench).await.last, at_second(60), "it begins anew");
    }

    #[rstest]
    #[case::for_its_page(StoryPlan::ReadPage, "wire", 5, false)]
    #[case::for_its_page_for_too_long(StoryPlan::ReadPage, "wire", 6, true)]
    #[case::to_be_matched(StoryPlan::AwaitMatch, "wire", 6, false)]
    #[case::of_another_feed(StoryPlan::AwaitMatch, "paper", 0, true)]
    #[case::for_nothing(settle_plan(&[]), "wire", 0, true)]
    #[tokio::test]
    async fn no_absence_is_told_while_a_story_waits_that_may_match(
        #[case] plan: StoryPlan,
        #[case] feed: &str,
        #[case] since: i64,
        #[case] is_told: bool,
    ) {
        let bench = Bench::new().await;
        watch(&bench, 0).await;
        let group = only_group(&bench).await;
        bench.poll("wire", 5, vec![item("a", plan)]).await;
        let read = ReadFeeds { names: vec![FeedName(feed.to_owned())], since: at_second(since) };
        assert_eq!(tell_of_feeds(&bench, &group, read, 7200).await, is_told);
    }

    #[tokio::test]
    async fn a_receiver_is_told_once_that_a_rule_is_blind() {
        let bench = Bench::new().await;
        let policies = match_result(&[]).policy;
        let blind = RuleNotice { kind: RuleNoticeKind::Blind, ..notice(at_second(0)) };
        for now in [10, 20] {
            let (notice, audience) = (blind.clone(), vec![desk_receiver()]);
            bench
                .store
                .tell_blind(notice, audience, Arc::clone(&policies), at_second(now))
                .await
                .unwrap();
        }
        assert!(bench.store.was_notified(&blind.key()).await.unwrap());
        assert_eq!(bench.query_text("SELECT count(*) || '' FROM message").await.unwrap(), "1");
    }
}
