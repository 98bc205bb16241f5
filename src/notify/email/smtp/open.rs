//! A connection to the mail server, up to where a mail can be handed over: greeting, TLS, login.

use std::io;
use std::time::Duration;

use rustls::pki_types::{InvalidDnsNameError, ServerName};
use secrecy::SecretString;
use tokio::time::timeout;

use super::connection::Connection;
use super::login::{self, Mechanism};
use super::offer::Offer;
use super::reply::SmtpReply;
use super::step::SmtpStep;
use super::tls;
use super::wire::{Broken, Wire};
use crate::config::{Email, MailSecurity};

/// From the first packet to the login. Greetings that are held back to annoy spammers take up to a
/// minute.
const OPENING: Duration = Duration::from_mins(2);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// No address of the server could be connected to.
    Connection(io::Error),
    /// TLS cannot be set up here.
    Tls(String),
    /// The conversation broke off.
    Broken(Broken),
    /// The server refused a step of it.
    Refused(SmtpStep, SmtpReply),
    /// It offers no STARTTLS, which the configuration wants.
    NoStartTls,
    /// It offers no way to log in that we know.
    NoLogin,
    /// It took too long.
    Late,
}

impl From<Broken> for NotOpened {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<rustls::Error> for NotOpened {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error.to_string())
    }
}

impl From<InvalidDnsNameError> for NotOpened {
    fn from(error: InvalidDnsNameError) -> Self {
        Self::Tls(error.to_string())
    }
}

/// Connects and logs in, by the mechanism `first` if the server offers it. Where the configuration
/// wants TLS, nothing is said without it but the request for it.
pub(super) async fn open(email: &Email, first: Option<Mechanism>) -> Result<Connection, NotOpened> {
    let opened = async {
        let (wire, offer) = greeted(email).await?;
        match &email.login {
            Some(credentials) => log_in(email, credentials, first, wire, offer).await,
            None => Ok(Connection::new(wire, offer, None)),
        }
    };
    timeout(OPENING, opened).await.unwrap_or(Err(NotOpened::Late))
}

/// A connection that the server greeted, with TLS where it is wanted, and what the server offers.
async fn greeted(email: &Email) -> Result<(Wire, Offer), NotOpened> {
    let mut wire = Wire::connect(&email.host, email.port).await.map_err(NotOpened::Connection)?;
    if email.security == MailSecurity::Tls {
        wire = secure(wire, email).await?;
    }
    positive(SmtpStep::Greeting, wire.reply().await?)?;
    let offer = hello(&mut wire, &email.helo).await?;
    if email.security != MailSecurity::StartTls {
        return Ok((wire, offer));
    }
    if !offer.starttls {
        return Err(NotOpened::NoStartTls);
    }
    positive(SmtpStep::StartTls, wire.ask("STARTTLS").await?)?;
    let mut wire = secure(wire, email).await?;
    let offer = hello(&mut wire, &email.helo).await?;
    Ok((wire, offer))
}

async fn secure(wire: Wire, email: &Email) -> Result<Wire, NotOpened> {
    let name = ServerName::try_from(email.host.clone())?;
    Ok(wire.secure(&tls::connector(&email.ca)?, name).await?)
}

/// EHLO, or HELO where the server does not know that (RFC 5321, 3.2).
async fn hello(wire: &mut Wire, name: &str) -> Result<Offer, NotOpened> {
    let reply = wire.ask(&format!("EHLO {name}")).await?;
    if !reply.is_permanent() {
        return Ok(Offer::of(&positive(SmtpStep::Hello, reply)?));
    }
    positive(SmtpStep::Hello, wire.ask(&format!("HELO {name}")).await?)?;
    Ok(Offer::default())
}

/// Tries each mechanism that the server offers, until one is taken: some are offered that do not
/// work.
async fn log_in(
    email: &Email,
    credentials: &(String, SecretString),
    first: Option<Mechanism>,
    wire: Wire,
    offer: Offer,
) -> Result<Connection, NotOpened> {
    let mut greeting = Some((wire, offer.clone()));
    let mut failure = NotOpened::NoLogin;
    for mechanism in in_turn(&offer.mechanisms, first) {
        // After a refusal servers close the connection, or no longer listen.
        let (mut wire, offer) = match greeting.take() {
            Some(greeting) => greeting,
            None => greeted(email).await?,
        };
        match login::log_in(&mut wire, mechanism, credentials).await {
            Ok(reply) if reply.is_positive() => {
                return Ok(Connection::new(wire, offer, Some(mechanism)));
            }
            Ok(reply) if !reply.is_permanent() => {
                return Err(NotOpened::Refused(SmtpStep::Login, reply));
            }
            Ok(reply) => {
                failure = telling(failure, reply);
                wire.goodbye().await;
            }
            Err(broken) => failure = NotOpened::Broken(broken),
        }
    }
    Err(failure)
}

/// PLAIN before LOGIN, but `first` before all.
fn in_turn(offered: &[Mechanism], first: Option<Mechanism>) -> Vec<Mechanism> {
    let mut mechanisms: Vec<_> = first.into_iter().collect();
    mechanisms.extend(
        [Mechanism::Plain, Mechanism::Login].into_iter().filter(|known| Some(*known) != first),
    );
    mechanisms.retain(|mechanism| offered.contains(mechanism));
    mechanisms
}

/// The refusal that says more: one of the login over one of a mechanism.
fn telling(before: NotOpened, reply: SmtpReply) -> NotOpened {
    match before {
        NotOpened::Refused(_, before) if login::is_unknown(&reply) => {
            NotOpened::Refused(SmtpStep::Login, before)
        }
        _ => NotOpened::Refused(SmtpStep::Login, reply),
    }
}

fn positive(step: SmtpStep, reply: SmtpReply) -> Result<SmtpReply, NotOpened> {
    if reply.is_positive() { Ok(reply) } else { Err(NotOpened::Refused(step, reply)) }
}
