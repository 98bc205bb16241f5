//! A mail server on loopback that keeps its mails. Its script can make it misbehave.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::DEADLINE;
use super::tls::{Stream, secured};

/// A running mail server. It stops when dropped.
pub struct Sink {
    port: u16,
    shared: Arc<SinkState>,
    serving: tokio::task::JoinHandle<()>,
}

struct SinkState {
    refused: Mutex<HashSet<String>>,
    stalled: Mutex<Option<watch::Receiver<bool>>>,
    script: Mutex<HashMap<&'static str, ServerAction>>,
    judge: Mutex<Option<Judge>>,
    heard: watch::Sender<Vec<String>>,
    received: watch::Sender<Vec<ReceivedMail>>,
    connections: watch::Sender<usize>,
    /// The open connections.
    open: AtomicUsize,
    /// The settings of TLS, and whether it starts with the first byte.
    tls: Option<(TlsAcceptor, bool)>,
}

/// What a server does instead of its usual answer.
#[derive(Clone, Copy)]
pub enum ServerAction {
    /// It answers with this text.
    Say(&'static str),
    /// It sends these bytes, which need not be SMTP, and continues.
    Bytes(&'static [u8]),
    /// It repeats these bytes without end.
    Flood(&'static [u8]),
    /// It closes the connection.
    HangUp,
    /// It resets the connection (RST), as a machine does after a crash, or a middlebox.
    Reset,
    /// It is silent, and keeps the connection open.
    Silence,
    /// It answers with this text after a while.
    SayAfter(Duration, &'static str),
    /// It answers with this text and closes the connection.
    SayAndHangUp(&'static str),
    /// It is silent for a while, and closes the connection.
    HangUpAfter(Duration),
}

/// The event that a judge decides about.
pub enum Moment<'m> {
    /// A client connected.
    Greeting {
        /// The connected clients, this one included.
        open: usize,
    },
    /// A command with this verb, in capitals.
    Command(&'m str),
    /// A whole mail.
    End(&'m ReceivedMail),
}

/// Decides for each event what the server does instead of its usual answer.
type Judge = Box<dyn Fn(Moment<'_>) -> Option<ServerAction> + Send>;

/// A mail as it was sent.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    pub to: Vec<String>,
    pub data: Vec<u8>,
}

/// A bound port that refuses connections, because nothing listens yet.
pub struct Reserved(TcpSocket);

/// A port that completes no connection.
pub struct Stuck {
    pub port: u16,
    _kept: (TcpListener, Vec<TcpStream>),
}

/// Holds the answers to a mail's final dot until it is released.
pub struct StalledReplies(watch::Sender<bool>);

impl StalledReplies {
    /// Releases all answers.
    pub fn release(self) {
        self.0.send(true).ok();
    }
}

impl ReceivedMail {
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

    /// Starts to listen.
    pub fn open(self) -> Sink {
        Sink::serve(self.0.listen(64).expect("the port is ours"), None)
    }

    /// Listens so that no further connection completes: two clients fill the queue.
    pub async fn stall(self) -> Stuck {
        let address = self.0.local_addr().expect("an address");
        let listener = self.0.listen(0).expect("the port is ours");
        let mut clients = Vec::new();
        while let Ok(client) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            clients.push(client.expect("a connection"));
        }
        Stuck { port: address.port(), _kept: (listener, clients) }
    }
}

impl Sink {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), None)
    }

    /// The same on the loopback address of IPv6.
    pub async fn start_on_ipv6() -> Self {
        Self::serve(TcpListener::bind("[::1]:0").await.expect("a free port"), None)
    }

    /// The same with TLS, from the first byte or after STARTTLS.
    pub async fn start_with_tls(tls: TlsAcceptor, from_the_start: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::serve(listener, Some((tls, from_the_start)))
    }

    /// Takes a free port without listening.
    pub fn reserve() -> Reserved {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Reserved(socket)
    }

    fn serve(listener: TcpListener, tls: Option<(TlsAcceptor, bool)>) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(SinkState {
            refused: Mutex::default(),
            stalled: Mutex::default(),
            script: Mutex::default(),
            judge: Mutex::default(),
            heard: watch::Sender::new(Vec::new()),
            received: watch::Sender::new(Vec::new()),
            connections: watch::Sender::new(0),
            open: AtomicUsize::new(0),
            tls,
        });
        let served = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&served);
                shared.connections.send_modify(|number| *number += 1);
                // A killed client breaks its connection off, which is no error.
                shared.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    converse(Box::new(stream), &shared).await.ok();
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
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

    /// Makes the server do `action` instead of its usual answer to `verb`: `GREETING`, a command in
    /// capitals, `AUTH PLAIN` for that command alone, `TLS` for its part of a handshake, or `.` for
    /// the end of a mail.
    pub fn on(&self, verb: &'static str, action: ServerAction) {
        self.shared.script.lock().expect("no panic").insert(verb, action);
    }

    /// Lets `judge` decide from now on. The script has priority.
    pub fn judge(&self, judge: impl Fn(Moment<'_>) -> Option<ServerAction> + Send + 'static) {
        *self.shared.judge.lock().expect("no panic") = Some(Box::new(judge));
    }

    /// Waits for a client to connect.
    pub async fn wait_for_connection(&self) {
        let mut connections = self.shared.connections.subscribe();
        let waited = timeout(DEADLINE, connections.wait_for(|number| *number > 0)).await;
        waited.expect("nobody connected").expect("the server lives");
    }

    /// The number of clients that have connected so far.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Refuses clients while `most` others are connected.
    pub fn bear(&self, most: usize) {
        self.judge(move |moment| {
            let crowded = matches!(moment, Moment::Greeting { open } if open > most);
            crowded.then_some(ServerAction::SayAndHangUp(
                "432 4.3.2 Concurrent connections limit exceeded",
            ))
        });
    }

    /// The number of commands with this beginning.
    pub fn count(&self, verb: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(verb)).count()
    }

    /// Every command so far, of all connections. The first bytes of a connection count, even if
    /// they are not SMTP.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.borrow().clone()
    }

    /// Waits for a command with this beginning.
    pub async fn wait_to_hear(&self, verb: &str) {
        let mut heard = self.shared.heard.subscribe();
        let waited = timeout(
            DEADLINE,
            heard.wait_for(|heard| heard.iter().any(|line| line.starts_with(verb))),
        )
        .await;
        waited.unwrap_or_else(|_| panic!("{verb} was not heard")).expect("the server lives");
    }

    /// Keeps mails, but answers no final dot until it is released.
    pub fn stall_after_data(&self) -> StalledReplies {
        let (release, stalled) = watch::channel(false);
        *self.shared.stalled.lock().expect("no panic") = Some(stalled);
        StalledReplies(release)
    }

    /// Every mail so far.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.shared.received.borrow().clone()
    }

    /// Waits for this number of mails.
    pub async fn wait_for(&self, number: usize) -> Vec<ReceivedMail> {
        let mut received = self.shared.received.subscribe();
        let waited =
            timeout(DEADLINE, received.wait_for(|received| received.len() >= number)).await;
        waited
            .unwrap_or_else(|_| panic!("{number} mails did not come"))
            .expect("the server lives")
            .clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One connection, as in RFC 5321.
async fn converse(stream: Box<dyn Stream>, shared: &SinkState) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    if let Some((tls, true)) = &shared.tls {
        stream = BufReader::new(secure(stream.into_inner(), tls, shared).await?);
    }
    let greeting = judged(shared, Moment::Greeting { open: shared.open.load(Ordering::SeqCst) })
        .unwrap_or(ServerAction::Say("220 sink ESMTP"));
    answer(&mut stream, shared, "GREETING", greeting).await?;
    let mut to = Vec::new();
    while let Some(command) = read_command(&mut stream, shared).await? {
        let upper = command.to_ascii_uppercase();
        let mut verb = upper.split([' ', ':']).next().unwrap_or_default();
        if upper.starts_with("AUTH PLAIN") {
            verb = "AUTH PLAIN";
        } else if verb == "AUTH" && upper.ends_with("LOGIN") {
            ask_for_login(&mut stream, shared).await?;
        }
        let usual = usual_reply(verb, &command, shared, &mut to);
        let usual = judged(shared, Moment::Command(verb)).unwrap_or(ServerAction::Say(usual));
        let said = answer(&mut stream, shared, verb, usual).await?;
        if verb == "DATA" && said.starts_with('3') {
            receive_mail(&mut stream, shared, std::mem::take(&mut to)).await?;
        }
        if let ("STARTTLS", Some((tls, _))) = (verb, &shared.tls) {
            stream = BufReader::new(secure(stream.into_inner(), tls, shared).await?);
        }
    }
    Ok(())
}

/// The reply to a command. An accepted recipient is added to `to`.
fn usual_reply(
    verb: &str,
    command: &str,
    shared: &SinkState,
    to: &mut Vec<String>,
) -> &'static str {
    match verb {
        "EHLO" if matches!(shared.tls, Some((_, false))) => {
            "250-sink\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"
        }
        "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
        "AUTH" | "AUTH PLAIN" => "235 welcome",
        "RCPT" => {
            let recipient = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            if shared.refused.lock().expect("no panic").contains(&recipient) {
                return "550 no such user";
            }
            to.push(recipient);
            "250 ok"
        }
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "250 ok",
    }
}

/// Asks for the user and the password of AUTH LOGIN.
async fn ask_for_login(
    stream: &mut BufReader<Box<dyn Stream>>,
    shared: &SinkState,
) -> std::io::Result<()> {
    for prompt in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
        stream.write_all(prompt.as_bytes()).await?;
        read_command(stream, shared).await?;
    }
    Ok(())
}

/// Reads a mail, keeps it and answers its final dot.
async fn receive_mail(
    stream: &mut BufReader<Box<dyn Stream>>,
    shared: &SinkState,
    to: Vec<String>,
) -> std::io::Result<()> {
    let mail = ReceivedMail { to, data: read_data(stream).await? };
    let reply = judged(shared, Moment::End(&mail)).unwrap_or(ServerAction::Say("250 kept"));
    shared.received.send_modify(|received| received.push(mail));
    let stalled = shared.stalled.lock().expect("no panic").clone();
    if let Some(mut stalled) = stalled {
        stalled.wait_for(|released| *released).await.ok();
    }
    answer(stream, shared, ".", reply).await?;
    Ok(())
}

/// The server's part of a TLS handshake, or the scripted action instead.
async fn secure(
    stream: Box<dyn Stream>,
    tls: &TlsAcceptor,
    shared: &SinkState,
) -> std::io::Result<Box<dyn Stream>> {
    let mut stream = BufReader::new(stream);
    if shared.script.lock().expect("no panic").contains_key("TLS") {
        answer(&mut stream, shared, "TLS", ServerAction::Say("")).await?;
    }
    secured(stream.into_inner(), tls).await
}

/// The next line, which is recorded; `None` at the end.
async fn read_command(
    stream: &mut BufReader<Box<dyn Stream>>,
    shared: &SinkState,
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    shared.heard.send_modify(|heard| heard.push(line.clone()));
    Ok(Some(line))
}

/// Sends the scripted answer to `verb`, else the usual answer. Returns what it sent.
async fn answer(
    stream: &mut BufReader<Box<dyn Stream>>,
    shared: &SinkState,
    verb: &str,
    usual: ServerAction,
) -> std::io::Result<&'static str> {
    let action = {
        let script = shared.script.lock().expect("no panic");
        script.get(verb).or_else(|| script.get(verb.split(' ').next().unwrap_or_default())).copied()
    };
    match action.unwrap_or(usual) {
        ServerAction::Say(said) => say(stream, said).await,
        ServerAction::SayAfter(pause, said) => {
            sleep(pause).await;
            say(stream, said).await
        }
        ServerAction::SayAndHangUp(said) => {
            say(stream, said).await?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        ServerAction::HangUpAfter(pause) => {
            sleep(pause).await;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        ServerAction::Bytes(bytes) => {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            Ok("")
        }
        ServerAction::Flood(bytes) => loop {
            stream.write_all(bytes).await?;
        },
        ServerAction::HangUp => Err(std::io::ErrorKind::ConnectionAborted.into()),
        ServerAction::Reset => {
            stream.get_ref().reset_when_dropped();
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
        ServerAction::Silence => std::future::pending().await,
    }
}

async fn say(
    stream: &mut BufReader<Box<dyn Stream>>,
    said: &'static str,
) -> std::io::Result<&'static str> {
    stream.write_all(format!("{said}\r\n").as_bytes()).await?;
    stream.flush().await?;
    Ok(said)
}

fn judged(shared: &SinkState, moment: Moment<'_>) -> Option<ServerAction> {
    shared.judge.lock().expect("no panic").as_ref().and_then(|judge| judge(moment))
}

async fn read_data(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    while !data.ends_with(b"\r\n.\r\n") {
        if stream.read_until(b'\n', &mut data).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    data.truncate(data.len() - b".\r\n".len());
    Ok(data)
}
