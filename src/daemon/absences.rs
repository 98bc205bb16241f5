//! Tells absences: that a rule with `absent`, or a row of it, had no match for long enough.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::{info, warn};

use crate::alerts::absence::{AbsenceDecision, FeedPolls, Intake, decide, find_blind};
use crate::alerts::draft;
use crate::alerts::notice::{RuleNotice, RuleNoticeKind};
use crate::clock::now;
use crate::daemon::in_force::{InForce, Shared};
use crate::daemon::scheduler::Chore;
use crate::daemon::wakeups::Wakeups;
use crate::queries::names::known_names;
use crate::store::{AbsentGroup, FeedState, ReadFeeds, Store, StoreError};
use tidings_rules::condition::{Absent, Condition};
use tidings_rules::story::FeedName;
use tidings_rules::{Carrier, Rule};

/// The absences of a run.
#[derive(Clone, Debug)]
pub(crate) struct Absences {
    pub(super) store: Store,
    pub(super) in_force: Shared,
    pub(super) wakeups: Arc<Wakeups>,
    /// Since when the run takes stories from elsewhere. `None`: a single round waits for none.
    pub(super) intake: Option<Arc<Mutex<Intake>>>,
}

impl Chore for Absences {
    const FAILED: &'static str = "rules with `absent` cannot be checked";
    const EVERY: Option<Duration> = Some(Duration::from_secs(20));

    async fn run(self) -> Result<(), StoreError> {
        let in_force = self.in_force.load_full();
        let at = now();
        let has_caught_up = self.intake.as_ref().is_none_or(|intake| {
            intake.lock().unwrap_or_else(PoisonError::into_inner).has_caught_up(at)
        });
        let rules = AbsentRules::new(&in_force, has_caught_up.then_some(at), at);
        let groups = self.store.absent_groups().await?;
        if rules.by_row.is_empty() && groups.is_empty() {
            return Ok(());
        }
        let (kept, gone): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| rules.has(group));
        let new = rules.new_groups(&kept);
        let is_ahead = kept.iter().any(|group| group.last > at);
        if !new.is_empty() || !gone.is_empty() || is_ahead {
            self.store.watch_absences(new, gone, at).await?;
        }
        let states = self.store.feed_states().await?;
        let states = states.iter().map(|state| (&state.name, state)).collect();
        self.tell_blind(&in_force, &rules, &states, at).await?;
        for group in kept.iter().filter(|group| group.told.is_none()) {
            self.tell_absence(&in_force, &rules, &states, group, at).await?;
        }
        Ok(())
    }
}

/// The state of each feed that was polled.
type FeedStates<'s> = HashMap<&'s FeedName, &'s FeedState>;

impl Absences {
    /// Tells the absence of `group` if it is due, and its feeds were read since.
    async fn tell_absence(
        &self,
        in_force: &InForce,
        rules: &AbsentRules<'_>,
        states: &FeedStates<'_>,
        group: &AbsentGroup,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(watch) = rules.get(group) else { return Ok(()) };
        let due = watch.absent.due(group.last, &in_force.config.zone);
        let Some(due) = due.filter(|due| *due <= at) else { return Ok(()) };
        let feeds = watch.feeds(rules, states);
        let AbsenceDecision::Tell(ill) = decide(&feeds, due) else { return Ok(()) };
        let read = ReadFeeds {
            names: feeds.iter().map(|feed| feed.name.clone()).collect(),
            since: at.checked_sub(watch.absent.longest).unwrap_or(Timestamp::MIN),
        };
        let notice = watch.notice(RuleNoticeKind::Absent, group.last, ill);
        let subject = notice.subject();
        let audience = draft::rule_receivers(watch.rule, &in_force.config);
        let policies = Arc::clone(&in_force.policies);
        if self.store.tell_absence(group, read, (notice, audience), policies, at).await? {
            info!(event = "absence_told", rule = %watch.rule.name(), "{subject}: {}", watch.absent);
            self.wakeups.message_due.notify_one();
        }
        Ok(())
    }

    /// Tells which rules are blind, once for each time since which a rule is.
    async fn tell_blind(
        &self,
        in_force: &InForce,
        rules: &AbsentRules<'_>,
        states: &FeedStates<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for watch in rules.by_name() {
            let feeds = watch.feeds(rules, states);
            let Some((since, ill)) = find_blind(&feeds, watch.absent.longest, at) else { continue };
            let mut notice = watch.notice(RuleNoticeKind::Blind, since, ill);
            notice.row = None;
            if self.store.was_notified(&notice.key()).await? {
                continue;
            }
            let rule = watch.rule.name();
            warn!(event = "rule_blind", %rule, "{rule}: it does not see what its failing feeds bring");
            let audience = draft::rule_receivers(watch.rule, &in_force.config);
            let policies = Arc::clone(&in_force.policies);
            self.store.tell_blind(notice, audience, policies, at).await?;
            self.wakeups.message_due.notify_one();
        }
        Ok(())
    }
}

/// The rules in force with `absent`.
struct AbsentRules<'r> {
    /// By name and the id of the row, which is empty for a rule without `each`.
    by_row: BTreeMap<(&'r str, &'r str), AbsentRule<'r>>,
    /// All feeds.
    feeds: Vec<Carrier>,
    /// Those that are not polled.
    receiving: BTreeSet<&'r FeedName>,
    /// Until when everything has come that they bring; `None`: senders may still catch up.
    received: Option<Timestamp>,
}

/// A rule with `absent`, or a row of one.
#[derive(Clone, Copy)]
struct AbsentRule<'r> {
    rule: &'r Rule,
    absent: &'r Absent,
}

impl<'r> AbsentRules<'r> {
    /// Those of `in_force` at `now`. A rule that has expired is none of them: it matches nothing.
    fn new(in_force: &'r InForce, received: Option<Timestamp>, now: Timestamp) -> Self {
        let today = now.to_zoned_datetime(TimeZone::UTC).date();
        let rules = in_force.rules.iter().filter_map(|rule| {
            let Some(Condition::Absent(absent)) = &rule.settings.condition else { return None };
            let is_over = rule.settings.expires.is_some_and(|last| last < today);
            let row = rule.row().map_or("", |row| row.id.as_str());
            (!is_over).then_some(((rule.name(), row), AbsentRule { rule, absent }))
        });
        let by_row: BTreeMap<_, _> = rules.collect();
        let feeds =
            if by_row.is_empty() { Vec::new() } else { known_names(&in_force.config).feeds };
        let receiving = in_force.config.receiving.iter().map(|feed| &feed.name).collect();
        Self { by_row, feeds, receiving, received }
    }

    fn get<'s>(&'s self, group: &'s AbsentGroup) -> Option<&'s AbsentRule<'s>> {
        self.by_row.get(&(group.rule.as_str(), group.dedup_key.as_str()))
    }

    fn has(&self, group: &AbsentGroup) -> bool {
        self.get(group).is_some()
    }

    /// The rules without `each` that have no group yet. A row has one from its first match on.
    fn new_groups(&self, groups: &[AbsentGroup]) -> Vec<String> {
        let known: BTreeSet<&str> = groups.iter().map(|group| group.rule.as_str()).collect();
        let whole = self.by_row.keys().filter(|(_, row)| row.is_empty());
        whole
            .filter(|(rule, _)| !known.contains(rule))
            .map(|(rule, _)| (*rule).to_owned())
            .collect()
    }

    /// One of each name.
    fn by_name(&self) -> Vec<AbsentRule<'r>> {
        let mut rules: Vec<AbsentRule<'r>> = self.by_row.values().copied().collect();
        rules.dedup_by(|one, before| one.rule.name() == before.rule.name());
        rules
    }
}

impl AbsentRule<'_> {
    /// The polls of the feeds that the rule reads. A feed that is not polled counts as read until
    /// everything has come that it brings.
    fn feeds<'s>(&self, rules: &'s AbsentRules<'_>, states: &FeedStates<'s>) -> Vec<FeedPolls<'s>> {
        let read = rules.feeds.iter().filter(|feed| self.rule.settings.accepts_feed(feed));
        let watched = read.map(|feed| {
            if rules.receiving.contains(&feed.name) {
                let last_good = rules.received;
                return FeedPolls { name: &feed.name, last_good, failing_since: None };
            }
            let state = states.get(&feed.name);
            FeedPolls {
                name: &feed.name,
                last_good: state.and_then(|state| state.last_good),
                failing_since: state.and_then(|state| state.health_history.failing_since),
            }
        });
        watched.collect()
    }

    fn notice(&self, kind: RuleNoticeKind, since: Timestamp, ill: Vec<&FeedName>) -> RuleNotice {
        let settings = &self.rule.settings;
        RuleNotice {
            kind,
            rule: self.rule.name().to_owned(),
            row: self.rule.row().cloned(),
            condition: self.absent.to_string(),
            severity: settings.severity,
            why: settings.why.clone(),
            owner: settings.owner.clone(),
            tags: settings.tags.clone(),
            since,
            failing: ill.into_iter().map(|feed| feed.0.clone()).collect(),
        }
    }
}
