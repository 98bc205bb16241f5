//! The byte stream of an SMTP conversation, with or without TLS: sends commands, reads replies.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::reply::{SmtpReply, read_reply};

/// The time limit for the connection to one address of the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The time limit for QUIT and the end of the connection.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for sending one block of a mail (RFC 5321, 4.5.3.2.5).
const BLOCK_TIMEOUT: Duration = Duration::from_mins(3);

/// The size of a block, in bytes.
const BLOCK_SIZE: usize = 64 << 10;

/// Why a conversation cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("{0}")]
    Connection(#[from] io::Error),
    #[error("it closed the connection")]
    Closed,
    #[error("it did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("the server's reply is too long")]
    TooLong,
    #[error("it did not answer in SMTP: {0}")]
    NotSmtp(String),
    #[error("it sent an unexpected answer: {} {}", .0.code, .0.text())]
    Unexpected(SmtpReply),
}

#[derive(Debug)]
pub(super) struct Wire {
    stream: BufReader<Either<TcpStream, Box<TlsStream<TcpStream>>>>,
}

impl Wire {
    /// Connects to the first address of `host` that takes a connection.
    pub(super) async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut failure = io::Error::other("the name has no address");
        for address in lookup_host((host, port)).await? {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(Self { stream: BufReader::new(Either::Left(stream)) });
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
            }
        }
        Err(failure)
    }

    /// Starts TLS. Bytes that arrived before and were not read must not count as answers within TLS
    /// (CVE-2011-0411, CVE-2021-33515).
    pub(super) async fn start_tls(
        self,
        tls: &TlsConnector,
        name: ServerName<'static>,
    ) -> Result<Self, WireError> {
        if !self.stream.buffer().is_empty() {
            return Err(WireError::NotSmtp("more than an answer came before TLS".to_owned()));
        }
        match self.stream.into_inner() {
            Either::Left(tcp) => {
                let stream = tls.connect(name, tcp).await?;
                Ok(Self { stream: BufReader::new(Either::Right(Box::new(stream))) })
            }
            Either::Right(_) => Err(WireError::NotSmtp("TLS was requested within TLS".to_owned())),
        }
    }

    /// Reads the next reply.
    pub(super) async fn next_reply(&mut self) -> Result<SmtpReply, WireError> {
        read_reply(&mut self.stream).await
    }

    /// Sends `command` and reads the answer. A reply that arrived before is an error, because it
    /// would be taken for the answer to this command.
    pub(super) async fn send_command(&mut self, command: &str) -> Result<SmtpReply, WireError> {
        let unexpected = self.stream.fill_buf().now_or_never().transpose()?.map(<[u8]>::len);
        match unexpected {
            None => {}
            Some(0) => return Err(WireError::Closed),
            Some(_) => {
                let reply = self.next_reply().await?;
                // A server may close the connection with 421 at any time (RFC 5321, 3.8).
                return if reply.code == 421 {
                    Ok(reply)
                } else {
                    Err(WireError::Unexpected(reply))
                };
            }
        }
        self.stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        self.stream.flush().await?;
        self.next_reply().await
    }

    /// As [`send_command`](Self::send_command), with a time limit for the answer.
    pub(super) async fn send_command_within(
        &mut self,
        time_limit: Duration,
        command: &str,
    ) -> Result<SmtpReply, WireError> {
        timeout(time_limit, self.send_command(command))
            .await
            .unwrap_or(Err(WireError::TimedOut(time_limit)))
    }

    /// Sends a mail with its final dot, and reads the answer within `time_limit`.
    pub(super) async fn send_mail_data(
        &mut self,
        mail: &[u8],
        time_limit: Duration,
    ) -> Result<SmtpReply, WireError> {
        for part in dot_stuff(mail).chunks(BLOCK_SIZE) {
            let written = timeout(BLOCK_TIMEOUT, self.stream.write_all(part)).await;
            written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        }
        let answered = async {
            self.stream.flush().await?;
            self.next_reply().await
        };
        timeout(time_limit, answered).await.unwrap_or(Err(WireError::TimedOut(time_limit)))
    }

    /// Sends QUIT and waits until the server closed the connection. Only then does the server no
    /// longer count it.
    pub(super) async fn quit(mut self) {
        let leave = async {
            self.send_command("QUIT").await.ok();
            self.stream.shutdown().await.ok();
            let mut buffer = [0; 256];
            while self.stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        };
        timeout(QUIT_TIMEOUT, leave).await.ok();
    }
}

/// `mail` with the final dot, and with a second dot before each line that begins with a dot
/// (RFC 5321, 4.5.2).
fn dot_stuff(mail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line);
    }
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a\r\n", "a\r\n.\r\n")]
    #[case("a", "a\r\n.\r\n")]
    #[case(".\r\n..a\r\nb.\r\n", "..\r\n...a\r\nb.\r\n.\r\n")]
    fn no_line_of_a_mail_ends_it(#[case] mail: &str, #[case] expected: &str) {
        assert_eq!(String::from_utf8_lossy(&dot_stuff(mail.as_bytes())), expected);
    }
}
