//! Reads `type: webhook`.

mod format;
mod headers;
mod keys;
mod template;

use url::Url;

use super::super::reader::ConfigReader;
use super::super::{Authority, SecretUrl, Webhook, WebhookBody, WebhookFormat};
use super::ca;
use tidings_rules::yaml::Entries;

const HELP: &str = "a webhook's address begins with https:// or http://";

pub(super) fn webhook(entries: &mut Entries<'_>, reader: &mut ConfigReader<'_>) -> Option<Webhook> {
    let format = format::format(entries, reader);
    let url = url(entries, format, reader);
    let secrets =
        entries.get("secret").map_or_else(|| Some(Vec::new()), |node| keys::keys(node, reader));
    let headers = headers::headers(entries, url.as_ref(), reader);
    let ca = read_authorities(entries, url.as_ref(), reader);
    let addressed = format::read_address(entries, format, url.as_ref(), reader);
    let template = entries
        .get("template")
        .map_or(Ok(None), |node| template::template(node, entries, reader).map(Some));
    let (url, format, addressed) = (url?, format?, addressed.ok()?);
    let url = SecretUrl(format::post_url(format, url.0));
    let body = template.ok()?.map_or(WebhookBody::Format(format), WebhookBody::Template);
    Some(Webhook { url, body, addressed, secrets: secrets?, headers: headers?, ca: ca? })
}

fn read_authorities(
    entries: &mut Entries<'_>,
    url: Option<&SecretUrl>,
    reader: &mut ConfigReader<'_>,
) -> Option<Vec<Authority>> {
    if url.is_some_and(|url| url.0.scheme() == "http") {
        ca::refuse_without_tls(entries, "write https:// in `url`, or remove `ca`", reader);
        return Some(Vec::new());
    }
    ca::read_authorities(entries, reader)
}

fn url(
    entries: &mut Entries<'_>,
    format: Option<WebhookFormat>,
    reader: &mut ConfigReader<'_>,
) -> Option<SecretUrl> {
    match (entries.get("url"), format) {
        (Some(node), _) => reader.secret_url(node, HELP),
        (None, Some(WebhookFormat::PagerDuty)) => Url::parse(format::PAGERDUTY).ok().map(SecretUrl),
        (None, _) => {
            entries.require("url", reader.faults).and_then(|node| reader.secret_url(node, HELP))
        }
    }
}
