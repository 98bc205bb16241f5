//! The secrets of a webhook, which are removed from quoted answers. Servers often repeat what they
//! were sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use url::{Url, form_urlencoded};

use crate::config::Webhook;

/// The longest part of an address, in bytes, that counts as a word such as `hook`, not as a secret.
const MAX_HARMLESS: usize = 4;

/// The secrets in the address and the headers, both as sent and decoded.
pub(super) fn webhook_secrets(webhook: &Webhook) -> Vec<String> {
    let in_headers =
        webhook.headers.values().filter_map(|value| value.to_str().ok()).flat_map(header_secrets);
    let addressed =
        webhook.addressed.iter().map(|addressed| addressed.to.0.expose_secret().to_owned());
    let addressed = addressed.filter(|secret| secret.len() > MAX_HARMLESS);
    address_secrets(&webhook.url.0).into_iter().chain(in_headers).chain(addressed).collect()
}

/// Path, query and login, as a whole and in parts.
pub(super) fn address_secrets(url: &Url) -> Vec<String> {
    let whole = [url.path(), url.query().unwrap_or_default()];
    let parts = whole
        .iter()
        .flat_map(|whole| whole.split(['/', '&', '=']))
        .chain(url.password())
        .chain([url.username()]);
    let written: Vec<&str> =
        whole.into_iter().chain(parts).filter(|part| part.len() > MAX_HARMLESS).collect();
    let decoded = written.iter().map(|part| {
        form_urlencoded::parse(part.as_bytes()).map(|(name, _)| name.into_owned()).collect()
    });
    decoded.chain(written.iter().map(ToString::to_string)).collect()
}

/// A header's value, the token in it, and the login and password in a token of basic
/// authentication.
fn header_secrets(value: &str) -> Vec<String> {
    let token = value.split_once(' ').map(|(_, token)| token);
    let login = token.and_then(|token| String::from_utf8(STANDARD.decode(token).ok()?).ok());
    let password =
        login.as_deref().and_then(|login| login.split_once(':')).map(|(_, password)| password);
    let found = [Some(value), token, login.as_deref(), password];
    found
        .into_iter()
        .flatten()
        .filter(|secret| secret.len() > MAX_HARMLESS)
        .map(str::to_owned)
        .collect()
}
