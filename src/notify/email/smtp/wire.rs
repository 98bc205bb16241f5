//! The TCP connection below an SMTP conversation that begins without TLS: bounded, and never read beyond the end of a line.
//!
//! What somebody on the way appends to the answer to STARTTLS must not be taken for answers from within TLS (CVE-2011-0411, CVE-2021-33515): a
//! buffer above never holds more than one line, so that whatever follows it meets the TLS handshake, which it breaks.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// For the connection to one address of the server.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// The most that a server can say during one mail, in bytes: its answers and its part of TLS take less than half of that. A line without
/// an end would fill the memory, and lines without an end the processor.
const MOST: usize = 32 << 10;

/// The most that is looked at in one step, in bytes.
const PART: usize = 1024;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    /// What the server may still say, in bytes.
    left: usize,
}

impl Wire {
    /// Connects to the first address of `host` that takes a connection.
    pub(super) async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut failure = io::Error::other("the name has no address");
        for address in lookup_host((host, port)).await? {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(Self { stream, left: MOST }),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
            }
        }
        Err(failure)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server says more than is read")));
        }
        let mut part = [0; PART];
        let room = PART.min(buffer.remaining()).min(this.left);
        let mut ahead = ReadBuf::new(&mut part[..room]);
        let seen = ready!(this.stream.poll_peek(context, &mut ahead))?;
        let line = ahead.filled().iter().position(|byte| *byte == b'\n').map_or(seen, |at| at + 1);
        let mut line = ReadBuf::new(&mut part[..line]);
        ready!(Pin::new(&mut this.stream).poll_read(context, &mut line))?;
        this.left -= line.filled().len();
        buffer.put_slice(line.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
