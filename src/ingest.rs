//! Takes stories from elsewhere: JSON Lines to stored stories.
//!
//! Memory does not depend on the length of the input, and a line is acknowledged when it is stored.

pub(crate) mod line;
mod line_reader;
mod receivers;
mod sender_story;

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

/// The most lines of a transaction.
const MOST_LINES: usize = 500;

/// A transaction ends with the line that makes its lines this long, in bytes.
const MOST_BYTES: usize = 4 << 20;

/// How long a line waits for others of its transaction.
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
/// `stored` is called after each transaction with the faults of its lines: what was new or edited
/// before is on the disk then, and waits to be matched.
///
/// # Errors
/// If the input cannot be read or the store not written. What was recorded before stays.
pub async fn ingest<R: AsyncRead + Unpin>(
    input: R,
    feeds: &ReceivingFeeds,
    target: &IngestTarget,
    mut stored: impl FnMut(&[LineFault]),
) -> Result<IngestReport, IngestError> {
    let mut lines = LineReader::new(input);
    let mut report = IngestReport::default();
    loop {
        match record_batch(&mut lines, feeds, target, &mut report).await {
            Ok(None) => return Ok(report),
            Ok(Some(faults)) => {
                stored(&faults);
                let room = MOST_FAULTS.saturating_sub(report.faults.len());
                report.faults.extend(faults.into_iter().take(room));
            }
            Err(cause) => return Err(IngestError { report, cause }),
        }
    }
}

/// Reads and records the next lines. Returns their faults; `None` at the end.
async fn record_batch<R: AsyncRead + Unpin>(
    lines: &mut LineReader<R>,
    feeds: &ReceivingFeeds,
    target: &IngestTarget,
    report: &mut IngestReport,
) -> Result<Option<Vec<LineFault>>, IngestFailure> {
    let LineBatch { lines, stories, faults, .. } = read_batch(lines, feeds).await?;
    if lines == 0 {
        return Ok(None);
    }
    if !stories.is_empty() {
        let IngestCounts { new, edited, known } = target.record(stories, now()).await?;
        report.new += new;
        report.edited += edited;
        report.known += known;
    }
    report.refused += faults.len() as u64;
    Ok(Some(faults))
}

/// Some lines of an input.
#[derive(Default)]
struct LineBatch {
    lines: usize,
    bytes: usize,
    stories: Vec<ReceivedStory>,
    faults: Vec<LineFault>,
}

/// Reads the next lines: as many as come within [`LINGER`] after the first, within bounds.
async fn read_batch<R: AsyncRead + Unpin>(
    lines: &mut LineReader<R>,
    feeds: &ReceivingFeeds,
) -> io::Result<LineBatch> {
    let mut batch = LineBatch::default();
    let mut linger: Option<Pin<Box<Sleep>>> = None;
    while batch.lines < MOST_LINES && batch.bytes < MOST_BYTES {
        let line = if let Some(linger) = &mut linger {
            tokio::select! {
                biased;
                line = lines.next() => line?,
                () = linger => break,
            }
        } else {
            lines.next().await?
        };
        let Some(line) = line else { break };
        linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        batch.add(&line, feeds, now());
        // Other tasks of the thread have their turn.
        tokio::task::consume_budget().await;
    }
    Ok(batch)
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
