//! A mail server on loopback that keeps what it is given, and misbehaves when told to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::DEADLINE;

/// A running mail server; gone when dropped.
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    refused: Mutex<HashSet<String>>,
    stalled: Mutex<Option<watch::Receiver<bool>>>,
    letters: watch::Sender<Vec<Letter>>,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: Vec<String>,
    pub data: Vec<u8>,
}

/// A port that is taken but refuses, since nothing listens yet.
pub struct Reserved(TcpSocket);

/// Keeps the answer to a mail's final dot back until it is released.
pub struct Stall(watch::Sender<bool>);

impl Stall {
    /// Lets every answer go.
    pub fn release(self) {
        self.0.send(true).ok();
    }
}

impl Letter {
    /// The whole mail as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// Its plain text part, decoded.
    pub fn plain(&self) -> String {
        let text = self.text();
        let part = text.split("Content-Type: text/plain").nth(1).expect("a plain part");
        let body = part.split_once("\r\n\r\n").expect("a body").1;
        let body = body.split("\r\n--").next().expect("an end").replace("=\r\n", "");
        body.replace("=3D", "=")
    }
}

impl Reserved {
    /// The port.
    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    /// Begins to listen.
    pub fn open(self) -> Sink {
        Sink::on(self.0.listen(64).expect("the port is ours"))
    }
}

impl Sink {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    /// Takes a free port without listening.
    pub fn reserve() -> Reserved {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Reserved(socket)
    }

    fn on(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            refused: Mutex::default(),
            stalled: Mutex::default(),
            letters: watch::Sender::new(Vec::new()),
        });
        let serve = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serve);
                // A client that is killed breaks its connection off: nothing is wrong with that.
                tokio::spawn(async move { converse(stream, &shared).await.ok() });
            }
        });
        Self { port, shared, serving }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Answers 550 to this recipient from now on.
    pub fn refuse(&self, recipient: &str) {
        self.shared.refused.lock().expect("no panic").insert(recipient.to_owned());
    }

    /// Keeps mails, but answers no final dot until it is released.
    pub fn stall_after_data(&self) -> Stall {
        let (release, stalled) = watch::channel(false);
        *self.shared.stalled.lock().expect("no panic") = Some(stalled);
        Stall(release)
    }

    /// Every mail so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.shared.letters.borrow().clone()
    }

    /// Waits until so many mails came.
    pub async fn wait_for(&self, number: usize) -> Vec<Letter> {
        let mut letters = self.shared.letters.subscribe();
        let waited = timeout(DEADLINE, letters.wait_for(|letters| letters.len() >= number)).await;
        waited.unwrap_or_else(|_| panic!("{number} mails did not come")).expect("the server lives").clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One connection, as RFC 5321 has it.
async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut to, mut line) = (Vec::new(), String::new());
    while stream.read_line(&mut line).await? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        let upper = command.to_ascii_uppercase();
        let reply = if upper.starts_with("EHLO") {
            "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"
        } else if upper.starts_with("AUTH PLAIN") {
            "235 welcome\r\n"
        } else if upper.starts_with("RCPT TO:") {
            let recipient = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            let refused = shared.refused.lock().expect("no panic").contains(&recipient);
            if refused {
                "550 no such user\r\n"
            } else {
                to.push(recipient);
                "250 ok\r\n"
            }
        } else if upper == "DATA" {
            stream.write_all(b"354 go on\r\n").await?;
            let data = read_data(&mut stream).await?;
            shared.letters.send_modify(|letters| letters.push(Letter { to: std::mem::take(&mut to), data }));
            let stalled = shared.stalled.lock().expect("no panic").clone();
            if let Some(mut stalled) = stalled {
                stalled.wait_for(|released| *released).await.ok();
            }
            "250 kept\r\n"
        } else if upper == "QUIT" {
            "221 bye\r\n"
        } else {
            "250 ok\r\n"
        };
        stream.write_all(reply.as_bytes()).await?;
    }
    Ok(())
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    while !data.ends_with(b"\r\n.\r\n") {
        if stream.read_until(b'\n', &mut data).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    data.truncate(data.len() - b".\r\n".len());
    Ok(data)
}
