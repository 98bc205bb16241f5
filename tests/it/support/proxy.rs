//! Proxies on loopback that record their requests and lead everywhere to one server: HTTP (RFC
//! 9110) and SOCKS 5 (RFC 1928, 1929).

use std::io::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A running proxy. It stops when dropped.
pub struct ProxyServer {
    port: u16,
    requests: watch::Sender<Vec<ProxyRequest>>,
    serving: tokio::task::JoinHandle<()>,
}

/// A request to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// For HTTP, the method and the target; for SOCKS, the host and the port.
    pub target: String,
    /// `user:password`, if the client sent them.
    pub login: Option<String>,
}

#[derive(Clone, Copy)]
enum ProxyProtocol {
    Http,
    Socks,
}

impl ProxyServer {
    /// An HTTP proxy, for tunnels (CONNECT) and for requests in absolute form.
    pub async fn http(leads_to: u16) -> Self {
        Self::start(ProxyProtocol::Http, leads_to).await
    }

    /// A SOCKS 5 proxy.
    pub async fn socks(leads_to: u16) -> Self {
        Self::start(ProxyProtocol::Socks, leads_to).await
    }

    async fn start(protocol: ProxyProtocol, leads_to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let requests = watch::Sender::new(Vec::new());
        let record = requests.clone();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let record = record.clone();
                tokio::spawn(async move {
                    // A client that disconnects is ignored.
                    let _ = match protocol {
                        ProxyProtocol::Http => http(client, leads_to, &record).await,
                        ProxyProtocol::Socks => socks(client, leads_to, &record).await,
                    };
                });
            }
        });
        Self { port, requests, serving }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<ProxyRequest> {
        self.requests.borrow().clone()
    }

    /// The targets of these requests, each once, in order.
    pub fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> =
            self.requests().into_iter().map(|request| request.target).collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn http(
    mut client: TcpStream,
    leads_to: u16,
    record: &watch::Sender<Vec<ProxyRequest>>,
) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head).map_err(Error::other)?;
    let (line, rest) = head.split_once("\r\n").ok_or_else(|| Error::other("no request"))?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    record.send_modify(|requests| {
        requests.push(ProxyRequest { target: format!("{method} {target}"), login: basic(rest) });
    });
    let mut server = TcpStream::connect(("127.0.0.1", leads_to)).await?;
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    } else {
        // One request per connection, so that each is recorded.
        server.write_all(format!("{line}\r\nConnection: close\r\n{rest}").as_bytes()).await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn basic(headers: &str) -> Option<String> {
    let login = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value.strip_prefix("Basic ")?)
    })?;
    String::from_utf8(STANDARD.decode(login).ok()?).ok()
}

async fn socks(
    mut client: TcpStream,
    leads_to: u16,
    record: &watch::Sender<Vec<ProxyRequest>>,
) -> Result<()> {
    let (_version, methods) = (client.read_u8().await?, client.read_u8().await?);
    let methods = bytes(&mut client, methods).await?;
    let with_login = methods.contains(&2);
    client.write_all(&[5, if with_login { 2 } else { 0 }]).await?;
    let login = if with_login { Some(password(&mut client).await?) } else { None };
    let [_version, _connect, _reserved, kind] = bytes(&mut client, 4).await?[..] else {
        return Err(Error::other("no request"));
    };
    let host = match kind {
        1 => Ipv4Addr::from(client.read_u32().await?).to_string(),
        4 => format!("[{}]", Ipv6Addr::from(client.read_u128().await?)),
        _ => text(&mut client).await?,
    };
    let port = client.read_u16().await?;
    record.send_modify(|requests| {
        requests.push(ProxyRequest { target: format!("{host}:{port}"), login })
    });
    let mut server = TcpStream::connect(("127.0.0.1", leads_to)).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn password(client: &mut TcpStream) -> Result<String> {
    client.read_u8().await?;
    let login = format!("{}:{}", text(client).await?, text(client).await?);
    client.write_all(&[1, 0]).await?;
    Ok(login)
}

async fn text(client: &mut TcpStream) -> Result<String> {
    let length = client.read_u8().await?;
    String::from_utf8(bytes(client, length).await?).map_err(Error::other)
}

async fn bytes(client: &mut TcpStream, length: u8) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
