//! Opens a connection to the mail server: greeting, TLS, login.

use std::io;
use std::time::Duration;

use rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio::time::timeout;

use super::connection::Connection;
use super::login::{self, Mechanism};
use super::reply::SmtpReply;
use super::step::SmtpStep;
use super::tls;
use super::wire::{Wire, WireError};
use crate::config::{Email, MailSecurity, Secret};
use crate::notify::email::smtp::extensions::ServerExtensions;

/// The time limit from the first packet to the end of the login. Some servers delay the greeting by
/// up to a minute to slow down spammers.
const OPEN_TIMEOUT: Duration = Duration::from_mins(2);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum OpenFailure {
    /// No address of the server could be connected to.
    Connection(io::Error),
    /// TLS cannot be set up here.
    Tls(String),
    /// The connection failed.
    Broken(WireError),
    /// The server refused a step.
    Refused(SmtpStep, SmtpReply),
    /// The server offers no STARTTLS, which the configuration requires.
    NoStartTls,
    /// The server offers no known login mechanism.
    NoLogin,
    /// It took too long.
    TimedOut,
}

impl From<WireError> for OpenFailure {
    fn from(broken: WireError) -> Self {
        Self::Broken(broken)
    }
}

impl From<rustls::Error> for OpenFailure {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error.to_string())
    }
}

impl From<InvalidDnsNameError> for OpenFailure {
    fn from(error: InvalidDnsNameError) -> Self {
        Self::Tls(error.to_string())
    }
}

/// Connects and logs in, with the mechanism `first` if the server offers it. If the configuration
/// requires TLS, only EHLO and STARTTLS are sent without it.
pub(super) async fn open_connection(
    email: &Email,
    first: Option<Mechanism>,
) -> Result<Connection, OpenFailure> {
    let opened = async {
        let (wire, extensions) = connect_and_greet(email).await?;
        match &email.login {
            Some(credentials) => {
                log_in_by_any_mechanism(email, credentials, first, wire, extensions).await
            }
            None => Ok(Connection::new(wire, extensions, None)),
        }
    };
    timeout(OPEN_TIMEOUT, opened).await.unwrap_or(Err(OpenFailure::TimedOut))
}

/// Connects, with TLS if the configuration requires it. Returns the server's extensions, too.
async fn connect_and_greet(email: &Email) -> Result<(Wire, ServerExtensions), OpenFailure> {
    let mut wire = Wire::connect(&email.host, email.port).await.map_err(OpenFailure::Connection)?;
    if email.security == MailSecurity::Tls {
        wire = start_tls(wire, email).await?;
    }
    require_positive(SmtpStep::Greeting, wire.next_reply().await?)?;
    let extensions = send_hello(&mut wire, &email.helo).await?;
    if email.security != MailSecurity::StartTls {
        return Ok((wire, extensions));
    }
    if !extensions.starttls {
        return Err(OpenFailure::NoStartTls);
    }
    require_positive(SmtpStep::StartTls, wire.send_command("STARTTLS").await?)?;
    let mut wire = start_tls(wire, email).await?;
    let extensions = send_hello(&mut wire, &email.helo).await?;
    Ok((wire, extensions))
}

async fn start_tls(wire: Wire, email: &Email) -> Result<Wire, OpenFailure> {
    let name = ServerName::try_from(email.host.clone())?;
    Ok(wire.start_tls(&tls::tls_connector(&email.ca)?, name).await?)
}

/// Sends EHLO, or HELO if the server does not know EHLO (RFC 5321, 3.2).
async fn send_hello(wire: &mut Wire, name: &str) -> Result<ServerExtensions, OpenFailure> {
    let reply = wire.send_command(&format!("EHLO {name}")).await?;
    if !reply.is_permanent() {
        return Ok(ServerExtensions::from_reply(&require_positive(SmtpStep::Hello, reply)?));
    }
    require_positive(SmtpStep::Hello, wire.send_command(&format!("HELO {name}")).await?)?;
    Ok(ServerExtensions::default())
}

/// Tries each mechanism that the server offers until one works. Servers also offer mechanisms that
/// do not work.
async fn log_in_by_any_mechanism(
    email: &Email,
    credentials: &(String, Secret),
    first: Option<Mechanism>,
    wire: Wire,
    extensions: ServerExtensions,
) -> Result<Connection, OpenFailure> {
    let mut greeting = Some((wire, extensions.clone()));
    let mut failure = OpenFailure::NoLogin;
    for mechanism in mechanisms_to_try(&extensions.mechanisms, first) {
        // After a refusal, servers close the connection or ignore further commands.
        let (mut wire, extensions) = match greeting.take() {
            Some(greeting) => greeting,
            None => connect_and_greet(email).await?,
        };
        match login::authenticate(&mut wire, mechanism, credentials).await {
            Ok(reply) if reply.is_positive() => {
                return Ok(Connection::new(wire, extensions, Some(mechanism)));
            }
            Ok(reply) if !reply.is_permanent() => {
                return Err(OpenFailure::Refused(SmtpStep::Login, reply));
            }
            Ok(reply) => {
                failure = more_specific_refusal(failure, reply);
                wire.quit().await;
            }
            Err(broken) => failure = OpenFailure::Broken(broken),
        }
    }
    Err(failure)
}

/// The offered mechanisms in the order of trial: `first`, PLAIN, LOGIN.
fn mechanisms_to_try(offered: &[Mechanism], first: Option<Mechanism>) -> Vec<Mechanism> {
    let mut mechanisms: Vec<_> = first.into_iter().collect();
    mechanisms.extend(
        [Mechanism::Plain, Mechanism::Login].into_iter().filter(|known| Some(*known) != first),
    );
    mechanisms.retain(|mechanism| offered.contains(mechanism));
    mechanisms
}

/// The refusal that says more: a refused login says more than an unknown mechanism.
fn more_specific_refusal(before: OpenFailure, reply: SmtpReply) -> OpenFailure {
    match before {
        OpenFailure::Refused(_, before) if login::is_unknown_mechanism(&reply) => {
            OpenFailure::Refused(SmtpStep::Login, before)
        }
        _ => OpenFailure::Refused(SmtpStep::Login, reply),
    }
}

fn require_positive(step: SmtpStep, reply: SmtpReply) -> Result<SmtpReply, OpenFailure> {
    if reply.is_positive() { Ok(reply) } else { Err(OpenFailure::Refused(step, reply)) }
}
