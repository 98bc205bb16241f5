//! Reads lines of any length in bounded memory.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest line that is kept, in bytes.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// The bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// A byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The most bytes of a line that are kept, with a byte order mark and a carriage return.
const LONGEST_KEPT: usize = LONGEST_LINE + BOM.len() + 1;

/// The lines of an input.
pub(super) struct LineReader<R> {
    input: BufReader<R>,
    /// The line that is being read, without its line feed.
    line: Vec<u8>,
    is_too_long: bool,
    /// Whether the line was returned.
    is_read: bool,
    /// The number of lines returned so far.
    number: u64,
}

/// A line that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadLine<'r> {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its bytes, without the line break; `None` if it is longer than [`LONGEST_LINE`].
    pub(super) bytes: Option<&'r [u8]>,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// The lines of `input`, from its start.
    pub(super) fn new(input: R) -> Self {
        let input = BufReader::with_capacity(BUFFER, input);
        Self { input, line: Vec::new(), is_too_long: false, is_read: false, number: 0 }
    }

    /// The next line; `None` at the end. The future can be dropped at any time: the next call goes
    /// on.
    pub(super) async fn next(&mut self) -> io::Result<Option<ReadLine<'_>>> {
        if self.is_read {
            (self.is_read, self.is_too_long) = (false, false);
            self.line.clear();
        }
        while !self.is_read {
            let available = self.input.fill_buf().await?;
            if available.is_empty() && self.line.is_empty() && !self.is_too_long {
                return Ok(None);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            let room = LONGEST_KEPT - self.line.len();
            self.is_too_long |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.is_read = end.is_some() || available.is_empty();
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
        }
        self.number += 1;
        let line = self.line.as_slice();
        let line = if self.number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let bytes = Some(line).filter(|line| !self.is_too_long && line.len() <= LONGEST_LINE);
        Ok(Some(ReadLine { number: self.number, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn lines(input: &[u8]) -> Vec<(u64, Option<String>)> {
        let mut reader = LineReader::new(input);
        let mut found = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            let text = line.bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            found.push((line.number, text));
        }
        found
    }

    #[rstest]
    #[case::nothing(b"", &[])]
    #[case::one("a\n".as_bytes(), &["a"])]
    #[case::without_a_last_line_feed(b"a\nb", &["a", "b"])]
    #[case::carriage_returns(b"a\r\nb\r\n", &["a", "b"])]
    #[case::empty_lines(b"\n\na\n\n", &["", "", "a", ""])]
    #[case::a_mark_at_the_start(b"\xef\xbb\xbfa\nb", &["a", "b"])]
    #[case::a_mark_elsewhere(b"a\n\xef\xbb\xbfb", &["a", "\u{feff}b"])]
    #[tokio::test]
    async fn lines_end_as_people_end_them(#[case] input: &[u8], #[case] expected: &[&str]) {
        let found = lines(input).await;
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_deref().unwrap()).collect();
        assert_eq!(texts, expected);
        assert!(found.iter().zip(1..).all(|((number, _), place)| *number == place));
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_is_read() {
        let longest = "x".repeat(LONGEST_LINE);
        let input = format!("\u{feff}{longest}\r\n{longest}x\n{longest}{longest}\nb\n{longest}x");
        let found = lines(input.as_bytes()).await;
        let lengths: Vec<_> =
            found.iter().map(|(_, text)| text.as_ref().map(String::len)).collect();
        assert_eq!(lengths, [Some(LONGEST_LINE), None, None, Some(1), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_is_given_up_loses_nothing() {
        let (mut pipe, input) = tokio::io::duplex(64);
        let mut reader = LineReader::new(input);
        pipe.write_all(b"a\nfirst ").await.unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap().bytes, Some(&b"a"[..]));
        let waited = tokio::time::timeout(Duration::from_secs(1), reader.next()).await;
        assert!(waited.is_err());
        pipe.write_all(b"second\n").await.unwrap();
        let line = reader.next().await.unwrap().unwrap();
        assert_eq!((line.number, line.bytes), (2, Some(&b"first second"[..])));
    }
}
