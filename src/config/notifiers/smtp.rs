//! Reads the address of a mail server: `smtps://user@host:port`.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use super::super::MailSecurity;
use super::super::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// A mail server and its user.
pub(super) struct SmtpServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: MailSecurity,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

impl SmtpServer {
    /// Whether it is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// `smtps://` (465), `smtp+starttls://` (587) or `smtp://` (25), then `user@` for a login, the
/// host, and an optional port.
pub(super) fn server(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<SmtpServer> {
    let address = reader.string(node)?;
    let help = "write smtps://user@mail.example.org; or smtp+starttls://, or smtp:// for a server that needs neither TLS nor a password";
    let Some(url) = Url::parse(address.trim()).ok() else {
        reader.error(node, "this is not the address of a mail server", help);
        return None;
    };
    let (security, port) = match url.scheme() {
        "smtps" => (MailSecurity::Tls, 465),
        "smtp+starttls" => (MailSecurity::StartTls, 587),
        "smtp" => (MailSecurity::Plain, 25),
        _ => {
            reader.error(node, "this is not the address of a mail server", help);
            return None;
        }
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let has_more =
        !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
    if host.is_empty() || has_more {
        let message = if host.is_empty() {
            "this address has no host"
        } else {
            "only a port can follow the host"
        };
        reader.error(
            node,
            message,
            "a character such as / or ? or # in the user is written %2F, %3F, %23",
        );
        return None;
    }
    let decoded =
        |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(decoded);
    let password = url.password().map(decoded);
    if user == Some(None) || password == Some(None) {
        reader.error(
            node,
            "the user or the password is not UTF-8",
            "write the bytes of UTF-8 after each %",
        );
        return None;
    }
    let (host, port) = (host.to_owned(), url.port().unwrap_or(port));
    Some(SmtpServer { host, port, security, user: user.flatten(), password: password.flatten() })
}
