//! Mail over SMTP (RFC 5321): one message for one recipient, rendered once, sent on a connection of its own.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use secrecy::ExposeSecret;

use super::view::{View, view};
use super::{Outcome, Retry, console, unreachable};
use crate::alert::{Content, Letter};
use crate::config::{Email, MailSecurity};
use crate::story::Severity;

/// The longest that one attempt takes, from the look-up of the name to the answer after the final dot. lettre's own timeout covers only the
/// connecting.
const DEADLINE: Duration = Duration::from_mins(1);

/// The longest that connecting takes.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 150;

/// The message for `recipient` (RFC 5322) with a text and an HTML part. Its Message-ID is made of the letter's id; every message of one event
/// refers to the same root, so that mail programs show them as one thread.
pub(super) fn render(settings: &Email, recipient: &str, letter: &Letter, zone: &TimeZone) -> Result<Vec<u8>, String> {
    let to = mailbox(settings, recipient)?;
    let domain = settings.from.email.domain();
    let view = view(letter, zone);
    let mut message = Message::builder()
        .from(settings.from.clone())
        .to(to)
        .subject(subject(&view))
        .date(SystemTime::try_from(letter.created).map_err(|why| why.to_string())?)
        .message_id(Some(format!("<{}@{domain}>", letter.id)))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("List-Id", &format!("Tidings alerts <tidings.{domain}>")));
    if let Content::Alert { event, .. } = &letter.content {
        let root = format!("<event-{event}@{domain}>");
        message = message.in_reply_to(root.clone()).references(root);
    }
    let body = MultiPart::alternative_plain_html(console::text(&view, false), html(&view)?);
    let message = message.multipart(body).map_err(|why| format!("the mail cannot be written: {why}"))?;
    Ok(message.formatted())
}

fn mailbox(settings: &Email, recipient: &str) -> Result<Mailbox, String> {
    let known = settings.to.iter().find(|mailbox| mailbox.email.to_string() == recipient);
    known.cloned().ok_or_else(|| format!("{recipient} is not in the configuration any more"))
}

/// A header of fixed words and a domain: ASCII, nothing from a feed.
fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn subject(view: &View) -> String {
    let urgent = match view.severity {
        Severity::High | Severity::Critical => format!("{}: ", view.severity.as_str().to_uppercase()),
        Severity::Info | Severity::Low | Severity::Medium => String::new(),
    };
    let names: Vec<&str> = view.rules.iter().map(|rule| rule.name.as_str()).collect();
    let rules = if names.is_empty() { String::new() } else { format!(" [{}]", names.join(" · ")) };
    shortened(&format!("{urgent}{}{rules}", view.title), LONGEST_SUBJECT)
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn html(view: &View) -> Result<String, String> {
    let mut templates = minijinja::Environment::new();
    let rendered = templates
        .add_template("email.html", include_str!("email.html"))
        .and_then(|()| templates.get_template("email.html"))
        .and_then(|template| template.render(minijinja::value::Serde(view)));
    rendered.map_err(|why| format!("the mail's HTML part cannot be written: {why}"))
}

/// Sends `frozen` to `recipient` on a connection of its own, which is dropped afterwards, whatever its state.
pub(super) async fn send(settings: &Email, recipient: &str, frozen: &[u8]) -> Outcome {
    let recipient = match recipient.parse::<Address>() {
        Ok(address) => address,
        Err(why) => return Outcome::Refused(format!("{recipient} is not a mail address: {why}")),
    };
    let envelope = match Envelope::new(Some(settings.from.email.clone()), vec![recipient]) {
        Ok(envelope) => envelope,
        Err(why) => return Outcome::Refused(why.to_string()),
    };
    tokio::time::timeout(DEADLINE, converse(settings, &envelope, frozen)).await.unwrap_or_else(|_| {
        let why = format!("the mail server did not finish within {} s", DEADLINE.as_secs());
        Outcome::Retry(Retry { why, reached: true, after: None })
    })
}

async fn converse(settings: &Email, envelope: &Envelope, frozen: &[u8]) -> Outcome {
    let mut connection = match connect(settings).await {
        Ok(connection) => connection,
        Err(error) => return not_connected(&error),
    };
    let outcome = match connection.send(envelope, frozen).await {
        Ok(response) => {
            Outcome::Delivered(format!("{} {}", response.code(), response.first_line().unwrap_or_default()))
        }
        Err(error) if error.is_permanent() => Outcome::Refused(explain(&error)),
        Err(error) => Outcome::Retry(Retry { why: explain(&error), reached: true, after: None }),
    };
    // The mail is accepted or not by now: what becomes of the farewell changes nothing.
    connection.abort().await;
    outcome
}

/// Connects, protects the connection as configured, and logs in.
async fn connect(settings: &Email) -> Result<AsyncSmtpConnection, Error> {
    let hello = ClientId::default();
    let server = (settings.host.as_str(), settings.port);
    let tls = || TlsParameters::new(settings.host.clone());
    let implicit = if settings.security == MailSecurity::Tls { Some(tls()?) } else { None };
    let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &hello, implicit, None).await?;
    if settings.security == MailSecurity::StartTls {
        connection.starttls(tls()?, &hello).await?;
    }
    if let Some((user, password)) = &settings.login {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
    }
    Ok(connection)
}

/// Nothing was said of any message yet, so none is refused: a wrong password or a full server is put right, and then all of them go out.
fn not_connected(error: &Error) -> Outcome {
    let status = error.status().map(|code| code.to_string());
    match status.as_deref() {
        Some("530" | "534" | "535" | "538") => {
            unreachable(format!("the mail server does not accept the login: {}", explain(error)))
        }
        Some(_) => unreachable(explain(error)),
        None => unreachable(format!("the mail server cannot be reached: {}", explain(error))),
    }
}

/// The server's own words after its code, or what the system said.
fn explain(error: &Error) -> String {
    let said = error.source().map(ToString::to_string);
    match (error.status(), said) {
        (Some(code), Some(said)) => format!("{code} {said}"),
        (Some(code), None) => code.to_string(),
        (None, Some(said)) => said,
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::letter;
    use super::*;

    fn settings() -> Email {
        Email {
            host: "localhost".to_owned(),
            port: 25,
            security: MailSecurity::Plain,
            login: None,
            from: "Tidings <tidings@example.org>".parse().expect("a mailbox"),
            to: vec!["Ana Ødegård <ana@example.org>".parse().expect("a mailbox")],
        }
    }

    fn rendered(letter: &Letter) -> String {
        let bytes = render(&settings(), "ana@example.org", letter, &TimeZone::UTC).expect("it renders");
        String::from_utf8(bytes).expect("ASCII")
    }

    fn with_title(text: &str) -> Letter {
        let mut letter = letter();
        if let Content::Alert { story, .. } = &mut letter.content {
            text.clone_into(&mut story.title);
        }
        letter
    }

    #[test]
    fn a_mail_says_what_it_is_and_belongs_to_its_event() {
        let mail = rendered(&letter());
        for line in [
            "Message-ID: <0198c7a0@example.org>\r\n",
            "References: <event-7d1f@example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Id: Tidings alerts <tidings.example.org>\r\n",
            "Date: Tue, 24 Nov 2026 09:31:00 +0000\r\n",
            "To: =?utf-8?b?",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(mail.contains(line), "{line} is not in\n{mail}");
        }
    }

    #[test]
    fn a_title_cannot_write_a_header() {
        let mail = rendered(&with_title("Arms\r\nBcc: eve@example.org\r\n\r\nHello\0"));
        let head = mail.split("\r\n\r\n").next().expect("a head");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Subject: HIGH: Arms"), "{head}");
    }

    #[test]
    fn the_html_part_escapes_what_comes_from_a_feed() {
        let html = html(&view(&with_title("<script>alert(1)</script>"), &TimeZone::UTC)).expect("it renders");
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn a_subject_has_a_readable_length() {
        let subject = subject(&view(&with_title(&"long ".repeat(100)), &TimeZone::UTC));
        assert!(subject.chars().count() <= LONGEST_SUBJECT + 1 && subject.ends_with("long…"), "{subject}");
    }

    #[test]
    fn the_html_part_looks_as_it_should() {
        insta::assert_snapshot!("email_html", html(&view(&letter(), &TimeZone::UTC)).expect("it renders"));
    }
}
