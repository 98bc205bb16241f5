//! Takes stories from elsewhere: JSON Lines to stored stories.
//!
//! Memory does not depend on the length of the input, and a line is acknowledged when it is stored.
//! Lines that come together are stored in the order in which their stories were published.

pub(crate) mod line;
mod line_reader;
mod receivers;
mod sender_story;

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncRead;
use tokio::time::Sleep;

use crate::clock::now;
use crate::store::{IngestCounts, IngestTarget, ReceivedStory, StoreCommandError};
use line::StoryLine;
use line_reader::{LineReader, ReadLine};
pub use receivers::{NotReceiving, ReceivingFeeds};

/// The most stories of a transaction.
const MOST_STORIES: usize = 500;

/// The most lines that come together.
const MOST_LINES: usize = 5000;

/// Lines that come together end with the one that makes them this long, in bytes.
const MOST_BYTES: usize = 8 << 20;

/// How long a line waits for others that come together with it.
const LINGER: Duration = Duration::from_millis(200);

/// The most faults of a report. The others are counted.
pub const MOST_FAULTS: usize = 1000;

/// What became of the lines of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    /// The stories that were new.
    pub new: u64,
    /// The stories that were known with other words.
    pub edited: u64,
    /// The stories that were known.
    pub known: u64,
    /// The lines that were refused.
    pub refused: u64,
    /// Why, of the first [`MOST_FAULTS`] refused lines.
    pub faults: Vec<LineFault>,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineFault {
    /// Its number, from 1.
    pub line: u64,
    /// The character at which the mistake is, from 1; `None`: it is in the line as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The mistake, in words.
    pub message: String,
}

/// Why not all lines were taken.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct IngestError {
    /// What became of the lines before.
    pub report: IngestReport,
    /// The cause.
    pub cause: IngestFailure,
}

/// Why an input was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum IngestFailure {
    /// It cannot be read.
    #[error("the stories cannot be read: {0}")]
    Input(#[from] io::Error),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreCommandError),
}

/// Reads JSON Lines from `input` to the end, and records their stories in `target` for `feeds`.
/// `stored` is called with the faults of lines that came together: what was new or edited until
/// then is on the disk, and waits to be matched.
///
/// # Errors
/// If the input cannot be read or the store not written. What was read before an input failed is
/// recorded, and what was recorded before stays.
pub async fn ingest<R: AsyncRead + Unpin>(
    input: R,
    feeds: &ReceivingFeeds,
    target: &IngestTarget,
    mut stored: impl FnMut(&[LineFault]),
) -> Result<IngestReport, IngestError> {
    let mut lines = LineReader::new(input);
    let mut report = IngestReport::default();
    loop {
        let LineBatch { lines, stories, faults, failure, .. } = read_batch(&mut lines, feeds).await;
        if let Err(cause) = record_stories(stories, target, &mut report).await {
            return Err(IngestError { report, cause: cause.into() });
        }
        if lines > 0 {
            stored(&faults);
            report.refused += faults.len() as u64;
            let room = MOST_FAULTS.saturating_sub(report.faults.len());
            report.faults.extend(faults.into_iter().take(room));
        }
        if let Some(why) = failure {
            return Err(IngestError { report, cause: why.into() });
        }
        if lines == 0 {
            return Ok(report);
        }
    }
}

/// Records stories that came together, in transactions of bounded size.
async fn record_stories(
    stories: Vec<ReceivedStory>,
    target: &IngestTarget,
    report: &mut IngestReport,
) -> Result<(), StoreCommandError> {
    let mut left = sort_by_publication(stories).into_iter().peekable();
    while left.peek().is_some() {
        let stories = left.by_ref().take(MOST_STORIES).collect();
        let IngestCounts { new, edited, known } = target.record(stories, now()).await?;
        report.new += new;
        report.edited += edited;
        report.known += known;
    }
    Ok(())
}

/// The stories in the order of their publication; one without a date was published when it came.
/// One with the key of an earlier one is an edit of it and comes after it.
fn sort_by_publication(stories: Vec<ReceivedStory>) -> Vec<ReceivedStory> {
    let mut of_first = HashMap::new();
    let dated = stories.into_iter().map(|received| {
        let own = received.story.published.unwrap_or(received.story.first_seen);
        let key = (received.feed.clone(), received.identity.key.clone());
        (*of_first.entry(key).or_insert(own), received)
    });
    let mut dated: Vec<(Timestamp, ReceivedStory)> = dated.collect();
    dated.sort_by_key(|(time, _)| *time);
    dated.into_iter().map(|(_, received)| received).collect()
}

/// Lines of an input that came together.
#[derive(Default)]
struct LineBatch {
    lines: usize,
    bytes: usize,
    stories: Vec<ReceivedStory>,
    faults: Vec<LineFault>,
    /// Why the next line cannot be read.
    failure: Option<io::Error>,
}

/// Reads the next lines: as many as come within [`LINGER`] after the first, within bounds. They
/// have one time.
async fn read_batch<R: AsyncRead + Unpin>(
    lines: &mut LineReader<R>,
    feeds: &ReceivingFeeds,
) -> LineBatch {
    let mut batch = LineBatch::default();
    let mut first: Option<(Timestamp, Pin<Box<Sleep>>)> = None;
    while batch.lines < MOST_LINES && batch.bytes < MOST_BYTES {
        let line = if let Some((_, linger)) = &mut first {
            tokio::select! {
                biased;
                line = lines.next() => line,
                () = linger => break,
            }
        } else {
            lines.next().await
        };
        match line {
            Ok(Some(line)) => {
                let begin = || (now(), Box::pin(tokio::time::sleep(LINGER)));
                let (at, _) = first.get_or_insert_with(begin);
                batch.add(&line, feeds, *at);
            }
            Ok(None) => break,
            Err(why) => {
                batch.failure = Some(why);
                break;
            }
        }
        // Other tasks of the thread have their turn.
        tokio::task::consume_budget().await;
    }
    batch
}

impl LineBatch {
    fn add(&mut self, line: &ReadLine<'_>, feeds: &ReceivingFeeds, now: Timestamp) {
        self.lines += 1;
        let fault = |column, message| LineFault { line: line.number, column, message };
        let Some(bytes) = line.bytes else {
            self.bytes += line_reader::LONGEST_LINE;
            self.faults.push(fault(None, "this line is longer than 1 MiB".to_owned()));
            return;
        };
        self.bytes += bytes.len();
        if bytes.trim_ascii().is_empty() {
            return;
        }
        let story = StoryLine::parse(bytes)
            .map_err(|why| fault(Some(column(bytes, why.at)), why.message))
            .and_then(|line| {
                sender_story::received_story(&line, feeds, now).map_err(|why| fault(None, why))
            });
        match story {
            Ok(story) => self.stories.push(story),
            Err(fault) => self.faults.push(fault),
        }
    }
}

/// The number of the character at this byte, from 1.
fn column(line: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(&line[..at.min(line.len())]).chars().count() + 1
}

#[cfg(test)]
mod tests;
