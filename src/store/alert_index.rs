//! The index by which alerts are found: words, rules, tags and feeds. `fts` is the index itself.
//!
//! An alert is indexed a while after it was recorded, many in one step: a step of one costs nearly
//! as much as a step of many. `alert.index_lag` counts the changes that the index lacks. A search
//! reads the terms of such alerts from their rows.

mod fts;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::column;
use super::dialect::sql;
use super::{Store, StoreError, StoryId, feed_entries};
use crate::alerts::RuleMatch;
use crate::alerts::draft::sha256_hex;
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::{FeedEntry, Severity};
use tidings_rules::text::tokenise;

pub(super) use fts::remove_alerts;

/// The most alerts that one step indexes. It is small, so that no command waits long.
const STEP_ALERTS: i64 = 200;

/// The most bytes of a term that is indexed as it is.
const LONGEST_TERM: usize = 1000;

/// What alerts are found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum SearchTerm<'t> {
    /// A folded word of the headline or of a matched sentence.
    Word(&'t str),
    /// The name of the rule.
    Rule(&'t str),
    /// A tag of the rule.
    Tag(&'t str),
    /// The name of a feed that carried the event.
    Feed(&'t str),
    /// The severity of the rule.
    Severity(Severity),
}

impl SearchTerm<'_> {
    /// The term as the index has it: a word as it is, a name in hex behind a sign that no word has.
    /// A hash stands for a long one.
    pub(super) fn text(self) -> String {
        let term = match self {
            Self::Word(word) => word.to_owned(),
            Self::Rule(name) => format!("=r{}", hex::encode(name)),
            Self::Tag(name) => format!("=t{}", hex::encode(name)),
            Self::Feed(name) => format!("=f{}", hex::encode(name)),
            Self::Severity(severity) => format!("=s{}", hex::encode(severity.as_str())),
        };
        if term.len() <= LONGEST_TERM { term } else { format!("=h{}", sha256_hex(&[&term])) }
    }
}

/// The alerts that a search may find: by their ids, in milliseconds their times, and whether they
/// are held.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlertSpan {
    pub(super) oldest: i64,
    pub(super) newest: i64,
    pub(super) since: i64,
    pub(super) until: i64,
    /// `None`: held or not.
    pub(super) held: Option<bool>,
}

/// An alert that the index lacks, or has as it was.
struct ChangedAlert {
    id: i64,
    created: i64,
    held: bool,
    lag: i64,
    terms: BTreeSet<String>,
}

impl Store {
    /// Indexes some of the alerts that have changed. Returns whether others may be left.
    pub async fn index_changed_alerts(&self) -> Result<bool, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let changed = read_changed(&mut snapshot, STEP_ALERTS).await?;
        drop(snapshot);
        if changed.is_empty() {
            return Ok(false);
        }
        self.writer.write(move |conn| Box::pin(index_alerts(conn, changed))).await?;
        Ok(true)
    }
}

/// The newest alerts of `span` that have all of these terms, at least one; newest first, at most
/// `limit`.
pub(super) async fn find_alerts(
    conn: &mut DbConnection<'_>,
    wanted: &BTreeSet<String>,
    span: AlertSpan,
    limit: usize,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut found = fts::find_newest(conn, wanted, span, limit).await?;
    let changed = read_changed(conn, i64::MAX).await?;
    let fits = |alert: &&ChangedAlert| {
        (span.oldest..=span.newest).contains(&alert.id)
            && (span.since..span.until).contains(&alert.created)
            && span.held.is_none_or(|held| alert.held == held)
            && wanted.is_subset(&alert.terms)
    };
    found.extend(changed.iter().filter(fits).map(|alert| alert.id));
    found.sort_unstable_by_key(|id| Reverse(*id));
    found.truncate(limit);
    Ok(found)
}

/// Notes that a headline changed, or the feeds of an event: that of each of these stories. Its
/// alerts are indexed anew.
pub(super) async fn note_changed_events(
    conn: &mut DbConnection<'_>,
    stories: &[StoryId],
) -> Result<(), sqlx::Error> {
    let update = sql!(
        "UPDATE alert SET index_lag = index_lag + 1 WHERE purged IS NULL AND story IN
             (SELECT copy.id FROM story JOIN story AS copy ON copy.event = story.event
              WHERE story.id IN ",
        id_list!("$1"),
        ")",
    );
    let stories: Vec<i64> = stories.iter().map(|story| story.0).collect();
    column::execute_list(conn, update, &stories).await
}

/// At most `limit` alerts that have changed since they were indexed.
async fn read_changed(
    conn: &mut DbConnection<'_>,
    limit: i64,
) -> Result<Vec<ChangedAlert>, sqlx::Error> {
    let rows = db::query(
        "SELECT alert.id, alert.created, alert.held, alert.index_lag, alert.rule_match, story.title, story.event
         FROM alert JOIN story ON story.id = alert.story WHERE alert.index_lag > 0 LIMIT $1",
    )
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let events: Vec<&str> =
        rows.iter().map(|row| row.try_get("event")).collect::<Result<_, sqlx::Error>>()?;
    let feeds = feed_entries::read_entries_of_events(conn, &events).await?;
    let changed = rows.iter().zip(events).map(|(row, event)| {
        let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
        let feeds = feeds.get(event).map(Vec::as_slice).unwrap_or_default();
        Ok(ChangedAlert {
            id: row.try_get("id")?,
            created: row.try_get("created")?,
            held: row.try_get("held")?,
            lag: row.try_get("index_lag")?,
            terms: alert_terms(row.try_get("title")?, &rule_match, feeds),
        })
    });
    changed.collect()
}

/// All terms by which an alert is found.
pub(super) fn alert_terms(
    title: &str,
    rule_match: &RuleMatch,
    feeds: &[FeedEntry],
) -> BTreeSet<String> {
    let sentences = rule_match.evidence.iter().map(|evidence| evidence.sentence.as_str());
    let words: BTreeSet<&str> = std::iter::once(title).chain(sentences).collect();
    let words: Vec<_> = words.into_iter().flat_map(tokenise).collect();
    let words = words.iter().map(|token| SearchTerm::Word(&token.word));
    let tags = rule_match.tags.iter().map(|tag| SearchTerm::Tag(tag));
    let feeds = feeds.iter().map(|entry| SearchTerm::Feed(&entry.feed.0));
    let own = [SearchTerm::Rule(&rule_match.rule), SearchTerm::Severity(rule_match.severity)];
    words.chain(own).chain(tags).chain(feeds).map(SearchTerm::text).collect()
}

/// Indexes those of these alerts that have not changed since they were read.
async fn index_alerts(
    conn: &mut DbConnection<'_>,
    mut changed: Vec<ChangedAlert>,
) -> Result<(), sqlx::Error> {
    let lags: Vec<(i64, i64)> = changed.iter().map(|alert| (alert.id, alert.lag)).collect();
    let current: Vec<i64> = db::query_scalar(sql!(
        "UPDATE alert SET index_lag = 0 FROM ",
        row_list!("$1", 0 id BIGINT, 1 lag BIGINT),
        " AS given WHERE alert.id = given.id AND alert.index_lag = given.lag RETURNING alert.id"
    ))
    .bind(SqlList::new(&lags)?)
    .fetch_all(&mut *conn)
    .await?;
    let current: BTreeSet<i64> = current.into_iter().collect();
    changed.retain(|alert| current.contains(&alert.id));
    let entries: Vec<_> = changed.into_iter().map(|alert| (alert.id, alert.terms)).collect();
    fts::replace_alerts(conn, entries).await
}

#[cfg(test)]
mod tests;
