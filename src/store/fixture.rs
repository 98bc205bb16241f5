//! Fixtures of the store tests: a store for a test alone, and records of polls.

mod home;
mod test_server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinHandle;

pub(crate) use self::home::Home;
pub(super) use self::home::open_beside;
use super::RunRole::Alone;
use super::outbox::{lease_due, read_first_messages};
use super::{
    CopyComparer, FeedState, FinalText, ItemRecord, Lease, LeaseLost, MatchResult, OpenContent,
    OpenMessage, OutboxTurn, PollRecord, Preparation, PreparedMessage, PreparedMessages, Store,
    StoryId, StoryPlan, StoryWait, WaitingStory, health,
};
use crate::alerts::breaker::{AT_ONCE, FailureCause, FailureScope};
use crate::alerts::receiver_health::ReceiverHealth;
use crate::alerts::retry::{Finish, RetryRecord};
use crate::alerts::send_queue::{Room, SendQueue, Sending};
use crate::alerts::volume::{DeliveryPolicies, Throttle};
use crate::alerts::{Content, NewAlert, Notification, Receiver, RuleMatch};
use crate::config::StorePlace;
use crate::feed::hints::PollHints;
use crate::feed::identity::{Claims, ItemKey, KnownItem, RemovedAndReturned};
use crate::polling::health::FeedHealthHistory;
use crate::shares::OwnShares;
use crate::store::db::{self, DbConnection};
use tidings_rules::condition::Publishers;
use tidings_rules::story::{
    Evidence, FeedName, Field, NotifierName, Read, Severity, Story, StoryKey,
};

/// A store for one test alone.
pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) writer: JoinHandle<Result<(), LeaseLost>>,
    pub(super) home: Home,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::open(Home::new().await, compare_here()).await
    }

    /// A store in a file, for tests about the file.
    pub(super) async fn of_file() -> Self {
        Self::open(Home::folder(), compare_here()).await
    }

    /// A store whose copies are compared by `comparer`.
    pub(super) async fn open(home: Home, comparer: CopyComparer) -> Self {
        let (store, writer) = Store::open(&home.place(), Alone, comparer).await.unwrap();
        Self { store, writer: tokio::spawn(writer), home }
    }

    /// Stops everything where it is and opens the same store again, when its lease is over.
    pub(super) async fn crash_and_reopen(self) -> Self {
        self.writer.abort();
        let _ = self.writer.await;
        drop(self.store);
        self.home.end_leases().await;
        Self::open(self.home, compare_here()).await
    }

    /// Stops as a clean stop does.
    pub(super) async fn stop_cleanly(self) -> Home {
        drop(self.store);
        self.writer.await.unwrap().unwrap();
        self.home
    }

    pub(super) fn place(&self) -> StorePlace {
        self.home.place()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.home.path()
    }

    pub(super) async fn start_run(&self, receivers: &[Receiver]) -> i64 {
        self.store.start_run(receivers, &OwnShares::All, at_second(100_000_000)).await.unwrap().run
    }

    /// Polls `feed` with these items at `now` seconds.
    pub(super) async fn poll(&self, feed: &str, now: i64, items: Vec<ItemRecord>) -> bool {
        self.store.record_poll(poll_record(feed, now, items)).await.unwrap()
    }

    /// Records a poll that failed.
    pub(super) async fn fail_poll(&self, feed: &str, now: i64) {
        let mut poll = poll_record(feed, now, Vec::new());
        poll.state.failures = 1;
        self.store.record_poll(poll).await.unwrap();
    }

    /// The stories that wait for their page, and then those that wait to be matched.
    pub(super) async fn waiting_stories(&self, now: i64) -> Vec<WaitingStory> {
        let mut waiting = self.waiting_for_page(now, &[], 100).await;
        waiting.extend(self.waiting_for_match(now).await);
        waiting
    }

    pub(super) async fn waiting_for_page(
        &self,
        now: i64,
        in_flight: &[StoryId],
        limit: u32,
    ) -> Vec<WaitingStory> {
        let (now, all) = (at_second(now), OwnShares::All);
        self.store.waiting_stories(StoryWait::Page, now, in_flight, &all, limit).await.unwrap()
    }

    pub(super) async fn waiting_for_match(&self, now: i64) -> Vec<WaitingStory> {
        let (now, all) = (at_second(now), OwnShares::All);
        self.store.waiting_stories(StoryWait::Match, now, &[], &all, 100).await.unwrap()
    }

    pub(super) async fn next_page_due(&self, in_flight: &[StoryId]) -> Option<Timestamp> {
        self.store.next_waiting_due(StoryWait::Page, in_flight, &OwnShares::All).await.unwrap()
    }

    /// What is known of a feed's items with the one-notification keys that tests give them.
    pub(super) async fn known_items(&self, feed: &str) -> Vec<KnownItem> {
        let keys = ('a'..='z').map(String::from).chain(["a2".to_owned()]).collect();
        let claims = Claims { keys, ..Claims::default() };
        self.store.known_items(&FeedName(feed.to_owned()), claims).await.unwrap()
    }

    /// Leases all that is due for `notifier`.
    pub(super) async fn lease(&self, run: i64, notifier: &str, now: i64) -> Vec<Lease> {
        self.lease_at_most(run, notifier, 100, now, render_as_json()).await
    }

    /// Leases at most `limit` of what is due for `notifier`, whatever its health.
    pub(super) async fn lease_at_most(
        &self,
        run: i64,
        notifier: &str,
        limit: u32,
        now: i64,
        render: Render,
    ) -> Vec<Lease> {
        let notifier = NotifierName(notifier.to_owned());
        let mut prepared = self.prepare_due(&[&notifier], now, &render).await;
        loop {
            let notifier = notifier.clone();
            let work = self.store.writer.write(move |conn| {
                Box::pin(lease_whatever_its_health(conn, run, notifier, limit, now, prepared))
            });
            let turn = work.await.unwrap();
            if turn.unprepared.is_empty() || !turn.leases.is_empty() {
                return turn.leases;
            }
            prepared = self.prepare(&turn.unprepared, now, &render).await;
        }
    }

    /// Prepares what is due for these notifiers.
    async fn prepare_due(
        &self,
        notifiers: &[&NotifierName],
        now: i64,
        render: &Render,
    ) -> PreparedMessages {
        let none = PreparedMessages::new();
        let open = self
            .store
            .read_next_open_messages(notifiers, 1000, &none, at_second(now))
            .await
            .unwrap();
        open.into_iter().map(|open| prepare_message(open, now, render)).collect()
    }

    /// Prepares these messages as the dispatcher does.
    pub(super) async fn prepare(
        &self,
        messages: &[i64],
        now: i64,
        render: &Render,
    ) -> PreparedMessages {
        let open = self.store.read_open_messages(messages, at_second(now)).await.unwrap();
        open.into_iter().map(|open| prepare_message(open, now, render)).collect()
    }

    /// Records the result of an attempt. Returns `false` if its lease was over.
    pub(super) async fn finish_attempt(
        &self,
        run: i64,
        lease: &Lease,
        finish: Finish,
        now: i64,
    ) -> bool {
        let open = "SELECT count(*) || '' FROM attempt WHERE ended IS NULL";
        let before = self.query_text(open).await;
        self.outbox_turn(run, vec![(lease.clone(), finish)], &[], now).await;
        before != self.query_text(open).await
    }

    /// A turn of the outbox. `in_flight`: how many messages are in flight to each notifier.
    pub(super) async fn outbox_turn(
        &self,
        run: i64,
        ended: Vec<(Lease, Finish)>,
        in_flight: &[(&str, u32)],
        now: i64,
    ) -> OutboxTurn {
        let sending = in_flight.iter().map(|(notifier, in_flight)| {
            let to = [(String::new(), *in_flight)].into();
            (NotifierName((*notifier).to_owned()), Sending { at_once: AT_ONCE, in_flight: to })
        });
        let sending: BTreeMap<NotifierName, Sending> = sending.collect();
        let notifiers: Vec<&NotifierName> = sending.keys().collect();
        let mut prepared = self.prepare_due(&notifiers, now, &render_as_json()).await;
        let mut ended = ended;
        loop {
            let turn = self.store.outbox_turn(
                run,
                std::mem::take(&mut ended),
                sending.clone(),
                at_second(now),
                Arc::new(prepared),
            );
            let turn = turn.await.unwrap();
            if turn.unprepared.is_empty() || !turn.leases.is_empty() {
                return turn;
            }
            prepared = self.prepare(&turn.unprepared, now, &render_as_json()).await;
        }
    }

    /// When the first message of each recipient of the desk is due.
    pub(super) async fn next_due(&self) -> Vec<(String, Timestamp)> {
        let notifier = desk_receiver().notifier;
        let first = self
            .store
            .writer
            .write(|conn| Box::pin(async move { read_first_messages(conn, &notifier, 1).await }))
            .await
            .unwrap();
        first.into_iter().map(|(recipient, messages)| (recipient, messages[0].due)).collect()
    }

    /// The health of all receivers.
    pub(super) async fn receiver_health(&self) -> ReceiverHealth {
        self.store.writer.write(|conn| Box::pin(health::read_receiver_health(conn))).await.unwrap()
    }

    /// The rules and feeds of each message that a new run is given for the desk.
    pub(super) async fn sent_rules_and_feeds(&self, now: i64) -> Vec<(Vec<String>, Vec<String>)> {
        let run = self.start_run(&[desk_receiver()]).await;
        self.lease(run, "desk", now)
            .await
            .iter()
            .map(|lease| rules_and_feeds(&lease.payload))
            .collect()
    }

    /// The first column of the first row, as text.
    pub(super) async fn query_text(&self, sql: &'static str) -> Option<String> {
        db::query_scalar(sql).fetch_one(&self.store.readers).await.unwrap()
    }
}

/// Compares copies on the caller's thread.
pub(crate) fn compare_here() -> CopyComparer {
    Arc::new(|batch| Box::pin(async move { batch.decide() }))
}

/// Renders a notification for a receiver.
pub(super) type Render =
    Arc<dyn Fn(&Receiver, &Notification) -> Result<Vec<u8>, String> + Send + Sync>;

/// What a turn does with an open message.
fn prepare_message(open: OpenMessage, now: i64, render: &Render) -> (i64, PreparedMessage) {
    let preparation = match open.content {
        OpenContent::Parts(parts) => Preparation::Split(parts),
        OpenContent::Whole(notification) => match render(&open.receiver, &notification) {
            Ok(payload) => Preparation::Payload(payload),
            Err(why) => Preparation::Unrenderable(why),
        },
    };
    let (revision, made) = (open.revision, at_second(now));
    (open.message, PreparedMessage { revision, preparation, made })
}

/// Leases messages of a notifier that has room for `free`, as every recipient has.
async fn lease_whatever_its_health(
    conn: &mut DbConnection<'_>,
    run: i64,
    notifier: NotifierName,
    free: u32,
    now: i64,
    prepared: PreparedMessages,
) -> Result<OutboxTurn, sqlx::Error> {
    let health_of_all = health::read_receiver_health(conn).await?;
    let away = &health_of_all.away;
    let whole = Receiver::whole_notifier(&notifier);
    let whole = away.get(&whole).map(|health| (whole, health.clone())).into_iter().collect();
    let (sending, healthy) = (Sending { at_once: free, ..Sending::default() }, BTreeMap::new());
    let now = at_second(now);
    let room = Room::of_notifier(&notifier, &sending, &healthy, now).expect("room");
    let pending = read_first_messages(conn, &notifier, room.pending_needed()).await?;
    let queue = SendQueue::new(&notifier, room, &sending, pending, &whole, now);
    let mut turn = OutboxTurn { receiver_health: health_of_all, ..OutboxTurn::default() };
    lease_due(conn, run, queue, &prepared, now, &mut turn).await?;
    Ok(turn)
}

/// Whether nothing is known against `receiver` and its notifier: no failure, rest or refusal.
pub(super) fn is_healthy(health: &ReceiverHealth, receiver: &Receiver) -> bool {
    !health.away.contains_key(receiver)
        && !health.away.contains_key(&Receiver::whole_notifier(&receiver.notifier))
        && !health.refusals.contains_key(receiver)
}

/// An attempt that failed as `cause` and concerns `scope`; it is repeated at `seconds`.
pub(super) fn retry_finish(cause: FailureCause, scope: FailureScope, seconds: i64) -> Finish {
    let (counts, why) = (cause == FailureCause::Failed, "421 try later".to_owned());
    Finish::Retry(RetryRecord {
        due: at_second(seconds),
        cause,
        scope,
        counts,
        rest_until: None,
        why,
    })
}

pub(super) fn at_second(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

pub(super) fn feed_state(feed: &str) -> FeedState {
    FeedState {
        name: FeedName(feed.to_owned()),
        address: "5f".to_owned(),
        etag: None,
        last_modified: None,
        next_poll: Some(at_second(900)),
        next_why: "every 15 minutes".to_owned(),
        last_poll: Some(at_second(1)),
        last_good: Some(at_second(0)),
        failures: 0,
        error: None,
        mean_gap: Some(Duration::from_millis(5_400_001)),
        hints: PollHints::default(),
        moved: None,
        health_history: FeedHealthHistory {
            failing_since: None,
            last_news: Some(at_second(-9)),
            notified: None,
        },
        unreached: false,
    }
}

pub(super) fn poll_record(feed: &str, now: i64, items: Vec<ItemRecord>) -> PollRecord {
    let removed_and_returned = RemovedAndReturned::default();
    PollRecord {
        now: at_second(now),
        state: feed_state(feed),
        items,
        removed_and_returned,
        gap: None,
        notices: vec![],
    }
}

/// What one poll finds: these known items left, those came back.
pub(super) fn removed_and_returned(gone: &[&str], back: &[&str]) -> RemovedAndReturned {
    let [gone, back] =
        [gone, back].map(|keys| keys.iter().map(|key| ItemKey((*key).to_owned())).collect());
    RemovedAndReturned { removed: gone, returned: back }
}

pub(super) fn story(title: &str, body: &str) -> Story {
    Story {
        title: title.to_owned(),
        body: body.to_owned(),
        url: Some("https://example.org/arms".to_owned()),
        published: Some(at_second(-60)),
        first_seen: at_second(0),
        lang: Some("en-GB".to_owned()),
        authors: vec!["A. Writer".to_owned()],
        tags: vec!["Asia".to_owned(), "arms".to_owned()],
        source: Some("Northern Gazette".to_owned()),
    }
}

/// An item of the story `key`, known in its feed by the same key.
pub(super) fn item(key: &str, plan: StoryPlan) -> ItemRecord {
    ItemRecord {
        key: ItemKey(key.to_owned()),
        renews: false,
        previous_key: None,
        guid: Some(key.to_owned()),
        link: Some(format!("http://example.org/{key}")),
        stem: Some(format!("/{key}")),
        hash: "0".to_owned(),
        text_hash: None,
        url: Some(format!("https://example.org/{key}?utm_source=feed")),
        story: StoryKey(key.to_owned()),
        story_change: Some((story(key, "Teaser."), plan)),
    }
}

/// The result of matching a full text: these rules matched and notify the desk.
pub(super) fn match_result(rules: &[&str]) -> MatchResult {
    let alerts = rules.iter().map(|rule| new_alert(rule, &[desk_receiver()])).collect();
    let policy = Arc::new(DeliveryPolicies {
        policies: BTreeMap::new(),
        zone: TimeZone::UTC,
        publishers: Publishers::default(),
    });
    MatchResult {
        read: Read::Full,
        fingerprint: None,
        joins: None,
        alerts,
        feeds: vec![FeedName("wire".to_owned())],
        due: at_second(0),
        policy,
    }
}

/// A final text that took one fetch.
pub(super) fn final_text(body: &str, match_result: MatchResult) -> FinalText {
    FinalText { body: body.to_owned(), lang: None, match_result, fetches: 1, recheck_at: None }
}

pub(super) fn settle_plan(rules: &[&str]) -> StoryPlan {
    StoryPlan::Settle(match_result(rules))
}

pub(super) fn new_alert(rule: &str, receivers: &[Receiver]) -> NewAlert {
    let evidence = Evidence {
        term: "arms".to_owned(),
        label: None,
        clause: Some("title:arms".to_owned()),
        field: Field::Title,
        sentence: "arms".to_owned(),
        marks: std::iter::once(0..4).collect(),
    };
    let rule_match = RuleMatch {
        rule: rule.to_owned(),
        row: None,
        version: format!("hash of {rule}"),
        text_sha256: Some("hash of the text".to_owned()),
        severity: Severity::High,
        why: None,
        owner: Some("ana".to_owned()),
        tags: vec![],
        condition: None,
        evidence: vec![evidence],
    };
    NewAlert {
        rule_match,
        dedup_key: String::new(),
        throttle: Throttle::default(),
        condition: None,
        keys: Vec::new(),
        receivers: receivers.to_vec(),
    }
}

pub(super) fn receiver(notifier: &str, recipient: &str) -> Receiver {
    Receiver { notifier: NotifierName(notifier.to_owned()), recipient: recipient.to_owned() }
}

pub(super) fn desk_receiver() -> Receiver {
    receiver("desk", "desk@example.org")
}

/// Renders notifications as JSON.
pub(super) fn render_as_json() -> Render {
    Arc::new(|_, notification| serde_json::to_vec(notification).map_err(|error| error.to_string()))
}

pub(super) fn parse_notification(payload: &[u8]) -> Notification {
    serde_json::from_slice(payload).unwrap()
}

pub(super) fn rules_and_feeds(payload: &[u8]) -> (Vec<String>, Vec<String>) {
    let Content::Alert { rules, feeds, .. } = parse_notification(payload).content else {
        panic!("not an alert")
    };
    (
        rules.into_iter().map(|rule_match| rule_match.rule).collect(),
        feeds.into_iter().map(|seen| seen.feed.0).collect(),
    )
}
