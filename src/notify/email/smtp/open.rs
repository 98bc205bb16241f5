//! A connection to the mail server, up to where a mail can be handed over: greeting, TLS, login.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;

use super::wire::{CONNECT, Wire};
use crate::config::{Email, MailSecurity};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    /// No address of the server could be connected to.
    #[error(transparent)]
    Connection(#[from] std::io::Error),
    /// The conversation failed.
    #[error(transparent)]
    Smtp(#[from] Error),
}

/// Connects and logs in. Where the configuration wants TLS, nothing is said without it but the request for it.
pub(super) async fn open(email: &Email) -> Result<AsyncSmtpConnection, NotOpened> {
    let hello = ClientId::default();
    let mut connection = match email.security {
        MailSecurity::Tls => {
            let server = (email.host.as_str(), email.port);
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, Some(tls(email)?), None).await?
        }
        MailSecurity::StartTls | MailSecurity::Plain => {
            let wire = Wire::connect(&email.host, email.port).await?;
            AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello).await?
        }
    };
    if email.security == MailSecurity::StartTls {
        connection.starttls(tls(email)?, &hello).await?;
    }
    if let Some((user, password)) = &email.login {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
    }
    Ok(connection)
}

fn tls(email: &Email) -> Result<TlsParameters, Error> {
    let mut tls = TlsParameters::builder(email.host.clone());
    for authority in &email.ca {
        tls = tls.add_root_certificate(Certificate::from_der(authority.0.clone())?);
    }
    tls.build()
}
