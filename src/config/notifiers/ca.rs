//! `ca: FILE.pem`: certificates of authorities that a notifier trusts, in addition to the system's.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::super::Authority;
use super::super::reader::ConfigReader;
use tidings_rules::yaml::{Entries, Node};

/// The largest file that is read, in bytes. The bundles of whole systems have a quarter of that.
const LARGEST: u64 = 1 << 20;

/// The authorities in the file of `ca`: at least one, or none if there is no key `ca`.
pub(super) fn read_authorities(
    entries: &mut Entries<'_>,
    reader: &mut ConfigReader<'_>,
) -> Option<Vec<Authority>> {
    entries.get("ca").map_or_else(|| Some(Vec::new()), |node| in_file(node, reader))
}

/// Adds a fault at `ca` if the notifier uses no TLS.
pub(super) fn refuse_without_tls(
    entries: &mut Entries<'_>,
    help: &str,
    reader: &mut ConfigReader<'_>,
) {
    if let Some(node) = entries.get("ca") {
        reader.error(node, "`ca` has no effect without TLS", help);
    }
}

fn in_file(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Vec<Authority>> {
    let path = reader.expanded(node)?;
    let found = match reader.read_file(&path.value, LARGEST) {
        Err(why) => Err(format!("`{}` cannot be read: {why}", path.written.value)),
        Ok(pem) => parse(&pem).map_err(|why| format!("`{}` {why}", path.written.value)),
    };
    found
        .map_err(|message| {
            reader.error(
                node,
                message,
                "it must be a PEM file with the certificate of your own CA",
            );
        })
        .ok()
}

/// The certificates in `pem`. An error says what is wrong with it.
fn parse(pem: &[u8]) -> Result<Vec<Authority>, String> {
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "is damaged PEM".to_owned())?;
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store
            .add(certificate.clone())
            .map_err(|_| "holds a certificate that cannot be read".to_owned())?;
    }
    match certificates.as_slice() {
        [] => Err("holds no certificate".to_owned()),
        _ => Ok(certificates
            .into_iter()
            .map(|certificate| Authority(certificate.to_vec()))
            .collect()),
    }
}
