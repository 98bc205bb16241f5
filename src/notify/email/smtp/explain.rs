//! Explains replies and failures of a mail server, without secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use super::open::OpenFailure;
use super::reply::SmtpReply;
use super::step::SmtpStep;
use crate::config::{Email, MailSecurity};
use crate::notify::email::smtp::mail_transaction::{Envelope, MailFailure};
use crate::notify::reply::sanitize_reply;

/// The name of the server in messages.
fn describe_server(email: &Email) -> String {
    let Email { host, port, .. } = email;
    if host.contains(':') {
        format!("the mail server [{host}]:{port}")
    } else {
        format!("the mail server {host}:{port}")
    }
}

/// A reply on one line.
pub(super) fn describe_reply(email: &Email, reply: &SmtpReply) -> String {
    without_secrets(email, &format!("{} {}", reply.code, reply.text()))
}

/// Explains why no connection was opened.
pub(super) fn explain_open_failure(email: &Email, why: &OpenFailure) -> String {
    let server = describe_server(email);
    let why = match why {
        OpenFailure::Refused(_, reply) => {
            return format!(
                "{server} refused the connection: {}{}",
                describe_reply(email, reply),
                ehlo_name_advice(reply)
            );
        }
        OpenFailure::NoLogin => {
            return format!(
                "{server} offers no way to log in that Tidings knows (PLAIN, LOGIN){}",
                login_advice(email)
            );
        }
        OpenFailure::TimedOut => return format!("{server} did not accept the connection in time"),
        OpenFailure::NoStartTls => "it offers no STARTTLS".to_owned(),
        OpenFailure::Tls(why) => why.clone(),
        OpenFailure::Connection(error) => error.to_string(),
        OpenFailure::Broken(broken) => without_secrets(email, &broken.to_string()),
    };
    format!("{server} cannot be used: {why}{}", tls_advice(email, &why))
}

/// Explains why a mail was not sent.
pub(super) fn explain_mail_failure(
    email: &Email,
    envelope: &Envelope,
    failure: &MailFailure,
    length: usize,
) -> String {
    let server = describe_server(email);
    match failure {
        MailFailure::Refused(_, reply) => {
            format!("{}{}", describe_reply(email, reply), ehlo_name_advice(reply))
        }
        MailFailure::Broken(SmtpStep::End, broken) => {
            format!(
                "{server} did not say whether it took the mail: {}",
                without_secrets(email, &broken.to_string())
            )
        }
        MailFailure::Broken(step, broken) => {
            let why = without_secrets(email, &broken.to_string());
            format!(
                "{server} did not take the mail, because the connection failed at {}: {why}",
                step.protocol_name()
            )
        }
        MailFailure::SenderNotAscii => explain_missing_smtputf8(&server, &envelope.from),
        MailFailure::RecipientNotAscii => explain_missing_smtputf8(&server, &envelope.to),
        MailFailure::TooLong(most) => {
            format!("{server} takes mails of at most {most} bytes, and this one has {length}")
        }
    }
}

fn explain_missing_smtputf8(server: &str, address: &lettre::Address) -> String {
    format!(
        "{server} takes no addresses with letters outside ASCII before the @ (SMTPUTF8), such as {address}"
    )
}

fn without_secrets(email: &Email, words: &str) -> String {
    sanitize_reply(words, &login_secrets(email))
}

/// Advice if the server wants another name at EHLO.
fn ehlo_name_advice(reply: &SmtpReply) -> &'static str {
    let text = reply.text().to_ascii_lowercase();
    let names_it =
        ["helo", "ehlo", "fully-qualified", "fqdn"].iter().any(|word| text.contains(word));
    if names_it {
        "; set the name that Tidings sends, for example `helo: mail.example.org`"
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

/// Advice about a connection that failed for the reason `why`.
fn tls_advice(email: &Email, why: &str) -> &'static str {
    match email.security {
        MailSecurity::Tls if why.contains("InvalidContentType") => {
            "; this port seems to begin without TLS: use smtp+starttls://"
        }
        MailSecurity::StartTls if why.contains("STARTTLS") => {
            "; use smtps:// if the server begins with TLS"
        }
        _ if why.contains("UnknownIssuer") => {
            "; if the server's CA is your own, name its certificate: `ca: FILE.pem`"
        }
        _ => "",
    }
}

/// The secrets of the login, in the forms in which they are sent (RFC 4616, and LOGIN).
fn login_secrets(email: &Email) -> Vec<String> {
    let Some((user, password)) = &email.login else { return Vec::new() };
    let password = password.0.expose_secret();
    vec![
        password.to_owned(),
        STANDARD.encode(password),
        STANDARD.encode(format!("\0{user}\0{password}")),
    ]
}
