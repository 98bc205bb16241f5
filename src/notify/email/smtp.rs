//! One attempt to hand a mail to the mail server (RFC 5321): a connection of its own, one deadline round the whole, and what the answer means.

use std::error::Error as _;
use std::pin::pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret;
use tokio::time::sleep;

use crate::alert::Receiver;
use crate::config::{Email, MailSecurity};
use crate::notify::reply::shown;
use crate::notify::{Outcome, email};

/// For the whole attempt.
const DEADLINE: Duration = Duration::from_mins(1);

/// For the connection to one address of the server.
const CONNECT: Duration = Duration::from_secs(10);

/// For the goodbye after the server took the mail.
const GOODBYE: Duration = Duration::from_secs(5);

/// Tries once to hand `mail` to the server for `receiver`, within 60 s. Login and mail go out only over TLS where the configuration wants it.
///
/// Only what the server says to the mail itself can refuse it: a server that rejects the greeting or the login may be mended, so that is put off.
pub(crate) async fn send(email: &Email, receiver: &Receiver, mail: &[u8]) -> Outcome {
    let envelope = match envelope(email, &receiver.recipient) {
        Ok(envelope) => envelope,
        Err(why) => return Outcome::Refused(why),
    };
    let mut deadline = pin!(sleep(DEADLINE));
    let opened = tokio::select! {
        opened = open(email) => opened,
        () = &mut deadline => return Outcome::unreached(format!("{} did not greet us in time", server(email))),
    };
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(error) => return not_opened(email, &error),
    };
    let sent = tokio::select! {
        sent = connection.send(&envelope, mail) => sent,
        () = &mut deadline => return Outcome::put_off(unknown(email, "it fell silent")),
    };
    let outcome = match sent {
        Ok(reply) => Outcome::Delivered(said(email, &reply)),
        Err(error) => return not_sent(email, &error),
    };
    // The mail is the server's by now: whatever becomes of the goodbye must not have it sent again.
    tokio::select! {
        () = connection.abort() => {}
        () = sleep(GOODBYE) => {}
        () = deadline => {}
    }
    outcome
}

fn envelope(email: &Email, recipient: &str) -> Result<Envelope, String> {
    let from = email::with_ascii_domain(&email.from.email);
    Envelope::new(Some(from), vec![email::address(recipient)?]).map_err(|error| error.to_string())
}

/// Connects, up to where a mail can be handed over: greeting, TLS, login.
async fn open(email: &Email) -> Result<AsyncSmtpConnection, Error> {
    let hello = ClientId::default();
    let tls = || TlsParameters::new(email.host.clone());
    let from_the_start = match email.security {
        MailSecurity::Tls => Some(tls()?),
        MailSecurity::StartTls | MailSecurity::Plain => None,
    };
    let server = (email.host.as_str(), email.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, from_the_start, None).await?;
    if email.security == MailSecurity::StartTls {
        connection.starttls(tls()?, &hello).await?;
    }
    if let Some((user, password)) = &email.login {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
    }
    Ok(connection)
}

fn not_opened(email: &Email, error: &Error) -> Outcome {
    let why = explain(email, error);
    match error.status() {
        Some(_) => Outcome::put_off(format!("{} lets us in no further: {why}", server(email))),
        None => Outcome::unreached(format!("{} cannot be used: {why}{}", server(email), advice(email, &why))),
    }
}

fn not_sent(email: &Email, error: &Error) -> Outcome {
    let why = explain(email, error);
    if error.is_permanent() || error.is_client() {
        Outcome::Refused(why)
    } else if error.is_transient() {
        Outcome::put_off(why)
    } else {
        Outcome::put_off(unknown(email, &why))
    }
}

fn unknown(email: &Email, why: &str) -> String {
    format!("{} did not say whether it took the mail: {why}", server(email))
}

fn server(email: &Email) -> String {
    format!("the mail server {}:{}", email.host, email.port)
}

fn said(email: &Email, reply: &Response) -> String {
    let words = reply.message().collect::<Vec<_>>().join(" ");
    shown(&format!("{} {words}", reply.code()), &secrets(email))
}

/// The server's own words where it said something, else what went wrong.
fn explain(email: &Email, error: &Error) -> String {
    let mut deepest = error.source();
    while let Some(cause) = deepest.and_then(std::error::Error::source) {
        deepest = Some(cause);
    }
    let words = deepest.map_or_else(|| error.to_string(), ToString::to_string);
    let words = match error.status() {
        Some(code) => format!("{code} {words}"),
        None => words,
    };
    shown(&words, &secrets(email))
}

fn advice(email: &Email, why: &str) -> &'static str {
    match email.security {
        MailSecurity::Tls if why.contains("InvalidContentType") => {
            "; this port seems to begin without TLS, which smtp+starttls:// is for"
        }
        MailSecurity::StartTls if why.contains("STARTTLS") => "; smtps:// is for servers that begin with TLS",
        _ => "",
    }
}

/// What must not be shown, in the forms in which it is sent (RFC 4616, and LOGIN).
fn secrets(email: &Email) -> Vec<String> {
    let Some((user, password)) = &email.login else { return Vec::new() };
    let password = password.expose_secret();
    vec![password.to_owned(), STANDARD.encode(password), STANDARD.encode(format!("\0{user}\0{password}"))]
}
