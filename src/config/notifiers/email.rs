//! Reads `type: email`: a mail server, a sender, recipients.

use std::collections::BTreeSet;

use lettre::message::Mailbox;

use super::super::reader::{ConfigReader, all};
use super::super::{Authority, Email, MailSecurity, Secret, password};
use super::smtp::{self, SmtpServer};
use super::{ca, helo};
use crate::config::faulty::Faulty;
use tidings_rules::yaml::{Entries, Node};

pub(super) fn email(entries: &mut Entries<'_>, reader: &mut ConfigReader<'_>) -> Option<Email> {
    let smtp_node = entries.require("smtp", reader.faults);
    let server = smtp_node.and_then(|node| smtp::server(node, reader));
    let login = login(entries, smtp_node.zip(server.as_ref()), reader);
    let from = entries.require("from", reader.faults).and_then(|node| mailbox(node, reader));
    let to = entries.require("to", reader.faults).and_then(|node| recipients(node, reader));
    let ca = read_authorities(entries, server.as_ref(), reader);
    let helo = helo::helo(entries, from.as_ref().map(|from| from.email.domain()), reader);
    let SmtpServer { host, port, security, .. } = server?;
    Some(Email {
        host,
        port,
        security,
        helo: helo?,
        login: login.ok()?,
        ca: ca?,
        from: from?,
        to: to?,
    })
}

fn read_authorities(
    entries: &mut Entries<'_>,
    server: Option<&SmtpServer>,
    reader: &mut ConfigReader<'_>,
) -> Option<Vec<Authority>> {
    if server.is_some_and(|server| server.security == MailSecurity::Plain) {
        ca::refuse_without_tls(
            entries,
            "write smtps:// or smtp+starttls://, or remove `ca`",
            reader,
        );
        return Some(Vec::new());
    }
    ca::read_authorities(entries, reader)
}

/// User and password, if the server requires a login.
fn login(
    entries: &mut Entries<'_>,
    server: Option<(Node<'_>, &SmtpServer)>,
    reader: &mut ConfigReader<'_>,
) -> Result<Option<(String, Secret)>, Faulty> {
    let (password, file) = (entries.get("password"), entries.get("password_file"));
    let beside = password::password(password, file, reader);
    let (smtp, server) = server.ok_or(Faulty)?;
    let place = beside.as_ref().ok().and_then(Option::as_ref).map(|(node, _)| *node);
    let password = match (&server.password, beside?) {
        (Some(_), Some((node, _))) => {
            let help = "keep `password`, and take the password out of the address";
            return refuse(node, "the address in `smtp` holds a password, too", help, reader);
        }
        (Some(password), None) => Some(password.clone()),
        (None, beside) => beside.map(|(_, password)| password),
    };
    match (server.user.clone(), password) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            let help = "write `password: ${SMTP_PASSWORD}` or `password_file:` beside it";
            refuse(smtp, "this address names a user, but there is no password", help, reader)
        }
        (None, Some(_)) => {
            let help = "write the user into the address: smtps://USER@HOST, with an @ in the user written %40; a server without a login needs no password";
            refuse(
                place.unwrap_or(smtp),
                "there is a password, but `smtp` names no user",
                help,
                reader,
            )
        }
        (Some(_), Some(_)) if server.security == MailSecurity::Plain && !server.is_loopback() => {
            let help = "write smtps:// or smtp+starttls://";
            refuse(
                smtp,
                "over smtp:// the password would cross the network unencrypted",
                help,
                reader,
            )
        }
        (Some(user), Some(password)) => Ok(Some((user, password.as_str().into()))),
    }
}

fn refuse<T>(
    node: Node<'_>,
    message: &str,
    help: &str,
    reader: &mut ConfigReader<'_>,
) -> Result<T, Faulty> {
    reader.error(node, message, help);
    Err(Faulty)
}

fn recipients(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Vec<Mailbox>> {
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        reader.error(node, "`to` is empty", "write at least one address: [desk@example.org]");
        return None;
    }
    let mut known = BTreeSet::new();
    all(nodes.into_iter().map(|node| {
        let recipient = mailbox(node, reader)?;
        if !known.insert(recipient.email.to_string().to_lowercase()) {
            reader.error(node, "this address is listed twice", "remove one of the two");
        }
        Some(recipient)
    }))
}

/// A mailbox (RFC 5322, 3.4).
fn mailbox(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Mailbox> {
    let text = reader.expanded(node)?;
    let value = text.value.trim();
    // The parser ignores text after an address, such as a second address.
    let is_whole = |mailbox: &Mailbox| {
        value.trim_end_matches('>').trim_end().ends_with(&mailbox.email.to_string())
    };
    let mailbox = value.parse::<Mailbox>().ok().filter(is_whole);
    if mailbox.is_none() {
        let help = "write desk@example.org or Name <desk@example.org>; several as a list: [a@example.org, b@example.org]";
        reader.error(node, format!("`{}` is not a mail address", text.written.value), help);
    }
    mailbox
}
