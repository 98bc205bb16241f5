//! The webhook sink. HTTP/1.1 is written by hand, because no server library resets connections or
//! stops in the middle of an answer.

use std::io;

use tidings::clock::now;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::harness::ledger::{Ledger, MessageContent};
use crate::harness::reactions::{Limiter, PAUSE, SinkReaction, choose_reaction};
use crate::harness::script::{LIMITED, To};
use crate::support::tls::Stream;

/// A running sink for all webhooks, each at the path of its name. It stops when dropped.
pub struct Hooks {
    port: u16,
    serving: tokio::task::JoinHandle<()>,
}

impl Hooks {
    /// Listens on a free port.
    pub async fn start(seed: u64, ledger: Ledger) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let limiter = Limiter::default();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (ledger, limiter) = (ledger.clone(), limiter.clone());
                // A killed client breaks its connection off, which is no error.
                tokio::spawn(async move { converse(stream, seed, &ledger, &limiter).await.ok() });
            }
        });
        Self { port, serving }
    }

    /// The address of a hook.
    pub fn url(&self, notifier: &str) -> String {
        format!("http://127.0.0.1:{}/{notifier}", self.port)
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request, read to its end.
struct Request {
    notifier: String,
    id: String,
    body: Vec<u8>,
}

/// Answers the requests of one connection, until a reaction ends it.
async fn converse(
    stream: TcpStream,
    seed: u64,
    ledger: &Ledger,
    limiter: &Limiter,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        let to = To { notifier: request.notifier, recipient: String::new() };
        let content = MessageContent::by_hook(&request.body);
        let mut reaction = SinkReaction::Take;
        ledger.keep(&request.id, to.clone(), content.clone(), &request.body, |before| {
            let is_limited = to.notifier == LIMITED && limiter.is_too_much(now());
            reaction = if is_limited {
                SinkReaction::Limit
            } else {
                choose_reaction(seed, &to, &content, before)
            };
            reaction.outcome()
        });
        if !answer(&mut stream, reaction).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Does the part of a reaction that the client sees. `false` if the connection ends.
async fn answer(stream: &mut BufReader<TcpStream>, reaction: SinkReaction) -> io::Result<bool> {
    let status = match reaction {
        SinkReaction::Take => "204 No Content\r\n\r\n",
        SinkReaction::TakeSlowly => {
            sleep(PAUSE).await;
            "200 OK\r\ncontent-length: 0\r\n\r\n"
        }
        SinkReaction::TakeInOtherWords => {
            stream
                .write_all(
                    b"HTTP/1.1 200 \xc4\xe3\xba\xc3\r\ncontent-length: 4\r\n\r\n\xc4\xe3\xba\xc3",
                )
                .await?;
            return Ok(true);
        }
        SinkReaction::TakeAndDrop => "200 OK\r\ncontent-length: 99\r\n\r\nthank y",
        SinkReaction::Stall => {
            sleep(PAUSE).await;
            return Ok(false);
        }
        SinkReaction::Reset => {
            stream.get_ref().reset_when_dropped();
            return Ok(false);
        }
        SinkReaction::HangUp => "2",
        SinkReaction::Busy => "503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        SinkReaction::AskForRest => {
            "429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n"
        }
        SinkReaction::Limit => {
            "429 Too Many Requests\r\ncontent-length: 21\r\n\r\n{\"retry_after\": 1.00}"
        }
        SinkReaction::Redeploy => "404 Not Found\r\ncontent-length: 0\r\n\r\n",
        SinkReaction::Refuse => unreachable!("no answer of a webhook refuses a message for good"),
        SinkReaction::Gone => "410 Gone\r\ncontent-length: 0\r\n\r\n",
    };
    stream.write_all(format!("HTTP/1.1 {status}").as_bytes()).await?;
    Ok(!matches!(reaction, SinkReaction::TakeAndDrop | SinkReaction::HangUp))
}

/// The next request; `None` at the end.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head).await? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().expect("a length")];
    stream.read_exact(&mut body).await?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    Ok(Some(Request {
        notifier: path.trim_start_matches('/').to_owned(),
        id: header("webhook-id"),
        body,
    }))
}
