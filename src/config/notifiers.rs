//! The notifiers of a configuration: who can be told, and how.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lettre::message::Mailbox;
use secrecy::SecretString;
use url::{Host, Url};

use super::secret;
use super::variables::{Context, string};
use super::{ConsoleFormat, Email, MailSecurity, Notifier, SecretUrl, Webhook, later};
use crate::fault::{Fault, nearest};
use crate::story::NotifierName;
use crate::yaml::{Entries, Node};

const TYPES: [&str; 3] = ["console", "email", "webhook"];

/// Reads the notifiers by name.
pub(super) fn read(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> BTreeMap<NotifierName, Notifier> {
    let mut notifiers = BTreeMap::new();
    for (name, node) in node.pairs(faults) {
        if let Some(notifier) = notifier(node, context, faults) {
            notifiers.insert(NotifierName(name.value), notifier);
        }
    }
    notifiers
}

fn notifier(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Notifier> {
    let mut entries = node.entries(faults)?;
    let kind = entries.require("type", faults)?;
    let notifier = match kind.text(faults)?.value.as_str() {
        "console" => Some(Notifier::Console(console(&mut entries, faults))),
        "email" => email(&mut entries, context, faults).map(Notifier::Email),
        "webhook" => webhook(&mut entries, context, faults).map(Notifier::Webhook),
        other => {
            let advice = match nearest(other, TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are: {}", TYPES.join(", ")),
            };
            faults.push(kind.fault(format!("`{other}` is not a type of notifier")).help(advice));
            return None;
        }
    };
    later::refuse(
        &mut entries,
        &["limit", "quiet", "digest", "burst", "template", "headers", "username", "token"],
        faults,
    );
    entries.finish(faults);
    notifier
}

fn console(entries: &mut Entries<'_>, faults: &mut Vec<Fault>) -> ConsoleFormat {
    let Some(node) = entries.get("format") else { return ConsoleFormat::Text };
    match node.text(faults).map(|text| text.value).as_deref() {
        Some("json") => ConsoleFormat::Json,
        Some("text") | None => ConsoleFormat::Text,
        Some(other) => {
            faults.push(node.fault(format!("`{other}` is not a format of the console")).help("write `text` or `json`"));
            ConsoleFormat::Text
        }
    }
}

fn email(entries: &mut Entries<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Email> {
    let smtp = entries.require("smtp", faults);
    let server = smtp.and_then(|node| server(node, context, faults));
    let password = secret::password(entries, context, faults);
    let from = entries.require("from", faults).and_then(|node| mailbox(node, context, faults));
    let to = entries.require("to", faults).map_or_else(Vec::new, |node| recipients(node, context, faults));
    let (smtp, server) = (smtp?, server?);
    let login = login(smtp, &server, password, faults);
    let Server { host, port, security, .. } = server;
    Some(Email { host, port, security, login, from: from?, to })
}

/// What `smtp:` says.
struct Server {
    host: String,
    port: u16,
    security: MailSecurity,
    user: Option<String>,
    password: Option<SecretString>,
    is_loopback: bool,
}

fn server(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Server> {
    let text = string(node, context, faults)?;
    let url = Url::parse(&text).ok();
    let kind = url.as_ref().and_then(|url| match url.scheme() {
        "smtps" => Some((MailSecurity::Tls, 465)),
        "smtp+starttls" => Some((MailSecurity::StartTls, 587)),
        "smtp" => Some((MailSecurity::Plain, 25)),
        _ => None,
    });
    let (Some(url), Some((security, port))) = (url, kind) else {
        return not_a_server(node, faults);
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else { return not_a_server(node, faults) };
    let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let host = host.trim_matches(['[', ']']).to_owned();
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    Some(Server {
        port: url.port().unwrap_or(port),
        security,
        user: Some(decode(url.username())).filter(|user| !user.is_empty()),
        password: url.password().map(|password| decode(password).into()),
        is_loopback,
        host,
    })
}

fn not_a_server(node: Node<'_>, faults: &mut Vec<Fault>) -> Option<Server> {
    let fault = node.fault("this is not the address of a mail server");
    let advice = "write smtps://user@host (TLS), smtp+starttls://user@host, or smtp://host (neither); a port may follow the host";
    faults.push(fault.help(advice));
    None
}

/// User and password, if they go together and may be sent to this server.
fn login(
    smtp: Node<'_>,
    server: &Server,
    password: Option<SecretString>,
    faults: &mut Vec<Fault>,
) -> Option<(String, SecretString)> {
    let password = password.or_else(|| server.password.clone());
    match (&server.user, password) {
        (None, None) => None,
        (Some(_), None) => {
            let fault = smtp.fault("there is a user, but no password");
            faults.push(fault.help("add `password: ${NAME}` or `password_file: PATH`"));
            None
        }
        (None, Some(_)) => {
            let fault = smtp.fault("there is a password, but no user");
            faults.push(fault.help("write the user before the host: smtps://user@host"));
            None
        }
        (Some(_), Some(_)) if server.security == MailSecurity::Plain && !server.is_loopback => {
            let fault = smtp.fault("the password would cross the network unprotected");
            faults.push(fault.help("write smtps:// or smtp+starttls://"));
            None
        }
        (Some(user), Some(password)) => Some((user.clone(), password)),
    }
}

fn recipients(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Vec<Mailbox> {
    let mut to: Vec<Mailbox> = Vec::new();
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        faults.push(node.fault("nobody would get the mail").help("write at least one address"));
    }
    for node in nodes {
        let Some(mailbox) = mailbox(node, context, faults) else { continue };
        if to.iter().any(|known| known.email == mailbox.email) {
            faults.push(
                node.fault("this recipient stands here twice")
                    .help("remove one, or everybody gets each mail once and this one twice"),
            );
        } else {
            to.push(mailbox);
        }
    }
    to
}

fn mailbox(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Mailbox> {
    let text = string(node, context, faults)?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        let fault = node.fault(format!("`{text}` is not a mail address"));
        faults.push(fault.help("write name@example.org, or Some Name <name@example.org>"));
    }
    parsed
}

fn webhook(entries: &mut Entries<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<Webhook> {
    let node = entries.require("url", faults);
    let secrets = entries.get("secret").map_or_else(Vec::new, |node| node.one_or_many());
    let secrets = secrets.into_iter().filter_map(|node| secret::signing_key(node, context, faults)).collect();
    if let Some(node) = entries.get("format")
        && let Some(format) = node.text(faults).filter(|format| format.value != "standard")
    {
        let fault = node.fault(format!("the format `{}` is not available yet in this version", format.value));
        faults.push(fault.help("leave `format` out for Standard Webhooks"));
    }
    let node = node?;
    let text = string(node, context, faults)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url {
        Some(url) if matches!(url.host(), Some(Host::Domain("")) | None) => not_a_hook(node, faults),
        Some(url) => Some(Webhook { url: SecretUrl(url), secrets }),
        None => not_a_hook(node, faults),
    }
}

fn not_a_hook(node: Node<'_>, faults: &mut Vec<Fault>) -> Option<Webhook> {
    faults.push(
        node.fault("this is not the address of a webhook")
            .help("write an address that begins with https:// or http://"),
    );
    None
}
