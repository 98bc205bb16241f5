//! TLS for servers on loopback: an authority for the test, certificates that it signs, and streams
//! with or without TLS.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tidings::config::Authority;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// A private authority.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Ca {
    /// A new authority, which no client trusts yet.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Tidings test CA");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Its certificate in the form of the configuration.
    pub fn authority(&self) -> Authority {
        Authority(self.certificate.der().to_vec())
    }

    /// Its certificate in the form of a file.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for `name` and its key, in the form of files.
    pub fn pem_pair(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// The server's side of TLS, with a certificate for `name`.
    pub fn acceptor(&self, name: &str) -> TlsAcceptor {
        self.acceptor_of(name, &[])
    }

    /// The same, which prefers HTTP/2 to HTTP/1.1 if a client offers both.
    pub fn acceptor_of_http2(&self, name: &str) -> TlsAcceptor {
        self.acceptor_of(name, &["h2", "http/1.1"])
    }

    fn acceptor_of(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.expect("a sound pair");
        config.alpn_protocols =
            protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A connection, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// Ends the connection with a reset.
    fn reset_when_dropped(&self);
}

impl Stream for TcpStream {
    fn reset_when_dropped(&self) {
        self.set_zero_linger().expect("a socket");
    }
}

impl Stream for TlsStream<Box<dyn Stream>> {
    fn reset_when_dropped(&self) {
        self.get_ref().0.reset_when_dropped();
    }
}

/// The same connection after a handshake.
pub async fn secured(
    stream: Box<dyn Stream>,
    tls: &TlsAcceptor,
) -> std::io::Result<Box<dyn Stream>> {
    Ok(Box::new(tls.accept(stream).await?))
}
