//! Stories from JSON Lines. A line that is not a story is a fault with its place, and the next line
//! is read.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::batch::{Batch, MOST_STORIES, SourceStory};
use super::sightings::{FileEvents, StorySighting};
use crate::files;
use crate::ingest::line::{HELP, LineProblem, StoryLine};
use tidings_rules::condition::Publishers;
use tidings_rules::fault::{Fault, Source};
use tidings_rules::story::Story;

/// A batch ends with the line that makes it this long, in bytes.
const BATCH: u64 = 4 << 20;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// The most faults of a source that are shown. The others are counted.
const MOST_FAULTS: usize = 20;

/// JSON Lines, read from the start.
pub(crate) struct StoryLines {
    name: String,
    reader: Box<dyn BufRead + Send>,
    size: Option<u64>,
    /// The number of lines read so far.
    lines_read: usize,
    /// The number of faults shown so far.
    faults_shown: usize,
    now: Timestamp,
    events: FileEvents,
}

impl StoryLines {
    /// Opens the file at `path`, or standard input if it is `-`. A story without a date counts as
    /// first seen at `now`.
    pub(crate) fn open(path: &Path, now: Timestamp) -> io::Result<Self> {
        if path == Path::new("-") {
            let input = BufReader::with_capacity(1 << 16, io::stdin());
            return Ok(Self::new("standard input".to_owned(), Box::new(input), None, now));
        }
        let (file, size) = files::open_file(path)?;
        let reader = Box::new(BufReader::with_capacity(1 << 16, file));
        Ok(Self::new(path.display().to_string(), reader, Some(size), now))
    }

    fn new(
        name: String,
        reader: Box<dyn BufRead + Send>,
        size: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let events = FileEvents::default();
        Self { name, reader, size, lines_read: 0, faults_shown: 0, now, events }
    }

    /// The events of these stories, each with the time at which it counts.
    pub(super) fn sightings(
        &mut self,
        stories: &[(&SourceStory, Timestamp)],
        publishers: &Publishers,
    ) -> Vec<StorySighting> {
        let sight =
            |(entry, at): &(&SourceStory, Timestamp)| self.events.sight(entry, *at, publishers);
        stories.iter().map(sight).collect()
    }

    /// The size of the file in bytes.
    pub(crate) fn size_in_bytes(&self) -> Option<u64> {
        self.size
    }

    /// The stories of the next lines. `None` at the end. An error is a sentence that names the
    /// file.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, String> {
        let mut batch = Batch::default();
        let mut bytes = Vec::new();
        while batch.stories.len() < MOST_STORIES as usize && batch.bytes < BATCH {
            bytes.clear();
            let read = self
                .read_line(&mut bytes)
                .map_err(|why| format!("{} cannot be read: {why}", self.name))?;
            if read == 0 {
                break;
            }
            batch.bytes += read;
            self.lines_read += 1;
            self.add_line(&bytes, read, &mut batch);
        }
        Ok((batch.bytes > 0).then_some(batch))
    }

    /// Reads one line. `bytes` gets at most its first [`LONGEST_LINE`] bytes. Returns the length of
    /// the line with its line break.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<u64> {
        let kept = self.reader.as_mut().take(LONGEST_LINE).read_until(b'\n', bytes)? as u64;
        if kept < LONGEST_LINE || bytes.ends_with(b"\n") {
            return Ok(kept);
        }
        Ok(kept + self.reader.skip_until(b'\n')? as u64)
    }

    fn add_line(&mut self, bytes: &[u8], read: u64, batch: &mut Batch) {
        let bytes = if self.lines_read == 1 {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
        } else {
            bytes
        };
        if bytes.trim_ascii().is_empty() {
            return;
        }
        let story = if read > bytes.len() as u64 + 3 {
            Err(LineProblem { at: 0, message: "this line is longer than 64 MB".to_owned() })
        } else {
            StoryLine::parse(bytes)
        };
        match story {
            Ok(mut line) => {
                let id = line.id.take().unwrap_or_else(|| self.lines_read.to_string());
                let story = line.into_past_story(self.now);
                batch.stories.push(SourceStory { id, story, carriers: None });
            }
            Err(problem) => {
                batch.faulty += 1;
                if self.faults_shown < MOST_FAULTS {
                    self.faults_shown += 1;
                    batch.faults.push(self.fault_of_line(bytes, problem));
                }
            }
        }
    }

    /// The problem as a fault at its place. The source has only this line; empty lines replace
    /// those before it.
    fn fault_of_line(&self, bytes: &[u8], problem: LineProblem) -> Fault {
        let before = "\n".repeat(self.lines_read - 1);
        let line = String::from_utf8_lossy(bytes);
        let text = format!("{before}{}", line.trim_end_matches(['\r', '\n']));
        let start = text.floor_char_boundary(before.len() + problem.at);
        let end = text.ceil_char_boundary((start + 1).min(text.len()));
        let source = Arc::new(Source { name: self.name.clone(), text });
        Fault::error(&source, start..end, problem.message).help(HELP)
    }
}

/// The story of a single JSON object, or why it is not one.
pub(crate) fn story_of_line(object: &[u8], now: Timestamp) -> Result<Story, String> {
    StoryLine::parse(object)
        .map(|line| line.into_past_story(now))
        .map_err(|problem| format!("{}; {HELP}", problem.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: impl Into<Vec<u8>>) -> StoryLines {
        StoryLines::new(
            "stories.jsonl".to_owned(),
            Box::new(io::Cursor::new(text.into())),
            None,
            Timestamp::UNIX_EPOCH,
        )
    }

    fn all(mut lines: StoryLines) -> Vec<Batch> {
        std::iter::from_fn(|| lines.next_batch().unwrap()).collect()
    }

    #[test]
    fn a_story_without_an_id_is_called_by_its_line_and_empty_lines_count() {
        let text = "\u{feff}{\"title\": \"a\", \"body\": \"\"}\r\n\n{\"title\": \"b\", \"body\": \"\", \"id\": \"x\"}\n{\"title\": \"c\", \"body\": \"\"}";
        let batches = all(lines(text));
        let ids: Vec<&str> = batches[0].stories.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!((ids, batches[0].faulty), (vec!["1", "x", "4"], 0));
    }

    #[test]
    fn a_line_that_is_no_story_is_reported_with_its_place_and_the_next_is_read() {
        let text = b"{\"title\": \"a\", \"body\": \"\"}\nR\xc3\xbassia \xff\n{\"title\": \"c\"; 1}\n{\"title\": \"d\", \"body\": \"\"}\n";
        let batch = all(lines(*text)).remove(0);
        assert_eq!((batch.stories.len(), batch.faulty), (2, 2));
        let places: Vec<_> = batch
            .faults
            .iter()
            .map(|fault| fault.source.line_and_column(fault.span.start))
            .collect();
        assert_eq!(places, [(2, 8), (3, 14)]);
        assert!(batch.faults.iter().all(|fault| fault.help.is_some()));
    }

    #[test]
    fn many_faults_are_counted_and_a_few_are_shown() {
        let batches = all(lines("no\n".repeat(10_000)));
        assert_eq!(batches.iter().map(|batch| batch.faulty).sum::<usize>(), 10_000);
        assert_eq!(batches.iter().map(|batch| batch.faults.len()).sum::<usize>(), MOST_FAULTS);
    }

    #[test]
    fn batches_are_bounded_in_stories_and_in_bytes() {
        let small = all(lines("{\"title\": \"a\", \"body\": \"\"}\n".repeat(1000)));
        assert!(
            small.len() > 3
                && small.iter().all(|batch| batch.stories.len() <= MOST_STORIES as usize)
        );
        let large = format!("{{\"title\": \"a\", \"body\": \"{}\"}}\n", "word ".repeat(200_000));
        let batches = all(lines(large.repeat(10)));
        assert_eq!(batches.iter().map(|batch| batch.stories.len()).collect::<Vec<_>>(), [5, 5]);
    }

    #[test]
    fn a_line_that_is_too_long_is_a_fault_and_the_next_is_read() {
        let long = format!("{{\"title\": \"a\", \"body\": \"{}\"}}\n", "x".repeat(70 << 20));
        let batches = all(lines(long + "{\"title\": \"b\", \"body\": \"\"}\n"));
        let titles: Vec<&str> = batches
            .iter()
            .flat_map(|batch| &batch.stories)
            .map(|entry| entry.story.title.as_str())
            .collect();
        assert_eq!(titles, ["b"]);
        assert!(batches[0].faults[0].message.contains("longer than 64 MB"));
    }
}
