//! A `PostgreSQL` server of one test: with a password and a certificate, and it can be stopped.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Executor};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::setup::free_address;
use super::test_server::{MISSING, ON_POSTGRES, newest_server};
use super::tls::Ca;

/// The password of the role `tidings`.
pub const PASSWORD: &str = "s3cret/p@ss";

/// Does what is ordered on its standard input, and stops the server at its end.
const SUPERVISE: &str = r#"
bin=$1 folder=$2 port=$3
if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; user="runuser -u postgres --"; fi
trap '' INT TERM
server() { $user "$bin/pg_ctl" -D "$folder/data" "$@" </dev/null >>"$folder/log" 2>&1; }
$user "$bin/initdb" -D "$folder/data" -U tidings -A scram-sha-256 --pwfile "$folder/password" \
    --no-sync -E UTF8 --locale=C.UTF-8 </dev/null >"$folder/log" 2>&1
while read -r order; do
    case $order in
    start) for _ in 1 2 3 4 5; do
        # The processes of a server that was killed end a little later.
        server -w -o "-k $folder -p $port -c listen_addresses=127.0.0.1 -c fsync=off -c ssl=on \
        -c ssl_cert_file=$folder/cert.pem -c ssl_key_file=$folder/key.pem" start && break
        sleep 1; done ;;
    kill) kill -9 "$(head -n 1 "$folder/data/postmaster.pid")" ;;
    *) server -m "$order" stop ;;
    esac
    echo "done: $?"
done
server -m immediate stop
rm -rf "$folder"
"#;

/// The server. It stops when dropped.
pub struct OwnServer {
    port: u16,
    orders: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
    supervisor: Child,
}

impl OwnServer {
    /// A server that runs, with the empty database `tidings` and a certificate of `ca` for
    /// `localhost`. `None` if this run of the tests is not about servers.
    pub async fn start(ca: &Ca) -> Option<Self> {
        std::env::var_os(ON_POSTGRES)?;
        let bin = newest_server().expect(MISSING);
        let folder = tempfile::tempdir().expect("a folder").keep();
        let (certificate, key) = ca.pem_pair("localhost");
        let files = [("password", PASSWORD), ("cert.pem", &certificate), ("key.pem", &key)];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(folder.join(name), mode).expect("our own file");
        }
        let address = free_address();
        let port = address.rsplit(':').next().expect("a port");
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .args([&bin, &folder])
            .arg(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let said = BufReader::new(supervisor.stdout.take().expect("piped")).lines();
        let orders = supervisor.stdin.take();
        let mut server = Self { port: port.parse().expect("a port"), orders, said, supervisor };
        server.order("start");
        let mut admin = server.connect("postgres").await;
        admin.execute("CREATE DATABASE tidings").await.expect("a database");
        Some(server)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `start`, or how it stops: `fast`, `immediate` as after a crash, or `kill` with signal 9.
    /// Waits until it is done.
    pub fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("it is not dropped");
        writeln!(orders, "{order}").expect("a supervisor");
        let done = self.said.next().expect("an answer").expect("UTF-8");
        assert_eq!(done, "done: 0", "{order}");
    }

    /// A connection to a database.
    pub async fn connect(&self, database: &str) -> PgConnection {
        let address = format!("postgres://tidings@127.0.0.1:{}/{database}", self.port);
        let options = PgConnectOptions::from_str(&address).expect("an address");
        options.password(PASSWORD).connect().await.expect("a server")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.supervisor.wait().ok();
    }
}

/// A line to a server, which can be cut so that no end notices it.
pub struct ServerLine {
    port: u16,
    is_whole: watch::Sender<bool>,
    carrying: tokio::task::JoinHandle<()>,
}

impl ServerLine {
    /// A whole line to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let is_whole = watch::Sender::new(true);
        let state = is_whole.subscribe();
        let carrying = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, state.clone()));
            }
        });
        Self { port: own, is_whole, carrying }
    }

    /// The port of its other end.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing arrives. Connections stay open.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// New connections are carried again.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for ServerLine {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// Carries one connection until the line is cut. Then it is kept open, and dead.
async fn carry(mut client: TcpStream, port: u16, mut is_whole: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let cut = async { drop(is_whole.wait_for(|whole| !whole).await) };
    tokio::select! {
        () = cut => {}
        _ = copy_bidirectional(&mut client, &mut server) => return,
    }
    std::future::pending::<()>().await;
}
