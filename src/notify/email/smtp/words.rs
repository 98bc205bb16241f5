//! What a mail server said, or what went wrong with it, in words that hold no secret.

use std::error::Error as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret;

use crate::config::{Email, MailSecurity};
use crate::notify::reply::shown;

/// The server, as a person knows it.
pub(super) fn server(email: &Email) -> String {
    let Email { host, port, .. } = email;
    if host.contains(':') {
        format!("the mail server [{host}]:{port}")
    } else {
        format!("the mail server {host}:{port}")
    }
}

/// A reply on one line.
pub(super) fn said(email: &Email, reply: &Response) -> String {
    let words = reply.message().collect::<Vec<_>>().join(" ");
    shown(&format!("{} {words}", reply.code()), &secrets(email))
}

/// The server's own words where it said something, else what went wrong.
pub(super) fn explain(email: &Email, error: &Error) -> String {
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

/// What to do about a connection that failed for the reason `why`.
pub(super) fn advice(email: &Email, why: &str) -> &'static str {
    match email.security {
        MailSecurity::Tls if why.contains("InvalidContentType") => {
            "; this port seems to begin without TLS, which smtp+starttls:// is for"
        }
        MailSecurity::StartTls if why.contains("STARTTLS") => "; smtps:// is for servers that begin with TLS",
        _ if why.contains("UnknownIssuer") => {
            "; where the server's CA is your own, name its certificate: `ca: FILE.pem`"
        }
        _ => "",
    }
}

/// What must not be shown, in the forms in which it is sent (RFC 4616, and LOGIN).
fn secrets(email: &Email) -> Vec<String> {
    let Some((user, password)) = &email.login else { return Vec::new() };
    let password = password.expose_secret();
    vec![password.to_owned(), STANDARD.encode(password), STANDARD.encode(format!("\0{user}\0{password}"))]
}
