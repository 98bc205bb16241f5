//! Decides which events the stories of a batch join. Each is compared with the stored stories that
//! it may be a copy of, and with the stories before it in the batch. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;

use super::batch::{
    BatchStory, CopyBatch, CopyCandidate, CopyDecisions, JoinedEvent, SimilarStory,
};
use super::frame::{FRAME_EVENTS, learn_host_frame};
use super::signature::{FIRST_KEY, MinHashSignature};
use super::{CopyUpdate, Fingerprint, MemberRelation, Relation, relation, relation_to_event};
use crate::alerts::RuleMatch;

/// The most stories that a text is compared with: those whose signatures have the most values in
/// common with its own.
pub const MOST_COMPARED: u32 = 24;

/// The row of the first new story of a batch. New stories get rows after all others.
const FIRST_NEW_ROW: i64 = i64::MAX / 2;

/// The begin of a story's event, and its row.
type NewestFirst = (Reverse<i64>, Reverse<i64>);

/// The batch with what the stories before have changed.
struct Comparison {
    batch: CopyBatch,
    /// The stories with signatures of each host.
    hosts: HashMap<String, BTreeSet<NewestFirst>>,
    /// The stories of the batch that keep signatures, each with the begin of its event.
    kept: Vec<(i64, i64)>,
    /// The rows in `kept`.
    replaced: HashSet<i64>,
    /// The places in `kept` of the stories that have a value in this band.
    bands: HashMap<(i64, i64), Vec<usize>>,
    /// Stories that join no event any more.
    taken: HashSet<String>,
    /// The events that stories have joined, each with its begin.
    joined: HashMap<String, (String, i64)>,
}

impl CopyBatch {
    /// Decides of each story which event it joins, as if the stories before it were recorded. It
    /// takes long, because it compares texts.
    #[must_use]
    pub fn decide(mut self) -> CopyDecisions {
        let stories = mem::take(&mut self.stories);
        let mut comparison = Comparison::new(self);
        let mut decisions = Vec::with_capacity(stories.len());
        for (mut story, new_row) in stories.into_iter().zip(FIRST_NEW_ROW..) {
            let found = comparison.find_event_to_join(&story);
            decisions.push(found.map(|(joined, started)| {
                (story.event, story.event_started) = (joined.event.clone(), started);
                joined
            }));
            comparison.record(story, new_row);
        }
        decisions
    }
}

impl Comparison {
    fn new(batch: CopyBatch) -> Self {
        let mut hosts: HashMap<String, BTreeSet<NewestFirst>> = HashMap::new();
        for (row, candidate) in &batch.candidates {
            if let Some(host) = candidate.host.clone() {
                let place = (Reverse(candidate.event_started), Reverse(*row));
                hosts.entry(host).or_default().insert(place);
            }
        }
        Self {
            batch,
            hosts,
            kept: Vec::new(),
            replaced: HashSet::new(),
            bands: HashMap::new(),
            taken: HashSet::new(),
            joined: HashMap::new(),
        }
    }

    /// The oldest open event that the story is a copy of, else the oldest that it is an update of;
    /// with its begin.
    fn find_event_to_join(&self, story: &BatchStory) -> Option<(JoinedEvent, i64)> {
        if !story.is_free || self.taken.contains(&story.uid) {
            return None;
        }
        let mut events: Vec<(&CopyCandidate, Vec<MemberRelation>)> = Vec::new();
        for candidate in self.find_candidates(story) {
            let relation = self.compare(story, candidate);
            let is_first = candidate.event == candidate.uid;
            if is_first && relation == Relation::Copy {
                return Some(join(candidate, None));
            }
            let member = MemberRelation { is_first, relation };
            match events.iter_mut().find(|(other, _)| other.event == candidate.event) {
                Some((_, members)) => members.push(member),
                None => events.push((candidate, vec![member])),
            }
        }
        choose_event(events)
    }

    /// The stories that a story is compared with, oldest event first.
    fn find_candidates(&self, story: &BatchStory) -> Vec<&CopyCandidate> {
        let signature = &story.fingerprint.signature;
        let is_current = |one: &&SimilarStory| !self.replaced.contains(&one.row);
        let stored = story.similar.iter().copied().filter(|one| is_current(&one));
        let of_batch = self.find_similar_in_batch(signature).into_iter().filter(|one| {
            let may_resemble = |other: &Fingerprint| other.signature.may_resemble(signature);
            let fingerprint =
                || self.batch.candidates.get(&one.row).and_then(CopyCandidate::fingerprint);
            one.band >= FIRST_KEY || fingerprint().is_some_and(may_resemble)
        });
        let mut found: Vec<_> = stored
            .chain(of_batch)
            .filter(|one| story.row != Some(one.row))
            .filter_map(|one| Some((one, self.batch.candidates.get(&one.row)?)))
            .filter(|(_, candidate)| candidate.event_started >= story.open_since)
            .collect();
        found.sort_unstable_by_key(|(one, candidate)| {
            (Reverse(one.hits), candidate.event_started, one.row)
        });
        found.truncate(MOST_COMPARED as usize);
        found.sort_unstable_by_key(|(one, candidate)| (candidate.event_started, one.row));
        found.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// The stories of the batch whose signatures have the most values in common with this one.
    fn find_similar_in_batch(&self, signature: &MinHashSignature) -> Vec<SimilarStory> {
        let mut counts = vec![(0, 0); self.kept.len()];
        for (band, value) in signature.bands() {
            for place in self.bands.get(&(band, value)).into_iter().flatten() {
                let (hits, last): &mut (i64, i64) = &mut counts[*place];
                (*hits, *last) = (*hits + 1, band.max(*last));
            }
        }
        let counted = self.kept.iter().zip(counts).filter(|(_, (hits, _))| *hits > 0);
        let mut found: Vec<(i64, SimilarStory)> = counted
            .map(|((row, started), (hits, band))| {
                (*started, SimilarStory { row: *row, hits, band })
            })
            .collect();
        let most = MOST_COMPARED as usize;
        if found.len() > most {
            found.select_nth_unstable_by_key(most, |(started, one)| {
                (Reverse(one.hits), *started, one.row)
            });
            found.truncate(most);
        }
        found.into_iter().map(|(_, one)| one).collect()
    }

    /// The relation of a story to the candidate. A copy in which a rule matched new words is
    /// another story. A brief that the same feed carries again is another story, too.
    fn compare(&self, story: &BatchStory, candidate: &CopyCandidate) -> Relation {
        let Some(earlier) = candidate.fingerprint() else { return Relation::Other };
        let without_frame = relation(earlier, &story.fingerprint, &HashSet::new());
        if without_frame == Relation::Other {
            return without_frame;
        }
        if story.fingerprint.is_brief() {
            let carriers = self.batch.event_feeds.get(&candidate.event);
            let is_repeated =
                carriers.is_some_and(|feeds| story.feeds.iter().any(|feed| feeds.contains(feed)));
            return if is_repeated { Relation::Other } else { without_frame };
        }
        let frame = self.learn_frame(story, candidate);
        let relation = if frame.is_empty() {
            without_frame
        } else {
            relation(earlier, &story.fingerprint, &frame)
        };
        let joins_unnoticed = matches!(relation, Relation::Copy | Relation::Older);
        if joins_unnoticed && self.matches_new_words(story, earlier, &candidate.event) {
            return Relation::Other;
        }
        relation
    }

    /// The frames of the hosts of both stories, learned from other stories of other events.
    fn learn_frame(&self, story: &BatchStory, candidate: &CopyCandidate) -> HashSet<u64> {
        let hosts: BTreeSet<&String> =
            [&story.host, &candidate.host].into_iter().flatten().collect();
        let is_other = |other: &&CopyCandidate| {
            other.event != candidate.event && other.uid != candidate.uid && other.uid != story.uid
        };
        let of_hosts = hosts.into_iter().filter_map(|host| self.hosts.get(host));
        of_hosts
            .flat_map(|rows| {
                let texts = rows.iter().filter_map(|(_, row)| self.batch.candidates.get(&row.0));
                let newest = texts.filter(is_other).take(FRAME_EVENTS);
                learn_host_frame(
                    newest.filter_map(|one| Some((one.event.as_str(), one.sentences()?))),
                )
            })
            .collect()
    }

    /// Whether a rule that alerted for the event now matched words that are neither in the earlier
    /// story nor in the evidence of those alerts.
    fn matches_new_words(&self, story: &BatchStory, earlier: &Fingerprint, event: &str) -> bool {
        let of_event = || self.batch.event_alerts.get(event).into_iter().flatten();
        story.alerts.iter().any(|(dedup_key, new)| {
            let is_same =
                |(key, one): &&(String, RuleMatch)| one.rule == new.rule && key == dedup_key;
            let mut same_rule = of_event().filter(is_same).peekable();
            same_rule.peek().is_some()
                && earlier
                    .lacks_evidence(&new.evidence, same_rule.flat_map(|(_, one)| &one.evidence))
        })
    }

    /// Adds a story to what the stories after it are compared with. `new_row`: its row if it is
    /// new.
    fn record(&mut self, mut story: BatchStory, new_row: i64) {
        if story.event != story.uid {
            self.taken.insert(story.event.clone());
            let event = (story.event.clone(), story.event_started);
            self.joined.insert(story.uid.clone(), event);
        } else if let Some(event) = self.joined.get(&story.uid) {
            (story.event, story.event_started) = event.clone();
        }
        if !story.alerts.is_empty() {
            self.taken.insert(story.uid.clone());
        }
        let CopyBatch { event_alerts, event_feeds, candidates, .. } = &mut self.batch;
        event_alerts.entry(story.event.clone()).or_default().append(&mut story.alerts);
        event_feeds.entry(story.event.clone()).or_default().extend(story.feeds.iter().cloned());
        if !story.keeps_signature || !story.is_open() {
            return;
        }
        let (row, started) = (story.row.unwrap_or(new_row), story.event_started);
        for value in story.fingerprint.signature.bands() {
            self.bands.entry(value).or_default().push(self.kept.len());
        }
        self.kept.push((row, started));
        self.replaced.insert(row);
        let host = story.host.clone();
        let before = candidates.insert(row, CopyCandidate::from_story(story));
        if let Some(CopyCandidate { host: Some(host), event_started, .. }) = before
            && let Some(of_host) = self.hosts.get_mut(&host)
        {
            of_host.remove(&(Reverse(event_started), Reverse(row)));
        }
        if let Some(host) = host {
            self.hosts.entry(host).or_default().insert((Reverse(started), Reverse(row)));
        }
    }
}

/// Chooses the event that a story joins, with its begin. `events`: the relations to the stories
/// that it was compared with, oldest event first, each with one of these stories.
fn choose_event(events: Vec<(&CopyCandidate, Vec<MemberRelation>)>) -> Option<(JoinedEvent, i64)> {
    let mut updated = None;
    for (candidate, members) in events {
        match relation_to_event(&members) {
            Relation::Copy | Relation::Older => return Some(join(candidate, None)),
            Relation::Update(update) if updated.is_none() => {
                updated = Some(join(candidate, Some(update)));
            }
            Relation::Update(_) | Relation::Other => {}
        }
    }
    updated
}

/// The event of a candidate, for a story that joins it, with its begin.
fn join(candidate: &CopyCandidate, update: Option<CopyUpdate>) -> (JoinedEvent, i64) {
    (JoinedEvent { event: candidate.event.clone(), update }, candidate.event_started)
}

#[cfg(test)]
mod tests;
