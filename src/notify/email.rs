//! The email notifier: renders a notification as a mail, and makes one attempt to send it.

mod html;
mod smtp;

use std::cmp::Reverse;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};
use sha2::{Digest, Sha256};
use url::Host;

use crate::alerts::{Content, Notification, Receiver};
use crate::config::Email;
use crate::notify::quote::join_pieces;
use crate::notify::reply::truncate_with_ellipsis;
use crate::notify::text;
use crate::notify::view::build_view;
use crate::notify::view::message_view::MessageView;
use tidings_rules::story::NotifierName;
use tidings_rules::text::visible_line;

pub(super) use smtp::{SmtpPools, send};

/// The longest headline in a subject, in graphemes.
const MAX_SUBJECT_TITLE: usize = 120;

/// The longest rule name in a subject, in graphemes.
const MAX_SUBJECT_RULE: usize = 40;

/// Renders a notification as a mail to `receiver` (RFC 5322), in plain text and HTML. The
/// Message-ID is made of the notification's id, so retries are the same mail. `References` is made
/// of the event's id, so mail programs show an event as one thread. Headers mark it as automatic
/// (RFC 3834) and as part of a list (RFC 2919).
///
/// # Errors
///
/// The receiver's address is not valid.
pub(super) fn render(
    email: &Email,
    receiver: &Receiver,
    notification: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    let view = build_view(notification, zone);
    let from =
        Mailbox { name: email.from.name.clone(), email: with_ascii_domain(&email.from.email) };
    let date = SystemTime::try_from(notification.sent).map_err(|error| error.to_string())?;
    let domain = from.email.domain().to_owned();
    let mut mail = Message::builder()
        .from(from)
        .to(recipient_mailbox(email, &receiver.recipient)?)
        .subject(subject_line(&view, notification))
        .date(date)
        .message_id(Some(format!("<{}@{domain}>", notification.id)))
        .raw_header(raw_header("Auto-Submitted", "auto-generated"))
        .raw_header(raw_header("List-Id", &list_id(&receiver.notifier, &domain)));
    if let Content::Alert { event, .. } = &notification.content {
        let root = format!("<event.{event}@{domain}>");
        mail = mail.in_reply_to(root.clone()).references(root);
    }
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(multipart_boundary(&notification.id))
        .singlepart(SinglePart::plain(text::render_text(notification, zone, false)))
        .singlepart(SinglePart::html(html::render_html(&view)?));
    let mail =
        mail.multipart(parts).map_err(|error| format!("the mail cannot be written: {error}"))?;
    Ok(mail.formatted())
}

/// The recipient's address, with the name that the configuration gives it.
fn recipient_mailbox(email: &Email, recipient: &str) -> Result<Mailbox, String> {
    let known = email.to.iter().find(|mailbox| mailbox.email.as_ref() as &str == recipient);
    Ok(Mailbox {
        name: known.and_then(|mailbox| mailbox.name.clone()),
        email: parse_address(recipient)?,
    })
}

fn parse_address(recipient: &str) -> Result<Address, String> {
    let address: Address = recipient
        .parse()
        .map_err(|error| format!("{} is no mail address: {error}", visible_line(recipient)))?;
    Ok(with_ascii_domain(&address))
}

/// The address with its domain in ASCII (RFC 5891). Only letters before the `@` can then still need
/// SMTPUTF8.
fn with_ascii_domain(address: &Address) -> Address {
    match Host::parse(address.domain()) {
        Ok(Host::Domain(domain)) => {
            Address::new(address.user(), domain).unwrap_or_else(|_| address.clone())
        }
        _ => address.clone(),
    }
}

/// The subject. `=?` is split, so that mail programs do not decode foreign text as an encoded word
/// (RFC 2047).
fn subject_line(view: &MessageView, notification: &Notification) -> String {
    unescaped_subject(view, notification).replace("=?", "= ?")
}

fn unescaped_subject(view: &MessageView, notification: &Notification) -> String {
    let title = truncate_with_ellipsis(join_pieces(&view.title).trim(), MAX_SUBJECT_TITLE);
    let title = view.prefix_severity(title);
    let Content::Alert { rules, .. } = &notification.content else { return title };
    let Some(first) = rules.iter().min_by_key(|rule| Reverse(rule.severity)) else {
        return title;
    };
    let name = truncate_with_ellipsis(visible_line(&first.title()).trim(), MAX_SUBJECT_RULE);
    match rules.len() - 1 {
        0 => format!("{title} [{name}]"),
        more => format!("{title} [{name} and {more} more]"),
    }
}

fn raw_header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// `List-Id` (RFC 2919): the mails of a notifier are one list, so people can filter by it.
fn list_id(notifier: &NotifierName, domain: &str) -> String {
    let label: String =
        notifier.0.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("<{label}.tidings.{domain}>")
}

/// The boundary between the parts. It is the same in every rendering, and no story can contain it.
fn multipart_boundary(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(id))
}

#[cfg(test)]
mod tests;
