//! The TLS client for mail servers, and the authorities that it trusts.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use crate::config::Authority;

/// A TLS client that trusts the system's authorities and `ca`.
///
/// # Errors
/// TLS cannot be set up on this machine.
pub(super) fn tls_connector(ca: &[Authority]) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(default_provider());
    let own = ca.iter().map(|authority| CertificateDer::from(authority.0.clone()));
    let verifier = Verifier::new_with_extra_roots(own, Arc::clone(&provider))?;
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
