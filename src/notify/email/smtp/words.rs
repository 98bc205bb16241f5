//! What a mail server said, or what went wrong with it, in words that hold no secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use super::hand_over::{Envelope, HandOverFailure};
use super::open::NotOpened;
use super::reply::SmtpReply;
use super::step::SmtpStep;
use crate::config::{Email, MailSecurity};
use crate::notify::reply::shown;

/// The server, for people.
fn server(email: &Email) -> String {
    let Email { host, port, .. } = email;
    if host.contains(':') {
        format!("the mail server [{host}]:{port}")
    } else {
        format!("the mail server {host}:{port}")
    }
}

/// A reply on one line.
pub(super) fn said(email: &Email, reply: &SmtpReply) -> String {
    safe(email, &format!("{} {}", reply.code, reply.text()))
}

/// Why no connection could be used.
pub(super) fn not_opened(email: &Email, why: &NotOpened) -> String {
    let server = server(email);
    let why = match why {
        NotOpened::Refused(_, reply) => {
            return format!(
                "{server} lets us in no further: {}{}",
                said(email, reply),
                name_advice(reply)
            );
        }
        NotOpened::NoLogin => {
            return format!(
                "{server} offers no way to log in that Tidings knows (PLAIN, LOGIN){}",
                login_advice(email)
            );
        }
        NotOpened::Late => return format!("{server} did not let us in in time"),
        NotOpened::NoStartTls => "it offers no STARTTLS".to_owned(),
        NotOpened::Tls(why) => why.clone(),
        NotOpened::Connection(error) => error.to_string(),
        NotOpened::Broken(broken) => safe(email, &broken.to_string()),
    };
    format!("{server} cannot be used: {why}{}", tls_advice(email, &why))
}

/// Why a mail was not taken.
pub(super) fn not_sent(
    email: &Email,
    envelope: &Envelope,
    failure: &HandOverFailure,
    length: usize,
) -> String {
    let server = server(email);
    match failure {
        HandOverFailure::Refused(_, reply) => {
            format!("{}{}", said(email, reply), name_advice(reply))
        }
        HandOverFailure::Broken(SmtpStep::End, broken) => {
            format!(
                "{server} did not say whether it took the mail: {}",
                safe(email, &broken.to_string())
            )
        }
        HandOverFailure::Broken(step, broken) => {
            let why = safe(email, &broken.to_string());
            format!("{server} broke off before it took the mail, at {}: {why}", step.verb())
        }
        HandOverFailure::SenderBeyondAscii => beyond_ascii(&server, &envelope.from),
        HandOverFailure::RecipientBeyondAscii => beyond_ascii(&server, &envelope.to),
        HandOverFailure::TooLong(most) => {
            format!("{server} takes mails of at most {most} bytes, and this one has {length}")
        }
    }
}

fn beyond_ascii(server: &str, address: &lettre::Address) -> String {
    format!(
        "{server} takes no addresses with letters outside ASCII before the @ (SMTPUTF8), such as {address}"
    )
}

fn safe(email: &Email, words: &str) -> String {
    shown(words, &secrets(email))
}

/// What to do where the server wants another name at EHLO.
fn name_advice(reply: &SmtpReply) -> &'static str {
    let text = reply.text().to_ascii_lowercase();
    let names_it =
        ["helo", "ehlo", "fully-qualified", "fqdn"].iter().any(|word| text.contains(word));
    if names_it {
        "; the name that Tidings gives there can be set: `helo: mail.example.org`"
    } else {
        ""
    }
}

fn login_advice(email: &Email) -> &'static str {
    match email.security {
        MailSecurity::Plain => {
            "; many servers offer it only over TLS: smtps:// or smtp+starttls://"
        }
        MailSecurity::Tls | MailSecurity::StartTls => "",
    }
}

/// What to do about a connection that failed for the reason `why`.
fn tls_advice(email: &Email, why: &str) -> &'static str {
    match email.security {
        MailSecurity::Tls if why.contains("InvalidContentType") => {
            "; this port seems to begin without TLS, which smtp+starttls:// is for"
        }
        MailSecurity::StartTls if why.contains("STARTTLS") => {
            "; smtps:// is for servers that begin with TLS"
        }
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
    vec![
        password.to_owned(),
        STANDARD.encode(password),
        STANDARD.encode(format!("\0{user}\0{password}")),
    ]
}
