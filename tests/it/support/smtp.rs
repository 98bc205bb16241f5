//! A mail server on loopback that keeps what it is given, and misbehaves when told to.

use std::collections::{HashMap, HashSet};
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
    script: Mutex<HashMap<&'static str, Act>>,
    heard: watch::Sender<Vec<String>>,
    letters: watch::Sender<Vec<Letter>>,
}

/// What a server does in place of its usual answer.
#[derive(Clone, Copy)]
pub enum Act {
    /// It says this.
    Say(&'static str),
    /// It breaks the connection off.
    HangUp,
    /// It says nothing, and keeps the connection open.
    Silence,
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
        Sink::serve(self.0.listen(64).expect("the port is ours"))
    }
}

impl Sink {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    /// Takes a free port without listening.
    pub fn reserve() -> Reserved {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Reserved(socket)
    }

    fn serve(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            refused: Mutex::default(),
            stalled: Mutex::default(),
            script: Mutex::default(),
            heard: watch::Sender::new(Vec::new()),
            letters: watch::Sender::new(Vec::new()),
        });
        let served = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&served);
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

    /// Does so from now on where it would answer `verb`: `GREETING`, a command in capitals, or `.` for a mail's end.
    pub fn on(&self, verb: &'static str, act: Act) {
        self.shared.script.lock().expect("no panic").insert(verb, act);
    }

    /// Every command so far, of all connections; what a connection sends at its very start counts, be it SMTP or not.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.borrow().clone()
    }

    /// Waits until a command that begins so came.
    pub async fn wait_to_hear(&self, verb: &str) {
        let mut heard = self.shared.heard.subscribe();
        let waited = timeout(DEADLINE, heard.wait_for(|heard| heard.iter().any(|line| line.starts_with(verb)))).await;
        waited.unwrap_or_else(|_| panic!("{verb} was not heard")).expect("the server lives");
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
    answer(&mut stream, shared, "GREETING", "220 sink ESMTP").await?;
    let mut to = Vec::new();
    while let Some(command) = read_command(&mut stream, shared).await? {
        let upper = command.to_ascii_uppercase();
        let verb = upper.split([' ', ':']).next().unwrap_or_default();
        let usual = match verb {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => {
                if upper.ends_with("LOGIN") {
                    for prompt in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
                        stream.write_all(prompt.as_bytes()).await?;
                        read_command(&mut stream, shared).await?;
                    }
                }
                "235 welcome"
            }
            "RCPT" => {
                let recipient = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                if shared.refused.lock().expect("no panic").contains(&recipient) {
                    "550 no such user"
                } else {
                    to.push(recipient);
                    "250 ok"
                }
            }
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let said = answer(&mut stream, shared, verb, usual).await?;
        if verb == "DATA" && said.starts_with('3') {
            let data = read_data(&mut stream).await?;
            shared.letters.send_modify(|letters| letters.push(Letter { to: std::mem::take(&mut to), data }));
            let stalled = shared.stalled.lock().expect("no panic").clone();
            if let Some(mut stalled) = stalled {
                stalled.wait_for(|released| *released).await.ok();
            }
            answer(&mut stream, shared, ".", "250 kept").await?;
        }
    }
    Ok(())
}

/// The next line, kept as heard; `None` at the end.
async fn read_command(stream: &mut BufReader<TcpStream>, shared: &Shared) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    shared.heard.send_modify(|heard| heard.push(line.clone()));
    Ok(Some(line))
}

/// Says what the script has for `verb`, else the usual; returns what was said.
async fn answer(
    stream: &mut BufReader<TcpStream>,
    shared: &Shared,
    verb: &str,
    usual: &'static str,
) -> std::io::Result<&'static str> {
    let act = shared.script.lock().expect("no panic").get(verb).copied();
    let said = match act.unwrap_or(Act::Say(usual)) {
        Act::Say(said) => said,
        Act::HangUp => return Err(std::io::ErrorKind::ConnectionAborted.into()),
        Act::Silence => std::future::pending().await,
    };
    stream.write_all(format!("{said}\r\n").as_bytes()).await?;
    Ok(said)
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
