//! The health of a feed after a poll: notices with their receivers, and the gap in which items may
//! have been missed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::alerts::{Receiver, draft};
use crate::config::Config;
use crate::daemon::feed_diff::FeedDiff;
use crate::feed::document::Item;
use crate::feed::identity::{ClassifiedItem, ItemChange, KnownItem};
use crate::polling::health;
use crate::polling::health::{FeedNotice, Outage, PollResult};
use crate::store::{FeedGap, FeedState};
use tidings_rules::story::NotifierName;

/// Updates the health history in `state` after a poll at `at`. The rest of `state` must be up to
/// date. `outage` is the argument of [`health::record_poll`]. Returns the notices, each with its
/// receivers.
pub(crate) fn update_health(
    config: &Config,
    before: &FeedState,
    state: &mut FeedState,
    diff: Option<&FeedDiff>,
    outage: Option<Outage>,
    at: Timestamp,
) -> Vec<(FeedNotice, Vec<Receiver>)> {
    let ended = if let Some(why) = &state.error {
        PollResult::Failed { why, gone: state.next_poll.is_none() }
    } else {
        let has_news =
            diff.is_some_and(|diff| diff.items.iter().any(|item| item.story_change.is_some()));
        PollResult::Well { has_news, gap: state.mean_gap }
    };
    let (history, notices) = health::record_poll(
        &state.name,
        before.health_history,
        ended,
        before.error.as_deref(),
        outage,
        at,
    );
    state.health_history = history;
    notices.into_iter().map(|notice| (notice, default_receivers(config))).collect()
}

/// The receivers of notices about feeds and the store: those of the default notifiers.
pub(crate) fn default_receivers(config: &Config) -> Vec<Receiver> {
    receivers_of(config, &config.notify.all_receivers())
}

/// The receivers of the notifiers with these names.
pub(crate) fn receivers_of(config: &Config, names: &BTreeSet<NotifierName>) -> Vec<Receiver> {
    let notifiers = config.notifiers.iter().filter(|(name, _)| names.contains(name));
    notifiers.flat_map(|(name, notifier)| draft::receivers(name, notifier)).collect()
}

/// The gap before a document of a known feed that has only unknown items: from the last good poll
/// to the oldest item. `known` holds the items of the document before it. There is no gap if the
/// document reaches back beyond that poll, or if it has one item, because such a feed never holds
/// more.
pub(crate) fn find_gap(
    last_good: Timestamp,
    known: &[KnownItem],
    classified: &[ClassifiedItem],
    items: &[Item],
    now: Timestamp,
) -> Option<FeedGap> {
    let is_unknown =
        classified.len() > 1 && classified.iter().all(|item| item.verdict == ItemChange::New);
    if known.is_empty() || !is_unknown {
        return None;
    }
    let oldest = classified.iter().filter_map(|item| items[item.index].published).min();
    let until = oldest.map_or(now, |oldest| oldest.min(now));
    (last_good < until).then_some(FeedGap { since: last_good, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::identity::{Faces, classify};
    use tidings_rules::story::FeedName;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).expect("in range")
    }

    /// Items that differ in all but their age, published at these hours; `None`: undated.
    fn items(hours: &[Option<i64>]) -> Vec<Item> {
        let item = |(n, hour): (usize, &Option<i64>)| Item {
            guid: Some(format!("{n} {hour:?}")),
            title: format!("title {n} {hour:?}"),
            published: hour.map(at),
            ..Item::default()
        };
        hours.iter().enumerate().map(item).collect()
    }

    /// The gap that `after` shows at hour 50, `before` having been read at hour 10.
    fn gap_between(before: &[Item], after: &[Item]) -> Option<FeedGap> {
        let feed = FeedName("wire".to_owned());
        let known = |judged: ClassifiedItem| KnownItem {
            guid: before[judged.index].guid.clone(),
            key: judged.key,
            link: judged.link,
            stem: judged.stem,
            hash: judged.hash,
            text_hash: judged.text_hash,
            title: before[judged.index].title.clone(),
            published: before[judged.index].published,
            first_seen: at(10),
            recorded: false,
            pages: 0,
            gone: false,
        };
        let known: Vec<KnownItem> =
            classify(&feed, &[], Faces::from_items(before)).into_iter().map(known).collect();
        find_gap(at(10), &known, &classify(&feed, &known, Faces::from_items(after)), after, at(50))
    }

    #[test]
    fn a_document_that_rolled_over_shows_a_gap_up_to_its_oldest_item() {
        let before = items(&[Some(8), Some(9)]);
        let expected = |until| Some(FeedGap { since: at(10), until: at(until) });
        assert_eq!(gap_between(&before, &items(&[Some(49), Some(30)])), expected(30));
        assert_eq!(gap_between(&before, &items(&[None, None])), expected(50));
        assert_eq!(
            gap_between(&before, &items(&[Some(99), Some(98)])),
            expected(50),
            "dates to come are ignored"
        );
    }

    #[test]
    fn a_document_that_knows_an_item_or_reaches_back_shows_none() {
        let before = items(&[Some(8), Some(9)]);
        let overlapping = [items(&[Some(49), Some(30)]), before.clone()].concat();
        assert_eq!(gap_between(&before, &overlapping), None);
        assert_eq!(gap_between(&before, &items(&[Some(49), Some(7)])), None);
    }

    #[test]
    fn feeds_of_one_item_new_feeds_and_empty_documents_have_no_gaps() {
        assert_eq!(gap_between(&items(&[Some(9)]), &items(&[Some(49)])), None);
        assert_eq!(gap_between(&[], &items(&[Some(49), Some(30)])), None);
        assert_eq!(gap_between(&items(&[Some(8), Some(9)]), &[]), None);
    }
}
