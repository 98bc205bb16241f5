//! Reads a server's reply (RFC 5321, 4.2): its codes, and its text in any encoding.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::wire::WireError;

/// The longest reply, in bytes. An endless reply would keep the processor busy.
const MAX_REPLY: usize = 4 << 20;

/// The number of bytes that are kept of a line.
const MAX_LINE: usize = 4096;

/// The number of lines that are kept of a reply.
const MAX_LINES: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SmtpReply {
    pub(super) code: u16,
    pub(super) status: Option<EnhancedStatus>,
    /// The text behind the code, line by line, as far as it is kept.
    pub(super) lines: Vec<String>,
}

/// An enhanced status code (RFC 3463): `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EnhancedStatus {
    pub(super) class: u16,
    pub(super) subject: u16,
    pub(super) detail: u16,
}

impl SmtpReply {
    fn new(code: u16, lines: Vec<String>) -> Self {
        Self { code, status: lines.iter().find_map(|line| parse_status(line)), lines }
    }

    /// Whether the server accepted the command.
    pub(super) fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether the same command may work later. It is enough if one of the two codes says so.
    pub(super) fn is_temporary(&self) -> bool {
        self.code / 100 == 4 || self.status.is_some_and(|status| status.class == 4)
    }

    /// Whether the server refuses for good.
    pub(super) fn is_permanent(&self) -> bool {
        self.code / 100 == 5 && !self.is_temporary()
    }

    /// The text on one line.
    pub(super) fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// Reads one reply: lines of a code and a hyphen, then one without the hyphen. The last line's code
/// counts.
pub(super) async fn read_reply(
    stream: &mut (impl AsyncBufRead + Unpin),
) -> Result<SmtpReply, WireError> {
    let mut left = MAX_REPLY;
    let mut lines = Vec::new();
    loop {
        let line = read_line(stream, &mut left).await?;
        let text = match parse_line(&line) {
            Some(ReplyLine { code, is_last: true, text }) => {
                lines.push(text);
                return Ok(SmtpReply::new(code, lines));
            }
            Some(ReplyLine { text, .. }) => text,
            None if lines.is_empty() => {
                return Err(WireError::NotSmtp(String::from_utf8_lossy(&line).into_owned()));
            }
            // Some servers wrap long lines.
            None => String::from_utf8_lossy(&line).trim().to_owned(),
        };
        if lines.len() < MAX_LINES {
            lines.push(text);
        }
    }
}

/// Reads the next line and returns its kept part. The last line may lack its end.
async fn read_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    left: &mut usize,
) -> Result<Vec<u8>, WireError> {
    let mut line = Vec::new();
    loop {
        let seen = match stream.fill_buf().await {
            Ok(seen) => seen,
            // TLS that ended without `close_notify`. The bytes before count.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => &[],
            Err(error) => return Err(WireError::Connection(error)),
        };
        if seen.is_empty() {
            return if line.is_empty() { Err(WireError::Closed) } else { Ok(line) };
        }
        let end = seen.iter().position(|byte| *byte == b'\n');
        let part = end.map_or(seen.len(), |at| at + 1);
        let kept = part.min(MAX_LINE.saturating_sub(line.len()));
        line.extend_from_slice(&seen[..kept]);
        stream.consume(part);
        *left = left.checked_sub(part).ok_or(WireError::TooLong)?;
        if end.is_some() {
            return Ok(line);
        }
    }
}

struct ReplyLine {
    code: u16,
    is_last: bool,
    text: String,
}

fn parse_line(line: &[u8]) -> Option<ReplyLine> {
    let (code, rest) = line.split_at_checked(3)?;
    let code: u16 =
        std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    let is_last = match rest.first() {
        Some(b'-') => false,
        Some(digit) if digit.is_ascii_digit() => return None,
        _ => true,
    };
    let text = String::from_utf8_lossy(rest.strip_prefix(b"-").unwrap_or(rest)).trim().to_owned();
    Some(ReplyLine { code, is_last, text })
}

/// The enhanced code at the beginning of a line.
fn parse_status(line: &str) -> Option<EnhancedStatus> {
    let mut parts = line.split_whitespace().next()?.split('.').map(|part| part.parse::<u16>().ok());
    let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && matches!(class, 2 | 4 | 5)).then_some(EnhancedStatus {
        class,
        subject,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use rstest::rstest;

    use super::*;

    fn read_reply_of(mut bytes: &[u8]) -> Result<SmtpReply, String> {
        let read = read_reply(&mut bytes).now_or_never().expect("bytes at hand");
        read.map_err(|broken| broken.to_string())
    }

    #[rstest]
    #[case(b"250 ok\r\n", 250, "ok")]
    #[case(b"250 ok\n", 250, "ok")]
    #[case(b"250\r\n", 250, "")]
    #[case(b"250 \r\n", 250, "")]
    #[case(b"250-\r\n250-a\r\n250\r\n", 250, " a ")]
    #[case(b"250-a\r\nwrapped\r\n250 b\r\n", 250, "a wrapped b")]
    #[case(b"250-a\r\n550 b\r\n", 550, "a b")]
    #[case(b"250 \xff\xfe ok\r\n", 250, "\u{fffd}\u{fffd} ok")]
    #[case(b"220 Bienvenue \xe0 tous\r\n", 220, "Bienvenue \u{fffd} tous")]
    #[case("250 hälsningar\r\n".as_bytes(), 250, "hälsningar")]
    #[case(b"250 ok", 250, "ok")]
    fn the_code_is_read_whatever_the_text(
        #[case] bytes: &[u8],
        #[case] code: u16,
        #[case] text: &str,
    ) {
        let reply = read_reply_of(bytes).expect("a reply");
        assert_eq!((reply.code, reply.text().as_str()), (code, text));
    }

    #[rstest]
    #[case(b"HTTP/1.1 400 Bad Request\r\n")]
    #[case(b"\r\n")]
    #[case(b"2\r\n")]
    #[case(b"2500 ok\r\n")]
    #[case(b"999 ok\r\n")]
    #[case(b"+50 ok\r\n")]
    #[case(b"250-a\r\n")]
    #[case(b"")]
    fn what_is_no_reply_is_an_error(#[case] bytes: &[u8]) {
        read_reply_of(bytes).expect_err("no reply");
    }

    #[test]
    fn a_long_reply_is_cut_and_an_endless_one_is_an_error() {
        let long = [
            b"250-".to_vec(),
            vec![b'x'; 1 << 20],
            b"\r\n250-y\r\n".repeat(10_000),
            b"250 end\r\n".to_vec(),
        ];
        let reply = read_reply_of(&long.concat()).expect("a reply");
        assert_eq!((reply.code, reply.lines.last().map(String::as_str)), (250, Some("end")));
        assert!(reply.lines.len() <= MAX_LINES + 1 && reply.lines[0].len() <= MAX_LINE);
        for endless in [vec![b'2'; MAX_REPLY + 1], b"250-x\r\n".repeat(MAX_REPLY / 6)] {
            assert!(read_reply_of(&endless).expect_err("endless").contains("too long"));
        }
    }

    #[rstest]
    #[case(b"550 5.1.1 no such user\r\n", Some((5, 1, 1)))]
    #[case(b"550-go away\r\n550 5.7.26 unauthenticated\r\n", Some((5, 7, 26)))]
    #[case(b"550 5.1.1\r\n", Some((5, 1, 1)))]
    #[case(b"550 127.0.0.1 is listed\r\n", None)]
    #[case(b"550 3.1.1 what\r\n", None)]
    #[case(b"550 version 5.1.1\r\n", None)]
    fn an_enhanced_code_begins_a_line(
        #[case] bytes: &[u8],
        #[case] expected: Option<(u16, u16, u16)>,
    ) {
        let status = read_reply_of(bytes).expect("a reply").status;
        assert_eq!(status.map(|status| (status.class, status.subject, status.detail)), expected);
    }
}
